"""CISA's SSVC tree: all cells of its table, the evidence for each point, the way through it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date

import pytest

from analyzers.clinical_risk import ssvc
from analyzers.clinical_risk.exploitation import evidence
from analyzers.clinical_risk.rules import Fact
from meddojo.clinical import SsvcDecision
from meddojo.finding import Finding, Stream
from meddojo.severity import CvssScore, Severity
from meddojo.vulnerability import EpssScore, KevEntry, SsvcPoints, Vulnerability

FINDING = Finding(Stream.VULNERABILITIES, "d", "CVE-2024-0001", "t", Severity.HIGH, "r", 1.0)
DAY = date(2024, 9, 1)

# The 36 outcomes in the order of CERT/CC's table "cisa_coordinator" 2.0.3 (Exploitation, Automatable, Technical impact,
# Mission & well-being; the last changes first): T track, S track*, A attend, C act. Copied from that table by hand.
OUTCOMES = "TTT TTS TTA TTA TTS TSA TTA TSA TTA TAC AAC ACC".replace(" ", "")
LETTERS = {"T": "Track", "S": "Track*", "A": "Attend", "C": "Act"}
CELLS = list(
    itertools.product(("none", "public poc", "active"), ("no", "yes"), ("partial", "total"), ("low", "medium", "high"))
)


@pytest.mark.parametrize(("cell", "letter"), list(zip(CELLS, OUTCOMES, strict=True)))
def test_every_cell_of_the_table(cell: tuple[str, str, str, str], letter: str) -> None:
    assert ssvc.decision_of(*cell) is SsvcDecision(LETTERS[letter])


@pytest.mark.parametrize("cell", [("unknown", "no", "total", "low"), ("none", "no", "total", "grave")])
def test_a_value_of_no_point_is_an_error(cell: tuple[str, str, str, str]) -> None:
    with pytest.raises((KeyError, ValueError)):
        ssvc.decision_of(*cell)


def facts(**known: str) -> dict[str, Fact]:
    return {name: Fact((value,), (f"{name}:{value} (published)",)) for name, value in known.items()}


def point(name: str, known: dict[str, Fact]) -> str:
    return next(answer.answer for answer in ssvc.decide(known).answers if answer.question == name)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, "medium"),
        ({"purpose": "support"}, "low"),
        ({"purpose": "support", "patient_data": "records"}, "medium"),
        ({"purpose": "diagnosis"}, "medium"),
        ({"purpose": "monitoring"}, "medium"),
        ({"purpose": "monitoring", "alarm": "yes"}, "high"),
        ({"purpose": "therapy"}, "medium"),
        ({"delivers": "yes"}, "high"),
        ({"life_sustaining": "yes"}, "high"),
        ({"iec62304_class": "C"}, "medium"),
    ],
)
def test_mission_and_well_being(known: dict[str, str], expected: str) -> None:
    assert point("Mission & well-being", facts(**known)) == expected


@pytest.mark.parametrize(
    ("prevalence", "harm", "expected"),
    [
        ("minimal", "minimal", "low"),
        ("minimal", "material", "medium"),
        ("minimal", "irreversible", "high"),
        ("support", "minimal", "medium"),
        ("support", "material", "medium"),
        ("support", "irreversible", "high"),
        ("essential", "minimal", "high"),
        ("essential", "material", "high"),
        ("essential", "irreversible", "high"),
    ],
)
def test_how_the_two_are_combined(prevalence: str, harm: str, expected: str) -> None:
    rules = next(each.rules for each in ssvc.points() if each.id == "Mission & well-being")
    known = facts(**{"Mission prevalence": prevalence, "Public well-being": harm})
    assert next(rule.then for rule in rules if rule.holds(known)) == expected


def test_harm_needs_a_vulnerability_that_touches_the_function() -> None:
    assert point("Public well-being", facts(life_sustaining="yes", function="yes")) == "irreversible"
    assert point("Public well-being", facts(life_sustaining="yes", function="no")) == "minimal"


@pytest.mark.parametrize(
    ("known", "automatable", "impact"),
    [
        ({"AV": "N", "AC": "L", "PR": "N", "UI": "N", "C": "H", "I": "H"}, "yes", "total"),
        ({"AV": "A", "AC": "L", "PR": "N", "UI": "N", "C": "H", "I": "L"}, "no", "partial"),
        ({"AV": "N", "AC": "H", "PR": "N", "UI": "N", "C": "N", "I": "N"}, "no", "partial"),
        ({"AV": "N", "AC": "L", "PR": "L", "UI": "N", "C": "L", "I": "H"}, "no", "partial"),
        ({"AV": "N", "AC": "L", "PR": "N", "UI": "R", "C": "H", "I": "H"}, "no", "total"),
        ({"AV": "N", "AC": "L", "PR": "N", "C": "N", "I": "N"}, "yes", "partial"),  # of CVSS v2
        ({}, "yes", "total"),
        ({"AV": "P", "cvss_automatable": "Y"}, "yes", "total"),
        ({"AV": "N", "AC": "L", "PR": "N", "UI": "N", "cvss_automatable": "N"}, "no", "total"),
    ],
)
def test_what_is_derived_from_cvss(known: dict[str, str], automatable: str, impact: str) -> None:
    assert (point("Automatable", facts(**known)), point("Technical impact", facts(**known))) == (automatable, impact)


def test_a_published_decision_goes_before_one_that_is_derived() -> None:
    record = Vulnerability("CVE-2024-0001", "nvd", ssvc=SsvcPoints("CISA Coordinator", "none", "no", "partial"))
    known = {**facts(AV="N", AC="L", PR="N", UI="N", C="H", I="H"), **evidence(FINDING, [record])}
    assert (point("Automatable", known), point("Technical impact", known)) == ("no", "partial")
    assert "(SSVC by CISA Coordinator)" in ssvc.decide(known).path
    assert "derived from CVSS" not in ssvc.decide(known).path


def exploitation(finding: Finding, *points: SsvcPoints) -> str:
    records = [Vulnerability("CVE-2024-0001", "nvd", ssvc=each) for each in points]
    return point("Exploitation", evidence(finding, records))


KEV = KevEntry("CVE-2024-0001", DAY)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "none"),
        ({"kev": KEV}, "active"),
        ({"tags": ("used-in-attacks",), "threats": ("used by Mallory (G1)",)}, "active"),
        ({"references": ("https://www.exploit-db.com/exploits/1",)}, "public poc"),
        ({"references": ("https://rapid7.com/db/modules/exploit/x",)}, "public poc"),
        ({"references": ("https://rapid7.com/blog/post", "https://notexploit-db.com/", "http://[bad")}, "none"),
        ({"epss": EpssScore("CVE-2024-0001", 0.5, 0.9, DAY)}, "public poc"),
        ({"epss": EpssScore("CVE-2024-0001", 0.49, 0.9, DAY)}, "none"),
    ],
)
def test_evidence_of_exploitation(changes: dict[str, object], expected: str) -> None:
    assert exploitation(replace(FINDING, **changes)) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("vector", "expected"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P", "public poc"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:U", "none"),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:A", "active"),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U", "none"),
        ("AV:N/AC:L/Au:N/C:P/I:P/A:P/E:POC/RL:ND/RC:ND", "public poc"),
    ],
)
def test_maturity_of_exploits_in_the_vector(vector: str, expected: str) -> None:
    assert exploitation(replace(FINDING, cvss=(CvssScore(vector, 9.0, "", "nvd"),))) == expected


def test_known_exploitation_is_newer_than_a_published_none() -> None:
    assert exploitation(replace(FINDING, kev=KEV), SsvcPoints("CISA Coordinator", "none")) == "active"
    assert exploitation(FINDING, SsvcPoints("CISA Coordinator", "active")) == "active"
    assert exploitation(FINDING, SsvcPoints("CISA Coordinator", "public poc")) == "public poc"


def test_path_and_vector() -> None:
    known = {
        **facts(AV="N", AC="L", PR="N", UI="N", C="H", I="H", function="yes"),
        **evidence(replace(FINDING, kev=KEV), ()),
    }
    known["life_sustaining"] = Fact(("yes",), ("life_sustaining yes (FDA product code CBK)",))
    outcome = ssvc.decide(known)
    assert outcome.decision is SsvcDecision.ACT
    assert outcome.path == (
        "Exploitation: active (known exploited since 2024-09-01 (KEV)) → "
        "Automatable: yes (derived from CVSS: AV:N, AC:L, PR:N, UI:N (published)) → "
        "Technical impact: total (derived from CVSS: C:H, I:H (published)) → "
        "Mission & well-being: high (life_sustaining yes (FDA product code CBK)) → Act"
    )
    assert outcome.vector == "SSVCv2/E:A/A:Y/T:T/P:E/B:I/M:H/D:C/"


def test_a_point_that_nothing_is_known_of_says_default() -> None:
    outcome = ssvc.decide({})
    assert outcome.path.count("default: ") == 4 and outcome.decision is SsvcDecision.TRACK
    assert outcome.vector == "SSVCv2/E:N/A:Y/T:T/P:S/B:M/M:M/D:T/"


def test_decisions_are_ordered_and_their_tags_are_tags() -> None:
    assert [decision.rank for decision in SsvcDecision] == [0, 1, 2, 3]
    assert [each.tag for each in SsvcDecision] == ["ssvc-track", "ssvc-track-closely", "ssvc-attend", "ssvc-act"]
