"""How well a ranking finds what came, with confidence intervals. Ties count as if broken at random."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from analyzers.sbom_graph.forecast.graph import Floats, Integers

SAMPLES = 500
TOP = 100


@dataclass(frozen=True)
class Ranking:
    """Components from the highest score to the lowest, ranked once for all bootstrap samples.

    Attributes
    ----------
    order
        Their places before.
    hits
        1 for a positive, in that order.
    ends
        Place of the last one of each score.
    """

    order: Integers
    hits: Integers
    ends: Integers

    @classmethod
    def of(cls, scores: Floats, truth: Integers) -> Ranking:
        """Rank them."""
        order = np.argsort(-scores, kind="stable")
        ordered = scores[order]
        return cls(order, truth[order], np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1))

    def totals(self, counts: Integers | None) -> tuple[Floats, Floats]:
        """Positives and components down to the end of each score, each component counted so many times."""
        mine = np.ones(len(self.order)) if counts is None else counts[self.order].astype(np.float64)
        return np.cumsum(mine * self.hits)[self.ends], np.cumsum(mine)[self.ends]


Measure = Callable[[Ranking, Integers | None], float]


def average_precision(ranking: Ranking, counts: Integers | None = None) -> float:
    """Precision at each score that has a positive, weighted by the positives there; nan without any."""
    found, total = ranking.totals(counts)
    if not found[-1]:
        return float("nan")
    return float((np.diff(found, prepend=0.0) * found / np.maximum(total, 1.0)).sum() / found[-1])


def precision_at_top(ranking: Ranking, counts: Integers | None = None) -> float:
    """Share of positives among the `TOP` highest, expected where the last place is tied."""
    found, total = ranking.totals(counts)
    top = min(float(TOP), float(total[-1]))
    return float(np.interp(top, np.append(0.0, total), np.append(0.0, found)) / top)


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % confidence interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def mean(measure: Measure, rankings: Sequence[Ranking]) -> float:
    """Mean over the seeds."""
    return float(np.mean([measure(each, None) for each in rankings]))


def interval(measure: Measure, rankings: Sequence[Ranking], seed: int) -> Interval:
    """Mean over the seeds; bootstrap over the components, each sample with the ranking of one of the seeds."""
    random = np.random.default_rng(seed)
    sampled = [measure(_one(rankings, random), _sample(rankings, random)) for _ in range(SAMPLES)]
    low, high = np.nanpercentile(sampled, [2.5, 97.5])
    return Interval(mean(measure, rankings), float(low), float(high))


def difference(measure: Measure, ours: Sequence[Ranking], theirs: Sequence[Ranking], seed: int) -> Interval:
    """How much higher the first ones' figure is than the second ones', on the same samples."""
    random = np.random.default_rng(seed)
    sampled = []
    for _ in range(SAMPLES):
        counts = _sample(ours, random)
        sampled.append(measure(_one(ours, random), counts) - measure(_one(theirs, random), counts))
    low, high = np.nanpercentile(sampled, [2.5, 97.5])
    return Interval(mean(measure, ours) - mean(measure, theirs), float(low), float(high))


def _sample(rankings: Sequence[Ranking], random: np.random.Generator) -> Integers:
    """How often each component is drawn."""
    size = len(rankings[0].order)
    return np.bincount(random.integers(0, size, size), minlength=size)


def _one(rankings: Sequence[Ranking], random: np.random.Generator) -> Ranking:
    return rankings[int(random.integers(len(rankings)))]
