"""Tables of rules: the first one whose conditions hold decides, and says what it rests on.

Everything this analyzer concludes comes out of such tables (``*.toml`` beside this module), so that each figure can be
traced to what it was made of.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known of one thing.

    Attributes
    ----------
    values
        One value as a rule; several where the thing has several (a device with two kinds of connection).
    origin
        What it rests on, in words: ``purpose therapy (inventory)``.
    """

    values: tuple[str, ...]
    origin: tuple[str, ...]


Facts = Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class Rule:
    """Fact -> the values it may have; `then` holds when all of them fit."""

    when: Mapping[str, tuple[str, ...]]
    then: str

    def holds(self, facts: Facts) -> bool:
        """Whether every fact named is known and has one of the values."""
        return all(
            name in facts and not set(values).isdisjoint(facts[name].values) for name, values in self.when.items()
        )


@dataclass(frozen=True, slots=True)
class Question:
    """A named list of rules; `asks` is for people."""

    id: str
    asks: str
    rules: tuple[Rule, ...]
    ours: bool = False


def first(rules: Iterable[Rule], facts: Facts) -> Rule | None:
    """The rule that decides; None when nothing known fits any."""
    return next((rule for rule in rules if rule.holds(facts)), None)


def rest_on(rule: Rule, facts: Facts) -> tuple[str, ...]:
    """What the facts of a rule rest on, each thing once."""
    return tuple(dict.fromkeys(origin for name in rule.when for origin in facts[name].origin))


def told(origin: Iterable[str]) -> str:
    """What something rests on in one line; things from one place stand together: ``AV:N, AC:L (published)``."""
    places: dict[str, list[str]] = {}
    for each in origin:
        what, _, place = each.rpartition(" (")
        places.setdefault(place if what else "", []).append(what or each)
    return "; ".join(
        f"{', '.join(things)} ({place}" if place else ", ".join(things) for place, things in places.items()
    )


def answer_all(questions: Sequence[Question], facts: Facts) -> dict[str, Fact]:
    """The facts, and the answer to every question that can be answered from them, in the order of the questions."""
    known = dict(facts)
    for question in questions:
        rule = first(question.rules, known)
        if rule is not None:
            known[question.id] = Fact((rule.then,), rest_on(rule, known))
    return known


def read_rules(tables: Iterable[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """Rules as they stand in a table."""
    return tuple(
        Rule({name: tuple(values) for name, values in table["when"].items()}, str(table["then"])) for table in tables
    )


def read_questions(tables: Iterable[Mapping[str, Any]]) -> tuple[Question, ...]:
    """Questions as they stand in a table."""
    return tuple(
        Question(table["id"], table["asks"], read_rules(table["rules"]), table.get("ours", False)) for table in tables
    )


@cache
def table(name: str) -> Mapping[str, Any]:
    """One of the ``.toml`` files beside this module."""
    return tomllib.loads(resources.files("analyzers.clinical_risk").joinpath(name).read_text(encoding="utf-8"))
