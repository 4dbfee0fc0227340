"""CSAF product trees against a device (CSAF 2.0, section 3.2.3.9 product status)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from analyzers.matching.candidates import Candidate, Source
from analyzers.matching.products import DeviceMatch, match_product
from analyzers.matching.version_sets import Verdict
from meddojo.advisory import Advisory, AdvisoryVulnerability, AffectedProduct, ProductStatus
from meddojo.device import Device
from meddojo.finding import Citation

UNDER_INVESTIGATION = 0.75
"""Factor for a product whose status is still open, or not stated: always a matter for review."""

CLEARING = 0.8
"""A statement that the device is not affected, or fixed, counts from this probability on."""

_AFFECTED = frozenset({ProductStatus.KNOWN_AFFECTED, ProductStatus.FIRST_AFFECTED, ProductStatus.LAST_AFFECTED})
_CLEARED = frozenset({ProductStatus.KNOWN_NOT_AFFECTED, ProductStatus.FIXED, ProductStatus.FIRST_FIXED})
_FIXED = frozenset({ProductStatus.FIXED, ProductStatus.FIRST_FIXED})


@dataclass(frozen=True, slots=True)
class Clearance:
    """A publisher's statement that this very device, at this version, does not have the vulnerability."""

    identifiers: tuple[str, ...]
    citation: Citation


@dataclass(frozen=True, slots=True)
class _Leaf:
    product: AffectedProduct
    match: DeviceMatch


def match_advisory(
    device: Device, advisory: Advisory, products: Iterable[AffectedProduct] | None = None
) -> Iterator[Candidate | Clearance]:
    """What an advisory says about a device: at most one candidate or clearance for each of its vulnerabilities.

    Parameters
    ----------
    products
        Those of its products that may be the device, where an index has told; None means all.
    """
    leaves: dict[str, _Leaf] = {}
    for product in advisory.products if products is None else products:
        match = match_product(device, product)
        if match is not None:
            leaves[product.product_id] = _Leaf(product, match)
    if not leaves:
        return
    for vulnerability in advisory.vulnerabilities:
        yield from _judge(advisory, vulnerability, leaves)


def _judge(
    advisory: Advisory, vulnerability: AdvisoryVulnerability, leaves: Mapping[str, _Leaf]
) -> Iterator[Candidate | Clearance]:
    statuses = vulnerability.statuses or tuple(
        (product.product_id, ProductStatus.UNDER_INVESTIGATION) for product in advisory.products
    )
    named = [(status, leaves[product_id]) for product_id, status in statuses if product_id in leaves]
    affected = _best(
        [leaf for status, leaf in named if status in _AFFECTED and leaf.match.verdict is not Verdict.NOT_AFFECTED]
    )
    cleared = _best([leaf for status, leaf in named if status in _CLEARED and _clears(leaf.match)])
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


def _best(leaves: list[_Leaf]) -> _Leaf | None:
    return max(
        leaves, key=lambda leaf: (leaf.match.probability, leaf.match.reason, leaf.product.product_id), default=None
    )


def _clears(match: DeviceMatch) -> bool:
    return match.verdict is Verdict.AFFECTED and match.probability >= CLEARING


def _prevails(cleared: _Leaf, affected: _Leaf | None) -> bool:
    """The better match counts; between equals, the statement about certain versions goes before one about all."""
    if affected is None or not affected.match.certain:
        return True
    if cleared.match.probability != affected.match.probability:
        return cleared.match.probability > affected.match.probability
    return affected.match.all_versions or not cleared.match.all_versions


def _candidate(
    advisory: Advisory,
    vulnerability: AdvisoryVulnerability,
    leaf: _Leaf,
    probability: float,
    reason: str,
    named: list[tuple[ProductStatus, _Leaf]],
) -> Candidate:
    product_id = leaf.product.product_id
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


def _identifiers(vulnerability: AdvisoryVulnerability) -> tuple[str, ...]:
    return tuple(dict.fromkeys((vulnerability.id, *vulnerability.aliases)))


def _citation(advisory: Advisory, probability: float, reason: str) -> Citation:
    return Citation(f"{advisory.publisher} {advisory.id}".strip(), advisory.url or advisory.id, probability, reason)
