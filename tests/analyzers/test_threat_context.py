"""What is said of a finding from threat intelligence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from analyzers.enrichment import build
from analyzers.threat_context import MOST_LINES
from meddojo.case import Case
from meddojo.config import AnalyzerConfig
from meddojo.device import Device
from meddojo.finding import Finding, Stream
from meddojo.severity import Severity
from meddojo.threat import HEALTHCARE, Threat, ThreatRelation
from meddojo.vulnerability import EpssScore, KevEntry

NOW = datetime(2024, 9, 1, tzinfo=UTC)
CVE = "CVE-2015-5374"
DEVICE = Device("d1", "Acme", "Pump 3")
FINDING = Finding(Stream.VULNERABILITIES, "d1", CVE, "t", Severity.HIGH, "r", 0.9, aliases=(CVE, "GHSA-aaaa"))
KNOWN_EXPLOITED = replace(FINDING, kev=KevEntry(CVE, date(2024, 1, 1)))
ICS = "ATT&CK for ICS"

FLAW = Threat("vulnerability--1", "vulnerability", CVE, NOW, cves=(CVE,))
INDUSTROYER = Threat("malware--1", "malware", "Industroyer", NOW, external_ids=("S0604",))
EXPLOITATION = Threat(
    "attack-pattern--1", "attack-pattern", "Exploitation of Remote Services", NOW, ICS, external_ids=("T0866",)
)
DENIAL = Threat("attack-pattern--2", "attack-pattern", "Denial of Service", NOW, ICS, external_ids=("T0814",))
TEAM = Threat("intrusion-set--1", "intrusion-set", "Sandworm Team", NOW, external_ids=("G0034",))
PATCHING = Threat("course-of-action--1", "course-of-action", "Update Software", NOW, external_ids=("M0951",))


def relation(number: int, source: Threat, kind: str, target: Threat, *cves: str) -> ThreatRelation:
    return ThreatRelation(f"relationship--{number}", kind, source.id, target.id, NOW, cves=cves)


def enrich(*known: Threat | ThreatRelation, finding: Finding = FINDING, device: Device = DEVICE) -> Finding:
    threats = tuple(each for each in known if isinstance(each, Threat))
    relations = tuple(each for each in known if isinstance(each, ThreatRelation))
    case = Case(device, NOW, threats=threats, threat_relations=relations)
    (enriched,) = build(AnalyzerConfig()).judge(Case.from_json(case.to_json()), [finding])
    return enriched


def lines(*known: Threat | ThreatRelation, finding: Finding = FINDING) -> tuple[str, ...]:
    return enrich(*known, finding=finding).threats


def test_malware_that_exploits_the_vulnerability_with_its_techniques_for_that() -> None:
    enriched = enrich(
        FLAW,
        INDUSTROYER,
        EXPLOITATION,
        DENIAL,
        TEAM,
        relation(1, INDUSTROYER, "exploits", FLAW),
        relation(2, INDUSTROYER, "uses", EXPLOITATION),
        relation(3, INDUSTROYER, "uses", DENIAL),
        relation(4, INDUSTROYER, "attributed-to", TEAM),
    )
    assert enriched.threats == (
        "used by Industroyer (S0604), attributed to Sandworm Team (G0034); "
        "ATT&CK for ICS T0866 Exploitation of Remote Services",
    )
    assert enriched.tags == ("used-in-attacks",)


def test_a_relationship_that_names_the_cve_names_the_technique() -> None:
    told = relation(1, INDUSTROYER, "uses", DENIAL, CVE)
    expected = ("used by Industroyer (S0604); ATT&CK for ICS T0814 Denial of Service",)
    assert lines(INDUSTROYER, DENIAL, told) == expected
    assert lines(INDUSTROYER, replace(DENIAL, cves=(CVE,)), told) == expected, "no technique is told twice"


def test_by_an_alias() -> None:
    finding = replace(FINDING, check="GHSA-aaaa", aliases=("GHSA-aaaa", CVE))
    assert lines(FLAW, INDUSTROYER, relation(1, INDUSTROYER, "targets", FLAW), finding=finding)


def test_techniques_countermeasures_and_mentions_are_no_use_in_attacks() -> None:
    enriched = enrich(
        FLAW,
        EXPLOITATION,
        PATCHING,
        replace(TEAM, cves=(CVE,)),
        relation(1, EXPLOITATION, "targets", FLAW),
        relation(2, PATCHING, "mitigates", FLAW),
    )
    assert enriched.threats == (
        "ATT&CK for ICS T0866 Exploitation of Remote Services",
        "countermeasure: Update Software (M0951)",
        "named by Sandworm Team (G0034), intrusion set",
    )
    assert enriched.tags == ()


def test_many_indicators_are_one_line() -> None:
    traces = [Threat(f"indicator--{number}", "indicator", f"Trace {number}", NOW, cves=(CVE,)) for number in range(9)]
    (line,) = lines(*traces)
    assert line == "9 indicators published: Trace 0, Trace 1, Trace 2, Trace 3, Trace 4 and 4 more"


def test_another_vulnerability_gets_no_line() -> None:
    known = (FLAW, INDUSTROYER, relation(1, INDUSTROYER, "exploits", FLAW))
    assert enrich(*known, finding=replace(FINDING, check="CVE-2024-0001", aliases=())).threats == ()


def test_threats_to_healthcare_are_told_of_exploited_findings_only() -> None:
    hospitals = Threat("identity--1", "identity", "Hospitals", NOW, sectors=(HEALTHCARE,))
    ekans = Threat("malware--2", "malware", "EKANS", NOW, external_ids=("S0605",), sectors=(HEALTHCARE,))
    known = (hospitals, ekans, TEAM, relation(1, TEAM, "targets", hospitals))
    assert lines(*known) == ()
    assert lines(*known, finding=KNOWN_EXPLOITED) == ("attackers of healthcare: Sandworm Team (G0034), EKANS (S0605)",)


def test_a_threat_that_names_the_product() -> None:
    raid = Threat("campaign--1", "campaign", "Raid", NOW, description="They went for the ACME Pump-3.")
    near = replace(raid, id="campaign--2", name="Near", description="They went for the Acme Pump 30.")
    assert lines(raid, near) == ("names this product: Raid",)


def test_revoked_objects_and_loose_ends_say_nothing() -> None:
    exploits = relation(1, INDUSTROYER, "exploits", FLAW)
    assert lines(FLAW, replace(INDUSTROYER, revoked=True), exploits) == ()
    assert lines(FLAW, INDUSTROYER, replace(exploits, revoked=True)) == ()
    assert lines(FLAW, exploits) == ()


def test_the_lines_are_limited() -> None:
    crowd = [Threat(f"malware--{number}", "malware", f"Worm {number}", NOW) for number in range(30)]
    links = [relation(number, each, "exploits", FLAW) for number, each in enumerate(crowd)]
    assert len(lines(FLAW, *crowd, *links)) == MOST_LINES


def test_a_rising_score_is_tagged() -> None:
    score = EpssScore(CVE, 0.31, 0.97, date(2024, 8, 30), before=0.02)
    case = Case(DEVICE, NOW, epss={CVE: score})
    (enriched,) = build(AnalyzerConfig()).judge(case, [FINDING])
    assert enriched.tags == ("epss-rising",)
    assert enriched.epss == score
