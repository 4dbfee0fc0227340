"""What is predicted: each target with its classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from analyzers.vuln_classifier.labels import Example
from analyzers.vuln_classifier.vectors import BANDS, METRICS

BAND = "band"
EXPLOITATION = "exploitation"
AUTOMATABLE = "automatable"
IMPACT = "technical impact"
EXPLOITED = "exploited within a year"
CVSS_HEADS = (*METRICS, BAND)
"""Targets that depend on the scorer; their linear outputs are inputs of every other model."""


@dataclass(frozen=True, slots=True)
class PointHead:
    """A target that hangs on the vulnerability alone.

    Attributes
    ----------
    label
        Place of an example's class among `classes`; None where nobody stated one.
    """

    name: str
    classes: tuple[str, ...]
    label: Callable[[Example], int | None]


def _stated(classes: tuple[str, ...], value: Callable[[Example], str]) -> Callable[[Example], int | None]:
    return lambda example: classes.index(value(example)) if value(example) in classes else None


SSVC: Mapping[str, PointHead] = {
    name: PointHead(name, classes, _stated(classes, value))
    for name, classes, value in (
        (EXPLOITATION, ("none", "poc", "active"), lambda example: example.exploitation),
        (AUTOMATABLE, ("no", "yes"), lambda example: example.automatable),
        (IMPACT, ("partial", "total"), lambda example: example.impact),
    )
}
"""Decision points of CISA's SSVC (CISA, "Stakeholder-Specific Vulnerability Categorization Guide", 2022)."""


def classes_of(name: str) -> tuple[str, ...]:
    """Classes of a metric or of the band."""
    return tuple(METRICS[name]) if name in METRICS else tuple(BANDS)
