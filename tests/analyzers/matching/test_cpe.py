"""NVD records against a device."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analyzers.matching.candidates import Candidate
from analyzers.matching.identifiers import cpe_names, parse_cpe
from analyzers.matching.records.device import match_record
from analyzers.matching.records.packages import by_key
from meddojo.advisory import AffectedProduct
from meddojo.device import Device
from meddojo.sbom import Component, Sbom
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


# ---- statements as trees ----

SOFTWARE = CpeMatch(name("a", "philips", "intellispace_portal"), version_end_excluding="9.0")
WINDOWS_7 = CpeMatch(name("o", "microsoft", "windows_7", "-"), vulnerable=False)
WINDOWS_10 = CpeMatch(name("o", "microsoft", "windows_10", "-"), vulnerable=False)
PORTAL = Device("i", "Philips", "IntelliSpace Portal", "8.0")


def system(label: str, version: str = "", cpe: str = "") -> Component:
    return Component(label, label, version, cpe=cpe, kind="operating-system")


def judged(device: Device, vulnerability: Vulnerability, *components: Component) -> tuple[float, str]:
    inventory = by_key(Sbom("CycloneDX 1.5", components)) if components else None
    claim = next(match_record(device, vulnerability, inventory), None)
    return (claim.citation.probability, claim.citation.reason) if claim else (0.0, "")


@pytest.mark.parametrize(
    "listed",
    [
        system("Windows 7"),
        system("Microsoft Windows 7", "6.1"),
        system("Windows 7 Embedded"),
        system("Windows", cpe=name("o", "microsoft", "windows_7", "-", "sp1")),
    ],
)
def test_the_bill_of_materials_shows_the_platform(listed: Component) -> None:
    probability, reason = judged(PORTAL, record(all_of(SOFTWARE, WINDOWS_7)), listed)
    unchecked, doubt = judged(PORTAL, record(all_of(SOFTWARE, WINDOWS_7)))
    assert probability >= 0.6
    assert probability >= unchecked or "Embedded" in listed.name
    assert listed.label in reason
    assert "not checked" in doubt
    assert "version '8.0' in '< 9.0'" in reason


def test_another_platform_in_the_bill_of_materials_is_a_matter_for_review() -> None:
    probability, reason = judged(PORTAL, record(all_of(SOFTWARE, WINDOWS_10)), system("Windows 7"))
    assert 0.5 <= probability < 0.8
    assert "lists 'Windows 7'" in reason


def test_one_of_several_platforms_is_enough() -> None:
    either = Configuration("AND", (CpeNode("OR", (SOFTWARE,)), CpeNode("OR", (WINDOWS_10, WINDOWS_7))))
    assert judged(PORTAL, record(either), system("Windows 7"))[0] >= 0.9


def test_a_platform_at_another_version_rules_the_record_out() -> None:
    old = CpeMatch(name("o", "debian", "debian_linux"), vulnerable=False, version_end_excluding="9.0")
    debian = system("debian", "11", name("o", "debian", "debian_linux", "11"))
    assert judged(PORTAL, record(all_of(SOFTWARE, old)), debian)[0] == 0.0
    assert judged(PORTAL, record(all_of(SOFTWARE, old)), replace(debian, version="8.0"))[0] >= 0.8


def test_software_on_the_device_that_is_the_platform() -> None:
    plugin = CpeMatch(name("a", "wibu", "codemeter"), version_end_excluding="7.1")
    platform = CpeMatch(name("h", "philips", "intellivue_mx800", "-"), vulnerable=False)
    device = Device("m", "Philips", "IntelliVue MX800", "1")
    document = record(all_of(plugin, platform))
    listed = Component("1", "CodeMeter", "7.0", cpe=name("a", "wibu", "codemeter", "7.0"))
    assert judged(device, document, listed)[0] >= 0.8
    assert judged(device, document, replace(listed, version="7.1"))[0] == 0.0
    absent, reason = judged(device, document, Component("2", "zlib", "1.2"))
    assert absent < 0.5
    assert "does not list 'wibu:codemeter'" in reason
    assert 0.5 <= judged(device, document)[0] < 0.8


def test_both_sides_of_an_and_inside_one_node() -> None:
    both = Configuration("OR", (CpeNode("AND", (SOFTWARE, WINDOWS_7)),))
    assert judged(PORTAL, record(both), system("Windows 7"))[0] >= 0.9
    assert judged(PORTAL, record(both), system("Windows 10"))[0] < 0.8


# ---- negation ----


def unless(match: CpeMatch) -> CpeNode:
    return CpeNode("OR", (match,), negate=True)


def test_an_exception_for_the_platform() -> None:
    document = record(Configuration("AND", (CpeNode("OR", (SOFTWARE,)), unless(WINDOWS_10))))
    assert judged(PORTAL, document, system("Windows 10"))[0] == 0.0
    assert judged(PORTAL, document, system("Windows 7"))[0] >= 0.8
    probability, reason = judged(PORTAL, document)
    assert probability >= 0.8
    assert "exception that was not checked" in reason


def test_an_exception_for_versions() -> None:
    every = CpeMatch(name("a", "philips", "intellispace_portal"))
    fixed = CpeMatch(name("a", "philips", "intellispace_portal"), version_start_including="9.0")
    document = record(Configuration("AND", (CpeNode("OR", (every,)), unless(fixed))))
    assert judged(PORTAL, document)[0] >= 0.8
    assert judged(replace(PORTAL, version="9.0"), document)[0] == 0.0
    assert judged(replace(PORTAL, version=""), document)[0] < judged(PORTAL, document)[0]


def test_a_negated_statement_over_a_negated_node_is_a_plain_one() -> None:
    twice = Configuration("OR", (unless(SOFTWARE),), negate=True)
    assert judged(PORTAL, record(twice))[0] >= 0.8
    assert judged(replace(PORTAL, version="9.0"), record(twice))[0] == 0.0


def test_a_negation_alone_names_nobody() -> None:
    for configuration in (
        Configuration("OR", (CpeNode("OR", (SOFTWARE,)),), negate=True),
        Configuration("OR", (unless(SOFTWARE),)),
        Configuration("AND", (unless(SOFTWARE), unless(WINDOWS_7))),
        Configuration("AND", ()),
    ):
        assert judged(replace(PORTAL, version="9.5"), record(configuration), system("Windows 10"))[0] == 0.0


# ---- hardware and firmware ----


def test_firmware_of_neighbouring_hardware() -> None:
    firmware = CpeMatch(name("o", "siemens", "simatic_s7-1200_firmware"), version_end_excluding="4.1")
    hardware = CpeMatch(name("h", "siemens", "simatic_s7-1200_cpu_1211c", "-"), vulnerable=False)
    document = record(all_of(firmware, hardware))
    assert judged(Device("p", "Siemens", "SIMATIC S7-1200 CPU 1211C", "4.0"), document)[0] >= 0.8
    neighbour, reason = judged(Device("p", "Siemens", "SIMATIC S7-1200 CPU 1214C", "4.0"), document)
    assert neighbour < 0.8
    assert "goes by another name" in reason
    assert judged(Device("p", "Siemens", "SIMATIC S7-1200 CPU 1211C", "4.1"), document)[0] == 0.0
    assert judged(Device("p", "Siemens", "SIMATIC S7-1500", "1.0"), document)[0] == 0.0


def test_hardware_flagged_vulnerable_beside_its_firmware_does_not_stand_for_all_versions() -> None:
    firmware = CpeMatch(name("o", "hospira", "lifecare_pcainfusion_firmware"), version_end_including="5.0")
    document = record(all_of(firmware, CpeMatch(name("h", "hospira", "lifecare_pca3", "-"))))
    assert judged(PUMP, document)[0] >= 0.8
    assert judged(replace(PUMP, version="7.0"), document)[0] == 0.0


def test_hardware_of_another_maker() -> None:
    firmware = CpeMatch(name("o", "philips", "intellivue_mx800_firmware"))
    foreign = CpeMatch(name("h", "siemens", "sc_9000", "-"), vulnerable=False)
    probability, reason = judged(Device("m", "Philips", "IntelliVue MX800", "1"), record(all_of(firmware, foreign)))
    assert 0.5 <= probability < 0.8
    assert "another maker's" in reason


# ---- names, updates, targets ----


@pytest.mark.parametrize(
    ("vendor", "stated"),
    [
        ("GE Healthcare", "gehealthcare"),
        ("GE Healthcare", "ge_healthcare"),
        ("Becton Dickinson", "bd"),
        ("BD", r"becton_dickinson_and_co"),
        ("Philips", "philips_electronics"),
        ("Siemens Healthineers", "siemens-healthineers"),
        ("Siemens Healthineers", "siemens"),
        ("ICU Medical", "icumedical"),
        ("ICU Medical", "smiths-medical"),
        ("B. Braun", "bbraun"),
        ("St. Jude Medical", "st._jude_medical"),
        ("Sante", "santesoft"),
        ("Dräger", "draeger"),
    ],
)
def test_vendors_as_cpe_names_spell_them(vendor: str, stated: str) -> None:
    criteria = name("o", stated, "flowmaster_900_firmware", "1.2")
    probability, reason = judged(Device("f", vendor, "FlowMaster 900", "1.2"), record(any_of(CpeMatch(criteria))))
    assert probability >= 0.8
    assert f"vendor {vendor!r} = " in reason
    assert "version '1.2' in '1.2'" in reason
    assert judged(Device("f", "Acme", "FlowMaster 900", "1.2"), record(any_of(CpeMatch(criteria))))[0] == 0.0


@pytest.mark.parametrize(
    ("criteria", "installed", "affected"),
    [
        (name("a", "acme", "flow", "2.?"), "2.4", True),
        (name("a", "acme", "flow", "2.*"), "2.4", True),
        (name("a", "acme", "flow", "2.*"), "3.0", False),
        (name("a", "acme", "flow", "3.6", "sp1"), "3.6 SP1", True),
        (name("a", "acme", "flow", "-", "sp1"), "SP1", True),
        (name("a", "acme", "flow", r"1\.2\(3\)"), "1.2(3)", True),
        (name("a", "acme", "flow", "*", "sp1"), "3.6", False),
    ],
)
def test_versions_and_updates_of_a_name(criteria: str, installed: str, affected: bool) -> None:
    found, _ = judged(Device("f", "Acme", "Flow", installed), record(any_of(CpeMatch(criteria))))
    assert (found >= 0.8) is affected


def test_the_software_a_product_runs_on() -> None:
    for_android = CpeMatch("cpe:2.3:a:acme:flow_view:*:*:*:*:*:android:*:*")
    document = record(any_of(for_android))
    device = Device("f", "Acme", "Flow View", "1.0")
    unchecked, reason = judged(device, document)
    assert "'android', which was not checked" in reason
    assert judged(device, document, system("Android", "12"))[0] > unchecked
    assert judged(replace(device, model="Flow View Android"), document)[0] >= unchecked
    other, doubt = judged(device, document, system("Windows 10"))
    assert 0.5 <= other < 0.8
    assert "lists 'Windows 10'" in doubt


def test_disputed_records_say_so() -> None:
    match = any_of(CpeMatch(name("a", "offis", "dcmtk")))
    device = Device("d", "OFFIS", "DCMTK", "3.6.6")
    assert "the record is disputed" in judged(device, record(match, tags=("disputed",)))[1]
    assert "disputed" not in judged(device, record(match))[1]
