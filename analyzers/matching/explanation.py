"""Every comparison behind the findings of a device, those that came to nothing included: for people who ask why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from analyzers.matching.advisories import CLEARED, leaves_of
from analyzers.matching.candidates import Candidate
from analyzers.matching.match import Evidence, Match
from analyzers.matching.versions.sets import Verdict
from meddojo.advisory import Advisory, AffectedProduct, ProductStatus
from meddojo.device import Device
from meddojo.sbom import Sbom


class Outcome(StrEnum):
    """What becomes of a comparison."""

    DELIVERED = "delivered"
    REVIEW = "needs review"
    DROPPED = "dropped"
    NOT_AFFECTED = "not affected"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One source, one vulnerability, one device.

    Attributes
    ----------
    product
        What the source names, with its versions; empty where a scan report or a bill of materials speaks.
    status
        What the source says about that product; empty for CVE records.
    evidence
        What was compared, piece by piece; empty for scan reports and components, whose `reason` says all.
    """

    source: str
    vulnerability: str
    outcome: Outcome
    probability: float
    reason: str
    product: str = ""
    status: str = ""
    evidence: tuple[Evidence, ...] = ()


def compare_products_of(
    device: Device, advisory: Advisory, sbom: Sbom | None = None
) -> Iterator[tuple[str, ProductStatus, AffectedProduct, Match]]:
    """Every product of an advisory that is called like the device, for every vulnerability: the raw matches.

    Yields
    ------
    tuple
        Vulnerability id, product status, product, and how probably it is the device.
    """
    leaves = leaves_of(device, advisory, advisory.products, sbom)
    for vulnerability in advisory.vulnerabilities:
        for product_id, status in vulnerability.statuses:
            if product_id in leaves:
                yield vulnerability.id, status, leaves[product_id].product, leaves[product_id].match


def claimed(claims: Iterable[Candidate], threshold: float, review_threshold: float) -> Iterator[Comparison]:
    """What sources claim about a device, by what becomes of it."""
    for claim in claims:
        citation = claim.citation
        if citation.probability >= threshold:
            outcome = Outcome.DELIVERED
        else:
            outcome = Outcome.REVIEW if citation.probability >= review_threshold else Outcome.DROPPED
        yield Comparison(citation.source, claim.identifiers[0], outcome, citation.probability, citation.reason)


def ruled_out(device: Device, advisory: Advisory, sbom: Sbom | None = None) -> Iterator[Comparison]:
    """Products of an advisory that are the device, at a version or with a status that is not affected."""
    for vulnerability, status, product, match in compare_products_of(device, advisory, sbom):
        if match.verdict is not (Verdict.AFFECTED if status in CLEARED else Verdict.NOT_AFFECTED):
            continue
        yield Comparison(
            f"{advisory.publisher} {advisory.id}".strip(),
            vulnerability,
            Outcome.NOT_AFFECTED,
            match.probability,
            match.reason,
            " ".join(filter(None, (product.product.strip() or product.full_name, product.version_text))),
            status.value.replace("_", " "),
            match.evidence,
        )
