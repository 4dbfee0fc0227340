"""Text rules DefectDojo applies when it stores a finding: title case, tag cleaning, hash codes, CVSS and CWE."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from cvss import CVSS3, CVSS4
from cvss.parser import parse_cvss_from_text

TITLE_LIMIT = 511
HASHABLE_FIELDS = frozenset(
    "title cwe cwes vulnerability_ids line file_path payload component_name component_version description endpoints "
    "unique_id_from_tool severity vuln_id_from_tool mitigation".split()
)

_SMALL = r"(?:a|an|and|as|at|but|by|en|for|if|in|of|on|or|the|to|v\.?|via|vs\.?)"
_PUNCTUATION = r"!\"“#$%&'‘()*+,\-–‒—―./:;?@\[\\\]_`{|}~"
_SMALL_WORD = re.compile(rf"{_SMALL}", re.IGNORECASE)
_SMALL_FIRST = re.compile(rf"^([{_PUNCTUATION}]*)({_SMALL})\b", re.IGNORECASE)
_SMALL_LAST = re.compile(rf"\b({_SMALL})[{_PUNCTUATION}]?$", re.IGNORECASE)
_SUBPHRASE = re.compile(rf"([:.;?!\-–‒—―] )({_SMALL})")
_INNER_CAPITAL = re.compile(rf"[{_PUNCTUATION}]*([a-zA-Z]+)")
_INNER_PERIOD = re.compile(r"\w\.\w")
_FIRST_LETTER = re.compile(rf"^[{_PUNCTUATION}]*?\w")
_ELIDED = re.compile(r"[dol]['‘]\w+(?:['s]{2})?", re.IGNORECASE)
_SCOTTISH = re.compile(r"(?:[Mm]c|MC)(\w.+)")
_CONSONANTS = re.compile(r"[bcdfghjklmnpqrstvwxz]{3,}", re.IGNORECASE)
_TAG_FORBIDDEN = re.compile(r"[ ,'\"]")
_TAG_PARTS = re.compile(r'"[^"]*"|[^",]+')
_LOOSE_DATES = ("%m/%d/%Y", "%m-%d-%Y", "%Y/%m/%d", "%d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y", "%Y%m%d")


def title_case(text: str) -> str:
    """Return *text* in the server's title case ("overflow in foo" -> "Overflow in Foo"), cut to 511 characters."""
    return "\n".join(_line(line, whole=True) for line in re.split(r"[\r\n]+", text[:TITLE_LIMIT]))


def _line(line: str, *, whole: bool) -> str:
    all_caps = line.upper() == line
    words = [_word(word, all_caps) for word in re.split(r"[\t ]", line)]
    if whole and words:
        words[0] = _SMALL_FIRST.sub(lambda match: match[1] + match[2].capitalize(), words[0])
        words[-1] = _SMALL_LAST.sub(lambda match: match[0].capitalize(), words[-1])
    return _SUBPHRASE.sub(lambda match: match[1] + match[2].capitalize(), " ".join(words))


def _word(word: str, all_caps: bool) -> str:
    if _ELIDED.fullmatch(word):
        first = word[0].upper() if word[0] in "oO" else word[0].lower()
        return first + word[1] + word[2].upper() + word[3:]
    if scottish := _SCOTTISH.match(word):
        return "Mc" + _line(scottish[1], whole=True)
    leading = _INNER_CAPITAL.match(word)
    inner_capital = leading is not None and any(letter.isupper() for letter in leading[1][1:])
    if _INNER_PERIOD.search(word) or (inner_capital and not all_caps):
        return word
    if _SMALL_WORD.fullmatch(word):
        return word.lower()
    for separator in ("/", "-"):
        if separator in word and "//" not in word:
            return separator.join(_line(part, whole=False) for part in word.split(separator))
    word = word.lower() if all_caps else word
    if _CONSONANTS.fullmatch(word):
        return word.upper()
    return _FIRST_LETTER.sub(lambda match: match[0].upper(), word)


def clean_tags(tags: Any) -> list[str]:
    """Tags of a report; spaces, commas and quotes become underscores."""
    values = [tags] if isinstance(tags, str) else tags or []
    return sorted({_TAG_FORBIDDEN.sub("_", tag) for tag in values if tag is not None})


def split_tags(values: Iterable[str]) -> tuple[list[str], list[str]]:
    """Split tags as an API field gives them.

    Returns
    -------
    tags, refusals : list of str
        The single tags, and one message for each that holds a space, a comma or a quote.
    """
    tags = [part for value in values for part in _TAG_PARTS.findall(value)]
    refusals = [
        f"Invalid tag: '{tag}'. Tags should not contain spaces, commas, or quotes."
        for tag in tags
        if _TAG_FORBIDDEN.search(tag)
    ]
    return tags, refusals


def cwe_number(value: Any) -> int | None:
    """``"CWE-79"``, ``"79"`` or ``79`` -> 79; anything else -> None."""
    token = str(value).strip().upper().removeprefix("CWE-")
    number = int(token) if token.isdecimal() else 0
    return number if 0 < number <= 9_999_999 else None


def cwe_labels(cwe: Any, others: Iterable[Any] = ()) -> list[str]:
    """Canonical ``CWE-<n>`` labels, the primary one first, each once."""
    numbers = [cwe_number(value) for value in (cwe, *others)]
    return list(dict.fromkeys(f"CWE-{number}" for number in numbers if number is not None))


def hash_code(row: dict[str, Any], fields: Iterable[str] | None) -> str:
    """SHA-256 over the configured *fields* of a finding, or over the legacy selection when there are none.

    Raises
    ------
    TypeError
        Title or description is not text, which the server answers with 500.
    """
    names = list(fields or ())
    if names and HASHABLE_FIELDS.issuperset(names):
        parts = [_hashed(row, name) for name in names]
    else:
        parts = [
            row["title"] + str(row["cwe"]),
            str(row["line"]),
            str(row["file_path"]) + row["description"],
        ]
    joined = "".join(parts) + str(row["service"] or "")
    return hashlib.sha256(joined.casefold().encode("utf-8").strip()).hexdigest()


def _hashed(row: dict[str, Any], name: str) -> str:
    if name == "vulnerability_ids":
        return "".join(sorted(dict.fromkeys(row["_vulnerability_ids"])))
    if name == "cwes":
        return "".join(sorted(cwe_labels(row["cwe"], row["_cwes"])))
    if name == "endpoints":
        return "".join(sorted(row["_endpoints"]))
    return str(row[name])


def cvss_of(text: str) -> tuple[int, str, float | None] | None:
    """First CVSS vector in *text* as (major version, clean vector, score), None when there is none."""
    vectors = parse_cvss_from_text(text)
    if not vectors:
        return None
    vector = vectors[0]
    if isinstance(vector, CVSS4):
        return 4, str(vector.clean_vector()), float(vector.scores()[0])
    environmental = vector.scores()[2]
    score = None if environmental is None else float(environmental)
    return 3 if isinstance(vector, CVSS3) else 2, str(vector.clean_vector()), score


def loose_date(text: Any) -> datetime:
    """Read a date the way the server's report parser does: ISO 8601 first, then US order and spelled months.

    Raises
    ------
    TypeError
        *text* is not text (500).
    ValueError
        No known form (400).
    """
    if not isinstance(text, str):
        raise TypeError("a date must be text")
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        pass
    for form in _LOOSE_DATES:
        try:
            return datetime.strptime(text.strip(), form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise ValueError(f"Unknown string format: {text}")
