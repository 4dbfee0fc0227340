"""Windows of slices show image and mask of the same place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from imaging.data.cases import Case
from imaging.data.changes import CHANGES
from imaging.data.slices import SlicePool, looked_at


def _case(rows: int = 40, columns: int = 50, ct: bool = True) -> Case:
    """PET is bright exactly where the lesion is."""
    mask = np.zeros((3, rows, columns), dtype=np.bool_)
    mask[1, 5:9, 6:12] = True
    image = np.full(mask.shape, -50.0, dtype=np.float32) if ct else None
    return Case("A", "A", np.where(mask, 15.0, 0.0).astype(np.float32), image, mask, (5.0, 4.0, 4.0))


@pytest.mark.parametrize(("size", "context"), [(16, 0), (48, 1), (64, 2)])
def test_windows_show_image_and_mask_of_the_same_place(size: int, context: int) -> None:
    pool = SlicePool.of([_case()], 2, size, context)
    images, masks = pool.batch(np.random.default_rng(0), 64, 0.5)
    assert images.shape == (64, size, size, 2 * (2 * context + 1)) and masks.shape == (64, size, size, 1)
    assert set(np.unique(masks)) == {0.0, 1.0} and images.min() >= 0 and images.max() <= 1
    differs = (images[..., 2 * context] > 0.6) != (masks[..., 0] > 0)
    assert differs.sum() < 0.2 * masks.sum()  # the rim alone, which is interpolated


def test_windows_about_lesions_show_one_and_the_others_seldom_do() -> None:
    pool = SlicePool.of([_case(200, 200)], 1, 16)
    shares = [
        np.mean([mask.any() for mask in pool.batch(np.random.default_rng(0), 300, share)[1]])
        for share in (0.0, 0.5, 1.0)
    ]
    assert shares[0] < 0.05 < 0.4 < shares[1] < 0.6
    # shrinking never loses it, enlarging may push a lesion at the rim out
    assert shares[2] > 0.8


def test_without_any_lesion_windows_are_drawn_anywhere() -> None:
    case = _case()
    empty = Case("B", "B", case.pet, case.ct, np.zeros_like(case.mask), case.spacing_mm)
    assert not SlicePool.of([empty], 1, 16).batch(np.random.default_rng(0), 8, 1.0)[1].any()


def test_the_same_generator_gives_the_same_batch() -> None:
    pool = SlicePool.of([_case()], 2, 16)
    one, again, other = (pool.batch(np.random.default_rng(seed), 8, 0.5)[0] for seed in (1, 1, 2))
    assert np.array_equal(one, again) and not np.array_equal(one, other)


def test_each_patient_counts_the_same_however_large_the_scan() -> None:
    small, large = _case(), _case(80, 80)
    pool = SlicePool.of([small, Case("B", "B", 0 * large.pet, large.ct, large.mask, large.spacing_mm)], 1, 8)
    bright = [image.max() > 0.5 for image in pool.batch(np.random.default_rng(0), 400, 1.0)[0]]
    assert 0.3 < np.mean(bright) < 0.6


def test_a_view_that_turns_nothing_is_a_part_of_the_image_and_0_beyond_it() -> None:
    image = np.random.default_rng(0).random((2, 9, 12, 3)).astype(np.float32)
    straight = np.eye(2, dtype=np.float32)
    assert np.allclose(looked_at(image, np.array([4.5, 5.5]), straight, 6), image[:, 2:8, 3:9], atol=1e-6)
    beyond = looked_at(image, np.array([0.0, 0.0]), straight, 5)
    assert np.allclose(beyond[:, 2:, 2:], image[:, :3, :3], atol=1e-6) and not beyond[:, :2].any()
    quarter = np.array([[0.0, 1.0], [-1.0, 0.0]], dtype=np.float32)
    square = image[:, :9, :9]
    assert np.allclose(looked_at(square, np.array([4.0, 4.0]), quarter, 9), np.rot90(square, 1, (1, 2)), atol=1e-5)


def test_ct_is_taken_away_where_some_scans_have_none() -> None:
    both = SlicePool.of([_case(), _case(ct=False)], 2, 16)
    lacking = [not image[..., 1].any() for image in both.batch(np.random.default_rng(0), 200, 1.0)[0]]
    assert 0.5 < np.mean(lacking) < 0.75  # half of the windows are of the scan without, a quarter of the others
    every = SlicePool.of([_case(), _case()], 2, 16).batch(np.random.default_rng(0), 200, 1.0)[0]
    assert all(image[..., 1].any() for image in every)


def test_lesions_die_in_the_share_of_windows_that_is_named() -> None:
    case = _case()
    case.mask[:, 5:25, 5:25] = True
    filled = Case("A", "A", np.where(case.mask, 15.0, 0.0).astype(np.float32), case.ct, case.mask, case.spacing_mm)
    still = replace(CHANGES["mild"], uptake=0.0, brightness=0.0)
    for share in (0.0, 1.0):
        pool = SlicePool.of([filled], 1, 16, 1, replace(still, necrosis=share))
        images, masks = pool.batch(np.random.default_rng(0), 100, 1.0)
        levels = [np.median(image[..., 1][mask[..., 0] > 0]) for image, mask in zip(images, masks, strict=True)]
        dimmed = float(np.mean(np.array(levels) < 0.8))
        assert dimmed > 0.2 if share else dimmed == 0
