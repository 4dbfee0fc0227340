"""One stated product against one device: vendor, product and version together."""

from __future__ import annotations

from dataclasses import dataclass

from analyzers.matching.identifiers import cpe_key, purl_key, purl_version
from analyzers.matching.index import affected_product_keys, device_keys, model_number_keys
from analyzers.matching.names import PRODUCT_PROBABILITY, ProductRelation, compare_products
from analyzers.matching.ranges import cpe_version
from analyzers.matching.stated import Stated, stated_products
from analyzers.matching.vendors import compare_vendors
from analyzers.matching.version_sets import (
    AllVersions,
    Conditional,
    Designation,
    Exact,
    Union,
    Unparsed,
    Verdict,
    VersionSet,
    contains,
)
from analyzers.matching.versions import parse_versions
from meddojo.advisory import AffectedProduct
from meddojo.device import Device

VERSION_MISSING = 0.75
VERSION_UNREADABLE = 0.7
VERSION_CONDITIONAL = 0.78
FULL_NAME_ONLY = 0.95
"""Factors on the probability of vendor and product; every UNKNOWN version ends below the default delivery threshold."""

FAMILY_WITH_VERSION = 0.84
"""Probability where a source names only the family, but lists the very version that is installed."""


@dataclass(frozen=True, slots=True)
class DeviceMatch:
    """A stated product that is, or may be, the device.

    Attributes
    ----------
    probability
        That the product and version are the device's; for NOT_AFFECTED, that the product is.
    certain
        True when the verdict rests on a comparison of versions or on "all versions".
    all_versions
        True when the source names every version.
    """

    probability: float
    verdict: Verdict
    reason: str
    all_versions: bool = False

    @property
    def certain(self) -> bool:
        """Whether the verdict is more than a guess."""
        return self.verdict is not Verdict.UNKNOWN


def match_product(device: Device, leaf: AffectedProduct) -> DeviceMatch | None:
    """Compare a leaf of a product tree with a device; None when it is another product."""
    if device_keys(device).isdisjoint(affected_product_keys(leaf)):
        return None
    found = [match for stated in stated_products(leaf) if (match := _match_stated(device, leaf, stated)) is not None]
    return max(found, key=_strength, default=None)


def judge_version(text: str, installed: str) -> tuple[Verdict, float, str]:
    """Verdict on an installed version, the factor it puts on the probability, and part of a sentence."""
    return _explain(parse_versions(text), text.strip(), installed.strip())


def _strength(match: DeviceMatch) -> tuple[bool, float, str]:
    return match.verdict is not Verdict.NOT_AFFECTED, match.probability, match.reason


@dataclass(frozen=True, slots=True)
class _Named:
    """Vendor and product agree; versions are still to be compared.

    Attributes
    ----------
    embedded_version
        Version the source wrote into the product name.
    device_version
        Version the inventory wrote into the model, the CPE or the package URL.
    """

    probability: float
    reason: str
    embedded_version: str = ""
    device_version: str = ""
    family_only: bool = False


def _match_stated(device: Device, leaf: AffectedProduct, stated: Stated) -> DeviceMatch | None:
    named = _match_identifier(device, leaf) or _match_name(device, stated)
    if named is None:
        return None
    installed = device.version or named.device_version
    verdict, factor, sentence = judge_version(stated.version_text, installed)
    all_versions = isinstance(parse_versions(stated.version_text), AllVersions)
    if named.embedded_version:
        inner = judge_version(named.embedded_version, named.device_version or device.version)
        if verdict is Verdict.AFFECTED or inner[0] is Verdict.NOT_AFFECTED:
            verdict, factor, sentence = inner
        all_versions = False
    probability = named.probability * (FULL_NAME_ONLY if stated.from_full_name else 1.0)
    if named.family_only and _lists(stated.version_text, installed):
        probability *= FAMILY_WITH_VERSION / PRODUCT_PROBABILITY[ProductRelation.BROADER]
        sentence += ", which is listed by itself"
    return DeviceMatch(round(probability * factor, 4), verdict, f"{named.reason}, {sentence}", all_versions)


