"""What somebody states about a vulnerability in a product: VEX, whatever format it came in.

After CISA, *Minimum Requirements for Vulnerability Exploitability eXchange (VEX)*, 2023: a statement is a product, a
vulnerability, a status and a time, made by an author in a document.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from urllib.parse import quote, unquote

from meddojo.advisory import Advisory, AdvisoryVulnerability, AffectedProduct, ProductStatus
from meddojo.device import Device
from meddojo.sbom import Component

_DEVICE_URN = "urn:meddojo:device:"
_PART_OF = frozenset({"default_component_of", "optional_component_of", "external_component_of"})


class VexStatus(StrEnum):
    """Minimum Requirements, section 3.4."""

    NOT_AFFECTED = "not_affected"
    AFFECTED = "affected"
    FIXED = "fixed"
    UNDER_INVESTIGATION = "under_investigation"

    @property
    def clears(self) -> bool:
        """Whether it says that nothing is left to do."""
        return self in (VexStatus.NOT_AFFECTED, VexStatus.FIXED)


class Justification(StrEnum):
    """Why a product is not affected, in the five words of VEX (Minimum Requirements, section 3.5)."""

    COMPONENT_NOT_PRESENT = "component_not_present"
    CODE_NOT_PRESENT = "vulnerable_code_not_present"
    CODE_NOT_EXECUTED = "vulnerable_code_not_in_execute_path"
    CODE_NOT_CONTROLLED = "vulnerable_code_cannot_be_controlled_by_adversary"
    MITIGATED_INLINE = "inline_mitigations_already_exist"


@dataclass(frozen=True, slots=True)
class VexStatement:
    """One statement.

    Attributes
    ----------
    vulnerability, aliases
        Its names.
    products
        What the statement is about, any of them: a whole product, or a component by itself.
    components
        Parts of the product in which the vulnerability lies; none means the product as a whole.
    justification
        Why a product is not affected; None when only `detail` says it.
    detail
        The impact or action statement.
    author, document, version
        Who says so, and where; a later version of a document replaces an earlier one.
    device_id, device_version
        Set when a person named the device the statement is about: then `products` need not be recognised, but it
        holds for that version of the device only.
    """

    vulnerability: str
    status: VexStatus
    products: tuple[AffectedProduct, ...]
    author: str
    document: str
    version: str
    timestamp: datetime
    aliases: tuple[str, ...] = ()
    components: tuple[Component, ...] = ()
    justification: Justification | None = None
    detail: str = ""
    device_id: str = ""
    device_version: str = ""

    @property
    def names(self) -> frozenset[str]:
        """Every name of the vulnerability, in upper case."""
        return frozenset(name.upper() for name in (self.vulnerability, *self.aliases))

    @property
    def sentence(self) -> str:
        """Who says what, and why, for a person to read."""
        reasons = (self.justification.value.replace("_", " ") if self.justification else "", self.detail.strip())
        because = "; ".join(filter(None, reasons)) or "no reason is given"
        said = self.status.value.replace("_", " ")
        return f"{self.author} states {said!r} in {self.document} of {self.timestamp:%Y-%m-%d}: {because}"


@dataclass(frozen=True, slots=True)
class VexDocument:
    """A document and what it states; unique by author, id and the device a person named for it."""

    format: str
    id: str
    author: str
    version: str
    timestamp: datetime
    statements: tuple[VexStatement, ...]
    device_id: str = ""
    device_version: str = ""


def bound(document: VexDocument, device: Device, statements: Iterable[VexStatement]) -> VexDocument:
    """The document with `statements`, held to be about this device at its present version."""
    taken = tuple(replace(each, device_id=device.id, device_version=device.version) for each in statements)
    return replace(document, device_id=device.id, device_version=device.version, statements=taken)


def device_urn(device: Device) -> str:
    """Name of one device of one inventory, at its version, as our own VEX writes it."""
    return f"{_DEVICE_URN}{quote(device.id, safe='')}:{quote(device.version, safe='')}"


def read_device_urn(text: str) -> tuple[str, str] | None:
    """Device id and version from what `device_urn` wrote; None for any other text."""
    if not text.startswith(_DEVICE_URN):
        return None
    name, _, version = text.removeprefix(_DEVICE_URN).partition(":")
    return unquote(name), unquote(version)


def find_justification(text: str) -> Justification | None:
    """The VEX label that a text names, with underscores, hyphens or blanks; None without one or with several."""
    words = re.sub(r"[\s_-]+", "_", text.lower())
    found = [label for label in Justification if re.search(rf"(?<![a-z]){label}(?![a-z])", words)]
    return found[0] if len(found) == 1 else None


_STATUSES = {
    ProductStatus.KNOWN_NOT_AFFECTED: VexStatus.NOT_AFFECTED,
    ProductStatus.KNOWN_AFFECTED: VexStatus.AFFECTED,
    ProductStatus.FIRST_AFFECTED: VexStatus.AFFECTED,
    ProductStatus.LAST_AFFECTED: VexStatus.AFFECTED,
    ProductStatus.FIXED: VexStatus.FIXED,
    ProductStatus.FIRST_FIXED: VexStatus.FIXED,
    ProductStatus.UNDER_INVESTIGATION: VexStatus.UNDER_INVESTIGATION,
}


def statements_of(advisory: Advisory) -> Iterator[VexStatement]:
    """What a CSAF document states about its products (CSAF 2.0, sections 3.2.3.9 and 4.5).

    A product that is part of another (``default_component_of`` and the like) becomes a component of it. "Recommended"
    is no VEX status and says nothing here.
    """
    products = {product.product_id: product for product in advisory.products}
    for vulnerability in advisory.vulnerabilities:
        for product_id, stated in vulnerability.statuses:
            status, product = _STATUSES.get(stated), products.get(product_id)
            if status is None or product is None:
                continue
            whole, parts = _whole_and_parts(product, advisory.products)
            yield VexStatement(
                vulnerability=vulnerability.id,
                aliases=vulnerability.aliases,
                status=status,
                products=(whole,),
                components=parts,
                justification=_flag(vulnerability, product_id) if status is VexStatus.NOT_AFFECTED else None,
                detail=_detail(vulnerability, product_id, status),
                author=advisory.publisher or advisory.namespace,
                document=advisory.id,
                version=advisory.revision,
                timestamp=advisory.updated,
            )


def _whole_and_parts(
    product: AffectedProduct, products: Iterable[AffectedProduct]
) -> tuple[AffectedProduct, tuple[Component, ...]]:
    if product.relationship not in _PART_OF or not product.installed_on:
        return product, ()
    named = (each for each in products if each.full_name == product.installed_on and each is not product)
    whole = next(named, AffectedProduct("", full_name=product.installed_on))
    name = product.product or product.full_name
    part = Component(product.product_id, name, product.version_text, product.purl, product.cpe)
    return whole, (part,)


def _flag(vulnerability: AdvisoryVulnerability, product_id: str) -> Justification | None:
    labels = (label for name, label in vulnerability.flags if name == product_id)
    return next((Justification(label) for label in labels if label in set(Justification)), None)


def _detail(vulnerability: AdvisoryVulnerability, product_id: str, status: VexStatus) -> str:
    if status is VexStatus.NOT_AFFECTED:
        items = [
            (item.details, item.product_ids) for item in vulnerability.threats if item.category.lower() == "impact"
        ]
    elif status is VexStatus.AFFECTED:
        items = [(item.details, item.product_ids) for item in vulnerability.remediations]
    else:
        return ""
    return " ".join(dict.fromkeys(text.strip() for text, names in items if not names or product_id in names))
