"""The measures, against cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from analyzers.vuln_classifier.evaluation import area_under_curve, average_precision, coverage, lift, macro_f1


def test_measures_are_those_of_scikit_learn() -> None:
    generator = np.random.default_rng(5)
    truth = generator.integers(0, 2, 300)
    scores = np.round(generator.random(300) + truth * 0.3, 2)
    assert area_under_curve(scores, truth) == pytest.approx(metrics.roc_auc_score(truth, scores))
    distinct = scores + np.arange(300) * 1e-6
    assert average_precision(distinct, truth) == pytest.approx(metrics.average_precision_score(truth, distinct))
    predicted, classes = generator.integers(0, 3, 200), generator.integers(0, 3, 200)
    assert macro_f1(predicted, classes, 3) == pytest.approx(metrics.f1_score(classes, predicted, average="macro"))


def test_coverage_is_the_greatest_share_that_is_right_often_enough() -> None:
    sure = np.array([0.9, 0.8, 0.7, 0.6])
    right = np.array([1.0, 1.0, 0.0, 0.0])
    assert coverage(sure, right, 0.9) == 0.5
    assert coverage(sure, right, 0.6) == 0.75
    assert coverage(sure, 1.0 - right, 0.9) == 0.0


def test_lift_compares_the_top_with_all() -> None:
    truth = np.array([1] + [0] * 99)
    assert lift(np.arange(100)[::-1].astype(float), truth, 0.01) == 100.0
