"""Figures: the same as scikit-learn's, ties or not, and intervals that hold what they should."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.sbom_graph.forecast.figures import (
    Ranking,
    average_precision,
    difference,
    interval,
    mean,
    precision_at_top,
)

ROWS = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=60).filter(
    lambda rows: any(hit for _, hit in rows)
)


@settings(deadline=None)  # the first example imports scikit-learn
@given(ROWS, st.lists(st.integers(0, 3), min_size=60, max_size=60))
def test_average_precision_is_scikit_learns_with_and_without_weights(
    rows: list[tuple[int, bool]], weights: list[int]
) -> None:
    from sklearn.metrics import average_precision_score

    scores = np.array([float(score) for score, _ in rows])
    truth = np.array([int(hit) for _, hit in rows])
    counts = np.array(weights[: len(rows)])
    ranking = Ranking.of(scores, truth)
    assert average_precision(ranking) == pytest.approx(average_precision_score(truth, scores))
    if (counts * truth).sum():
        weighted = average_precision_score(truth, scores, sample_weight=counts)
        assert average_precision(ranking, counts) == pytest.approx(weighted)


def test_precision_at_100_expects_ties_to_be_broken_at_random() -> None:
    scores = np.concatenate([np.full(50, 2.0), np.full(100, 1.0), np.zeros(850)])
    truth = np.concatenate([np.ones(50), np.ones(40), np.zeros(60), np.zeros(850)]).astype(int)
    assert precision_at_top(Ranking.of(scores, truth)) == pytest.approx((50 + 50 * 0.4) / 100)
    assert precision_at_top(Ranking.of(scores[:40], truth[:40])) == 1.0


def test_a_perfect_ranking_has_a_figure_of_one_and_no_interval() -> None:
    truth = np.array([1] * 20 + [0] * 80)
    found = interval(average_precision, [Ranking.of(truth.astype(float), truth)], 1)
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)


def test_an_interval_is_around_its_value_and_a_difference_of_the_same_is_nothing() -> None:
    random = np.random.default_rng(3)
    truth = (random.random(500) < 0.1).astype(int)
    rankings = [Ranking.of(truth + random.normal(0, 1, 500), truth) for _ in range(5)]
    found = interval(average_precision, rankings, 1)
    assert found.low < found.value < found.high and found.value == mean(average_precision, rankings)
    same = difference(average_precision, rankings[:1], rankings[:1], 1)
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    better = difference(average_precision, [Ranking.of(truth.astype(float), truth)], rankings, 1)
    assert better.low > 0


def test_no_positive_is_no_figure() -> None:
    assert np.isnan(average_precision(Ranking.of(np.arange(3.0), np.zeros(3, dtype=int))))
