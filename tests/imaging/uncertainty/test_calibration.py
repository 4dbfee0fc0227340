"""Scalings that undo what was done to probabilities, chosen by patients left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from imaging.segmentation.metrics import expected_calibration_error
from imaging.uncertainty.calibration import (
    CLIP,
    Kind,
    Sample,
    Scaling,
    choose,
    fit,
    logits,
    negative_log_likelihood,
)


def _patients(scale: float, bias: float, count: int = 6, voxels: int = 4000) -> list[Sample]:
    """Patients whose truth is drawn by ``sigmoid(scale * logit + bias)``."""
    random = np.random.default_rng(4)
    scores = [random.normal(0.0, 3.0, voxels) for _ in range(count)]
    return [Sample(each, random.random(voxels) < expit(scale * each + bias)) for each in scores]


def test_the_temperature_is_found_again() -> None:
    found = fit(_patients(0.4, 0.0), Kind.TEMPERATURE)
    assert 1.0 / found.scale == pytest.approx(2.5, rel=0.05) and found.bias == 0.0


def test_scale_and_bias_are_found_again() -> None:
    found = fit(_patients(1.7, -0.8), Kind.PLATT)
    assert (found.scale, found.bias) == pytest.approx((1.7, -0.8), rel=0.06)


def test_no_temperature_of_a_grid_is_better() -> None:
    samples = _patients(0.6, 0.5, voxels=300)

    def loss(scaling: Scaling) -> float:
        return float(np.mean([negative_log_likelihood(scaling, each) for each in samples]))

    best = min(loss(Scaling(Kind.TEMPERATURE, scale)) for scale in np.linspace(0.05, 3.0, 600))
    assert loss(fit(samples, Kind.TEMPERATURE)) <= best + 1e-9


def test_each_patient_counts_as_much_whatever_its_size() -> None:
    small, large = _patients(0.5, 0.0, 1, 500)[0], _patients(2.0, 0.0, 1, 500)[0]
    repeated = Sample(np.tile(large.logits, 9), np.tile(large.truth, 9))
    one, other = fit([small, large], Kind.TEMPERATURE), fit([small, repeated], Kind.TEMPERATURE)
    assert one.scale == pytest.approx(other.scale, rel=1e-4)


@pytest.mark.parametrize(
    ("scale", "bias", "kind"), [(1.0, 0.0, Kind.NONE), (0.5, 0.0, Kind.TEMPERATURE), (1.0, 1.0, Kind.PLATT)]
)
def test_what_is_needed_is_chosen(scale: float, bias: float, kind: Kind) -> None:
    samples = _patients(scale, bias, voxels=20_000)
    found = choose(samples)
    if kind is Kind.PLATT:
        assert found.kind is Kind.PLATT
    # numbers that are not needed may be chosen by chance; then they do nothing
    assert (found.scale, found.bias) == pytest.approx((scale, bias), abs=0.05)
    assert list(Kind).index(found.kind) >= list(Kind).index(kind)


def test_a_patient_unlike_the_others_does_not_choose_platt() -> None:
    # what the bias would be differs from patient to patient: none that is fitted helps the one left out
    patients = [_patients(0.5, bias, 1)[0] for bias in (-1.5, 1.5, -1.4, 1.4)]
    assert choose(patients).kind is Kind.TEMPERATURE


def test_one_patient_gives_a_temperature_and_none_nothing() -> None:
    assert choose(_patients(0.5, 1.0, 1)).kind is Kind.TEMPERATURE
    empty = Sample(np.zeros(0), np.zeros(0, dtype=bool))
    assert choose([empty]) == Scaling()
    with pytest.raises(ValueError, match="no voxel"):
        fit([empty], Kind.PLATT)
    patients = _patients(0.5, 1.0, 3)
    assert choose([*patients, empty]) == choose(patients)


def test_calibration_lowers_the_error_on_other_patients() -> None:
    fitting, other = _patients(0.4, -0.5), _patients(0.4, -0.5, 7)[6]
    raw = expit(other.logits).astype(np.float32)
    before = expected_calibration_error(raw, other.truth)
    after = expected_calibration_error(choose(fitting)(raw), other.truth)
    assert before > 0.1 and after < 0.03


@given(st.floats(0.01, 100), st.floats(-20, 20), st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_calibrated_values_are_probabilities_in_the_same_order(scale: float, bias: float, values: Any) -> None:
    found = Scaling(Kind.PLATT, scale, bias)(np.array(sorted(values), dtype=np.float32))
    assert ((found >= 0) & (found <= 1)).all() and (np.diff(found) >= 0).all()


def test_logits_are_cut_where_probabilities_are_certain() -> None:
    bound = np.log(CLIP / (1 - CLIP))
    assert logits(np.array([0.0, 0.5, 1.0], dtype=np.float32)).tolist() == pytest.approx([bound, 0.0, -bound])


def test_no_scaling_changes_nothing() -> None:
    values = np.array([0.0, 0.3, 1.0], dtype=np.float32)
    assert Scaling()(values) is values and fit(_patients(0.5, 0.0), Kind.NONE) == Scaling()


def test_a_sample_is_of_its_region_alone() -> None:
    region = np.array([[[True, False]]])
    found = Sample.of(np.array([[[0.5, 0.9]]], dtype=np.float32), np.array([[[True, False]]]), region)
    assert found.logits.tolist() == [0.0] and found.truth.tolist() == [True]
