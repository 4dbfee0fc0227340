"""What a network has to beat: thresholds of uptake, as used in the clinic, and the best of them with smoothing."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imaging.data.cases import Booleans, Case, Floats
from imaging.segmentation.metrics import dice

Scores = npt.NDArray[np.float64]

_SMOOTHING_MM = (0.0, 3.0, 6.0, 10.0)
_THRESHOLDS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
_SMALLEST_ML = (0.0, 0.5, 2.0, 8.0, float("inf"))
"""Infinite: the largest piece alone."""


def suv_above_2_5(case: Case) -> Booleans:
    """The fixed threshold of 2.5 g/ml."""
    return np.asarray(case.pet > 2.5)


def share_of_maximum(case: Case) -> Booleans:
    """Above 41 % of the highest uptake of the scan (Boellaard et al. 2015, EANM guideline 2.0)."""
    return np.asarray(case.pet > 0.41 * case.pet.max())


@dataclass(frozen=True, slots=True)
class Rule:
    """Smooth by a Gaussian of this deviation, take what is above the threshold in g/ml, drop small pieces.

    The largest stays, however small.
    """

    smoothing_mm: float
    threshold: float
    smallest_ml: float

    def __call__(self, case: Case) -> Booleans:
        """The mask of a case, of the shape (slices, rows, columns)."""
        return without_small(smoothed(case, self.smoothing_mm) > self.threshold, self.smallest_ml / case.voxel_ml)


RULES = tuple(Rule(*each) for each in itertools.product(_SMOOTHING_MM, _THRESHOLDS, _SMALLEST_ML))
"""Those of which `tuned` chooses."""


def dice_of_rules(case: Case) -> Scores:
    """The Dice of each of `RULES` on a case."""
    images = {width: smoothed(case, width) for width in _SMOOTHING_MM}
    found = (
        without_small(images[rule.smoothing_mm] > rule.threshold, rule.smallest_ml / case.voxel_ml) for rule in RULES
    )
    return np.array([dice(each, case.mask) for each in found])


def tuned(scores: Sequence[Scores]) -> Rule:
    """The rule with the highest mean Dice.

    Parameters
    ----------
    scores
        `dice_of_rules` of each training case.
    """
    return RULES[int(np.mean(scores, axis=0).argmax())]


def smoothed(case: Case, deviation_mm: float) -> Floats:
    """PET after a Gaussian filter."""
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(case.pet, [deviation_mm / each for each in case.spacing_mm], mode="nearest"))


def without_small(mask: Booleans, smallest_voxels: float) -> Booleans:
    """Drop pieces (voxels that share a face) of fewer voxels; the largest stays where all are smaller."""
    from scipy.ndimage import label

    if smallest_voxels <= 1.0:
        return mask
    pieces, _ = label(mask)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    kept = (sizes >= min(smallest_voxels, sizes.max())) & (sizes > 0)
    return np.asarray(kept[pieces])
