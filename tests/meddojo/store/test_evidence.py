from __future__ import annotations

from datetime import UTC, datetime, timedelta

from meddojo.sbom import Component, Dependency, Sbom, ScanMatch, ScanReport
from meddojo.severity import Severity
from meddojo.store import Store
from meddojo.vulnerability import Vulnerability

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)

PILLOW = Component("1", "pillow", "9.0.0", "pkg:pypi/pillow@9.0.0")
MATCH = ScanMatch(Vulnerability("CVE-2023-4863", "grype"), PILLOW, Severity.CRITICAL, "fixed", ("10.0.1",))


def sbom(*components: Component) -> Sbom:
    return Sbom("CycloneDX 1.5", components, "1", (Dependency("1", "1"),), NOW)


def report(created: datetime = NOW, scanner: str = "grype", target: str = "image") -> ScanReport:
    return ScanReport(scanner, "0.80", created, target, (MATCH,))


def test_the_sbom_of_a_device_is_replaced_by_another(store: Store) -> None:
    assert store.evidence.sbom("gateway") is None
    assert store.evidence.keep_sbom("gateway", sbom(PILLOW), NOW)
    assert not store.evidence.keep_sbom("gateway", sbom(PILLOW), NOW + DAY), "the same again"
    assert store.evidence.keep_sbom("gateway", sbom(PILLOW, PILLOW), NOW)
    assert store.evidence.sbom("gateway") == sbom(PILLOW, PILLOW)
    assert store.evidence.sbom("console") is None


def test_a_newer_report_replaces_an_older_one(store: Store) -> None:
    assert store.evidence.keep_scan("gateway", report(NOW), NOW)
    assert store.evidence.keep_scan("gateway", report(NOW + DAY, target="new"), NOW)
    assert store.evidence.scans("gateway") == (report(NOW + DAY, target="new"),)


def test_an_older_report_does_not_replace_a_newer_one(store: Store) -> None:
    store.evidence.keep_scan("gateway", report(NOW), NOW)
    assert not store.evidence.keep_scan("gateway", report(NOW - DAY, target="stale"), NOW + DAY)
    assert not store.evidence.keep_scan("gateway", report(NOW), NOW + DAY), "the same again"
    assert store.evidence.scans("gateway") == (report(NOW),)


def test_a_report_of_the_same_moment_that_says_something_else_replaces(store: Store) -> None:
    store.evidence.keep_scan("gateway", report(NOW), NOW)
    assert store.evidence.keep_scan("gateway", report(NOW, target="corrected"), NOW)
    assert store.evidence.scans("gateway") == (report(NOW, target="corrected"),)


def test_every_scanner_and_every_device_has_its_own_report(store: Store) -> None:
    store.evidence.keep_scan("gateway", report(NOW, "trivy"), NOW)
    store.evidence.keep_scan("gateway", report(NOW - DAY, "grype"), NOW)
    store.evidence.keep_scan("console", report(NOW + DAY, "grype"), NOW)
    assert [scan.scanner for scan in store.evidence.scans("gateway")] == ["grype", "trivy"]
    assert [scan.created for scan in store.evidence.scans("console")] == [NOW + DAY]


def test_a_hostile_scanner_name_and_the_longest_device_id_are_kept(store: Store) -> None:
    device, scanner = "d" * 500, "s" * 10_000
    assert store.evidence.keep_scan(device, report(NOW, scanner), NOW)
    assert not store.evidence.keep_scan(device, report(NOW, scanner), NOW)
    assert [scan.scanner for scan in store.evidence.scans(device)] == [scanner]
    assert store.evidence.keep_sbom(device, sbom(PILLOW), NOW)
