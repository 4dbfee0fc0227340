"""What a leaf of a product tree states, put right where publishers use the wrong branch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from analyzers.matching.names.vendors import leading_vendor, vendor_keys
from analyzers.matching.versions.reader import (
    AllVersions,
    VersionSet,
    designations,
    format_versions,
    fully_parsed,
    parse_versions,
)
from meddojo.advisory import AffectedProduct, VersionKind

_LABEL = re.compile(r"^(?:models?|mlfb|comcode|order (?:code|number)|part (?:number|no))[\s.:#]+", re.I)
_TELLING = re.compile(r"\d|[A-Za-z]{3,}")
_REMARK = re.compile(r"^(?:with|when|where|running|based|using|all)\b|serial|digits|shipped|manufactur|.{60}", re.I)


@dataclass(frozen=True, slots=True)
class Stated:
    """One reading of a leaf: whose product, which, and which versions of it.

    Attributes
    ----------
    from_full_name
        True when the tree has no product branch and only the full name was left to read.
    """

    vendor: str
    product: str
    version_text: str
    from_full_name: bool = False


@lru_cache(maxsize=65536)
def stated_products(leaf: AffectedProduct) -> tuple[Stated, ...]:
    """Readings of a leaf, the literal one first.

    A version branch that holds model designations (``HEN32204``, ``MMT-1711 | MMT-1712``) is also read as part of the
    product's name, with the versions and conditions that the text states for it, else all of them.
    """
    product = leaf.product.strip() or leaf.full_name.strip()
    vendor = leaf.vendor if names_somebody(leaf.vendor) else leading_vendor(product) or leaf.vendor
    literal = Stated(vendor, product, leaf.version_text, not leaf.product.strip())
    versions = parse_versions(leaf.version_text)
    named = [
        Stated(vendor, f"{product} {_LABEL.sub('', found.text)}", _version_text(found.versions))
        for found in designations(versions)
    ]
    if not named and leaf.version_kind is not VersionKind.RANGE and not fully_parsed(versions):
        texts = [text.strip(" ,") for text in re.split(r"[|;]", leaf.version_text)]
        named = [
            Stated(vendor, f"{product} {text}", "")
            for text in texts
            if _TELLING.search(text) and not _REMARK.search(text)
        ]
    return (literal, *named)


def _version_text(versions: VersionSet) -> str:
    return "" if isinstance(versions, AllVersions) else format_versions(versions)


def names_somebody(vendor: str) -> bool:
    """Whether a vendor field names anybody."""
    return vendor_keys(vendor) != vendor_keys("")
