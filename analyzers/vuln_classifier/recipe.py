"""The whole training run: models on the data of a window, for evaluation or for shipping."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import scipy.sparse

from analyzers.vuln_classifier.classifier import Classifier, Target
from analyzers.vuln_classifier.features import Features
from analyzers.vuln_classifier.heads import EXPLOITED, SSVC, PointHead
from analyzers.vuln_classifier.joint import Decision
from analyzers.vuln_classifier.labels import Example, published_within
from analyzers.vuln_classifier.medical_data import MedicalSources
from analyzers.vuln_classifier.medical_recipe import train_medical
from analyzers.vuln_classifier.points import Shared, exploited_labels, fit_point, fit_weakness, matured
from analyzers.vuln_classifier.training import Progress, Trained, train_cvss
from analyzers.vuln_classifier.vectors import Floats, Integers

RECIPE = 1
BEGINNING = date(1980, 1, 1)
FLOOR = 0.4
"""Below this probability of the delivered band the model abstains."""
RARE_WEIGHT = 20.0
"""Of a positive row where one in hundreds is positive; the calibration undoes the shift of the probabilities."""
FEWEST_LABELS = 10


@dataclass(frozen=True, slots=True)
class Windows:
    """Training ends where calibration begins, calibration where the test begins."""

    calibration: date
    test: date
    end: date


STANDARD = Windows(date(2023, 7, 1), date(2024, 1, 1), date(2024, 7, 1))
SSVC_WINDOWS = Windows(date(2024, 4, 1), date(2024, 5, 1), date(2024, 7, 1))
"""CISA's first decision points are of November 2023: the standard windows would train on none."""
EXPLOITED_WINDOWS = Windows(date(2022, 7, 1), date(2023, 1, 1), date(2023, 7, 1))
"""A year of the catalogue has to have passed: it is known up to June 2024."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """Examples with their classes."""

    examples: tuple[Example, ...]
    classes: Integers

    def __len__(self) -> int:
        return len(self.examples)

    @property
    def pair(self) -> tuple[tuple[Example, ...], Integers]:
        """As the trainer takes them."""
        return self.examples, self.classes


def shared_outputs(trained: Trained) -> Shared:
    """The linear outputs of the CVSS targets for any rows."""

    def outputs(terms: scipy.sparse.csr_matrix) -> Floats:
        return np.hstack([model(terms) for model in trained.stage.linear.values()])

    return outputs


def assembled(trained: Trained, version: str, decision: Decision | None = None) -> Classifier:
    """A classifier of the CVSS targets alone."""
    return Classifier(
        version, trained.stage.features, trained.targets, {}, None, trained.space, decision or Decision(), FLOOR
    )


def train_shipped(
    examples: Sequence[Example], medical: MedicalSources | None, seed: int, progress: Progress
) -> Classifier:
    """Models on everything: of each target as much as leaves something later, or held out, to calibrate on."""
    end = examples[-1].published + timedelta(days=1)
    trained = train_cvss(examples, (), seed, progress)
    features, shared = trained.stage.features, shared_outputs(trained)
    month, half, year = timedelta(days=30), timedelta(days=180), timedelta(days=365)
    points: dict[str, Target | None] = {}
    for head in SSVC.values():
        progress(f"boosted trees: {head.name}")
        points[head.name] = ssvc_target(features, shared, examples, head, end - month, end, seed)
    progress(f"boosted trees: {EXPLOITED}")
    points[EXPLOITED] = exploited_target(features, shared, examples, end - year - half, end - year, seed)
    progress("weaknesses")
    before = end - 2 * month
    weakness = fit_weakness(
        features, shared, published_within(examples, BEGINNING, before), published_within(examples, before, end), seed
    )
    trained_points = {name: target for name, target in points.items() if target is not None}
    for name in sorted(set(points) - set(trained_points)):
        progress(f"too few labels for: {name}")
    medicine = train_medical(examples, medical, end, seed, progress) if medical is not None else None
    last = examples[-1].published.isoformat()
    return replace(assembled(trained, f"{last}.{RECIPE}"), points=trained_points, weakness=weakness, medical=medicine)


def ssvc_target(
    features: Features, shared: Shared, examples: Sequence[Example], head: PointHead, first: date, end: date, seed: int
) -> Target | None:
    """A decision point, calibrated on what was published from `first` up to `end`; None with too few labels."""
    train = labelled(published_within(examples, BEGINNING, first), head.label)
    later = labelled(published_within(examples, first, end), head.label)
    return _target(features, shared, head.classes, train, later, seed, 1.0)


def exploited_target(
    features: Features, shared: Shared, examples: Sequence[Example], first: date, end: date, seed: int
) -> Target | None:
    """KEV within a year, calibrated on what was published from `first` up to `end`; None with too few labels."""
    known = matured(examples, end + timedelta(days=365))
    train, later = (
        Labelled(tuple(found), exploited_labels(found))
        for found in (published_within(known, BEGINNING, first), published_within(known, first, end))
    )
    return _target(features, shared, ("no", "yes"), train, later, seed, RARE_WEIGHT)


def _target(
    features: Features,
    shared: Shared,
    classes: tuple[str, ...],
    train: Labelled,
    later: Labelled,
    seed: int,
    rarest: float,
) -> Target | None:
    rare = min(np.count_nonzero(known.classes) for known in (train, later))
    if rare < FEWEST_LABELS or len(train) - np.count_nonzero(train.classes) < FEWEST_LABELS:
        return None
    return fit_point(features, shared, classes, train.pair, later.pair, seed, rarest)


def labelled(examples: Sequence[Example], label: Callable[[Example], int | None]) -> Labelled:
    """Those examples that have a label."""
    pairs = [(example, found) for example in examples if (found := label(example)) is not None]
    return Labelled(tuple(example for example, _ in pairs), np.array([found for _, found in pairs], dtype=np.int64))
