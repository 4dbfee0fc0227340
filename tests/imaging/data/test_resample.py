"""Volumes on other grids: values that are linear stay so, masks stay where they are, and beyond the edge is nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from imaging.data.cases import Case
from imaging.data.grid import Grid, Volume, axis_aligned, turned
from imaging.data.resample import coverage, resampled, respaced


def _points(grid: Grid) -> np.ndarray:
    return grid.points(np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), axis=-1).astype(np.float64))


def _ramp(grid: Grid) -> np.ndarray:
    """Linear in the coordinates of the patient."""
    return (_points(grid) @ np.array([1.0, 10.0, 100.0])).astype(np.float32)


def test_a_ramp_stays_a_ramp_on_a_finer_turned_and_shifted_grid() -> None:
    coarse = axis_aligned((8, 9, 10), (4.0, 3.0, 2.0))
    angle = np.radians(20)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    fine = Grid((6, 5, 5), np.array([8.0, 6.0, 5.0]), np.diag([1.5, 1.0, 1.0])[:, ::-1] @ turn)
    found = resampled(Volume(_ramp(coarse), coarse), fine, order="linear", outside=-1.0)
    assert found.values == pytest.approx(_ramp(fine), abs=1e-2)
    assert found.values.dtype == np.float32 and found.grid is fine


def test_beyond_the_outermost_voxels_is_outside() -> None:
    grid = axis_aligned((1, 1, 4), (5.0, 1.0, 1.0))
    wide = Grid((3, 1, 9), np.array([-2.4, 0.0, -5.0]), grid.steps_mm)
    found = resampled(Volume(np.ones(grid.shape, np.float32), grid), wide, order="linear", outside=-1024.0).values
    # centres at -2.4, -1.4, -0.4 ... in steps of 1: those from -0.5 to 3.5 are within
    assert found[1, 0].tolist() == [-1024, -1024, 1, 1, 1, 1, -1024, -1024, -1024]
    assert (found[[0, 2]] == -1024).all()


def test_a_mask_keeps_its_type_and_place() -> None:
    grid = axis_aligned((3, 4, 5), (2.0, 2.0, 2.0))
    mask = np.zeros(grid.shape, np.bool_)
    mask[2, 1, 3] = True
    fine = axis_aligned((6, 8, 10), (1.0, 1.0, 1.0))
    fine = replace(fine, origin_mm=np.full(3, -0.5))
    found = resampled(Volume(mask, grid), fine, order="nearest", outside=0).values
    assert found.dtype == np.bool_ and found.sum() == 8 and found[4:6, 2:4, 6:8].all()


def test_the_same_grid_is_left_alone() -> None:
    grid = axis_aligned((3, 4, 5), (2.0, 2.0, 2.0))
    volume = Volume(np.random.default_rng(0).random(grid.shape), grid)
    assert resampled(volume, grid, order="nearest", outside=0).values is volume.values


def test_there_and_back_between_turned_grids_is_the_same() -> None:
    steps = np.array([[0.0, 0.0, -5.0], [0.0, -3.0, 0.0], [-2.0, 0.0, 0.0]])
    grid = Grid((3, 4, 5), np.array([1.0, 2.0, 3.0]), steps)
    values = np.random.default_rng(0).integers(0, 9, grid.shape)
    upright = turned(Volume(values, grid))
    assert np.array_equal(resampled(upright, grid, order="nearest", outside=-1).values, values)


def test_coverage_is_a_share_of_space() -> None:
    grid = axis_aligned((4, 4, 4), (1.0, 1.0, 1.0))
    assert coverage(grid, grid) == 1.0
    half = replace(grid, origin_mm=np.array([2.0, 0.0, 0.0]))
    assert coverage(half, grid) == pytest.approx(0.5)
    assert coverage(replace(grid, origin_mm=np.array([9.0, 0.0, 0.0])), grid) == 0.0


def _case() -> Case:
    grid = axis_aligned((6, 10, 12), (4.0, 2.0, 2.0))
    mask = np.zeros(grid.shape, np.bool_)
    mask[2:4, 2:6, 4:10] = True
    return Case("A", "P", _ramp(grid), -_ramp(grid), mask, grid.spacing_mm, 5.0, True)


@pytest.mark.parametrize("mask", ["nearest", "linear"])
def test_a_case_at_another_spacing_keeps_volume_and_values(mask: str) -> None:
    case = _case()
    found = respaced(case, (2.0, 1.0, 4.0), mask=mask)  # type: ignore[arg-type]
    assert found.mask.shape == (12, 20, 6) and found.spacing_mm == (2.0, 1.0, 4.0)
    assert found.mask.sum() * found.voxel_ml == pytest.approx(case.mask.sum() * case.voxel_ml, rel=0.15)
    assert found.ct is not None and (found.name, found.months, found.event) == ("A", 5.0, True)
    # away from the edge, where there is nothing to interpolate from
    grid = axis_aligned((12, 20, 6), found.spacing_mm)
    places = replace(grid, origin_mm=np.array([1.0, -0.5, -1.0]))
    assert found.pet[1:-1, 1:-1, 1:-1] == pytest.approx(_ramp(places)[1:-1, 1:-1, 1:-1], rel=1e-4)
    assert np.allclose(found.ct, -found.pet)


def test_a_case_without_ct_has_none_at_another_spacing() -> None:
    assert respaced(replace(_case(), ct=None), (4.0, 4.0, 4.0), mask="nearest").ct is None
