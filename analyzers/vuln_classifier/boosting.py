"""Gradient-boosted trees over the linear outputs and the most frequent terms. XGBoost is imported where it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analyzers.vuln_classifier.vectors import Floats, Integers

if TYPE_CHECKING:
    import xgboost

THREADS = 2
ROUNDS = 120
_PARAMETERS = {
    "tree_method": "hist",
    "max_bin": 32,
    "max_depth": 6,
    "eta": 0.1,
    "subsample": 0.5,
    "colsample_bytree": 0.3,
    "min_child_weight": 5,
    "lambda": 2.0,
}


def training_matrix(inputs: Floats) -> xgboost.QuantileDMatrix:
    """Bin the inputs once for all models that share them."""
    import xgboost

    return xgboost.QuantileDMatrix(inputs, max_bin=_PARAMETERS["max_bin"], nthread=THREADS)


def fit_booster(
    matrix: xgboost.QuantileDMatrix, classes: Integers, number: int, weights: Floats, seed: int, rounds: int = 0
) -> xgboost.Booster:
    """Train one model of `rounds` (or `ROUNDS`) rounds: two classes make one tree a round, more one for each."""
    import xgboost

    kind = (
        {"objective": "binary:logistic"} if number == 2 else {"objective": "multi:softprob", "num_class": str(number)}
    )
    matrix.set_label(classes)
    matrix.set_weight(weights)
    return xgboost.train({**_PARAMETERS, **kind, "seed": seed, "nthread": THREADS}, matrix, rounds or ROUNDS)


def probabilities(booster: xgboost.Booster, inputs: Floats) -> Floats:
    """Probability of each class, shape (records, classes)."""
    found: Floats = booster.inplace_predict(inputs)
    return np.column_stack([1.0 - found, found]) if found.ndim == 1 else found


def contributions(booster: xgboost.Booster, inputs: Floats) -> Floats:
    """What each input adds to each class's log-odds (TreeSHAP; Lundberg et al. 2020).

    Returns
    -------
    numpy.ndarray
        Shape (records, classes, inputs); for two classes both rows, with opposite signs.
    """
    import xgboost

    found: Floats = booster.predict(xgboost.DMatrix(inputs), pred_contribs=True)[..., :-1]
    return np.stack([-found, found], axis=1) if found.ndim == 2 else found
