"""Thresholds, and the best of them."""

from __future__ import annotations

import numpy as np

from imaging.data.cases import Case
from imaging.segmentation.metrics import dice
from imaging.segmentation.rules import Rule, dice_of_rules, share_of_maximum, suv_above_2_5, tuned, without_small


def _case(seed: int) -> Case:
    """A lesion of 4 g/ml among noise that exceeds it in single voxels."""
    random = np.random.default_rng(seed)
    mask = np.zeros((3, 20, 20), dtype=np.bool_)
    mask[:, 4:10, 5:12] = True
    pet = np.where(mask, 4.0, 1.0).astype(np.float32)
    pet[random.random(mask.shape) < 0.02] = 9.0
    return Case("A", "A", pet, None, mask, (5.0, 4.0, 4.0))


def test_thresholds() -> None:
    case = _case(0)
    assert np.array_equal(suv_above_2_5(case), case.pet > 2.5)
    assert np.array_equal(share_of_maximum(case), case.pet > 0.41 * 9)


def test_small_pieces_are_dropped_and_those_that_touch_by_a_face_are_one() -> None:
    mask = np.zeros((1, 6, 6), dtype=np.bool_)
    mask[0, 0, 0:3] = mask[0, 4, 4] = True
    assert without_small(mask, 1).sum() == 4
    assert without_small(mask, 2).sum() == 3
    assert without_small(mask, 3).sum() == 3
    # the largest stays, so that no rule finds nothing for want of a large piece
    assert without_small(mask, 4).sum() == without_small(mask, float("inf")).sum() == 3
    assert not without_small(np.zeros_like(mask), 4).any()


def test_the_tuned_rule_beats_the_fixed_ones_on_other_cases_of_the_kind() -> None:
    rule = tuned([dice_of_rules(_case(seed)) for seed in range(3)])
    assert isinstance(rule, Rule) and rule.smallest_ml > 0
    other = [_case(seed) for seed in range(10, 15)]
    best = np.mean([dice(rule(case), case.mask) for case in other])
    assert best > 0.95
    assert all(best > np.mean([dice(fixed(case), case.mask) for case in other]) for fixed in (suv_above_2_5,))
