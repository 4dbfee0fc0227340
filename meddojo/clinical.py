"""What a vulnerability on one device means for a patient: scores, decision and hazard, each with where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SsvcDecision(StrEnum):
    """Outcome of CISA's SSVC tree (CISA, *SSVC Guide*, November 2022), comparable from TRACK up to ACT."""

    TRACK = "Track"
    TRACK_CLOSELY = "Track*"
    ATTEND = "Attend"
    ACT = "Act"

    @property
    def rank(self) -> int:
        """0 for TRACK to 3 for ACT."""
        return list(SsvcDecision).index(self)

    @property
    def tag(self) -> str:
        """``ssvc-act``; a star is no letter of a tag, so Track* is ``ssvc-track-closely``."""
        return f"ssvc-{self.name.lower().replace('_', '-')}"


@dataclass(frozen=True, slots=True)
class Answer:
    """One step from what is known to a metric or decision point.

    Attributes
    ----------
    question
        ``XIT`` (a question of the rubric), ``CR`` (a metric of CVSS), ``Exploitation`` (a decision point of SSVC).
    answer
        What was answered.
    gives
        The metric that follows, ``MI:H``; empty for decision points.
    origin
        What the answer rests on, and where that is from: ``purpose therapy (inventory); I:L (published vector)``.
    """

    question: str
    answer: str
    gives: str
    origin: str


@dataclass(frozen=True, slots=True)
class EnvironmentalScore:
    """CVSS environmental score, beside the published score it started from.

    Attributes
    ----------
    score, base_score
        0.0 to 10.0.
    delivered
        Whether the severity of the finding is its band.
    """

    vector: str
    score: float
    version: str
    base_vector: str
    base_score: float
    delivered: bool = False


@dataclass(frozen=True, slots=True)
class ClinicalRisk:
    """What one vulnerability on one device means for a patient.

    Attributes
    ----------
    environmental
        None where no score is published, or nothing known of the device changes a metric.
    path
        The way through the decision tree, readable, with what each step rests on.
    ssvc_vector
        In the notation of the SSVC calculator, without its time stamp.
    hazard
        Hazardous situation, possible harm and existing controls in one line (terms of ISO 14971:2019, clause 3).
    """

    decision: SsvcDecision
    path: str
    ssvc_vector: str
    hazard: str
    environmental: EnvironmentalScore | None = None
    answers: tuple[Answer, ...] = ()
