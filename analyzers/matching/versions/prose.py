"""From words to operators: ``prior to 3.2``, ``2.0 through 2.4``, ``3.2 and earlier``, ``[1.0,2.0)``.

`to_operators` writes every phrase as the operators of a ``vers:`` expression, plus two marks after a version:
`OLDER` (this one and those before) and `NEWER`.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence
from urllib.parse import unquote

OLDER = "AND-OLDER"
NEWER = "AND-NEWER"
_STRICT = "EXCL"

_MARKER = r"sp|fp|service\s?pack|upd|update|u|hf|hotfix|build|patch|p|qf|ru|cu|r|rev"
VERSION = (
    r"(?:(?:(?:versions?|ver|v|revision|rev|release|rel|r)[\s.:]*)?[\w.()*+-]{0,40}?\d[\w.()*+-]{0,40}"
    r"|(?:(?:revision|rev|version|ver)[\s.]+)(?-i:[A-Z]{1,2})(?![\w.])|(?-i:\b[A-Z])(?![\w.]))"
    rf"(?:\s+(?:{_MARKER})\s*\d\w*)*"
)

Rules = Sequence[tuple[re.Pattern[str], str]]


def _rules(*pairs: tuple[str, str]) -> Rules:
    return tuple((re.compile(pattern, re.I), replacement) for pattern, replacement in pairs)


_SPELLINGS = _rules(
    (r"(?<=[\w.])\s*[\u2013\u2014]\s*(?=[\w.])", " - "),
    (r"[\u2010-\u2015\u2212]", "-"),
    (r"[_\u00a0\u2007\u202f]", " "),
    (r"\u2264|\u2a7d|=<|<\s*or\s*=", "<="),
    (r"\u2265|\u2a7e|=>|>\s*or\s*=", ">="),
    (r"\u2260|<>", "!="),
    (r"[\u2192\u27f6]|-+>", " to "),
    (r"([<>])\s+=", r"\1="),
    (r"\s+", " "),
)

_OLDER_WORD = r"(?:prior|earlier|below|previous|older|lower|before|under|less|preceding)"
_NEWER_WORD = r"(?:later|newer|above|higher|up|upwards?|onwards?|beyond|subsequent|greater|after|following)"
_JOIN = r"(?:\band/or\b|\band\b|\bor\b|&|/)"
_ANY = r"(?:(?:all|any|possibly|other|its|the)\s+)*"
_THINGS = r"(?:\s+(?:(?:firmware|software|minor)\s+)?(?:versions?|releases?|revisions?|builds?|firmware|ones?)\b)*"
_NOT_BEFORE_VERSION = r"(?!\s*(?:to|than|and including)\b|\s*[<>]|\s+v?\d)"
_BELOW = r"(?:prior to|before|earlier than|older than|lower than|below|less than|smaller than|under)"
_ABOVE = r"(?:newer than|later than|above|greater than|higher than|more than|after)"
_INCLUDING = r"\(?(?:both )?(?:including|inclusive|included|incl\.?|inc\.)\)?"
_EXCLUDING = r"\(?(?:excluding|exclusive|excluded|excl\.?|not including|not included|but not including)\)?"

_PROSE = _rules(
    # What is said about the versions as a whole says nothing about which they are.
    (r"\b(?<!not )(?:is|are|was|were) (?:also )?(?:affected|vulnerable|impacted)\b", ""),
    (r"^(?:the )?(?:affected|vulnerable|impacted)(?: versions?)?\s*:?\s*(?=[<>=v\d])", ""),
    (r"^(?:the|only|in)\s+(?=versions?\b|[<>=v\d])|\s+only$|\s+inclusive(?:ly)?$", ""),
    (r"\bversions?\(s\)|\bversion/s\b", "versions"),
    (r"\brunning (?=(?:firmware|software|versions?)\b)", ""),
    # Two-sided: 1.0 <= version < 2.0.
    (rf"({VERSION})\s*<=\s*(?:versions?|v|x|firmware)\s*(?=<)", r">= \1 | "),
    (rf"({VERSION})\s*<\s*(?:versions?|v|x|firmware)\s*(?=<)", r"> \1 | "),
    (r"\bbut (?:not including|not|excluding|before|prior to)\b", "<"),
    (rf"\bbetween\s+({VERSION})\s*(?:{_INCLUDING})?,?\s*and\s+({VERSION})\s*{_EXCLUDING}", r">= \1 | < \2"),
    (rf"\bbetween\s+({VERSION})\s*(?:{_INCLUDING})?,?\s*and\s+({VERSION})(?:\s*{_INCLUDING})?", r">= \1 | <= \2"),
    (rf"^({VERSION})\s*\(including\)\s*and\s+({VERSION})\s*\(excluding\)", r">= \1 | < \2"),
    (r"\b(?:starting|beginning|commencing)\s+(?:with|from|at|in)\b", "from"),
    # After the version: 3.2 and all prior versions; 2.0 or later; 2.0+.
    (rf"[,\s]*\(?{_JOIN}\s*{_ANY}{_OLDER_WORD}{_THINGS}\b{_NOT_BEFORE_VERSION}\)?", f" {OLDER}"),
    (rf"[,\s]*\(?{_JOIN}\s*{_ANY}(?:more recent|{_NEWER_WORD}){_THINGS}\b{_NOT_BEFORE_VERSION}\)?", f" {NEWER}"),
    (r"\s*\(all (?:prior|earlier|previous|older|lower)(?: versions?)?\)", f" {OLDER}"),
    (r"(?<=[\w.])\s+(?:on|up)wards?\b|(?<=\d)\+(?=$|[\s,|;)])", f" {NEWER}"),
    (r"^earlier versions?$", ""),
    # Between two versions: 2.0 through 2.4.
    (
        rf"(?<![\w.<>=])(?<![<>=] )(?:from\s+)?({VERSION})"
        rf"\s*(?:,?\s(?:up\s?to|through|thru|until|till|to)|\s?~|\s?\.\.+)\s*"
        rf"(?:\(?(?:and including|including|inclusive of)\)?\s+)?(?!before|prior|below|\(?not|\(?excl|but)"
        rf"(?={VERSION})",
        r">= \1 | <= ",
    ),
    (rf"\b({VERSION})\s+(?:up\s)?to\s*,?\s*{_EXCLUDING}\s*(?={VERSION})", r"\1 < "),
    (rf"\b({VERSION})\s+to\s+(?=before|prior|below|<)", r"\1 "),
    # Before the version: prior to 3.2; up to and including 4.5; pre-2.0.
    (rf"\b{_BELOW}\s*,?\s*(?:and|or) (?:including|equal to)\b", "<="),
    (rf"\b(?:up to|through|thru|until)\s*,?\s*(?:\(?but not including\)?|{_EXCLUDING})", "<"),
    (r"\b(?:up\s?to|through|thru|until)(?:\s*,?\s*(?:and )?\(?(?:including|inclusive of)\)?)?(?=\W|$)", "<="),
    (rf"\b{_BELOW}(?!\w)", "<"),
    (r"\b(?:any|all)?\s*(?:prior|pre)[\s-]+(?=v?\d)", "< "),
    (rf"^to\s+(?={VERSION})", "<= "),
    (rf"\b{_ABOVE}\s*,?\s*(?:and|or) (?:including|equal to)\b", ">="),
    (rf"\b{_ABOVE}\b", ">"),
    (r"\b(?:not (?:including|before)|excluding)\b(?=\s*v?\d)", "<"),
    (r"^\s*(?:from|since|as of|as from)\s+|\b(?:from|since)\s+(?=v?\d)", ">= "),
    (r"(?<=[\w.])\s*,\s*(?=(?:<|>))", " | "),
    # What is left between the signs.
    (r"[\s,-]*\bbut\b", ""),
    (r"(?<=[\s\w.*])\s+(?:firmware\s+)?(?:versions?|releases?|released|revisions?)\s*(?=[<>])", " "),
    (
        r"([<>]=?)\s*(?:(?:and|the|versions?|releases?|firmware|software|revisions?|including|inclusive of)\b[\s:]*)+",
        r"\1 ",
    ),
    (rf"([<>]=?)\s*{_EXCLUDING}\s*(?={VERSION})", r"\1 EXCL "),
    (rf"([<>]=?)\s*{_INCLUDING}\s*(?={VERSION})", r"\1 "),
    (rf"(?<=[\w.])\s*{_INCLUDING}(?=\s*(?:$|[,;|<>&]|and\b|or\b))", ""),
    (rf"([<>])=\s*EXCL\s*(?={VERSION})", r"\1 "),
    (rf"([<>])=?\s*({VERSION})\s*{_EXCLUDING}", r"\1 \2"),
    (r"([<>]=?)\s*([<>]=?)", r"\2"),
)

_CHARACTERS = re.compile(r"((?:\d+\.)+)\[(\d+)-(\d+)\]")
_INTERVAL = re.compile(r"([\[(])\s*([\w.+:~-]*)\s*,\s*([\w.+:~-]*)\s*([\])])")


def clean(text: str) -> str:
    """One spelling for blanks, dashes, signs, entities and URL escapes; without the ``vers:`` prefix."""
    cleaned = text.strip()
    if "&" in cleaned:
        cleaned = html.unescape(cleaned)
    if cleaned[:5].lower() == "vers:":
        cleaned = re.sub(r"^vers:[\w.-]*/", "", unquote(cleaned) if "%" in cleaned else cleaned, flags=re.I)
    if not cleaned.isascii():
        cleaned = unicodedata.normalize("NFKC", cleaned)
    for pattern, replacement in _SPELLINGS:
        cleaned = pattern.sub(replacement, cleaned)
    cleaned = _CHARACTERS.sub(r"\1\2 - \1\3", cleaned)
    return _INTERVAL.sub(_interval, cleaned).strip(" ,;")


def to_operators(text: str) -> str:
    """Rewrite the prose of a text to operators."""
    for pattern, replacement in _PROSE:
        text = pattern.sub(replacement, text)
    return text


def _interval(found: re.Match[str]) -> str:
    """Interval notation of Maven and NuGet; ``(1.0, 1.1)`` in round brackets is only a remark."""
    opening, low, high, closing = found.groups()
    if (opening == "(" and closing == ")" and low and high) or not (low or high):
        return found.group()
    bounds = [f">{'=' if opening == '[' else ''} {low}"] if low else []
    bounds += [f"<{'=' if closing == ']' else ''} {high}"] if high else []
    return " | ".join(bounds)
