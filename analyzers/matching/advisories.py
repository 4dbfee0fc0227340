"""CSAF product trees against a device (CSAF 2.0, section 3.2.3.9 product status)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from analyzers.matching.candidates import Candidate, Source
from analyzers.matching.match import Basis, Match
from analyzers.matching.products import match_product
from analyzers.matching.relationships import match_related
from analyzers.matching.versions.sets import Verdict
from meddojo.advisory import Advisory, AdvisoryVulnerability, AffectedProduct, ProductStatus
from meddojo.device import Device
from meddojo.finding import Citation
from meddojo.sbom import Sbom

UNDER_INVESTIGATION = 0.75
"""Factor for a product whose status is still open, or not stated: always a matter for review."""

CLEARING = 0.8
"""A statement that the device is not affected, or fixed, counts from this probability on."""

NAMED_WORSE = 0.1
"""A product whose name is less probably the device's by so much is left out beside the better one."""

READ_FROM_TEXT = {"listed product": 0.9, "product": 0.7, "suggested product": 0.7}
"""Factor for a product that was read from the text of a bulletin, by how it stands there: the share of such products
that were right, rounded (``benchmarks/advisory_text.py``); not measured for those a language model suggests."""

_AFFECTED = frozenset({ProductStatus.KNOWN_AFFECTED, ProductStatus.FIRST_AFFECTED, ProductStatus.LAST_AFFECTED})
CLEARED = frozenset({ProductStatus.KNOWN_NOT_AFFECTED, ProductStatus.FIXED, ProductStatus.FIRST_FIXED})
_FIXED = frozenset({ProductStatus.FIXED, ProductStatus.FIRST_FIXED})


@dataclass(frozen=True, slots=True)
class Clearance:
    """A publisher's statement that this very device, at this version, does not have the vulnerability."""

    identifiers: tuple[str, ...]
    citation: Citation


@dataclass(frozen=True, slots=True)
class Leaf:
    """A product of an advisory that is, or may be, the device."""

    product: AffectedProduct
    match: Match


def match_advisory(
    device: Device, advisory: Advisory, products: Iterable[AffectedProduct] | None = None, sbom: Sbom | None = None
) -> Iterator[Candidate | Clearance]:
    """What an advisory says about a device: at most one candidate or clearance for each of its vulnerabilities.

    Parameters
    ----------
    products
        Those of its products that may be the device, where an index has told; None means all.
    sbom
        What is in the device, for products that stand on others.
    """
    leaves = leaves_of(device, advisory, advisory.products if products is None else products, sbom)
    if not leaves:
        return
    for vulnerability in advisory.vulnerabilities:
        yield from _judge(advisory, vulnerability, leaves)


def leaves_of(
    device: Device, advisory: Advisory, products: Iterable[AffectedProduct], sbom: Sbom | None
) -> Mapping[str, Leaf]:
    """The products that are the device; where a helper names it, those that only sound like it are left out."""
    leaves: dict[str, Leaf] = {}
    by_id: Mapping[str, AffectedProduct] = {}
    for product in products:
        if product.installed_on_id:
            by_id = by_id or {each.product_id: each for each in advisory.products}
            match = match_related(device, product, by_id, sbom)
        else:
            match = match_product(device, product)
        if match is not None:
            leaves[product.product_id] = Leaf(product, match)
    return _best_named(leaves)


def _best_named(leaves: Mapping[str, Leaf]) -> Mapping[str, Leaf]:
    """Where an advisory names the device itself, what it says of products with a similar name is not about it."""
    firmest = max((leaf.match.basis for leaf in leaves.values()), default=None)
    if firmest is Basis.IDENTIFIER:
        return {name: leaf for name, leaf in leaves.items() if leaf.match.basis is firmest}
    best = max((leaf.match.identity for leaf in leaves.values() if leaf.match.certain), default=0.0)
    return {name: leaf for name, leaf in leaves.items() if leaf.match.identity >= best - NAMED_WORSE}


