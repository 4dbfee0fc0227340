"""The tagger: its training on texts of our own, and the file it is kept in."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.advisory_text import tagger
from analyzers.advisory_text.tagger import TAGS, Tag, Weights, best_tags, read_weights, tagged_names, write_weights
from analyzers.advisory_text.training import Example, example, train
from meddojo.errors import TerminalError

VENDORS = ("Acme", "Initech", "Globex", "Umbrella")
NAMES = ("Pump X1", "Monitor M2", "Gateway", "Clinic Manager", "Viewer Pro")
SENTENCES = (
    "A flaw in {vendor} {product} allows attackers to read memory.",
    "{vendor} {product} before 2.0 does not check its input.",
    "An issue was discovered in {product} through 1.4.",
)


def made(sentence: str, vendor: str, product: str) -> Example:
    found = example(sentence.format(vendor=vendor, product=product), {vendor}, {product})
    assert found is not None
    return found


def test_an_example_marks_what_its_record_names() -> None:
    found = example("In the AcmePump X-1 (by Acme), and in the acme pump x1 too", {"acme"}, {"Acme Pump X1"})
    assert found is not None
    assert [word for word, tag in zip(found.words, found.tags, strict=True) if TAGS[tag] is Tag.PRODUCT] == [
        "AcmePump",
        "X-1",
        "acme",
        "pump",
        "x1",
    ]
    assert [word for word, tag in zip(found.words, found.tags, strict=True) if TAGS[tag] is Tag.VENDOR] == ["Acme"]
    assert example("Something else entirely", {"Acme"}, {"Pump"}) is None


def test_it_learns_what_it_is_shown_and_carries_it_to_new_names() -> None:
    shown = [made(sentence, vendor, name) for sentence in SENTENCES for vendor in VENDORS[:3] for name in NAMES[:4]]
    weights = train(shown, epochs=5, smallest=0.0, seed=1)
    unseen = made(SENTENCES[2], VENDORS[3], NAMES[4])
    assert best_tags(unseen.words, weights) == list(unseen.tags)


def test_training_is_reproducible() -> None:
    shown = [made(SENTENCES[0], vendor, name) for vendor in VENDORS for name in NAMES]
    assert train(shown, 3, 0.1, seed=7) == train(shown, 3, 0.1, seed=7)


def test_weights_come_back_as_they_were_written() -> None:
    shown = [made(SENTENCES[1], vendor, name) for vendor in VENDORS for name in NAMES]
    weights = train(shown, 3, 0.1, seed=7)
    assert weights.of
    assert read_weights(write_weights(weights)) == weights


def test_changed_weights_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "tagger.tsv").write_text("before O\t1 2 3\n", "utf-8")
    (tmp_path / "tagger.toml").write_text('sha256 = "0"\n', "utf-8")
    monkeypatch.setattr(tagger, "files", lambda package: tmp_path)
    with pytest.raises(TerminalError, match="not those that were shipped"):
        tagger.shipped_weights.__wrapped__()


@given(st.lists(st.text(min_size=1, max_size=8), max_size=12))
def test_a_tag_for_each_word(words: list[str]) -> None:
    row = best_tags(words, Weights({}, [[0] * len(TAGS) for _ in TAGS]))
    assert len(row) == len(words)


@settings(deadline=None)  # the first one reads the weights
@given(st.text(max_size=200))
def test_names_are_slices(text: str) -> None:
    for name in tagged_names(text, 0, len(text)):
        for span in (name.product, name.vendor):
            assert span is None or text[span.start : span.end] == span.text


def test_a_vendor_counts_only_beside_its_product() -> None:
    text = "The Philips IntelliVue MX800 is a monitor."
    (name,) = tagged_names(text, 0, len(text))
    assert name.vendor is None or name.vendor.end <= name.product.start
