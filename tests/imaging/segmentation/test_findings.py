"""Lesions of an outline, in numbers a person can check."""

from __future__ import annotations

import numpy as np
import pytest

from imaging.data.cases import Case
from imaging.segmentation.findings import lesions


def test_volume_uptake_and_place_of_each_piece() -> None:
    outline = np.zeros((4, 10, 10), dtype=np.bool_)
    outline[1, 2:4, 2:4], outline[3, 7, 7] = True, True
    pet = np.where(outline, 4.0, 1.0).astype(np.float32)
    pet[1, 2, 2] = 8.0
    case = Case("A", "A", pet, None, outline, (5.0, 4.0, 2.0))
    large, small = lesions(case, outline)
    assert large.volume_ml == pytest.approx(4 * 0.04) and small.volume_ml == pytest.approx(0.04)
    assert (large.suv_max, large.suv_mean) == pytest.approx((8.0, 5.0))
    assert large.glycolysis_g == pytest.approx(5.0 * 4 * 0.04)
    assert large.middle_mm == pytest.approx((5.0, 10.0, 5.0)) and small.middle_mm == pytest.approx((15.0, 28.0, 14.0))
    assert lesions(case, np.zeros_like(outline)) == []
