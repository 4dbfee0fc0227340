"""Volumes on another grid: CT on that of PET, masks on that of their image, cases at another spacing."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from imaging.data.cases import Case
from imaging.data.grid import Array, Grid, Volume, axis_aligned

_EDGE = 1e-6
"""Share of a voxel by which rounding may put a point outside of its volume."""


def resampled(volume: Volume, grid: Grid, *, order: Literal["nearest", "linear"], outside: float) -> Volume:
    """Look up a volume at the voxels of another grid.

    A voxel reaches half a spacing around its centre; a point beyond the outermost voxels is `outside`. Linear values of
    a fine volume on a coarse grid are samples, not means.

    Returns
    -------
    Volume
        Of the shape of `grid`; 32-bit numbers for ``linear``, the type of the volume for ``nearest``.
    """
    if volume.grid.fits(grid, 1e-3):
        return replace(volume, grid=grid)
    from scipy.ndimage import map_coordinates

    values = volume.values
    if order == "linear" or values.dtype == np.bool_:
        values = values.astype(np.float32 if order == "linear" else np.uint8)
    result = np.empty(grid.shape, values.dtype)
    last = np.array(volume.grid.shape) - 1
    rows, columns = np.indices(grid.shape[1:], np.float64)
    # slice by slice, since coordinates take six times the memory of values
    for number in range(grid.shape[0]):
        places = np.stack([np.full_like(rows, number), rows, columns], axis=-1)
        at = volume.grid.indices(grid.points(places))
        beyond = ((at < -0.5 - _EDGE) | (at > last + 0.5 + _EDGE)).any(axis=-1)
        found = map_coordinates(values, np.moveaxis(at, -1, 0), order=1 if order == "linear" else 0, mode="nearest")
        result[number] = np.where(beyond, np.asarray(outside, values.dtype), found)
    return replace(volume, values=result.astype(volume.values.dtype) if order == "nearest" else result, grid=grid)


def coverage(volume: Grid, of: Grid, *, middle: float = 1.0, points: int = 24) -> float:
    """Share of the space of a grid that another one covers, on at most `points` places along each axis.

    Parameters
    ----------
    middle
        Share of its rows and columns that counts, about their middle.
    """
    lines = [np.linspace(0, length - 1, min(length, points)) for length in of.shape]
    for axis in (1, 2):
        lines[axis] = (lines[axis] - (of.shape[axis] - 1) / 2) * middle + (of.shape[axis] - 1) / 2
    at = volume.indices(of.points(np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1)))
    return float(((at >= -0.5 - _EDGE) & (at <= np.array(volume.shape) - 0.5 + _EDGE)).all(axis=-1).mean())


def respaced(case: Case, spacing_mm: tuple[float, float, float], *, mask: Literal["nearest", "linear"]) -> Case:
    """Bring a case to another spacing; it begins at the same place and is as large, to within half a new voxel.

    Parameters
    ----------
    mask
        ``nearest`` takes the nearest voxel; ``linear`` takes what is above one half between voxels, which is smoother.
    """
    old = axis_aligned(_shape(case.mask), case.spacing_mm)
    new = _covering(old, spacing_mm)

    def image(values: Array) -> Array:
        return resampled(Volume(values, old), new, order="linear", outside=0.0).values

    if mask == "linear":
        lesions = image(case.mask.astype(np.float32)) > 0.5
    else:
        lesions = resampled(Volume(case.mask, old), new, order="nearest", outside=0).values
    return replace(
        case, pet=image(case.pet), ct=None if case.ct is None else image(case.ct), mask=lesions, spacing_mm=spacing_mm
    )


def brought_back(values: Array, spacing_mm: tuple[float, float, float], case: Case) -> Array:
    """Values at the voxels of `respaced(case, spacing_mm)` at those of the case, between them linear."""
    old = axis_aligned(_shape(case.mask), case.spacing_mm)
    return resampled(Volume(values, _covering(old, spacing_mm)), old, order="linear", outside=0.0).values


def _covering(old: Grid, spacing_mm: tuple[float, float, float]) -> Grid:
    """From the same outermost corner on, which is half a voxel before the centre of the first."""
    slices, rows, columns = (
        max(1, round(length * was / now))
        for length, was, now in zip(old.shape, old.spacing_mm, spacing_mm, strict=True)
    )
    new = axis_aligned((slices, rows, columns), spacing_mm)
    return replace(new, origin_mm=(new.steps_mm - old.steps_mm).sum(axis=0) / 2)


def _shape(array: Array) -> tuple[int, int, int]:
    slices, rows, columns = array.shape
    return slices, rows, columns
