"""Products that stand on others: software on hardware, components of products."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from analyzers.matching.advisories import match_advisory
from analyzers.matching.candidates import Candidate
from meddojo.advisory import Advisory, AdvisoryVulnerability, AffectedProduct, ProductStatus, VersionKind
from meddojo.device import Device
from meddojo.sbom import Component, Sbom

NOW = datetime(2024, 9, 1, tzinfo=UTC)
HARDWARE = AffectedProduct("hw", "Acme", "Flow 200", full_name="Acme Flow 200")
LIBRARY = AffectedProduct("lib", "OpenSSL", "openssl", "< 3.0.7", VersionKind.RANGE)
FIRMWARE = AffectedProduct("fw", "Acme", "Flow firmware", "< 2.0", VersionKind.RANGE)
PUMP = Device("pump", "Acme", "Flow 200", "1.9")


def related(part: AffectedProduct, category: str, whole: AffectedProduct = HARDWARE) -> Advisory:
    both = replace(
        part,
        product_id="both",
        full_name=f"{part.product} on {whole.product}",
        installed_on=whole.full_name,
        installed_on_id=whole.product_id,
        relationship=category,
    )
    vulnerability = AdvisoryVulnerability("CVE-2024-0001", statuses=(("both", ProductStatus.KNOWN_AFFECTED),))
    return Advisory("A", "t", "Acme", "n", "1", NOW, NOW, (part, whole, both), (vulnerability,))


def bill(version: str) -> Sbom:
    return Sbom("CycloneDX 1.5", (Component("a", "openssl", version), Component("b", "zlib", "1.3")))


def claim(device: Device, advisory: Advisory, sbom: Sbom | None = None) -> Candidate | None:
    found = [each for each in match_advisory(device, advisory, sbom=sbom) if isinstance(each, Candidate)]
    assert len(found) < 2
    return found[0] if found else None


def test_firmware_on_hardware_is_the_version_of_the_device() -> None:
    advisory = related(FIRMWARE, "installed_on")
    found = claim(PUMP, advisory)
    assert found is not None
    assert found.citation.probability >= 0.9
    assert "version '1.9' in '< 2.0'" in found.citation.reason
    assert claim(replace(PUMP, version="2.0"), advisory) is None


def test_a_part_that_the_bill_of_materials_lists_is_judged_by_its_version() -> None:
    advisory = related(LIBRARY, "installed_on")
    found = claim(PUMP, advisory, bill("3.0.2"))
    assert found is not None
    assert found.citation.probability >= 0.9
    assert "the bill of materials lists 'openssl', version '3.0.2' in '< 3.0.7'" in found.citation.reason
    assert claim(PUMP, advisory, bill("3.0.7")) is None


def test_without_a_bill_of_materials_software_on_the_device_is_for_review() -> None:
    found = claim(PUMP, related(LIBRARY, "installed_on"))
    assert found is not None
    assert 0.5 <= found.citation.probability < 0.8
    assert "whether 'openssl' is on it is not known" in found.citation.reason


def test_a_default_component_of_the_installed_version_is_there() -> None:
    whole = replace(HARDWARE, version_text="1.9", version_kind=VersionKind.EXACT)
    found = claim(PUMP, related(LIBRARY, "default_component_of", whole))
    assert found is not None
    assert found.citation.probability >= 0.9
    assert claim(replace(PUMP, version="2.1"), related(LIBRARY, "default_component_of", whole)) is None


def test_a_default_component_in_a_version_nobody_knows_is_for_review() -> None:
    found = claim(PUMP, related(LIBRARY, "default_component_of"))
    assert found is not None
    assert 0.5 <= found.citation.probability < 0.8


@pytest.mark.parametrize(("version", "hit"), [("3.0.2", True), ("3.0.7", False)])
def test_the_device_is_the_software_and_its_platform_was_not_checked(version: str, hit: bool) -> None:
    found = claim(Device("s", "OpenSSL", "openssl", version), related(LIBRARY, "installed_on"))
    assert (found is not None) is hit
    if found is not None:
        assert 0.8 <= found.citation.probability < 0.9
        assert "stated for 'Acme Flow 200' (installed on), which was not checked" in found.citation.reason


def test_a_stranger_is_neither() -> None:
    assert claim(Device("x", "Acme", "Flow 300", "1.9"), related(FIRMWARE, "installed_on")) is None
