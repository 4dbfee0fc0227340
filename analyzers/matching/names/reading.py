"""Reading product names: words, model designations, lists, ranges, series, remarks and embedded versions."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product as cartesian

from analyzers.matching.names.normalise import fold, squash
from analyzers.matching.names.vendors import vendor_phrases
from analyzers.matching.names.words import DESCRIPTORS, STOP_WORDS, TAIL

_LONGEST_SUFFIX = 6
_LIMIT = 48
"""Most products one text is expanded to."""

_EXCLUSION = re.compile(r",?\s*\b(?:not including|excluding|except(?: for)?)\b(?P<excluded>.*)$")
_PARENTHESES = re.compile(r"\(([^()]*)\)?|\[([^\[\]]*)\]")
_VERSION_END = re.compile(
    r"\s+(?:versions?\s*)?"
    r"(?P<version>v?\d+(?:\.(?:\d+|x|\*))+|v\d+(?:\.x)?|(?<=version )\d+|(?<=versions )\d+)"
    r"(?P<older>\s+and\s+(?:earlier|below|prior|older))?$"
)
_SEGMENTS = re.compile(r"\s*[,;|]\s*(?:and\s+)?|\s+/\s+|\s+and\s+")
_RANGE = re.compile(r"^([a-z]*)(\d+)([a-z]*)-([a-z]*)(\d+)([a-z]*)$")
_SERIES = re.compile(r"(?<![\w-])([a-z]{1,3})[\s-]series\b(?!\s+[a-h1-9]\b)")
_SERIES_LETTER = re.compile(r"\bseries\s+([a-h])\b")
_HUNDREDS = re.compile(r"\b([a-z]*[1-9]\d*?)(0{2,3})(?=[a-z]?\b[^,;]*\b(?:series|family|line)\b)")
_TENS = re.compile(r"\b([a-z]+[1-9]\d+)(0)(?=\b[^,;]*\bfamily\b)")
_RUN = re.compile(r"\b(?:[a-z]{1,6}\d{2,5}[a-z]{0,2}\s+){2,}[a-z]{1,6}\d{2,5}[a-z]{0,2}\b|\b(?:(\d)\d{3}\s+)+\1\d{3}\b")
_CODES = re.compile(r"\b(?:[A-Z]{2,5}\s+){3,}[A-Z]{2,5}\b")
_WORD = re.compile(r"[0-9a-z]+")
_MODEL = re.compile(r"\d")
_PATTERN = re.compile(r"\dx+\d*$")
_PREFIX = re.compile(r"(?<![0-9a-z])([a-z]{1,4})-(\d)")
_SPLIT = re.compile(r"[^0-9a-z.*+]+")


@dataclass(frozen=True, slots=True)
class ProductName:
    """One product name in pieces.

    Attributes
    ----------
    tokens
        Words and model designations that name the product, in order; a range is ``mx400..850``, a series ``mx~``.
    aside
        Tokens of remarks in parentheses: they may agree, but need not.
    tail
        Tokens after ``with``, ``for``, ``of``: a configuration or the product this one belongs to.
    short_forms
        Squashed remarks of one or two words, as abbreviations of the whole name.
    version
        Version text at the end of the name.
    vendor_words
        Tokens made from the vendor's name (``exacqVision`` of Exacq): often left out.
    whole
        The text without vendor, remarks and version, squashed; before lists are expanded.
    suffixes
        Tokens of letters that follow a model designation in the same word: ``mm`` and ``sc`` in ``EDS-405A-MM-SC``.
    """

    tokens: tuple[str, ...]
    aside: frozenset[str] = frozenset()
    tail: frozenset[str] = frozenset()
    short_forms: frozenset[str] = frozenset()
    version: str = ""
    vendor_words: frozenset[str] = frozenset()
    whole: str = ""
    suffixes: frozenset[str] = frozenset()


@lru_cache(maxsize=65536)
def is_model(token: str) -> bool:
    """True for a model designation: anything with a digit, a range or a series."""
    return bool(_MODEL.search(token)) or token.endswith("~")


@lru_cache(maxsize=65536)
def is_set(token: str) -> bool:
    """True for a series, a range or a pattern: stands for many model designations."""
    return token.endswith("~") or ".." in token or _PATTERN.search(token) is not None


@lru_cache(maxsize=131072)
def model_matches(stated: str, own: str) -> bool:
    """Whether a device's model token is the stated one, or lies in the stated range, series or pattern."""
    if stated == own:
        return True
    if stated.endswith("~"):
        return re.fullmatch(re.escape(stated[:-1]) + r"\d+[a-z]*", own) is not None
    if ".." in stated:
        head, high = stated.split("..")
        found, low = re.fullmatch(r"([a-z]*)(\d+)[a-z]*", own), re.fullmatch(r"([a-z]*)(\d+)", head)
        return bool(found and low and found[1] == low[1] and int(low[2]) <= int(found[2]) <= int(high))
    if _PATTERN.search(stated) and is_model(own):
        pattern = re.sub(r"(?<=\d)x+", lambda run: r"\d" * len(run.group()), re.escape(stated))
        return re.fullmatch(pattern + "[a-z]{0,2}", own) is not None
    return False


