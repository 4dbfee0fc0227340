"""Vendors that a product's name implies: learning, the shipped table, and what an advisory makes of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.advisory_text import extract, implied_vendors, read_advisory
from analyzers.advisory_text.implied_vendors import LONGEST_TEXT, implied_vendor, names, read_table, shipped_table
from analyzers.advisory_text.vendor_training import LEAST_PROBABILITY, Record, learn, write_table
from meddojo.bulletin import Bulletin, BulletinFormat
from meddojo.errors import TerminalError

RECORDS = [
    *[
        Record(f"A flaw in Frobnicator Clinic Manager {number}.0 allows spying.", "acme", "frobnicator")
        for number in range(9)
    ],
    *[Record(f"Viewer Pro {number}.1 on the Frobnicator has a flaw.", "umbrella", "viewer pro") for number in range(1)],
    *[Record(f"The Gateway of {maker} has a flaw.", maker, "gateway") for maker in ("acme", "globex", "initech")],
    *[Record("Issue in the login of the web page XYZ9 seen.", "globex", "portal") for _ in range(9)],
]


def test_names_that_are_nearly_always_one_vendors_are_learnt() -> None:
    table = learn(RECORDS)
    assert table["frobnicator"] == ("acme", round(9 / 11, 3))
    assert "gateway" not in table  # three vendors have one
    assert "xyz9" not in table  # stands beside the product, and is no part of its name
    assert all(probability >= LEAST_PROBABILITY for _, probability in table.values())
    found = implied_vendor("Somebody else's Frobnicator is at risk.", table)
    assert found is not None
    assert (found.name, found.span.text) == ("acme", "Frobnicator")


def test_a_longer_name_that_says_no_more_is_left_out() -> None:
    records = [Record("A flaw in Frobnicator Pro.", "acme", "frobnicator pro") for _ in range(9)]
    assert set(learn(records)) == {"frobnicator", "pro"}


def test_one_vendor_with_and_without_its_legal_form() -> None:
    records = [
        Record("A flaw in Frobnicator.", vendor, "frobnicator") for vendor in ["acme"] * 3 + ["acme project"] * 2
    ]
    assert learn(records)["frobnicator"] == ("acme", round(5 / 6, 3))


def test_a_table_comes_back_as_it_was_written() -> None:
    table = learn(RECORDS)
    assert table
    assert read_table(write_table(table)) == table


@given(st.text(max_size=300))
def test_names_are_slices_of_the_beginning(text: str) -> None:
    for name, span in names(text):
        assert text[span.start : span.end] == span.text
        assert len(name.split(" ")) <= 3
        assert span.end <= LONGEST_TEXT


def test_the_shipped_table_is_small_and_knows_the_large() -> None:
    table = shipped_table()
    assert sum(len(name) + len(vendor) + 8 for name, (vendor, _) in table.items()) < 1_500_000
    assert min(probability for _, probability in table.values()) >= LEAST_PROBABILITY
    for text, vendor in (("A flaw in Acrobat Reader.", "adobe"), ("Safari before 12.13 is affected.", "apple")):
        found = implied_vendor(text)
        assert found is not None
        assert found.name == vendor


def test_a_changed_table_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "implied_vendors.tsv").write_text("a\tb\t0.9\n", "utf-8")
    (tmp_path / "implied_vendors.toml").write_text('sha256 = "0"\n', "utf-8")
    monkeypatch.setattr(implied_vendors, "files", lambda package: tmp_path)
    with pytest.raises(TerminalError, match="not the one that was shipped"):
        shipped_table.__wrapped__()


def test_a_vendor_that_is_named_always_wins() -> None:
    read = extract("Vendor: Umbrella\nAcrobat Reader before 2.1 has a flaw.")
    assert read.vendor is not None
    assert read.implied_vendor is None


def advisory(text: str, probability: float, monkeypatch: pytest.MonkeyPatch) -> tuple[str, set[str]]:
    """Vendor of the product, and the kinds of passages."""
    monkeypatch.setattr(
        "analyzers.advisory_text.implied_vendors.shipped_table", lambda: {"frobnicator": ("acme", probability)}
    )
    bulletin = Bulletin(text, BulletinFormat.TEXT, "0" * 64)
    made = read_advisory(bulletin, extract(text), "bulletin.txt", datetime(2024, 7, 1, tzinfo=UTC))
    return made.products[0].vendor, {passage.item for passage in made.passages}


def test_only_a_sure_vendor_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong vendor would keep the advisory from the device it is about."""
    text = "CVE-2024-12345\nAffected products\n- Frobnicator: versions prior to 2.1\n"
    vendor, items = advisory(text, 0.95, monkeypatch)
    assert vendor == "acme"
    assert "implied vendor" in items
    vendor, items = advisory(text, 0.75, monkeypatch)
    assert vendor == ""
    assert "implied vendor" not in items
