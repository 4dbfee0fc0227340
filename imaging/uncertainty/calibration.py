"""Probabilities made to mean what they say: temperature and Platt scaling, fitted on validation patients alone.

Networks give probabilities, not logits; logits are had back as ``log(p / (1 - p))`` with p cut to 1e-6 to 1 - 1e-6. So
the same scaling serves a single network, the mean of Monte Carlo dropout and that of an ensemble, each with numbers of
its own. What is segmented stays what it is without calibration: taken from the raw probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from imaging.data.cases import Booleans, Floats

Values = npt.NDArray[np.float64]

CLIP = 1e-6


class Kind(StrEnum):
    """How logits are scaled, from the fewest numbers to the most."""

    NONE = "none"
    TEMPERATURE = "temperature"
    PLATT = "platt"


@dataclass(frozen=True, slots=True)
class Scaling:
    """``sigmoid(scale * logit + bias)``.

    Attributes
    ----------
    scale
        1 divided by the temperature (Guo et al. 2017), above 0: below 1 for a network that is too sure.
    bias
        0 but for Platt scaling (Platt 1999).
    """

    kind: Kind = Kind.NONE
    scale: float = 1.0
    bias: float = 0.0

    def __call__(self, probabilities: Floats) -> Floats:
        """Calibrated probabilities, of the same shape."""
        if self.kind is Kind.NONE:
            return probabilities
        from scipy.special import expit

        return np.asarray(expit(self.scale * logits(probabilities) + self.bias), dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Voxels of one validation patient: logits and truth, of shape (voxels,)."""

    logits: Values
    truth: Booleans

    @classmethod
    def of(cls, probabilities: Floats, truth: Booleans, region: Booleans) -> Sample:
        """The voxels of a region of a case."""
        return cls(logits(probabilities[region]), truth[region])


def logits(probabilities: Floats) -> Values:
    """``log(p / (1 - p))``, of the same shape."""
    clipped = np.clip(np.asarray(probabilities, dtype=np.float64), CLIP, 1.0 - CLIP)
    return np.log(clipped) - np.log1p(-clipped)


def negative_log_likelihood(scaling: Scaling, sample: Sample) -> float:
    """Mean over the voxels, in nats."""
    return float(np.mean(_losses(scaling.scale * sample.logits + scaling.bias, sample.truth)))


def fit(samples: Sequence[Sample], kind: Kind) -> Scaling:
    """The scaling with the least negative log-likelihood; each patient counts as much as any other.

    Parameters
    ----------
    samples
        One a patient; those without voxels say nothing.

    Raises
    ------
    ValueError
        If no sample has a voxel.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    filled = [each for each in samples if len(each.truth)]
    if not filled:
        raise ValueError("no voxel to fit a scaling on")
    if kind is Kind.NONE:
        return Scaling()

    def lost(numbers: Values) -> tuple[float, Values]:
        loss, slope = 0.0, np.zeros(2)
        for each in filled:
            scores = numbers[0] * each.logits + (numbers[1] if kind is Kind.PLATT else 0.0)
            gaps = expit(scores) - each.truth
            loss += float(np.mean(_losses(scores, each.truth)))
            slope += [np.mean(gaps * each.logits), np.mean(gaps)]
        return loss / len(filled), slope[: len(numbers)] / len(filled)

    start = np.array([1.0, 0.0] if kind is Kind.PLATT else [1.0])
    # the loss is convex; bounds keep the order of probabilities, and stop where it has no least value
    bounds = [(0.01, 100.0), (-20.0, 20.0)][: len(start)]
    found = minimize(lost, start, jac=True, bounds=bounds, method="L-BFGS-B").x
    return Scaling(kind, float(found[0]), float(found[1]) if kind is Kind.PLATT else 0.0)


def choose(samples: Sequence[Sample]) -> Scaling:
    """The kind that does best on validation patients it was not fitted on, then fitted on all of them.

    Each patient is left out in turn; of equal kinds the one with fewer numbers is taken. Of one patient nothing can be
    left out: temperature. Without a voxel in any sample there is no scaling.
    """
    filled = [each for each in samples if len(each.truth)]
    if len(filled) < 2:
        return fit(filled, Kind.TEMPERATURE) if filled else Scaling()
    return fit(filled, min(Kind, key=lambda kind: _left_out(filled, kind)))


def _left_out(samples: Sequence[Sample], kind: Kind) -> float:
    return float(
        np.mean(
            [
                negative_log_likelihood(fit([*samples[:number], *samples[number + 1 :]], kind), each)
                for number, each in enumerate(samples)
            ]
        )
    )


def _losses(scores: Values, truth: Booleans) -> Values:
    # log(1 + e^x) - y x, which does not overflow
    return np.asarray(np.logaddexp(0.0, scores) - np.where(truth, scores, 0.0))
