"""STIX objects written for the tests."""

from __future__ import annotations

from typing import Any

CREATED = "2024-01-01T00:00:00.000Z"
CVE = "CVE-2021-27410"


def identifier(kind: str, number: int) -> str:
    return f"{kind}--00000000-0000-4000-8000-{number:012d}"


def stix(kind: str, number: int, name: str = "", **properties: Any) -> dict[str, Any]:
    """A domain object."""
    common = {"type": kind, "spec_version": "2.1", "id": identifier(kind, number), "created": CREATED}
    return common | {"modified": CREATED, "name": name or f"{kind} {number}"} | properties


def relation(number: int, kind: str, source: dict[str, Any], target: dict[str, Any], **more: Any) -> dict[str, Any]:
    common = stix("relationship", number)
    del common["name"]
    return common | {"relationship_type": kind, "source_ref": source["id"], "target_ref": target["id"]} | more


def known_as(source: str, number: str) -> list[dict[str, str]]:
    return [{"source_name": source, "external_id": number, "url": f"https://example.org/{number}"}]


FLAW = stix("vulnerability", 1, CVE, external_references=known_as("cve", CVE))
WORM = stix("malware", 2, "Gauze", is_family=True, external_references=known_as("mitre-attack", "S9001"))
CREW = stix("intrusion-set", 3, "Night Shift", aliases=["NS"], description="They extort hospitals.")
EXPLOITATION = stix(
    "attack-pattern",
    4,
    "Exploitation of Remote Services",
    external_references=known_as("mitre-attack", "T0866"),
    x_mitre_domains=["ics-attack"],
)
WIPING = stix("attack-pattern", 5, "Data Destruction", external_references=known_as("mitre-attack", "T0809"))
RAID = stix("campaign", 6, "Ward round", description="A campaign against the Welch Allyn Connex Spot monitor.")
PATCHING = stix("course-of-action", 7, "Update Software", external_references=known_as("mitre-attack", "M0951"))
TRACE = stix("indicator", 8, "Beacon", pattern="[url:value = 'http://x.test/']", pattern_type="stix", description=CVE)
SECTOR = stix("identity", 9, "Hospitals", identity_class="class", sectors=["healthcare"])
LINKS = [
    relation(20, "exploits", WORM, FLAW),
    relation(21, "uses", WORM, EXPLOITATION),
    relation(22, "uses", WORM, WIPING),
    relation(23, "uses", RAID, WIPING, description=f"They wiped it through {CVE}."),
    relation(24, "attributed-to", RAID, CREW),
    relation(25, "mitigates", PATCHING, FLAW),
    relation(26, "targets", WORM, SECTOR),
    relation(27, "targets", EXPLOITATION, FLAW),
]
OBJECTS = [FLAW, WORM, CREW, EXPLOITATION, WIPING, RAID, PATCHING, TRACE, SECTOR, *LINKS]
BUNDLE = {"type": "bundle", "id": identifier("bundle", 99), "objects": OBJECTS}
