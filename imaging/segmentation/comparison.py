"""Two methods on the same cases: whether one is better, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_RESAMPLED, _SEED = 10_000, 0


@dataclass(frozen=True, slots=True)
class Paired:
    """A paired comparison.

    Attributes
    ----------
    difference
        Mean over cases of the first less the second.
    low, high
        95 % interval of it, by resampling cases.
    p_value
        Of the Wilcoxon signed-rank test, both sides; 1 where no case differs.
    better, worse
        Cases in which the first is above and below.
    """

    difference: float
    low: float
    high: float
    p_value: float
    better: int
    worse: int

    @property
    def sentence(self) -> str:
        """For a person."""
        return (
            f"{self.difference:+.3f} ({self.low:+.3f} to {self.high:+.3f}), better in {self.better}, "
            f"worse in {self.worse}, Wilcoxon p = {self.p_value:.2g}"
        )


def paired(first: Sequence[float], second: Sequence[float]) -> Paired:
    """Compare figures of the same cases in the same order.

    Raises
    ------
    ValueError
        Without cases, or with other cases on one side.

    References
    ----------
    Wilcoxon, Individual comparisons by ranking methods, Biometrics Bulletin 1 (1945). Demsar, Statistical comparisons
    of classifiers, JMLR 7 (2006), why it is preferred to the t-test here.
    """
    from scipy.stats import wilcoxon

    if len(first) != len(second) or not len(first):
        raise ValueError(f"{len(first)} and {len(second)} figures cannot be paired")
    differences = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    random = np.random.default_rng(_SEED)
    means = differences[random.integers(len(differences), size=(_RESAMPLED, len(differences)))].mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    p_value = float(wilcoxon(differences).pvalue) if differences.any() else 1.0
    return Paired(
        float(differences.mean()),
        float(low),
        float(high),
        p_value,
        int((differences > 0).sum()),
        int((differences < 0).sum()),
    )
