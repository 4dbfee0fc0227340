"""One reader for every way the advisories write versions.

CSAF asks for one version (2.0, section 3.1.2.2.1) or a ``vers:`` expression (section 3.1.2.2.2, package-url/vers-spec);
publishers also write operators, lists, series, dates, prose and conditions. Prose is first rewritten to operators,
conditions are set aside, and the remaining row of operators and versions is folded into a `VersionSet`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from analyzers.matching.version_order import Scheme, Version, compare, parse_version
from analyzers.matching.version_sets import (
    AllVersions,
    Bound,
    Conditional,
    Exact,
    Operator,
    Range,
    Union,
    Unparsed,
    Verdict,
    VersionSet,
    contains,
    format_versions,
    fully_parsed,
)

__all__ = [
    "AllVersions",
    "Bound",
    "Conditional",
    "Exact",
    "Operator",
    "Range",
    "Union",
    "Unparsed",
    "Verdict",
    "VersionSet",
    "contains",
    "format_versions",
    "fully_parsed",
    "parse_versions",
]

_LENGTH_CAP = 500
_V = (
    r"(?:(?:version|ver|v|rev|r)[\s.]*)?[\w.()-]{0,40}?\d[\w.()-]{0,40}"
    r"(?:\s+(?:sp|upd|update|hf|hotfix|build|patch|r)\s*\d\w*)*"
)

_SPELLINGS = (
    (re.compile(r"[\u2010-\u2015\u2212]"), "-"),
    (re.compile(r"[\u00a0\u2007\u202f_]"), " "),
    (re.compile(r"\u2264|=<"), "<="),
    (re.compile(r"\u2265|=>"), ">="),
    (re.compile(r"([<>])\s+="), r"\1="),
    (re.compile(r"\s+"), " "),
)
_ALL = re.compile(
    r"(?:vers:[\w.-]+/)?\*|any(?: version)?"
    r"|all(?: (?:firmware|software|bios|known|current))?(?: versions?| releases?)?"
)
_UNSTATED = re.compile(r"n/?a|unspecified|unknown|various|not specified", re.I)
_ALL_PREFIX = re.compile(
    r"^(?:all )?(?:(?:known|bios|firmware|software|os|fw) )*versions?\s*:?\s*(?=[<>=]|v?\d|all\b)"
    r"|^all\s+(?=[<>])|^bios\s+(?=[<>])",
    re.I,
)
_LATER = r"(?:(?:all|any|possibly|other)\s+)*"
_PROSE = (
    (re.compile(rf"\bbetween\s+({_V})\s*\(including\)\s*and\s+({_V})\s*\(excluding\)", re.I), r">= \1 | < \2"),
    (re.compile(rf"\bbetween\s+({_V})\s+and\s+({_V})", re.I), r">= \1 | <= \2"),
    (re.compile(rf"^({_V})\s*\(including\)\s*and\s+({_V})\s*\(excluding\)", re.I), r">= \1 | < \2"),
    (
        re.compile(
            rf"[,\s]*\b(?:and|or)\s+{_LATER}(?:prior|earlier|below|previous|older|lower)(?:\s+versions?)?\b", re.I
        ),
        " AND-OLDER",
    ),
    (
        re.compile(rf"[,\s]*\b(?:and|or)\s+{_LATER}(?:later|newer|above|higher|up)(?:\s+versions?)?\b", re.I),
        " AND-NEWER",
    ),
    (re.compile(r"[\s,-]*\bbut\b", re.I), ""),
    (re.compile(r"\bnot (?:including|before)\b", re.I), "<"),
    (re.compile(r"\b(?:prior to|before|below) (?:and|or) (?:including|equal to)\b", re.I), "<="),
    (re.compile(r"\bup to(?:,? and including)?\b", re.I), "<="),
    (re.compile(r"\b(?:prior to|before|earlier than|older than|lower than|below|less than)\b", re.I), "<"),
    (re.compile(r"\b(?:newer than|later than|above|greater than)\b", re.I), ">"),
    (re.compile(rf"\b(?:from\s+)?({_V})\s+(?:through|thru|until|to)\s+(?={_V})", re.I), r">= \1 | <= "),
    (re.compile(r"^\s*(?:starting )?from\s+", re.I), ">= "),
    (re.compile(r"([<>]=?)\s*(?:and|the|versions?|release)\b\s*", re.I), r"\1 "),
    (re.compile(r"([<>]=?)\s*([<>]=?)"), r"\2"),
)
_NOT_VERSIONS = re.compile(
    r"serial|manufactur|production|shipped|distributed|material dated|numbers? ending|runtime custom", re.I
)
_CONDITION = re.compile(
    r"[\s,]+(?:only (?:if|when|affected|with|for)|if|when|where|with|without|using|running|installed|based on"
    r"|on (?:windows|linux|a)|of [a-z]|in (?:non-)?default|that|only when"
    r"|including [a-z]+(?: [a-z]+)* (?:modules?|stack|server)|and function state|and wonderware|part #|model \w)\b.*$",
    re.I,
)
_HARMLESS = re.compile(
    r"end[- ]of[- ]life|\beol\b|formerly|former|integrated into|\baka\b|these products are sold|part of|starterkit"
    r"|releases?\b|revision|editions?\b|build nr|series\)?$|based on fdt|^(?:incl|including)\b|r\d{3}$",
    re.I,
)
_EXCLUSION = re.compile(r"exclud|except|prior|\bnot\b", re.I)
_VERSION_IN_PARENTHESES = re.compile(r"(?:build|bn|rev|release|version)?[\s.]*v?\d[\w.]*|[a-z]?\d+[a-z]?", re.I)
_OPERATORS = re.compile(r"(<=|>=|<|>|==?|!=)")
_NAMED_VERSION = re.compile(r"^(?!\d|.*\b[rv]\d.*\s\w*v\d)(?:.*\s)?(?:version|ver|v)[\s.]*(?=\d)", re.I)
_NAME_WORDS = re.compile(
    r"^(?:(?!(?:sp|update|upd|hotfix|build|rev|release|version|service|patch)\b)[a-z]{3,}[\s-]+)+(?=[rv]?\d)", re.I
)
_MONTH = re.compile(r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b", re.I)
_SPAN = re.compile(r"^\(?(?:rev(?:ision)?s?\.?\s*)?(?P<low>[\w.]+?)\s*-\s*(?P<high>[\w.]+)\)?$", re.I)
_CODE = re.compile(
    r"^[a-z]{3,}[\s-]?\d|^[a-z]{2,}\d+[a-z]+\d*$|^[a-z]\d+[a-z]+\d+[a-z]*$|^[a-z]\w*-[a-z]*\d[\w-]*$|^\d{4}-[a-z]\w{5,}$",
    re.I,
)
_WORD = re.compile(r"[a-z]{3,}", re.I)
_MARKER_WORDS = {
    "build", "patch", "update", "upd", "hotfix", "service", "pack", "beta", "alpha", "rev", "revision", "release",
    "version", "ver", "edition", "firmware", "preview", "feature", "security", "image",
}  # fmt: skip


@lru_cache(maxsize=65536)
def parse_versions(text: str) -> VersionSet:
    """Read the version text of an advisory or CVE record; never raises.

    Parameters
    ----------
    text
        As published: ``vers:all/<V7.0.3``, ``>= 4.01 | <= 4.34``, ``All versions``, ``3.36 | 3.40``.
        An empty text names no version, hence all of them.

    Returns
    -------
    VersionSet
        `Unparsed`, alone or inside a `Union`, for every part that could not be read.
    """
    cleaned = text.strip()
    if len(cleaned) > _LENGTH_CAP:
        return Unparsed(cleaned[:_LENGTH_CAP])
    for pattern, replacement in _SPELLINGS:
        cleaned = pattern.sub(replacement, cleaned)
    cleaned = cleaned.strip(" ,;")
    if not cleaned or _ALL.fullmatch(cleaned.lower()):
        return AllVersions()
    if _UNSTATED.fullmatch(cleaned):
        return Conditional(AllVersions(), f"the source states {cleaned!r}")
    if _NOT_VERSIONS.search(cleaned):
        return Conditional(AllVersions(), cleaned)
    cleaned = re.sub(r"^vers:[\w.-]+/", "", cleaned, flags=re.I)
    return _with_condition(cleaned)


def _with_condition(text: str) -> VersionSet:
    """Set a condition aside, then read the rest."""
    bare, notes = _split_parentheses(text)
    found = _CONDITION.search(" " + bare)
    if found:
        notes.append(found.group().strip(" ,"))
        bare = (" " + bare)[: found.start()].strip()
    bare = bare.strip(" ,;.")
    versions = AllVersions() if not bare or _ALL.fullmatch(bare.lower()) else _read(bare)
    conditions = [note for note in notes if _EXCLUSION.search(note) or not _HARMLESS.search(note)]
    if "possibly" in text and "prior" in text:
        conditions = []
    return Conditional(versions, "; ".join(conditions)) if conditions else versions


def _split_parentheses(text: str) -> tuple[str, list[str]]:
    """Take remarks in parentheses out; leave those that are part of a version or of a range in words."""
    notes: list[str] = []

    def decide(match: re.Match[str]) -> str:
        content = match.group(1).strip()
        attached = match.start() > 0 and text[match.start() - 1] not in " )"
        lowered = content.lower()
        if lowered in ("including", "excluding") or "possibly" in lowered or attached or match.start() == 0:
            return match.group()
        if _VERSION_IN_PARENTHESES.fullmatch(content):
            short = lowered.startswith(("build", "bn")) or (content.isdigit() and len(content) < 4)
            return match.group() if short else " "
        notes.append(content)
        return " "

    bare = re.sub(r"\(([^()]*(?:\([^()]*\)[^()]*)*)\)?", decide, text)
    return bare, notes


def _read(text: str) -> VersionSet:
    """Fold a text without remarks into a set."""
    if re.fullmatch(r"\((?:release )?([^()]+)\)", text, re.I):
        inner = re.sub(r"^\((?:release )?|\)$", "", text, flags=re.I)
        text = " | ".join(inner.split()) if re.search(r"\d\s+\d", inner) else inner
    possibly_older = re.fullmatch(rf"({_V})\s*\(and possibly prior versions\)", text, re.I)
    if possibly_older:
        version = possibly_older.group(1)
        return Union((_read(version), Conditional(_read(f"<= {version}"), "possibly prior versions")))
    text = _ALL_PREFIX.sub("", text)
    for pattern, replacement in _PROSE:
        text = pattern.sub(replacement, text)
    parts: list[tuple[str, str]] = []
    for item in _items(text):
        parts.extend(_pairs(item))
    return _fold(parts) if parts else Unparsed(text)


def _items(text: str) -> Iterator[str]:
    """Split a list; a comma inside a date belongs to the date."""
    pattern = r"\||;|\band\b(?=\s*[<>=v\d])|&" if _MONTH.search(text) else r"\||;|,|\band\b|\bor\b|&"
    for item in re.split(pattern, text):
        stripped = item.strip(" ,;:")
        if stripped and stripped.lower() not in ("all versions", "versions"):
            yield re.sub(r"^\(+|\(+$", "", stripped).strip()


def _pairs(item: str) -> Iterator[tuple[str, str]]:
    """``>= V2.0 < V2.1.6`` -> ``(">=", "V2.0"), ("<", "V2.1.6")``; no operator is ``=``."""
    older, newer = " AND-OLDER" in " " + item, " AND-NEWER" in " " + item
    item = item.replace("AND-OLDER", "").replace("AND-NEWER", "")
    pieces = [piece.strip(" ,:") for piece in _OPERATORS.split(item)]
    first = pieces[0]
    span = _SPAN.match(item)
    low, high = (parse_version(span["low"]), parse_version(span["high"])) if span and " " in item else (None, None)
    if span and low and high and (compare(low, high) or 0) < 0:
        yield ">=", span["low"]
        yield "<=", span["high"]
    elif first and len(pieces) == 1:
        yield ("<=" if older else ">=" if newer else "="), first
    elif first and parse_version(_bare_version(first)) and not _is_name(first):
        yield "from", first
    for operator, version in zip(pieces[1::2], pieces[2::2], strict=False):
        yield {"==": "="}.get(operator, operator), version


def _bare_version(text: str) -> str:
    """Drop the product's name that some publishers repeat before the version."""
    if _MONTH.search(text) and parse_version(text):
        return text
    return _NAME_WORDS.sub("", _NAMED_VERSION.sub("", text)).strip()


