"""Training: reproducible, better than chance where there is something to learn, and the scorer counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analyzers.vuln_classifier import boosting
from analyzers.vuln_classifier.artefacts import save
from analyzers.vuln_classifier.classifier import Classifier
from analyzers.vuln_classifier.heads import BAND
from analyzers.vuln_classifier.labels import Example, read_examples
from analyzers.vuln_classifier.linear import FOLDS, fold_of
from analyzers.vuln_classifier.recipe import STANDARD, train_shipped
from analyzers.vuln_classifier.record import PublishedRecord, Scorer
from analyzers.vuln_classifier.training import Rows

TEXT = "In the viewer of version 1.1.2 a stored script runs in the browser of a user who opens the page."


def test_who_rates_decides(small: Classifier) -> None:
    record = PublishedRecord(TEXT, "acme", "Acme", "viewer")
    found = small.predict_cvss([record, record], [Scorer.ASSIGNER, Scorer.NVD])
    assert small.space.bands[found.chosen].tolist() == [2, 4]


def test_metrics_are_learned_together_with_the_band(small: Classifier, world: list[Example]) -> None:
    rows = Rows.of(world)
    found = small.predict_cvss(rows.records, rows.scorers)
    assert (small.space.bands[found.chosen] == rows.targets()[BAND]).mean() > 0.95  # it can express what it saw


def test_a_vulnerability_stays_in_one_fold() -> None:
    assert {fold_of(f"CVE-2024-{number}") for number in range(100)} == set(range(FOLDS))


def test_the_standard_windows_do_not_overlap() -> None:
    assert STANDARD.calibration < STANDARD.test < STANDARD.end


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_real_data_and_one_seed_give_the_same_model_twice(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boosting, "ROUNDS", 10)
    examples = read_examples(shared_data / "cve_dev.parquet")[-2_000:]
    files = []
    for name in ("first", "again"):
        save(train_shipped(examples, None, 3, lambda _: None), tmp_path / name, {})
        files.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert files[0] == files[1]
    assert len(files[0]) > 10


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_on_real_data_it_beats_the_most_frequent_band(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosting, "ROUNDS", 20)
    examples = [each for each in read_examples(shared_data / "cve_dev.parquet") if each.ratings][-4_000:]
    classifier = train_shipped(examples[:3_000], None, 1, lambda _: None)
    test = Rows.of(examples[3_000:], primary=True)
    truth = test.targets()[BAND]
    found = classifier.predict_cvss(test.records, test.scorers)
    majority = np.bincount(truth).max() / len(truth)
    assert (classifier.space.bands[found.chosen] == truth).mean() > majority + 0.05
