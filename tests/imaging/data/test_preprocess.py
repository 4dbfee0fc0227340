"""Windows of intensity and of place, and random changes that change image and mask alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.data.cases import Case
from imaging.data.preprocess import (
    CHANGES,
    HU,
    SUV,
    Pool,
    looked_at,
    necrotic,
    padded,
    recoloured,
    rescanned,
    slices_of,
    turning,
    with_context,
)


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
    assert np.array_equal(slices_of(_case(), 3)[..., :2], both)
    with pytest.raises(ValueError, match="4 channels"):
        slices_of(_case(), 4)


def test_relative_pet_is_the_same_at_another_dose() -> None:
    case = _case()
    random = np.random.default_rng(0)
    pet = random.uniform(0, 8, case.mask.shape).astype(np.float32)
    one, other = (
        slices_of(Case("A", "A", factor * pet, case.ct, case.mask, case.spacing_mm), 3)[..., 2] for factor in (1, 3)
    )
    assert np.allclose(one, other, atol=1e-6) and one.max() == 1 and np.mean(one == 1) == pytest.approx(0.005, abs=1e-3)


def test_neighbours_are_shown_in_order_and_the_last_slice_again_at_the_ends() -> None:
    images = np.arange(4, dtype=np.float32)[:, None, None, None] * np.ones((1, 2, 2, 1), np.float32)
    assert with_context(images, 2)[:, 0, 0].tolist() == [
        [0, 0, 0, 1, 2],
        [0, 0, 1, 2, 3],
        [0, 1, 2, 3, 3],
        [1, 2, 3, 3, 3],
    ]
    assert np.array_equal(with_context(images, 0), images)


def test_padding_reaches_the_next_multiple_and_keeps_the_image_where_it_is() -> None:
    images = slices_of(_case(), 2)
    found = padded(images, 16)
    assert found.shape == (3, 48, 64, 2) and np.array_equal(found[:, :40, :50], images)
    assert found[:, 40:].sum() == found[:, :, 50:].sum() == 0
    assert padded(images, 10).shape == images.shape


@pytest.mark.parametrize(("size", "context"), [(16, 0), (48, 1), (64, 2)])
def test_windows_show_image_and_mask_of_the_same_place(size: int, context: int) -> None:
    pool = Pool.of([_case()], 2, size, context)
    images, masks = pool.batch(np.random.default_rng(0), 64, 0.5)
    assert images.shape == (64, size, size, 2 * (2 * context + 1)) and masks.shape == (64, size, size, 1)
    assert set(np.unique(masks)) == {0.0, 1.0} and images.min() >= 0 and images.max() <= 1
    differs = (images[..., 2 * context] > 0.6) != (masks[..., 0] > 0)
    assert differs.sum() < 0.2 * masks.sum()  # the rim alone, which is interpolated


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


def test_each_patient_counts_the_same_however_large_the_scan() -> None:
    small, large = _case(), _case(80, 80)
    pool = Pool.of([small, Case("B", "B", 0 * large.pet, large.ct, large.mask, large.spacing_mm)], 1, 8)
    bright = [image.max() > 0.5 for image in pool.batch(np.random.default_rng(0), 400, 1.0)[0]]
    assert 0.3 < np.mean(bright) < 0.6


@given(seed=st.integers(0, 10_000))
def test_turning_keeps_right_angles_nearly_and_sizes_within_bounds(seed: int) -> None:
    turned = turning(np.random.default_rng(seed))
    lengths = np.linalg.norm(turned, axis=0)
    assert np.all((lengths > 0.66) & (lengths < 1.5)) and lengths.max() / lengths.min() < 1.11
    assert abs(float(turned[:, 0] @ turned[:, 1])) < 1e-5


def test_a_view_that_turns_nothing_is_a_part_of_the_image_and_0_beyond_it() -> None:
    image = np.random.default_rng(0).random((2, 9, 12, 3)).astype(np.float32)
    straight = np.eye(2, dtype=np.float32)
    assert np.allclose(looked_at(image, np.array([4.5, 5.5]), straight, 6), image[:, 2:8, 3:9], atol=1e-6)
    beyond = looked_at(image, np.array([0.0, 0.0]), straight, 5)
    assert np.allclose(beyond[:, 2:, 2:], image[:, :3, :3], atol=1e-6) and not beyond[:, :2].any()
    quarter = np.array([[0.0, 1.0], [-1.0, 0.0]], dtype=np.float32)
    square = image[:, :9, :9]
    assert np.allclose(looked_at(square, np.array([4.0, 4.0]), quarter, 9), np.rot90(square, 1, (1, 2)), atol=1e-5)


@given(seed=st.integers(0, 10_000))
def test_intensities_stay_in_order_and_a_missing_ct_stays_missing(seed: int) -> None:
    ramp = np.linspace(0, 1, 16, dtype=np.float32).reshape(4, 4)
    image = np.stack([ramp, 0 * ramp, ramp, ramp, 0 * ramp, ramp], axis=-1)
    before = image.copy()
    changed = recoloured(np.random.default_rng(seed), image, 3)
    assert np.array_equal(image, before) and changed.min() >= 0 and changed.max() <= 1
    assert not changed[..., [1, 4]].any() and np.array_equal(changed[..., :3], changed[..., 3:])
    assert np.all(np.diff(changed[..., 0].ravel()) >= 0)


def test_a_body_that_lies_one_way_up_is_turned_a_little_only() -> None:
    random = np.random.default_rng(0)
    angles = [np.degrees(np.arctan2(*turning(random, CHANGES["mild"])[::-1, 0])) for _ in range(200)]
    assert 2 < np.abs(angles).max() <= 5.001


def test_ct_is_taken_away_where_some_scans_have_none() -> None:
    both = Pool.of([_case(), _case(ct=False)], 2, 16)
    lacking = [not image[..., 1].any() for image in both.batch(np.random.default_rng(0), 200, 1.0)[0]]
    assert 0.5 < np.mean(lacking) < 0.75  # half of the windows are of the scan without, a quarter of the others
    every = Pool.of([_case(), _case()], 2, 16).batch(np.random.default_rng(0), 200, 1.0)[0]
    assert all(image[..., 1].any() for image in every)


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


@given(seed=st.integers(0, 10_000), channels=st.integers(1, 3))
def test_another_scanner_changes_pet_alone_and_its_channels_alike(seed: int, channels: int) -> None:
    images = np.zeros((3, 24, 24, channels), dtype=np.float32)
    images[:, 4:20, 4:20] = np.array([0.2, 0.7, 0.4], dtype=np.float32)[:channels]
    shown = rescanned(np.random.default_rng(seed), images, CHANGES["stronger"])
    assert shown.shape == images.shape and shown.dtype == np.float32
    assert shown.min() >= 0.0 and shown[:, 0, 0].max() < 1e-6
    assert images[0, 4, 4, 0] == np.float32(0.2)
    if channels > 1:
        assert np.array_equal(shown[..., 1], images[..., 1])
    if channels > 2:
        np.testing.assert_allclose(shown[..., 2], 2.0 * shown[..., 0], atol=1e-5)


def test_noise_is_as_strong_as_named_in_the_image_that_is_read() -> None:
    images = np.full((3, 64, 64, 3), 0.5, dtype=np.float32)
    images[:, :, 32:, 2] = 1.0
    noise = replace(CHANGES["mild"], noise=0.1)
    found = [rescanned(np.random.default_rng(seed), images, noise)[..., 2] - images[..., 2] for seed in range(200)]
    strengths = np.array([[each[..., :32].std(), each[..., 32:].std()] for each in found])
    noisy = strengths[:, 0] > 0
    assert 0.4 < noisy.mean() < 0.6 and 0.08 < strengths.max() < 0.11
    np.testing.assert_allclose(strengths[noisy, 0] / strengths[noisy, 1], 1.0, atol=0.25)
    blurred = rescanned(np.random.default_rng(0), images, CHANGES["mild"])
    assert blurred is images  # neither is asked for


def test_lesions_die_in_the_share_of_windows_that_is_named() -> None:
    case = _case()
    case.mask[:, 5:25, 5:25] = True
    filled = Case("A", "A", np.where(case.mask, 15.0, 0.0).astype(np.float32), case.ct, case.mask, case.spacing_mm)
    still = replace(CHANGES["mild"], uptake=0.0, brightness=0.0)
    for share in (0.0, 1.0):
        pool = Pool.of([filled], 1, 16, 1, replace(still, necrosis=share))
        images, masks = pool.batch(np.random.default_rng(0), 100, 1.0)
        levels = [np.median(image[..., 1][mask[..., 0] > 0]) for image, mask in zip(images, masks, strict=True)]
        dimmed = float(np.mean(np.array(levels) < 0.8))
        assert dimmed > 0.2 if share else dimmed == 0
