"""Real notes of CISA's medical advisories, where they are on this machine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from analyzers.advisory_text import extract
from analyzers.advisory_text.statements import Status
from analyzers.matching.names.normalise import squash
from connectors.reading import read_json_lines
from meddojo.interface import Skipped
from tests.analyzers.advisory_text.test_extraction import spans


@pytest.fixture(scope="module")
def documents(shared_data: Path) -> list[dict[str, Any]]:
    lines = read_json_lines(shared_data / "cisa_csaf_icsma.jsonl.zst")
    return [item[1] for item in lines if not isinstance(item, Skipped)]


def names(branches: list[dict[str, Any]]) -> set[str]:
    found = {branch["name"] for branch in branches if branch["category"] == "product_name"}
    return found.union(*(names(branch.get("branches", [])) for branch in branches))


def full_names(branches: list[dict[str, Any]]) -> list[str]:
    found = [branch["product"]["name"] for branch in branches if "product" in branch]
    return found + [name for branch in branches for name in full_names(branch.get("branches", []))]


def test_places_are_what_they_say_in_every_document(documents: list[dict[str, Any]]) -> None:
    assert len(documents) == 124
    for document in documents:
        text = "\n".join(
            note["text"]
            for notes in (
                document["document"]["notes"],
                *(each.get("notes", []) for each in document["vulnerabilities"]),
            )
            for note in notes
        )
        for each in spans(extract(text)):
            assert text[each.start : each.end] == each.text


def test_most_listed_products_are_read(documents: list[dict[str, Any]]) -> None:
    """A floor well below what `benchmarks/advisory_text.py` shows, by the same letters and digits only."""
    right = true = said = 0
    for document in documents:
        branches = document["product_tree"]["branches"]
        items = "\n".join(f"- {name}" for name in full_names(branches))
        read = extract(f"Affected products\n{items}\n").of(Status.AFFECTED)
        wanted = {squash(name) for name in names(branches)}
        got = {squash(f"{product.vendor.text if product.vendor else ''}{product.name.text}") for product in read}
        got |= {squash(product.name.text) for product in read}
        right += len(wanted & got)
        true += len(wanted)
        said += len({re.sub(r"\s+", " ", product.name.text) for product in read})
    assert right / true > 0.7
    assert said < 1.3 * true
