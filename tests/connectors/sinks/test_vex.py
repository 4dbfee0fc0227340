"""Our own VEX: what is stated, and that each format's rules hold.

The mandatory tests of CSAF 2.0 (section 6.1) that apply to a document of this shape are written down here from the
standard; the schema of CycloneDX comes with ``cyclonedx-python-lib``; OpenVEX is checked against the tables of its
specification.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.scans.vex import read_csaf_vex, read_cyclonedx_vex, read_openvex
from connectors.sinks.vex import FORMATS, Outgoing, triage
from connectors.sinks.vex.csaf import file_name
from connectors.sinks.vex.triage import content
from meddojo.device import Device
from meddojo.finding import Decision, Finding, Stream, Verdict
from meddojo.severity import Severity
from meddojo.store.vex import VexIssue
from meddojo.vex import Justification, VexStatus, device_urn

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
PUMP = Device(
    "pump 1/2",
    "Acme Médical",
    "Infusor 300",
    version="4.2",
    cpe="cpe:2.3:o:acme:infusor_300_firmware:4.2:*:*:*:*:*:*:*",
    purl="pkg:generic/infusor@4.2",
    udi_di="00000000001250",
)
READERS = {"csaf": read_csaf_vex, "openvex": read_openvex, "cyclonedx": read_cyclonedx_vex}
LABELS = [label.value for label in Justification]


def finding(check: str, **more: Any) -> Finding:
    return Finding(Stream.VULNERABILITIES, PUMP.id, check, f"{check} in pump", Severity.HIGH, "", 0.9, **more)


def decision(found: Finding, verdict: Verdict, note: str = "", decided: datetime | None = NOW) -> Decision:
    return Decision(found.identity, verdict, "defectdojo", "https://dojo.example.org/finding/1", decided, note)


def outgoing(findings: list[Finding], decisions: list[Decision], device: Device = PUMP, issues: int = 2) -> Outgoing:
    entries = triage(findings, decisions, {}, NOW).entries
    moments = [VexIssue(number, NOW + timedelta(days=number), "changed") for number in range(1, issues + 1)]
    return Outgoing(
        device, entries, "Example Hospital", "https://hospital.example.org", "user", "AMBER", tuple(moments)
    )


STATED: list[tuple[Verdict | None, str, VexStatus | None, Justification | None]] = [
    (Verdict.FALSE_POSITIVE, "component_not_present", VexStatus.NOT_AFFECTED, Justification.COMPONENT_NOT_PRESENT),
    (
        Verdict.FALSE_POSITIVE,
        "Vulnerable code not in execute path, see ticket 7",
        VexStatus.NOT_AFFECTED,
        Justification.CODE_NOT_EXECUTED,
    ),
    (Verdict.FALSE_POSITIVE, "wrong product", VexStatus.NOT_AFFECTED, None),
    (Verdict.FALSE_POSITIVE, "", VexStatus.NOT_AFFECTED, None),
    (Verdict.RISK_ACCEPTED, "isolated", VexStatus.AFFECTED, None),
    (Verdict.MITIGATED, "Patched with hotfix 7", VexStatus.FIXED, None),
    (Verdict.MITIGATED, "updated to 4.2-p1", VexStatus.FIXED, None),
    (Verdict.MITIGATED, "firewall rule 12", VexStatus.AFFECTED, None),
    (Verdict.MITIGATED, "no patch exists, VLAN separated", VexStatus.AFFECTED, None),
    (Verdict.MITIGATED, "could not be patched; cabinet locked", VexStatus.AFFECTED, None),
    (Verdict.MITIGATED, "", VexStatus.AFFECTED, None),
    (Verdict.OUT_OF_SCOPE, "IT looks after it", None, None),
    (None, "", VexStatus.UNDER_INVESTIGATION, None),
]


@pytest.mark.parametrize(("verdict", "note", "status", "label"), STATED)
def test_what_a_decision_states(
    verdict: Verdict | None, note: str, status: VexStatus | None, label: Justification | None
) -> None:
    found = finding("CVE-2023-0001")
    told = triage([found], [decision(found, verdict, note)] if verdict else [], {}, NOW)
    if status is None:
        assert told.entries == () and told.unstated == 1
        return
    (entry,) = told.entries
    assert (entry.status, entry.justification) == (status, label)
    assert note in entry.detail
    assert entry.detail or status is VexStatus.UNDER_INVESTIGATION


def test_what_is_not_ours_to_state() -> None:
    doubtful = finding("CVE-2023-0001", needs_review=True)
    answered = finding("CVE-2023-0002", suppressed="Vendor states 'not affected'")
    other = Finding(Stream.COMPLIANCE, PUMP.id, "iec-1", "", Severity.LOW, "", 1.0)
    told = triage([doubtful, answered, other], [], {}, NOW)
    assert told.entries == () and told.unstated == 2
    both = triage([answered], [decision(answered, Verdict.FALSE_POSITIVE, "ours as well")], {}, NOW)
    assert both.entries[0].status is VexStatus.NOT_AFFECTED


def test_times_come_from_the_data() -> None:
    found, seen = finding("CVE-2023-0001"), datetime(2025, 1, 1, tzinfo=UTC)
    first_seen = {found.identity: seen}
    assert triage([found], [], first_seen, NOW).entries[0].dated == seen
    undated = decision(found, Verdict.FALSE_POSITIVE, decided=None)
    assert triage([found], [undated], first_seen, NOW).entries[0].dated == seen
    assert triage([found], [decision(found, Verdict.FALSE_POSITIVE)], first_seen, NOW).entries[0].dated == NOW


def test_findings_that_share_a_vulnerability_state_the_more_cautious() -> None:
    one, other = finding("CVE-2023-0001", component_key="a"), finding("CVE-2023-0001", component_key="b")
    told = triage(
        [one, other], [decision(one, Verdict.FALSE_POSITIVE), decision(other, Verdict.RISK_ACCEPTED)], {}, NOW
    )
    assert [entry.status for entry in told.entries] == [VexStatus.AFFECTED]


def test_content_leaves_out_what_changes_by_itself() -> None:
    found = finding("CVE-2023-0001")
    before = triage([found], [], {found.identity: NOW}, NOW).entries
    later = triage([found], [], {found.identity: NOW}, NOW + timedelta(days=3)).entries
    assert content(PUMP, before, "A", "https://a") == content(PUMP, later, "A", "https://a")
    decided = triage([found], [decision(found, Verdict.FALSE_POSITIVE, "x")], {}, NOW).entries
    assert content(PUMP, decided, "A", "https://a") != content(PUMP, before, "A", "https://a")


def sample() -> Outgoing:
    findings = [
        finding(f"CVE-2023-{number:04}", aliases=(f"CVE-2023-{number:04}", f"GHSA-aaaa-bbbb-{number:04}"), cwes=(79,))
        for number in range(len(STATED))
    ]
    findings.append(finding("GHSA-zzzz-bbbb-cccc", aliases=("GHSA-zzzz-bbbb-cccc", "vendor bug 7")))
    decisions = [
        decision(found, verdict, note)
        for found, (verdict, note, _, _) in zip(findings, STATED, strict=False)
        if verdict
    ]
    return outgoing(findings, decisions)


# CSAF 2.0, section 6.1 ---------------------------------------------------------------------------------------------


def defined(node: Any) -> Iterator[str]:
    """Product ids that the tree defines."""
    for branch in node.get("branches", ()):
        if "product" in branch:
            yield branch["product"]["product_id"]
        yield from defined(branch)


def named(vulnerability: Any) -> Iterator[str]:
    """Product ids that a vulnerability refers to."""
    for products in vulnerability["product_status"].values():
        yield from products
    for key in ("flags", "threats", "remediations"):
        for item in vulnerability.get(key, ()):
            yield from item["product_ids"]


def versions(node: Any) -> Iterator[str]:
    for branch in node.get("branches", ()):
        if branch["category"] == "product_version":
            yield branch["name"]
        yield from versions(branch)


def check_csaf(document: Any) -> None:
    head, tree, vulnerabilities = document["document"], document["product_tree"], document["vulnerabilities"]
    assert head["category"] == "csaf_vex" and head["csaf_version"] == "2.0"  # 6.1.26
    products = list(defined(tree))
    assert len(products) == len(set(products)) == 1  # 6.1.2
    assert vulnerabilities  # 6.1.27.11
    tracking = head["tracking"]
    history = tracking["revision_history"]
    numbers = [int(each["number"]) for each in history]
    assert numbers == list(range(1, len(numbers) + 1))  # 6.1.18, 6.1.21, 6.1.22, 6.1.30
    assert [each["date"] for each in history] == sorted(each["date"] for each in history)  # 6.1.14
    assert tracking["version"] == history[-1]["number"] and tracking["status"] == "final"  # 6.1.16, 6.1.17
    assert tracking["current_release_date"] == history[-1]["date"]
    assert tracking["initial_release_date"] == history[0]["date"]
    assert re.fullmatch(r"\S(.*\S)?", tracking["id"]) and all(each["summary"] for each in history)
    assert head["publisher"]["category"] != "translator"  # 6.1.15
    cves = Counter(each["cve"] for each in vulnerabilities if "cve" in each)
    assert all(number == 1 for number in cves.values())  # 6.1.23
    assert not any(re.search(r"[<>]|\b(all|before|prior|versions)\b", name, re.I) for name in versions(tree))  # 6.1.31
    for each in vulnerabilities:
        check_vulnerability(each, set(products))


def check_vulnerability(each: Any, products: set[str]) -> None:
    assert set(named(each)) <= products  # 6.1.1
    statuses = each["product_status"]
    assert len(statuses) == 1 and set(statuses) <= {
        "fixed",
        "known_affected",
        "known_not_affected",
        "under_investigation",
    }  # 6.1.6, 6.1.27.7
    assert each.get("cve") or each.get("ids")  # 6.1.27.8
    assert all(note["text"] for note in each["notes"])  # 6.1.27.5
    pairs = [(item["system_name"], item["text"]) for item in each.get("ids", ())]
    assert len(pairs) == len(set(pairs)) and all(all(pair) for pair in pairs)
    reasons = {
        *(name for flag in each.get("flags", ()) for name in flag["product_ids"]),
        *(
            name
            for threat in each.get("threats", ())
            if threat["category"] == "impact"
            for name in threat["product_ids"]
        ),
    }
    assert set(statuses.get("known_not_affected", ())) <= reasons  # 6.1.27.9
    actions = {name for remedy in each.get("remediations", ()) for name in remedy["product_ids"]}
    assert set(statuses.get("known_affected", ())) <= actions  # 6.1.27.10
    assert all(item["product_ids"] for key in ("flags", "remediations") for item in each.get(key, ()))  # 6.1.29, 6.1.32
    assert all(flag["label"] in LABELS for flag in each.get("flags", ())) and len(each.get("flags", ())) <= 1  # 6.1.33


def test_csaf_passes_the_mandatory_tests() -> None:
    document = FORMATS["csaf"](sample())
    check_csaf(document)
    helper = document["product_tree"]["branches"][0]["branches"][0]["branches"][0]["product"]
    assert helper["product_id"] == device_urn(PUMP) == "urn:meddojo:device:pump%201%2F2:4.2"
    assert helper["product_identification_helper"]["cpe"] == PUMP.cpe
    assert helper["product_identification_helper"]["purl"] == PUMP.purl
    assert file_name(document["document"]["tracking"]["id"]) == "meddojo-vex-pump_201_2f2.json"


def test_what_csaf_cannot_hold_is_left_out() -> None:
    odd = Device(
        "x", "Acme", "Infusor", version="all versions < 5", cpe="cpe:2.3:o:acme", purl="not a purl", udi_di="a b"
    )
    found = finding("CVE-2023-0001")
    document = FORMATS["csaf"](outgoing([found], [], odd))
    check_csaf(document)
    leaf = document["product_tree"]["branches"][0]["branches"][0]
    assert leaf["product"]["name"] == "Acme Infusor all versions < 5"
    assert set(leaf["product"]["product_identification_helper"]) == {"x_generic_uris"}


def test_two_names_of_one_cve_share_it_only_once() -> None:
    twice = [finding("CVE-2023-0001"), finding("GHSA-aaaa-bbbb-cccc", aliases=("CVE-2023-0001", "GHSA-aaaa-bbbb-cccc"))]
    document = FORMATS["csaf"](outgoing(twice, []))
    check_csaf(document)
    assert [each.get("cve") for each in document["vulnerabilities"]] == ["CVE-2023-0001", None]


# OpenVEX 0.2.0 -----------------------------------------------------------------------------------------------------


def check_openvex(document: Any) -> None:
    assert document["@context"] == "https://openvex.dev/ns/v0.2.0"
    assert all(isinstance(document[key], str) and document[key] for key in ("@id", "author", "timestamp"))
    assert isinstance(document["version"], int) and document["version"] >= 1 and document["statements"]
    assert set(document) <= {
        "@context", "@id", "author", "role", "timestamp", "last_updated", "version", "tooling", "statements",
    }  # fmt: skip
    for each in document["statements"]:
        assert set(each) <= {
            "vulnerability", "timestamp", "products", "status", "supplier", "status_notes", "justification",
            "impact_statement", "action_statement",
        }  # fmt: skip
        assert each["vulnerability"]["name"] and each["products"][0]["@id"].startswith("urn:")
        assert each["status"] in set(VexStatus)
        assert "impact_statement" in each or each["status"] != "not_affected"
        assert "action_statement" in each or each["status"] != "affected"
        assert each.get("justification", LABELS[0]) in LABELS
        assert "justification" not in each or each["status"] == "not_affected"
        assert len(set(each["vulnerability"].get("aliases", ()))) == len(each["vulnerability"].get("aliases", ()))
    texts = [json.dumps(each, sort_keys=True) for each in document["statements"]]
    assert len(texts) == len(set(texts))


def test_openvex_has_the_shape_of_its_specification() -> None:
    document = FORMATS["openvex"](sample())
    check_openvex(document)
    assert document["statements"][0]["products"][0]["identifiers"] == {"purl": PUMP.purl, "cpe23": PUMP.cpe}


# CycloneDX 1.6 -----------------------------------------------------------------------------------------------------


def check_cyclonedx(document: Any) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document))
    assert fault is None, fault
    refs = {document["metadata"]["component"]["bom-ref"]}
    assert all(target["ref"] in refs for each in document["vulnerabilities"] for target in each["affects"])


def test_cyclonedx_is_valid() -> None:
    one, other = sample(), outgoing([finding("CVE-2023-0001")], [], issues=1)
    check_cyclonedx(FORMATS["cyclonedx"](one))
    assert FORMATS["cyclonedx"](one)["serialNumber"] == FORMATS["cyclonedx"](other)["serialNumber"]


# All of them -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_read_back_they_state_the_same(form: str) -> None:
    out = sample()
    document, skipped = READERS[form](json.loads(json.dumps(FORMATS[form](out))), "x", NOW)
    assert not skipped and document.version == "2" and document.timestamp == out.issue.issued
    assert "Example Hospital" in document.author
    assert len(document.statements) == len(out.entries)
    for entry in out.entries:
        statement = next(each for each in document.statements if entry.finding.check.upper() in each.names)
        assert statement.status is entry.status
        assert statement.products[0].product_id == device_urn(PUMP)
        if form != "cyclonedx":
            assert statement.justification is entry.justification
        if entry.status is not VexStatus.FIXED or form != "csaf":
            assert statement.detail == entry.detail


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
DEVICES = st.builds(
    Device,
    id=WORDS.filter(bool),
    vendor=WORDS.filter(str.strip),
    model=WORDS.filter(str.strip),
    version=WORDS,
    cpe=st.sampled_from([PUMP.cpe, "", "cpe:/o:acme:pump:1", "cpe:2.3:a:b", "nonsense"]),
    purl=st.sampled_from([PUMP.purl, "", "pkg:generic/a b", "nonsense"]),
    udi_di=st.sampled_from(["", "00000000001250", "(01) 5"]),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    DEVICES,
    st.lists(
        st.tuples(WORDS.filter(str.strip), WORDS, st.none() | st.sampled_from(Verdict), WORDS), min_size=1, max_size=4
    ),
)
def test_whatever_devices_and_people_say(device: Device, said: list[tuple[str, str, Verdict | None, str]]) -> None:
    findings = [finding(check, summary=summary, aliases=(check, summary)) for check, summary, _, _ in said]
    decisions = [
        decision(found, verdict, note) for found, (_, _, verdict, note) in zip(findings, said, strict=True) if verdict
    ]
    out = outgoing(findings, decisions, device)
    if not out.entries:
        return
    check_csaf(FORMATS["csaf"](out))
    check_openvex(FORMATS["openvex"](out))
    check_cyclonedx(FORMATS["cyclonedx"](out))