def _lists(version_text: str, installed: str) -> bool:
    """Whether a telling version (three digits or more) is listed one by one, not only within a range."""
    versions = parse_versions(version_text)
    parts = versions.parts if isinstance(versions, Union) else (versions,)
    telling = sum(sign.isdigit() for sign in installed) >= 3
    return telling and any(isinstance(part, Exact) and contains(part, installed) is Verdict.AFFECTED for part in parts)


def _match_identifier(device: Device, leaf: AffectedProduct) -> _Named | None:
    """CPE, package URL and model number go before names (CSAF 2.0, section 3.1.3.3)."""
    probability = PRODUCT_PROBABILITY[ProductRelation.IDENTIFIER]
    if device.cpe and cpe_key(device.cpe) == cpe_key(leaf.cpe):
        reason = f"CPE {device.cpe!r} = {leaf.cpe!r} (vendor and product)"
        return _Named(probability, reason, device_version=cpe_version(device.cpe))
    if device.purl and purl_key(device.purl) and purl_key(device.purl) == purl_key(leaf.purl):
        reason = f"package URL {device.purl!r} = {leaf.purl!r}"
        return _Named(probability, reason, device_version=purl_version(device.purl))
    shared = model_number_keys((*leaf.model_numbers, *leaf.skus)) & model_number_keys(
        (device.model, *device.model.split())
    )
    if shared and compare_vendors(device.vendor, leaf.vendor) is not None:
        number = min(shared).removeprefix("model:").upper()
        reason = f"model {device.model!r} carries the model number {number!r} of {leaf.product.strip()!r}"
        return _Named(probability, reason)
    return None


def _match_name(device: Device, stated: Stated) -> _Named | None:
    vendor = compare_vendors(device.vendor, stated.vendor)
    if vendor is None:
        return None
    product = compare_products(device.vendor, device.model, stated.vendor, stated.product)
    if product is None:
        return None
    return _Named(
        probability=vendor.factor * product.probability,
        reason=f"{vendor.reason}, {product.reason}",
        embedded_version=product.embedded_version,
        device_version=product.device_version,
        family_only=product.relation is ProductRelation.BROADER,
    )


def _explain(versions: VersionSet, text: str, installed: str) -> tuple[Verdict, float, str]:
    verdict = contains(versions, installed)
    if isinstance(versions, AllVersions):
        return verdict, 1.0, "all versions are named" if text else "no version is named, hence all"
    if verdict is Verdict.AFFECTED:
        return verdict, 1.0, f"version {installed!r} in {text!r}"
    if verdict is Verdict.NOT_AFFECTED:
        return verdict, 1.0, f"version {installed!r} not in {text!r}"
    if not installed and not isinstance(versions, Unparsed | Designation):
        return verdict, VERSION_MISSING, f"version unknown, the source names {text!r}"
    conditions = _conditions(versions, installed)
    if conditions:
        return (
            verdict,
            VERSION_CONDITIONAL,
            f"version {installed or 'unknown'!r} in {text!r} under a condition: {conditions}",
        )
    if isinstance(versions, Designation):
        return verdict, VERSION_UNREADABLE, f"the source names {versions.text!r} in place of a version"
    if isinstance(versions, Unparsed):
        return verdict, VERSION_UNREADABLE, f"the version text {text!r} cannot be read, compare by hand"
    return verdict, VERSION_UNREADABLE, f"version {installed!r} cannot be compared with {text!r}"


def _conditions(versions: VersionSet, installed: str) -> str:
    parts = versions.parts if isinstance(versions, Union) else (versions,)
    return "; ".join(
        part.condition
        for part in parts
        if isinstance(part, Conditional) and contains(part.versions, installed) is Verdict.AFFECTED
    )
