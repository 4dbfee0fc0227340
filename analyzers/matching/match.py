"""The contract: how probably a device is the product a source names, and why (OASIS CSAF TC, issue 593).

A match is a row of pieces of evidence. Each says what was compared, in words a person can check, and what it leaves of
the probability; the probability of the match is the product of all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from math import prod

from analyzers.matching.versions.sets import Verdict


class Basis(IntEnum):
    """What a match rests on; identification helpers beat branch names, branch names beat the full product name."""

    FULL_NAME = 1
    BRANCHES = 2
    IDENTIFIER = 3


class Kind(StrEnum):
    """What a piece of evidence is about."""

    IDENTIFIER = "identifier"
    VENDOR = "vendor"
    PRODUCT = "product"
    VERSION = "version"
    NOTE = "note"


_IDENTITY = frozenset({Kind.IDENTIFIER, Kind.VENDOR, Kind.PRODUCT})


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that was compared.

    Attributes
    ----------
    sentence
        Part of a sentence: ``vendor 'Philips Healthcare' = 'Philips' (alias)``.
    factor
        0 to 1: what it leaves of the probability.
    """

    kind: Kind
    sentence: str
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Match:
    """A device against one product of a source.

    Attributes
    ----------
    verdict
        Whether the installed version is among those stated.
    evidence
        In the order a person would check it.
    all_versions
        True when the source names every version.
    """

    verdict: Verdict
    evidence: tuple[Evidence, ...]
    basis: Basis = Basis.BRANCHES
    all_versions: bool = False

    @property
    def probability(self) -> float:
        """0 to 1: that product and version are the device's; where NOT_AFFECTED, that the product is."""
        return round(prod(item.factor for item in self.evidence), 4)

    @property
    def identity(self) -> float:
        """0 to 1: that the product is the device, whatever its version."""
        return prod(item.factor for item in self.evidence if item.kind in _IDENTITY)

    @property
    def reason(self) -> str:
        """All evidence in one sentence."""
        compared = ", ".join(item.sentence for item in self.evidence if item.kind is not Kind.NOTE)
        return "; ".join((compared, *(item.sentence for item in self.evidence if item.kind is Kind.NOTE)))

    @property
    def certain(self) -> bool:
        """Whether the verdict rests on a comparison of versions or on "all versions"."""
        return self.verdict is not Verdict.UNKNOWN

    @property
    def strength(self) -> tuple[bool, Basis, float, str]:
        """Orders the readings of one product: not ruled out, better basis, higher probability."""
        return self.verdict is not Verdict.NOT_AFFECTED, self.basis, self.probability, self.reason

    def noting(self, sentence: str, factor: float = 1.0, verdict: Verdict | None = None) -> Match:
        """The same match with one more thing known about it."""
        note = Evidence(Kind.NOTE, sentence, factor)
        return replace(self, evidence=(*self.evidence, note), verdict=verdict or self.verdict)
