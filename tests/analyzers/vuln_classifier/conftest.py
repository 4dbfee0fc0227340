"""A small world of vulnerabilities whose ratings follow from their words, and models trained on it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from analyzers.vuln_classifier import boosting
from analyzers.vuln_classifier.classifier import Classifier
from analyzers.vuln_classifier.labels import Example, Rating
from analyzers.vuln_classifier.recipe import train_shipped
from analyzers.vuln_classifier.record import PublishedRecord, Scorer
from analyzers.vuln_classifier.vectors import parse_vector

FIRST = date(2022, 1, 1)
KINDS = (
    ("a remote attacker runs arbitrary code on the network", "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 94),
    ("a stored script runs in the browser of a user who opens the page", "AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N", 79),
    ("a person with physical access to the serial port reads passwords", "AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 522),
    ("a malformed packet stops the service until it is restarted by hand", "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", 20),
)  # fmt: skip
NVD_SAYS = "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
"""Here NVD rates everything critical, so that who rates makes a difference."""
PRODUCTS = ("pump", "monitor", "gateway", "archive", "viewer", "portal", "scanner")


def vector(text: str) -> tuple[int, ...]:
    found = parse_vector(text)
    assert found is not None
    return found


def example(number: int, generator: random.Random) -> Example:
    text, says, cwe = KINDS[number % len(KINDS)]
    product = generator.choice(PRODUCTS)
    scorer = Scorer.NVD if generator.random() < 0.3 else Scorer.ASSIGNER
    return Example(
        cve=f"CVE-2022-{10_000 + number}",
        published=FIRST + timedelta(days=number),
        record=PublishedRecord(f"In the {product} of version {number}.1.2 {text}.", "acme", "Acme", product),
        ratings=(Rating(scorer, vector(NVD_SAYS if scorer is Scorer.NVD else says)),),
        weakness=cwe,
        exploitation="poc" if number % 4 == 0 else "none",
        automatable="yes" if number % 4 in (0, 3) else "no",
        impact="total" if number % 4 == 0 else "partial",
    )


def examples(number: int = 400, seed: int = 7) -> list[Example]:
    generator = random.Random(seed)
    return [example(each, generator) for each in range(number)]


def train(world: Sequence[Example], seed: int = 1) -> Classifier:
    return train_shipped(world, None, seed, lambda _: None)


@pytest.fixture(scope="session")
def world() -> list[Example]:
    return examples()


@pytest.fixture(scope="session")
def small(world: list[Example]) -> Classifier:
    pytest.importorskip("sklearn", reason="training needs scikit-learn: pip install 'meddojo[train]'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boosting, "ROUNDS", 15)
        return train(world)
