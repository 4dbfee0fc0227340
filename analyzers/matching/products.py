"""One stated product against one device: identification helpers, else vendor and product; then the version."""

from __future__ import annotations

from collections.abc import Iterator

from analyzers.matching.helpers import identify, ruled_out_by_serial
from analyzers.matching.index import affected_product_keys, device_keys
from analyzers.matching.match import Basis, Evidence, Kind, Match
from analyzers.matching.names.comparison import ProductMatch, compare_products
from analyzers.matching.names.vendors import UNSTATED, VendorRelation, compare_vendors
from analyzers.matching.stated import Stated, stated_products
from analyzers.matching.versions.installed import device_version_evidence, version_evidence
from analyzers.matching.versions.reader import parse_versions
from analyzers.matching.versions.sets import AllVersions, Exact, Union, Verdict, contains
from meddojo.advisory import AffectedProduct
from meddojo.device import Device

IDENTIFIED = 0.98
"""Probability of an identification helper that agrees: type plates and inventories are copied by hand."""

SERIAL_UNKNOWN = 0.78
"""Factor where the source limits the serial numbers and the device's is unknown: a matter for review."""

VERSION_LISTED = 0.84
"""Probability of a name that may be the device's, where the very version is listed; a judgement."""

FULL_NAME_ONLY = 0.95
"""Factor where the tree has no product branch, and vendor and product had to be read from the full name."""


def match_product(device: Device, leaf: AffectedProduct) -> Match | None:
    """Compare a leaf of a product tree with a device; None when it is another product.

    A helper that agrees goes before names, and branch names before the full product name (CSAF TC, issue 593).
    """
    if device_keys(device).isdisjoint(affected_product_keys(leaf)):
        return None
    named = [match for stated in stated_products(leaf) if (match := _match_stated(device, leaf, stated)) is not None]
    return max(named, key=lambda match: match.strength, default=None)


def _match_stated(device: Device, leaf: AffectedProduct, stated: Stated) -> Match | None:
    return _limited(device, leaf, _by_helper(device, leaf, stated) or _by_name(device, stated))


def _limited(device: Device, leaf: AffectedProduct, match: Match | None) -> Match | None:
    """Hold a match against the serial numbers that the leaf is limited to."""
    if match is None or not leaf.serial_numbers:
        return match
    ruled_out = ruled_out_by_serial(device, leaf)
    listed = ", ".join(leaf.serial_numbers[:5])
    if ruled_out is None:
        said = f"only serial numbers {listed}; that of the device is unknown"
        return match.noting(said, SERIAL_UNKNOWN, _open(match))
    if ruled_out:
        said = f"serial number {device.serial_number!r} is none of {listed}"
        return match.noting(said, verdict=Verdict.NOT_AFFECTED)
    return match


def _open(match: Match) -> Verdict:
    return match.verdict if match.verdict is Verdict.NOT_AFFECTED else Verdict.UNKNOWN


def _by_helper(device: Device, leaf: AffectedProduct, stated: Stated) -> Match | None:
    found = identify(device, leaf)
    if found is None:
        return None
    identified = Evidence(Kind.IDENTIFIER, found.sentence, IDENTIFIED)
    if found.exact:
        return Match(Verdict.AFFECTED, (identified,), Basis.IDENTIFIER)
    verdict, version = version_evidence(stated.version_text, device.version or found.device_version)
    return Match(verdict, (identified, version), Basis.IDENTIFIER, _names_all(stated.version_text))


def _by_name(device: Device, stated: Stated) -> Match | None:
    vendor = compare_vendors(device.vendor, stated.vendor)
    if vendor is None:
        return None
    product = compare_products(
        device.vendor, device.model, stated.vendor, stated.product, vendor.relation, device.model_number
    )
    if product is None:
        return None
    installed = device.version or product.device_version
    verdict, version = device_version_evidence(device, stated.version_text, installed)
    all_versions = _names_all(stated.version_text)
    if product.embedded_version:
        inner, embedded = version_evidence(product.embedded_version, product.device_version or device.version)
        if verdict is Verdict.AFFECTED or inner is Verdict.NOT_AFFECTED:
            verdict, version = inner, embedded
        all_versions = False
    evidence = [
        Evidence(Kind.VENDOR, vendor.reason, UNSTATED if vendor.relation is VendorRelation.UNSTATED else 1.0),
        Evidence(Kind.PRODUCT, product.reason, product.probability),
        *_listed_by_itself(product, stated.version_text, installed),
        version,
    ]
    if stated.from_full_name:
        evidence.append(Evidence(Kind.NOTE, "only the full product name is given", FULL_NAME_ONLY))
    basis = Basis.FULL_NAME if stated.from_full_name else Basis.BRANCHES
    return Match(verdict, tuple(evidence), basis, all_versions)


def _listed_by_itself(product: ProductMatch, version_text: str, installed: str) -> Iterator[Evidence]:
    """A name that may be the device's is firmer where the very version that is installed is listed, not a range."""
    versions = parse_versions(version_text)
    parts = versions.parts if isinstance(versions, Union) else (versions,)
    telling = sum(sign.isdigit() for sign in installed) >= 3
    listed = any(isinstance(part, Exact) and contains(part, installed) is Verdict.AFFECTED for part in parts)
    if telling and listed and 0.5 <= product.probability < VERSION_LISTED:
        said = f"version {installed!r} is listed by itself"
        yield Evidence(Kind.PRODUCT, said, VERSION_LISTED / product.probability)


def _names_all(version_text: str) -> bool:
    return isinstance(parse_versions(version_text), AllVersions)
