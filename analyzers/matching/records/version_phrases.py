"""Version statements in prose: ``before 2.3.1``, ``through 4.0``, ``version 1.2 and earlier``, ``fixed in 3.1``."""

from __future__ import annotations

import re

from analyzers.matching.versions.reader import parse_versions
from analyzers.matching.versions.sets import fully_parsed

_DOTTED = re.compile(r"[vVrR]?\d+(?:\.(?:\d+|[xX*]))+[\w.\-]*|[vVrR]\d[\w.]*|[A-Z]{1,2}(?:\.\d+)+\w*")
_NUMBER = re.compile(r"\d[\w.\-]*")
_MONTHS = frozenset(
    "january february march april may june july august september october november december jan feb mar apr jun jul aug "
    "sep sept oct nov dec".split()
)
_COUNTED = frozenset("build version versions patch update hotfix release sp mr sr rev revision before through".split())
_OPENING = frozenset(
    "version versions ver ver. v release releases rev rev. revision revisions build before prior through thru until "
    "< <= > >= = all firmwares earlier later older newer update patch hotfix sp sp1 sp2 sp3 mr sr sr1 sr2".split()
)
_STATEMENT = _OPENING | frozenset(
    "up to and or including inclusive excluding below lower above than from between starting previous any other with "
    "running software firmware application os having at least possibly the number numbers less equal".split()
)
_CHUNK = re.compile(r"\S+")
_EDGE = " ,;:()[]\"'`"
_NOISE = re.compile(
    r"^(?:(?:with|running|using|having|the|application|at|software|firmware|os|numbers?|any|other|possibly)\b[\s,:]*)+",
    re.I,
)
_LOOSE_END = re.compile(
    r"(?:[\s,;:]+|\b(?:and|or|with|to|from|through|the|including|up|running|software|firmware|possibly|other)\b)+$",
    re.I,
)
_HALF = re.compile(
    r"(?<!\band)(?<!\bor)(?<!\bor any)(?<!\band any)\s(?:before|prior|below|than|through|from|between)$|[<>]=?$", re.I
)
_ALL = re.compile(r"(?:all|any)(?: (?:known|firmware|software|other))? versions?", re.I)
_THROUGH = re.compile(r"^(?:versions?\s+)?(?:through|thru|until)\s+(?:and including\s+)?", re.I)
_INNER_NOISE = re.compile(
    r"\b(?:version|software|firmware|release)s?\s*[:,]?\s+(?=[vVrR]?\d|[A-Z]\.\d|prior|before|through|up\b|<|from|between)",
    re.I,
)
_LEADING_UP = re.compile(
    r"(?:^|[\s,(])(?P<text>(?:(?:all\s+)?(?:versions?|releases?)\b|before\b|prior\b)[^,()]{0,80}?)\s+(?:of|in|for)\s+(?:the\s+)?$",
    re.I,
)
_IN = re.compile(r"^[\s,;:(]*(?:in|on|affected:?|affects|this (?:issue|vulnerability) affects:?)\s+", re.I)
_FIX_SENTENCE = re.compile(
    r"^(?:(?:the\s+)?(?:versions?|releases?)\s+)?[^ ]*\d[^ ]*(?:\s+and\s+[^ ]*\d[^ ]*)?\s+(?:also\s+)?"
    r"(?:(?:fix|patch|resolve|address|correct|remediate|mitigate)(?:e?s|e?d)?\b"
    r"|was released|(?:is|are) not (?:affected|vulnerable)"
    r"|(?:contain|include|ha[sv]e?)s? (?:a |the )?(?:fix|patch|correction))",
    re.I,
)
_VERSION = re.compile(r"[vVrR]?\d+(?:\.\d+)+[\w\-]*")
_ALL_BELOW = re.compile(r"^(?:all|any)\s+(?:(?:firmware|software)\s+)?(?=prior|before|below|up\b|through|<)", re.I)
_FROM_TO_BEFORE = re.compile(
    rf"^(?:versions?\s+)?(?:from\s+)?({_VERSION.pattern})\s+(?:to|through|until|up to)\s+(?:before|prior to)\s+"
    rf"(?:versions?\s+)?({_VERSION.pattern})$",
    re.I,
)
_BEFORE_SEVERAL = re.compile(
    rf"^(?:versions?\s+)?(?:prior to|before)\s+(?:versions?\s+)?(?:{_VERSION.pattern},?\s+)+and\s+{_VERSION.pattern}$",
    re.I,
)
_POSSIBLY = re.compile(r",?\s*(?:and|or)\s+possibly\b.*$", re.I)
_FIXED = re.compile(
    r"\b(?:(?:fixed|patched|resolved|addressed|remediated|corrected|mitigated)\s+(?:in|with|by|as of)"
    r"|(?:upgrade|update|upgrading|updating|upgraded|updated)\s+to)"
    r"\s+(?:(?:the|a|an|latest|firmware|software|release|versions?|at|least|[A-Z][\w-]*)\s+){0,5}?"
    r"(?P<version>[vVrR]?\d+(?:\.\d+)+[\w\-]*|[A-Z]{1,2}(?:\.\d+)+\w*)",
)
_FIXES = re.compile(
    r"\b(?:versions?|release)\s+(?P<version>[vVrR]?\d+(?:\.\d+)+[\w\-]*)\s+(?:also\s+)?"
    r"(?:fixes|patches|resolves|addresses|corrects|remediates|contains? (?:a|the) (?:fix|patch))",
    re.I,
)


