"""Probabilities that mean what they say."""

from __future__ import annotations

import numpy as np
import pytest

from analyzers.vuln_classifier.calibration import (
    Calibrator,
    calibration_error,
    choose_calibrator,
    fit_calibrator,
    softmax,
)

N = 4_000


def overconfident(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Probabilities three times as sharp as the truth was drawn with."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=(N, 3))
    honest = softmax(logits)
    truth = np.array([generator.choice(3, p=row) for row in honest])
    return softmax(3.0 * logits), truth


def test_overconfidence_is_found_and_taken_back() -> None:
    found, truth = overconfident()
    assert calibration_error(found, truth) > 0.15
    calibrator = fit_calibrator(found, truth, [()] * N, shrinkage=1.0, smallest_group=1)
    assert calibrator.temperature == pytest.approx(1 / 3, abs=0.05)
    later, later_truth = overconfident(seed=2)
    assert calibration_error(calibrator(later, [()] * N), later_truth) < 0.03


def test_a_group_that_rates_otherwise_is_followed_and_a_rare_one_is_not() -> None:
    found = np.full((300, 2), 0.5)
    truth = np.array([0] * 140 + [1] * 140 + [1] * 20)
    groups = [("a",)] * 140 + [("b",)] * 140 + [("rare",)] * 20
    calibrator = fit_calibrator(found, truth, groups, shrinkage=0.1, smallest_group=50)
    assert calibrator.groups == ("a", "b")
    moved = calibrator(found[:3], [("a",), ("b",), ("unknown",)])
    assert moved[0, 0] > 0.9 and moved[1, 1] > 0.9 and moved[2, 0] == pytest.approx(0.5)


def test_noise_in_groups_is_shrunk_away() -> None:
    generator = np.random.default_rng(3)
    found = np.full((1_000, 2), 0.5)
    truth = generator.integers(0, 2, 1_000)
    groups = [(f"g{number}",) for number in generator.integers(0, 40, 1_000)]
    strong = choose_calibrator(found, truth, groups, smallest_group=5)
    assert np.abs(strong.offsets).max() < 0.2


def test_what_turned_out_too_sure_later_is_taken_off() -> None:
    """Of 400 rows the earlier half is right as often as it says, the later one is not: habits went on changing."""
    found = np.tile([0.9, 0.1], (400, 1))
    earlier, later = [0] * 180 + [1] * 20, [0] * 140 + [1] * 60
    drifting = choose_calibrator(found, np.array(earlier + later), [()] * 400, smallest_group=5)
    steady = choose_calibrator(found, np.array(earlier + earlier), [()] * 400, smallest_group=5)
    assert drifting(found[:1], [()])[0, 0] < 0.8 < steady(found[:1], [()])[0, 0]
    assert steady(found[:1], [()])[0, 0] == pytest.approx(0.9, abs=0.01)


def test_nothing_to_go_by_changes_nothing() -> None:
    found = np.array([[0.2, 0.8]])
    assert Calibrator(1.0, (), np.zeros((0, 2)))(found, [()]) == pytest.approx(found, abs=1e-4)
