"""The Cox likelihood against its definition, derivatives and invariances; the C-index against counting every pair."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.survival import cox
from imaging.survival.cox import Ties, concordance_index, concordance_interval, cox_loss, fit_cox

WAYS: tuple[Ties, ...] = ("efron", "breslow")
Cohort = tuple[np.ndarray, np.ndarray, np.ndarray]


@st.composite
def cohorts(draw: st.DrawFn) -> Cohort:
    """Small, with many equal times and equal scores."""
    rows = draw(st.lists(st.tuples(st.integers(1, 6), st.booleans(), st.integers(-8, 8)), min_size=1, max_size=14))
    times, events, scores = (np.array(each, dtype=float) for each in zip(*rows, strict=True))
    return times, events, scores / 4.0


def by_definition(times: np.ndarray, events: np.ndarray, log_hazards: np.ndarray, ties: Ties) -> float:
    """Event by event, as the papers write it."""
    total = 0.0
    for time in {float(each) for each in times[events > 0]}:
        died = [i for i in range(len(times)) if times[i] == time and events[i]]
        at_risk = math.fsum(math.exp(log_hazards[i]) for i in range(len(times)) if times[i] >= time)
        tied = math.fsum(math.exp(log_hazards[i]) for i in died)
        for number, place in enumerate(died):
            removed = number / len(died) if ties == "efron" else 0.0
            total += math.log(at_risk - removed * tied) - float(log_hazards[place])
    return total


@given(cohorts())
def test_the_loss_is_what_the_papers_define(cohort: Cohort) -> None:
    for ties in WAYS:
        assert cox_loss(*cohort, ties)[0] == pytest.approx(by_definition(*cohort, ties), rel=1e-12, abs=1e-12)


@given(cohorts())
def test_the_gradient_is_the_slope_of_the_loss_and_sums_to_nothing(cohort: Cohort) -> None:
    times, events, scores = cohort
    for ties in WAYS:
        gradient = cox_loss(times, events, scores, ties)[1]
        assert gradient.sum() == pytest.approx(0.0, abs=1e-10)
        for place, step in enumerate(np.eye(len(scores)) * 1e-5):
            higher, lower = (cox_loss(times, events, scores + sign * step, ties)[0] for sign in (1, -1))
            assert gradient[place] == pytest.approx((higher - lower) / 2e-5, abs=1e-7)


@given(cohorts(), st.floats(-300, 300))
def test_a_constant_added_to_all_and_the_order_of_patients_change_nothing(cohort: Cohort, constant: float) -> None:
    times, events, scores = cohort
    order = np.random.default_rng(3).permutation(len(times))
    for ties in WAYS:
        loss, gradient = cox_loss(times, events, scores, ties)
        moved, again = cox_loss(times[order], events[order], scores[order] + constant, ties)
        assert moved == pytest.approx(loss, abs=1e-9)
        assert again == pytest.approx(gradient[order], abs=1e-9)


def test_ties_worked_by_hand() -> None:
    times, events, scores = np.array([1.0, 1.0, 2.0]), np.array([1, 1, 0]), np.log([2.0, 3.0, 5.0])
    # both at risk among 10; Efron takes half of the tied 5 away for the second
    assert cox_loss(times, events, scores, "breslow")[0] == pytest.approx(math.log(10 / 2 * 10 / 3))
    assert cox_loss(times, events, scores, "efron")[0] == pytest.approx(math.log(10 / 2 * 7.5 / 3))


@pytest.mark.parametrize("ties", WAYS)
def test_log_hazards_far_apart_neither_overflow_nor_vanish(ties: Ties) -> None:
    times, events = np.array([1.0, 2.0, 2.0, 3.0]), np.array([1, 1, 1, 1])
    loss, gradient = cox_loss(times, events, np.array([2000.0, -2000.0, -2001.0, -5000.0]), ties)
    # the first comes first for certain, the last is alone: what is left is the order of the two tied
    assert loss == pytest.approx(2 * math.log1p(math.exp(-1)) + 1 - math.log(2) * (ties == "efron"))
    assert np.isfinite(gradient).all() and gradient.sum() == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("ties", WAYS)
def test_a_cohort_without_events_has_no_loss_and_no_slope(ties: Ties) -> None:
    loss, gradient = cox_loss(np.arange(3.0), np.zeros(3), np.arange(3.0), ties)
    assert loss == 0.0 and not gradient.any() and gradient.shape == (3,)


def _simulated(size: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    features = random.normal(size=(size, 2)) * (1.0, 30.0) + (0.0, 500.0)
    life = random.exponential(np.exp(-(features @ (0.8, -0.02))))
    left = random.exponential(np.median(life) * 2, size)
    return features, np.minimum(life, left), (life <= left).astype(float)


@pytest.mark.parametrize("ties", WAYS)
def test_a_fit_finds_the_hazard_the_times_were_drawn_from(ties: Ties) -> None:
    features, times, events = _simulated(3000, 4)
    fit = fit_cox(features, times, events, ties)
    assert (np.abs(fit.coefficients - (0.8, -0.02)) < 3 * fit.standard_errors).all()
    assert fit.standard_errors[0] < 0.05
    assert fit.log_likelihood == pytest.approx(-cox_loss(times, events, features @ fit.coefficients, ties)[0])


@pytest.mark.parametrize("ties", WAYS)
def test_standard_errors_come_from_the_curvature_of_the_loss(ties: Ties) -> None:
    features, times, events = _simulated(150, 5)
    times = np.ceil(times / np.median(times) * 4)  # many ties
    fit = fit_cox(features, times, events, ties)

    def slope(coefficients: np.ndarray) -> np.ndarray:
        gradient: np.ndarray = features.T @ cox_loss(times, events, features @ coefficients, ties)[1]
        return gradient

    assert np.abs(slope(fit.coefficients) * fit.standard_errors).max() < 1e-4
    steps = np.diag(fit.standard_errors) * 1e-4
    curvature = [(slope(fit.coefficients + d) - slope(fit.coefficients - d)) / (2 * d.sum()) for d in steps]
    assert np.sqrt(np.diag(np.linalg.inv(curvature))) == pytest.approx(fit.standard_errors, rel=1e-5)


@pytest.mark.parametrize(
    "features",
    [np.ones(40), np.arange(40.0), np.column_stack([np.tile([1.0, 2, 3, 5], 10)] * 2)],
    ids=["constant", "in the order of the events", "twice the same"],
)
def test_features_that_determine_no_coefficients_are_refused(features: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"no coefficients|undetermined"):
        fit_cox(features.reshape(40, -1), np.arange(1.0, 41.0), np.ones(40))


@pytest.mark.parametrize("features", [np.ones(3), np.ones((3, 0)), np.full((3, 1), math.nan)])
def test_features_of_another_shape_or_not_finite_are_refused(features: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"finite, of shape"):
        fit_cox(features, np.arange(1.0, 4.0), np.ones(3))


def every_pair(times: np.ndarray, scores: np.ndarray, events: np.ndarray) -> tuple[float, int]:
    concordant, comparable = 0.0, 0
    for i in np.flatnonzero(events):
        for j in range(len(times)):
            if times[j] > times[i] or (times[j] == times[i] and not events[j]):
                comparable += 1
                concordant += 1.0 if scores[i] > scores[j] else 0.5 if scores[i] == scores[j] else 0.0
    return concordant, comparable


@given(cohorts(), st.integers(1, 40))
def test_the_c_index_counts_every_pair_however_many_at_a_time(cohort: Cohort, cells: int) -> None:
    times, events, scores = cohort
    concordant, comparable = every_pair(times, scores, events)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cox, "_CELLS", cells)
        if not comparable:
            with pytest.raises(ValueError, match="no pair to compare"):
                concordance_index(times, scores, events)
        else:
            index = concordance_index(times, scores, events)
            assert index == concordant / comparable
            assert concordance_index(times, -scores, events) == pytest.approx(1.0 - index)
            assert concordance_index(times, np.exp(scores), events) == index


def test_the_c_index_worked_by_hand() -> None:
    times, events = np.array([1.0, 2, 2, 3, 4]), np.array([1, 1, 0, 0, 1])
    # pairs: 1 with all four others, the event at 2 with the censored at 2, with 3 and with 4
    assert concordance_index(times, np.array([5.0, 3, 3, 4, 1]), events) == (4 + 0.5 + 0 + 1) / 7
    assert concordance_index(times, -times, events) == (4 + 0.5 + 1 + 1) / 7
    assert concordance_index(times, np.zeros(5), events) == 0.5


def test_the_interval_holds_the_index_narrows_with_patients_and_repeats_by_seed() -> None:
    widths = []
    for size in (60, 240, 960):
        features, times, events = _simulated(size, 6)
        scores = features @ (0.8, -0.02)
        found = concordance_interval(times, scores, events, seed=1, resamples=300)
        assert found.low < found.index < found.high and found.index == concordance_index(times, scores, events)
        assert found == concordance_interval(times, scores, events, seed=1, resamples=300)
        assert found != concordance_interval(times, scores, events, seed=2, resamples=300)
        widths.append(found.high - found.low)
    assert all(narrower < wider * 0.75 for wider, narrower in pairwise(widths))


def test_a_resample_counts_a_patient_as_often_as_it_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    features, times, events = _simulated(25, 7)
    times = np.ceil(times / np.median(times) * 5)
    scores = np.round(features @ (0.8, -0.02))
    monkeypatch.setattr(cox, "_CELLS", 60)
    found = concordance_interval(times, scores, events, seed=8, level=0.9, resamples=50)
    counts = np.random.default_rng(8).multinomial(25, np.full(25, 1 / 25), size=50)
    drawn = [np.repeat(np.arange(25), each) for each in counts]
    expected = [concordance_index(times[each], scores[each], events[each]) for each in drawn]
    assert (found.low, found.high) == pytest.approx(np.quantile(expected, [0.05, 0.95]))


GOOD: dict[str, Any] = {"times": [1.0, 2.0], "events": [1, 0], "log_hazards": [0.0, 1.0]}


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"times": [1.0]}, "one shape"),
        ({"times": [], "events": [], "log_hazards": []}, "one shape"),
        ({"times": [1.0, math.nan]}, "finite"),
        ({"log_hazards": [0.0, math.inf]}, "finite"),
        ({"events": [1, 2]}, "0 .censored. or 1"),
        ({"events": [1, math.nan]}, "0 .censored. or 1"),
        ({"ties": "exact"}, "'efron' or 'breslow'"),
    ],
)
def test_bad_arrays_are_refused(change: dict[str, Any], cause: str) -> None:
    assert math.isfinite(cox_loss(**GOOD)[0])
    with pytest.raises(ValueError, match=cause):
        cox_loss(**{**GOOD, **change})


@pytest.mark.parametrize("change", [{"level": 1.0}, {"level": 0.0}, {"resamples": 0}])
def test_an_interval_out_of_range_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="level"):
        concordance_interval(np.array([1.0, 2.0]), np.array([1.0, 0.0]), np.array([1, 1]), seed=1, **change)