def _judge(
    advisory: Advisory, vulnerability: AdvisoryVulnerability, leaves: Mapping[str, Leaf]
) -> Iterator[Candidate | Clearance]:
    statuses = vulnerability.statuses or tuple(
        (product.product_id, ProductStatus.UNDER_INVESTIGATION) for product in advisory.products
    )
    named = [(status, leaves[product_id]) for product_id, status in statuses if product_id in leaves]
    affected = _best(
        [leaf for status, leaf in named if status in _AFFECTED and leaf.match.verdict is not Verdict.NOT_AFFECTED]
    )
    # Prose may be misread: it clears nobody.
    clearing = [] if advisory.passages else [leaf for status, leaf in named if status in CLEARED]
    cleared = _best([leaf for leaf in clearing if _clears(leaf.match)])
    if cleared is not None and _prevails(cleared, affected):
        status = next(status for status, leaf in named if leaf is cleared)
        reason = f"{cleared.match.reason}; stated as {status.value.replace('_', ' ')}"
        yield Clearance(_identifiers(vulnerability), _citation(advisory, cleared.match.probability, reason))
        return
    if affected is not None:
        yield _candidate(advisory, vulnerability, affected, affected.match.probability, affected.match.reason, named)
        return
    open_leaves = [
        leaf
        for status, leaf in named
        if status is ProductStatus.UNDER_INVESTIGATION and leaf.match.verdict is not Verdict.NOT_AFFECTED
    ]
    pending = _best(open_leaves)
    if pending is not None:
        probability = round(pending.match.probability * UNDER_INVESTIGATION, 4)
        said = (
            "the publisher is still investigating"
            if vulnerability.statuses
            else "the advisory states no product status"
        )
        yield _candidate(advisory, vulnerability, pending, probability, f"{pending.match.reason}; {said}", named)


def _best(leaves: list[Leaf]) -> Leaf | None:
    return max(
        leaves, key=lambda leaf: (leaf.match.probability, leaf.match.reason, leaf.product.product_id), default=None
    )


def _clears(match: Match) -> bool:
    return match.verdict is Verdict.AFFECTED and match.probability >= CLEARING


def _prevails(cleared: Leaf, affected: Leaf | None) -> bool:
    """The better match counts; between equals, the statement about certain versions goes before one about all."""
    if affected is None or not affected.match.certain:
        return True
    if cleared.match.identity != affected.match.identity:
        return cleared.match.identity > affected.match.identity
    return affected.match.all_versions or not cleared.match.all_versions


def _candidate(
    advisory: Advisory,
    vulnerability: AdvisoryVulnerability,
    leaf: Leaf,
    probability: float,
    reason: str,
    named: list[tuple[ProductStatus, Leaf]],
) -> Candidate:
    product_id = leaf.product.product_id
    probability = round(probability * _read_rightly(advisory, leaf.product), 4)
    fixed = {other.product.version_text.strip() for status, other in named if status in _FIXED}
    return Candidate(
        identifiers=_identifiers(vulnerability),
        source=Source.ADVISORY,
        citation=_citation(advisory, probability, reason),
        summary=vulnerability.description or vulnerability.title,
        cvss=tuple(
            score.cvss for score in vulnerability.scores if product_id in score.product_ids or not score.product_ids
        ),
        cwes=vulnerability.cwes,
        remediations=tuple(
            item for item in vulnerability.remediations if product_id in item.product_ids or not item.product_ids
        ),
        fix_versions=tuple(sorted(fixed - {""})),
        references=(*vulnerability.references, *([advisory.url] if advisory.url else [])),
    )


def _read_rightly(advisory: Advisory, product: AffectedProduct) -> float:
    """Probability that the advisory names this product at all: less than 1 where it was read from prose."""
    stands = (READ_FROM_TEXT.get(each.item, 0.0) for each in advisory.passages if each.text == product.full_name)
    return max(stands, default=1.0) or 1.0


def _identifiers(vulnerability: AdvisoryVulnerability) -> tuple[str, ...]:
    return tuple(dict.fromkeys((vulnerability.id, *vulnerability.aliases)))


def _citation(advisory: Advisory, probability: float, reason: str) -> Citation:
    if advisory.passages:
        reason = f"{reason}; read from a bulletin's text"
    return Citation(f"{advisory.publisher} {advisory.id}".strip(), advisory.url or advisory.id, probability, reason)
