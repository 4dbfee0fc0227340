"""Regions, beside distances of every pair of voxels."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from imaging.uncertainty.regions import Region, near, regions

SPACING = (5.0, 2.0, 3.0)
MASKS = arrays(np.bool_, st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 5)))


@given(MASKS, st.floats(1.0, 9.0))
def test_near_is_within_the_distance_of_a_voxel_on_the_other_side(mask: Any, distance: float) -> None:
    found = near(mask, SPACING, distance)
    if mask.all():
        assert np.array_equal(found, mask)
        return
    places = np.argwhere(np.ones_like(mask))
    for place in places:
        others = places[[bool(mask[tuple(each)]) != bool(mask[tuple(place)]) for each in places]]
        gaps = np.sqrt((((others - place) * SPACING) ** 2).sum(axis=1)) if len(others) else np.array([np.inf])
        assert found[tuple(place)] == (gaps.min() <= max(distance, 5.0))


def test_voxels_longer_than_the_distance_have_neighbours_still() -> None:
    mask = np.zeros((1, 5, 5), bool)
    mask[0, 2, 2] = True
    assert near(mask, (5.0, 15.0, 15.0)).sum() == 5


def test_truth_and_prediction_both_have_a_neighbourhood() -> None:
    predicted, truth = np.zeros((1, 1, 40), bool), np.zeros((1, 1, 40), bool)
    predicted[..., 2], truth[..., 30] = True, True
    found = regions(predicted, truth, SPACING)
    assert set(found) == set(Region) and found[Region.WHOLE].all()
    assert np.flatnonzero(found[Region.NEAR]).tolist() == [0, 1, 2, 3, 4, 5, 27, 28, 29, 30, 31, 32, 33]
    empty = np.zeros_like(truth)
    assert not regions(empty, empty, SPACING)[Region.NEAR].any()
