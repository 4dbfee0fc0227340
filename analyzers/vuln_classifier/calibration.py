"""Probabilities that mean what they say: recalibration on a period later than training, and its measure.

Sources: temperature scaling, Guo et al., "On Calibration of Modern Neural Networks", ICML 2017; expected calibration
error, Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse

from analyzers.vuln_classifier.vectors import Floats, Integers

_SMALLEST = 1e-6
SHRINKAGES = (0.25, 1.0, 4.0, 16.0, 64.0)
CAUTIONS = (0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)


def softmax(values: Floats) -> Floats:
    """Rows that sum to 1."""
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    result: Floats = powers / powers.sum(axis=1, keepdims=True)
    return result


def calibration_error(probabilities: Floats, truth: Integers, bins: int = 15) -> float:
    """Expected calibration error of the predicted class, over `bins` equally wide bins of confidence."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    inside = (place == each for each in range(bins))
    return float(sum(abs(right[at].mean() - confidence[at].mean()) * at.mean() for at in inside if at.any()))


@dataclass(frozen=True)
class Calibrator:
    """One temperature, and an offset per class for each group a record belongs to.

    ``softmax(temperature * log(p) + sum of offsets)``: what the model learned from many years, moved to how the scorer
    and the assigner rated in the latest months. Offsets are shrunk towards none, so that a rare group moves little.

    Attributes
    ----------
    groups
        Name of each row of `offsets`.
    """

    temperature: float
    groups: tuple[str, ...]
    offsets: Floats

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.groups)}

    def __call__(self, probabilities: Floats, memberships: Sequence[Sequence[str]]) -> Floats:
        """Recalibrated probabilities, shape (records, classes)."""
        members = _membership(memberships, self._places)
        return softmax(self.temperature * np.log(probabilities + _SMALLEST) + members @ self.offsets)


def fit_calibrator(
    probabilities: Floats,
    truth: Integers,
    memberships: Sequence[Sequence[str]],
    *,
    shrinkage: float,
    smallest_group: int,
) -> Calibrator:
    """Maximum likelihood with a squared penalty on the offsets.

    Parameters
    ----------
    probabilities, truth
        Shape (records, classes) and (records,): predictions for records the model was not trained on.
    memberships
        Names of the groups of each record.
    shrinkage
        Weight of the penalty: the larger, the nearer the offsets stay to 0.
    smallest_group
        Groups with fewer records have no offset.
    """
    from scipy.optimize import minimize  # 0.3 s that scoring does without

    counts = Counter(name for names in memberships for name in names)
    groups = tuple(sorted(name for name, count in counts.items() if count >= smallest_group))
    members = _membership(memberships, {name: place for place, name in enumerate(groups)})
    logs = np.log(probabilities.astype(np.float64) + _SMALLEST)
    rows = np.arange(len(truth))
    shape = (len(groups), probabilities.shape[1])

    def loss(parameters: Floats) -> tuple[float, Floats]:
        offsets = parameters[1:].reshape(shape)
        predicted = softmax(parameters[0] * logs + members @ offsets)
        value = -np.log(predicted[rows, truth] + 1e-12).sum() + shrinkage * (offsets**2).sum()
        predicted[rows, truth] -= 1.0
        slope = members.T @ predicted + 2.0 * shrinkage * offsets
        return float(value), np.concatenate(([(predicted * logs).sum()], slope.ravel()))

    start = np.zeros(1 + shape[0] * shape[1])
    start[0] = 1.0
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    return Calibrator(float(found[0]), groups, found[1:].reshape(shape).astype(np.float32))


def choose_calibrator(
    probabilities: Floats, truth: Integers, memberships: Sequence[Sequence[str]], *, smallest_group: int
) -> Calibrator:
    """`fit_calibrator` with the shrinkage that does best on the later half when fitted on the earlier.

    Scorers go on changing after the last row. How much surer than right the calibrator of the earlier half is on the
    later one is taken off the final one, too; it is never made surer.

    Rows are in the order of time.
    """
    half = len(truth) // 2
    if not half:
        return fit_calibrator(
            probabilities, truth, memberships, shrinkage=SHRINKAGES[-1], smallest_group=smallest_group
        )
    later = truth[half:]

    def predicted_later(shrinkage: float) -> Floats:
        earlier = fit_calibrator(
            probabilities[:half], truth[:half], memberships[:half], shrinkage=shrinkage, smallest_group=smallest_group
        )
        return earlier(probabilities[half:], memberships[half:])

    predicted = {shrinkage: predicted_later(shrinkage) for shrinkage in SHRINKAGES}
    best = min(SHRINKAGES, key=lambda shrinkage: _loss(predicted[shrinkage], later))
    caution = min(CAUTIONS, key=lambda power: _loss(softmax(power * np.log(predicted[best] + _SMALLEST)), later))
    final = fit_calibrator(probabilities, truth, memberships, shrinkage=best, smallest_group=smallest_group)
    return Calibrator(caution * final.temperature, final.groups, np.float32(caution) * final.offsets)


def _loss(probabilities: Floats, truth: Integers) -> float:
    return float(-np.log(probabilities[np.arange(len(truth)), truth] + 1e-12).mean())


def _membership(memberships: Sequence[Sequence[str]], places: dict[str, int]) -> scipy.sparse.csr_matrix:
    at = [(row, places[name]) for row, names in enumerate(memberships) for name in names if name in places]
    rows, columns = zip(*at, strict=True) if at else ((), ())
    return scipy.sparse.csr_matrix((np.ones(len(at)), (rows, columns)), shape=(len(memberships), len(places)))
