"""Scan reports and CVE records against a bill of materials."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from analyzers.matching.components import match_scan
from analyzers.matching.records.packages import by_key, match_packages
from meddojo.sbom import Component, Sbom, ScanMatch, ScanReport
from meddojo.vulnerability import Configuration, CpeMatch, CpeNode, Vulnerability

NOW = datetime(2024, 9, 1, tzinfo=UTC)
LODASH = Component("1", "lodash", "4.17.15", "pkg:npm/lodash@4.17.15")


def scan(component: Component, match_type: str = "exact-direct-match") -> ScanReport:
    found = ScanMatch(Vulnerability("GHSA-1", "grype", aliases=("CVE-2024-0001",)), component, match_type=match_type)
    return ScanReport("grype", "0.80", NOW, "pump", (found,))


def weigh(component: Component, *listed: Component) -> tuple[float, str]:
    (claim,) = match_scan(scan(component), Sbom("CycloneDX 1.5", listed))
    assert claim.identifiers == ("GHSA-1", "CVE-2024-0001")
    assert claim.components == (component,)
    return claim.citation.probability, claim.citation.reason


@pytest.mark.parametrize(
    ("listed", "probability", "words"),
    [
        (LODASH, 0.97, "lists it at that version"),
        (Component("x", "Lodash", "4.17.15"), 0.97, "lists it at that version"),
        (Component("x", "lodash", "", "pkg:npm/lodash@4.17.15"), 0.97, "lists it at that version"),
        (Component("x", "lodash", "4.17.21", "pkg:npm/lodash@4.17.21"), 0.7, "at another version: 4.17.21"),
        (Component("x", "lodash", ""), 0.9, "without a version"),
        (Component("x", "moment", "4.17.15"), 0.9, "does not list this component"),
        (Component("x", "lodash", "4.17.15", "pkg:pypi/lodash@4.17.15"), 0.9, "does not list this component"),
    ],
)
def test_the_bill_of_materials_weighs_a_scan(listed: Component, probability: float, words: str) -> None:
    found, reason = weigh(LODASH, listed)
    assert found == probability
    assert words in reason


def test_without_a_bill_of_materials_the_scanner_stands_alone() -> None:
    (claim,) = match_scan(scan(LODASH), None)
    assert claim.citation.probability == 0.9
    assert "no bill of materials" in claim.citation.reason


def test_a_match_by_cpe_weighs_less() -> None:
    (direct,) = match_scan(scan(LODASH), None)
    (by_cpe,) = match_scan(scan(LODASH, "cpe-match"), None)
    assert by_cpe.citation.probability < direct.citation.probability


def record(criteria: str, **bounds: str) -> Vulnerability:
    node = CpeNode("OR", (CpeMatch(criteria, True, **bounds),))
    return Vulnerability("CVE-2024-0001", "NVD", configurations=(Configuration("OR", (node,)),))


def packages(component: Component, criteria: str, **bounds: str) -> float:
    claims = list(match_packages(record(criteria, **bounds), by_key(Sbom("CycloneDX 1.5", (component,)))))
    return max((claim.citation.probability for claim in claims), default=0.0)


NODE = "cpe:2.3:a:lodash:lodash:*:*:*:*:*:node.js:*:*"


def test_a_package_of_the_ecosystem_that_the_record_names() -> None:
    assert packages(LODASH, NODE, version_end_excluding="4.17.21") == 0.9
    assert packages(LODASH, NODE, version_end_excluding="4.17.12") == 0.0


def test_a_package_of_another_ecosystem_is_another_package() -> None:
    assert packages(Component("1", "lodash", "4.0", "pkg:pypi/lodash@4.0"), NODE) == 0.0


def test_the_same_name_alone_is_for_review() -> None:
    criteria = "cpe:2.3:a:somebody:requests:*:*:*:*:*:*:*:*"
    assert packages(Component("1", "requests", "2.0", "pkg:pypi/requests@2.0"), criteria) == 0.7


def test_the_same_cpe_and_a_missing_version() -> None:
    cpe = "cpe:2.3:a:openssl:openssl:{}:*:*:*:*:*:*:*"
    with_version = Component("1", "libssl", "3.0.1", cpe=cpe.format("3.0.1"))
    assert packages(with_version, cpe.format("*"), version_end_including="3.0.1") == 0.95
    assert (
        0.5 <= packages(Component("1", "libssl", cpe=cpe.format("*")), cpe.format("*"), version_end_including="3") < 0.8
    )


def test_a_distribution_package_may_carry_the_fix() -> None:
    component = Component("1", "openssl", "3.0.1-2", "pkg:deb/debian/openssl@3.0.1-2")
    criteria = "cpe:2.3:a:openssl:openssl:*:*:*:*:*:*:*:*"
    assert 0.5 <= packages(component, criteria, version_end_excluding="3.0.9") < 0.8
