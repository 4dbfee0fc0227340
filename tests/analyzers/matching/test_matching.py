"""The analyzer as a whole: the shipped hospital, the real feeds, and the index in front of it."""

from __future__ import annotations

import json
import random
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
import zstandard

from analyzers.matching import Matching, build, candidates
from analyzers.matching.index import advisory_keys, device_keys, sbom_keys, vulnerability_keys
from connectors.feeds.csaf.document import parse_document
from connectors.feeds.nvd.record import parse_record
from connectors.inventory import read_inventory
from connectors.scans.pms_scanner import read_grype
from connectors.scans.sbom import read_sbom
from meddojo.advisory import Advisory
from meddojo.case import Case
from meddojo.config import AnalyzerConfig
from meddojo.device import Device
from meddojo.finding import Finding
from meddojo.interface import Analyzer
from meddojo.sbom import ScanReport
from meddojo.vulnerability import Vulnerability

NOW = datetime(2024, 9, 1, tzinfo=UTC)
MATCHING = build(AnalyzerConfig())


def test_is_an_analyzer() -> None:
    assert isinstance(MATCHING, Analyzer)
    assert build(AnalyzerConfig(threshold=0.9, review_threshold=0.6)) == Matching(0.9, 0.6)


def test_an_empty_case_gives_nothing_and_keeps_what_was_there() -> None:
    case = Case(Device("d", "Acme", "Pump"), NOW)
    assert MATCHING.judge(case, ()) == ()
    assert candidates(case) == ()


# ---- the shipped hospital ----


@cache
def hospital_feeds(folder: Path) -> tuple[tuple[Advisory, ...], tuple[Vulnerability, ...]]:
    advisories = [
        parse_document(json.loads(path.read_text()), path.name) for path in sorted((folder / "csaf").glob("*.json"))
    ]
    records = [
        parse_record(entry["cve"], path.name)
        for path in sorted((folder / "nvd").glob("*.json"))
        for entry in json.loads(path.read_text())["vulnerabilities"]
    ]
    return tuple(advisories), tuple(records)


def hospital_case(hospital: Path, name: str) -> Case:
    advisories, records = hospital_feeds(hospital / "feeds")
    device = next(each for each in read_inventory(hospital / "inventory.toml").devices if each.id == name)
    sbom = read_sbom((hospital / device.sbom_file).read_bytes(), device.sbom_file) if device.sbom_file else None
    scans: list[ScanReport] = []
    for row in tomllib.loads((hospital / "meddojo.toml").read_text())["scans"]:
        if row["device"] == name:
            scans.append(read_grype(json.loads((hospital / row["file"]).read_text()), row["file"], NOW)[0])
    return Case(device, NOW, sbom=sbom, scans=tuple(scans), advisories=advisories, vulnerabilities=records)


def expectations() -> dict[str, dict[str, list[str]]]:
    file = Path(__file__).resolve().parents[3] / "examples" / "hospital" / "expected.json"
    return json.loads(file.read_text()) if file.exists() else {}  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", sorted(expectations()))
def test_every_device_of_the_hospital_has_what_it_should(hospital: Path, name: str) -> None:
    expected = expectations()[name]
    findings = MATCHING.judge(hospital_case(hospital, name), ())
    certain = {alias for finding in findings if not finding.needs_review for alias in finding.aliases}
    review = {alias for finding in findings if finding.needs_review for alias in finding.aliases}
    conditional = set(expected.get("conditional", ()))
    assert set(expected["affected"]) - conditional <= certain
    assert conditional <= review | certain
    assert set(expected.get("text_only", ())) <= review
    assert {name for name in certain if name.startswith("CVE-")} <= set(expected["affected"])
    for name in expected.get("without_cve", ()):
        assert any(name.lower() in identifier.lower() for identifier in certain)
    assert not (certain | review) & set(expected["not_affected"])


def test_the_hospital_has_no_finding_twice(hospital: Path) -> None:
    for name in expectations():
        findings = MATCHING.judge(hospital_case(hospital, name), ())
        identities = [finding.identity for finding in findings]
        assert len(set(identities)) == len(identities)
        assert identities == [finding.identity for finding in sorted(findings, key=lambda finding: finding.check)]


def test_shuffling_the_case_changes_nothing(hospital: Path) -> None:
    case = hospital_case(hospital, "infusion-gateway")
    expected = MATCHING.judge(case, ())
    assert len(expected) > 10
    generator = random.Random(5)
    for _ in range(5):
        shuffled = replace(
            case,
            advisories=tuple(generator.sample(case.advisories, len(case.advisories))),
            vulnerabilities=tuple(generator.sample(case.vulnerabilities, len(case.vulnerabilities))),
            scans=tuple(
                replace(scan, matches=tuple(generator.sample(scan.matches, len(scan.matches)))) for scan in case.scans
            ),
        )
        assert MATCHING.judge(shuffled, ()) == expected


def test_a_case_that_travelled_as_json_is_judged_alike(hospital: Path) -> None:
    case = hospital_case(hospital, "pacs-vue")
    assert MATCHING.judge(Case.from_json(case.to_json()), ()) == MATCHING.judge(case, ())


def test_the_vendors_statement_silences_the_record_that_matches_by_name(hospital: Path) -> None:
    """A family is affected, this model is stated as not affected: nothing is left of it."""
    case = hospital_case(hospital, "ultrasound-logiq-100")
    assert not any("CVE-2020-6977" in claim.identifiers for claim in candidates(case))


