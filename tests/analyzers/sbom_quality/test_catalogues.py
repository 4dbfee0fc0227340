"""Every rule of every catalogue against its own examples, as with Semgrep rules."""

from __future__ import annotations

import json
from typing import Any

import pytest

from analyzers.sbom_quality.assessment import Assessment, RuleResult, assess
from analyzers.sbom_quality.catalogues import EVERY, NAMES, Level, catalogue, read_catalogue, selected, table
from meddojo.errors import ConfigError
from meddojo.sbom import Sbom
from meddojo.serialise import from_json
from meddojo.severity import Severity

RULES = [(name, row["id"]) for name in NAMES for row in table(name)["rule"]]


def example(row: dict[str, Any], which: str) -> Sbom:
    assert which in row, f"the rule {row['id']} has no {which} example"
    return from_json(Sbom, json.dumps({"format": "CycloneDX 1.6", **row[which]}, default=lambda day: day.isoformat()))


def judged(name: str, rule: str, which: str) -> tuple[RuleResult, dict[str, Any]]:
    (row,) = (each for each in table(name)["rule"] if each["id"] == rule)
    (result,) = (each for each in assess(example(row, which), catalogue(name)).results if each.rule.id == rule)
    return result, row


@pytest.mark.parametrize(("name", "rule"), RULES)
def test_a_rule_passes_its_good_example(name: str, rule: str) -> None:
    result, _ = judged(name, rule, "good")
    assert result.passed, result.missing
    assert result.judged >= 1 and result.fulfilled == result.judged


@pytest.mark.parametrize(("name", "rule"), RULES)
def test_a_rule_fails_its_bad_example_and_names_what_is_missing(name: str, rule: str) -> None:
    result, row = judged(name, rule, "bad")
    assert not result.passed
    assert all(each.fault and each.fault == each.fault.strip() for each in result.missing)
    if result.rule.level is Level.DOCUMENT:
        assert [(each.ref, each.label) for each in result.missing] == [("", "")]
    else:
        labels = {each["ref"]: f"{each['name']} {each.get('version', '')}".strip() for each in row["bad"]["components"]}
        assert [each.ref for each in result.missing] == row["names"]
        assert [each.label for each in result.missing] == [labels[ref] for ref in row["names"]]


@pytest.mark.parametrize("name", NAMES)
def test_a_catalogue_is_complete(name: str) -> None:
    made = catalogue(name)
    assert made.name == name and name.startswith(made.family)
    for rule in made.rules:
        assert rule.id.startswith(f"{name}-") and rule.source and rule.hint and 1 <= rule.weight <= 3
        assert rule.blocking == (rule.severity is not Severity.INFO), "findings come of blocking rules alone"
        assert not rule.blocking or name == "fda"


def test_a_catalogue_is_found_by_name_by_family_and_all_together() -> None:
    assert [each.name for each in selected("cisa")] == ["cisa-2025", "cisa-2026"]
    assert [each.name for each in selected("fda")] == ["fda"]
    assert [each.name for each in selected(EVERY)] == list(NAMES)
    with pytest.raises(ConfigError, match="known: ntia, cisa, fda, bsi, cisa-2025, cisa-2026, all"):
        selected("eu")


@pytest.mark.parametrize(
    ("change", "cause"),
    [({"check": "supplier"}, "check 'supplier'"), ({"wieght": 1}, "wieght"), ({"weight": 0}, "no weight")],
)
def test_a_rule_that_asks_what_nobody_can_answer_is_refused(change: dict[str, Any], cause: str) -> None:
    rows = table("ntia")["rule"]
    with pytest.raises(ValueError, match=cause):
        read_catalogue(table("ntia") | {"rule": [rows[0] | change]})
    with pytest.raises(ValueError, match="the same id"):
        read_catalogue(table("ntia") | {"rule": [rows[0], rows[0]]})


@pytest.mark.parametrize("name", NAMES)
def test_what_passes_every_rule_is_graded_best(name: str) -> None:
    """The good examples of a catalogue put together are an SBOM that lacks nothing."""
    whole = from_json(Sbom, json.dumps(WHOLE))
    made: Assessment = assess(whole, catalogue(name))
    assert [each.rule.id for each in made.results if not each.passed] == []
    assert made.score == 100.0 and made.grade == "A" and not made.blocking


WHOLE = {
    "format": "CycloneDX 1.6",
    "root": "d",
    "created": "2026-01-31T12:00:00Z",
    "authors": ["Example Devices Ltd"],
    "contacts": ["sbom@devices.example"],
    "identifier": "urn:uuid:6e3d1f2e-0f0e-4a4e-9f3a-0d2f6a2a1b11",
    "version": "1",
    "signed": True,
    "tools": ["cdxgen 11.0.0"],
    "lifecycle": "build",
    "complete": ["d"],
    "dependencies": [["d", "a", "contains"]],
    "components": [
        {
            "ref": ref,
            "name": name,
            "version": "1.3.1",
            "kind": kind,
            "purl": f"pkg:generic/{name}@1.3.1",
            "supplier": "Example Devices Ltd",
            "contacts": ["https://devices.example"],
            "filename": "libz.so.1",
            "distribution_urls": ["https://devices.example/libz.so.1"],
            "licences": ["Zlib"],
            "hashes": ["SHA-512:" + "ab" * 64],
            "support_level": "actively maintained",
            "end_of_support": "2031-12-31",
            "properties": [
                ["bsi:component:executable", "executable"],
                ["bsi:component:archive", "no archive"],
                ["bsi:component:structured", "unstructured"],
            ],
        }
        for ref, name, kind in (("d", "pump", "device"), ("a", "zlib", "library"))
    ],
}
