"""Parallel planes of a mask, of which empty ones are left out, as slices of one volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from meddojo.errors import InputError

_SAME_MM = 0.05
"""Planes nearer than this are one."""
_UNEVEN = 0.05
"""Share of the distance between slices by which a plane may be off."""
_MOST_SLICES = 5000


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Slices that hold all planes.

    Attributes
    ----------
    first_mm, step_mm
        Along the normal.
    numbers
        The slice of each plane.
    count
        How many slices there are, with empty ones between.
    """

    first_mm: float
    step_mm: float
    numbers: npt.NDArray[np.int64]
    count: int


def stacked(along_mm: Sequence[float], lone_step_mm: float, origin: str, position: str) -> Stack:
    """Find evenly spaced slices for planes in any order.

    Parameters
    ----------
    along_mm
        Where each plane lies along the normal; several may lie in one.
    lone_step_mm
        Between slices where there is one plane only.

    Raises
    ------
    InputError
        If distances are no multiples of the smallest.
    """
    places = np.asarray(along_mm, np.float64)
    levels = np.sort(places)
    levels = levels[np.concatenate([[True], np.diff(levels) > _SAME_MM])]
    first = float(levels[0])
    if len(levels) == 1:
        return Stack(first, lone_step_mm, np.zeros(len(places), np.int64), 1)
    smallest = float(np.diff(levels).min())
    # the smallest is refined over the whole stack, since each position is rounded
    whole = max(1, round((float(levels[-1]) - first) / smallest))
    step = (float(levels[-1]) - first) / whole
    if whole >= _MOST_SLICES:
        raise InputError(origin, position, f"planes {smallest:g} mm apart over {whole * step:g} mm are no slices")
    numbers = np.rint((places - first) / step).astype(np.int64)
    off = float(np.abs(places - first - numbers * step).max())
    if off > max(_SAME_MM, _UNEVEN * step) or abs(step - smallest) > max(_SAME_MM, _UNEVEN * smallest):
        raise InputError(origin, position, f"planes are not evenly spaced: not all are multiples of {smallest:.3g} mm")
    return Stack(first, step, numbers, whole + 1)
