"""CWE of a vulnerability: a linear model names ten candidates, boosted trees put them into order.

Trees over 150 classes would be 150 trees a round; one model that judges (record, candidate) pairs needs a fraction of
them and learns what all classes have in common.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse

from analyzers.vuln_classifier.boosting import probabilities
from analyzers.vuln_classifier.calibration import softmax
from analyzers.vuln_classifier.linear import LinearModel
from analyzers.vuln_classifier.vectors import Floats, Integers

if TYPE_CHECKING:
    import xgboost

CANDIDATES = 10


@dataclass(frozen=True)
class WeaknessModel:
    """The two stages.

    Attributes
    ----------
    numbers
        CWE number of each class.
    shares
        Share of each class among recent records.
    temperature
        Of the softmax over the candidates.
    """

    numbers: tuple[int, ...]
    shares: Floats
    linear: LinearModel
    booster: xgboost.Booster
    temperature: float

    def predict(self, terms: scipy.sparse.csr_matrix, cvss: Floats, number: int) -> list[list[tuple[int, float]]]:
        """The `number` most probable classes of each record.

        Parameters
        ----------
        cvss
            Linear outputs of the CVSS targets.
        """
        odds = self.linear(terms)
        candidates = best_candidates(odds)
        chances = softmax(self.temperature * self.preference(odds, candidates, cvss))
        order = np.argsort(-chances, axis=1, kind="stable")[:, :number]
        return [
            [(self.numbers[candidates[row, place]], float(chances[row, place])) for place in places]
            for row, places in enumerate(order.tolist())
        ]

    def preference(self, odds: Floats, candidates: Integers, cvss: Floats) -> Floats:
        """Log-odds of each candidate, shape (records, candidates)."""
        pairs = pair_inputs(odds, candidates, cvss, self.shares)
        chance = np.clip(probabilities(self.booster, pairs)[:, 1], 1e-6, 1.0 - 1e-6)
        result: Floats = np.log(chance / (1.0 - chance)).reshape(candidates.shape)
        return result


def best_candidates(odds: Floats) -> Integers:
    """Classes with the highest log-odds, best first, shape (records, candidates)."""
    return np.argsort(-odds, axis=1, kind="stable")[:, :CANDIDATES].astype(np.int64)


def pair_inputs(odds: Floats, candidates: Integers, cvss: Floats, shares: Floats) -> Floats:
    """One row per (record, candidate): how the candidate stands among the others, what it is, and the CVSS outputs."""
    records, number = candidates.shape
    own = np.take_along_axis(odds, candidates, axis=1)
    chance = softmax(odds)
    columns = (
        own,
        np.take_along_axis(chance, candidates, axis=1),
        own - own[:, :1],
        own - own[:, 1:2],
        np.tile(np.arange(number), (records, 1)),
        np.log(shares[candidates] + 1e-6),
        candidates,
    )
    pairs = np.stack([np.asarray(column, dtype=np.float32).ravel() for column in columns], axis=1)
    return np.hstack([pairs, np.repeat(cvss, number, axis=0)]).astype(np.float32)
