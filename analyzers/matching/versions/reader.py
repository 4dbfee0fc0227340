"""One reader for every way the advisories write versions.

CSAF asks for one version (2.0, section 3.1.2.2.1) or a ``vers:`` expression (section 3.1.2.2.2, package-url/vers-spec);
publishers also write operators, lists, series, dates, prose and conditions. Prose is first rewritten to operators
(`prose`), conditions, models and remarks are set aside (`remarks`), and the remaining row of operators
and versions is folded into a `VersionSet`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from analyzers.matching.versions.fold import Part, fold
from analyzers.matching.versions.notation import format_versions, read_notation
from analyzers.matching.versions.order import compare, parse_version
from analyzers.matching.versions.prose import NEWER, OLDER, VERSION, clean, to_operators
from analyzers.matching.versions.remarks import (
    designation_name,
    excluded_versions,
    is_condition,
    is_condition_item,
    is_designation,
    names_serial_numbers,
    split_components,
    split_condition,
    split_exception,
    split_model,
    without_remarks,
)
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
    Verdict,
    VersionSet,
    contains,
    designations,
    fully_parsed,
)
from analyzers.matching.versions.words import read_date

__all__ = [
    "AllVersions",
    "Bound",
    "Conditional",
    "Designation",
    "Exact",
    "Except",
    "Operator",
    "Range",
    "Union",
    "Unparsed",
    "Verdict",
    "VersionSet",
    "contains",
    "designations",
    "format_versions",
    "fully_parsed",
    "parse_versions",
]

_LENGTH_CAP = 500
_ALL = re.compile(
    r"\*|versions?|(?:any|every)(?: (?:version|release))?"
    r"|(?:all|any|every)(?: (?:firmware|software|bios|known|current|released|supported|available|existing))*"
    r"(?: (?:sub|minor )?versions?| releases?| models?)?(?: of (?:the |its )?(?:firmware|software|product|device)s?)?"
    r"(?: (?:are|is))?(?: (?:affected|vulnerable|impacted))?",
    re.I,
)
_UNSTATED = re.compile(r"n/?a|unspecified|unknown|various|not specified|undefined|tbd|-", re.I)
_ALL_PREFIX = re.compile(
    r"^(?:all |any |every )?(?:(?:known|bios|firmware|software|os|fw|released|supported) )*(?:versions?|releases?)"
    r"(?: of)?\s*:?\s*(?=[<>=]|v?\.?\d|all\b|r\d)|^(?:all|any)\s+(?=[<>]|v?\d)|^bios\s+(?=[<>])",
    re.I,
)
_ALL_OF = re.compile(
    r"^all (?:of )?(?:(?:versions?|releases?) of )?(?P<v>v?\d+(?:\.\d+)*?)(?:\.?[x*])?(?: (?:versions?|releases?))?$"
    r"|^(?P<w>v?\d+(?:\.\d+)*) ?\(?(?:and )?all (?:sub|minor |patch )?(?:versions?|releases?)\)?$",
    re.I,
)
_MONTH = re.compile(r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b", re.I)
_OPERATORS = re.compile(r"(<=|>=|<|>|==?|!=)")
_SPAN = re.compile(
    r"^\(?(?:rev(?:ision)?s?\.?\s*)?(?P<low>[\w.]+?)(?:\s+-\s*|\s*-\s+|(?<=\s[a-z])-(?=[a-z]\)?$))(?P<high>[\w.]+)\)?$",
    re.I,
)
_SPLIT_PACK = re.compile(r"(?<=[\w.])\s*\|\s*(?=(?:sp|fp|mp|upd|update|hf|hotfix|service pack)\s*\d)", re.I)
_DOTTED_LIST = re.compile(r"v?\d+\.[\dx.]+(?:[ /]v?\d+\.[\dx.]+)+", re.I)
_REMEDY = re.compile(r"^(?:not|un)\s?affected|^(?:fixed|patched|resolved|corrected|remediated)\b", re.I)


@lru_cache(maxsize=65536)
def parse_versions(text: str) -> VersionSet:
    """Read the version text of an advisory or CVE record; never raises.

    Parameters
    ----------
    text
        As published: ``vers:all/<V7.0.3``, ``>= 4.01 | <= 4.34``, ``All versions``, ``3.36 | 3.40``, or the canonical
        notation of `format_versions`. An empty text names no version, hence all of them.

    Returns
    -------
    VersionSet
        `Unparsed`, alone or inside another set, for every part that could not be read.
    """
    if len(text) > _LENGTH_CAP:
        return Unparsed(text.strip()[:_LENGTH_CAP])
    noted = read_notation(text) if '"' in text or "{" in text else None
    if noted is not None:
        return noted
    cleaned = clean(text)
    if (not cleaned and not re.search(r"[^\s*]", text)) or _ALL.fullmatch(cleaned):
        return AllVersions()
    if not cleaned:
        return Unparsed(text.strip())
    if _UNSTATED.fullmatch(cleaned):
        return Conditional(AllVersions(), f"the source states {cleaned!r}")
    if _REMEDY.match(cleaned):
        return Unparsed(cleaned)
    if names_serial_numbers(cleaned):
        return Conditional(AllVersions(), cleaned)
    series = _ALL_OF.fullmatch(cleaned)
    if series:
        return _read(f"{series['v'] or series['w']}.x")
    return _with_conditions(cleaned)


def _with_conditions(text: str) -> VersionSet:
    """Set conditions, exceptions and models aside, then read the rest."""
    possibly_older = re.fullmatch(rf"({VERSION})\s*\(and possibly prior versions\)", text, re.I)
    if possibly_older:
        version = possibly_older.group(1)
        return Union((_read(version), Conditional(_read(f"<= {version}"), "possibly prior versions")))
    text, exception = split_exception(text)
    bare, remarks = without_remarks(text)
    picked, conditions = split_components(bare)
    kept: list[str] = []
    for item in re.split(r"(?<=[\w.])\s*\|\s*", _before_conditions(picked)):
        (conditions if is_condition_item(item) else kept).append(item.strip(" ,;."))
    bare, trailing = split_condition(" | ".join(kept))
    bare, model = split_model(bare.strip(" ,;."))
    versions = AllVersions() if not bare or _ALL.fullmatch(bare) else _read(bare)
    if model:
        versions = Designation(model, versions)
    for note in (f"except {exception}" if exception else "", *remarks, *trailing):
        excluded = excluded_versions(note)
        if excluded:
            versions = Except(versions, parse_versions(excluded))
        elif note and is_condition(note):
            conditions.append(note)
    return Conditional(versions, "; ".join(conditions)) if conditions else versions


def _before_conditions(text: str) -> str:
    """Words that begin like a condition and are none."""
    return re.sub(r"\b(?:starting|beginning|commencing)\s+(?:with|from|at)\b", "from", text, flags=re.I)


def _read(text: str) -> VersionSet:
    """Fold a text without remarks into a set."""
    if not re.search(r"[|;]", text) and is_designation(text) and to_operators(text) == text:
        return Designation(designation_name(text))
    enclosed = re.fullmatch(r"\((?:release )?([^()]+)\)", text, re.I)
    if enclosed:
        text = " | ".join(enclosed[1].split()) if re.search(r"\d\s+\d", enclosed[1]) else enclosed[1]
    text = to_operators(_ALL_PREFIX.sub("", _SPLIT_PACK.sub(" ", text)))
    text = _ALL_PREFIX.sub("", text.strip())
    parts = [part for item in _items(text) for part in _parts(item)]
    if not parts:
        return Unparsed(text)
    unfinished = re.search(r"\d\w*\s+(?:and|or|to)$", text)
    return Union((fold(parts), Unparsed(text))) if unfinished else fold(parts)


def _items(text: str) -> Iterator[str]:
    """Split a list; a comma inside a date belongs to the date."""
    pattern = (
        r"\||;|\band\b(?=\s*[<>=v\d])|&"
        if _MONTH.search(text)
        else r"\||;|,|\band\b|\bor\b|&|\s/\s?(?=v?\d|firmware|software)"
    )
    for item in re.split(pattern, text):
        stripped = re.sub(r"^\(+|(?<!\d)\)+$", "", item.strip(" ,;:")).strip()
        if stripped and stripped.lower() not in ("all versions", "versions"):
            listed = re.split(r"[\s/]", stripped) if _DOTTED_LIST.fullmatch(stripped) else [stripped]
            yield from [stripped] if any(map(read_date, listed)) else listed


def _parts(item: str) -> Iterator[Part]:
    """``>= V2.0 < V2.1.6`` -> ``(">=", "V2.0"), ("<", "V2.1.6")``; no operator is ``=``."""
    older, newer = OLDER in item, NEWER in item
    item = item.replace(OLDER, "").replace(NEWER, "").strip()
    pieces = [piece.strip(" ,:") for piece in _OPERATORS.split(item)]
    first = pieces[0]
    span = _SPAN.match(item)
    low, high = (parse_version(span["low"]), parse_version(span["high"])) if span else (None, None)
    if span and low and high and (compare(low, high) or 0) < (1 if high.open else 0):
        yield Part(">=", span["low"])
        yield Part("<=", span["high"])
    elif first and len(pieces) == 1:
        yield Part("<=" if older else ">=" if newer else "=", first)
    elif first:
        yield Part("from", first)
    for operator, version in zip(pieces[1::2], pieces[2::2], strict=False):
        yield Part({"==": "="}.get(operator, operator), version)
