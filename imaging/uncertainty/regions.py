"""Which voxels calibration is measured over: most are background that is easy, and hide how far off the others are.

========= =============================================================================================
``whole`` all voxels of the case
``near``  within 10 mm of the surface of the predicted or of the true lesion, on both sides of it; where
          voxels are longer than that, those beside the surface
========= =============================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

import numpy as np

from imaging.data.cases import Booleans

NEAR_MM = 10.0


class Region(StrEnum):
    """Names of the regions."""

    WHOLE = "whole"
    NEAR = "near"


def near(mask: Booleans, spacing_mm: Sequence[float], distance_mm: float = NEAR_MM) -> Booleans:
    """Voxels about the surface of a mask: those outside close to one inside, and those inside close to one outside.

    Parameters
    ----------
    spacing_mm
        One number each axis; a distance shorter than the longest is made as long.

    Returns
    -------
    numpy.ndarray
        Of the shape of the mask; nothing where the mask is empty.
    """
    from scipy.ndimage import distance_transform_edt

    if not mask.any():
        return np.zeros_like(mask)
    reach = max(distance_mm, *spacing_mm)
    outside = distance_transform_edt(~mask, sampling=spacing_mm) <= reach
    # a mask without an outside has no surface
    inside = mask if mask.all() else distance_transform_edt(mask, sampling=spacing_mm) <= reach
    return np.asarray(np.where(mask, inside, outside))


def regions(predicted: Booleans, truth: Booleans, spacing_mm: Sequence[float]) -> Mapping[str, Booleans]:
    """All regions of a case, by name."""
    return {
        Region.WHOLE: np.ones_like(truth),
        Region.NEAR: near(predicted, spacing_mm) | near(truth, spacing_mm),
    }
