"""The decision of CISA's SSVC tree for a vulnerability on one device, by the tables of ``ssvc.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from analyzers.clinical_risk.rules import Fact, Facts, Question, first, read_questions, rest_on, table, told
from meddojo.clinical import Answer, SsvcDecision

_TREE = ("Exploitation", "Automatable", "Technical impact", "Mission & well-being")
_LEVELS = ("low", "medium", "high")
_DERIVED = "derived from CVSS: "


@dataclass(frozen=True, slots=True)
class Outcome:
    """The decision, the readable way to it, its vector string, and what each point rests on."""

    decision: SsvcDecision
    path: str
    vector: str
    answers: tuple[Answer, ...]


def decide(facts: Facts) -> Outcome:
    """Go through the tree.

    Parameters
    ----------
    facts
        Evidence of exploitation, published metrics, circumstances of the device.
    """
    known = dict(facts)
    answers = []
    for point in points():
        rule = first(point.rules, known)
        if rule is None:
            raise LookupError(f"no rule of {point.id} holds")
        origin = rest_on(rule, known) or (f"default: {_defaults()[point.id]}",)
        known[point.id] = Fact((rule.then,), origin)
        answers.append(Answer(point.id, rule.then, "", _marked(origin)))
    values = {answer.question: answer.answer for answer in answers}
    decision = decision_of(*(values[name] for name in _TREE))
    steps = [f"{answer.question}: {answer.answer} ({answer.origin})" for answer in answers if answer.question in _TREE]
    return Outcome(decision, f"{' → '.join(steps)} → {decision.value}", _vector(values, decision), tuple(answers))


def decision_of(exploitation: str, automatable: str, technical_impact: str, mission: str) -> SsvcDecision:
    """One cell of the decision table.

    Raises
    ------
    KeyError, ValueError
        If a value is none of its point.
    """
    row = table("ssvc.toml")["decisions"][f"{exploitation}, {automatable}, {technical_impact}"]
    return SsvcDecision(row[_LEVELS.index(mission)])


def _marked(origin: tuple[str, ...]) -> str:
    """What an answer rests on, marked where it is read off a CVSS vector and nobody decided it."""
    text = told(origin)
    return _DERIVED + text if all(each.endswith("(published)") for each in origin) else text


def _vector(values: Mapping[str, str], decision: SsvcDecision) -> str:
    """As the SSVC calculator of CERT/CC writes it, but without the time at its end: the same case, the same text."""
    letters = table("ssvc.toml")["letters"]
    steps = [(point.key, values[point.id]) for point in _keyed()] + [("D", decision.value)]
    return "SSVCv2/" + "".join(f"{key}:{letters.get(value, value[0].upper())}/" for key, value in steps)


@dataclass(frozen=True, slots=True)
class _Keyed:
    key: str
    id: str


@cache
def _keyed() -> tuple[_Keyed, ...]:
    return tuple(_Keyed(each["key"], each["id"]) for each in table("ssvc.toml")["point"])


@cache
def points() -> tuple[Question, ...]:
    """The decision points, in the order in which they are answered."""
    return read_questions(table("ssvc.toml")["point"])


@cache
def _defaults() -> Mapping[str, str]:
    return {each["id"]: each["default"] for each in table("ssvc.toml")["point"]}
