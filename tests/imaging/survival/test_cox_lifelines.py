"""Coefficients and C-index on real cohorts beside lifelines and statsmodels, which bring the data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from imaging.survival.cox import Ties, concordance_index, fit_cox

pytestmark = pytest.mark.filterwarnings("ignore")
COHORTS = pytest.mark.parametrize(
    ("name", "duration", "event"),
    [
        ("rossi", "week", "arrest"),
        ("kidney_transplant", "time", "death"),
        ("gbsg2", "time", "cens"),
        ("lung", "time", "status"),
    ],
)


def frame_of(name: str) -> Any:
    datasets = pytest.importorskip("lifelines.datasets", reason="lifelines is not installed")
    return getattr(datasets, f"load_{name}")().select_dtypes("number").dropna().astype(float)


@COHORTS
def test_coefficients_and_c_index_are_those_of_lifelines(name: str, duration: str, event: str) -> None:
    frame = frame_of(name)
    lifelines = pytest.importorskip("lifelines", reason="lifelines is not installed")
    theirs = lifelines.CoxPHFitter().fit(frame, duration, event)
    times, events = frame[duration].to_numpy(), frame[event].to_numpy()
    features = frame.drop(columns=[duration, event]).to_numpy()
    ours = fit_cox(features, times, events, "efron")
    apart = np.abs(ours.coefficients - theirs.params_.to_numpy())
    assert apart.max() < 1e-3
    assert (apart / ours.standard_errors).max() < 1e-3  # coefficients of features with large numbers are small
    assert np.abs(ours.standard_errors - theirs.standard_errors_.to_numpy()).max() < 1e-3
    assert ours.log_likelihood == pytest.approx(theirs.log_likelihood_, rel=1e-6)
    assert concordance_index(times, features @ ours.coefficients, events) == pytest.approx(
        theirs.concordance_index_, abs=1e-12
    )
    for column in features.T:  # whole numbers: many equal scores
        expected = lifelines.utils.concordance_index(times, -column, events)
        assert concordance_index(times, column, events) == pytest.approx(expected, abs=1e-12)


@COHORTS
@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_both_ways_with_ties_are_those_of_statsmodels(name: str, duration: str, event: str, ties: Ties) -> None:
    frame = frame_of(name)
    regression = pytest.importorskip("statsmodels.duration.hazard_regression", reason="statsmodels is not installed")
    times, events = frame[duration].to_numpy(), frame[event].to_numpy()
    features = frame.drop(columns=[duration, event]).to_numpy()
    ours, theirs = (
        fit_cox(features, times, events, ties),
        regression.PHReg(times, features, events, ties=ties).fit(),
    )
    assert np.abs(ours.coefficients - theirs.params).max() < 1e-4
    assert ours.log_likelihood == pytest.approx(theirs.llf, rel=1e-8)
