"""Where components sit, as the destinations show it; and the supply-chain finding, pushed day after day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from analyzers.sbom_graph import SbomGraph
from connectors.sinks import sarif
from connectors.sinks.generic_findings import row
from connectors.sinks.report.embedded import _body
from meddojo.case import Case
from meddojo.finding import Finding, Stream
from meddojo.interface import Delivery, RunContext, StreamResult
from meddojo.sbom import Component, Dependency, Sbom
from meddojo.severity import Severity
from meddojo.vulnerability import EpssScore
from tests.connectors.sinks.defectdojo_ward import Ward, counts
from tests.connectors.sinks.defectdojo_ward import finding as made
from tests.connectors.sinks.report_samples import CT, STARTED, finding
from tests.standin import DefectDojoStandin

LINE = "zlib 1.2.11: 2 steps from the root by pump 1 > <b>web</b> 2 > zlib 1.2.11"
PLAIN = finding(CT, "CVE-2015-5374")
TOLD = replace(PLAIN, supply_path=(LINE,))
STREAMS = (Stream.VULNERABILITIES, Stream.SUPPLY_CHAIN)


def test_in_defectdojo_where_texts_may_change() -> None:
    plain, told = row(PLAIN, CT), row(TOLD, CT)
    assert "bill of materials" not in plain["impact"]
    assert "**In the bill of materials:**\n\n- zlib 1.2.11: 2 steps" in told["impact"]
    assert r"\<b\>web\</b\>" in told["impact"]
    for field in ("title", "description", "unique_id_from_tool"):
        assert plain[field] == told[field]


def test_in_sarif_and_in_the_report() -> None:
    log = sarif.document([StreamResult(CT, PLAIN.stream, (TOLD,))], RunContext(STARTED, ()))
    assert log["runs"][0]["results"][0]["properties"]["supplyPath"] == [LINE]
    assert _body(TOLD)["path"] == [LINE] and _body(PLAIN)["path"] == []


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    with DefectDojoStandin() as dojo:
        ward = Ward(tmp_path, dojo.url, dojo.token)
        yield ward
        ward.close()
        assert dojo.overlaps == 0 and not dojo.internal_errors


def judged(ward: Ward, *numbers: int, epss: float = 0.1) -> tuple[Finding, ...]:
    """What the analyzer makes of so many vulnerable parts of the device."""
    parts = tuple(Component(f"c{number}", "libparse", f"1.{number}") for number in range(1, 6))
    root = Component("root", "pump", "1")
    sbom = Sbom("CycloneDX 1.5", (root, *parts), "root", tuple(Dependency("root", part.ref) for part in parts))
    findings = [
        replace(made(number), device_id=ward.device.id, epss=EpssScore(f"CVE-{number}", epss, 0.5, date(2024, 9, 1)))
        for number in numbers
    ]
    return tuple(SbomGraph().judge(Case(ward.device, datetime(2024, 9, 1, tzinfo=UTC), sbom=sbom), findings))


def push(ward: Ward, findings: tuple[Finding, ...]) -> Delivery:
    """All streams of the device in one delivery, as a run does."""
    sink = ward.sink()
    tuple(sink.listen([ward.device]))
    results = [
        StreamResult(ward.device, stream, tuple(each for each in findings if each.stream is stream))
        for stream in STREAMS
    ]
    delivery = sink.deliver(results, RunContext(datetime.now(UTC), ()))
    assert not delivery.problems
    return delivery


def supply_chain(ward: Ward) -> dict[str, object]:
    (found,) = [each for each in ward.findings() if "supply-chain" in each["tags"]]
    return dict(found)


def test_pushed_and_pushed_again_nothing_is_created_or_closed(ward: Ward) -> None:
    findings = judged(ward, 1, 2, 3)
    assert counts(push(ward, findings)) == (4, 0, 0, 0)
    again = push(ward, findings)
    assert counts(again) == (0, 0, 0, 0) and again.untouched == 4
    assert len(ward.tests()) == 2
    ward.lose_ledger()
    assert counts(push(ward, findings)) == (0, 0, 0, 0)


def test_a_changed_ranking_is_the_same_finding_with_another_text(ward: Ward) -> None:
    push(ward, judged(ward, 1, 2, 3))
    before = supply_chain(ward)
    delivery = push(ward, judged(ward, 1, 2, 3, 4, epss=0.6))
    assert (delivery.created, delivery.closed, delivery.reactivated) == (1, 0, 0)
    after = supply_chain(ward)
    assert after["id"] == before["id"] and after["title"] == before["title"]
    assert after["description"] == before["description"] and after["mitigation"] != before["mitigation"]
    assert str(after["mitigation"]).startswith("- **vendor fix:** upgrade libparse")


def test_it_is_closed_when_the_risk_is_gone_and_comes_back_as_itself(ward: Ward) -> None:
    push(ward, judged(ward, 1))
    assert counts(push(ward, judged(ward)))[1] == 2
    assert not supply_chain(ward)["active"]
    returned = push(ward, judged(ward, 1))
    assert (returned.created, returned.reactivated) == (0, 2)


def test_its_severity_is_that_of_the_score(ward: Ward) -> None:
    bands = [judged(ward, *range(1, number + 1), epss=epss)[-1].severity for number, epss in ((1, 0.0), (5, 1.0))]
    assert bands == [Severity.LOW, Severity.CRITICAL]
