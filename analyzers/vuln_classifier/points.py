"""Training of the targets that hang on the vulnerability alone: SSVC, KEV within a year, CWE."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta

import numpy as np
import scipy.sparse

from analyzers.vuln_classifier.boosting import fit_booster, probabilities, training_matrix
from analyzers.vuln_classifier.calibration import fit_calibrator, softmax
from analyzers.vuln_classifier.classifier import EVERYONE, Target, point_inputs
from analyzers.vuln_classifier.features import Features, without_weakness
from analyzers.vuln_classifier.labels import Example
from analyzers.vuln_classifier.linear import LinearModel, fit_linear, fold_of, out_of_fold
from analyzers.vuln_classifier.record import PublishedRecord, Scorer
from analyzers.vuln_classifier.vectors import Floats, Integers
from analyzers.vuln_classifier.weakness import WeaknessModel, best_candidates, pair_inputs

OWN_TERMS = 150
PRUNED_TERMS = 6_000
_ROUNDS = 60
_RARE_WEAKNESS = 30
_SINCE = 2016
"""NVD's weaknesses were coarser before."""
Shared = Callable[[scipy.sparse.csr_matrix], Floats]


def fit_point(
    features: Features,
    shared: Shared,
    classes: tuple[str, ...],
    train: tuple[Sequence[Example], Integers],
    later: tuple[Sequence[Example], Integers],
    seed: int,
    rarest: float = 1.0,
) -> Target:
    """Linear model out of fold, trees, and a temperature with one offset per class fitted on what came later.

    Parameters
    ----------
    shared
        The CVSS targets' linear outputs.
    train, later
        Examples with their classes.
    rarest
        How much a row of any class but the first weighs in the trees; the calibration undoes the shift.
    """
    names = [example.cve for example in train[0]]
    terms = terms_of([example.record for example in train[0]], features)
    labels = train[1]
    ones = np.ones(len(labels), dtype=np.float32)

    def fit(chosen: Integers) -> LinearModel:
        return fit_linear(terms[chosen], labels[chosen], len(classes), ones[chosen], seed)

    columns = telling_columns(terms, labels)
    inputs = point_inputs(shared(terms), out_of_fold(names, terms, fit), terms, columns)
    weights = np.where(labels > 0, rarest, 1.0).astype(np.float32)
    booster = fit_booster(training_matrix(inputs), labels, len(classes), weights, seed, _ROUNDS)
    linear = fit(np.arange(len(labels))).pruned(PRUNED_TERMS)
    later_terms = terms_of([example.record for example in later[0]], features)
    found = probabilities(booster, point_inputs(shared(later_terms), linear(later_terms), later_terms, columns))
    everyone = [(EVERYONE,)] * len(later[1])
    calibrator = fit_calibrator(found, later[1], everyone, shrinkage=0.5, smallest_group=1)
    return Target(classes, linear, columns, booster, calibrator)


def terms_of(records: Sequence[PublishedRecord], features: Features) -> scipy.sparse.csr_matrix:
    """Columns of records whose scorer does not matter."""
    return features.build(records, [Scorer.ASSIGNER] * len(records))


def telling_columns(terms: scipy.sparse.csr_matrix, labels: Integers) -> Integers:
    """The columns that part the first class from the others best (two-sample z of the share that has the term)."""
    present = terms.astype(bool).astype(np.float32)
    first, others = present[labels == 0], present[labels > 0]
    shares = [np.asarray(part.mean(axis=0)).ravel() if part.shape[0] else 0.0 for part in (first, others)]
    overall = np.asarray(present.mean(axis=0)).ravel()
    spread = np.sqrt(
        np.maximum(overall * (1.0 - overall), 0.0) * (1.0 / max(1, first.shape[0]) + 1.0 / max(1, others.shape[0]))
    )
    distance = np.abs(shares[0] - shares[1]) / np.maximum(spread, 1e-9)
    return np.sort(np.argsort(-distance, kind="stable")[:OWN_TERMS]).astype(np.int64)


def exploited_labels(examples: Sequence[Example]) -> Integers:
    """1 for a KEV entry within a year of publication."""
    year = timedelta(days=365)
    return np.array(
        [each.exploited is not None and each.exploited <= each.published + year for each in examples], dtype=np.int64
    )


def fit_weakness(
    features: Features, shared: Shared, train: Sequence[Example], later: Sequence[Example], seed: int
) -> WeaknessModel | None:
    """Both stages: a third of `train` is held out of the first to train the second; `later` sets the temperature.

    Returns
    -------
    WeaknessModel or None
        None where no weakness has enough records.
    """
    examples = [each for each in train if each.weakness and each.published.year >= _SINCE]
    counts = Counter(each.weakness for each in examples)
    if not any(count >= _RARE_WEAKNESS for count in counts.values()):
        return None
    numbers = tuple(sorted(number for number, count in counts.items() if count >= _RARE_WEAKNESS))
    examples = [each for each in examples if each.weakness in numbers]
    labels = np.array([numbers.index(each.weakness) for each in examples], dtype=np.int64)
    terms = terms_of([without_weakness(each.record) for each in examples], features)
    ones = np.ones(len(labels), dtype=np.float32)

    def fit(chosen: Integers) -> LinearModel:
        return fit_linear(terms[chosen], labels[chosen], len(numbers), ones[chosen], seed, epochs=5)

    folds = np.array([fold_of(each.cve) for each in examples])
    aside, others = np.flatnonzero(folds == 0), np.flatnonzero(folds != 0)
    shares = _recent_shares(examples, labels, len(numbers))
    held = fit(others)(terms[aside])
    candidates = best_candidates(held)
    pairs = pair_inputs(held, candidates, shared(terms[aside]), shares)
    right = (candidates == labels[aside][:, None]).ravel().astype(np.int64)
    weights = np.ones(len(right), dtype=np.float32)
    booster = fit_booster(training_matrix(pairs), right, 2, weights, seed, _ROUNDS)
    model = WeaknessModel(numbers, shares, fit(np.arange(len(labels))).pruned(PRUNED_TERMS), booster, 1.0)
    return WeaknessModel(numbers, shares, model.linear, booster, _temperature(model, features, shared, later))


def _recent_shares(examples: Sequence[Example], labels: Integers, number: int) -> Floats:
    end = max(each.published for each in examples)
    recent = [label for each, label in zip(examples, labels, strict=True) if each.published > end - timedelta(days=730)]
    counts = np.bincount(np.array(recent, dtype=np.int64), minlength=number) + 0.5
    shares: Floats = (counts / counts.sum()).astype(np.float32)
    return shares


def _temperature(model: WeaknessModel, features: Features, shared: Shared, later: Sequence[Example]) -> float:
    """The temperature of the greatest likelihood on records whose class is among the candidates."""
    known = [each for each in later if each.weakness in model.numbers]
    if not known:
        return 1.0
    terms = terms_of([without_weakness(each.record) for each in known], features)
    odds = model.linear(terms)
    candidates = best_candidates(odds)
    preference = model.preference(odds, candidates, shared(terms))
    truth = np.array([model.numbers.index(each.weakness) for each in known])
    rows, places = np.nonzero(candidates == truth[:, None])

    def loss(temperature: float) -> float:
        return float(-np.log(softmax(temperature * preference)[rows, places] + 1e-12).mean())

    return float(min(np.linspace(0.3, 2.0, 35), key=loss))


def matured(examples: Sequence[Example], end: date) -> list[Example]:
    """Those a whole year of the catalogue is known of: published between its start and a year before `end`."""
    start = date(2021, 7, 1)
    return [each for each in examples if start <= each.published <= end - timedelta(days=365)]
