"""A small algebra of version sets: what an advisory's version text means, and whether an installed version lies in it.

What could not be read is `Unparsed`, and what names a model or part instead of a version is a `Designation`: both are
UNKNOWN for every installed version, never "not affected".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from analyzers.matching.versions.order import (
    Version,
    compare,
    differs_by_build,
    leaves_out,
    parse_version,
    same_style,
)

_NAME_BEFORE = re.compile(r"^[a-z]{2,}[\s_-]+(?=v?\d)", re.I)


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
class Except:
    """Versions of one set that do not lie in the other."""

    versions: VersionSet
    excluded: VersionSet


@dataclass(frozen=True, slots=True)
class Designation:
    """A model, order number, part or protocol that a publisher wrote where the version belongs.

    Attributes
    ----------
    text
        What it is called; `stated.stated_products` reads it as part of the product's name.
    versions
        Versions of it, when the text names some too (``v8.x model 35700BAX2``).
    """

    text: str
    versions: VersionSet = AllVersions()


@dataclass(frozen=True, slots=True)
class Unparsed:
    """A text this reader does not understand."""

    text: str


@dataclass(frozen=True, slots=True)
class Union:
    """What lies in any of the parts."""

    parts: tuple[VersionSet, ...]


VersionSet = AllVersions | Range | Exact | Conditional | Except | Designation | Unparsed | Union


def contains(versions: VersionSet, installed: str) -> Verdict:
    """Whether the installed version lies in the set.

    Returns
    -------
    Verdict
        UNKNOWN for an empty, unreadable or incomparable version, an unreadable set, an open condition, or a version
        written too short to tell (``2.0`` against ``>= 2.0.3``).
    """
    match versions:
        case AllVersions():
            return Verdict.AFFECTED
        case Unparsed(text):
            return Verdict.AFFECTED if installed.strip() and _same_text(text, installed) else Verdict.UNKNOWN
        case Conditional(inner):
            return _at_most_unknown(contains(inner, installed))
        case Designation(text, inner):
            same = bool(installed.strip()) and _same_text(text, installed)
            return Verdict.AFFECTED if same else _at_most_unknown(contains(inner, installed))
        case Except(inner, excluded):
            return _all([contains(inner, installed), _opposite(contains(excluded, installed))])
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
        case Except(inner, excluded):
            return fully_parsed(inner) and fully_parsed(excluded)
        case Conditional(inner) | Designation(_, inner):
            return fully_parsed(inner)
        case _:
            return True


def designations(versions: VersionSet) -> tuple[Designation, ...]:
    """The models, order numbers and parts that a set names instead of versions."""
    match versions:
        case Designation():
            return (versions,)
        case Union(parts):
            return tuple(found for part in parts for found in designations(part))
        case Conditional(inner, condition):
            return tuple(
                Designation(found.text, Conditional(found.versions, condition)) for found in designations(inner)
            )
        case _:
            return ()


def _same_text(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _equals(stated: Version, installed: str) -> Verdict:
    if _same_text(stated.text, installed):
        return Verdict.AFFECTED
    own, order = _compared(installed, stated)
    if own is None or order is None or (order and (leaves_out(own, stated) or not same_style(own, stated))):
        return Verdict.UNKNOWN
    return Verdict.NOT_AFFECTED if order else Verdict.AFFECTED


def _fulfils(bound: Bound, installed: str) -> Verdict:
    own, order = _compared(installed, bound.version)
    if own is None or order is None:
        return Verdict.UNKNOWN
    if bound.operator.holds(order):
        return Verdict.AFFECTED
    return Verdict.UNKNOWN if order < 0 and leaves_out(own, bound.version) else Verdict.NOT_AFFECTED


def _compared(installed: str, stated: Version) -> tuple[Version | None, int | None]:
    """The installed version and its order; a name before it (``Android 6.0``) goes where it is in the way."""
    for text in dict.fromkeys((installed, _NAME_BEFORE.sub("", installed.strip()))):
        own = parse_version(text)
        order = _compare(own, stated) if own else None
        if order is not None:
            return own, order
    return None, None


def _compare(own: Version, stated: Version) -> int | None:
    return 0 if differs_by_build(own, stated) else compare(own, stated)


def _at_most_unknown(verdict: Verdict) -> Verdict:
    return Verdict.UNKNOWN if verdict is Verdict.AFFECTED else verdict


def _opposite(verdict: Verdict) -> Verdict:
    return {Verdict.AFFECTED: Verdict.NOT_AFFECTED, Verdict.NOT_AFFECTED: Verdict.AFFECTED}.get(verdict, verdict)


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
