"""Products that stand on others, such as software on hardware (CSAF 2.0, section 3.2.2.4).

A relationship names two products, the part and the whole it is installed on or belongs to. The inventory names one
device, which may be either of them, or both: a device is called after its hardware and has its firmware's version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from analyzers.matching.factors import FIRMWARE_OF, IN_SBOM, ON_PLATFORM, PLATFORM_ONLY
from analyzers.matching.identifiers import cpe_key, purl_key, purl_version
from analyzers.matching.match import Kind, Match
from analyzers.matching.names.normalise import squash
from analyzers.matching.products import match_product
from analyzers.matching.versions.installed import version_evidence
from analyzers.matching.versions.sets import Verdict
from meddojo.advisory import AffectedProduct
from meddojo.device import Device
from meddojo.sbom import Component, Sbom

_FIRMWARE = ("firmware", "operatingsystem", "software")


def match_related(
    device: Device, product: AffectedProduct, products: Mapping[str, AffectedProduct], sbom: Sbom | None
) -> Match | None:
    """Compare a product that is a relationship with a device; None when neither side is the device.

    Parameters
    ----------
    products
        Of the same document, by id.
    """
    part = match_product(device, product)
    whole = products.get(product.installed_on_id)
    platform = match_product(device, whole) if whole is not None else None
    if platform is not None and platform.verdict is Verdict.NOT_AFFECTED:
        return platform
    found = [_on_platform(device, product, platform, sbom)] if platform is not None else []
    if part is not None and platform is not None:
        found.append(part.noting(f"on {product.installed_on!r}"))
    elif part is not None and not _is_firmware(product):
        said = product.relationship.replace("_", " ")
        found.append(part.noting(f"stated for {product.installed_on!r} ({said}), which was not checked", ON_PLATFORM))
    return max(found, key=lambda match: match.strength, default=None)


def _on_platform(device: Device, product: AffectedProduct, platform: Match, sbom: Sbom | None) -> Match:
    """The device is the whole; whether it has the part, the bill of materials or the relationship may tell."""
    listed = [component for component in sbom.components if _is_part(component, product)] if sbom is not None else []
    named = product.product.strip() or product.full_name.strip()
    if listed:
        return _listed(product, platform, listed, named)
    if product.relationship == "default_component_of":
        note = f"{named!r} is a default component"
        if platform.certain and not platform.all_versions:
            return platform.noting(note)
        verdict, version = version_evidence(product.version_text, "")
        return platform.noting(f"{note}, {version.sentence}", version.factor, verdict)
    if _is_firmware(product):
        verdict, version = version_evidence(product.version_text, device.version)
        compared = (*(item for item in platform.evidence if item.kind is not Kind.VERSION), version)
        return replace(platform, evidence=compared, verdict=verdict).noting(f"of its software {named!r}", FIRMWARE_OF)
    note = f"the device is the platform, whether {named!r} is on it is not known"
    return platform.noting(note, PLATFORM_ONLY, Verdict.UNKNOWN)


def _listed(product: AffectedProduct, platform: Match, listed: Iterable[Component], named: str) -> Match:
    """The bill of materials tells the version of the part."""
    found = []
    for component in listed:
        version = component.version or purl_version(component.purl)
        verdict, evidence = version_evidence(product.version_text or purl_version(product.purl), version)
        note = f"the bill of materials lists {named!r}, {evidence.sentence}"
        found.append(platform.noting(note, IN_SBOM * evidence.factor, verdict))
    return max(found, key=lambda match: match.strength)


def _is_part(component: Component, product: AffectedProduct) -> bool:
    for own, stated in (
        (purl_key(component.purl), purl_key(product.purl)),
        (cpe_key(component.cpe), cpe_key(product.cpe)),
    ):
        if own and stated:
            return own == stated
    return squash(component.name) == squash(product.product or product.full_name)


def _is_firmware(product: AffectedProduct) -> bool:
    name = squash(product.product or product.full_name)
    return product.relationship.startswith("installed") and name.endswith(_FIRMWARE)
