"""A whole inventory at once says what each device alone is told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.matching import fleet
from analyzers.matching.advisories import match_advisory
from analyzers.matching.fleet import Statement, index_leaves, match_fleet, named_leaves
from connectors.feeds.csaf.document import parse_document
from connectors.inventory import read_inventory
from meddojo.advisory import Advisory, AdvisoryVulnerability, AffectedProduct, ProductStatus
from meddojo.device import Device

NOW = datetime(2024, 9, 1, tzinfo=UTC)
VENDORS = ("Philips", "Philips Healthcare", "GE Healthcare", "Acme Medical", "Acme", "")
PRODUCTS = (
    "IntelliVue MX40",
    "IntelliVue",
    "MX40/MX50",
    "MX-Series",
    "Pump 200",
    "Pump 200 and 300",
    "Station 3.x",
    "",
)
VERSIONS = ("", "1.0", "2.5", "<2.0", ">=1.0 <3.0", "All versions", "B.06", "prose nobody can read")
CPES = ("", "cpe:2.3:o:acme:pump_200_firmware:*:*:*:*:*:*:*:*", "cpe:2.3:h:philips:mx40:-:*:*:*:*:*:*:*")
NUMBERS = ((), ("MX40AB1",), ("PUMP200",))


def alone(device: Device, advisories: tuple[Advisory, ...]) -> tuple[Statement, ...]:
    """The plain way: the device with every leaf of every advisory."""
    return tuple(said for advisory in advisories for said in match_advisory(device, advisory))


def together(devices: list[Device], advisories: tuple[Advisory, ...]) -> dict[str, tuple[Statement, ...]]:
    found = list(match_fleet(devices, index_leaves(advisories)))
    assert sorted(each.device.id for each in found) == sorted(device.id for device in devices)
    return {each.device.id: each.statements for each in found}


# ---- the shipped hospital ----


@cache
def feed(folder: Path) -> tuple[Advisory, ...]:
    files = sorted((folder / "feeds" / "csaf").glob("*.json"))
    return tuple(parse_document(json.loads(file.read_text("utf-8")), file.name) for file in files)


def test_the_hospital_at_once_is_told_what_each_device_is(hospital: Path) -> None:
    devices = list(read_inventory(hospital / "inventory.toml").devices)
    expected = {device.id: alone(device, feed(hospital)) for device in devices}
    assert together(devices, feed(hospital)) == expected
    assert sum(map(bool, expected.values())) > 10


def test_the_order_of_the_inventory_changes_nothing(hospital: Path) -> None:
    devices = list(read_inventory(hospital / "inventory.toml").devices)
    assert together(devices[::-1], feed(hospital)) == together(devices, feed(hospital))


# ---- random inventories ----

products = st.builds(
    AffectedProduct,
    st.just(""),
    st.sampled_from(VENDORS),
    st.sampled_from(PRODUCTS),
    st.sampled_from(VERSIONS),
    full_name=st.sampled_from(("", "Acme Pump 200", "Philips IntelliVue MX40 Patient Monitor")),
    cpe=st.sampled_from(CPES),
    model_numbers=st.sampled_from(NUMBERS),
)
devices = st.builds(
    Device,
    st.just(""),
    st.sampled_from(VENDORS[:-1]),
    st.sampled_from(("MX40", "IntelliVue MX40", "Pump-200", "PUMP 300", "Station 3.1", "MX40AB1", "Lamp")),
    st.sampled_from(("", "1.0", "1.5", "2.5", "3.1", "B.06")),
    cpe=st.sampled_from(CPES),
)


@st.composite
def advisories(draw: st.DrawFn) -> tuple[Advisory, ...]:
    made = []
    for number in range(draw(st.integers(1, 4))):
        leaves = [replace(leaf, product_id=f"P{i}") for i, leaf in enumerate(draw(st.lists(products, max_size=8)))]
        flaws = tuple(
            AdvisoryVulnerability(
                f"CVE-2024-{number}{flaw:03d}",
                statuses=tuple(
                    (leaf.product_id, status)
                    for leaf in leaves
                    if (status := draw(st.sampled_from([None, *ProductStatus]))) is not None
                ),
            )
            for flaw in range(draw(st.integers(1, 2)))
        )
        made.append(Advisory(f"A-{number}", "", "Acme", "https://acme.example", "1", NOW, NOW, tuple(leaves), flaws))
    return tuple(made)


@settings(deadline=None, max_examples=80)
@given(st.lists(devices, max_size=12), advisories())
def test_any_inventory_at_once_is_told_what_each_device_is(
    inventory: list[Device], published: tuple[Advisory, ...]
) -> None:
    named = [replace(device, id=f"d{number}") for number, device in enumerate(inventory)]
    assert together(named, published) == {device.id: alone(device, published) for device in named}


# ---- what it costs ----


def pump(number: int, version: str = "") -> AffectedProduct:
    return AffectedProduct(f"P{number}-{version}", "Acme", f"Pump {number}", version)


def advisory_of(*leaves: AffectedProduct) -> Advisory:
    statuses = tuple((leaf.product_id, ProductStatus.KNOWN_AFFECTED) for leaf in leaves)
    flaw = AdvisoryVulnerability("CVE-2024-0001", statuses=statuses)
    return Advisory("A-1", "", "Acme", "https://acme.example", "1", NOW, NOW, leaves, (flaw,))


def test_only_nominated_leaves_are_compared_and_like_devices_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[str, str]] = []
    original = fleet.match_product

    def counted(device: Device, leaf: AffectedProduct) -> object:
        compared.append((device.model, leaf.product))
        return original(device, leaf)

    lamps = [AffectedProduct(f"L{number}", "Lumen", f"Lamp {number}") for number in range(400)]
    index = index_leaves([advisory_of(*lamps, pump(200, "<2.0"), pump(200, "<3.0"))])
    monkeypatch.setattr(fleet, "match_product", counted)
    inventory = [Device(f"d{number}", "Acme", "Pump 200", f"{number % 4}.0") for number in range(40)]
    found = list(match_fleet(inventory, index))
    assert compared == [("Pump 200", "Pump 200")]
    assert sum(bool(each.statements) for each in found) == 30, "versions 0, 1 and 2 of the four"


def test_statements_are_shared_and_made_as_they_are_asked_for() -> None:
    index = index_leaves([advisory_of(pump(200))])
    first, second = match_fleet([Device("a", "Acme", "Pump 200"), Device("b", "Acme", "Pump 200")], index)
    assert first.statements and first.statements is second.statements
    assert iter(found := match_fleet([first.device], index)) is found


def test_leaves_of_other_products_are_not_named() -> None:
    index = index_leaves([advisory_of(pump(200), pump(300)), advisory_of(pump(300))])
    assert named_leaves(Device("a", "Acme", "Pump 300"), index) == {0: [pump(300)], 1: [pump(300)]}
    assert named_leaves(Device("a", "Acme", "Lamp"), index) == {}
