"""Fold a row of operators and versions, as they are written one after the other, into a version set."""

from __future__ import annotations

import re
from typing import NamedTuple

from analyzers.matching.versions.order import Scheme, Version, branch_of, compare, parse_version
from analyzers.matching.versions.remarks import VERSION_WORDS, designation_name, is_code, is_designation, named_version
from analyzers.matching.versions.sets import (
    AllVersions,
    Bound,
    Conditional,
    Designation,
    Exact,
    Except,
    Operator,
    Range,
    Union,
    Unparsed,
    VersionSet,
)


class Part(NamedTuple):
    """An operator and what follows it; ``=`` for a version without one, ``from`` for one before an operator."""

    operator: str
    text: str


_NAMED_VERSION = re.compile(
    r"^(?!v?\d+\.|(?:19|20)\d\d\b|.*\b[rv]\d.*\s\w*v\d)(?:.*[\s/])?(?:versions?|ver|v|release)[\s.:]*(?=[rv]?\d)", re.I
)
_NAME_WORDS = re.compile(
    r"^(?:(?!(?:sp|update|upd|hotfix|build|rev|release|version|service|patch)\b)[a-z]{3,}[\s-]+)+(?=[rv]?\d)", re.I
)
_NAMED_RELEASE = re.compile(r"^\w[\w ]* (?:version|release) [rv]?\d[\w.]*$", re.I)
_COMPOUND = re.compile(r"^[a-z]+ \d+(?:\.\d+)+(?: [a-z]+ \d+(?:\.\d+)+)+$", re.I)
_MONTH = re.compile(r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b", re.I)
_SPAN = re.compile(r"^(?P<low>[\w.]+?)\s*-\s*(?P<high>[\w.]+)$")
_WORD = re.compile(r"[a-z]{3,}", re.I)


def fold(parts: list[Part]) -> VersionSet:
    """Pair lower with upper bounds in the order they are written, collect single versions in a list."""
    sets: list[VersionSet] = []
    uppers: list[Bound] = []
    exact: list[Version] = []
    excluded: list[Version] = []
    lower: Bound | None = None
    for operator, text in parts:
        if operator == "=" and (other := _not_a_version(text)) is not None:
            sets.append(other)
            continue
        version = parse_version(_bare_version(text))
        if version is None:
            if operator != "from":  # a name before an operator: "NMC2 <= 6.9.6"
                sets.append(Unparsed(f"{operator} {text}".removeprefix("= ").strip()))
            elif is_code(text) and len(parts) > 1:
                sets.append(Designation(text))
        elif operator == "=":
            exact.append(version)
        elif operator == "!=":
            excluded.append(version)
        elif operator in (">", ">=", "from"):
            if operator == "from" and (_is_name(text) or re.fullmatch(r"[a-z\s]{3,}", text, re.I)):
                continue
            if lower is not None:
                sets.append(Range((lower,)))
            lower = Bound(Operator.GREATER if operator == ">" else Operator.GREATER_EQUAL, version)
        else:
            upper = Bound(Operator(operator), version)
            if lower is None or (compare(lower.version, version) or 0) > 0:
                uppers.append(upper)
                continue
            sets.append(Range((lower, upper)))
            if parts[0].operator == "from" and _may_be_a_list(lower.version, upper):
                sets.append(Conditional(Exact((version,)), "the upper end may be meant to be included"))
            lower = None
    if lower is not None:
        sets.append(Range((lower,)))
        exact = _end_of_list(lower, exact, sets)
    if any(isinstance(found, Designation) for found in sets):
        bare = [version for version in exact if re.fullmatch(r"[\w-]+", version.text)]
        sets.extend(Designation(version.text) for version in bare)
        exact = [version for version in exact if version not in bare]
    sets.extend(_branches(uppers, bool(sets)))
    sets.extend(_listed(exact, uppers))
    return _without(_joined(sets), excluded)


def _joined(sets: list[VersionSet]) -> VersionSet:
    """One set; order numbers at the beginning say whose versions follow."""
    names = [found for found in sets if isinstance(found, Designation)]
    others = [found for found in sets if not isinstance(found, Designation)]
    ranges = [found for found in others if isinstance(found, Range | Conditional)]
    if names and ranges and len(ranges) == len(others):
        inner = others[0] if len(others) == 1 else Union(tuple(others))
        return Designation(" | ".join(name.text for name in names), inner)
    if len(sets) > 1 and AllVersions() in sets:
        sets = [Conditional(AllVersions(), "stated beside other versions") if s == AllVersions() else s for s in sets]
    return sets[0] if len(sets) == 1 else Union(tuple(sets))


def _without(versions: VersionSet, excluded: list[Version]) -> VersionSet:
    if not excluded:
        return versions
    return Except(AllVersions() if versions == Union(()) else versions, Exact(tuple(excluded)))


def _not_a_version(text: str) -> VersionSet | None:
    """What a single item is when it is no version; None when it is one."""
    if text == "*":
        return AllVersions()
    if _COMPOUND.match(text) or named_version(text) or _NAMED_RELEASE.match(text):
        return None
    if is_designation(text):
        return Designation(designation_name(text))
    return Unparsed(text) if parse_version(_bare_version(text)) is None or _is_name(text) else None


def _bare_version(text: str) -> str:
    """Drop the product's name that some publishers repeat before the version."""
    if (_MONTH.search(text) and parse_version(text)) or _COMPOUND.match(text):
        return text
    bare = _NAME_WORDS.sub("", _NAMED_VERSION.sub("", text)).strip()
    return named_version(bare) or bare if _is_name(bare) else bare


def _is_name(text: str) -> bool:
    """A word, an order number or a model code, where a version was expected."""
    words = {word.lower() for word in _WORD.findall(text)} - VERSION_WORDS
    if words and not (_MONTH.search(text) and parse_version(text)):
        return True
    return is_code(text)


def _may_be_a_list(low: Version, upper: Bound) -> bool:
    """``A10 < A11`` may be a range, or two versions with the wrong sign between them."""
    return (
        upper.operator is Operator.LESS
        and low.scheme is Scheme.LETTERS
        and len(low.pattern) == len(upper.version.pattern) == 2
    )


def _end_of_list(lower: Bound, exact: list[Version], sets: list[VersionSet]) -> list[Version]:
    """``>= 2.0.0 | 2.6.2``: the single version is probably the upper end, so what is newer stays open."""
    if len(exact) != 1 or len(sets) != 1 or (compare(lower.version, exact[0]) or 0) >= 0:
        return exact
    upper = Bound(Operator.LESS_EQUAL, exact[0])
    sets[:] = [Range((lower, upper)), Conditional(Range((lower,)), "no upper end is stated")]
    return []


def _branches(uppers: list[Bound], among_others: bool) -> list[VersionSet]:
    """Several upper bounds are maintenance branches: each speaks for the versions that begin like it."""
    if len(uppers) < 2:
        return [Range((upper,)) for upper in uppers]
    length = next((n for n in range(1, 5) if len({bound.version.pattern[:n] for bound in uppers}) == len(uppers)), 0)
    whole: list[VersionSet] = [Conditional(Range((upper,)), "several branches are named") for upper in uppers]
    if not length or among_others:
        return whole
    series = [(branch_of(bound.version, length), bound) for bound in uppers]
    own: list[VersionSet] = [
        Range((Bound(Operator.GREATER_EQUAL, branch), bound)) for branch, bound in series if branch is not None
    ]
    return [*own, *whole]


def _listed(exact: list[Version], uppers: list[Bound]) -> list[VersionSet]:
    """A list of versions; after an upper bound, the operator may have been meant for each of them."""
    spans = {version: span for version in exact if (span := _span(version)) is not None}
    single = [version for version in exact if not isinstance(spans.get(version), Range)]
    sets: list[VersionSet] = [Exact(tuple(single))] if single else []
    newer = [version for version in single if uppers and (compare(version, uppers[0].version) or 1) > 0]
    sets.extend(
        Conditional(Range((Bound(uppers[0].operator, version),)), "the operator may hold for the whole list")
        for version in newer
    )
    return [*sets, *spans.values()]


def _span(version: Version) -> VersionSet | None:
    """``12.0.1-12.0.13`` is a range, ``20-33`` perhaps, ``2.03-06`` is one version."""
    found = _SPAN.match(version.text)
    low, high = (parse_version(found["low"]), parse_version(found["high"])) if found else (None, None)
    if not found or low is None or high is None or (compare(low, high) or 0) >= 0:
        return None
    dots = {found["low"].count("."), found["high"].count(".")}
    letters = Scheme.LETTERS in (low.scheme, high.scheme)
    if len(dots) > 1 or (not letters and len(low.pattern) != len(high.pattern)):
        return None
    span = Range((Bound(Operator.GREATER_EQUAL, low), Bound(Operator.LESS_EQUAL, high)))
    prefixed = found["high"][0].isalpha()
    if letters or prefixed or max(dots) >= 2 or (max(dots) == 1 and len(low.pattern) > 2):
        return span
    return Conditional(span, f"{version.text!r} may be a range")
