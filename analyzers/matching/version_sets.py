"""A small algebra of version sets: what an advisory's version text means, and whether an installed version lies in it.

What could not be read is `Unparsed`, and UNKNOWN for every installed version: never "not affected".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from analyzers.matching.version_order import Version, compare, parse_version, same_style


class Verdict(StrEnum):
    """Whether an installed version lies in a set."""

    AFFECTED = "affected"
    NOT_AFFECTED = "not affected"
    UNKNOWN = "unknown"


class Operator(StrEnum):
    """How a bound holds."""

    LESS = "<"
    LESS_EQUAL = "<="
    GREATER = ">"
    GREATER_EQUAL = ">="

    @property
    def is_upper(self) -> bool:
        """True for ``<`` and ``<=``."""
        return self in (Operator.LESS, Operator.LESS_EQUAL)

    def holds(self, order: int) -> bool:
        """Whether a version with this `order` against the bound (-1, 0, 1) fulfils it."""
        return {
            Operator.LESS: order < 0,
            Operator.LESS_EQUAL: order <= 0,
            Operator.GREATER: order > 0,
            Operator.GREATER_EQUAL: order >= 0,
        }[self]


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of a range."""

    operator: Operator
    version: Version


@dataclass(frozen=True, slots=True)
class AllVersions:
    """Every version."""


@dataclass(frozen=True, slots=True)
class Range:
    """Versions that fulfil every bound."""

    bounds: tuple[Bound, ...]


@dataclass(frozen=True, slots=True)
class Exact:
    """A list of versions or series (``14.1.x``)."""

    versions: tuple[Version, ...]


@dataclass(frozen=True, slots=True)
class Conditional:
    """Versions that are affected only under a condition nobody can check from an inventory, or only perhaps."""

    versions: VersionSet
    condition: str


@dataclass(frozen=True, slots=True)
class Unparsed:
    """A text this reader does not understand."""

    text: str


@dataclass(frozen=True, slots=True)
class Union:
    """What lies in any of the parts."""

    parts: tuple[VersionSet, ...]


VersionSet = AllVersions | Range | Exact | Conditional | Unparsed | Union


def contains(versions: VersionSet, installed: str) -> Verdict:
    """Whether the installed version lies in the set.

    Returns
    -------
    Verdict
        UNKNOWN for an empty, unreadable or incomparable version, an unreadable set or an open condition.
    """
    match versions:
        case AllVersions():
            return Verdict.AFFECTED
        case Unparsed(text):
            return Verdict.AFFECTED if installed.strip() and _same_text(text, installed) else Verdict.UNKNOWN
        case Conditional(inner):
            verdict = contains(inner, installed)
            return Verdict.UNKNOWN if verdict is Verdict.AFFECTED else verdict
        case Union(parts):
            return _any([contains(part, installed) for part in parts])
        case Exact(stated):
            return _any([_equals(version, installed) for version in stated])
        case Range(bounds):
            return _all([_fulfils(bound, installed) for bound in bounds])


def fully_parsed(versions: VersionSet) -> bool:
    """True when no part of the set is `Unparsed`."""
    match versions:
        case Unparsed():
            return False
        case Union(parts):
            return all(fully_parsed(part) for part in parts)
        case Conditional(inner):
            return fully_parsed(inner)
        case _:
            return True


def format_versions(versions: VersionSet) -> str:
    """The set in one canonical notation that `versions.parse_versions` reads back."""
    match versions:
        case AllVersions():
            return "vers:all/*"
        case Unparsed(text):
            return text
        case Conditional(inner, condition):
            return f"{format_versions(inner)} ({condition})"
        case Union(parts):
            return " | ".join(format_versions(part) for part in parts)
        case Exact(stated):
            return " | ".join(version.text for version in stated)
        case Range(bounds):
            return " | ".join(f"{bound.operator} {bound.version.text}" for bound in bounds)


def _same_text(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _equals(stated: Version, installed: str) -> Verdict:
    if _same_text(stated.text, installed):
        return Verdict.AFFECTED
    own = parse_version(installed)
    order = compare(own, stated) if own else None
    if own is None or order is None or (order and not same_style(own, stated)):
        return Verdict.UNKNOWN
    return Verdict.NOT_AFFECTED if order else Verdict.AFFECTED


def _fulfils(bound: Bound, installed: str) -> Verdict:
    own = parse_version(installed)
    order = compare(own, bound.version) if own else None
    if order is None:
        return Verdict.UNKNOWN
    return Verdict.AFFECTED if bound.operator.holds(order) else Verdict.NOT_AFFECTED


def _any(verdicts: list[Verdict]) -> Verdict:
    for verdict in (Verdict.AFFECTED, Verdict.UNKNOWN):
        if verdict in verdicts:
            return verdict
    return Verdict.NOT_AFFECTED


def _all(verdicts: list[Verdict]) -> Verdict:
    for verdict in (Verdict.NOT_AFFECTED, Verdict.UNKNOWN):
        if verdict in verdicts:
            return verdict
    return Verdict.AFFECTED
