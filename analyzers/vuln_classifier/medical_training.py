"""Training of the models of medicine, from advisories and from records read by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analyzers.vuln_classifier.boosting import THREADS, probabilities, training_matrix
from analyzers.vuln_classifier.calibration import softmax
from analyzers.vuln_classifier.linear import FOLDS, LinearModel, fit_linear, fold_of
from analyzers.vuln_classifier.medical_tables import device_types
from analyzers.vuln_classifier.medical_text import COLUMNS, ReadRecord, words_of
from analyzers.vuln_classifier.medicine import (
    Relevance,
    TypeModel,
    calibrated,
    device_odds,
    log_odds,
    pair_inputs,
    relevance_inputs,
)
from analyzers.vuln_classifier.text import Vocabulary
from analyzers.vuln_classifier.vectors import Floats, Integers

if TYPE_CHECKING:
    import xgboost

_ROUNDS = 80
_PARAMETERS = {
    "objective": "binary:logistic",
    "tree_method": "hist",
    "max_bin": 32,
    "max_depth": 4,
    "eta": 0.1,
    "subsample": 0.8,
    "colsample_bytree": 0.7,
    "min_child_weight": 1,
    "lambda": 2.0,
    "nthread": THREADS,
}
_FEWEST_POSITIVES = 2
_VOCABULARY = 12_000
_KIND_VOCABULARY = 4_000
_FEWEST_NAMES = 3
_SMOOTHING = 0.5
_LARGEST_ODDS = 4.0


@dataclass(frozen=True)
class MedicalRows:
    """Records with their labels.

    Attributes
    ----------
    groups
        Vendors: records of one fall into one fold, so that the trees trust no model that knows his products.
    classes
        1 for medical.
    kinds
        Place among `device_types()`; -1 where it is not known.
    """

    groups: tuple[str, ...]
    records: tuple[ReadRecord, ...]
    classes: Integers
    kinds: Integers

    def __len__(self) -> int:
        return len(self.groups)

    def chosen(self, places: Integers) -> MedicalRows:
        """Some of the rows."""
        return MedicalRows(
            tuple(self.groups[place] for place in places),
            tuple(self.records[place] for place in places),
            self.classes[places],
            self.kinds[places],
        )


def fit_relevance(rows: MedicalRows, seed: int, *, written_down: bool = True) -> tuple[Relevance, Floats]:
    """Linear model, trees over its out-of-fold outputs and the signs, and a calibration on out-of-fold predictions.

    Returns
    -------
    tuple
        The model, and the calibrated out-of-fold probability of each row.
    """
    vocabulary = _vocabulary([record for record, label in zip(rows.records, rows.classes, strict=True) if label])
    terms = vocabulary.weighted([record.terms() for record in rows.records])
    weights = _weights(rows.groups, rows.classes)
    folds = np.array([fold_of(group) for group in rows.groups])

    def linear(chosen: Integers) -> LinearModel:
        return fit_linear(terms[chosen], rows.classes[chosen], 2, weights[chosen], seed)

    inputs = relevance_inputs(_held_out(folds, terms, linear), rows.records, written_down)

    def trees(chosen: Integers) -> Callable[[Floats], Floats]:
        booster = _fit_trees(inputs[chosen], rows.classes[chosen], weights[chosen], (1, *COLUMNS.values()), seed)
        return lambda values: probabilities(booster, values)

    raw = log_odds(_held_out(folds, inputs, trees)[:, 1])
    temperature, offset = _platt(raw, rows.classes)
    booster = _fit_trees(inputs, rows.classes, weights, (1, *COLUMNS.values()), seed)
    model = Relevance(vocabulary, linear(np.arange(len(rows))), booster, temperature, offset, written_down)
    return model, calibrated(raw, temperature, offset)


def fit_kinds(
    rows: MedicalRows, devices: Iterable[tuple[str, str]], seed: int, *, written_down: bool = True
) -> tuple[TypeModel, Floats]:
    """The model of the kind from those rows that have one.

    Parameters
    ----------
    devices
        FDA's device names with their regulation numbers.

    Returns
    -------
    tuple
        The model, and the out-of-fold probabilities of the rows that have a kind.
    """
    rows = rows.chosen(np.flatnonzero(rows.kinds >= 0))
    names = tuple(kind.name for kind in device_types())
    device_vocabulary, odds = _device_odds(devices)
    vocabulary = _vocabulary(rows.records, _KIND_VOCABULARY)
    terms = vocabulary.weighted([record.terms() for record in rows.records])
    weights = _weights(rows.groups, rows.kinds)
    folds = np.array([fold_of(group) for group in rows.groups])
    shares = np.bincount(rows.kinds, weights=weights, minlength=len(names))
    shares = (shares / shares.sum()).astype(np.float32)

    def linear(chosen: Integers) -> LinearModel:
        return fit_linear(terms[chosen], rows.kinds[chosen], len(names), weights[chosen], seed)

    known = device_odds(rows.records, device_vocabulary, odds)
    pairs = pair_inputs(rows.records, _held_out(folds, terms, linear), known, shares, written_down)
    right = (rows.kinds[:, None] == np.arange(len(names))[None, :]).astype(np.int64).ravel()
    directions = (1,) * pairs.shape[1]
    pair_weights, pair_folds = np.repeat(weights, len(names)), np.repeat(folds, len(names))

    def trees(chosen: Integers) -> Callable[[Floats], Floats]:
        booster = _fit_trees(pairs[chosen], right[chosen], pair_weights[chosen], directions, seed)
        return lambda values: probabilities(booster, values)

    raw = log_odds(_held_out(pair_folds, pairs, trees)[:, 1]).reshape(-1, len(names))
    temperature = _temperature(raw, rows.kinds)
    booster = _fit_trees(pairs, right, pair_weights, directions, seed)
    last = linear(np.arange(len(rows)))
    model = TypeModel(names, vocabulary, last, device_vocabulary, odds, shares, booster, temperature, written_down)
    return model, softmax(temperature * raw)


def _held_out(folds: Integers, inputs: Any, fit: Callable[[Integers], Callable[[Any], Floats]]) -> Floats:
    """Output for each row by a model of the other folds."""
    parts = [(np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)) for fold in range(FOLDS)]
    found = [(held, fit(others)(inputs[held])) for held, others in parts if len(held)]
    result = np.zeros((len(folds), found[0][1].shape[1]), dtype=np.float32)
    for held, values in found:
        result[held] = values
    return result


def _fit_trees(
    inputs: Floats, classes: Integers, weights: Floats, directions: tuple[int, ...], seed: int
) -> xgboost.Booster:
    """Few, shallow trees; an input may only speak for the class, or only against it, as `directions` says.

    With some hundred positives, a tree that may use a sign either way learns accidents.
    """
    import xgboost

    matrix = training_matrix(inputs)
    matrix.set_label(classes)
    matrix.set_weight(weights)
    return xgboost.train({**_PARAMETERS, "monotone_constraints": directions, "seed": seed}, matrix, _ROUNDS)


def _vocabulary(records: Sequence[ReadRecord], most: int = _VOCABULARY) -> Vocabulary:
    return Vocabulary.fit((record.terms() for record in records), most=most, at_least=_FEWEST_POSITIVES)


def _weights(groups: Sequence[str], classes: Integers) -> Floats:
    """A vendor with n records of a class counts as the root of n: twenty passwords of one product are no twenty."""
    pairs = list(zip(groups, classes.tolist(), strict=True))
    counts = Counter(pairs)
    return np.array([counts[pair] ** -0.5 for pair in pairs], dtype=np.float32)


def _device_odds(devices: Iterable[tuple[str, str]]) -> tuple[Vocabulary, Floats]:
    """Words of device names, and the log-odds of each for each kind against all other devices, at most 4."""
    named = [({*words_of(name)}, number) for name, number in devices]
    vocabulary = Vocabulary.fit((words for words, _ in named), most=_KIND_VOCABULARY, at_least=_FEWEST_NAMES)
    present = vocabulary.present([words for words, _ in named], 1.0)
    columns = []
    for kind in device_types():
        ours = np.array([bool(kind.regulations) and number.startswith(kind.regulations) for _, number in named])
        inside, outside = (np.asarray(present[part].sum(axis=0)).ravel() for part in (ours, ~ours))
        odds = np.log((inside + _SMOOTHING) / (ours.sum() + 1.0)) - np.log(
            (outside + _SMOOTHING) / ((~ours).sum() + 1.0)
        )
        columns.append(np.clip(odds, -_LARGEST_ODDS, _LARGEST_ODDS) if ours.any() else np.zeros(len(vocabulary.terms)))
    return vocabulary, np.stack(columns, axis=1).astype(np.float32)


def _platt(odds: Floats, classes: Integers) -> tuple[float, float]:
    """Temperature and offset of the greatest likelihood (Platt 1999)."""
    from scipy.optimize import minimize

    def loss(parameters: Floats) -> float:
        signed = (parameters[0] * odds + parameters[1]) * np.where(classes, -1.0, 1.0)
        return float(np.logaddexp(0.0, signed).mean() + 1e-4 * (parameters[0] - 1.0) ** 2)

    found = minimize(loss, np.array([1.0, 0.0]), method="Nelder-Mead").x
    return float(found[0]), float(found[1])


def _temperature(odds: Floats, kinds: Integers) -> float:
    """The temperature of the greatest likelihood."""
    rows = np.arange(len(kinds))

    def loss(temperature: float) -> float:
        return float(-np.log(softmax(temperature * odds)[rows, kinds] + 1e-12).mean())

    return float(min(np.linspace(0.2, 3.0, 57), key=loss))
