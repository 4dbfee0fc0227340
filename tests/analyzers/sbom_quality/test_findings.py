"""The analyzer: what of an SBOM becomes a finding on the device, and that pushing it twice creates nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from analyzers.sbom_quality import SbomQuality, build
from analyzers.sbom_quality.findings import LISTED
from connectors.scans.sbom import read_sbom
from meddojo.case import Case
from meddojo.config import AnalyzerConfig
from meddojo.device import Device
from meddojo.finding import Finding, Stream
from meddojo.interface import load
from meddojo.sbom import Component, Sbom
from meddojo.serialise import from_json
from meddojo.severity import Severity
from scheduler.judging import ORDER
from tests.analyzers.sbom_quality.test_catalogues import WHOLE
from tests.connectors.sinks.defectdojo_ward import Ward, counts
from tests.standin import DefectDojoStandin

DEVICE = Device("pump-1", "Example Devices", "Pump", "2.1")
NOW = datetime(2026, 3, 1, tzinfo=UTC)
COMPLETE = from_json(Sbom, json.dumps(WHOLE))


def judge(sbom: Sbom | None, now: datetime = NOW, *before: Finding) -> dict[str, Finding]:
    found = SbomQuality().judge(Case(DEVICE, now, sbom=sbom), before)
    assert len({finding.identity for finding in found}) == len(found)
    return {finding.check: finding for finding in found}


def bare(number: int) -> Sbom:
    """An SBOM of names alone."""
    parts = tuple(Component(f"c{each}", f"part {each}") for each in range(number))
    return Sbom("CycloneDX 1.6", (Component("d", "pump"), *parts), root="d")


def with_part(**changes: object) -> Sbom:
    root, part = COMPLETE.components
    return replace(COMPLETE, components=(root, replace(part, **changes)))  # type: ignore[arg-type]


def test_it_is_installed_and_judges_after_those_that_match() -> None:
    assert load("meddojo.analyzers", "sbom_quality") is build
    assert build(AnalyzerConfig()).name == "sbom_quality"
    assert ORDER.index("sbom_quality") > max(map(ORDER.index, ("matching", "vex", "sbom_graph")))


def test_a_device_without_an_sbom_and_one_whose_sbom_is_complete_have_no_finding() -> None:
    assert judge(None) == {} == judge(COMPLETE)


def test_one_finding_for_each_rule_not_for_each_component() -> None:
    found = judge(bare(300))
    assert found.keys() == {
        "sbom-fda-author", "sbom-fda-timestamp", "sbom-fda-manufacturer", "sbom-fda-version", "sbom-fda-relationship",
        "sbom-fda-support-level", "sbom-fda-end-of-support",
    }  # fmt: skip
    assert {finding.stream for finding in found.values()} == {Stream.COMPLIANCE}
    assert {finding.component_key for finding in found.values()} == {""}
    support = found["sbom-fda-end-of-support"]
    assert support.severity is Severity.MEDIUM and support.probability == 1.0 and not support.needs_review
    assert support.summary.startswith("Missing for 300 of 300 components. part 0: not stated; part 1: not stated;")
    assert support.summary.endswith(f"; … and {300 - LISTED} more") and len(support.summary) < 1000
    assert found["sbom-fda-author"].summary == "not stated"


def test_a_hospital_leaves_out_what_concerns_a_submission_and_keeps_what_concerns_the_device() -> None:
    part = Component("a", "zlib", support_level="abandoned")
    sbom = Sbom("CycloneDX 1.6", (Component("d", "pump"), part), root="d")
    analyzer = build(AnalyzerConfig(sbom_submission=""))
    found = analyzer.judge(Case(DEVICE, NOW, sbom=sbom), ())
    assert [finding.check for finding in found] == ["sbom-unsupported-component"]
    assert len(build(AnalyzerConfig()).judge(Case(DEVICE, NOW, sbom=sbom), ())) > len(found)


def test_identities_do_not_change_with_the_document() -> None:
    few, many = judge(bare(1)), judge(bare(40))
    assert {each.identity for each in few.values()} == {each.identity for each in many.values()}
    assert {each.title for each in few.values()} == {each.title for each in many.values()}
    assert judge(bare(1))["sbom-fda-end-of-support"].identity == "mdj-2575666885e59da87b1d7caa1475f6d4"


def test_other_findings_are_left_alone() -> None:
    other = Finding(Stream.VULNERABILITIES, DEVICE.id, "CVE-2024-0001", "overflow", Severity.HIGH, "", 1.0)
    assert judge(COMPLETE, NOW, other) == {"CVE-2024-0001": other}


@pytest.mark.parametrize(("days", "passed"), [(-1, True), (0, False), (1, False)])
def test_the_last_day_of_support_is_still_a_day_of_support(days: int, passed: bool) -> None:
    found = judge(with_part(end_of_support=NOW.date() + timedelta(days=days)))
    assert found.keys() == ({"sbom-end-of-support-passed"} if passed else set())


def test_the_end_of_support_that_has_passed_is_a_matter_of_the_supply_chain() -> None:
    found = judge(with_part(end_of_support=date(2025, 6, 30)))["sbom-end-of-support-passed"]
    assert found.stream is Stream.SUPPLY_CHAIN and found.severity is Severity.MEDIUM
    assert found.summary == "1 of the components: zlib 1.3.1: end of support 2025-06-30"
    assert judge(with_part(end_of_support=date(2025, 6, 30)), NOW + timedelta(days=900))[found.check] == found


@pytest.mark.parametrize(
    ("level", "unsupported"),
    [
        ("No longer maintained", True),
        ("abandoned", True),
        ("Inactive", True),
        ("Deprecated", True),
        ("not supported", True),
        ("unmaintained", True),
        ("EOL", True),
        ("End of life", True),
        ("actively maintained", False),
        ("supported until the end of 2030", False),
        ("Unknown", False),
        ("Interactive support", False),
    ],
)
def test_what_a_document_calls_unsupported(level: str, unsupported: bool) -> None:
    assert ("sbom-unsupported-component" in judge(with_part(support_level=level))) is unsupported


def test_what_is_said_instead_of_a_date_may_say_so_too() -> None:
    found = judge(with_part(end_of_support=None, properties=(("End-of-Support", "No longer supported"),)))
    assert found["sbom-unsupported-component"].summary.endswith("zlib 1.3.1: end of support 'No longer supported'")


def test_the_same_case_gives_the_same_findings_in_another_process() -> None:
    case = Case(DEVICE, NOW, sbom=replace(bare(30), components=(*bare(30).components, COMPLETE.components[1])))
    again = Case.from_json(case.to_json())
    assert SbomQuality().judge(case, ()) == SbomQuality().judge(again, ())


def test_a_hostile_name_stays_text() -> None:
    hostile = "<script>alert(1)</script>\x1b[2J\n# heading " + "x" * 500
    text = judge(with_part(name=hostile, support_level=""))["sbom-fda-support-level"].summary
    assert "\x1b" not in text and "\n" not in text and len(text) < 300


def test_pushing_twice_creates_and_closes_nothing(tmp_path: Path) -> None:
    with DefectDojoStandin() as dojo:
        ward = Ward(tmp_path, dojo.url, dojo.token)
        unsupported = replace(bare(60).components[1], support_level="abandoned", end_of_support=date(2025, 6, 30))
        sbom = replace(bare(60), components=(*bare(60).components, replace(unsupported, ref="u")))
        total = 0
        for stream in (Stream.COMPLIANCE, Stream.SUPPLY_CHAIN):
            tonight, tomorrow = (
                [each for each in judge(sbom, now).values() if each.stream is stream]
                for now in (NOW, NOW + timedelta(days=1))
            )
            total += len(tonight)
            assert counts(ward.push(*tonight, stream=stream)) == (len(tonight), 0, 0, 0)
            second = ward.push(*tomorrow, stream=stream)
            assert counts(second) == (0, 0, 0, 0) and second.untouched == len(tonight)
        assert total == 9
        assert not dojo.internal_errors and dojo.overlaps == 0
        ward.close()


def test_a_document_that_was_completed_closes_what_it_lacked(tmp_path: Path) -> None:
    with DefectDojoStandin() as dojo:
        ward = Ward(tmp_path, dojo.url, dojo.token)
        assert counts(ward.push(*judge(bare(3)).values(), stream=Stream.COMPLIANCE))[0] == 7
        assert counts(ward.push(*judge(COMPLETE).values(), stream=Stream.COMPLIANCE)) == (0, 7, 0, 0)
        ward.close()


def test_a_real_device(shared_data: Path) -> None:
    path = shared_data / "sbom" / "medical_device_narrow.cdx.json"
    sbom = read_sbom(path.read_bytes(), str(path))
    found = judge(sbom)
    # The device names no manufacturer of its own; 55 parts do, and nothing says what they are parts of.
    assert found["sbom-fda-manufacturer"].summary.startswith("Missing for 1 of 56 components. REDACTED: not stated")
    assert found["sbom-fda-relationship"].summary.startswith("Missing for 55 of 56 components. ")
    assert not found.keys() & {"sbom-fda-name", "sbom-fda-version", "sbom-fda-timestamp", "sbom-fda-device"}