@lru_cache(maxsize=65536)
def read_device_name(model: str, vendor: str, other_vendor: str = "", model_number: str = "") -> ProductName:
    """Read the model of an inventory line as one product; its model number is a remark."""
    text, aside, short_forms = _without_remarks(_without_vendors(fold(model), vendor, other_vendor))
    text, version = _split_version(text)
    head, tail = _split_tail(text)
    tokens = _tokens(head)
    made_of_vendor = _vendor_words(tokens, vendor, other_vendor)
    aside |= frozenset(_tokens(fold(model_number)))
    return ProductName(tokens, aside, tail, short_forms, version, made_of_vendor, squash(text), _suffixes(head))


@lru_cache(maxsize=65536)
def read_product_names(stated: str, vendor: str, other_vendor: str = "") -> tuple[ProductName, ...]:
    """Read the product of an advisory or CVE record; more than one when the text lists several."""
    text = _EXCLUSION.sub("", fold(_CODES.sub(lambda run: ", ".join(run.group().split()), stated)))
    text, aside, short_forms = _without_remarks(_without_vendors(text, vendor, other_vendor))
    text, version = _split_version(text)
    names: list[ProductName] = []
    for segment in _segments(_RUN.sub(lambda run: ", ".join(run.group().split()), text)):
        head, tail = _split_tail(segment)
        for tokens in _expand(head):
            made_of_vendor = _vendor_words(tokens, vendor, other_vendor)
            names.append(
                ProductName(tokens, aside, tail, short_forms, version, made_of_vendor, squash(text), _suffixes(head))
            )
    listed = [token for token in sorted(aside) if is_model(token)]
    if listed and names and not any(is_model(token) for name in names for token in name.tokens):
        names += [replace(name, tokens=(*name.tokens, token)) for name in names for token in listed]
    whole = [name for name in names if len("".join(name.tokens)) > 1]  # not the letters of "y=T,R"
    return tuple(dict.fromkeys(whole or names))[:_LIMIT]


@lru_cache(maxsize=65536)
def read_excluded_names(stated: str, vendor: str, other_vendor: str = "") -> tuple[ProductName, ...]:
    """The products that a name leaves out: ``LOGIQ, not including LOGIQ 100 Pro``."""
    found = _EXCLUSION.search(fold(stated))
    return read_product_names(found["excluded"], vendor, other_vendor) if found else ()


def _without_vendors(text: str, *vendors: str) -> str:
    """Remove the vendor's name where the product repeats it, but never all that tells which product it is."""
    there = set(_WORD.findall(text))
    for vendor in vendors:
        for phrase, words in _phrase_words(vendor):
            if not (words <= there or phrase in text):
                continue  # most of the time: compiling the pattern is what costs
            pattern = r"[^0-9a-z]*".join(re.escape(word) for word in phrase.split())
            shorter = re.sub(rf"(?<![0-9a-z]){pattern}(?![0-9a-z])", " ", text)
            if set(_tokens(shorter)) - DESCRIPTORS:
                text = shorter
    return text


@lru_cache(maxsize=16384)
def _phrase_words(vendor: str) -> tuple[tuple[str, frozenset[str]], ...]:
    return tuple((phrase, frozenset(phrase.split())) for phrase in vendor_phrases(vendor))


def _vendor_words(tokens: tuple[str, ...], *vendors: str) -> frozenset[str]:
    stems = {phrase for vendor in vendors for phrase in vendor_phrases(vendor) if len(phrase) > 4 and " " not in phrase}
    return frozenset(token for token in tokens if any(token.startswith(stem) for stem in stems))


def _without_remarks(text: str) -> tuple[str, frozenset[str], frozenset[str]]:
    """Take remarks in parentheses out, as loose tokens and as abbreviations."""
    aside: set[str] = set()
    short_forms: set[str] = set()
    while (match := _PARENTHESES.search(text)) is not None:
        content = re.sub(r"^(?:including|incl\.?)\s*", "", match.group(1) or match.group(2) or "")
        aside.update(word for tokens in _expand(content) for word in tokens)
        if len(content.split()) <= 2:
            short_forms.add(squash(content))
        text = text[: match.start()] + " " + text[match.end() :]
    return text.strip(), frozenset(aside), frozenset(short_forms)


def _split_version(text: str) -> tuple[str, str]:
    found = _VERSION_END.search(text.rstrip())
    if not found or not text[: found.start()].strip():
        return text, ""
    version = found["version"]
    series = f"{version}.x" if version.count(".") == 0 else version
    return text[: found.start()], f"<= {series}" if found["older"] else series


def _segments(text: str) -> list[str]:
    """Split a list; a segment of model designations only continues the words before it."""
    pieces = [piece.strip() for piece in _SEGMENTS.split(text)]
    pieces = [piece for piece in pieces if piece]
    if len(pieces) < 2:
        return pieces or [text]
    lead = " ".join(token for token in _tokens(pieces[0]) if not is_model(token))
    only_models = [all(is_model(token) for token in _tokens(piece)) for piece in pieces]
    single = [len(piece.split()) == 1 for piece in pieces]
    if (
        re.search(r"\sand\s", text)
        and not (any(only_models[1:]) or all(single))
        and not re.search(r"[,;|]|\s/\s", text)
    ):
        return [text]
    return [
        pieces[0],
        *(f"{lead} {piece}" if only else piece for piece, only in zip(pieces[1:], only_models[1:], strict=True)),
    ]


