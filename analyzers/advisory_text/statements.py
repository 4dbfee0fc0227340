"""Which products, in which versions: from lists, tables and sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from analyzers.advisory_text.names import item_name, labelled_name, name_after, name_before
from analyzers.advisory_text.sections import Line, Topic
from analyzers.advisory_text.spans import Span, sentences, span
from analyzers.advisory_text.tagger import TaggedName, tagged_names
from analyzers.advisory_text.version_phrases import VersionPhrase, as_published, is_older, readable, version_phrases

_FIXED = re.compile(
    r"\b(?:fix(?:ed|es)?|resolv\w+|correct(?:ed|s)|patch(?:ed)?|address(?:ed|es)|remediat\w+|mitigat\w+|upgrad\w+|updat(?:e|es|ed|ing)"
    r"|migrat\w+|no longer|recommend\w*|advis\w+|instal\w+|available|provid\w+|releas(?:ed|es|ing)|deploy\w*"
    r"|move to)\b",
    re.I,
)
_NOT_AFFECTED = re.compile(
    r"\b(?:not|un|nor|never)[\s-]?(?:be )?(?:affect\w*|impact\w*|vulnerable)\b|\bdoes not affect\b", re.I
)
_CELL = re.compile(r"\s\|\s")
_NAME_COLUMN = re.compile(r"product|device|model|system|name|software$|component|equipment", re.I)
_VERSION_COLUMN = re.compile(r"(?:affected|impacted|vulnerable).{0,20}version|version|release|firmware|range", re.I)
_FIX_COLUMN = re.compile(r"fix|solution|patch|update|remed|resol|upgrade|recommended", re.I)
_VENDOR_COLUMN = re.compile(r"vendor|manufacturer|supplier", re.I)
_PROSE_WORDS = re.compile(
    r"\b(?:is|are|was|were|has|have|may|could|allows?|will|can|should|contains?|the following|please)\b"
)
_NO_PRODUCT = re.compile(r"\W*(?:CVE|CWE|CVSS|https?:)\b", re.I)
_COLON = re.compile(r"\s?:\s?(?=\S)")
_LONGEST_ITEM = 240
_SHORT_LINE = 9
_LEAD = 300
"""How far back from its versions a sentence says whether they are affected or fixed, in characters."""


class Status(StrEnum):
    """What is said about a product and its versions."""

    AFFECTED = "affected"
    FIXED = "fixed"
    NOT_AFFECTED = "not affected"


@dataclass(frozen=True, slots=True)
class Statement:
    """A product, perhaps with versions.

    Attributes
    ----------
    product
        None where only the versions are named.
    phrase
        None where no version is named.
    place
        The sentence, list item or table row that says it.
    listed
        Whether it stands in a list or table of affected products.
    tagged
        Whether only the tagger says that it is a product: it stands beside no version.
    """

    product: Span | None
    phrase: VersionPhrase | None
    status: Status
    place: Span
    vendor: Span | None = None
    listed: bool = False
    tagged: bool = False


@dataclass(frozen=True, slots=True)
class _Columns:
    name: int
    version: int | None
    fix: int | None
    vendor: int | None
    count: int


def statements(text: str, lines: Sequence[Line]) -> Iterator[Statement]:
    """Everything a text says about products and versions, in order."""
    columns: _Columns | None = None
    listing = False
    for line in lines:
        if line.heading or line.topic is Topic.ASIDE:
            columns, listing = None, False
            continue
        cells = _cells(text, line.span)
        if len(cells) > 1:
            header = _columns(cells)
            if header is not None:
                columns = header
                continue
            if columns is not None and len(cells) >= min(columns.count, 2):
                yield from _row(text, cells, columns, line)
                continue
        else:
            columns = None
        # Behind the items of a list, a line without a bullet is no product any more.
        ended = listing and not line.bullet
        listing = line.topic in (Topic.AFFECTED, Topic.UNAFFECTED) and (listing or line.bullet)
        listed = list(_item(text, line)) if line.topic in (Topic.AFFECTED, Topic.UNAFFECTED) and not ended else []
        if listed:
            yield from listed
        else:
            for sentence in sentences(line.span.text):
                place = Span(line.span.start + sentence.start, line.span.start + sentence.end, sentence.text)
                yield from _sentence(text, place, line.topic)


def _cells(text: str, line: Span) -> list[Span]:
    cells = []
    at = line.start
    for bar in _CELL.finditer(text, line.start, line.end):
        cells.append(span(text, at, bar.start()))
        at = bar.end()
    return [*cells, span(text, at, line.end)]


def _columns(cells: Sequence[Span]) -> _Columns | None:
    """The columns of a table, if this is the row that names them."""
    if any(len(cell.text) > 60 or re.search(r"\d\.\d", cell.text) for cell in cells):
        return None
    taken: dict[str, int] = {}
    for kind, pattern in (
        ("fix", _FIX_COLUMN),
        ("vendor", _VENDOR_COLUMN),
        ("version", _VERSION_COLUMN),
        ("name", _NAME_COLUMN),
    ):
        for index, cell in enumerate(cells):
            if index not in taken.values() and pattern.search(cell.text):
                taken[kind] = index
                break
    if "name" not in taken or not {"version", "fix", "vendor"} & taken.keys():
        return None
    return _Columns(taken["name"], taken.get("version"), taken.get("fix"), taken.get("vendor"), len(cells))


def _row(text: str, cells: Sequence[Span], columns: _Columns, line: Line) -> Iterator[Statement]:
    def cell(index: int | None) -> Span | None:
        return cells[index] if index is not None and index < len(cells) and cells[index].text else None

    name, versions, fix = cell(columns.name), cell(columns.version), cell(columns.fix)
    if name is None or len(name.text) > _LONGEST_ITEM:
        return
    status = Status.NOT_AFFECTED if line.topic is Topic.UNAFFECTED else Status.AFFECTED
    phrase = as_published(versions, certain=True) if versions else None
    yield Statement(name, phrase, status, line.span, cell(columns.vendor), listed=True)
    fixed = _fix(text, fix) if fix else None
    if fixed:
        yield Statement(name, fixed, Status.FIXED, line.span, cell(columns.vendor), listed=True)


def _fix(text: str, cell: Span) -> VersionPhrase | None:
    """The version a cell consists of, else the first one it names."""
    versions = readable(cell.text)
    if versions:
        return VersionPhrase(cell, versions, is_older(versions), True)
    return next(version_phrases(text, cell.start, cell.end), None)


def _item(text: str, line: Line) -> Iterator[Statement]:
    """One item of a list of products: a name, then perhaps versions."""
    body = line.span
    colon = _COLON.search(body.text)
    label = body.text[: colon.start()] if colon else body.text
    if len(body.text) > _LONGEST_ITEM or _PROSE_WORDS.search(label) or _NO_PRODUCT.match(body.text):
        return
    status = Status.NOT_AFFECTED if line.topic is Topic.UNAFFECTED else Status.AFFECTED
    if colon:
        name = labelled_name(text, body.start, body.start + colon.start())
        versions = as_published(_past(text, name, span(text, body.start + colon.end(), body.end)))
        if name is not None and (versions or not _PROSE_WORDS.search(body.text)):
            yield Statement(name, versions, status, body, listed=True)
        return
    phrases = list(version_phrases(text, body.start, body.end))
    if not phrases:
        name = item_name(text, body.start, body.end)
        if name is not None and (line.bullet or len(name.text.split()) < _SHORT_LINE):
            yield Statement(name, None, status, body, listed=True)
        return
    name = None
    floor = body.start
    for phrase in phrases:
        own = item_name(text, floor, phrase.span.start)
        name = own or name
        floor = phrase.span.end
        if name is not None:
            yield Statement(name, phrase, status, body, listed=True)


def _past(text: str, name: Span | None, cell: Span) -> Span:
    """The cell without the name that it repeats: ``FOXMAN-UN: FOXMAN-UN R15B``."""
    if name is None or not cell.text.startswith(f"{name.text} "):
        return cell
    return span(text, cell.start + len(name.text), cell.end)


def _sentence(text: str, place: Span, topic: Topic) -> Iterator[Statement]:
    """Versions in a sentence with the name before or behind them, and names that stand alone."""
    tagged = tagged_names(text, place.start, place.end)
    used: list[Span] = []
    floor = place.start
    last: TaggedName | None = None
    for phrase in version_phrases(text, place.start, place.end):
        name = _named(text, phrase, floor, place, tagged)
        lead = text[max(place.start, phrase.span.start - _LEAD) : phrase.span.start]
        between = text[floor : phrase.span.start]
        floor = phrase.span.end
        status = _status(lead, between, phrase, topic)
        last = name or last
        chosen = name or (last if status is Status.AFFECTED else None)
        used += [chosen.product] if chosen else []
        yield Statement(chosen.product if chosen else None, phrase, status, place, chosen.vendor if chosen else None)
    spared = topic is Topic.UNAFFECTED or bool(_NOT_AFFECTED.search(place.text))
    for alone in tagged:
        if not any(_overlap(alone.product, span) for span in used):
            status = Status.NOT_AFFECTED if spared else Status.AFFECTED
            yield Statement(alone.product, None, status, place, alone.vendor, tagged=True)


def _named(
    text: str, phrase: VersionPhrase, floor: int, place: Span, tagged: Sequence[TaggedName]
) -> TaggedName | None:
    """Whose versions they are: the name right before them, else the last one tagged before, else one behind."""
    beside = name_before(text, phrase.span.start, floor)
    within = [each for each in tagged if each.product.start >= floor and each.product.end <= phrase.span.start]
    if within:
        # The rule knows lists of models, the tagger where a name begins.
        listed = beside is not None and "," in beside.text and _overlap(within[-1].product, beside)
        return TaggedName(beside, within[-1].vendor) if beside and listed else within[-1]
    if beside is not None and not tagged:
        return TaggedName(beside, None)
    behind = name_after(text, phrase.span.end, place.end)
    return TaggedName(behind, None) if behind else None


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _status(lead: str, between: str, phrase: VersionPhrase, topic: Topic) -> Status:
    if topic is Topic.UNAFFECTED or _NOT_AFFECTED.search(lead):
        return Status.NOT_AFFECTED
    if phrase.older and not _FIXED.search(between):
        return Status.AFFECTED
    if _FIXED.search(lead) or topic in (Topic.FIX, Topic.MITIGATION):
        return Status.FIXED
    return Status.AFFECTED
