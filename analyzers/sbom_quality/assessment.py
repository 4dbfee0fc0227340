"""Judging an SBOM by a catalogue: what passed, what is missing where, score and grade."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Any

from analyzers.sbom_quality.catalogues import Catalogue, Level, Rule
from analyzers.sbom_quality.predicates import COMPONENT, DEPENDENCY, DOCUMENT, Relations, plain
from meddojo.sbom import Component, Sbom

GRADES = ((95.0, "A"), (85.0, "B"), (70.0, "C"), (50.0, "D"), (0.0, "F"))
"""Lowest score of each grade. A document that would be sent back gets no better than `SENT_BACK`."""

SENT_BACK = "C"
NOTHING_LISTED = "no component is listed"
LONGEST_LABEL = 120


@dataclass(frozen=True, slots=True)
class Missing:
    """What a rule found wrong.

    Attributes
    ----------
    ref, label
        The component, by reference and by name and version; empty where it is the document.
    fault
        ``not stated``, or what is stated instead.
    """

    ref: str
    label: str
    fault: str

    @property
    def sentence(self) -> str:
        """``zlib 1.2.11: not stated``, on one line."""
        return f"{plain(self.label, LONGEST_LABEL)}: {self.fault}" if self.label else self.fault


@dataclass(frozen=True, slots=True)
class RuleResult:
    """How a document does by one rule.

    Attributes
    ----------
    judged
        How many components were asked; 1 for the document, 0 where every one is of a kind that is not asked.
    """

    rule: Rule
    judged: int
    missing: tuple[Missing, ...]

    @property
    def passed(self) -> bool:
        """True when nothing is missing."""
        return not self.missing

    @property
    def fulfilled(self) -> int:
        """How many of those `judged` have what is asked."""
        return max(self.judged - len(self.missing), 0)


@dataclass(frozen=True, slots=True)
class Assessment:
    """How a document does by one catalogue.

    Attributes
    ----------
    lists_something
        False for a document that lists nothing but what it describes.
    """

    catalogue: Catalogue
    results: tuple[RuleResult, ...]
    lists_something: bool = True

    @property
    def score(self) -> float:
        """0.0 to 100.0: the weighted mean of the share of components that fulfil each rule.

        Rounded down to one decimal, so that 100 means that nothing is missing.
        """
        asked = [result for result in self.results if result.judged]
        reached = sum(Fraction(result.rule.weight * result.fulfilled, result.judged) for result in asked)
        return floor(reached / sum(result.rule.weight for result in asked) * 1000) / 10

    @property
    def blocking(self) -> tuple[RuleResult, ...]:
        """Failed rules for which a submission would be sent back."""
        return tuple(result for result in self.results if result.rule.blocking and not result.passed)

    @property
    def grade(self) -> str:
        """``A`` to ``F``, by `GRADES`; nothing listed is not complete, however well the rest is told."""
        if not self.lists_something:
            return GRADES[-1][1]
        grade = next(letter for least, letter in GRADES if self.score >= least)
        return max(grade, SENT_BACK) if self.blocking else grade

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``: every rule, and every component that misses something."""
        return {
            "catalogue": self.catalogue.name,
            "title": self.catalogue.title,
            "status": self.catalogue.status,
            "score": self.score,
            "grade": self.grade,
            "sent_back": bool(self.blocking),
            "rules": list(map(_as_dict, self.results)),
            "not_checked": list(self.catalogue.not_checked),
        }


def assess(sbom: Sbom, catalogue: Catalogue) -> Assessment:
    """Judge a document by every rule of a catalogue."""
    relations = Relations.of(sbom)
    results = tuple(_judged(rule, sbom, relations) for rule in catalogue.rules)
    return Assessment(catalogue, results, _lists_something(sbom))


def _judged(rule: Rule, sbom: Sbom, relations: Relations) -> RuleResult:
    if rule.level is Level.DOCUMENT:
        fault = DOCUMENT[rule.check](sbom)
        return RuleResult(rule, 1, (Missing("", "", fault),) if fault else ())
    asked = tuple(_asked(rule, sbom))
    if not _lists_something(sbom) and (rule.level is Level.DEPENDENCY or rule.parts_only or not asked):
        return RuleResult(rule, 1, (Missing("", "", NOTHING_LISTED),))
    ask = _question(rule, relations)
    answers = ((component, ask(component)) for component in asked)
    missing = tuple(Missing(component.ref, component.label, fault) for component, fault in answers if fault)
    return RuleResult(rule, len(asked), missing)


def _lists_something(sbom: Sbom) -> bool:
    return any(component.ref != sbom.root for component in sbom.components)


def _asked(rule: Rule, sbom: Sbom) -> Iterator[Component]:
    for component in sbom.components:
        if component.kind not in rule.except_kinds and not (rule.parts_only and component.ref == sbom.root):
            yield component


def _question(rule: Rule, relations: Relations) -> Callable[[Component], str]:
    if rule.level is Level.COMPONENT:
        return COMPONENT[rule.check]
    tied = DEPENDENCY[rule.check]
    return lambda component: tied(component, relations)


def _as_dict(result: RuleResult) -> dict[str, Any]:
    rule = result.rule
    return {
        "id": rule.id,
        "title": rule.title,
        "source": rule.source,
        "level": rule.level.value,
        "weight": rule.weight,
        "blocking": rule.blocking,
        "passed": result.passed,
        "judged": result.judged,
        "fulfilled": result.fulfilled,
        "hint": rule.hint,
        "missing": [{"ref": each.ref, "component": each.label, "fault": each.fault} for each in result.missing],
    }
