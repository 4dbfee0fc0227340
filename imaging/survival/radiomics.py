"""A plain model of the risk to measure a network against: Cox on three figures of the lesions outlined."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from imaging.data.cases import Booleans, Case
from imaging.survival.cox import Floats, fit_cox

Outline = Callable[[Case], Booleans]

_LEAST = 0.05
"""Added to volume (ml) and uptake (g/ml) before the logarithm, for cases with nothing outlined."""


@dataclass(frozen=True, slots=True, eq=False)
class Radiomics:
    """Log-hazards linear in what `facts` gives.

    Attributes
    ----------
    coefficients
        One each fact; 0 for a fact that is the same in all cases fitted.
    """

    coefficients: Floats

    def __call__(self, facts_of_cases: Floats) -> Floats:
        """Log-hazards, shape (cases,), of facts of shape (cases, 3)."""
        return np.asarray(facts_of_cases @ self.coefficients)


def facts(case: Case, mask: Booleans) -> Floats:
    """Logarithms of volume (ml) and of mean uptake (g/ml), and the number of pieces (faces, edges or corners touch)."""
    from scipy.ndimage import label

    volume = float(mask.sum()) * case.voxel_ml
    uptake = float(case.pet[mask].mean()) if mask.any() else 0.0
    return np.array([np.log(volume + _LEAST), np.log(uptake + _LEAST), label(mask, np.ones((3, 3, 3)))[1]])


def fitted(facts_of_cases: Floats, months: Floats, events: Floats) -> Radiomics:
    """Fit by the Cox likelihood.

    Parameters
    ----------
    facts_of_cases
        Shape (cases, 3).

    Raises
    ------
    ValueError
        If no event was seen, or the facts leave the coefficients undetermined.
    """
    varied = facts_of_cases.std(axis=0) > 0.0
    coefficients = np.zeros(facts_of_cases.shape[1])
    coefficients[varied] = fit_cox(facts_of_cases[:, varied], months, events).coefficients
    return Radiomics(coefficients)


def facts_of(cases: Sequence[Case], outline: Outline) -> Floats:
    """Of all cases, shape (cases, 3)."""
    return np.stack([facts(case, outline(case)) for case in cases])
