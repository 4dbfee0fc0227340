"""Windows of intensity and of place, and random changes that change image and mask alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.data.cases import Case
from imaging.data.preprocess import HU, SUV, Pool, augmented, padded, scaled, slices_of


def _case(rows: int = 40, columns: int = 50, ct: bool = True) -> Case:
    """PET is bright exactly where the lesion is."""
    mask = np.zeros((3, rows, columns), dtype=np.bool_)
    mask[1, 5:9, 6:12] = True
    image = np.full(mask.shape, -50.0, dtype=np.float32) if ct else None
    return Case("A", "A", np.where(mask, 15.0, 0.0).astype(np.float32), image, mask, (5.0, 4.0, 4.0))


def test_windows_map_their_bounds_to_0_and_1() -> None:
    values = np.array([-2000.0, -160.0, 40.0, 240.0, 3000.0], dtype=np.float32)
    assert HU(values).tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert SUV(np.array([0.0, 7.5, 99.0], dtype=np.float32)).tolist() == [0.0, 0.5, 1.0]


def test_channels() -> None:
    both = slices_of(_case(), 2)
    assert both.shape == (3, 40, 50, 2) and both.dtype == np.float32
    assert both[..., 0].max() == 1 and np.allclose(both[..., 1], 110 / 400)
    assert np.array_equal(slices_of(_case(), 1), both[..., :1])
    assert not slices_of(_case(ct=False), 2)[..., 1].any()
    with pytest.raises(ValueError, match="3 channels"):
        slices_of(_case(), 3)


def test_padding_reaches_the_next_multiple_and_keeps_the_image_where_it_is() -> None:
    images = slices_of(_case(), 2)
    found = padded(images, 16)
    assert found.shape == (3, 48, 64, 2) and np.array_equal(found[:, :40, :50], images)
    assert found[:, 40:].sum() == found[:, :, 50:].sum() == 0
    assert padded(images, 10).shape == images.shape


@pytest.mark.parametrize("size", [16, 48, 64])
def test_windows_show_image_and_mask_of_the_same_place(size: int) -> None:
    pool = Pool.of([_case()], 2, size)
    images, masks = pool.batch(np.random.default_rng(0), 64, 0.5)
    assert images.shape == (64, size, size, 2) and masks.shape == (64, size, size, 1)
    assert set(np.unique(masks)) == {0.0, 1.0}
    assert np.array_equal(images[..., 0] > 0.5, masks[..., 0] > 0)


def test_windows_about_lesions_show_one_and_the_others_seldom_do() -> None:
    pool = Pool.of([_case(200, 200)], 1, 16)
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
    assert not Pool.of([empty], 1, 16).batch(np.random.default_rng(0), 8, 1.0)[1].any()


def test_the_same_generator_gives_the_same_batch() -> None:
    pool = Pool.of([_case()], 2, 16)
    one, again, other = (pool.batch(np.random.default_rng(seed), 8, 0.5)[0] for seed in (1, 1, 2))
    assert np.array_equal(one, again) and not np.array_equal(one, other)


@given(seed=st.integers(0, 10_000))
def test_changes_keep_image_and_mask_together(seed: int) -> None:
    case = _case(32, 32)
    image, mask = slices_of(case, 2)[1], case.mask[1]
    before = image.copy()
    changed, moved = augmented(np.random.default_rng(seed), image, mask)
    assert changed.shape == image.shape and moved.shape == mask.shape
    assert np.array_equal(changed[..., 0] > 0.5, moved)
    assert changed.min() >= 0 and changed.max() <= 1
    assert np.array_equal(image, before)


def test_scaling_by_1_changes_nothing_and_by_2_makes_it_four_times_as_large() -> None:
    mask = np.zeros((32, 32), dtype=np.bool_)
    mask[12:20, 12:20] = True
    image = mask[..., None].astype(np.float32)
    assert np.array_equal(scaled(image, mask, 1.0)[0], image)
    assert scaled(image, mask, 2.0)[1].sum() == 4 * mask.sum()
    assert scaled(image, mask, 0.5)[1].sum() == mask.sum() / 4