def _is_name(text: str) -> bool:
    """A word, an order number or a model code, where a version was expected."""
    words = {word.lower() for word in _WORD.findall(text)} - _MARKER_WORDS
    parsed = parse_version(text)
    if words and not (parsed and _MONTH.search(text)):
        return True
    return bool(_CODE.match(text)) and not re.match(r"v?\d", text, re.I)


def _fold(parts: list[tuple[str, str]]) -> VersionSet:
    """Pair lower with upper bounds, in the order they are written."""
    sets: list[VersionSet] = []
    uppers: list[Bound] = []
    exact: list[Version] = []
    lower: Bound | None = None
    for operator, text in parts:
        version = parse_version(_bare_version(text))
        if version is None or (operator == "=" and _is_name(text)):
            sets.append(Unparsed(text))
            continue
        if operator == "=":
            exact.append(version)
        elif operator == "!=":
            sets.append(Unparsed(f"!= {text}"))
        elif operator in (">", ">=", "from"):
            if lower is not None:
                sets.append(Range((lower,)))
            lower = Bound(Operator.GREATER if operator == ">" else Operator.GREATER_EQUAL, version)
        else:
            upper = Bound(Operator(operator), version)
            if lower is None or (compare(lower.version, version) or 0) > 0:
                uppers.append(upper)
                continue
            sets.append(Range((lower, upper)))
            if parts[0][0] == "from" and upper.operator is Operator.LESS:
                sets.append(Conditional(Exact((version,)), "the upper end may be meant to be included"))
            lower = None
    if lower is not None:
        sets.append(Range((lower,)))
    sets.extend(_branches(uppers, bool(sets)))
    sets.extend(_listed(exact, uppers))
    return sets[0] if len(sets) == 1 else Union(tuple(sets))


