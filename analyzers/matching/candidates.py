"""A candidate: one source's claim that one vulnerability touches the device, before claims are merged."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from meddojo.advisory import Remediation
from meddojo.finding import Citation
from meddojo.sbom import Component
from meddojo.severity import CvssScore, Severity
from meddojo.vulnerability import EpssScore


class Source(IntEnum):
    """Kinds of sources, the most specific about the device first."""

    ADVISORY = 0
    RECORD = 1
    SCAN = 2


@dataclass(frozen=True, slots=True)
class Candidate:
    """One source's claim.

    Attributes
    ----------
    identifiers
        Every name the source gives the vulnerability.
    severity
        The source's own band where it gives no CVSS.
    """

    identifiers: tuple[str, ...]
    source: Source
    citation: Citation
    summary: str = ""
    cvss: tuple[CvssScore, ...] = ()
    cwes: tuple[int, ...] = ()
    severity: Severity | None = None
    epss: EpssScore | None = None
    components: tuple[Component, ...] = ()
    remediations: tuple[Remediation, ...] = ()
    fix_versions: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
