"""Where a text speaks of versions: one version, a list, a range, or all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from analyzers.advisory_text.spans import Span, span
from analyzers.matching.versions.reader import parse_versions
from analyzers.matching.versions.sets import fully_parsed

_WORDS = "software firmware hardware bios sw fw os".split()
_KEY = (
    r"(?:(?:all|any|the|these|following|known|current|affected|vulnerable|supported|previous|older)\s{1,2}){0,4}"
    rf"(?:(?:{'|'.join(_WORDS)})\s{{1,2}}){{0,2}}"
    r"(?:versions?\b(?:\(s\))?|releases?\b|revisions?\b|revs?\b\.?|builds?\b|ver\b\.?|firmware|software)"
)
_BY = r"(?:\s{1,2}(?:(?:and|or)\s)?(?:including|excluding))?"
_OPERATOR = (
    r"(?:[<>\u2264\u2265]\s?=?|=[<>]|(?:prior|previous) to|before|below|(?:earlier|older|lower|less|later|newer"
    r"|greater) than"
    r"|up to(?:,? (?:and )?including,?)?|through|until|from|since|starting (?:from|with|at)|between|above)" + _BY
)
_NUMBER = (
    r"(?>(?:[A-Za-z]{1,5}[.\-_]?)?\d\w{0,15}(?:[.\-+_/]\w{1,15}){0,8}(?:\(\w{1,10}\))?"
    r"(?:\s(?:SP|Service Pack|Update|Upd|Hotfix|HF|Build|Patch|Rev|R|beta|rc|GA|D)\.?[\s-]?\d[\w.]{0,12}){0,2})"
)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]{0,6}"
_V = rf"(?:(?:version|ver|rev|revision|release)\.?\s)?(?:{_NUMBER}|{_MONTH}\s(?:\d{{1,2}},?\s)?20\d\d)"
# A bare number before a lower-case word counts something else: "1.0, 2 vulnerabilities".
_NOT_A_COUNT = r"(?!\d{1,4}\s(?!through|thru|until|prior|before|earlier|below|above|to\b|and\b|or\b)[a-z]{4,})"
_LINK = r"(?:\s?(?:,\s?(?:and\s|or\s|to\s)?|\||/|;|&|\u2013)\s?|\s(?:and|or|to|but|-)\s)"
_DIRECTION = (
    r"(?:,?\s{1,2}\(?(?:and|or|and/or)(?:\s(?:all|any|possibly|other|the)){0,2}\s"
    r"(?:prior|earlier|below|previous|older|lower|before|later|newer|above|higher|up)"
    r"(?:\s(?:versions?|releases?|revisions?)\b)?\)?)"
)
_MORE = rf"(?:(?:{_LINK}(?:{_KEY}\s)?(?:{_OPERATOR}\s?)?|\s{_OPERATOR}\s?(?:{_KEY}\s)?){_NOT_A_COUNT}{_V}){{0,24}}+"
_LETTER = r"(?:[B-HJ-Z]|[A-Z]{2})(?:[.\-]\w{1,6}){0,3}(?![a-z]|\w)"
_PHRASES = re.compile(
    "|".join(
        (
            rf"(?P<key>\b{_KEY}\s?:?\s{{0,2}}(?:of\s)?(?:{_OPERATOR}\s?(?:{_KEY}\s)?)?{_NOT_A_COUNT}{_V}{_MORE}{_DIRECTION}?)",
            rf"(?P<letter>\b{_KEY}(?:\s?:\s?|\s{{1,2}}){_LETTER}(?:{_LINK}{_LETTER}){{0,8}}{_DIRECTION}?)",
            rf"(?P<operator>(?<!\w){_OPERATOR}\s?(?:{_KEY}\s)?{_NOT_A_COUNT}{_V}{_MORE}{_DIRECTION}?)",
            rf"(?P<bare>(?<![\w.,\-/])(?:v\d\w{{0,12}}(?:[.\-]\w{{1,12}}){{0,6}}|\d{{1,5}}(?:\.\w{{1,12}}){{1,6}})(?![\w%]){_MORE}{_DIRECTION}?)",
            rf"(?P<directed>(?<![\w.,\-/]){_NUMBER}{_MORE}{_DIRECTION})",
            r"(?P<all>\b(?:all|any)\s(?:(?:known|current|currently|supported|software|firmware|hardware|released|existing|available"
            r"|product|of|the)\s){0,4}(?:versions?|releases?|revisions?)\b"
            r"(?!\s(?:prior|before|earlier|older|lower|up to|below|from|between|through|since|manufactured"
            r"|released|shipped|made"
            r"|distributed|running|with|when|where|only|except|excluding|other than|apart from|[<>\u2264\u2265=]))"
            r"|(?<=[:\-\u2013] )\*(?=\n|$)"
            r"|\bvers:[\w.-]{1,20}/\S{1,120})",
        )
    ),
    re.I,
)
_LETTER_CASE = re.compile(rf"{_LETTER}(?:{_LINK}{_LETTER}){{0,8}}{_DIRECTION}?$")
_COUNTED_ELSEWHERE = re.compile(
    r"(?:\bscore(?: of)?|\bport|\bports|\bsection|\bchapter|\btable|\bfigure|\bstep|\bpage|\bCVSS(?:v\d)?|\bTLS"
    r"|\bSSL|\bHTTP"
    r"|\bUSB|\bBluetooth|\bRFC|\bISO|\bIEC|\bIEEE|\bFIPS|\bpart|\bclass|\btcp|\budp|\bscores?(?: \w+){0,3}|\bis"
    r"|\bID|#|\$|[/:]/\S*)"
    r"[\s:=/]{0,2}(?:version\s|v)?$",
    re.I,
)
_ADDRESS = re.compile(
    r"(?:10|127|172|192)\.\d{1,3}\.\d{1,3}\.\d{1,3}(?:/\d+)?|802\.1\w{1,3}|\d{1,2}\.\d\s?(?:GHz|MHz|kB|MB|GB|%)", re.I
)
_CVSS = re.compile(
    r"\bCVSS(?::|\s?v?\d)|\bbase score|\bv[234](?:\.[01])? (?:base|score|vector)|\bCVE-|\bCWE-|SMBv\d", re.I
)
_LONGEST_CELL = 160
_SPEAKS_OF_VERSIONS = re.compile(r"\d|^\*$|\b(?:all|any)\b|\bversions?\b|\brev", re.I)
# Versions with nothing but blanks between them, as the lines of a table cell end up.
_NEXT_VERSION = re.compile(r"(?<=\d)(?<=\.\d|\d\d)\s+(?=v?\d+\.\d)")
_NUMBERS = re.compile(r"\d{3,5}[a-z]?(?:\s\d{3,5}[a-z]?)+", re.I)
# Where a product was sold, and which CVE it is about, is no condition on its versions.
_BESIDE_THE_POINT = re.compile(
    r"\s?\([^()]*\b(?:CVE-|United States|U\.?S\.?A?\b|EU\b|Europe|Canada|distributed|sold)[^()]*\)", re.I
)
_CLAUSE = re.compile(r"\bwhich(?=\s(?:have|has|had|are|were|was|is)\b)", re.I)
_REWORDED = (
    (re.compile(r"\bup to,? (?:and )?including,?", re.I), "up to and including"),
    (re.compile(r"\b(?:starting (?:from|with|at)|since)\b", re.I), "from"),
    (re.compile(r"\bprevious to\b", re.I), "prior to"),
)
_LEADING_KEY = re.compile(
    rf"^(?:{_KEY})\s?:?\s{{0,2}}(?:of\s)?(?=[\w<>=\u2264\u2265*])(?!except|excluding|other|not\b)", re.I
)
_ALL = re.compile(r"^(?:all|any)\b", re.I)
_ONLY_ALL = re.compile(r"\*|(?:all|any)\b[^\d<>]*", re.I)
_EXCEPTION = re.compile(r"\b(?:except|excluding|other than|apart from)\b", re.I)
_EXCEPTED = re.compile(r"\b(?:except|excluding|other than|apart from)(?: for)?\s(?:the\s)?(?:versions?\s)?$", re.I)
# "3.1 Build 4022.4" is one version, "3.1 and build 4022.4" are two.
_INNER_KEY = re.compile(rf"(?<=[\s,])(?<!\d\s)(?:{_KEY})\s(?=[\w<>])", re.I)
_MARKED_LETTER = re.compile(r"\bv(?=[A-Z]\d)")
_BRACKETS = re.compile(r"\([^()]*\)")
_TURNS = re.compile(r"\b(?:except|excluding|unless|not|without|other than|fixed)\b", re.I)


@dataclass(frozen=True, slots=True)
class VersionPhrase:
    """A piece of text that names versions.

    Attributes
    ----------
    versions
        The text as `analyzers.matching.versions.parse_versions` takes it: read in full where it stands in prose, as
        published where a list or table says that it is a version.
    older
        Whether it is open downwards: "before 2.1", "2.1 and earlier", all versions.
    firm
        Whether a word or an operator says that versions are meant; not so for a bare "2.1".
    """

    span: Span
    versions: str
    older: bool
    firm: bool


def version_phrases(text: str, start: int = 0, end: int | None = None) -> Iterator[VersionPhrase]:
    """The phrases between two places of a text, in order, without those that cannot be read in full."""
    end = len(text) if end is None else end
    for match in _PHRASES.finditer(text, start, end):
        kind = match.lastgroup or ""
        found = span(text, match.start(), match.end())
        if kind == "letter" and not _LETTER_CASE.search(found.text):
            continue
        before = text[max(start, match.start() - 24) : match.start()]
        if _ADDRESS.match(found.text) or _CVSS.search(found.text):
            continue
        if kind in ("bare", "directed") and _COUNTED_ELSEWHERE.search(before):
            continue
        versions = "" if _EXCEPTED.search(before) else readable(found.text)
        if versions:
            yield VersionPhrase(found, versions, is_older(versions), kind != "bare")


def readable(phrase: str) -> str:
    """The phrase as a version text; empty when it cannot be read in full."""
    if _ONLY_ALL.fullmatch(phrase):
        return "vers:all/*"
    whole = " ".join(phrase.split())
    if _EXCEPTION.search(whole):
        # Without "all versions" before it, an exception would be what is affected.
        return whole if fully_parsed(parse_versions(whole)) else ""
    bare = _LEADING_KEY.sub("", whole).strip(" ,:;")
    bare = bare.removesuffix(")") if bare.count(")") > bare.count("(") else bare
    bare = _MARKED_LETTER.sub("", _INNER_KEY.sub("", bare))
    for pattern, replacement in _REWORDED:
        bare = pattern.sub(replacement, bare)
    return bare if bare and fully_parsed(parse_versions(bare)) else ""


def as_published(cell: Span, certain: bool = False) -> VersionPhrase | None:
    """All of a list item or table cell as versions, however they are written; None when it speaks of none.

    Parameters
    ----------
    certain
        Whether a heading says that these are versions.
    """
    if not cell.text or not (certain or (len(cell.text) <= _LONGEST_CELL and _SPEAKS_OF_VERSIONS.search(cell.text))):
        return None
    plain = _plain(cell.text)
    versions = (
        readable(plain) or _named_within(plain) or (plain if _EXCEPTION.search(plain) else _LEADING_KEY.sub("", plain))
    )
    return VersionPhrase(cell, versions, is_older(versions), True)


def _plain(cell: str) -> str:
    """The cell as a list, without remarks that say nothing of its versions."""
    kept = _BESIDE_THE_POINT.sub(lambda found: " |" if cell[found.end() :].strip(" |,;") else "", cell).strip()
    if _NUMBERS.fullmatch(kept):
        return " | ".join(kept.split())
    return _CLAUSE.sub("that", _NEXT_VERSION.sub(" | ", kept))


def _named_within(cell: str) -> str:
    """The versions beside words that cannot be read: ``ME prior to V6.2``, ``21 and later when X is enabled``.

    The condition is dropped, which reads the cell too wide at worst; a word that may turn its sense keeps it unread.
    """
    bare = _BRACKETS.sub(lambda found: " " * len(found.group()), cell)
    if _TURNS.search(bare):
        return ""
    found = [phrase.versions for phrase in version_phrases(bare)]
    return " | ".join(dict.fromkeys(found))


def is_older(versions: str) -> bool:
    """Whether a version text is open downwards."""
    return bool(
        _ONLY_ALL.fullmatch(versions)
        or versions.startswith("vers:all/*")
        or re.search(
            r"<|\u2264|\b(?:prior|previous|before|below|earlier|older|lower|less|up to|through|until)\b", versions, re.I
        )
    )