def _branches(uppers: list[Bound], among_others: bool) -> list[VersionSet]:
    """Several upper bounds are maintenance branches: each speaks for the versions that begin like it."""
    if len(uppers) < 2:
        return [Range((upper,)) for upper in uppers]
    length = next((n for n in range(1, 5) if len({bound.version.pattern[:n] for bound in uppers}) == len(uppers)), 0)
    whole: list[VersionSet] = [Conditional(Range((upper,)), "several branches are named") for upper in uppers]
    if not length or among_others:
        return whole
    return [
        *(Range((Bound(Operator.GREATER_EQUAL, _branch(bound.version, length)), bound)) for bound in uppers),
        *whole,
    ]


def _branch(version: Version, length: int) -> Version:
    """The open pattern of the branch a version belongs to."""
    pattern = version.pattern[:length]
    return Version(f"{version.text} branch", version.scheme, (*pattern, version.tokens[-1]), pattern, open=True)


def _listed(exact: list[Version], uppers: list[Bound]) -> list[VersionSet]:
    """A list of versions; after an upper bound, the operator may have been meant for each of them."""
    sets: list[VersionSet] = [Exact(tuple(exact))] if exact else []
    if exact and uppers:
        operator = uppers[0].operator
        sets.extend(
            Conditional(Range((Bound(operator, version),)), "the operator may hold for the whole list")
            for version in exact
        )
    for version in exact:
        span = _SPAN.match(version.text)
        low, high = (parse_version(span["low"]), parse_version(span["high"])) if span else (None, None)
        if low and high and (compare(low, high) or 0) < 0:
            bounds = (Bound(Operator.GREATER_EQUAL, low), Bound(Operator.LESS_EQUAL, high))
            dots = {version.text.count(".") for version in (low, high)}
            firm = Scheme.LETTERS in (low.scheme, high.scheme) or (len(dots) == 1 and max(dots) >= 2)
            sets.append(Range(bounds) if firm else Conditional(Range(bounds), f"{version.text!r} may be a range"))
    return sets
