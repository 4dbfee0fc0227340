"""A software bill of materials and what a scanner found in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from meddojo.severity import Severity
from meddojo.vulnerability import EpssScore, Vulnerability


@dataclass(frozen=True, slots=True)
class Component:
    """A software component.

    Attributes
    ----------
    ref
        Identifier inside its document (``bom-ref``, ``SPDXID``, Grype artifact id).
    purl, cpe
        Package URL and CPE 2.3 name; empty when the document gives none.
    kind
        ``library``, ``operating-system``, ``firmware``, ``container`` ... as the document says.
    licences
        SPDX identifiers, expressions, or names, as stated.
    hashes
        ``SHA-256:9f86d0...``: algorithm and digest.
    support_level
        ``actively maintained``, ``no longer maintained``, ``abandoned`` ...: as stated.
    end_of_support
        Last day on which its maker supports it; None when unstated.
    properties
        Whatever else the document states by name and value.
    contacts
        E-mail addresses and URLs of its supplier and its maker, as stated.
    filename
        Name of the file it is delivered as.
    distribution_urls, distribution_hashes
        Where the file that is deployed can be had, and its digests, written as `hashes`; what a document states of the
        component without saying that it means this file stands in `hashes` alone.
    unknown
        Names of the fields above of which the document says that its author does not know them (``supplier``,
        ``version``); they are empty.
    """

    ref: str
    name: str
    version: str = ""
    purl: str = ""
    cpe: str = ""
    supplier: str = ""
    kind: str = ""
    licences: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    support_level: str = ""
    end_of_support: date | None = None
    properties: tuple[tuple[str, str], ...] = ()
    contacts: tuple[str, ...] = ()
    filename: str = ""
    distribution_urls: tuple[str, ...] = ()
    distribution_hashes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}".strip()


class DependencyKind(StrEnum):
    """What the first end of a dependency needs the second for."""

    RUNTIME = "runtime"
    """At work."""
    CONTAINS = "contains"
    """It is a part of it."""
    OPTIONAL = "optional"
    """At work, if it is there."""
    DEVELOPMENT = "development"
    """To be built, tested or documented: not on the device."""


class Dependency(NamedTuple):
    """The component `source` needs the component `target`, both by `Component.ref`."""

    source: str
    target: str
    kind: DependencyKind = DependencyKind.RUNTIME


@dataclass(frozen=True, slots=True)
class Sbom:
    """Components and who depends on whom.

    Attributes
    ----------
    format
        ``CycloneDX 1.5``, ``SPDX 2.3``.
    root
        `Component.ref` of what the document describes; empty when unstated.
    dependencies
        May contain cycles; of several between the same two components, only the strongest: runtime, contains,
        optional, development.
    authors, tools
        Who made the document (people, organisations) and with what (``syft 1.4.0``).
    lifecycle
        When in the life of the product it was made: ``build``, ``post-build``, ``operations`` ...
    complete
        References of components whose dependencies are all listed, as the document states; the root's stands for all.
    problems
        What the reader had to leave out or rename, one sentence each.
    unresolved
        References that dependencies name and no component has.
    incomplete
        References of components whose dependencies are stated not to be all listed, or not known to be; the root's
        stands for itself alone.
    contacts
        E-mail addresses and URLs of the `authors`.
    identifier
        What tells the document from all others: serial number, namespace or address.
    version
        Which version of the document it is (``3``); SPDX has none, there every version has an `identifier` of its own.
    signed
        Whether the document holds a signature; nobody has checked it.
    """

    format: str
    components: tuple[Component, ...]
    root: str = ""
    dependencies: tuple[Dependency, ...] = ()
    created: datetime | None = None
    problems: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    lifecycle: str = ""
    complete: tuple[str, ...] = ()
    unresolved: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()
    identifier: str = ""
    version: str = ""
    signed: bool = False


@dataclass(frozen=True, slots=True)
class ScanMatch:
    """A scanner's claim that a component has a vulnerability.

    Attributes
    ----------
    severity
        The scanner's own band; None when it gives none.
    fix_state
        ``fixed``, ``not-fixed``, ``wont-fix`` or ``unknown``.
    match_type
        How the scanner decided (``exact-direct-match``, ``cpe-match`` ...).
    epss
        EPSS carried by the report, if any; the EPSS feed goes first.
    """

    vulnerability: Vulnerability
    component: Component
    severity: Severity | None = None
    fix_state: str = "unknown"
    fix_versions: tuple[str, ...] = ()
    match_type: str = ""
    constraint: str = ""
    epss: EpssScore | None = None


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What one scanner run said about one device; it counts until a newer one replaces it."""

    scanner: str
    scanner_version: str
    created: datetime
    target: str
    matches: tuple[ScanMatch, ...]
