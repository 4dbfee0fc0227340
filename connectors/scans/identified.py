"""Products and components that are named by identifiers only."""

from __future__ import annotations

import re

from meddojo.advisory import AffectedProduct, VersionKind
from meddojo.sbom import Component

_CPE_FIELDS = re.compile(r"(?<!\\):")


def product_of(reference: str, purl: str, cpe: str, vendor: str = "") -> AffectedProduct:
    """A product by package URL or CPE, its version taken from there; a bare reference stays its only name."""
    name, version = _name_and_version(purl, cpe)
    return AffectedProduct(
        product_id=reference,
        vendor=vendor,
        version_text=version,
        version_kind=VersionKind.EXACT if version else VersionKind.UNSTATED,
        full_name=name or ("" if reference.startswith("urn:") else reference),
        purl=purl,
        cpe=cpe,
    )


def component_of(reference: str, purl: str, cpe: str) -> Component:
    """A component by package URL or CPE; a bare reference stays its only name."""
    name, version = _name_and_version(purl, cpe)
    return Component(reference, name or reference, version, purl, cpe)


def _name_and_version(purl: str, cpe: str) -> tuple[str, str]:
    from packageurl import PackageURL

    if purl:
        try:
            parsed = PackageURL.from_string(purl)
        except ValueError:
            return purl, ""
        return parsed.name, parsed.version or ""
    fields = [re.sub(r"\\(.)", r"\1", field) for field in _CPE_FIELDS.split(cpe)]
    if len(fields) < 6:
        return "", ""
    return fields[4].replace("_", " "), "" if fields[5] in ("*", "-") else fields[5]
