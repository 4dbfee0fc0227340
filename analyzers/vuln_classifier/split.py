"""The split by time that the CVSS models are measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analyzers.vuln_classifier.classifier import Classifier
from analyzers.vuln_classifier.labels import Example, published_within
from analyzers.vuln_classifier.recipe import BEGINNING, STANDARD, assembled
from analyzers.vuln_classifier.training import Progress, Rows, Trained, train_cvss


@dataclass(frozen=True)
class Split:
    """Models of the standard split with the rows they are measured on."""

    trained: Trained
    classifier: Classifier
    later: Rows
    test: Rows


def standard_split(examples: Sequence[Example], seed: int, progress: Progress) -> Split:
    """Train before July 2023, calibrate to the end of the year, test on the first half of 2024."""
    train = published_within(examples, BEGINNING, STANDARD.calibration)
    later = published_within(examples, STANDARD.calibration, STANDARD.test)
    trained = train_cvss(train, later, seed, progress)
    test = Rows.of(published_within(examples, STANDARD.test, STANDARD.end), primary=True)
    return Split(trained, assembled(trained, "split"), Rows.of(later, primary=True), test)
