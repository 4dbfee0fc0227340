"""Windows of intensity, slices with their neighbours, and padding."""

from __future__ import annotations

import numpy as np
import pytest

from imaging.data.cases import Case
from imaging.data.preprocess import HU, SUV, padded, slices_of, with_context


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
    assert found.shape == (3, 64, 80, 2) and np.array_equal(found[:, :40, :50], images)
    assert found[:, 40:].sum() == found[:, :, 50:].sum() == 0
    assert padded(images, 10).shape == (3, 50, 60, 2)  # a margin even where both are multiples
