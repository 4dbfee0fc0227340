"""From what was read to an `Advisory` like any other, marked as read from a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from analyzers.advisory_text.extraction import Extraction, Product
from analyzers.advisory_text.identifiers import CVE
from analyzers.advisory_text.spans import Span
from analyzers.advisory_text.statements import Status
from analyzers.matching.versions.reader import parse_versions
from analyzers.matching.versions.sets import Verdict, contains
from meddojo.advisory import (
    Advisory,
    AdvisoryVulnerability,
    AffectedProduct,
    Passage,
    ProductScore,
    ProductStatus,
    Remediation,
    VersionKind,
)
from meddojo.bulletin import Bulletin
from meddojo.errors import InputError
from meddojo.severity import CvssScore

READ_FROM_TEXT = "read from a bulletin's text"
"""What everything made of such an advisory says of itself."""

_NEAR = 1_500
"""A rating belongs to the last CVE id before it, if that is no further away than this many characters."""
_ONE_VERSION = re.compile(r"\S*\d\S*")
_LONGEST_DESCRIPTION = 4_000
_SURE = 0.9
"""From this probability on an implied vendor counts."""


def read_advisory(bulletin: Bulletin, read: Extraction, origin: str, received: datetime) -> Advisory:
    """Make an advisory of the text of a bulletin.

    Its id begins with ``TEXT-`` and goes on with the number the publisher gave the document, else with the beginning
    of the file's digest: a bulletin that is revised under its number replaces its forerunner.

    Parameters
    ----------
    read
        What was read from its text.
    origin
        File or URL, for messages.
    received
        Stands in for the date of publication where the text names none; aware.

    Raises
    ------
    InputError
        If the text names no product, or nothing that makes it an advisory.
    """
    affected = read.of(Status.AFFECTED)
    if not affected:
        raise InputError(
            origin,
            "",
            f"no affected product could be read from this text, which names {_count(read)}",
            "if it names one, write it as a list item under a heading 'Affected products'",
        )
    if not read.cves and not any(product.listed for product in affected):
        raise InputError(origin, "", "names no CVE id and lists no affected products", "is this a security bulletin?")
    vendor = _vendor(read)
    identifier = f"TEXT-{read.number.text.replace(' ', '-') if read.number else bulletin.digest[:16]}"
    fixed = tuple(_fixed(read, affected))
    ids = {
        id(product): f"P{number}" for number, product in enumerate((*affected, *(product for product, _ in fixed)), 1)
    }
    leaves = [_leaf(ids[id(product)], product, vendor) for product in affected]
    leaves += [_leaf(ids[id(product)], product, vendor, version) for product, version in fixed]
    published = min((moment for moment, kind, _ in read.dates if kind == "published"), default=None)
    published = published or min((moment for moment, _, _ in read.dates), default=received)
    updated = max((moment for moment, kind, _ in read.dates if kind), default=published)
    return Advisory(
        id=identifier,
        title=bulletin.title or (read.title.text if read.title else ""),
        publisher=f"{vendor} bulletin ({READ_FROM_TEXT})".lstrip(),
        namespace=f"urn:meddojo:bulletin:{_slug(vendor)}",
        revision=bulletin.digest[:16],
        published=published,
        updated=max(published, updated),
        products=tuple(leaves),
        vulnerabilities=tuple(
            _vulnerabilities(bulletin.text, read, identifier, affected, [each for each, _ in fixed], ids)
        ),
        passages=tuple(passages(read)),
    )


def passages(read: Extraction) -> Iterator[Passage]:
    """Where each item was read, in order of the text, each place of an item once."""
    places: list[tuple[str, Span | None]] = [("title", read.title), ("number", read.number), ("vendor", read.vendor)]
    places += [("cve", found.span) for found in read.cves]
    places += [("cwe", found.span) for found in read.cwes]
    places += [("cvss", vector.span) for vector in read.vectors]
    places += [(kind or "date", place) for _, kind, place in read.dates]
    places += [(remedy.category, remedy.span) for remedy in read.remedies]
    if read.implied_vendor and _vendor(read):
        places.append(("implied vendor", read.implied_vendor.span))
    for product in read.products:
        mark = "suggested product" if product.suggested else "listed product" if product.listed else "product"
        places += [(mark, product.name), ("vendor", product.vendor)]
        places += [(f"{product.status} versions", product.phrase.span if product.phrase else None)]
    once = dict.fromkeys((place.start, place.end, item, place.text) for item, place in places if place is not None)
    for start, end, item, text in sorted(once):
        yield Passage(item, start, end, text)


def _vendor(read: Extraction) -> str:
    """The vendor as named, else the one that a name implies with little doubt: a wrong one would hide a device."""
    if read.vendor:
        return read.vendor.text
    implied = read.implied_vendor
    return implied.name if implied and implied.probability >= _SURE else ""


def _count(read: Extraction) -> str:
    count = len({found.value for found in read.cves})
    return f"{count} CVE id{'' if count == 1 else 's'}" if count else "no CVE id either"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "unnamed"


def _leaf(product_id: str, product: Product, vendor: str, fixed: str = "") -> AffectedProduct:
    versions = fixed or (product.phrase.versions if product.phrase else "")
    kind = VersionKind.EXACT if fixed else VersionKind.RANGE if versions else VersionKind.UNSTATED
    return AffectedProduct(
        product_id=product_id,
        vendor=product.vendor.text if product.vendor else vendor,
        product=product.name.text,
        version_text=versions,
        version_kind=kind,
        full_name=product.name.text,
    )


def _fixed(read: Extraction, affected: Sequence[Product]) -> Iterator[tuple[Product, str]]:
    """Fixed versions of products whose affected versions are named and do not hold them.

    Whatever else prose says of fixed or unaffected products is not taken over: a mistake there would clear a device.
    """
    ranges: dict[str, list[str]] = {}
    for product in affected:
        if product.phrase:
            ranges.setdefault(product.name.text.lower(), []).append(product.phrase.versions)
    seen: set[tuple[str, str]] = set()
    for product in read.of(Status.FIXED):
        version = _ONE_VERSION.search(product.phrase.versions) if product.phrase else None
        known = ranges.get(product.name.text.lower(), [])
        if version is None or not known:
            continue
        text = version.group().strip(",;()<>=")
        if (product.name.text, text) in seen:
            continue
        seen.add((product.name.text, text))
        if all(contains(parse_versions(stated), text) is Verdict.NOT_AFFECTED for stated in known):
            yield product, text


def _vulnerabilities(
    text: str,
    read: Extraction,
    identifier: str,
    affected: Sequence[Product],
    fixed: Sequence[Product],
    ids: dict[int, str],
) -> Iterator[AdvisoryVulnerability]:
    cves = tuple(dict.fromkeys(found.value for found in read.cves))
    remediations = tuple(Remediation(remedy.category, remedy.span.text, remedy.url) for remedy in read.remedies)
    title = read.title.text if read.title else ""
    for cve in cves or (f"{identifier}:text",):
        mine = [product for product in affected if _concerns(product, cve, text)]
        scores = {vector.vector: vector for vector in read.vectors if _nearest(read, vector.span, cve)}
        yield AdvisoryVulnerability(
            id=cve,
            title=title,
            description=_description(read, text, cve),
            cwes=tuple(dict.fromkeys(int(found.value) for found in read.cwes if _nearest(read, found.span, cve))),
            scores=tuple(
                ProductScore(CvssScore(each.vector, each.base_score, each.version, _scorer(read)), ())
                for each in scores.values()
            ),
            statuses=(
                *((ids[id(product)], ProductStatus.KNOWN_AFFECTED) for product in mine),
                *((ids[id(product)], ProductStatus.FIXED) for product in fixed if _concerns(product, cve, text)),
            ),
            remediations=remediations,
        )


def _scorer(read: Extraction) -> str:
    return f"{_vendor(read) or 'unnamed'} ({READ_FROM_TEXT})"


def _concerns(product: Product, cve: str, text: str) -> bool:
    """A sentence, list item or row that names CVE ids speaks of those only."""
    named = _ids(text[product.place.start : product.place.end])
    return not named or cve in named


def _ids(text: str) -> set[str]:
    return {f"CVE-{match[1]}-{match[2]}" for match in CVE.finditer(text)}


def _nearest(read: Extraction, place: Span, cve: str) -> bool:
    """Whether a rating or weakness is that of a CVE: the only one, the last one named before it, or the next."""
    values = {found.value for found in read.cves}
    if len(values) < 2:
        return True
    before = [found for found in read.cves if found.span.end <= place.start]
    if before and place.start - before[-1].span.end <= _NEAR:
        return before[-1].value == cve
    after = next((found for found in read.cves if found.span.start >= place.end), None)
    return after is not None and after.span.start - place.end <= _NEAR and after.value == cve


def _description(read: Extraction, text: str, cve: str) -> str:
    """The paragraph that names the CVE and says most; else the longest paragraph."""
    paragraphs = [line for line in text.split("\n") if len(line) > 60]
    own = [line for line in paragraphs if cve in _ids(line)]
    chosen: Iterable[str] = own or paragraphs
    return max(chosen, key=len, default=read.title.text if read.title else "")[:_LONGEST_DESCRIPTION]
