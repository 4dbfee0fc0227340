"""Linear models over weighted terms: the first stage, whose outputs the boosted trees build upon."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import scipy.sparse

from analyzers.vuln_classifier.vectors import Floats, Integers

FOLDS = 3
_EPOCHS = 8
_PENALTY = 3e-6


@dataclass(frozen=True)
class LinearModel:
    """Logistic regression, one class against the rest.

    Attributes
    ----------
    columns
        The vocabulary's columns that have weights; the others count nothing.
    weights
        Shape (columns, classes).
    """

    columns: Integers
    weights: Floats
    bias: Floats

    def __call__(self, terms: scipy.sparse.csr_matrix) -> Floats:
        """Log-odds of each class, shape (records, classes)."""
        chosen = terms if len(self.columns) == terms.shape[1] else terms[:, self.columns]
        result: Floats = np.asarray(chosen @ self.weights.astype(np.float32, copy=False)) + self.bias
        return result

    def pruned(self, most: int) -> LinearModel:
        """Only the `most` columns with the largest weights, in half precision."""
        strength = np.abs(self.weights).max(axis=1)
        kept = np.sort(np.argsort(-strength, kind="stable")[:most])
        return LinearModel(self.columns[kept], self.weights[kept].astype(np.float16), self.bias)


def fit_linear(
    terms: scipy.sparse.csr_matrix, classes: Integers, number: int, weights: Floats, seed: int, epochs: int = _EPOCHS
) -> LinearModel:
    """Averaged stochastic gradient descent on the logistic loss.

    Parameters
    ----------
    number
        How many classes there are; one that no row has gets log-odds of -20.
    weights
        Of the rows.
    """
    from sklearn.linear_model import SGDClassifier

    matrix = np.zeros((terms.shape[1], number), dtype=np.float32)
    bias = np.full(number, -20.0, dtype=np.float32)
    present = np.unique(classes)
    if len(present) == 1:
        bias[present] = 20.0
        return LinearModel(np.arange(terms.shape[1]), matrix, bias)
    model = SGDClassifier(
        loss="log_loss", alpha=_PENALTY, max_iter=epochs, tol=None, average=True, random_state=seed, n_jobs=2
    )
    model.fit(terms, classes, sample_weight=weights)
    coefficients, intercepts = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        coefficients, intercepts = np.vstack([-coefficients, coefficients]), np.concatenate([-intercepts, intercepts])
    matrix[:, model.classes_] = coefficients.T
    bias[model.classes_] = intercepts
    return LinearModel(np.arange(terms.shape[1]), matrix, bias)


def fold_of(name: str) -> int:
    """Fold of a vulnerability: the same for all its rows and in every run."""
    return crc32(name.encode()) % FOLDS


def out_of_fold(
    names: Sequence[str],
    terms: scipy.sparse.csr_matrix,
    fit: Callable[[Integers], LinearModel],
) -> Floats:
    """Log-odds of each row by a model that has not seen its vulnerability.

    Parameters
    ----------
    names
        CVE id of each row.
    fit
        Makes a model from the rows it is given.
    """
    folds = np.array([fold_of(name) for name in names])
    parts = [(np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)) for fold in range(FOLDS)]
    found = [(held, fit(others)(terms[held])) for held, others in parts if len(held)]
    result = np.zeros((len(names), found[0][1].shape[1]), dtype=np.float32)
    for held, values in found:
        result[held] = values
    return result
