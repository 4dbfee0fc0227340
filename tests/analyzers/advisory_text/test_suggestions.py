"""What a language model says counts only where the text says it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.advisory_text import extract
from analyzers.advisory_text.statements import Status
from analyzers.advisory_text.suggestions import add_suggestions, schema

TEXT = (
    "Acme notice\nThe device called frobnicator two is concerned in releases 1.0\n to 1.4. CVE-2024-0001.\n"
    "The firmware of the frobnicator three, 2.1.0, is concerned too.\n"
    "Affected products\n- Pump X1: versions prior to 2.1\nNot affected\n- Pump X9\n"
    "Solution\nUpdate Viewer Z to version 4.4.\n"
)


def answer(*products: dict[str, Any]) -> str:
    return json.dumps({"products": products})


def added(text: str) -> tuple[list[tuple[str, str, str]], int, str]:
    read = extract(TEXT)
    grounded = add_suggestions(TEXT, read, text)
    new = grounded.extraction.products[len(read.products) :]
    assert len(new) == grounded.added
    assert all(product.suggested and product.status is Status.AFFECTED for product in new)
    for product in new:
        assert TEXT[product.name.start : product.name.end] == product.name.text
    found = [
        (
            product.name.text,
            product.phrase.versions if product.phrase else "",
            product.vendor.text if product.vendor else "",
        )
        for product in new
    ]
    return found, grounded.dropped, grounded.problem


def test_what_the_text_says_is_added() -> None:
    product = {"name": "frobnicator two", "vendor": "Acme", "versions": "1.0 to 1.4"}
    assert added(answer(product)) == ([("frobnicator two", "1.0 to 1.4", "Acme")], 0, "")
    assert added(f"```json\n{answer(product)}\n```")[0] != []


@pytest.mark.parametrize(
    "product",
    [
        {"name": "Frobnicator Three"},
        {"name": "robnicator two"},
        {"name": "frobnicator two", "versions": "1.0 to 1.5"},
        {"name": "frobnicator two", "versions": "called"},
        {"name": "frobnicator two", "versions": "1.0"},
        {"name": "frobnicator three", "versions": "1.0"},
        {"name": "frobnicator three", "versions": "2.1"},
        {"name": "frobnicator"[:8]},
        {"name": "is concerned in"[:2]},
        {"name": "versions"},
        {"name": "Pump X9"},
        {"name": "Viewer Z", "versions": "4.4"},
    ],
)
def test_what_the_text_does_not_say_is_dropped(product: dict[str, str]) -> None:
    assert added(answer(product)) == ([], 1, "")


def test_a_vendor_that_the_text_does_not_name_is_left_out() -> None:
    assert added(answer({"name": "frobnicator two", "vendor": "Umbrella"}))[0] == [("frobnicator two", "", "")]


def test_what_the_rules_have_found_is_not_added_again() -> None:
    assert added(answer({"name": "pump X1", "versions": ""}, {"name": "Pump X1", "versions": "prior to 2.1"})) == (
        [],
        0,
        "",
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I am sorry",
        "{}",
        "[]",
        '{"products": 3}',
        '{"products": [{"name": 3}]}',
        '{"products": [{"name": "frobnicator two", "severity": "high"}]}',
        '{"products": [], "note": "x"}',
        '{"products": [{"name": "' + "x" * 300 + '"}]}',
        answer(*({"name": "frobnicator two"} for _ in range(501))),
    ],
)
def test_an_answer_against_the_schema_is_dropped_whole(text: str) -> None:
    found, dropped, problem = added(text)
    assert (found, dropped) == ([], 0)
    assert problem.startswith("the answer does not follow the schema")


@settings(deadline=None)  # the first one reads the weights
@given(st.text(max_size=80), st.text(max_size=30), st.text(max_size=30))
def test_never_raises(text: str, name: str, versions: str) -> None:
    for said in (text, answer({"name": name, "versions": versions})):
        for product in add_suggestions(TEXT, extract(TEXT), said).extraction.products:
            assert TEXT[product.name.start : product.name.end] == product.name.text


def test_the_schema_asks_for_nothing_else() -> None:
    assert schema()["additionalProperties"] is False
