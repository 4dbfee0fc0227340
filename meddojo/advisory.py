"""A security advisory: a product tree and what it says about vulnerabilities in it.

Modelled on CSAF 2.0 (OASIS, section 3.2), flattened: one `AffectedProduct` per leaf of the product tree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from meddojo.severity import CvssScore


class ProductStatus(StrEnum):
    """CSAF 2.0 section 3.2.3.9."""

    FIRST_AFFECTED = "first_affected"
    KNOWN_AFFECTED = "known_affected"
    LAST_AFFECTED = "last_affected"
    FIRST_FIXED = "first_fixed"
    FIXED = "fixed"
    KNOWN_NOT_AFFECTED = "known_not_affected"
    RECOMMENDED = "recommended"
    UNDER_INVESTIGATION = "under_investigation"


class VersionKind(StrEnum):
    """Whether the text names one version or a range of them; UNSTATED when the tree has no such branch."""

    EXACT = "product_version"
    RANGE = "product_version_range"
    UNSTATED = ""


@dataclass(frozen=True, slots=True)
class AffectedProduct:
    """A leaf of the product tree, or a product named by the assigner of a CVE.

    Attributes
    ----------
    product_id
        Identifier inside its document only; never part of a finding's identity.
    vendor, product
        Branch names, verbatim; empty when the tree has none.
    version_text
        The version or range as written by the publisher.
    full_name
        ``full_product_name.name``.
    cpe, purl, hashes, model_numbers, serial_numbers, skus, uris
        Product identification helpers (section 3.1.3.3). A hash is written ``sha256:1f0c...``; a model or serial
        number may hold the wildcards ``*`` and ``?``; a URI may carry a UDI device identifier.
    installed_on
        For a product that is a relationship: name of the product it is installed on or a component of.
    installed_on_id
        Identifier of that product inside the document.
    relationship
        Category of that relationship, as published: ``installed_on``, ``default_component_of`` ...
    """

    product_id: str
    vendor: str = ""
    product: str = ""
    version_text: str = ""
    version_kind: VersionKind = VersionKind.UNSTATED
    full_name: str = ""
    family: str = ""
    cpe: str = ""
    purl: str = ""
    model_numbers: tuple[str, ...] = ()
    serial_numbers: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    installed_on: str = ""
    relationship: str = ""
    hashes: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()
    installed_on_id: str = ""


@dataclass(frozen=True, slots=True)
class Remediation:
    """What to do, and for which products (section 3.2.3.12); no `product_ids` means all."""

    category: str
    details: str
    url: str = ""
    product_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProductScore:
    """A CVSS rating and the products it is meant for."""

    cvss: CvssScore
    product_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ThreatNote:
    """What is known about exploitation or impact (section 3.2.3.14); no `product_ids` means all products.

    Attributes
    ----------
    category
        ``exploit_status``, ``impact`` or ``target_set``.
    """

    category: str
    details: str
    product_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AdvisoryVulnerability:
    """One vulnerability of an advisory.

    Attributes
    ----------
    id
        CVE id, or, where the publisher gives none, an identifier that is stable across revisions.
    statuses
        ``(product_id, status)`` pairs, product groups already expanded.
    flags
        ``(product_id, label)`` pairs (section 3.2.3.5): why a product is not affected, in the five words of VEX
        (``component_not_present``, ``vulnerable_code_not_in_execute_path`` ...).
    """

    id: str
    title: str = ""
    description: str = ""
    aliases: tuple[str, ...] = ()
    cwes: tuple[int, ...] = ()
    scores: tuple[ProductScore, ...] = ()
    statuses: tuple[tuple[str, ProductStatus], ...] = ()
    remediations: tuple[Remediation, ...] = ()
    references: tuple[str, ...] = ()
    flags: tuple[tuple[str, str], ...] = ()
    threats: tuple[ThreatNote, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """Where something was read in the text of a bulletin.

    Attributes
    ----------
    item
        What was read: ``cve``, ``product``, ``version`` ...
    start, end
        Characters of the text, counted from 0; `end` is the first one behind.
    text
        What stands there, verbatim.
    """

    item: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Advisory:
    """A published advisory.

    Attributes
    ----------
    id
        ``tracking.id``; unique within `namespace`.
    publisher, namespace
        Who speaks.
    revision
        ``tracking.version``.
    url
        Human-readable page, where the document names one.
    tlp
        Traffic Light Protocol label; empty when unstated.
    passages
        Of an advisory that was read from the text of a bulletin, where each item stands; empty for one that was
        published as data.
    """

    id: str
    title: str
    publisher: str
    namespace: str
    revision: str
    published: datetime
    updated: datetime
    products: tuple[AffectedProduct, ...]
    vulnerabilities: tuple[AdvisoryVulnerability, ...]
    url: str = ""
    tlp: str = ""
    references: tuple[str, ...] = ()
    passages: tuple[Passage, ...] = ()
