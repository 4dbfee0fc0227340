"""Where voxels lie in the patient, and the one order of axes that every reader brings its arrays to.

The convention is LPS, that of DICOM (PS3.3 C.7.6.2.1.1): coordinates in mm grow towards the patient's left, back
(posterior) and head (superior). An array has the axes (slices, rows, columns); brought to the convention, slices go
towards the head, rows towards the back and columns towards the left, as far as the grid is not oblique.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from meddojo.errors import InputError

Booleans = npt.NDArray[np.bool_]
Doubles = npt.NDArray[np.float64]
Array = npt.NDArray[Any]

MAX_VOXELS = 2**28
"""Of one volume; 1 GiB of 32-bit numbers."""
_LONGEST_STEP_MM, _SHORTEST_STEP_MM = 100.0, 0.01
_SKEW = 0.002
"""Largest cosine between two axes that are still taken for orthogonal: 0.1 degrees."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Places of the voxels of an array of shape (slices, rows, columns), in LPS coordinates.

    Attributes
    ----------
    origin_mm
        Of shape (3,): the centre of the first voxel.
    steps_mm
        Of shape (3, 3): a row for each axis of the array, the way from one voxel to the next.
    """

    shape: tuple[int, int, int]
    origin_mm: Doubles
    steps_mm: Doubles

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Between slices, rows and columns."""
        slices, rows, columns = (float(each) for each in np.linalg.norm(self.steps_mm, axis=1))
        return slices, rows, columns

    @property
    def directions(self) -> Doubles:
        """Of shape (3, 3): a unit vector for each axis of the array."""
        return np.asarray(self.steps_mm / np.linalg.norm(self.steps_mm, axis=1, keepdims=True))

    def points(self, indices: Doubles) -> Doubles:
        """Coordinates in mm of indices; both of shape (..., 3)."""
        return np.asarray(self.origin_mm + indices @ self.steps_mm)

    def indices(self, points_mm: Doubles) -> Doubles:
        """Indices, with fractions, of coordinates in mm; both of shape (..., 3)."""
        return np.asarray((points_mm - self.origin_mm) @ np.linalg.inv(self.steps_mm))

    def fits(self, other: Grid, voxels: float = 0.02) -> bool:
        """Whether both have the same voxels, to within a share of one."""
        if self.shape != other.shape:
            return False
        corners = np.array(list(itertools.product(*((0, each - 1) for each in self.shape))), np.float64)
        return bool(np.abs(self.indices(other.points(corners)) - corners).max() <= voxels)

    @property
    def oblique_degrees(self) -> float:
        """Largest angle between an axis of the array and the axis of the patient next to it."""
        return math.degrees(math.acos(min(1.0, float(np.abs(self.directions).max(axis=1).min()))))


def checked(grid: Grid, origin: str) -> Grid:
    """Refuse what is no grid of a scan.

    Raises
    ------
    InputError
        If a number is not finite, a spacing absurd, the axes not orthogonal, or there are too many voxels.
    """
    if not (np.isfinite(grid.origin_mm).all() and np.isfinite(grid.steps_mm).all()):
        raise InputError(origin, "geometry", "holds values that are no numbers")
    if min(grid.shape) < 1 or math.prod(grid.shape) > MAX_VOXELS:
        raise InputError(origin, "geometry", f"{grid.shape} voxels: 1 to {MAX_VOXELS} in all are read")
    for axis, length in zip(("slices", "rows", "columns"), grid.spacing_mm, strict=True):
        if not _SHORTEST_STEP_MM <= length <= _LONGEST_STEP_MM:
            raise InputError(origin, "geometry", f"{length:g} mm between {axis} is no spacing of a scan")
    cosines = np.abs(grid.directions @ grid.directions.T - np.eye(3)).max()
    if cosines > _SKEW:
        degrees = math.degrees(math.asin(min(1.0, float(cosines))))
        raise InputError(
            origin,
            "geometry",
            f"the axes are {degrees:.1f} degrees from orthogonal (a tilted gantry, or a sheared transform)",
            "resample it to an orthogonal grid first",
        )
    return grid


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """An array of shape (slices, rows, columns) and where it lies; `notes` say what a person should know of it."""

    values: Array
    grid: Grid
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """How the axes of an array are brought to the convention: first their order, then which are reversed."""

    order: tuple[int, int, int]
    reversed_axes: tuple[int, ...]

    @classmethod
    def of(cls, grid: Grid) -> Turn:
        """Find the turn after which each axis is next to its own of the patient (head, back, left)."""
        towards = grid.directions[:, ::-1]  # columns: head, back, left
        orders = list(itertools.permutations(range(3)))
        likeness = [sum(abs(towards[axis, place]) for place, axis in enumerate(order)) for order in orders]
        order = orders[int(np.argmax(likeness))]
        backwards = tuple(place for place, axis in enumerate(order) if towards[axis, place] < 0)
        return cls((order[0], order[1], order[2]), backwards)

    def apply(self, array: Array) -> Array:
        """Bring an array to the convention."""
        return np.flip(array.transpose(self.order), self.reversed_axes)

    def undo(self, array: Array) -> Array:
        """Bring an array of the convention back to what it was."""
        return np.flip(array, self.reversed_axes).transpose(np.argsort(self.order))

    def grid(self, grid: Grid) -> Grid:
        """The grid of the turned array."""
        corner = np.zeros(3)
        steps = grid.steps_mm[list(self.order)].copy()
        for place in self.reversed_axes:
            corner[self.order[place]] = grid.shape[self.order[place]] - 1
            steps[place] *= -1
        slices, rows, columns = (grid.shape[axis] for axis in self.order)
        return Grid((slices, rows, columns), grid.points(corner), steps)


def turned(volume: Volume) -> Volume:
    """Bring a volume to the convention."""
    turn = Turn.of(volume.grid)
    return replace(volume, values=np.ascontiguousarray(turn.apply(volume.values)), grid=turn.grid(volume.grid))


def axis_aligned(shape: tuple[int, int, int], spacing_mm: tuple[float, float, float]) -> Grid:
    """A grid of the convention that begins at 0; for what has no place in a patient, like pictures."""
    return Grid(shape, np.zeros(3), np.diag(spacing_mm)[:, ::-1].copy())
