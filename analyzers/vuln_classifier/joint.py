"""Eight metrics that are predicted one by one, read together: a distribution over whole vectors.

A vector's log-probability is the sum over its metrics, plus how much more often scorers use these values together
than each alone (pointwise mutual information; Church and Hanks 1990), plus what the model of the severity band
thinks of its band. Only vectors scorers have used are considered, so an incoherent one cannot come out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analyzers.vuln_classifier.calibration import softmax
from analyzers.vuln_classifier.vectors import BANDS, METRICS, Floats, Integers, bands, base_score

_SMALLEST = 1e-6


@dataclass(frozen=True, slots=True)
class Decision:
    """How much a wrong vector costs.

    Attributes
    ----------
    coupling
        Weight of the mutual information of a vector's values.
    band_trust
        How far the vectors are moved to agree with the model of the band: 0 not at all, 1 entirely.
    metric_gain, band_gain
        For a right metric (of eight) and a right band.
    point_cost
        Per point of the base score that the vector is off.
    """

    coupling: float = 0.3
    band_trust: float = 0.4
    metric_gain: float = 4.0
    band_gain: float = 1.0
    point_cost: float = 0.4


@dataclass(frozen=True)
class VectorSpace:
    """Every vector scorers used, with how often.

    Attributes
    ----------
    vectors
        Shape (vectors, 8): class of each metric.
    shares
        Weighted share of each vector among the training rows.
    """

    vectors: Integers
    shares: Floats

    @classmethod
    def fit(cls, labels: Sequence[tuple[int, ...]], weights: Floats, at_least: int) -> VectorSpace:
        """Vectors that at least `at_least` training rows carry."""
        counts = Counter(labels)
        totals: defaultdict[tuple[int, ...], float] = defaultdict(float)
        for label, weight in zip(labels, weights, strict=True):
            totals[label] += weight
        kept = sorted(label for label, count in counts.items() if count >= at_least)
        shares = np.array([totals[label] for label in kept], dtype=np.float64)
        return cls(np.array(kept, dtype=np.int64), (shares / shares.sum()).astype(np.float32))

    @cached_property
    def scores(self) -> Floats:
        """Base score of each vector."""
        return np.array([base_score(tuple(vector)) for vector in self.vectors.tolist()])

    @cached_property
    def bands(self) -> Integers:
        """Band of each vector, as its rank."""
        return bands(self.scores)

    @cached_property
    def _coupling(self) -> Floats:
        alone = np.zeros(len(self.vectors))
        for metric, values in enumerate(METRICS.values()):
            column = self.vectors[:, metric]
            shares = np.bincount(column, weights=self.shares, minlength=len(values))
            alone += np.log(shares[column])
        result: Floats = np.log(self.shares) - alone
        return result

    @cached_property
    def _distances(self) -> Floats:
        distances: Floats = np.abs(self.scores[:, None] - self.scores[None, :])
        return distances

    def distribution(self, metrics: Sequence[Floats], band: Floats, decision: Decision) -> Floats:
        """Probability of each vector, shape (records, vectors).

        Parameters
        ----------
        metrics
            Probabilities of each metric's values, in the order of `METRICS`.
        band
            Probabilities of each band.
        """
        logs = decision.coupling * self._coupling[None, :]
        for metric, probabilities in enumerate(metrics):
            logs = logs + np.log(probabilities + _SMALLEST)[:, self.vectors[:, metric]]
        implied = self.of_bands(softmax(logs))
        # Bands without any vector keep a little, so that the difference of the logarithms stays finite.
        moved = np.log(band + 1e-4) - np.log(implied + 1e-4)
        return softmax(logs + decision.band_trust * moved[:, self.bands])

    def of_bands(self, distribution: Floats) -> Floats:
        """Probability of each band, shape (records, 5)."""
        members = self.bands[:, None] == np.arange(len(BANDS))[None, :]
        result: Floats = distribution @ members
        return result

    def of_metrics(self, distribution: Floats) -> Mapping[str, Floats]:
        """Probabilities of each metric's values."""
        return {
            name: distribution @ (self.vectors[:, metric][:, None] == np.arange(len(values))[None, :])
            for metric, (name, values) in enumerate(METRICS.items())
        }

    def decide(self, distribution: Floats, decision: Decision) -> Integers:
        """Row of `vectors` with the greatest expected gain (Bayes decision), for each record."""
        gain = decision.band_gain * self.of_bands(distribution)[:, self.bands]
        for metric, values in enumerate(self.of_metrics(distribution).values()):
            gain = gain + decision.metric_gain / len(METRICS) * values[:, self.vectors[:, metric]]
        gain = gain - decision.point_cost * (distribution @ self._distances)
        chosen: Integers = gain.argmax(axis=1)
        return chosen
