"""CVE records against components: makers, platforms, versions of distributions, products the assigner names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from analyzers.matching.index import sbom_keys, vulnerability_keys
from analyzers.matching.records.packages import by_key, match_packages, upstream_version
from connectors.scans.sbom import read_sbom
from meddojo.advisory import AffectedProduct
from meddojo.device import Device
from meddojo.sbom import Component, Sbom
from meddojo.vulnerability import Configuration, CpeMatch, CpeNode, Vulnerability

WORKSTATION = Device("w", "Philips", "IntelliSpace Portal", "8.0")


def name(part: str, vendor: str, product: str, version: str = "*", target: str = "*") -> str:
    return f"cpe:2.3:{part}:{vendor}:{product}:{version}:*:*:*:*:{target}:*:*"


def record(*nodes: CpeNode, **parts: object) -> Vulnerability:
    configurations = (Configuration("AND", nodes),) if nodes else ()
    return Vulnerability("CVE-2024-0001", "nvd", configurations=configurations, **parts)  # type: ignore[arg-type]


def any_of(*matches: CpeMatch) -> CpeNode:
    return CpeNode("OR", matches)


def judge(
    vulnerability: Vulnerability, *components: Component, device: Device | None = WORKSTATION
) -> dict[str, tuple[float, str]]:
    claims = match_packages(vulnerability, by_key(Sbom("CycloneDX 1.5", components)), device)
    return {claim.components[0].name: (claim.citation.probability, claim.citation.reason) for claim in claims}


OPENSSL = Component("1", "openssl", "1.1.1g", "pkg:generic/openssl@1.1.1g")
OLD_OPENSSL = any_of(CpeMatch(name("a", "openssl", "openssl"), version_end_excluding="1.1.1k"))


# ---- who made it ----


@pytest.mark.parametrize(
    ("component", "criteria", "probability"),
    [
        (Component("1", "wolfssl", "4.8", "pkg:github/wolfssl/wolfssl@4.8"), name("a", "wolfssl", "wolfssl"), 0.9),
        (Component("1", "nlog", "4.5", "pkg:nuget/NLog@4.5", supplier="NLog Project"), name("a", "nlog", "nlog"), 0.9),
        (Component("1", "poi", "4", "pkg:maven/org.apache.poi/poi@4"), name("a", "apache", "poi"), 0.9),
        (
            Component("1", "viewer", "2", supplier="General Electric Healthcare"),
            name("a", "gehealthcare", "viewer"),
            0.9,
        ),
        (Component("1", "viewer", "2", supplier="Acme"), name("a", "gehealthcare", "viewer"), 0.7),
        (Component("1", "core", "2", "pkg:npm/%40angular/core@2"), name("a", "angular", "core"), 0.9),
        (Component("1", "core", "2", "pkg:npm/%40angular/core@2"), name("a", "acme", "core", target="wordpress"), 0.0),
        (Component("1", "debian", "2", "pkg:deb/debian/apt@2"), name("a", "debian", "debian"), 0.675),
        (Component("1", "chip", "", "", name("h", "acme", "chip")), name("h", "acme", "chip", "-"), 0.7125),
        (Component("1", "chip", "1", "pkg:generic/chip@1"), name("h", "acme", "chip", "-"), 0.0),
    ],
)
def test_who_made_the_component(component: Component, criteria: str, probability: float) -> None:
    found = judge(record(any_of(CpeMatch(criteria))), component)
    assert found.get(component.name, (0.0, ""))[0] == probability


# ---- platforms ----


def test_a_component_on_the_platform_that_the_record_asks_for() -> None:
    document = record(OLD_OPENSSL, any_of(CpeMatch(name("o", "microsoft", "windows_7", "-"), vulnerable=False)))
    windows_7 = Component("2", "Windows 7", kind="operating-system")
    confirmed, reason = judge(document, OPENSSL, windows_7)["openssl"]
    assert confirmed == 0.9
    assert "lists 'Windows 7'" in reason
    unchecked, doubt = judge(document, OPENSSL)["openssl"]
    assert unchecked < confirmed
    assert "was not checked" in doubt
    other, _ = judge(document, OPENSSL, replace(windows_7, name="Windows 10"))["openssl"]
    assert other < unchecked


def test_a_component_on_the_device_that_the_record_asks_for() -> None:
    document = record(OLD_OPENSSL, any_of(CpeMatch(name("h", "philips", "intellispace_portal", "-"), vulnerable=False)))
    assert judge(document, OPENSSL)["openssl"][0] == 0.9
    assert judge(document, OPENSSL, device=Device("x", "Acme", "Flow"))["openssl"][0] < 0.8
    assert judge(document, replace(OPENSSL, version="1.1.1k")) == {}


def test_an_exception_of_the_record() -> None:
    exception = CpeNode("OR", (CpeMatch(name("a", "acme", "shield")),), negate=True)
    document = record(OLD_OPENSSL, exception)
    shield = Component("2", "shield", "1", cpe=name("a", "acme", "shield", "1"))
    assert judge(document, OPENSSL)["openssl"][0] > 0.8
    assert "openssl" not in judge(document, OPENSSL, shield)


# ---- versions ----


@pytest.mark.parametrize(
    ("kind", "version", "upstream"),
    [
        ("deb", "1:2.3.4-5+deb11u1", "2.3.4"),
        ("deb", "1.1.1n-0+deb11u3", "1.1.1n"),
        ("deb", "2.0~rc1-1", "2.0-rc1"),
        ("deb", "1.2.11.dfsg-2", "1.2.11"),
        ("deb", "5.0.3+dfsg1-4", "5.0.3"),
        ("rpm", "1:1.1.1g-15.el8_3", "1.1.1g"),
        ("apk", "1.2.12-r3", "1.2.12"),
        ("npm", "1.0.0-alpha.1", "1.0.0-alpha.1"),
        ("maven", "2.0-beta9", "2.0-beta9"),
        ("", "3.0.1-2", "3.0.1-2"),
        ("deb", "", ""),
    ],
)
def test_the_upstream_version_of_a_package(kind: str, version: str, upstream: str) -> None:
    assert upstream_version(kind, version) == upstream


def test_an_epoch_is_not_a_version() -> None:
    package = Component("1", "openssl", "1:1.1.1k-2", "pkg:deb/debian/openssl@1:1.1.1k-2?distro=debian-11")
    assert judge(record(OLD_OPENSSL), package) == {}
    probability, reason = judge(record(OLD_OPENSSL), replace(package, version="1:1.1.1g-2"))["openssl"]
    assert 0.5 <= probability < 0.8
    assert "may carry the fix" in reason


@pytest.mark.parametrize(
    ("version", "bound", "affected"),
    [
        ("2.0.0-alpha.1", "2.0.0", True),
        ("2.0-beta9", "2.0", True),
        ("2.0.0rc1", "2.0.0", True),
        ("1.2.3.RELEASE", "1.2.3", False),
        ("v1.2.3", "1.2.3", False),
        ("2.0.0.post1", "2.0.0", False),
        ("0.0.0-20190308221718-c2843e01d9a2", "1.0.0", True),
    ],
)
def test_pre_releases_come_before_the_release(version: str, bound: str, affected: bool) -> None:
    component = Component("1", "flow", version, f"pkg:generic/flow@{version}")
    document = record(any_of(CpeMatch(name("a", "flow", "flow"), version_end_excluding=bound)))
    assert ("flow" in judge(document, component)) is affected


def test_a_long_list_of_versions() -> None:
    document = record(any_of(*(CpeMatch(name("a", "flow", "flow", f"1.{minor}")) for minor in range(300))))
    assert judge(document, Component("1", "flow", "1.299"))["flow"][0] == 0.9
    assert judge(document, Component("1", "flow", "1.300")) == {}


# ---- records without a configuration ----


def test_a_product_the_assigner_names_by_package_url() -> None:
    named = AffectedProduct("0", "Acme", "flow", "< 2.0", purl="pkg:npm/flow")
    flow = Component("1", "flow", "1.0", "pkg:npm/flow@1.0")
    assert judge(record(affected=(named,)), flow)["flow"][0] == 0.95
    assert judge(record(affected=(named,)), replace(flow, version="2.0")) == {}
    assert judge(record(affected=(named,)), Component("1", "flow", "1.0", "pkg:pypi/flow@1.0")) == {}


def test_a_product_the_assigner_names_by_words_needs_its_maker() -> None:
    document = record(affected=(AffectedProduct("0", "wolfSSL", "wolfSSL", "< 5.0"),))
    component = Component("1", "wolfssl", "4.8", "pkg:github/wolfssl/wolfssl@4.8")
    probability, reason = judge(document, component)["wolfssl"]
    assert 0.5 <= probability < 0.8
    assert "names only, no CPE" in reason
    stranger = record(affected=(AffectedProduct("0", "Acme", "wolfSSL", "< 5.0"),))
    assert judge(stranger, component) == {}
    assert sbom_keys(Sbom("x", (component,))) & vulnerability_keys(document)


def test_rejected_and_disputed() -> None:
    assert judge(record(OLD_OPENSSL, status="Rejected"), OPENSSL) == {}
    assert "disputed" in judge(record(OLD_OPENSSL, tags=("disputed",)), OPENSSL)["openssl"][1]


# ---- a real bill of materials ----


def test_the_bill_of_materials_of_a_real_device(shared_data: Path) -> None:
    file = shared_data / "sbom" / "medical_device_narrow.cdx.json"
    sbom = read_sbom(file.read_bytes(), file.name)
    old_wolfssl = record(any_of(CpeMatch(name("a", "wolfssl", "wolfssl"), version_end_excluding="5.0.0")))
    fixed_wolfssl = record(any_of(CpeMatch(name("a", "wolfssl", "wolfssl"), version_end_excluding="4.8.1")))
    assert [claim.components[0].name for claim in match_packages(old_wolfssl, by_key(sbom))] == ["WolfSSL"]
    assert list(match_packages(fixed_wolfssl, by_key(sbom))) == []
    assert sbom_keys(sbom) & vulnerability_keys(old_wolfssl)
