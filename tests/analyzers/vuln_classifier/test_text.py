"""Terms of texts, whatever is in them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.vuln_classifier.record import PublishedRecord, Scorer, assigner_name
from analyzers.vuln_classifier.text import MAX_CHARACTERS, Vocabulary, field_terms, scorer_terms, text_terms, words


def test_versions_and_markup_are_no_words_but_scores_and_metrics_are() -> None:
    found = words("<b>Acme</b> Pump 1.2.3 before 4.10-rc1: Base Score 7.5 (CVSS:3.1/AV:N/AC:L)")
    assert found == ["acme", "pump", "before", "rc", "base", "score", "7.5", "cvss", "3.1", "av:n", "ac:l"]


def test_pairs_stand_beside_words() -> None:
    assert list(text_terms("buffer overflow here")) == [
        "buffer", "overflow", "here", "buffer overflow", "overflow here",
    ]  # fmt: skip


@given(st.text(max_size=400))
def test_any_text_gives_plain_lower_case_words(text: str) -> None:
    assert all(word and word == word.lower() and not word.isspace() and "\x00" not in word for word in words(text))


def test_what_follows_in_an_endless_text_is_not_read() -> None:
    assert "late" not in words("early " * MAX_CHARACTERS + "late")


def test_an_assigner_has_one_name() -> None:
    assert assigner_name("ICS-CERT@hq.dhs.gov") == assigner_name("icscert") == "icscert"
    assert assigner_name(" Nobody@Example.org ") == "nobody@example.org"


def test_fields_are_told_apart_and_the_assigners_name_counts_twice_if_he_rates() -> None:
    record = PublishedRecord("x", "icscert", "Acme_Corp", "Pump", (79,))
    assert set(field_terms(record)) == {"assigner=icscert", "vendor=acme", "vendor=corp", "product=pump", "cwe=79"}
    assert "own=icscert" in set(scorer_terms(record, Scorer.ASSIGNER))
    assert not any(term.startswith("own=") for term in scorer_terms(record, Scorer.NVD))


def test_rows_have_length_one_and_rare_terms_are_left_out() -> None:
    documents = [["common", "rare"], ["common", "other"], ["common"]]
    vocabulary = Vocabulary.fit(documents, most=10, at_least=2)
    assert vocabulary.terms == ("common",)
    matrix = vocabulary.weighted([["common", "common"], ["unknown"], []])
    assert matrix.toarray().ravel() == pytest.approx(np.array([1.0, 0.0, 0.0]))


def test_a_vocabulary_without_pairs_keeps_the_weights_of_its_words() -> None:
    full = Vocabulary.fit([text_terms("pump overflow"), text_terms("pump")], most=10, at_least=1)
    words_only = full.single_words()
    assert words_only.terms == ("overflow", "pump")
    assert words_only.idf.tolist() == [full.idf[full.columns[term]] for term in words_only.terms]
