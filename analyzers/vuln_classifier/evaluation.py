"""How good the models are: figures on a period they were neither trained nor calibrated on.

Choices were made on the calibration period; the test period is for measuring only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analyzers.vuln_classifier.calibration import calibration_error
from analyzers.vuln_classifier.classifier import Classifier
from analyzers.vuln_classifier.heads import BAND, classes_of
from analyzers.vuln_classifier.linear import fit_linear
from analyzers.vuln_classifier.training import Rows, Stage
from analyzers.vuln_classifier.vectors import METRICS, Floats, Integers, bands, base_score


@dataclass(frozen=True, slots=True)
class CvssFigures:
    """Of one model on one set of rated records.

    Attributes
    ----------
    accuracy, macro_f1
        Of each metric.
    band
        Share of right severity bands, by the score of the predicted vector.
    error
        Mean absolute error of the base score.
    calibration
        Expected calibration error of each metric and of the band; empty for models without probabilities.
    """

    name: str
    rows: int
    accuracy: dict[str, float]
    macro_f1: dict[str, float]
    band: float
    error: float
    calibration: dict[str, float]


def measure(name: str, vectors: Integers, rows: Rows, probabilities: dict[str, Floats] | None = None) -> CvssFigures:
    """Figures of predicted vectors, shape (records, 8)."""
    targets = rows.targets()
    scores = np.array([base_score(tuple(vector)) for vector in vectors.tolist()])
    truth = np.array([base_score(vector) for vector in rows.vectors])
    columns = {metric: vectors[:, place] for place, metric in enumerate(METRICS)}
    return CvssFigures(
        name,
        len(rows),
        {metric: float((column == targets[metric]).mean()) for metric, column in columns.items()},
        {metric: macro_f1(column, targets[metric], len(METRICS[metric])) for metric, column in columns.items()},
        float((bands(scores) == targets[BAND]).mean()),
        float(np.abs(scores - truth).mean()),
        {each: calibration_error(found, targets[each]) for each, found in (probabilities or {}).items()},
    )


def measure_classifier(name: str, classifier: Classifier, rows: Rows) -> CvssFigures:
    """Figures of the delivered vectors."""
    found = classifier.predict_cvss(rows.records, rows.scorers)
    return measure(name, classifier.space.vectors[found.chosen], rows, {**found.metrics, BAND: found.bands})


def measure_marginals(name: str, classifier: Classifier, rows: Rows) -> CvssFigures:
    """Each metric's own likeliest value, as a person reads the probabilities: not necessarily one coherent vector."""
    found = classifier.predict_cvss(rows.records, rows.scorers)
    return measure(name, np.stack([found.metrics[metric].argmax(axis=1) for metric in METRICS], axis=1), rows)


def measure_majority(train: Rows, rows: Rows) -> CvssFigures:
    """The most frequent value of each metric."""
    vectors = np.array(train.vectors)
    values = [int(np.bincount(vectors[:, place]).argmax()) for place in range(len(METRICS))]
    return measure("majority class", np.tile(values, (len(rows), 1)), rows)


def measure_floor(name: str, stage: Stage, train: Rows, rows: Rows, seed: int, *, fields: bool) -> CvssFigures:
    """TF-IDF with logistic SGD, each metric alone: text only, or with the assigner's words (no scorer, no weakness)."""
    allowed = [
        column
        for column, term in enumerate(stage.features.names)
        if column < len(stage.features.text.terms) or (fields and term.startswith(("assigner=", "vendor=", "product=")))
    ]
    terms, held = stage.terms[:, allowed], stage.features.build(rows.records, rows.scorers)[:, allowed]
    ones = np.ones(len(train), dtype=np.float32)
    columns = []
    for metric in METRICS:
        model = fit_linear(terms, train.targets()[metric], len(classes_of(metric)), ones, seed)
        columns.append(model(held).argmax(axis=1))
    return measure(name, np.stack(columns, axis=1), rows)


def macro_f1(predicted: Integers, truth: Integers, number: int) -> float:
    """Mean F1 over the classes that occur in the truth or the prediction."""
    scores = []
    for each in range(number):
        hits = float(((predicted == each) & (truth == each)).sum())
        told, there = float((predicted == each).sum()), float((truth == each).sum())
        if told or there:
            scores.append(2.0 * hits / (told + there))
    return float(np.mean(scores))


def coverage(confidence: Floats, right: Floats, wanted: float) -> float:
    """Greatest share of records, the surest first, of which `wanted` are right."""
    order = np.argsort(-confidence, kind="stable")
    accuracy = np.cumsum(right[order]) / np.arange(1, len(right) + 1)
    reached = np.flatnonzero(accuracy >= wanted)
    return float((reached[-1] + 1) / len(right)) if len(reached) else 0.0


def band_confidence(classifier: Classifier, rows: Rows) -> tuple[Floats, Floats]:
    """Probability of the delivered band, and whether it was right."""
    found = classifier.predict_cvss(rows.records, rows.scorers)
    delivered = classifier.space.bands[found.chosen]
    return found.bands[np.arange(len(rows)), delivered], (delivered == rows.targets()[BAND]).astype(np.float64)


def area_under_curve(scores: Floats, truth: Integers) -> float:
    """Area under the ROC curve, by ranks; ties count half."""
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(1, len(scores) + 1)
    _, first, counts = np.unique(ordered, return_index=True, return_counts=True)
    ranks[order] = np.repeat(first + (counts + 1) / 2.0, counts)
    positive = int(truth.sum())
    negative = len(truth) - positive
    if not positive or not negative:
        return float("nan")
    return float((ranks[truth == 1].sum() - positive * (positive + 1) / 2.0) / (positive * negative))


def average_precision(scores: Floats, truth: Integers) -> float:
    """Mean precision at each positive, the highest scores first."""
    order = np.argsort(-scores, kind="stable")
    hits = truth[order]
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float((precision * hits).sum() / max(1, hits.sum()))


def lift(scores: Floats, truth: Integers, share: float = 0.01) -> float:
    """How many times as many positives are among the highest `share` as among all."""
    top = max(1, round(len(scores) * share))
    chosen = np.argsort(-scores, kind="stable")[:top]
    return float(truth[chosen].mean() / truth.mean()) if truth.any() else float("nan")
