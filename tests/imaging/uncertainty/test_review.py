"""Flags, and what they catch, beside counting by hand and all orders of cases that tie."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from imaging.uncertainty.calibration import Scaling
from imaging.uncertainty.maps import summarise
from imaging.uncertainty.review import NOTHING_FOUND, Score, flag, review, risk_coverage, scores_of, threshold

CASES = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0.0, 0.3, 0.5, 0.8, 1.0])), min_size=1, max_size=5)


@given(CASES, st.sampled_from([0.1, 0.4, 0.7]))
def test_ties_count_as_the_mean_over_all_orders(cases: list[tuple[int, float]], share: float) -> None:
    scores, dice = [float(score) for score, _ in cases], [each for _, each in cases]
    found = review(scores, dice, share, bound=0.6)
    count = max(1, round(share * len(cases)))
    sums = []
    for order in itertools.permutations(range(len(cases))):
        flagged = sorted(order, key=lambda place: -scores[place])[:count]  # stable: ties stay in this order
        sums.append([sum(1 - dice[place] for place in flagged), sum(dice[place] < 0.6 for place in flagged)])
    missing, errors = np.mean(sums, axis=0)
    total, wrong = sum(1 - each for each in dice), sum(each < 0.6 for each in dice)
    assert found.flagged == count and found.errors == wrong
    assert found.missing_caught == (pytest.approx(missing / total) if total else None)
    assert found.errors_caught == (pytest.approx(errors / wrong) if wrong else None)
    best = sum(sorted((1 - each for each in dice), reverse=True)[:count])
    assert found.perfect_missing == (pytest.approx(best / total) if total else None)


def test_the_least_sure_tenth_is_counted() -> None:
    dice = [0.9] * 17 + [0.5, 0.2, 0.0]
    found = review([*np.linspace(0, 0.4, 17), 0.3, 0.8, 0.9], dice)
    assert (found.cases, found.flagged, found.errors) == (20, 2, 3)
    assert found.errors_caught == pytest.approx(2 / 3) and found.perfect_errors == pytest.approx(2 / 3)
    assert found.chance == 0.1 and found.missing_caught == pytest.approx(1.8 / 4.0)


def test_correlation_and_auroc_are_those_of_others() -> None:
    random = np.random.default_rng(2)
    dice = random.random(30)
    scores = (1 - dice + random.normal(0, 0.3, 30)).round(1)
    found = review(list(scores), list(dice))
    assert found.correlation == pytest.approx(stats.spearmanr(scores, 1 - dice).statistic)
    errors = dice < 0.6
    above = stats.mannwhitneyu(scores[errors], scores[~errors]).statistic
    assert found.auroc == pytest.approx(above / (errors.sum() * (~errors).sum()))
    assert found.p_value is not None and found.p_value < 0.001


def test_scores_that_say_nothing_have_a_large_p_value() -> None:
    found = review([0.1, 0.2, 0.3, 0.4], [0.5, 0.8, 0.4, 0.7])
    assert found.p_value is not None and found.p_value > 0.3


def test_few_or_equal_cases_give_no_figure_instead_of_a_wrong_one() -> None:
    assert review([0.1, 0.2], [0.5, 0.9]).correlation is None
    assert review([0.1, 0.1, 0.1], [0.5, 0.9, 0.8]).correlation is None
    alike = review([0.1, 0.2, 0.3], [1.0, 1.0, 1.0])
    assert alike.errors_caught is alike.missing_caught is alike.auroc is alike.perfect_errors is None
    assert review([0.1, 0.2, 0.3], [0.1, 0.2, 0.3]).auroc is None


def test_risk_falls_when_the_unsure_are_left_out() -> None:
    coverage, risk = risk_coverage([0.9, 0.1, 0.5, 0.5], [0.0, 1.0, 0.8, 0.6])
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert risk.tolist() == pytest.approx([0.0, 0.15, 0.2, 0.4])


def test_cases_that_are_none_are_refused() -> None:
    for scores, dice in (([], []), ([0.1], [0.1, 0.2]), ([math.nan], [0.5]), ([0.1], [1.5])):
        with pytest.raises(ValueError, match=r"scores|cases"):
            review(scores, dice)
        with pytest.raises(ValueError, match=r"scores|cases"):
            risk_coverage(scores, dice)


def test_the_threshold_leaves_a_tenth_above() -> None:
    bound = threshold([number / 100 for number in range(100)])
    assert sum(number / 100 > bound for number in range(100)) == 10
    with pytest.raises(ValueError, match="no validation patient"):
        threshold([])


def test_a_flag_has_a_reason() -> None:
    assert flag(0.4, 0.3, True).raised and "0.400 is above 0.300" in flag(0.4, 0.3, True).reason
    assert not flag(0.3, 0.3, True).raised
    assert flag(0.0, 0.3, False).raised and flag(0.0, 0.3, False).reason == "nothing was found"


def test_scores_of_a_case_by_hand() -> None:
    sure, torn = np.zeros((1, 1, 9), np.float32), np.zeros((1, 1, 9), np.float32)
    sure[..., 4], torn[..., 3:6] = 1.0, 0.8
    maps = summarise([sure, torn])
    found = scores_of(maps, maps.mean > 0.5, Scaling(), (1.0, 1.0, 1.0))
    # of the mean only the middle is above one half: 0.9 there, 0.4 to both sides, and all is within 10 mm
    assert found[Score.EXPECTED_LOSS] == pytest.approx(1 - 2 * 0.9 / (0.9 + 0.4 + 0.4 + 1))
    assert found[Score.DISAGREEMENT] == pytest.approx(1 - 2 * 1 / (1 + 3))
    bits = [-p * math.log(p) - (1 - p) * math.log(1 - p) for p in (0.9, 0.4, 0.4)]
    assert found[Score.ENTROPY] == pytest.approx(sum(bits) / 9, rel=1e-5)


def test_a_case_without_a_prediction_has_the_highest_scores() -> None:
    nothing = np.full((1, 2, 2), 0.2, np.float32)
    empty = np.zeros(nothing.shape, bool)
    assert scores_of(summarise([nothing, nothing]), empty, Scaling(), (1.0, 1.0, 1.0)) == NOTHING_FOUND
    # one member agrees with itself, which says nothing
    assert Score.DISAGREEMENT not in scores_of(summarise([nothing]), empty, Scaling(), (1.0, 1.0, 1.0))
