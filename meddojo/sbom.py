"""A software bill of materials and what a scanner found in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

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
    """

    ref: str
    name: str
    version: str = ""
    purl: str = ""
    cpe: str = ""
    supplier: str = ""
    kind: str = ""

    @property
    def label(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}".strip()


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
        ``(ref, ref)`` pairs: the first needs the second. May contain cycles.
    problems
        What the reader had to leave out or rename, one sentence each.
    """

    format: str
    components: tuple[Component, ...]
    root: str = ""
    dependencies: tuple[tuple[str, str], ...] = ()
    created: datetime | None = None
    problems: tuple[str, ...] = ()


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