def test_nomination_loses_nothing_in_the_hospital(hospital: Path) -> None:
    for name in expectations():
        case = hospital_case(hospital, name)
        assert MATCHING.judge(nominated(case), ()) == MATCHING.judge(case, ())


def nominated(case: Case) -> Case:
    """The case with nothing in it but what shares an index key, and what describes a nominated CVE."""
    keys = device_keys(case.device) | (sbom_keys(case.sbom) if case.sbom else frozenset())
    advisories = tuple(each for each in case.advisories if keys & advisory_keys(each))
    mentioned = {each.id for advisory in advisories for each in advisory.vulnerabilities}
    mentioned |= {name for claim in candidates(case) for name in claim.identifiers}
    records = tuple(each for each in case.vulnerabilities if keys & vulnerability_keys(each) or each.id in mentioned)
    return replace(case, advisories=advisories, vulnerabilities=records)


# ---- the real feeds ----


@cache
def real_feeds(folder: Path) -> tuple[tuple[Advisory, ...], tuple[Vulnerability, ...]]:
    advisories = [parse_document(json.loads(line), "icsma") for line in lines(folder / "cisa_csaf_icsma.jsonl.zst")]
    records = [
        parse_record(json.loads(line)["cve"], "nvd") for line in lines(folder / "nvd_api2_medical_sample.jsonl.zst")
    ]
    return tuple(advisories), tuple(records)


def lines(file: Path) -> list[bytes]:
    with file.open("rb") as handle, zstandard.ZstdDecompressor().stream_reader(handle) as reader:
        return reader.read().splitlines()


def judge_real(shared_data: Path, vendor: str, model: str, version: str) -> dict[str, Finding]:
    advisories, records = real_feeds(shared_data)
    case = Case(Device("d", vendor, model, version), NOW, advisories=advisories, vulnerabilities=records)
    return {finding.check: finding for finding in MATCHING.judge(case, ())}


@pytest.mark.parametrize(
    ("vendor", "model", "version", "cve", "expected"),
    [
        ("Philips", "IntelliVue MX40", "B.06.17", "CVE-2017-9657", True),
        ("Philips", "IntelliVue MX40", "B.06.18", "CVE-2017-9657", False),
        ("BD", "Alaris 8015 PC Unit", "9.33", "CVE-2016-8375", True),
        ("BD", "Alaris 8015 PC Unit", "9.34.0", "CVE-2020-25165", False),
        ("Becton Dickinson", "Alaris 8015", "9.33.1", "CVE-2020-25165", True),
        ("Baxter", "Welch Allyn ELI 380", "2.6.0", "CVE-2022-26388", True),
        ("Welch Allyn", "ELI 380", "2.6.1", "CVE-2022-26388", False),
        ("GE Healthcare", "CARESCAPE B650", "2.3", "CVE-2020-6962", True),
        ("Smiths Medical", "Medfusion 4000", "1.6", "CVE-2017-12718", True),
        ("Smiths Medical", "Medfusion 4000", "1.7", "CVE-2017-12718", False),
        ("Hamilton Medical", "T1 Ventilator", "2.2.3", "CVE-2020-27278", True),
        ("OFFIS", "DCMTK", "3.6.6", "CVE-2022-2119", True),
        ("OFFIS", "DCMTK", "3.6.7", "CVE-2022-2119", False),
        ("Philips", "Vue PACS", "12.2.5.0", "CVE-2021-33020", True),
        ("Hospira", "LifeCare PCA3", "5.0", "CVE-2015-3955", True),
        ("ICU Medical", "LifeCare PCA3", "5.1", "CVE-2015-3955", False),
        ("OpenEMR", "OpenEMR", "7.0.2", "CVE-2026-24487", True),
        ("OpenEMR", "OpenEMR", "8.0.0", "CVE-2026-24487", False),
    ],
)
def test_real_devices_against_the_real_feeds(
    shared_data: Path, vendor: str, model: str, version: str, cve: str, expected: bool
) -> None:
    finding = judge_real(shared_data, vendor, model, version).get(cve)
    assert (finding is not None and not finding.needs_review) is expected


def test_every_product_of_the_real_feed_finds_itself(shared_data: Path) -> None:
    """A device named exactly as the publisher names its product is never missed, and nomination finds it."""
    advisories, _ = real_feeds(shared_data)
    missed = []
    for advisory in advisories:
        judged = {product_id for each in advisory.vulnerabilities for product_id, _ in each.statuses}
        for product in (product for product in advisory.products if product.product_id in judged):
            device = Device("d", product.vendor, product.product)
            if device_keys(device).isdisjoint(advisory_keys(advisory)):
                missed.append((advisory.id, product.product, "not nominated"))
            elif not candidates(Case(device, NOW, advisories=(advisory,))):
                missed.append((advisory.id, product.product, "no candidate"))
    assert missed == []


def test_nomination_loses_nothing_in_the_real_feed(shared_data: Path) -> None:
    advisories, records = real_feeds(shared_data)
    generator = random.Random(11)
    products = [product for advisory in advisories for product in advisory.products]
    for product in generator.sample(products, 40):
        words = product.product.split()
        model = " ".join(generator.sample(words, min(len(words), 3)))
        device = Device("d", product.vendor, model, generator.choice(["", "1.0", "9.33", "B.02"]))
        case = Case(device, NOW, advisories=advisories, vulnerabilities=records)
        assert MATCHING.judge(nominated(case), ()) == MATCHING.judge(case, ())
