"""Severity bands and CVSS scores."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """The five bands DefectDojo knows, comparable from INFO up to CRITICAL."""

    INFO = "Info"
    LOW = "Low"
    MEDIUM = "Medium"
    HIGH = "High"
    CRITICAL = "Critical"

    @property
    def rank(self) -> int:
        """0 for INFO to 4 for CRITICAL."""
        return list(Severity).index(self)

    @classmethod
    def from_score(cls, score: float) -> Severity:
        """Band of a CVSS base score (CVSS v3.1 section 5, v4.0 section 6).

        Parameters
        ----------
        score
            Base score, 0.0 to 10.0.
        """
        for floor, band in ((9.0, cls.CRITICAL), (7.0, cls.HIGH), (4.0, cls.MEDIUM), (0.1, cls.LOW)):
            if score >= floor:
                return band
        return cls.INFO

    @classmethod
    def parse(cls, text: str) -> Severity | None:
        """Read a band as scanners write it (``High``, ``moderate``, ``NEGLIGIBLE``); None when unknown."""
        return _SPELLINGS.get(text.strip().lower())


_SPELLINGS = {
    "critical": Severity.CRITICAL,
    "high": Severity.HIGH,
    "important": Severity.HIGH,
    "medium": Severity.MEDIUM,
    "moderate": Severity.MEDIUM,
    "low": Severity.LOW,
    "minor": Severity.LOW,
    "negligible": Severity.INFO,
    "info": Severity.INFO,
    "informational": Severity.INFO,
    "none": Severity.INFO,
}


@dataclass(frozen=True, slots=True)
class CvssScore:
    """One published CVSS rating.

    Attributes
    ----------
    vector
        Vector string as published, with its ``CVSS:3.1/`` prefix (none for version 2).
    base_score
        0.0 to 10.0, as published.
    version
        ``2.0``, ``3.0``, ``3.1`` or ``4.0``.
    scorer
        Who rated: ``nvd@nist.gov``, ``CISA``, a CNA.
    """

    vector: str
    base_score: float
    version: str
    scorer: str

    @property
    def severity(self) -> Severity:
        """Band of the base score."""
        return Severity.from_score(self.base_score)
