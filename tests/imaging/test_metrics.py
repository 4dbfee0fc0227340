"""Overlap of masks."""

from __future__ import annotations

import numpy as np
import pytest

from imaging.metrics import dice


def test_dice_of_half_an_overlap_of_none_and_of_nothing() -> None:
    mask = np.array([[True, True, False, False]])
    assert dice(mask, mask) == 1.0
    assert dice(mask, ~mask) == 0.0
    assert dice(np.array([[False, True, True, True]]), mask) == pytest.approx(2 / 5)
    assert dice(mask & False, mask & False) == 1.0
    assert dice(mask & False, mask) == 0.0
