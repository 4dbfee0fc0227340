"""Random changes of windows."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from imaging.data.changes import CHANGES, necrotic, recoloured, turning


@given(seed=st.integers(0, 10_000))
def test_turning_keeps_right_angles_nearly_and_sizes_within_bounds(seed: int) -> None:
    turned = turning(np.random.default_rng(seed))
    lengths = np.linalg.norm(turned, axis=0)
    assert np.all((lengths > 0.66) & (lengths < 1.5)) and lengths.max() / lengths.min() < 1.11
    assert abs(float(turned[:, 0] @ turned[:, 1])) < 1e-5


@given(seed=st.integers(0, 10_000))
def test_intensities_stay_in_order_and_a_missing_ct_stays_missing(seed: int) -> None:
    ramp = np.linspace(0, 1, 16, dtype=np.float32).reshape(4, 4)
    image = np.stack([np.stack([ramp, 0 * ramp, ramp], axis=-1)] * 2)
    before = image.copy()
    changed = recoloured(np.random.default_rng(seed), image)
    assert np.array_equal(image, before) and changed.min() >= 0 and changed.max() <= 1
    assert not changed[..., 1].any() and np.array_equal(changed[0], changed[1])
    assert np.all(np.diff(changed[0, ..., 0].ravel()) >= 0)


def test_a_body_that_lies_one_way_up_is_turned_a_little_only() -> None:
    random = np.random.default_rng(0)
    angles = [np.degrees(np.arctan2(*turning(random, CHANGES["mild"])[::-1, 0])) for _ in range(200)]
    assert 2 < np.abs(angles).max() <= 5.001


@given(seed=st.integers(0, 10_000), slices=st.sampled_from([3, 16]))
def test_a_lesion_dies_inside_only_and_in_pet_alone(seed: int, slices: int) -> None:
    lesion = np.zeros((slices, 24, 24), dtype=np.bool_)
    lesion[:, 4:20, 4:20] = True
    images = np.full((*lesion.shape, 3), 0.8, dtype=np.float32)
    changed = necrotic(np.random.default_rng(seed), images, lesion)
    assert (images == np.float32(0.8)).all() and np.array_equal(changed[..., 1], images[..., 1])
    assert np.array_equal(changed[..., 0], changed[..., 2]) and np.all(changed <= images)
    assert np.array_equal(changed[~lesion], images[~lesion])
    rim, core = changed[slices // 2, 4, 4:20, 0], changed[slices // 2, 12, 12, 0]
    assert rim.min() >= 0.8 * np.sqrt(1 - 0.95 * 0.55) and core >= 0.8 * np.sqrt(0.05) - 1e-6


def test_the_core_of_many_lesions_becomes_cold_and_no_lesion_needs_none() -> None:
    lesion = np.zeros((16, 24, 24), dtype=np.bool_)
    images = np.full((*lesion.shape, 3), 0.8, dtype=np.float32)
    assert np.array_equal(necrotic(np.random.default_rng(0), images, lesion), images)
    lesion[2:14, 4:20, 4:20] = True
    cores = [float(necrotic(np.random.default_rng(seed), images, lesion)[8, 12, 12, 0]) for seed in range(100)]
    assert np.mean(np.array(cores) < 0.6) > 0.3
