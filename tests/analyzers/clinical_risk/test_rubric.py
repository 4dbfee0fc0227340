"""The questions of the medical-device rubric, and the environmental score they lead to.

The text of the rubric could not be read here, so none of its own examples is. What is checked against the world outside
are the ids and the order of its questions, as two public calculators show them (Deep Armor's page of 2020 and
``osamusic/med-cvss``), how one goes on from answer to answer (the second), and the equations of CVSS.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import pytest
from cvss import CVSS2, CVSS3, CVSS4
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.clinical_risk import rubric, vectors
from analyzers.clinical_risk.rules import Fact, Facts, Rule, answer_all, first
from meddojo.clinical import EnvironmentalScore
from meddojo.severity import CvssScore

# Ids as the two calculators show them; XCPM and XAVPA are the questions 1.1.C and 5.1.
ATTACK = "XAVN XAVT XAVW XAVR XAVP XAVPA XACL XPRL XPRZ XPRS XUI XS".split()
IMPACT = "XCP XCPM XCD XCT XCW XCS XCO XIP XID XIT XIW XIS XIO XAP XAD XAT XAW XAS XAO".split()
# A safety level after the other: each holds what the one before holds, or more.
SAFER_TO_WORSE: tuple[dict[str, str], ...] = (
    {"purpose": "support", "iec62304_class": "A"},
    {"purpose": "diagnosis", "iec62304_class": "A"},
    {"purpose": "diagnosis", "iec62304_class": "B"},
    {"purpose": "monitoring", "iec62304_class": "C"},
    {"purpose": "monitoring", "iec62304_class": "C", "alarm": "yes"},
    {"purpose": "therapy", "iec62304_class": "C", "alarm": "yes"},
    {"purpose": "therapy", "iec62304_class": "C", "alarm": "yes", "delivers": "yes"},
    {"purpose": "therapy", "iec62304_class": "C", "alarm": "yes", "delivers": "yes", "life_sustaining": "yes"},
)
OTHERS: dict[str, tuple[str, ...]] = {
    "patient_data": ("none", "some", "records"),
    "connectivity": ("none", "serial", "wired", "wireless", "bluetooth"),
    "exposure": ("open", "internal", "restricted"),
    "physical_access": ("public", "staff", "locked"),
}


def told(known: Mapping[str, str]) -> dict[str, Fact]:
    return {name: Fact((value,), (f"{name} {value} (test)",)) for name, value in known.items()}


def answers(**known: str) -> dict[str, str]:
    facts = answer_all(rubric.questions(), told(known))
    return {name: fact.values[0] for name, fact in facts.items() if name not in known}


def rated(text: str, known: Mapping[str, str]) -> EnvironmentalScore | None:
    family = text[5] if text.startswith("CVSS:") else "2"
    base = {
        "2": lambda: CVSS2(text).scores()[0],
        "3": lambda: CVSS3(text).scores()[0],
        "4": lambda: CVSS4(text).base_score,
    }
    published = CvssScore(text, float(base[family]()), text[5:8] if family != "2" else "2.0", "nvd")
    vector = vectors.parse(published)
    assert vector is not None
    scored, _ = rubric.score(
        vector, published, answer_all(rubric.questions(), {**told(known), **vectors.facts(vector)})
    )
    return scored


def added(text: str, **known: str) -> set[str]:
    scored = rated(text, known)
    return set(scored.vector.split("/")) - set(text.split("/")) if scored else set()


def test_the_questions_have_the_ids_of_the_rubric_in_its_order() -> None:
    assert [question.id for question in rubric.questions() if not question.ours] == ATTACK + IMPACT
    assert all(question.asks.endswith((".", "?")) for question in rubric.questions())


def deciding(rules: tuple[Rule, ...], rule: Rule) -> Facts | None:
    """Facts under which `rule`, and no earlier one, decides."""
    for combination in itertools.product(*rule.when.values()):
        facts = told(dict(zip(rule.when, combination, strict=True)))
        if first(rules, facts) is rule:
            return facts
    return None


RULES = [
    pytest.param(question.rules, rule, id=f"{question.id}={rule.then}-{number}")
    for question in rubric.questions()
    for number, rule in enumerate(question.rules)
]


@pytest.mark.parametrize(("rules", "rule"), RULES)
def test_every_answer_of_every_question_can_be_given(rules: tuple[Rule, ...], rule: Rule) -> None:
    assert deciding(rules, rule) is not None


@pytest.mark.parametrize(
    ("metric", "rule"),
    [
        pytest.param(metric, rule, id=f"{metric.name}-{n}")
        for metric in rubric.metrics()
        for n, rule in enumerate(metric.rules)
    ],
)
def test_every_rule_of_every_metric_can_decide_and_names_things_that_exist(metric: rubric.Metric, rule: Rule) -> None:
    assert deciding(metric.rules, rule) is not None
    known = {question.id for question in rubric.questions()} | {
        "I",
        "A",
        "C",
        "exposure",
        "life_sustaining",
        "delivers",
    }
    assert set(rule.when) <= known
    assert not metric.order or rule.then in metric.order


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        # How the attacker gets there, as med-cvss goes on from answer to answer.
        ({"AV": "N"}, {"XAVN": "yes", "XAVT": "yes"}),
        ({"AV": "N", "connectivity": "wireless"}, {"XAVN": "yes", "XAVT": "yes", "XAVW": "yes"}),
        ({"AV": "N", "connectivity": "wired"}, {"XAVN": "yes", "XAVT": "yes", "XAVW": "no", "XAVR": "no"}),
        ({"AV": "N", "connectivity": "serial"}, {"XAVN": "yes", "XAVT": "no", "XAVW": "no", "XAVR": "no"}),
        ({"AV": "N", "connectivity": "bluetooth"}, {"XAVN": "yes", "XAVT": "no", "XAVW": "yes"}),
        ({"AV": "N", "connectivity": "none"}, {"XAVN": "no", "XAVT": "no", "XAVW": "no", "XAVR": "no"}),
        ({"AV": "A"}, {"XAVN": "yes", "XAVT": "no"}),
        ({"AV": "L"}, {"XAVN": "no", "XAVT": "no", "XAVW": "no", "XAVR": "no", "XAVP": "no"}),
        ({"AV": "P"}, {"XAVN": "no", "XAVT": "no", "XAVW": "no", "XAVR": "no", "XAVP": "yes"}),
        ({"AC": "L"}, {"XACL": "yes"}),
        ({"AC": "H"}, {"XACL": "no"}),
        ({"PR": "N"}, {"XPRZ": "no"}),
        ({"PR": "L"}, {"XPRL": "yes", "XPRZ": "yes", "XPRS": "no"}),
        ({"PR": "H"}, {"XPRL": "yes", "XPRZ": "yes", "XPRS": "yes"}),
        ({"UI": "N"}, {"XUI": "no"}),
        ({"UI": "R"}, {"XUI": "yes"}),
        ({"S": "U"}, {"XS": "no"}),
        ({"S": "C"}, {"XS": "yes"}),
        # What could be read, changed, withheld.
        (
            {"C": "L", "patient_data": "records"},
            {"XCP": "H", "XCPM": "yes", "CR": "H", "IR": "M", "AR": "M", "function": "no"},
        ),
        ({"C": "H", "patient_data": "some"}, {"XCP": "H", "XCPM": "no", "CR": "M", "function": "no"}),
        (
            {"C": "L", "patient_data": "none"},
            {"XCP": "N", "XCPM": "no", "XIP": "N", "XAP": "N", "CR": "L", "function": "no"},
        ),
        ({"C": "L", "purpose": "monitoring"}, {"XCD": "L", "IR": "M", "AR": "M", "function": "no"}),
        ({"C": "H", "purpose": "therapy"}, {"XCT": "H", "IR": "H", "AR": "H", "function": "no"}),
        ({"C": "H", "purpose": "support"}, {"XCW": "H", "IR": "L", "AR": "L", "function": "no"}),
        ({"I": "L", "delivers": "yes"}, {"XIT": "H", "IR": "H", "AR": "H", "function": "yes", "CDP": "H"}),
        ({"I": "L", "purpose": "therapy"}, {"XIT": "L", "IR": "H", "AR": "H", "function": "yes", "CDP": "MH"}),
        ({"I": "H", "purpose": "diagnosis"}, {"XID": "H", "IR": "M", "AR": "M", "function": "yes", "CDP": "LM"}),
        ({"I": "L", "purpose": "support"}, {"XIW": "L", "IR": "L", "AR": "L", "function": "yes"}),
        ({"A": "L", "life_sustaining": "yes"}, {"XAT": "H", "IR": "H", "AR": "H", "function": "yes", "CDP": "H"}),
        ({"A": "L", "delivers": "yes"}, {"IR": "H", "AR": "H", "function": "yes", "CDP": "H"}),
        ({"A": "H", "alarm": "yes"}, {"IR": "H", "AR": "H", "function": "yes", "CDP": "MH"}),
        ({"A": "L", "patient_data": "some"}, {"XAP": "L", "XCPM": "no", "CR": "M", "function": "yes"}),
    ],
)
def test_answers(known: dict[str, str], expected: dict[str, str]) -> None:
    assert answers(**known) == expected


@pytest.mark.parametrize("impact", ["C", "I", "A"])
def test_what_the_vulnerability_does_not_touch_is_answered_no(impact: str) -> None:
    given_ = {name: value for name, value in answers(**{impact: "N"}).items() if name.startswith(f"X{impact}")}
    assert set(given_.values()) <= {"N", "no"} and len(given_) >= 6


NETWORK = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:L"


@pytest.mark.parametrize(
    ("known", "metrics"),
    [
        ({"exposure": "restricted"}, {"MAV:A"}),
        ({"exposure": "internal"}, set()),
        ({"exposure": "open"}, set()),
        ({"connectivity": "none"}, {"MAV:L"}),
        ({"connectivity": "none", "physical_access": "locked"}, {"MAV:P"}),
        ({"connectivity": "serial"}, {"MAV:A"}),
        ({"connectivity": "bluetooth"}, {"MAV:A"}),
        ({"connectivity": "wired"}, set()),
        ({"control.network-disconnected": "yes"}, {"MAV:L"}),
        ({"control.authenticating-gateway": "yes"}, {"MPR:L"}),
        ({"control.a-lamp": "yes"}, set()),
        ({"life_sustaining": "yes"}, {"IR:H", "AR:H", "MI:H", "MA:H"}),
        ({"delivers": "yes"}, {"IR:H", "AR:H", "MI:H"}),
        ({"alarm": "yes"}, {"IR:H", "AR:H"}),
        ({"patient_data": "records"}, {"CR:H", "IR:M", "AR:M", "MC:H"}),
        ({"patient_data": "none"}, {"CR:L"}),
        ({"patient_data": "none", "delivers": "yes"}, {"CR:M", "IR:H", "AR:H", "MI:H"}),
        ({"iec62304_class": "A"}, {"IR:L", "AR:L"}),
        ({"fda_device_class": "3"}, {"IR:H", "AR:H"}),
        ({"life_sustaining": "no", "alarm": "no", "delivers": "no"}, set()),
    ],
)
def test_metrics_of_version_3(known: dict[str, str], metrics: set[str]) -> None:
    assert added(NETWORK, **known) == metrics


def test_modified_metrics_never_go_the_other_way() -> None:
    local = "CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H"
    assert added(local, connectivity="wired", exposure="open") == set()
    assert added(local, **{"control.authenticating-gateway": "yes"}) == set()
    assert not any(each.startswith("M") for each in added(local, patient_data="some", purpose="therapy"))


def test_version_4_has_safety() -> None:
    text = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:L/VA:L/SC:N/SI:N/SA:N"
    assert added(text, life_sustaining="yes") == {"IR:H", "AR:H", "MVI:H", "MVA:H", "MSI:S", "MSA:S"}
    assert added(text, delivers="yes") == {"IR:H", "AR:H", "MVI:H", "MSI:S"}


def test_version_2_has_collateral_damage_and_no_modified_metrics() -> None:
    text = "AV:N/AC:L/Au:N/C:P/I:P/A:P"
    assert added(text, delivers="yes", exposure="restricted") == {"CDP:H", "IR:H", "AR:H"}


@pytest.mark.parametrize(
    ("text", "known", "score"),
    [
        # Recomputed by hand from the equations of the standards (v3.1 section 7.3, v2 section 3.2.3).
        # MISS = min(1 - 0.16 * 0.16, 0.915); 6.42 * 0.915 = 5.874; 8.22 * 0.62 * 0.77 * 0.85 * 0.85 = 2.835; up to 8.8.
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:H", {"delivers": "yes", "exposure": "restricted"}, 8.8),
        # 10.41 * (1 - (1 - 0.275 * 1.51)^2) = 6.85; (0.6 * 6.85 + 0.4 * 10 - 1.5) * 1.176 = 7.8; 7.8 + (10 - 7.8) / 2.
        ("AV:N/AC:L/Au:N/C:N/I:P/A:P", {"delivers": "yes"}, 8.9),
    ],
)
def test_scores(text: str, known: dict[str, str], score: float) -> None:
    scored = rated(text, known)
    assert scored is not None and scored.score == score


def test_a_score_names_both_vectors_and_what_it_rests_on() -> None:
    published = CvssScore(NETWORK, 7.3, "3.1", "nvd")
    vector = vectors.parse(published)
    assert vector is not None
    facts = answer_all(rubric.questions(), {**told({"delivers": "yes"}), **vectors.facts(vector)})
    scored, reasons = rubric.score(vector, published, facts)
    assert scored is not None and (scored.base_vector, scored.base_score) == (NETWORK, 7.3)
    by_metric = {answer.gives: (answer.question, answer.answer, answer.origin) for answer in reasons}
    assert by_metric["MI:H"] == ("XIT", "H", "I:L (published); delivers yes (test)")
    assert set(by_metric) == {"MI:H", "IR:H", "AR:H"}


@pytest.mark.parametrize(
    "text", ["", "CVSS:3.1/AV:N", "AV:N/AC:L", "CVSS:9.9/AV:N", "nonsense", "CVSS:3.1/AV:N/AC:Q/PR:N"]
)
def test_an_invalid_vector_is_none(text: str) -> None:
    assert vectors.parse(CvssScore(text, 5.0, "", "x")) is None


def test_environmental_metrics_of_whoever_rated_are_left_out() -> None:
    vector = vectors.parse(CvssScore(f"{NETWORK}/CR:H/MAV:P", 7.3, "3.1", "x"))
    assert vector is not None and vectors.environmental(vector, {}) == (NETWORK, 7.3)


# ---- properties ----

METRICS = {
    "3": {"AV": "NALP", "AC": "LH", "PR": "NLH", "UI": "NR", "S": "UC", "C": "NLH", "I": "NLH", "A": "NLH"},
    "4": {
        "AV": "NALP",
        "AC": "LH",
        "AT": "NP",
        "PR": "NLH",
        "UI": "NPA",
        **dict.fromkeys(("VC", "VI", "VA", "SC", "SI", "SA"), "NLH"),
    },
    "2": {"AV": "NAL", "AC": "LMH", "Au": "NSM", "C": "NPC", "I": "NPC", "A": "NPC"},
}
PREFIXES = {"CVSS:3.0/": "3", "CVSS:3.1/": "3", "CVSS:4.0/": "4", "": "2"}


@st.composite
def published_vectors(draw: st.DrawFn) -> str:
    prefix = draw(st.sampled_from(sorted(PREFIXES)))
    parts = [f"{name}:{draw(st.sampled_from(values))}" for name, values in METRICS[PREFIXES[prefix]].items()]
    return prefix + "/".join(parts)


def some_of(facts: dict[str, tuple[str, ...]]) -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in facts.items()})


@given(published_vectors(), some_of({"physical_access": OTHERS["physical_access"], "exposure": ("open", "internal")}))
def test_a_profile_that_says_nothing_leaves_the_published_score(text: str, known: dict[str, str]) -> None:
    assert rated(text, known) is None


@settings(max_examples=300)
@given(published_vectors(), some_of(OTHERS), st.integers(0, len(SAFER_TO_WORSE) - 2))
def test_raising_safety_relevance_never_lowers_the_score(text: str, others: dict[str, str], level: int) -> None:
    below, above = (rated(text, {**others, **SAFER_TO_WORSE[level + step]}) for step in (0, 1))
    assert below is not None and above is not None
    # The formula of version 3.0 for a changed scope bends down near its end; version 3.1 mended that (section 7.3).
    tolerance = 0.1 if text.startswith("CVSS:3.0/") and "/S:C/" in text else 0.0
    assert above.score >= below.score - tolerance - 1e-9


@given(published_vectors(), some_of(OTHERS), st.sampled_from(SAFER_TO_WORSE))
def test_a_filtered_network_never_raises_the_score(text: str, others: dict[str, str], safety: dict[str, str]) -> None:
    known = {**others, **safety}
    open_, filtered = (rated(text, {**known, "exposure": exposure}) for exposure in ("open", "restricted"))
    assert open_ is not None and filtered is not None and filtered.score <= open_.score


@given(published_vectors(), some_of(OTHERS), st.sampled_from(SAFER_TO_WORSE))
def test_every_vector_that_comes_out_is_valid_and_keeps_the_published_metrics(
    text: str, others: dict[str, str], safety: dict[str, str]
) -> None:
    scored = rated(text, {**others, **safety})
    assert scored is not None and 0.0 <= scored.score <= 10.0
    assert set(text.split("/")) <= set(scored.vector.split("/"))
