"""From a record to weighted terms: words, pairs of words, and what the assigner states beside them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import scipy.sparse

from analyzers.vuln_classifier.record import PublishedRecord, Scorer, assigner_name

MAX_CHARACTERS = 4000
"""The longest description of ten years; what follows in a longer text is not read."""
# A metric of a quoted vector, a word, or a decimal as scores are written.
_WORD = re.compile(r"\b(?:av|ac|pr|ui|s|c|i|a):[nalphrcu]\b|[a-z][a-z_]+|(?<![\d.])\d{1,2}\.\d(?![\d.])")
_MARKUP = re.compile(r"<[^<>]{0,200}>")


def words(text: str) -> list[str]:
    """Lower-case words of `text`, without markup, control characters and version numbers."""
    plain = unicodedata.normalize("NFKC", _MARKUP.sub(" ", text[:MAX_CHARACTERS])).lower()
    return _WORD.findall(plain)


def text_terms(text: str) -> Iterator[str]:
    """Words and pairs of neighbouring words."""
    found = words(text)
    yield from found
    for first, second in pairwise(found):
        yield f"{first} {second}"


def field_terms(record: PublishedRecord) -> Iterator[str]:
    """What the record states beside its text, each as ``field=value``."""
    assigner = assigner_name(record.assigner)
    if assigner:
        yield f"assigner={assigner}"
    for name, text in (("vendor", record.vendor), ("product", record.product)):
        yield from {f"{name}={word}" for word in words(text.replace("_", " "))}
    for cwe in record.cwes:
        yield f"cwe={cwe}"


def scorer_terms(record: PublishedRecord, scorer: Scorer) -> Iterator[str]:
    """Who rates, alone and together with what the rating of that scorer depends on."""
    yield f"scorer={scorer.value}"
    if scorer is Scorer.ASSIGNER:
        yield f"own={assigner_name(record.assigner)}"
    for cwe in record.cwes:
        yield f"{scorer.value}&cwe={cwe}"


@dataclass(frozen=True)
class Vocabulary:
    """Terms with their inverse document frequencies; a term's place is its column."""

    terms: tuple[str, ...]
    idf: np.ndarray

    @cached_property
    def columns(self) -> dict[str, int]:
        """Column of each term."""
        return {term: column for column, term in enumerate(self.terms)}

    @classmethod
    def fit(cls, documents: Iterable[Iterable[str]], *, most: int, at_least: int) -> Vocabulary:
        """Keep the `most` frequent terms that occur in at least `at_least` documents.

        Returns
        -------
        Vocabulary
            Terms in alphabetical order; idf is ``ln((1 + n) / (1 + df)) + 1``.
        """
        counts: Counter[str] = Counter()
        number = 0
        for document in documents:
            counts.update(set(document))
            number += 1
        kept = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]
        frequent = sorted((term, count) for term, count in kept if count >= at_least)
        frequencies = np.array([count for _, count in frequent], dtype=np.float64)
        idf = np.log((1.0 + number) / (1.0 + frequencies)) + 1.0
        return cls(tuple(term for term, _ in frequent), idf.astype(np.float32))

    def single_words(self) -> Vocabulary:
        """The same without pairs of words."""
        kept = [place for place, term in enumerate(self.terms) if " " not in term]
        return Vocabulary(tuple(self.terms[place] for place in kept), self.idf[kept])

    def weighted(self, documents: Sequence[Iterable[str]]) -> scipy.sparse.csr_matrix:
        """TF-IDF with logarithmic term frequency, rows of length 1 (Salton and Buckley 1988)."""
        counts = self._counts(documents)
        counts.data = (1.0 + np.log(counts.data)) * self.idf[counts.indices]
        return _unit_rows(counts)

    def present(self, documents: Sequence[Iterable[str]], weight: float) -> scipy.sparse.csr_matrix:
        """`weight` where a document has a term."""
        counts = self._counts(documents)
        counts.data[:] = weight
        return counts

    def _counts(self, documents: Sequence[Iterable[str]]) -> scipy.sparse.csr_matrix:
        indices: list[int] = []
        values: list[float] = []
        ends = [0]
        columns = self.columns
        for document in documents:
            counts = Counter(column for term in document if (column := columns.get(term)) is not None)
            ordered = sorted(counts)
            indices += ordered
            values += [counts[column] for column in ordered]
            ends.append(len(indices))
        arrays = (np.array(values, dtype=np.float32), np.array(indices, dtype=np.int32), np.array(ends, dtype=np.int64))
        return scipy.sparse.csr_matrix(arrays, shape=(len(documents), len(self.terms)))


def _unit_rows(matrix: scipy.sparse.csr_matrix) -> scipy.sparse.csr_matrix:
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    lengths[lengths == 0.0] = 1.0
    return scipy.sparse.csr_matrix(scipy.sparse.diags(1.0 / lengths) @ matrix, dtype=np.float32)
