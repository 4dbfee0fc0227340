"""Whether what comes in still looks like what the models were trained on, and whether they are still right.

Drift: the share of unknown words of each incoming description against a reference sample, by the rank-sum test
(Mann and Whitney 1947) with its normal approximation for ties. One-sided: only more unknown words are drift. With
the threshold below, one comparison in a thousand without any drift raises a false alarm; a test measures that.

Accuracy: the band predicted for records that were published after the training data and have been rated since,
against the bands of their scorers, as a binomial test against the accuracy the model had when it was measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import erfc, sqrt
from typing import Any

import numpy as np

from analyzers.vuln_classifier.classifier import Classifier
from analyzers.vuln_classifier.features import Features
from analyzers.vuln_classifier.record import PublishedRecord, Scorer
from analyzers.vuln_classifier.vectors import Floats

FALSE_ALARMS = 0.001
FEWEST = 50
"""Records without which nothing is said."""
EXPECTED_ACCURACY = 0.65
"""Band accuracy below which, surely, something is off: that of the standard split less what chance and months cost."""
LEAST_SHIFT = 0.01
"""Descriptions come in waves (a vendor's monthly hundred): a smaller shift than one word in a hundred is no drift."""
_BINS = 100


@dataclass(frozen=True, slots=True)
class Drift:
    """Outcome of the comparison.

    Attributes
    ----------
    p_value
        Of the records' unknown words being no more than those of the reference.
    before, now
        Mean share of unknown words.
    """

    records: int
    p_value: float
    before: float
    now: float

    @property
    def alarming(self) -> bool:
        """Whether it is more than chance explains, and enough to matter."""
        return self.records >= FEWEST and self.p_value < FALSE_ALARMS and self.now > self.before + LEAST_SHIFT


@dataclass(frozen=True, slots=True)
class Arrivals:
    """How predictions compare with ratings that came later.

    Attributes
    ----------
    p_value
        Of so few right bands if the accuracy were the expected one.
    """

    records: int
    right: int
    p_value: float

    @property
    def alarming(self) -> bool:
        """Whether the models do worse than expected."""
        return self.records >= FEWEST and self.p_value < FALSE_ALARMS


def reference_of(features: Features, records: Sequence[PublishedRecord]) -> dict[str, Any]:
    """Distribution of the share of unknown words over later records, as counts in 100 equal bins.

    The records have to be later than those the vocabulary is of: how strange texts are half a year to a year on is
    what is normal for a model in use. On its own training records every vocabulary looks better than it is.
    """
    shares = features.unknown_share(records)
    return {"unknown words": np.bincount(_binned(shares), minlength=_BINS + 1).tolist()}


def drift(classifier: Classifier, reference: Mapping[str, Any], records: Sequence[PublishedRecord]) -> Drift:
    """Compare incoming records with the reference."""
    expected = np.array(reference["unknown words"], dtype=np.int64)
    places = _binned(classifier.features.unknown_share(records))
    counts = np.bincount(places, minlength=_BINS + 1)
    bins = np.arange(_BINS + 1) / _BINS
    mean = float((expected * bins).sum() / max(1, expected.sum()))
    now = float((counts * bins).sum() / max(1, counts.sum()))
    return Drift(len(records), rank_sum(expected, counts), mean, now)


def rank_sum(expected: Floats | Any, counts: Floats | Any) -> float:
    """P-value of the second histogram being no larger than the first, by the Mann-Whitney test with ties."""
    first, second = int(expected.sum()), int(counts.sum())
    if not first or not second:
        return 1.0
    both = expected + counts
    below = np.cumsum(expected) - expected
    larger = float((counts * (below + expected / 2.0)).sum())
    total = first + second
    ties = float((both.astype(np.float64) ** 3 - both).sum()) / (total * (total - 1))
    variance = first * second / 12.0 * (total + 1 - ties)
    if variance <= 0.0:
        return 1.0
    distance = (larger - first * second / 2.0 - 0.5) / sqrt(variance)
    return 0.5 * erfc(distance / sqrt(2.0))


def arrivals(classifier: Classifier, rated: Sequence[tuple[PublishedRecord, Scorer, int]]) -> Arrivals:
    """Predict the band of records that have been rated since, given as record, scorer and the band's rank."""
    if not rated:
        return Arrivals(0, 0, 1.0)
    found = classifier.predict_cvss([record for record, _, _ in rated], [scorer for _, scorer, _ in rated])
    delivered = classifier.space.bands[found.chosen]
    right = int((delivered == np.array([band for _, _, band in rated])).sum())
    return Arrivals(len(rated), right, _binomial_below(right, len(rated), EXPECTED_ACCURACY))


def _binomial_below(hits: int, number: int, chance: float) -> float:
    """Probability of at most `hits` of `number`."""
    from scipy.stats import binom

    return float(binom.cdf(hits, number, chance))


def _binned(shares: Floats) -> Any:
    return np.minimum((shares * _BINS).astype(np.int64), _BINS)
