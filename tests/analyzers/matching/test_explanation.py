"""Every comparison behind the findings of a device."""

from __future__ import annotations

from datetime import UTC, datetime

from analyzers.matching.advisories import match_advisory
from analyzers.matching.candidates import Candidate
from analyzers.matching.explanation import Outcome, claimed, compare_products_of, ruled_out
from analyzers.matching.match import Kind
from meddojo.advisory import Advisory, AdvisoryVulnerability, AffectedProduct, ProductStatus, VersionKind
from meddojo.device import Device

NOW = datetime(2024, 9, 1, tzinfo=UTC)
LEAF = AffectedProduct("p1", "Philips", "IntelliVue MX800", "<= N.00", VersionKind.RANGE)
FIXED = AffectedProduct("p2", "Philips", "IntelliVue MX800", "N.01", VersionKind.EXACT)
OTHER = AffectedProduct("p3", "Philips", "IntelliVue MX40", "<= N.00", VersionKind.RANGE)
STATUSES = (
    ("p1", ProductStatus.KNOWN_AFFECTED),
    ("p2", ProductStatus.FIXED),
    ("p3", ProductStatus.KNOWN_AFFECTED),
)
ADVISORY = Advisory(
    "A", "t", "CISA", "n", "1", NOW, NOW, (LEAF, FIXED, OTHER), (AdvisoryVulnerability("CVE-1", statuses=STATUSES),)
)


def device(version: str) -> Device:
    return Device("m", "Philips", "IntelliVue MX800", version)


def test_every_product_that_is_the_device_is_compared_for_every_vulnerability() -> None:
    found = list(compare_products_of(device("M.01"), ADVISORY))
    assert [(vulnerability, product.product_id) for vulnerability, _, product, _ in found] == [
        ("CVE-1", "p1"),
        ("CVE-1", "p2"),
    ]
    kinds = [piece.kind for piece in found[0][3].evidence]
    assert kinds == [Kind.VENDOR, Kind.PRODUCT, Kind.VERSION]


def test_the_probability_is_the_product_of_its_evidence() -> None:
    for _, _, _, match in compare_products_of(device("M.01"), ADVISORY):
        expected = 1.0
        for piece in match.evidence:
            expected *= piece.factor
        assert match.probability == round(expected, 4)


def test_what_is_ruled_out_says_why() -> None:
    (row,) = (each for each in ruled_out(device("P.01"), ADVISORY) if each.status == "known affected")
    assert row.outcome is Outcome.NOT_AFFECTED
    assert "version 'P.01' not in '<= N.00'" in row.reason
    cleared = [each for each in ruled_out(device("N.01"), ADVISORY) if each.status == "fixed"]
    assert len(cleared) == 1


def test_claims_fall_into_three_bands() -> None:
    (claim,) = (each for each in match_advisory(device("M.01"), ADVISORY) if isinstance(each, Candidate))
    probability = claim.citation.probability
    for threshold, review, outcome in (
        (probability, 0.5, Outcome.DELIVERED),
        (probability + 0.001, 0.5, Outcome.REVIEW),
        (1.0, probability + 0.001, Outcome.DROPPED),
    ):
        assert [row.outcome for row in claimed([claim], threshold, review)] == [outcome]
