"""Everything that is read from one text, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from analyzers.advisory_text.identifiers import CVE, Found, Vector, cve_ids, cwe_ids, dates, document_number, vectors
from analyzers.advisory_text.implied_vendors import ImpliedVendor, implied_vendor
from analyzers.advisory_text.names import name_from
from analyzers.advisory_text.remedies import Remedy, remedies
from analyzers.advisory_text.sections import Line, lines
from analyzers.advisory_text.spans import Span
from analyzers.advisory_text.statements import Statement, Status, statements
from analyzers.advisory_text.vendor_names import known_vendor, stated_vendor, vendor_before
from analyzers.advisory_text.version_phrases import VersionPhrase
from analyzers.matching.names.normalise import squash
from analyzers.matching.versions.reader import parse_versions
from analyzers.matching.versions.sets import Exact, Verdict, VersionSet, contains

_LONGEST_TITLE = 120
_COMMA = re.compile(r",\s{1,2}(?:and\s)?(?=\S)")
MAX_PRODUCTS = 2_000
"""Most products one text gives."""


@dataclass(frozen=True, slots=True)
class Product:
    """A product that a text names.

    Attributes
    ----------
    phrase
        None where it names no versions.
    place
        The sentence, list item or table row.
    listed
        Whether it stands in a list or table of affected products.
    suggested
        Whether a language model pointed it out.
    """

    name: Span
    vendor: Span | None
    phrase: VersionPhrase | None
    status: Status
    place: Span
    listed: bool = False
    suggested: bool = False


@dataclass(frozen=True, slots=True)
class Extraction:
    """What a text says.

    Attributes
    ----------
    vendor
        As the text names it.
    implied_vendor
        Looked for only where the text names no vendor.
    products
        Affected, fixed and unaffected ones, each pair of name and versions once.
    """

    title: Span | None
    number: Span | None
    vendor: Span | None
    cves: tuple[Found, ...]
    cwes: tuple[Found, ...]
    vectors: tuple[Vector, ...]
    products: tuple[Product, ...]
    remedies: tuple[Remedy, ...]
    dates: tuple[tuple[datetime, str, Span], ...]
    implied_vendor: ImpliedVendor | None = None

    def of(self, status: Status) -> tuple[Product, ...]:
        """The products with one status."""
        return tuple(product for product in self.products if product.status is status)


def extract(text: str) -> Extraction:
    """Read a text, in time that grows with its length; no text makes it raise.

    Parameters
    ----------
    text
        Lines as in `meddojo.bulletin.Bulletin`.
    """
    structure = tuple(lines(text))
    title = _title(structure)
    found = _products(text, _most_telling(text, tuple(statements(text, structure)), title))
    vendor = _vendor(text, title, found)
    return Extraction(
        title=title,
        number=document_number(text),
        vendor=vendor,
        cves=tuple(cve_ids(text)),
        cwes=tuple(cwe_ids(text)),
        vectors=tuple(vectors(text)),
        products=found,
        remedies=tuple(remedies(structure)),
        dates=tuple(dates(text)),
        implied_vendor=None if vendor else implied_vendor(text),
    )


def _vendor(text: str, title: Span | None, products: Sequence[Product]) -> Span | None:
    """The vendor of the whole document: labelled, in the title, before a product, or the first one that is known."""
    return (
        stated_vendor(text)
        or (known_vendor(text, title.start, title.end) if title else None)
        or next((product.vendor for product in products if product.vendor), None)
        or known_vendor(text, 0, len(text))
    )


def _most_telling(text: str, stated: Sequence[Statement], title: Span | None) -> Sequence[Statement]:
    """Leave names that stand alone in prose out where better is said: in a list, with versions, in the title."""
    firm = [each for each in stated if not each.tagged]
    if any(each.status is Status.AFFECTED and each.product is not None for each in firm):
        return firm
    if title and len(title.text) <= _LONGEST_TITLE:
        of_title = list(_of_title(text, title)) or [
            each for each in stated if each.tagged and each.place.start <= title.end
        ]
        if of_title:
            return [*firm, *of_title]
    return stated


def _of_title(text: str, title: Span) -> Iterator[Statement]:
    """The products in a title, behind a vendor that is known: ``Acme Pump X1, Pump X2, and Viewer Vulnerabilities``."""
    vendor = known_vendor(text, title.start, title.end)
    name = name_from(text, _behind(text, vendor.end), title.end) if vendor else None
    while name is not None:
        yield Statement(name, None, Status.AFFECTED, title, vendor, tagged=True)
        comma = _COMMA.match(text, name.end, title.end)
        name = name_from(text, comma.end(), title.end) if comma else None


def _behind(text: str, at: int) -> int:
    """Where the next word begins, past a possessive."""
    rest = re.match(r"(?:\s?['\u2019]s?)?[\s,:|-]*", text[at : at + 12])
    return at + (rest.end() if rest else 0)


def _title(structure: Sequence[Line]) -> Span | None:
    return next((line.span for line in structure if len(line.span.text) > 8), None)


def _products(text: str, stated: Sequence[Statement]) -> tuple[Product, ...]:
    """Statements as products; a name without versions is left out where the same name comes with some."""
    found: dict[tuple[str, str, Status], Product] = {}
    for statement in stated:
        if statement.product is None:
            continue
        vendor, name = vendor_before(text, statement.product)
        product = Product(
            name, statement.vendor or vendor, statement.phrase, statement.status, statement.place, statement.listed
        )
        versions = statement.phrase.versions if statement.phrase else ""
        key = (" ".join(name.text.lower().split()), versions, statement.status)
        if len(found) < MAX_PRODUCTS:
            found.setdefault(key, product)
    with_versions = {(name, status) for name, versions, status in found if versions}
    kept = [
        product
        for (name, versions, status), product in found.items()
        if versions or (name, status) not in with_versions
    ]
    listed = _listed_ranges(kept)
    return tuple(product for product in kept if not _said_again(product, listed))


def _listed_ranges(products: Sequence[Product]) -> Mapping[str, Sequence[VersionSet]]:
    """The affected versions that lists state for all CVE ids of the text, by the letters of the name."""
    ranges: dict[str, list[VersionSet]] = {}
    for product in products:
        if (
            product.listed
            and product.status is Status.AFFECTED
            and product.phrase
            and not CVE.search(product.place.text)
        ):
            ranges.setdefault(squash(product.name.text), []).append(parse_versions(product.phrase.versions))
    return ranges


def _said_again(product: Product, listed: Mapping[str, Sequence[VersionSet]]) -> bool:
    """Whether a sentence names some of the versions that the list of affected products names of the same product."""
    if product.listed or product.status is not Status.AFFECTED or product.phrase is None:
        return False
    ranges = listed.get(squash(product.name.text), ())
    stated = parse_versions(product.phrase.versions)
    return (
        bool(ranges)
        and isinstance(stated, Exact)
        and all(any(contains(each, version.text) is Verdict.AFFECTED for each in ranges) for version in stated.versions)
    )
