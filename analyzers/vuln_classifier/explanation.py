"""The words that moved a prediction.

The trees' contributions (TreeSHAP) are for their inputs: terms, and outputs of the linear models. An output's share is
handed on to the terms it was made of, in proportion to what each of them adds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

import numpy as np
import scipy.sparse

from analyzers.vuln_classifier.boosting import contributions
from analyzers.vuln_classifier.classifier import Classifier
from analyzers.vuln_classifier.heads import CVSS_HEADS
from analyzers.vuln_classifier.vectors import METRICS, Floats, Integers

WORDS = 2
_LONGEST = 30
_COMMON = frozenset(
    """
    about after all an and are as at be been before by can could for from has have how in into is issue it its may not
    of on or that the their there these this through to up via was when where which while will with within
    """.split()
)
"""Words that say nothing to a reader, whatever they say to the model."""
_FIELDS = {"cwe": "CWE-", "own": "assigner", "scorer": "rated by"}
"""Fields whose names in the vocabulary are not a reader's."""


def moving_words(
    classifier: Classifier,
    terms: scipy.sparse.csr_matrix,
    vectors: Sequence[tuple[int, ...]],
    number: int = WORDS,
) -> list[dict[str, tuple[str, ...]]]:
    """The terms that speak most for each metric's value, for each record.

    Parameters
    ----------
    terms
        The records' columns, from `Features.build`.
    vectors
        The vector to explain of each record.

    Returns
    -------
    list of dict
        Metric, such as ``AV``, to at most `number` terms, the strongest first; none where nothing speaks for it.
    """
    inputs = classifier.inputs(terms)
    found: list[dict[str, tuple[str, ...]]] = [{} for _ in vectors]
    present = [_Present.of(classifier, terms[row]) for row in range(len(vectors))]
    for metric, name in enumerate(METRICS):
        shares = contributions(classifier.cvss[name].booster, inputs)
        for row, vector in enumerate(vectors):
            found[row][name] = present[row].strongest(shares[row, vector[metric]], number)
    return found


def readable(words: Mapping[str, tuple[str, ...]], vector: tuple[int, ...]) -> str:
    """One line: ``AV:N for "remote", "http"; C:H for "disclosure", CWE-200``."""
    values = dict(zip(METRICS, vector, strict=True))
    told = [
        f"{metric}:{METRICS[metric][values[metric]]} for " + ", ".join(dict.fromkeys(map(told_term, terms)))
        for metric, terms in words.items()
        if terms
    ]
    return "; ".join(told)


def told_term(term: str) -> str:
    """A term as a person reads it: words of the text in quotes, stated fields by their name."""
    field, equals, value = term.partition("=")
    if not equals:
        return f'"{term}"'
    name = _FIELDS.get(field.rpartition("&")[2], field)
    return f"{name}{value}" if name.endswith("-") else f"{name} {value}"


@dataclass(frozen=True)
class _Present:
    """The terms one record has.

    Attributes
    ----------
    added
        Shape (outputs, terms): what each term adds to each linear output, as a share of all that is added to it.
    direct
        Place of each term among the trees' own inputs; -1 for none.
    """

    names: tuple[str, ...]
    added: Floats
    direct: Integers

    @classmethod
    def of(cls, classifier: Classifier, row: scipy.sparse.csr_matrix) -> _Present:
        columns, values = row.indices, row.data
        weights = np.hstack([classifier.cvss[head].linear.weights[columns] for head in CVSS_HEADS]).astype(np.float64)
        added = weights.T * values[None, :]
        strength = np.abs(added).sum(axis=1, keepdims=True)
        # A term that pulls the way its output went gets a share of the output's sign.
        added = added / np.where(strength > 0.0, strength, 1.0) * np.sign(added.sum(axis=1, keepdims=True))
        own = {column: place for place, column in enumerate(classifier.cvss[CVSS_HEADS[0]].columns.tolist())}
        direct = np.array([own.get(column, -1) for column in columns.tolist()], dtype=np.int64)
        return cls(tuple(classifier.features.names[column] for column in columns), added, direct)

    def strongest(self, shares: Floats, number: int) -> tuple[str, ...]:
        outputs = self.added.shape[0]
        weights = shares[:outputs] @ self.added
        weights = weights + np.where(self.direct >= 0, shares[outputs:][self.direct], 0.0)
        order = np.argsort(-weights, kind="stable").tolist()
        speaking = takewhile(lambda place: weights[place] > 0.0, order)
        telling = (self.names[place] for place in speaking if _telling(self.names[place]))
        return tuple(name[:_LONGEST] for name in islice(telling, number))


def _telling(term: str) -> bool:
    return not _COMMON.issuperset(term.split())
