"""The case of one device: everything an analyzer may look at, in one self-contained value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from meddojo.advisory import Advisory
from meddojo.device import Device
from meddojo.finding import Decision
from meddojo.imaging_model import ModelInspection
from meddojo.sbom import Sbom, ScanReport
from meddojo.serialise import from_json, to_json
from meddojo.threat import Threat, ThreatRelation
from meddojo.vex import VexStatement
from meddojo.vulnerability import EpssScore, KevEntry, Vulnerability


@dataclass(frozen=True, slots=True)
class Case:
    """Evidence about one device; the same case always gives the same findings.

    Attributes
    ----------
    as_of
        The clock, as an input (UTC).
    seed
        The random seed, as an input.
    advisories, vulnerabilities
        Nominated widely by the matching index; analyzers narrow them down.
    kev, epss
        By CVE id, for every CVE the case mentions.
    known_as
        Any alias of a vulnerability already found on this device -> the id it was found under,
        so that an alias published later does not change a finding's identity.
    threats, threat_relations
        Threat intelligence that names a CVE of the case, healthcare or the device, and what it is related to.
    vex
        What others state about the device or what is in it.
    imaging_model
        What is known of the model in it that reads images; None where it has none, or nobody ever looked.
    """

    device: Device
    as_of: datetime
    seed: int = 0
    sbom: Sbom | None = None
    scans: tuple[ScanReport, ...] = ()
    advisories: tuple[Advisory, ...] = ()
    vulnerabilities: tuple[Vulnerability, ...] = ()
    kev: Mapping[str, KevEntry] = field(default_factory=dict)
    epss: Mapping[str, EpssScore] = field(default_factory=dict)
    known_as: Mapping[str, str] = field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()
    threats: tuple[Threat, ...] = ()
    threat_relations: tuple[ThreatRelation, ...] = ()
    vex: tuple[VexStatement, ...] = ()
    imaging_model: ModelInspection | None = None

    def to_json(self) -> str:
        """Serialise, so that the case can be judged in another process or on another machine."""
        return to_json(self)

    @classmethod
    def from_json(cls, text: str) -> Case:
        """Read what `to_json` wrote."""
        return from_json(cls, text)
