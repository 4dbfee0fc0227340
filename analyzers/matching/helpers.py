"""Product identification helpers against the identifiers of an inventory line (CSAF 2.0, section 3.1.3.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from analyzers.matching.identifiers import cpe_key, purl_key, purl_version
from analyzers.matching.names.normalise import squash
from analyzers.matching.names.vendors import compare_vendors
from analyzers.matching.records.ranges import cpe_version
from meddojo.advisory import AffectedProduct
from meddojo.device import Device

_DIVIDED = re.compile(r"[\s,;]+")
_DIVIDED_URI = re.compile(r"[^0-9A-Za-z.+-]+")
_SHORTEST_NUMBER = 5
_SHORTEST_UDI = 7
_WILDCARD = re.compile(r"(?<!\\)[*?]")


@dataclass(frozen=True, slots=True)
class Identified:
    """A helper that names the device.

    Attributes
    ----------
    device_version
        Version that the inventory's own identifier carries.
    exact
        The identifier stands for one version only: a hash of the installed image.
    """

    sentence: str
    device_version: str = ""
    exact: bool = False


def identify(device: Device, leaf: AffectedProduct) -> Identified | None:
    """The strongest helper of a leaf that names the device; None when none does."""
    if not (
        leaf.cpe or leaf.purl or leaf.model_numbers or leaf.skus or leaf.serial_numbers or leaf.hashes or leaf.uris
    ):
        return None
    return next(_identified(device, leaf), None)


def ruled_out_by_serial(device: Device, leaf: AffectedProduct) -> bool | None:
    """Whether the serial numbers a leaf is limited to leave the device out; None when that cannot be told.

    False for a leaf that is not limited.
    """
    if not leaf.serial_numbers:
        return False
    own = _divided(device.serial_number)
    if not own:
        return None
    return not any(_like(pattern, number) for pattern in leaf.serial_numbers for number in own)


def leaf_keys(leaf: AffectedProduct) -> Iterator[str]:
    """Index keys of the helpers of a leaf, CPE and package URL aside."""
    for number in (*leaf.model_numbers, *leaf.skus):
        head = squash(_WILDCARD.split(number)[0])
        if _telling(head):
            yield f"model~{head[:_SHORTEST_NUMBER]}" if _WILDCARD.search(number) else f"model:{head}"
    for number in leaf.serial_numbers:
        yield f"serial:{squash(_WILDCARD.split(number)[0])[:_SHORTEST_NUMBER]}"
    yield from leaf.hashes
    numbers = (number for uri in leaf.uris for number in _DIVIDED_URI.split(uri))
    yield from (f"udi:{number}" for number in numbers if len(number) > _SHORTEST_UDI)


def own_keys(device: Device) -> Iterator[str]:
    """Index keys of the identifiers of an inventory line, CPE and package URL aside."""
    for number in map(squash, device_numbers(device.model_number, device.model)):
        yield f"model:{number}"
        yield f"model~{number[:_SHORTEST_NUMBER]}"
    yield from (f"serial:{squash(number)[:_SHORTEST_NUMBER]}" for number in _divided(device.serial_number))
    yield from filter(None, (device.software_hash, f"udi:{device.udi_di}" if device.udi_di else ""))


@lru_cache(maxsize=65536)
def device_numbers(model_number: str, model: str) -> tuple[str, ...]:
    """Everything in a device's model number and model that may be an order or model number."""
    found = (number for text in (model_number, model) for number in (text, *_divided(text)))
    return tuple(dict.fromkeys(number for number in found if _telling(number)))


def _identified(device: Device, leaf: AffectedProduct) -> Iterator[Identified]:
    if device.software_hash and device.software_hash in leaf.hashes:
        yield Identified(f"hash of the installed software {device.software_hash!r} = the one stated", exact=True)
    if device.udi_di and any(device.udi_di in _DIVIDED_URI.split(uri) for uri in leaf.uris):
        yield Identified(f"UDI device identifier {device.udi_di!r} = the one stated")
    if device.cpe and cpe_key(device.cpe) == cpe_key(leaf.cpe):
        yield Identified(f"CPE {device.cpe!r} = {leaf.cpe!r} (vendor and product)", cpe_version(device.cpe))
    if device.purl and purl_key(device.purl) and purl_key(device.purl) == purl_key(leaf.purl):
        yield Identified(f"package URL {device.purl!r} = {leaf.purl!r}", purl_version(device.purl))
    numbers = (*leaf.model_numbers, *leaf.skus)
    if (numbers or leaf.serial_numbers) and compare_vendors(device.vendor, leaf.vendor) is not None:
        named = leaf.product.strip() or leaf.full_name.strip()
        for number in device_numbers(device.model_number, device.model) if numbers else ():
            if _any_like(numbers, number):
                yield Identified(f"model number {number!r} is one of {named!r}")
        for number in _divided(device.serial_number):
            if _any_like(leaf.serial_numbers, number):
                yield Identified(f"serial number {number!r} is one of {named!r}")


def _telling(number: str) -> bool:
    squashed = squash(number)
    return len(squashed) >= _SHORTEST_NUMBER and any(sign.isdigit() for sign in squashed)


def _any_like(patterns: Iterable[str], number: str) -> bool:
    return any(_like(pattern, number) for pattern in patterns)


@lru_cache(maxsize=65536)
def _like(pattern: str, number: str) -> bool:
    """Whether a number fits one of a document, in which ``*`` and ``?`` stand for any and for one character.

    A backslash makes them plain characters (CSAF 2.0, sections 3.1.3.3.4 and 3.1.3.3.6).
    """
    if not _WILDCARD.search(pattern):
        return squash(pattern) == squash(number)
    parts = re.split(r"(?<!\\)([*?])", pattern)
    wild = {"*": "[0-9a-z]*", "?": "[0-9a-z]"}
    expression = "".join(wild.get(part) or re.escape(squash(part)) for part in parts)
    return re.fullmatch(expression, squash(number)) is not None


def _divided(numbers: str) -> list[str]:
    return [number for number in _DIVIDED.split(numbers) if number]
