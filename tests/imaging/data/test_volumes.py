"""Windows of volumes show image and mask of the same place."""

from __future__ import annotations

import numpy as np
import pytest

from imaging.data.cases import Case
from imaging.data.volumes import VolumePool


def _case(lesion: bool = True) -> Case:
    mask = np.zeros((12, 20, 24), dtype=np.bool_)
    mask[4:8, 6:13, 8:16] = lesion
    pet = np.where(mask, 15.0, 0.0).astype(np.float32)
    return Case("A", "A", pet, np.full(mask.shape, 40.0, np.float32), mask, (4.0, 4.0, 4.0))


def test_image_and_mask_are_of_one_place() -> None:
    images, masks = VolumePool.of([_case()], 3, (8, 16, 16)).batch(np.random.default_rng(0), 24, 0.7)
    assert images.shape == (24, 8, 16, 16, 3) and masks.shape == (24, 8, 16, 16, 1)
    assert set(np.unique(masks)) == {0.0, 1.0} and images.min() >= 0 and images.max() <= 1
    differs = (images[..., 0] > 0.6) != (masks[..., 0] > 0)
    assert differs.sum() < 0.2 * masks.sum()


def test_windows_about_lesions_show_one_and_a_scan_without_is_drawn_from_anywhere() -> None:
    pool, empty = (VolumePool.of([_case(lesion)], 1, (8, 8, 8)) for lesion in (True, False))
    shown = [mask.any() for mask in pool.batch(np.random.default_rng(0), 60, 1.0)[1]]
    assert np.mean(shown) > 0.9
    assert not empty.batch(np.random.default_rng(0), 8, 1.0)[1].any()


def test_the_same_generator_gives_the_same_batch() -> None:
    pool = VolumePool.of([_case()], 2, (8, 8, 8))
    one, again, other = (pool.batch(np.random.default_rng(seed), 4, 0.5)[0] for seed in (1, 1, 2))
    assert np.array_equal(one, again) and not np.array_equal(one, other)


@pytest.mark.parametrize(("slices", "windows"), [(4, 6), (12, 2), (24, 2)])
def test_a_pass_has_a_window_of_each_case_at_least(slices: int, windows: int) -> None:
    assert VolumePool.of([_case(), _case()], 1, (slices, 8, 8)).windows == windows
