"""Past CVEs of components from a case, and what is told of the coming year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from analyzers.matching.index import component_keys
from analyzers.sbom_graph import forthcoming
from analyzers.sbom_graph.forecast import History
from analyzers.sbom_graph.forthcoming import MODEL, foretold, histories, next_cves
from meddojo.advisory import AffectedProduct
from meddojo.case import Case
from meddojo.device import Device
from meddojo.sbom import Component, Dependency, Sbom, ScanMatch, ScanReport
from meddojo.vulnerability import Vulnerability

NOW = datetime(2024, 6, 30, tzinfo=UTC)
OPENSSL = Component("ssl", "openssl", "1.1.1k", purl="pkg:deb/debian/openssl@1.1.1k")
ZLIB = Component("z", "zlib", "1.2.11", purl="pkg:generic/zlib@1.2.11")
PUMP = Component("pump", "pump-firmware", "1")
SBOM = Sbom("CycloneDX 1.6", (PUMP, OPENSSL, ZLIB), root="pump", dependencies=(Dependency("pump", "ssl"),))


def record(name: str, age_days: int, product: str, **others: object) -> Vulnerability:
    published = NOW - timedelta(days=age_days)
    return Vulnerability(name, "nvd", published=published, affected=(AffectedProduct("", "", product),), **others)  # type: ignore[arg-type]


def case(*records: Vulnerability, scans: tuple[ScanReport, ...] = ()) -> Case:
    return Case(Device("pump-1", "Acme", "Pump"), NOW, sbom=SBOM, vulnerabilities=records, scans=scans)


def test_records_of_any_version_count_once_each_and_rejected_ones_never() -> None:
    known = (
        record("CVE-2024-1", 10, "openssl"),
        record("CVE-2023-2", 400, "OpenSSL"),
        record("CVE-2023-3", 500, "openssl", status="Rejected"),
        record("CVE-2020-4", 1_500, "nginx"),
    )
    assert histories(case(*known, *known), SBOM) == {"ssl": History(2, 1, 2, 10)}


def test_what_a_scanner_found_counts_without_a_day() -> None:
    match = ScanMatch(Vulnerability("CVE-2018-25032", "grype"), ZLIB)
    report = ScanReport("grype", "1", NOW, "pump", (match,))
    assert histories(case(scans=(report,)), SBOM) == {"z": History(1, 0, 0, None)}


def test_the_day_of_a_record_is_known_under_whatever_key_a_report_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A component goes by several keys, and sets have no order: no key may hide the day that another knows."""
    dated, match = record("CVE-2024-1", 10, "openssl"), ScanMatch(Vulnerability("CVE-2024-1", "grype"), OPENSSL)
    both = case(dated, scans=(ScanReport("grype", "1", NOW, "pump", (match,)),))
    keys = sorted(component_keys(OPENSSL))
    assert len(keys) > 1
    for order in (keys, keys[::-1]):
        monkeypatch.setattr(forthcoming, "component_keys", lambda part, order=order: order if part.ref == "ssl" else ())
        assert histories(both, SBOM) == {"ssl": History(1, 1, 1, 10)}


def test_a_component_with_many_recent_cves_is_expected_to_have_more() -> None:
    busy = [record(f"CVE-2024-{number}", 20 * number, "openssl") for number in range(1, 19)]
    chances = next_cves(case(*busy), SBOM)
    assert set(chances) == {"ssl", "z"} and chances["ssl"] > 0.5 > 0.05 > chances["z"]
    told = foretold(SBOM, chances)
    assert told is not None and told.model == MODEL
    assert told.remarks == ("a new CVE within a year is expected with over 50 % in: openssl",)


def test_nothing_is_told_where_nothing_stands_out() -> None:
    assert foretold(SBOM, next_cves(case(), SBOM)) is None
