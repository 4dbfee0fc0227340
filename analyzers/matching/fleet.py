"""A whole inventory against many advisories at once.

An inverted index leads from the keys of a device (`analyzers.matching.index`) to the product leaves that have one of
them: an advisory with 400 leaves costs only those that are nominated. Whether a leaf is the device's product does not
depend on the installed version, so names are compared once for all devices that are called alike, and devices that
agree in their version too are judged once.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from analyzers.matching.advisories import Clearance, match_advisory
from analyzers.matching.candidates import Candidate
from analyzers.matching.index import affected_product_keys, device_keys
from analyzers.matching.products import match_product
from analyzers.matching.stated import stated_products
from meddojo.advisory import Advisory, AffectedProduct
from meddojo.device import Device

Statement = Candidate | Clearance
"""What an advisory says about one of its vulnerabilities and a device, with probability and reason in its citation."""

Leaf = tuple[int, AffectedProduct]
"""A product leaf and the position of its advisory."""


@dataclass(frozen=True, slots=True)
class LeafIndex:
    """Advisories, and their leaves by what they name.

    Attributes
    ----------
    leaves
        Leaves that name the same product and differ in the versions at most, group by group.
    groups
        Index key -> positions of groups.
    """

    advisories: tuple[Advisory, ...]
    leaves: tuple[Sequence[Leaf], ...]
    groups: Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True)
class DeviceMatches:
    """What all advisories say about one device, in their order; devices that are alike share the statements."""

    device: Device
    statements: tuple[Statement, ...]


def index_leaves(advisories: Iterable[Advisory]) -> LeafIndex:
    """Group the leaves of all advisories by what they name, and the groups by their keys."""
    every = tuple(advisories)
    alike: dict[Hashable, list[Leaf]] = {}
    for number, advisory in enumerate(every):
        for product in advisory.products:
            alike.setdefault(_naming(product), []).append((number, product))
    leaves = tuple(alike.values())
    groups: dict[str, list[int]] = {}
    for position, group in enumerate(leaves):
        for key in affected_product_keys(group[0][1]):
            groups.setdefault(key, []).append(position)
    return LeafIndex(every, leaves, groups)


def match_fleet(devices: Iterable[Device], index: LeafIndex) -> Iterator[DeviceMatches]:
    """Match every device with every advisory of the index.

    Yields
    ------
    DeviceMatches
        One for each device, those with no statement included; sorted by name and version, not in the order given, so
        that the statements of only one group of like devices are held at a time.
    """
    ordered = sorted(devices, key=_identity)
    for _, called_alike in groupby(ordered, key=_name):
        alike = [list(group) for _, group in groupby(called_alike, key=_identity)]
        named = named_leaves(alike[0][0], index)
        for group in alike:
            statements = tuple(_judge(group[0], named, index.advisories))
            yield from (DeviceMatches(device, statements) for device in group)


def named_leaves(device: Device, index: LeafIndex) -> dict[int, list[AffectedProduct]]:
    """The leaves that name the device, whatever its version, by position of their advisory."""
    nominated = {position for key in device_keys(device) for position in index.groups.get(key, ())}
    groups = [index.leaves[position] for position in nominated]
    named: dict[int, list[AffectedProduct]] = {}
    for leaves in groups:
        if _is_named(device, leaves[0][1]):
            for number, product in leaves:
                named.setdefault(number, []).append(product)
    return named


def _is_named(device: Device, product: AffectedProduct) -> bool:
    # Whether either side of a relationship is the device, only the whole tree can tell.
    return bool(product.installed_on_id) or match_product(device, product) is not None


def _judge(
    device: Device, named: Mapping[int, Sequence[AffectedProduct]], advisories: Sequence[Advisory]
) -> Iterator[Statement]:
    for number in sorted(named):
        yield from match_advisory(device, advisories[number], named[number])


def _naming(product: AffectedProduct) -> Hashable:
    """All of a leaf that tells which product it names: its readings without versions, and its identifiers."""
    stated = tuple((each.vendor, each.product) for each in stated_products(product))
    return stated, replace(product, product_id="", version_text="", full_name="")


def _name(device: Device) -> tuple[str, ...]:
    """All of a device that tells which product it is."""
    return (
        device.vendor,
        device.model,
        device.model_number,
        device.serial_number,
        device.udi_di,
        device.cpe,
        device.purl,
        device.software_hash,
    )


def _identity(device: Device) -> tuple[str, ...]:
    """All of a device that matching looks at."""
    return *_name(device), device.version
