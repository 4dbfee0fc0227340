"""The words that moved a prediction.

The trees' contributions (TreeSHAP) are for their inputs: terms, and outputs of the linear models. An output's share is
handed on to the terms it was made of, in proportion to what each of them adds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
import scipy.sparse

from analyzers.vuln_classifier.boosting import contributions
from analyzers.vuln_classifier.classifier import Classifier
from analyzers.vuln_classifier.heads import CVSS_HEADS
from analyzers.vuln_classifier.record import PublishedRecord, Scorer
from analyzers.vuln_classifier.vectors import METRICS, Floats

WORDS = 2
_LONGEST = 30


def moving_words(
    classifier: Classifier, record: PublishedRecord, scorer: Scorer, vector: tuple[int, ...], number: int = WORDS
) -> dict[str, tuple[str, ...]]:
    """The terms that speak most for each metric's value.

    Returns
    -------
    dict
        Metric, such as ``AV``, to at most `number` terms, the strongest first; none where nothing speaks for it.
    """
    terms = classifier.features.build([record], [scorer])
    inputs = classifier.inputs(terms)
    names = classifier.features.names
    found = {}
    for metric, value in zip(METRICS, vector, strict=True):
        target = classifier.cvss[metric]
        shares = contributions(target.booster, inputs)[0, value]
        weights = _by_term(classifier, terms, shares)
        ordered = sorted(weights.items(), key=lambda item: (-item[1], item[0]))
        found[metric] = tuple(names[column][:_LONGEST] for column, weight in ordered[:number] if weight > 0.0)
    return found


def readable(words: Mapping[str, tuple[str, ...]], vector: tuple[int, ...]) -> str:
    """One line: ``AV:N for "remote", "http"; C:H for "disclosure"``."""
    values = dict(zip(METRICS, vector, strict=True))
    told = [
        f"{metric}:{METRICS[metric][values[metric]]} for " + ", ".join(f'"{term}"' for term in terms)
        for metric, terms in words.items()
        if terms
    ]
    return "; ".join(told)


def _by_term(classifier: Classifier, terms: scipy.sparse.csr_matrix, shares: Floats) -> dict[int, float]:
    """Contribution of each term that the record has."""
    weights: dict[int, float] = defaultdict(float)
    present = {int(column): float(value) for column, value in zip(terms.indices, terms.data, strict=True)}
    place = 0
    for head in CVSS_HEADS:
        linear = classifier.cvss[head].linear
        for label in range(linear.weights.shape[1]):
            _hand_on(weights, present, linear.weights[:, label], float(shares[place]))
            place += 1
    for column, share in zip(classifier.cvss[CVSS_HEADS[0]].columns.tolist(), shares[place:].tolist(), strict=True):
        if column in present:
            weights[column] += share
    return weights


def _hand_on(weights: dict[int, float], present: Mapping[int, float], coefficients: Floats, share: float) -> None:
    added = {column: value * float(coefficients[column]) for column, value in present.items()}
    total = sum(added.values())
    strength = sum(map(abs, added.values()))
    if strength == 0.0 or share == 0.0:
        return
    direction = np.sign(total) or 1.0
    for column, value in added.items():
        weights[column] += share * direction * value / strength
