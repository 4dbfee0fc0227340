"""One stated product against one device: identification helpers, else vendor and product; then the version."""

from __future__ import annotations

from analyzers.matching.helpers import identify, ruled_out_by_serial
from analyzers.matching.index import affected_product_keys, device_keys
from analyzers.matching.match import Basis, Evidence, Kind, Match
from analyzers.matching.names import compare_products
from analyzers.matching.stated import Stated, stated_products
from analyzers.matching.vendors import UNSTATED, VendorRelation, compare_vendors
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

IDENTIFIED = 0.98
"""Probability of an identification helper that agrees: type plates and inventories are copied by hand."""

VERSION_MISSING = 0.75
VERSION_UNREADABLE = 0.7
VERSION_CONDITIONAL = 0.78
SERIAL_UNKNOWN = 0.78
"""Factors on the probability of the product; what is UNKNOWN ends below the default delivery threshold."""

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


def judge_version(text: str, installed: str) -> tuple[Verdict, float, str]:
    """Verdict on an installed version, the factor it puts on the probability, and part of a sentence."""
    return _explain(parse_versions(text), text.strip(), installed.strip())


def version_evidence(text: str, installed: str) -> tuple[Verdict, Evidence]:
    """`judge_version` as a piece of evidence."""
    verdict, factor, sentence = judge_version(text, installed)
    return verdict, Evidence(Kind.VERSION, sentence, factor)


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
    verdict, version = version_evidence(stated.version_text, installed)
    all_versions = _names_all(stated.version_text)
    if product.embedded_version:
        inner, embedded = version_evidence(product.embedded_version, product.device_version or device.version)
        if verdict is Verdict.AFFECTED or inner is Verdict.NOT_AFFECTED:
            verdict, version = inner, embedded
        all_versions = False
    evidence = [
        Evidence(Kind.VENDOR, vendor.reason, UNSTATED if vendor.relation is VendorRelation.UNSTATED else 1.0),
        Evidence(Kind.PRODUCT, product.reason, product.probability),
        version,
    ]
    if stated.from_full_name:
        evidence.append(Evidence(Kind.NOTE, "only the full product name is given", FULL_NAME_ONLY))
    basis = Basis.FULL_NAME if stated.from_full_name else Basis.BRANCHES
    return Match(verdict, tuple(evidence), basis, all_versions)


def _names_all(version_text: str) -> bool:
    return isinstance(parse_versions(version_text), AllVersions)


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
