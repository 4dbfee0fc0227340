"""Records to the columns the models read.

`build` takes nothing but `PublishedRecord`: what was not known at publication cannot get in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse

from analyzers.vuln_classifier.record import PublishedRecord, Scorer, assigner_name
from analyzers.vuln_classifier.text import Vocabulary, field_terms, scorer_terms, text_terms, words
from analyzers.vuln_classifier.vectors import Floats, Integers

TEXT_TERMS = 60_000
FIELD_TERMS = 8_000
_AT_LEAST = 5
_FIELD_WEIGHT = 0.3
"""Of a stated field beside a text whose terms have length 1 together."""


@dataclass(frozen=True)
class Features:
    """The two vocabularies: terms of the text, and stated fields."""

    text: Vocabulary
    fields: Vocabulary

    @classmethod
    def fit(cls, records: Sequence[PublishedRecord], scorers: Sequence[Scorer]) -> Features:
        """Learn both vocabularies from training records."""
        texts = (text_terms(record.description) for record in records)
        text = Vocabulary.fit(texts, most=TEXT_TERMS, at_least=_AT_LEAST)
        stated = ((*field_terms(record), *scorer_terms(record, scorer)) for record, scorer in _zip(records, scorers))
        return cls(text, Vocabulary.fit(stated, most=FIELD_TERMS, at_least=_AT_LEAST))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Name of each column of `build`."""
        return self.text.terms + self.fields.terms

    def read(self, records: Sequence[PublishedRecord]) -> scipy.sparse.csr_matrix:
        """Columns of the text alone, for use with several scorers."""
        return self.text.weighted([text_terms(record.description) for record in records])

    def build(
        self,
        records: Sequence[PublishedRecord],
        scorers: Sequence[Scorer],
        text: scipy.sparse.csr_matrix | None = None,
    ) -> scipy.sparse.csr_matrix:
        """Columns of the text, then of the fields; shape (records, columns).

        Parameters
        ----------
        text
            What `read` gave for these records, if they were read already.
        """
        text = self.read(records) if text is None else text
        return scipy.sparse.csr_matrix(scipy.sparse.hstack([text, self._stated(records, scorers)]), dtype=np.float32)

    def unknown_share(self, records: Sequence[PublishedRecord]) -> Floats:
        """Share of the words of each text that the vocabulary lacks; 1 for an empty text."""
        known = self.text.columns
        shares = []
        for record in records:
            found = words(record.description)
            shares.append(sum(word not in known for word in found) / len(found) if found else 1.0)
        return np.array(shares, dtype=np.float64)

    def _stated(self, records: Sequence[PublishedRecord], scorers: Sequence[Scorer]) -> scipy.sparse.csr_matrix:
        stated = [[*field_terms(record), *scorer_terms(record, scorer)] for record, scorer in _zip(records, scorers)]
        return self.fields.present(stated, _FIELD_WEIGHT)


def frequent_columns(terms: scipy.sparse.csr_matrix, first_field: int, words: int, fields: int) -> Integers:
    """The columns most rows have: `words` of the text and `fields` of the fields, ascending."""
    counts = np.bincount(terms.indices, minlength=terms.shape[1])
    text = np.argsort(-counts[:first_field], kind="stable")[:words]
    stated = first_field + np.argsort(-counts[first_field:], kind="stable")[:fields]
    return np.sort(np.concatenate([text, stated])).astype(np.int64)


def groups(record: PublishedRecord, scorer: Scorer) -> tuple[str, ...]:
    """What a calibrator tells apart: the scorer, and who assigned the id as that scorer rates him."""
    return f"scorer={scorer.value}", f"{scorer.value}&assigner={assigner_name(record.assigner)}"


def without_weakness(record: PublishedRecord) -> PublishedRecord:
    """For the model that predicts the weakness."""
    return replace(record, cwes=())


def _zip(records: Sequence[PublishedRecord], scorers: Sequence[Scorer]) -> Sequence[tuple[PublishedRecord, Scorer]]:
    return list(zip(records, scorers, strict=True))