def is_version(word: str) -> bool:
    """Whether a word can only be a version: ``2.3.1``, ``v4``, ``B.06.18``; a bare number may be a model."""
    return _DOTTED.fullmatch(word.rstrip(".")) is not None


def opens_version(word: str) -> bool:
    """Whether a word begins a version statement."""
    return word.lower() in _OPENING


def is_month(word: str) -> bool:
    """Whether a word is the name of a month, as versions are dated."""
    return word.lower() in _MONTHS


def counts(word: str) -> bool:
    """Whether a bare number after this word belongs to a version: ``build 15``."""
    return word.lower() in _COUNTED


def version_after(text: str) -> str:
    """The version statement a text begins with, as `parse_versions` reads it; empty without one."""
    end = 0
    numbers = False
    for chunk in _CHUNK.finditer(text):
        word = chunk.group().strip(_EDGE)
        is_number = bool(_DOTTED.fullmatch(word.rstrip("."))) or bool(_NUMBER.fullmatch(word))
        if word and not is_number and word.lower() not in _STATEMENT and not is_month(word):
            break
        numbers |= is_number
        end = chunk.end()
        if chunk.group().rstrip(",;:").endswith((")", ".")) and numbers:
            break
    return _tidy(text[:end]) if end else ""


def version_opening(sentence: str) -> str:
    """The version statement that opens a sentence or follows a name: ``In versions up to 8.0, ...``; empty without one.

    ``Version 8.0 fixes`` is a statement about the fix, not about what is affected.
    """
    text = _IN.sub("", sentence).lstrip(_EDGE)
    statement = version_after(text)
    return "" if _FIX_SENTENCE.match(text) else statement


def version_before(text: str) -> str:
    """The version statement that leads up to a name: ``versions prior to 2.0 of the``; empty without one."""
    found = _LEADING_UP.search(text)
    return _tidy(found["text"]) if found else ""


def fixed_versions(text: str) -> str:
    """What a text says of the fix, as the range below it; empty where it names none, or several."""
    versions = {found["version"] for pattern in (_FIXED, _FIXES) for found in pattern.finditer(text)}
    return f"< {versions.pop()}" if len(versions) == 1 else ""


def _tidy(text: str) -> str:
    """Put a statement into the words `parse_versions` knows; empty for what it cannot read."""
    bare = _POSSIBLY.sub("", " ".join(text.split()).strip(_EDGE + "."))
    bare = _LOOSE_END.sub("", _NOISE.sub("", bare)).strip(_EDGE)
    if _HALF.search(" " + bare):
        return ""
    if _ALL.fullmatch(bare):
        return "all versions"
    if not any(sign.isdigit() for sign in bare):
        return ""
    bare = _FROM_TO_BEFORE.sub(r">= \1 | < \2", bare)
    if _BEFORE_SEVERAL.match(bare):
        bare = " | ".join(f"< {version}" for version in _VERSION.findall(bare))
    bare = _THROUGH.sub("<= ", _ALL_BELOW.sub("", _INNER_NOISE.sub("", bare)))
    return bare if fully_parsed(parse_versions(bare)) else ""
