"""Which words of a sentence are a vendor, and which a product: a linear chain over words, read from a plain text file.

A structured perceptron with averaged weights (Collins, EMNLP 2002), decoded by Viterbi. It finds what no rule does:
names that stand beside no version, and who the vendor of an unknown product is.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from analyzers.advisory_text.spans import Span
from meddojo.errors import TerminalError

_TOKEN = re.compile(r"\w(?:[\w./+\-]{0,60}\w)?|[^\w\s]")
_VERSION = re.compile(r"v?\d[\w.\-]*$")
MAX_TOKENS = 400
"""Longest sentence that is tagged."""
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_BESIDE = 3
_SHORT = 8
_ENGLISH = frozenset(
    "the The of to is was has have had and allow allows before prior via could with for a A An from by that "
    "which when be"
    " are on through".split()
)
_NOT_FIRST = frozenset("update upgrade upgrading updating install installing apply the a an this all".split())
_NOT_LAST = frozenset("except excluding since before prior through until with in of".split())
_OPERATOR_WORDS = frozenset("version versions before prior through v release < <= firmware and".split())


class Tag(StrEnum):
    """What a word is part of."""

    OTHER = "O"
    VENDOR = "V"
    PRODUCT = "P"


TAGS = tuple(Tag)


@dataclass(frozen=True, slots=True)
class TaggedName:
    """A product, and the vendor that stands right before it."""

    product: Span
    vendor: Span | None


@dataclass(frozen=True, slots=True)
class Token:
    """A word or sign, and the place it begins and ends at."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Weights:
    """Feature -> one weight a tag, and weights of a tag after another; whole numbers.

    Attributes
    ----------
    before
        ``before[one][two]``: of tag `two` after tag `one`.
    """

    of: Mapping[str, tuple[int, ...]]
    before: Sequence[Sequence[int]]


def tokens(text: str, start: int = 0, end: int | None = None) -> list[Token]:
    """Words and signs of a stretch of text."""
    return [
        Token(match.start(), match.end(), match.group())
        for match in _TOKEN.finditer(text, start, len(text) if end is None else end)
    ]


def shape(word: str) -> str:
    """``IntelliVue`` -> ``XxXx``, ``MX800`` -> ``Xd``, ``2.1`` -> ``d``."""
    kinds: list[str] = []
    for sign in word[:12]:
        kind = "X" if sign.isupper() else "x" if sign.islower() else "d" if sign.isdigit() else "-"
        if not kinds or kinds[-1] != kind:
            kinds.append(kind)
    return "d" if _VERSION.match(word) else "".join(kinds)


def features(words: Sequence[str]) -> Iterator[list[str]]:
    """What each word tells, from itself and two neighbours on either side."""
    lower = ["<2", "<1", *(word.lower() for word in words), ">1", ">2"]
    shapes = ["", "", *(shape(word) for word in words), "", ""]
    for index in range(2, len(words) + 2):
        word, last, following = lower[index], lower[index - 1], lower[index + 1]
        found = [
            f"w {word}",
            f"-1 {last}",
            f"+1 {following}",
            f"-2 {lower[index - 2]}",
            f"+2 {lower[index + 2]}",
            f"s {shapes[index]}",
            f"s- {shapes[index - 1]} {shapes[index]}",
            f"s+ {shapes[index]} {shapes[index + 1]}",
            f"s3 {shapes[index - 1]} {shapes[index]} {shapes[index + 1]}",
            f"b- {last} {word}",
            f"b+ {word} {following}",
            f"ls {last} {shapes[index]}",
            f"fs {following} {shapes[index]}",
            f"l2 {lower[index - 2]} {last}",
            f"f2 {following} {lower[index + 2]}",
            f"p {word[:3]}",
            f"e {word[-3:]}",
        ]
        if shapes[index + 1] == "d" or following in _OPERATOR_WORDS:
            found.append(f"v {shapes[index]}")
        yield found


