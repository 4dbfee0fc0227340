"""How probable it is that a vulnerability of a component does harm, from its finding."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from meddojo.finding import Finding
from meddojo.severity import Severity

FLOOR = 0.1
"""Likelihood of a vulnerability that nobody expects to be exploited: EPSS looks thirty days ahead, a device stands for
ten years."""

UNSCORED = 0.176
"""Likelihood where there is no EPSS score: the mean of `likelihood` over all 258,085 scores of 2024-09-01."""

CERTAIN = 0.95
"""What is known to be exploited and of the highest severity does harm so often; nothing is certain."""

BANDS: Mapping[Severity, float] = {
    Severity.CRITICAL: 9.0,
    Severity.HIGH: 7.0,
    Severity.MEDIUM: 4.0,
    Severity.LOW: 0.1,
    Severity.INFO: 0.0,
}
"""Base score that stands for a band nobody gave a score to: where the band begins (CVSS v3.1, section 5)."""


@dataclass(frozen=True, slots=True)
class RatedVulnerability:
    """A vulnerability of one component.

    Attributes
    ----------
    check
        Its canonical id.
    chance
        0 to `CERTAIN`: that it does harm, if the component is exposed without reserve.
    score
        CVSS score that went in, 0 to 10.
    predicted
        Whether that score is a model's.
    fix_versions
        Versions of this component that carry the fix.
    """

    check: str
    chance: float
    score: float
    severity: Severity
    epss: float | None = None
    known_exploited: bool = False
    predicted: bool = False
    fix_versions: tuple[str, ...] = ()


def rate(finding: Finding, fix_versions: tuple[str, ...] = ()) -> RatedVulnerability:
    """Rate the vulnerability of a finding: ``CERTAIN * probability * score / 10 * likelihood``.

    Severity times likelihood is the oldest formula of risk (NIST SP 800-30 rev. 1, appendix I); the probability is
    that of the match. The score is the one delivered: environmental where the device's profile changed it, else the
    published one, else the predicted one, else where the source's band begins.
    """
    score, predicted = _score(finding)
    epss = finding.epss.probability if finding.epss else None
    known_exploited = finding.kev is not None
    chance = CERTAIN * _within(finding.probability) * score / 10.0 * likelihood(epss, known_exploited)
    return RatedVulnerability(
        finding.check, chance, score, finding.severity, epss, known_exploited, predicted, fix_versions
    )


def likelihood(epss: float | None, known_exploited: bool) -> float:
    """That a vulnerability is exploited at all: 1 if it is known to be, else ``FLOOR + (1 - FLOOR) * sqrt(EPSS)``.

    The root spreads the lower end, where nearly all scores lie: half of them are below 0.0014.
    """
    if known_exploited:
        return 1.0
    return UNSCORED if epss is None else FLOOR + (1.0 - FLOOR) * math.sqrt(_within(epss))


def _score(finding: Finding) -> tuple[float, bool]:
    scored = finding.clinical.environmental if finding.clinical else None
    if scored is not None and scored.delivered and math.isfinite(scored.score):
        return 10.0 * _within(scored.score / 10.0), False
    published = next((each.base_score for each in finding.cvss if math.isfinite(each.base_score)), None)
    if published is not None:
        return 10.0 * _within(published / 10.0), False
    if finding.predicted is not None and finding.predicted.severity is not None:
        return 10.0 * _within(finding.predicted.base_score / 10.0), True
    return BANDS[finding.severity], False


def _within(value: float) -> float:
    return min(max(value, 0.0), 1.0) if math.isfinite(value) else 0.0
