"""A finding: something a person has to look at, on one device."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from meddojo.advisory import Remediation
from meddojo.clinical import ClinicalRisk
from meddojo.sbom import Component
from meddojo.severity import CvssScore, Severity
from meddojo.vulnerability import EpssScore, KevEntry


class Stream(StrEnum):
    """The fixed kinds of findings; each is one DefectDojo test per device."""

    VULNERABILITIES = "vulnerabilities"
    SUPPLY_CHAIN = "supply-chain"
    NETWORK_TRAFFIC = "network-traffic"
    IMAGING_MODEL = "imaging-model"
    COMPLIANCE = "compliance"


@dataclass(frozen=True, slots=True)
class Citation:
    """What one source says, and how sure we are that it means this device.

    Attributes
    ----------
    source
        ``CISA ICSMA-20-254-01``, ``NVD``, ``grype``.
    document
        Identifier or URL that a reader can open.
    probability
        0 to 1: that the source's product is this device or component.
    reason
        A sentence a person can check.
    """

    source: str
    document: str
    probability: float
    reason: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a trained model expects sources to say one day: only of what none of them says, and always marked as such.

    Attributes
    ----------
    model
        Name and version of the model.
    severity
        Band of `base_score`; None where a rating is published, or the model has not enough to go on.
    probability
        0 to 1: of that band; of the likeliest band where the model abstains for it.
    vector
        The CVSS v3.1 vector expected of the one who assigned the identifier.
    weaknesses
        CWE numbers with their probabilities, the likeliest first; empty where one is published.
    exploited
        0 to 1: that it enters the catalogue of exploited vulnerabilities within a year; None if not estimated.
    remarks
        A line each: the words that moved the prediction, what NVD would say, what else was estimated.
    """

    model: str
    severity: Severity | None = None
    probability: float = 0.0
    vector: str = ""
    base_score: float = 0.0
    weaknesses: tuple[tuple[int, float], ...] = ()
    exploited: float | None = None
    remarks: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """What the model expects besides the severity, for a person to read."""
        expected = ", ".join(f"CWE-{number} ({probability:.2f})" for number, probability in self.weaknesses)
        found = [f"expected weakness: {expected}"] if expected else []
        if self.exploited is not None:
            found.append(f"estimated chance to be listed as known exploited within a year: {self.exploited:.1%}")
        return (*found, *self.remarks)


@dataclass(frozen=True, slots=True)
class Finding:
    """One vulnerability or failed check on one device, with everything known about it.

    Attributes
    ----------
    check
        The vulnerability's canonical id (preferably CVE), or the id of the failed check.
    component_key
        Set only where one check may fail for several components of a device independently;
        part of the identity, hence free of versions.
    aliases
        Every identifier of the vulnerability that a source used, `check` included.
    summary
        What the vulnerability is, in a source's words.
    severity
        The band delivered; from the score, or the prediction, that `severity_reason` names.
    probability
        0 to 1: that the finding applies to the device; the highest of its citations.
    needs_review
        True when the probability lies below the delivery threshold but within the review band.
    fix_versions
        Versions that carry the fix, as the sources write them.
    threats
        What threat intelligence says of it, a line each: ``used by Industroyer (S0604); ATT&CK for ICS T0814 ...``.
    predicted
        What a model expects where no source says anything; never among the published values of the other fields.
    suppressed
        Who states that nothing is to be done, and why; such a finding is kept but not delivered. Empty otherwise.
    clinical
        What it means on this device for a patient; None where nobody asked.
    supply_path
        Where the components sit in the bill of materials, a line each: ``zlib 1.2.11: 2 steps from the root by ...``.
    """

    stream: Stream
    device_id: str
    check: str
    title: str
    severity: Severity
    severity_reason: str
    probability: float
    needs_review: bool = False
    component_key: str = ""
    aliases: tuple[str, ...] = ()
    summary: str = ""
    cvss: tuple[CvssScore, ...] = ()
    cwes: tuple[int, ...] = ()
    kev: KevEntry | None = None
    epss: EpssScore | None = None
    components: tuple[Component, ...] = ()
    remediations: tuple[Remediation, ...] = ()
    fix_versions: tuple[str, ...] = ()
    citations: tuple[Citation, ...] = ()
    references: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    threats: tuple[str, ...] = ()
    predicted: Prediction | None = None
    suppressed: str = ""
    clinical: ClinicalRisk | None = None
    supply_path: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """Stable identifier of this finding, see `finding_identity`."""
        return finding_identity(self.stream, self.device_id, self.check, self.component_key)


class Verdict(StrEnum):
    """What a person decided about a finding in DefectDojo."""

    FALSE_POSITIVE = "false positive"
    RISK_ACCEPTED = "risk accepted"
    OUT_OF_SCOPE = "out of scope"
    MITIGATED = "mitigated"


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's verdict, read back from a sink. It is never overridden."""

    identity: str
    verdict: Verdict
    sink: str
    reference: str
    decided: datetime | None = None
    justification: str = ""


def finding_identity(stream: Stream, device_id: str, check: str, component_key: str = "") -> str:
    """Identity of a finding: the same in every run, on every machine, in every version of the suite.

    Returns
    -------
    str
        ``mdj-`` and 32 hexadecimal digits of SHA-256 over the four parts.
    """
    parts = "\x1f".join((stream.value, device_id, check, component_key))
    return "mdj-" + hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:32]