def best_tags(words: Sequence[str], weights: Weights) -> list[int]:
    """The best row of tags, as indices into `TAGS` (Viterbi, 1967)."""
    count = len(TAGS)
    scores = [0] * count
    back: list[list[int]] = []
    for number, found in enumerate(features(words)):
        own = [0] * count
        for name in found:
            weight = weights.of.get(name)
            if weight is not None:
                for tag in range(count):
                    own[tag] += weight[tag]
        if number == 0:
            scores = own
            continue
        chosen = [max(range(count), key=lambda one: scores[one] + weights.before[one][tag]) for tag in range(count)]
        scores = [scores[chosen[tag]] + weights.before[chosen[tag]][tag] + own[tag] for tag in range(count)]
        back.append(chosen)
    tag = max(range(count), key=lambda one: scores[one])
    row = [tag]
    for chosen in reversed(back):
        tag = chosen[tag]
        row.append(tag)
    return row[::-1][: len(words)]


def tagged_names(text: str, start: int, end: int) -> list[TaggedName]:
    """Products in one sentence, in order; a long one is looked at in its first `MAX_TOKENS` words only."""
    found = tokens(text, start, end)[:MAX_TOKENS]
    if not found or (len(found) > _SHORT and not _ENGLISH.intersection(token.text for token in found)):
        return []  # it has learnt from English alone
    row = best_tags([token.text for token in found], shipped_weights())
    names: list[TaggedName] = []
    vendor: Span | None = None
    first = 0
    for index in range(1, len(row) + 1):
        if index < len(row) and row[index] == row[first]:
            continue
        tag, words = TAGS[row[first]], found[first:index]
        while tag is Tag.PRODUCT and words and words[0].text.lower() in _NOT_FIRST:
            words = words[1:]
        while tag is Tag.PRODUCT and words and words[-1].text.lower() in _NOT_LAST:
            words = words[:-1]
        first = index
        if not any(_LATIN.search(word.text) for word in words):
            continue  # nor has it seen another script
        begin, stop = words[0].start, words[-1].end
        here = Span(begin, stop, text[begin:stop])
        if tag is Tag.PRODUCT:
            near = vendor is not None and begin - vendor.end <= _BESIDE
            names.append(TaggedName(here, vendor if near else None))
        vendor = here if tag is Tag.VENDOR else None if tag is Tag.PRODUCT else vendor
    return names


@cache
def shipped_weights() -> Weights:
    """The weights beside this module, once their digest is that of the manifest (``tagger.toml``).

    Raises
    ------
    TerminalError
        If it is another, or the file is not as it was written.
    """
    folder = files("analyzers.advisory_text")
    data = folder.joinpath("tagger.tsv").read_bytes()
    manifest = tomllib.loads(folder.joinpath("tagger.toml").read_text("utf-8"))
    if hashlib.sha256(data).hexdigest() != manifest["sha256"]:
        raise TerminalError(
            "the weights of the product tagger are not those that were shipped", "install MedDojo again"
        )
    return read_weights(data.decode("utf-8"))


def read_weights(text: str) -> Weights:
    """Read what `write_weights` writes: a feature, a tab, three numbers; first the weights of one tag after another."""
    rows = (line.rpartition("\t") for line in text.split("\n") if line)
    weights = {name: tuple(int(number) for number in numbers.split()) for name, _, numbers in rows}
    return Weights(weights, tuple(weights.pop(f"before {tag}") for tag in TAGS))


def write_weights(weights: Weights) -> str:
    """What `read_weights` reads; features sorted, so that a retrained model shows what changed."""
    lines = [f"before {tag}\t{_numbers(row)}" for tag, row in zip(TAGS, weights.before, strict=True)]
    return "\n".join([*lines, *(f"{name}\t{_numbers(row)}" for name, row in sorted(weights.of.items()))]) + "\n"


def _numbers(row: Sequence[int]) -> str:
    return " ".join(str(number) for number in row)
