"""Grids: coordinates there and back, turns that undo themselves, and what is no grid of a scan."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.data.grid import MAX_VOXELS, Grid, Turn, Volume, axis_aligned, checked, turned
from meddojo.errors import InputError

_SIGNED_AXES = [
    (order, signs) for order in itertools.permutations(range(3)) for signs in itertools.product((1.0, -1.0), repeat=3)
]


def _grid(order: tuple[int, ...], signs: tuple[float, ...], degrees: float = 0.0) -> Grid:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    steps = np.diag([2.0, 3.0, 5.0]) @ (np.eye(3)[list(order)] * np.array(signs)[:, None]) @ turn
    return Grid((4, 5, 6), np.array([7.0, -8.0, 9.0]), steps)


@given(st.sampled_from(_SIGNED_AXES), st.floats(-30, 30))
def test_a_turned_volume_has_each_value_at_its_place(
    axes: tuple[tuple[int, ...], tuple[float, ...]], degrees: float
) -> None:
    grid = _grid(*axes, degrees)
    # each voxel holds a number of its own, to be found again at the same coordinates
    values = np.arange(120.0).reshape(grid.shape)
    found = turned(Volume(values, grid))
    indices = np.stack(np.meshgrid(*map(np.arange, found.grid.shape), indexing="ij"), axis=-1).astype(np.float64)
    back = np.rint(grid.indices(found.grid.points(indices))).astype(int)
    assert np.array_equal(values[tuple(np.moveaxis(back, -1, 0))], found.values)
    assert (found.grid.directions[[0, 1, 2], [2, 1, 0]] > 0.8).all()
    turn = Turn.of(grid)
    assert np.array_equal(turn.undo(turn.apply(values)), values)
    assert found.grid.oblique_degrees == pytest.approx(abs(degrees), abs=1e-4)


def test_the_convention_is_left_as_it_is() -> None:
    grid = axis_aligned((2, 3, 4), (5.0, 3.0, 2.0))
    assert Turn.of(grid) == Turn((0, 1, 2), ()) and grid.spacing_mm == (5.0, 3.0, 2.0)
    assert grid.points(np.array([1.0, 0.0, 0.0])) == pytest.approx([0, 0, 5])
    assert grid.points(np.array([0.0, 0.0, 1.0])) == pytest.approx([2, 0, 0])


def test_grids_fit_to_within_a_share_of_a_voxel() -> None:
    grid = axis_aligned((2, 3, 4), (5.0, 3.0, 2.0))
    assert grid.fits(replace(grid, origin_mm=np.array([0.01, 0, 0])))
    assert not grid.fits(replace(grid, origin_mm=np.array([0.1, 0, 0])))
    assert not grid.fits(axis_aligned((2, 3, 4), (5.0, 3.0, 2.1)))
    assert not grid.fits(axis_aligned((2, 3, 5), (5.0, 3.0, 2.0)))


@pytest.mark.parametrize(
    ("grid", "told"),
    [
        (Grid((2, 2, 2), np.zeros(3), np.eye(3) + np.array([[0, 0.3, 0], [0, 0, 0], [0, 0, 0]])), "16.7 degrees"),
        (Grid((2, 2, 2), np.array([np.nan, 0, 0]), np.eye(3)), "no numbers"),
        (Grid((2, 2, 2), np.zeros(3), np.eye(3) * 1e-4), "no spacing"),
        (Grid((2, 2, 2), np.zeros(3), np.eye(3) * 1e4), "no spacing"),
        (Grid((MAX_VOXELS, 2, 1), np.zeros(3), np.eye(3)), "in all are read"),
        (Grid((0, 2, 1), np.zeros(3), np.eye(3)), "in all are read"),
    ],
)
def test_what_is_no_grid_is_refused(grid: Grid, told: str) -> None:
    with pytest.raises(InputError, match=told) as refused:
        checked(grid, "file")
    assert refused.value.origin == "file"
