"""NVD records against a device."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analyzers.matching.candidates import Candidate
from analyzers.matching.cpe import match_record
from analyzers.matching.identifiers import cpe_names, parse_cpe
from meddojo.advisory import AffectedProduct
from meddojo.device import Device
from meddojo.vulnerability import Configuration, CpeMatch, CpeNode, Vulnerability

PUMP = Device("pca", "ICU Medical", "LifeCare PCA3", "5.0")
FIRMWARE = CpeMatch("cpe:2.3:o:hospira:lifecare_pcainfusion_firmware:*:*:*:*:*:*:*:*", version_end_including="5.0")
HARDWARE = CpeMatch("cpe:2.3:h:hospira:lifecare_pca3:-:*:*:*:*:*:*:*", vulnerable=False)


def name(part: str, vendor: str, product: str, version: str = "*", update: str = "*") -> str:
    return f"cpe:2.3:{part}:{vendor}:{product}:{version}:{update}:*:*:*:*:*:*"


def all_of(*matches: CpeMatch) -> Configuration:
    return Configuration("AND", tuple(CpeNode("OR", (match,)) for match in matches))


def any_of(*matches: CpeMatch) -> Configuration:
    return Configuration("OR", (CpeNode("OR", matches),))


def record(*configurations: Configuration, **parts: object) -> Vulnerability:
    return Vulnerability("CVE-2024-0001", "NVD", configurations=configurations, **parts)  # type: ignore[arg-type]


def one(device: Device, vulnerability: Vulnerability) -> Candidate | None:
    return next(match_record(device, vulnerability), None)


def probability(device: Device, vulnerability: Vulnerability) -> float:
    claim = one(device, vulnerability)
    return claim.citation.probability if claim else 0.0


def test_escaped_signs_of_a_cpe() -> None:
    cpe = parse_cpe(r"cpe:2.3:a:gehealthcare:entegra_p\&r:1\:2:*:*:*:*:node.js:*:*")
    assert cpe is not None
    assert (cpe.vendor, cpe.product, cpe.version, cpe.target) == ("gehealthcare", "entegra_p&r", "1:2", "node.js")
    assert parse_cpe("cpe:/a:b:c") is None
    assert cpe_names(name("o", "philips", "mx800_firmware")) == ("philips", "mx800")


def test_firmware_on_the_hardware_that_the_device_is() -> None:
    document = record(all_of(FIRMWARE, HARDWARE))
    assert probability(PUMP, document) >= 0.8
    assert one(replace(PUMP, version="5.1"), document) is None
    assert one(replace(PUMP, model="Plum A+"), document) is None
    assert 0.5 <= probability(replace(PUMP, version=""), document) < 0.8


def test_the_cpe_of_the_device_decides() -> None:
    device = Device("x", "Somebody", "Thing", "", cpe=name("o", "hospira", "lifecare_pcainfusion_firmware", "5.0"))
    assert probability(device, record(all_of(FIRMWARE, HARDWARE))) >= 0.8
    assert (
        one(replace(device, cpe=name("o", "hospira", "lifecare_pcainfusion_firmware", "6.0")), record(all_of(FIRMWARE)))
        is None
    )


def test_software_on_a_platform_nobody_checked_is_less_probable() -> None:
    software = CpeMatch(name("a", "philips", "intellispace_portal"), version_end_excluding="9.0")
    windows = CpeMatch(name("o", "microsoft", "windows_7"), vulnerable=False)
    device = Device("i", "Philips", "IntelliSpace Portal", "8.0")
    assert probability(device, record(all_of(software, windows))) < probability(device, record(any_of(software)))


def test_a_device_that_is_only_the_platform_is_for_review() -> None:
    software = CpeMatch(name("a", "other", "plugin"))
    platform = CpeMatch(name("h", "philips", "intellivue_mx800", "-"), vulnerable=False)
    assert 0.5 <= probability(Device("m", "Philips", "IntelliVue MX800", "1"), record(all_of(software, platform))) < 0.8


@pytest.mark.parametrize(
    ("match", "installed", "expected"),
    [
        (CpeMatch(name("a", "offis", "dcmtk"), version_end_excluding="3.6.7"), "3.6.6", True),
        (CpeMatch(name("a", "offis", "dcmtk"), version_end_excluding="3.6.7"), "3.6.7", False),
        (CpeMatch(name("a", "offis", "dcmtk"), version_start_excluding="3.6.5"), "3.6.5", False),
        (CpeMatch(name("a", "offis", "dcmtk"), version_start_including="3.6.5"), "3.6.5", True),
        (CpeMatch(name("a", "offis", "dcmtk", "3.6.6")), "3.6.6", True),
        (CpeMatch(name("a", "offis", "dcmtk", "3.6.6")), "3.6.5", False),
        (CpeMatch(name("a", "offis", "dcmtk", "3.6", "sp1")), "3.6 SP1", True),
        (CpeMatch(name("a", "offis", "dcmtk", "-")), "3.6.5", True),
        (CpeMatch(name("a", "offis", "dcmtk"), vulnerable=False), "3.6.5", False),
    ],
)
def test_version_bounds(match: CpeMatch, installed: str, expected: bool) -> None:
    assert (probability(Device("d", "OFFIS", "DCMTK", installed), record(any_of(match))) >= 0.8) is expected


def test_without_configurations_the_assigners_names_count_less() -> None:
    named = AffectedProduct("0", "Philips", "IntelliVue MX800", "<= N.00")
    device = Device("m", "Philips", "IntelliVue MX800", "M.01")
    document = record(affected=(named,))
    assert 0.8 <= probability(device, document) < 0.9
    configured = record(any_of(CpeMatch(name("a", "x", "y"))), affected=(named,))
    assert one(device, configured) is None


def test_a_vendor_inside_the_product_name() -> None:
    named = AffectedProduct("0", "", "Philips In.Sight B120/37")
    assert probability(Device("b", "Philips", "In.Sight B120/37"), record(affected=(named,))) >= 0.8
    assert one(Device("b", "Siemens", "In.Sight B120/37"), record(affected=(named,))) is None


def test_rejected_records_and_negations_say_nothing() -> None:
    match = CpeMatch(name("a", "offis", "dcmtk"))
    device = Device("d", "OFFIS", "DCMTK", "3.6.6")
    assert one(device, record(any_of(match), status="Rejected")) is None
    assert one(device, record(replace(any_of(match), negate=True))) is None
    assert one(device, record(Configuration("OR", (CpeNode("OR", (match,), negate=True),)))) is None
