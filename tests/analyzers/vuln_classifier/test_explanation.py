"""The line that says why."""

from __future__ import annotations

import pytest

from analyzers.vuln_classifier.explanation import readable, told_term


@pytest.mark.parametrize(
    ("term", "told"),
    [
        ("buffer overflow", '"buffer overflow"'),
        ("own=icscert", "assigner icscert"),
        ("assigner=icscert", "assigner icscert"),
        ("vendor=baxter", "vendor baxter"),
        ("cwe=79", "CWE-79"),
        ("nvd&cwe=79", "CWE-79"),
        ("scorer=nvd", "rated by nvd"),
    ],
)
def test_fields_are_told_by_their_names_and_words_in_quotes(term: str, told: str) -> None:
    assert told_term(term) == told


def test_one_line_for_the_vector_and_nothing_twice() -> None:
    words = {"AV": ("remote", "own=icscert"), "AC": (), "PR": ("own=icscert", "assigner=icscert")}
    assert readable(words, (0, 0, 0, 0, 0, 0, 0, 0)) == 'AV:N for "remote", assigner icscert; PR:N for assigner icscert'