def _split_tail(segment: str) -> tuple[str, frozenset[str]]:
    words = segment.split()
    for index, word in enumerate(words):
        if index and word in TAIL:
            return " ".join(words[:index]), frozenset(_tokens(" ".join(words[index:])))
    return segment, frozenset()


def _expand(text: str) -> list[tuple[str, ...]]:
    """Every product that a text without commas stands for."""
    text = _SERIES.sub(r"\1~", _SERIES_LETTER.sub(r"series-\1", text))
    text = _TENS.sub(r"\1x", _HUNDREDS.sub(lambda found: found[1] + "x" * len(found[2]), text))
    slots: list[list[tuple[str, ...]]] = []
    for chunk in text.split():
        options = _options(chunk)
        previous = slots[-1] if slots else []
        if len(options) == 1 and previous and _same_prefix(previous[-1], options[0]):
            previous.extend(options)
        else:
            slots.append(options)
    combined = [tuple(token for part in parts for token in part) for parts in _capped(slots)]
    return [tokens for tokens in combined if tokens] or [()]


def _capped(slots: list[list[tuple[str, ...]]]) -> list[tuple[tuple[str, ...], ...]]:
    total = 1
    for slot in slots:
        total *= len(slot)
    if total > _LIMIT:
        slots = [[tuple(token for option in slot for token in option)] for slot in slots]
    return list(cartesian(*slots))


def _same_prefix(one: tuple[str, ...], two: tuple[str, ...]) -> bool:
    """``TC10 TC20``: neighbours of one series, listed with nothing but blanks."""
    if len(one) != 1 or len(two) != 1:
        return False
    first, second = (re.fullmatch(r"([a-z]{1,4})\d+[a-z]?", token[0]) for token in (one, two))
    return bool(first and second and first[1] == second[1])


def _options(chunk: str) -> list[tuple[str, ...]]:
    """What one chunk between blanks stands for: a list with slashes, a range, or plain tokens."""
    pieces = [piece for piece in chunk.strip(".,:;").split("/") if piece]
    if len(pieces) > 1 and _is_list(pieces):
        return [_plain(piece) for piece in _with_prefix(pieces)]
    return [_plain(chunk)]


def _is_list(pieces: list[str]) -> bool:
    """Whether pieces between slashes are alternatives (``FM20/FM30``), not parts of one name (``750-8202/025-001``)."""
    if all(_MODEL.search(piece) for piece in pieces):
        return not any("-" in piece for piece in pieces) or len({re.sub(r"\d", "0", piece) for piece in pieces}) == 1
    if not all(piece.isalpha() for piece in pieces):
        return False
    return all(len(piece) > 3 for piece in pieces) or len({len(piece) for piece in pieces}) == 1


def _with_prefix(pieces: list[str]) -> list[str]:
    """``MX800/700/600`` -> ``MX800``, ``MX700``, ``MX600``."""
    first = re.match(r"[a-z]+(?=\d)", pieces[0])
    prefix = first.group() if first else ""
    return [prefix + piece if piece[0].isdigit() else piece for piece in pieces]


def _plain(chunk: str) -> tuple[str, ...]:
    span = _RANGE.match(chunk.strip(".,:;()"))
    if span:
        prefix, low, _, prefix2, high, _ = span.groups()
        same = prefix2 == prefix or (not prefix2 and len(high) == len(low))
        if prefix and same and int(low) < int(high):
            return (f"{prefix}{low}..{high}",)
    if chunk.endswith("~"):
        return (chunk,)
    return _tokens(chunk)


def _tokens(text: str) -> tuple[str, ...]:
    """Words without stop words and plural; dots stay only inside numbers."""
    found: list[str] = []
    for raw in _SPLIT.split(_PREFIX.sub(r"\1\2", text.replace("+", " plus "))):
        word = raw.strip(".")
        if "." in word and not re.fullmatch(r"\d+(?:\.[\dx]+)+[a-z]?", word):
            found.extend(part for part in word.split(".") if part)
        elif word:
            found.append(word)
    return tuple(_singular(word) for word in found if word not in STOP_WORDS and word.strip("*"))


def _suffixes(text: str) -> frozenset[str]:
    found: set[str] = set()
    for chunk in text.split():
        pieces = [piece for piece in re.split(r"[^0-9a-z]+", chunk) if piece]
        first = next((index for index, piece in enumerate(pieces) if is_model(piece)), len(pieces))
        found.update(piece for piece in pieces[first + 1 :] if piece.isalpha() and len(piece) < _LONGEST_SUFFIX)
    return frozenset(found)


def _singular(word: str) -> str:
    plural = (
        len(word) > 4
        and word.endswith("s")
        and not word.endswith(("ss", "is", "us", "sys", "series"))
        and word.isalpha()
    )
    return word[:-1] if plural else word
