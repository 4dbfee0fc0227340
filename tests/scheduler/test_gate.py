from __future__ import annotations

from itertools import product

import pytest

from meddojo.device import Device
from meddojo.finding import Decision, Finding, Stream, Verdict
from meddojo.interface import StreamResult
from meddojo.severity import Severity
from scheduler.gate import ExitCode, exit_code, tripping


def finding(severity: Severity, check: str = "CVE-2021-44228", needs_review: bool = False) -> Finding:
    return Finding(Stream.VULNERABILITIES, "pump", check, check, severity, "NVD", 0.9, needs_review)


def results(*findings: Finding) -> list[StreamResult]:
    return [StreamResult(Device("pump", "Acme", "Pump"), Stream.VULNERABILITIES, findings)]


def test_without_a_gate_nothing_trips() -> None:
    assert tripping(results(finding(Severity.CRITICAL)), [], None) == ()


@pytest.mark.parametrize(("severity", "fail_on"), list(product(Severity, Severity)))
def test_a_finding_trips_from_its_severity_on(severity: Severity, fail_on: Severity) -> None:
    tripped = tripping(results(finding(severity)), [], fail_on)
    assert bool(tripped) == (severity.rank >= fail_on.rank)


@pytest.mark.parametrize("verdict", Verdict)
def test_what_people_decided_does_not_trip(verdict: Verdict) -> None:
    decided, open_ = finding(Severity.CRITICAL, "A"), finding(Severity.CRITICAL, "B")
    decision = Decision(decided.identity, verdict, "defectdojo", "1")
    assert tripping(results(decided, open_), [decision], Severity.HIGH) == (open_,)


def test_what_needs_review_does_not_trip() -> None:
    assert tripping(results(finding(Severity.CRITICAL, needs_review=True)), [], Severity.INFO) == ()


@pytest.mark.parametrize(
    ("undelivered", "tripped", "incomplete", "code"),
    [
        (False, False, False, 0),
        (False, True, False, 1),
        (False, False, True, 3),
        (False, True, True, 1),
        (True, False, False, 4),
        (True, True, True, 4),
    ],
)
def test_the_most_urgent_code_wins(undelivered: bool, tripped: bool, incomplete: bool, code: int) -> None:
    assert exit_code(undelivered=undelivered, tripped=tripped, incomplete=incomplete) is ExitCode(code)
