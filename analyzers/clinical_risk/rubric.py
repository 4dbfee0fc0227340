"""The environmental score of a vulnerability on one device, by the questions of ``rubric.toml``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from analyzers.clinical_risk.rules import Facts, Question, Rule, first, read_questions, read_rules, rest_on, table, told
from analyzers.clinical_risk.vectors import Vector, environmental
from meddojo.clinical import Answer, EnvironmentalScore
from meddojo.severity import CvssScore


@dataclass(frozen=True, slots=True)
class Metric:
    """An environmental metric and how answers lead to it.

    Attributes
    ----------
    of
        The published metric it modifies; empty for requirements and safety.
    order
        Its values from the least to the most severe.
    may
        ``rise`` or ``fall``: in which direction it may differ from what is published.
    """

    name: str
    versions: frozenset[str]
    rules: tuple[Rule, ...]
    of: str = ""
    order: tuple[str, ...] = ()
    may: str = ""


def questions() -> tuple[Question, ...]:
    """Every question of the table, in the order in which they are answered."""
    return _questions()


def score(vector: Vector, published: CvssScore, facts: Facts) -> tuple[EnvironmentalScore | None, tuple[Answer, ...]]:
    """Score a vulnerability for one device.

    Parameters
    ----------
    vector
        Of `published`.
    facts
        Published metrics, circumstances of the device, and answers to `questions`.

    Returns
    -------
    score
        None when nothing known of the device changes a metric.
    answers
        What each metric added rests on.
    """
    steps = list(_steps(vector.family, facts))
    added = {metric.name: rule.then for metric, rule in steps}
    scored = environmental(vector, added) if added else None
    if scored is None:
        return None, ()
    text, number = scored
    return (
        EnvironmentalScore(text, number, published.version, published.vector, published.base_score),
        tuple(_answer(metric, rule, facts) for metric, rule in steps),
    )


def _steps(family: str, facts: Facts) -> Iterator[tuple[Metric, Rule]]:
    for metric in metrics():
        rule = first(metric.rules, facts) if family in metric.versions else None
        if rule is not None and _moves(metric, rule.then, facts):
            yield metric, rule


def _moves(metric: Metric, value: str, facts: Facts) -> bool:
    """Whether a modified metric says other than the published one, in the direction allowed to it."""
    if not metric.of:
        return True
    (published,) = facts[metric.of].values
    distance = metric.order.index(value) - metric.order.index(published)
    return distance > 0 if metric.may == "rise" else distance < 0


def _answer(metric: Metric, rule: Rule, facts: Facts) -> Answer:
    given = ", ".join(facts[name].values[0] for name in rule.when)
    return Answer(", ".join(rule.when), given, f"{metric.name}:{rule.then}", told(rest_on(rule, facts)))


@cache
def _questions() -> tuple[Question, ...]:
    return read_questions(table("rubric.toml")["question"])


@cache
def metrics() -> tuple[Metric, ...]:
    """The metrics of the table."""
    return tuple(
        Metric(
            each["name"],
            frozenset(each["versions"]),
            read_rules(each["rules"]),
            each.get("of", ""),
            tuple(each.get("order", ())),
            each.get("may", ""),
        )
        for each in table("rubric.toml")["metric"]
    )
