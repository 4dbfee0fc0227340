"""The paired comparison against figures that are known."""

from __future__ import annotations

import numpy as np
import pytest

from imaging.segmentation.comparison import paired


def test_a_clear_difference_and_none() -> None:
    random = np.random.default_rng(0)
    base = random.uniform(0.4, 0.8, 20)
    found = paired(base + np.linspace(0.05, 0.15, 20), base)
    assert found.difference == pytest.approx(0.1) and 0.05 < found.low < 0.1 < found.high < 0.15
    # all twenty above: twice the chance of one sign pattern of 2^20
    assert (found.better, found.worse) == (20, 0) and found.p_value == pytest.approx(2 / 2**20, rel=0.01)
    same = paired(base, base)
    assert (same.difference, same.p_value, same.better, same.worse) == (0.0, 1.0, 0, 0)


def test_noise_alone_is_seldom_taken_for_a_difference() -> None:
    random = np.random.default_rng(1)
    p_values = [paired(*random.normal(size=(2, 15))).p_value for _ in range(200)]
    assert np.mean(np.array(p_values) < 0.05) < 0.11


def test_the_other_way_round_is_the_same_with_other_signs() -> None:
    random = np.random.default_rng(2)
    first, second = random.normal(size=(2, 12))
    one, other = paired(first, second), paired(second, first)
    assert one.difference == -other.difference and one.p_value == other.p_value
    assert (one.better, one.worse) == (other.worse, other.better) and one.low <= one.difference <= one.high


@pytest.mark.parametrize("pair", [([], []), ([1.0], [1.0, 2.0])])
def test_what_cannot_be_paired(pair: tuple[list[float], list[float]]) -> None:
    with pytest.raises(ValueError, match="cannot be paired"):
        paired(*pair)
