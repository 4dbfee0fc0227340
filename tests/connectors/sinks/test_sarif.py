from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest

from connectors.sinks import sarif
from meddojo.device import Device
from meddojo.finding import Finding, Stream
from meddojo.interface import RunContext, StreamResult
from meddojo.severity import Severity
from tests.connectors.sinks import report_samples as samples

_TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
_LEVEL = {"enum": ["none", "note", "warning", "error"]}
_URI = {"type": "string", "pattern": "^https?://[^\\s]+$"}
_MOMENT = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"}


def _closed(required: Sequence[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": False}


# What the standard demands of the parts that are used, and nothing beside them: a misspelt property is an error.
RULE = _closed(
    ["id", "shortDescription"],
    id={"type": "string", "minLength": 1},
    shortDescription=_TEXT,
    fullDescription=_TEXT,
    help=_TEXT,
    helpUri=_URI,
    defaultConfiguration=_closed(["level"], level=_LEVEL),
    properties={
        "type": "object",
        "required": ["security-severity", "tags"],
        "properties": {"security-severity": {"type": "string", "pattern": "^(10|[0-9])\\.[0-9]$"}},
    },
)
LOCATION = _closed(
    ["physicalLocation", "logicalLocations"],
    physicalLocation=_closed(
        ["artifactLocation", "region"],
        artifactLocation=_closed(["uri"], uri={"type": "string", "pattern": "^[A-Za-z0-9._~%/+-]+$"}),
        region=_closed(["startLine", "startColumn"], startLine={"const": 1}, startColumn={"const": 1}),
    ),
    logicalLocations={
        "type": "array",
        "minItems": 1,
        "items": _closed(
            ["name", "fullyQualifiedName", "kind"],
            name={"type": "string"},
            fullyQualifiedName={"type": "string", "minLength": 1},
            kind={"enum": ["resource", "module"]},
        ),
    },
)
SUPPRESSION = _closed(
    ["kind"],
    kind={"enum": ["inSource", "external"]},
    status={"enum": ["accepted", "underReview", "rejected"]},
    justification={"type": "string", "minLength": 1},
    properties={"type": "object"},
)
RESULT = _closed(
    ["ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints", "suppressions"],
    ruleId={"type": "string", "minLength": 1},
    ruleIndex={"type": "integer", "minimum": 0},
    kind={"const": "fail"},
    level=_LEVEL,
    message=_TEXT,
    locations={"type": "array", "minItems": 1, "items": LOCATION},
    partialFingerprints={"type": "object", "additionalProperties": {"type": "string", "minLength": 1}},
    suppressions={"type": "array", "items": SUPPRESSION},
    properties={"type": "object"},
)
INVOCATION = _closed(
    ["executionSuccessful"],
    executionSuccessful={"type": "boolean"},
    startTimeUtc=_MOMENT,
    toolExecutionNotifications={"type": "array", "items": _closed(["message"], level=_LEVEL, message=_TEXT)},
)
LOG = _closed(
    ["$schema", "version", "runs"],
    **{"$schema": _URI},
    version={"const": "2.1.0"},
    runs={
        "type": "array",
        "minItems": 1,
        "maxItems": 1,
        "items": _closed(
            ["tool", "results"],
            tool=_closed(
                ["driver"],
                driver=_closed(
                    ["name", "rules"],
                    name={"const": "MedDojo"},
                    semanticVersion={"type": "string", "pattern": "^[0-9]+\\.[0-9]+\\.[0-9]+"},
                    rules={"type": "array", "uniqueItems": True, "items": RULE},
                ),
            ),
            automationDetails=_closed(["id"], id={"type": "string"}),
            invocations={"type": "array", "items": INVOCATION},
            results={"type": "array", "items": RESULT},
            columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        ),
    },
)


def run_of(results: Sequence[StreamResult], context: RunContext, **options: str) -> dict[str, Any]:
    log = json.loads(json.dumps(sarif.document(results, context, **options)))
    jsonschema.Draft202012Validator(LOG).validate(log)
    run: dict[str, Any] = log["runs"][0]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    return run


def results_by_check(run: dict[str, Any], device: str) -> dict[str, Any]:
    return {each["ruleId"]: each for each in run["results"] if each["properties"]["device"]["id"] == device}


def one(finding: Finding, device: Device = samples.CT) -> dict[str, Any]:
    run = run_of([StreamResult(device, finding.stream, (finding,))], RunContext(samples.STARTED, ()))
    result: dict[str, Any] = run["results"][0]
    return result


def test_every_finding_is_a_result_and_every_vulnerability_one_rule() -> None:
    run = run_of(*samples.hospital())
    assert len(run["results"]) == 23
    identifiers = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(identifiers) == len(set(identifiers)) == 22


@pytest.mark.parametrize(
    "run", [samples.hospital(), samples.hostile(), samples.crowd(3, 40), ([], samples.hospital()[1])]
)
def test_the_log_has_the_required_shape(run: tuple[list[StreamResult], RunContext]) -> None:
    run_of(*run)


def test_a_rule_tells_viewers_how_severe_it_is_and_where_to_read_on() -> None:
    rules = {rule["id"]: rule for rule in run_of(*samples.hospital())["tool"]["driver"]["rules"]}
    rule = rules["CVE-2021-44228"]
    assert rule["helpUri"] == "https://nvd.nist.gov/vuln/detail/CVE-2021-44228"
    assert rule["properties"]["security-severity"] == "10.0"
    assert rule["properties"]["tags"] == ["security", "medical-device", "external/cwe/cwe-020", "external/cwe/cwe-502"]
    assert "javascript" not in rule["help"]["text"]
    assert rules["FDA-524B-SBOM"]["properties"]["security-severity"] == "0.0"
    assert "helpUri" not in rules["FDA-524B-SBOM"]


@pytest.mark.parametrize(
    ("severity", "level", "score"),
    [
        (Severity.CRITICAL, "error", "9.5"),
        (Severity.HIGH, "error", "8.0"),
        (Severity.MEDIUM, "warning", "5.5"),
        (Severity.LOW, "note", "2.0"),
        (Severity.INFO, "note", "0.0"),
    ],
)
def test_levels_and_bands_agree(severity: Severity, level: str, score: str) -> None:
    finding = Finding(Stream.VULNERABILITIES, "ct-1", "CVE-2024-0001", "t", severity, "", 1.0)
    run = run_of([StreamResult(samples.CT, finding.stream, (finding,))], RunContext(samples.STARTED, ()))
    rule = run["tool"]["driver"]["rules"][0]
    assert (run["results"][0]["level"], rule["defaultConfiguration"]["level"]) == (level, level)
    assert rule["properties"]["security-severity"] == score


def test_a_rule_is_as_severe_as_its_worst_finding() -> None:
    mild, bad = (
        samples.finding(samples.CT, "CVE-2024-0001", score=4.2),
        samples.finding(samples.PACS, "CVE-2024-0001", score=9.1),
    )
    results = [
        StreamResult(samples.CT, Stream.VULNERABILITIES, (mild,)),
        StreamResult(samples.PACS, Stream.VULNERABILITIES, (bad,)),
    ]
    run = run_of(results, RunContext(samples.STARTED, ()))
    assert [rule["properties"]["security-severity"] for rule in run["tool"]["driver"]["rules"]] == ["9.1"]
    assert [each["level"] for each in run["results"]] == ["warning", "error"]


def test_fingerprints_are_the_identity() -> None:
    results, context = samples.hospital()
    identities = [each.identity for result in results for each in result.findings]
    run = run_of(results, context)
    assert [each["partialFingerprints"]["meddojoIdentity/v1"] for each in run["results"]] == identities
    assert [each["partialFingerprints"]["primaryLocationLineHash"] for each in run["results"]] == identities


def test_decided_findings_are_suppressed_and_all_others_say_they_are_not() -> None:
    run = run_of(*samples.hospital())
    suppressed = {each["ruleId"]: each["suppressions"][0] for each in run["results"] if each["suppressions"]}
    assert suppressed.keys() == {"CVE-2021-33020", "CVE-2022-0778"}
    accepted = suppressed["CVE-2021-33020"]
    assert accepted["kind"] == "external"
    assert accepted["status"] == "accepted"
    assert accepted["justification"] == "risk accepted: Behind a gateway."
    assert accepted["properties"] == {
        "verdict": "risk accepted",
        "sink": "defectdojo",
        "reference": "https://dojo.hospital.example/finding/812",
        "decided": "2024-07-24T05:00:00Z",
    }


def test_a_result_carries_what_prioritises_it() -> None:
    result = results_by_check(run_of(*samples.hospital()), "pacs-1")["CVE-2021-44228"]
    properties = result["properties"]
    assert properties["epss"] == {"probability": 0.976, "percentile": 0.996, "date": "2024-09-01"}
    assert properties["kev"] == {"dateAdded": "2022-03-03", "dueDate": "2022-03-24", "ransomwareUse": True}
    assert (properties["probability"], properties["needsReview"], properties["knownExploited"]) == (1.0, False, True)
    assert properties["fixVersions"] == ["2.14.1.1"]
    assert "on Philips Vue PACS 12.1.5 (1 unit, Data centre, servers)" in result["message"]["text"]
    assert "Needs review" in results_by_check(run_of(*samples.hospital()), "us-1")["CVE-2019-0708"]["message"]["text"]


def _uri(result: dict[str, Any]) -> str:
    uri: str = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    return uri


def test_component_findings_point_to_the_sbom_and_device_findings_to_the_inventory() -> None:
    run = run_of(*samples.hospital(), inventory="hospital/inventory.toml")
    found = results_by_check(run, "ct-1")
    assert _uri(found["CVE-2022-37434"]) == "hospital/ct.json"
    assert _uri(found["CVE-2019-0708"]) == "hospital/inventory.toml"
    places = found["CVE-2022-37434"]["locations"][0]["logicalLocations"]
    assert [place["fullyQualifiedName"] for place in places] == ["ct-1", "ct-1/pkg:generic/zlib@1.2.11"]


@pytest.mark.parametrize(
    ("sbom", "uri"),
    [
        ("sboms/ct scan #1.json", "sboms/ct%20scan%20%231.json"),
        ("/home/someone/sboms/ct.json", "ct.json"),
        ("../../elsewhere/ct.json", "ct.json"),
        ("C:\\Users\\someone\\ct.json", "ct.json"),
        ("https://evil.example/ct.json", "ct.json"),
        ("", "inventory.toml"),
        ("..", "inventory.toml"),
    ],
)
def test_locations_are_relative_and_tell_nothing_about_the_machine(sbom: str, uri: str) -> None:
    device = replace(samples.CT, sbom_file=sbom)
    result = one(samples.finding(device, "CVE-2022-37434", component="zlib", version="1.2.11"), device)
    assert _uri(result) == uri
    assert not urlsplit(_uri(result)).scheme


def test_what_could_not_be_read_is_a_notification() -> None:
    notes = run_of(*samples.hospital())["invocations"][0]["toolExecutionNotifications"]
    texts = [note["message"]["text"] for note in notes]
    assert "source nvd: HTTP 503 after 4 attempts" in texts
    assert "skipped scans/ct.json, match 14: the artifact has no name" in texts
    assert any(text.startswith("B. Braun Infusomat Space, vulnerabilities, is not complete: 60 %") for text in texts)


def test_hostile_text_is_neither_link_nor_placeholder() -> None:
    finding = replace(samples.finding(samples.CT, "CVE-2024-0001"), title="a {0} [b](javascript:alert(1)) c[0]")
    text = one(finding)["message"]["text"]
    assert text.startswith("a {{0}} [b] (javascript:alert(1)) c[0] on Siemens")


def test_long_text_is_clipped() -> None:
    finding = replace(samples.finding(samples.CT, "CVE-2024-0001"), title="x" * 50_000, summary="y" * 50_000)
    run = run_of([StreamResult(samples.CT, finding.stream, (finding,))], RunContext(samples.STARTED, ()))
    assert len(run["results"][0]["message"]["text"]) <= 1000
    assert len(run["tool"]["driver"]["rules"][0]["fullDescription"]["text"]) <= 4000
