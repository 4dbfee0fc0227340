"""Training: linear models out of fold, boosted trees over them, recalibration on what came later."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import scipy.sparse

from analyzers.vuln_classifier.boosting import fit_booster, probabilities, training_matrix
from analyzers.vuln_classifier.calibration import Calibrator, choose_calibrator
from analyzers.vuln_classifier.classifier import Target
from analyzers.vuln_classifier.features import Features, frequent_columns, groups
from analyzers.vuln_classifier.heads import BAND, CVSS_HEADS, classes_of
from analyzers.vuln_classifier.joint import VectorSpace
from analyzers.vuln_classifier.labels import Example, Rating
from analyzers.vuln_classifier.linear import LinearModel, fit_linear, fold_of, out_of_fold
from analyzers.vuln_classifier.record import PublishedRecord, Scorer
from analyzers.vuln_classifier.vectors import METRICS, Floats, Integers, bands, base_score

Progress = Callable[[str], None]

DENSE_WORDS = 200
DENSE_FIELDS = 100
RECENT = timedelta(days=4 * 365)
"""Trees see NVD's older ratings no more; the linear models do."""
NVD_WEIGHT = 0.3
"""Of a rating by NVD beside one by anybody else: its ratings are the many, the others' are those to come."""
SMALLEST_GROUP = 15
HELD_PERIOD = timedelta(days=183)
_RARE_VECTOR = 3


@dataclass(frozen=True)
class Rows:
    """Rated records: a record that two scorers rated makes two rows.

    Attributes
    ----------
    vectors
        Class of each base metric.
    """

    names: tuple[str, ...]
    published: tuple[date, ...]
    records: tuple[PublishedRecord, ...]
    scorers: tuple[Scorer, ...]
    vectors: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, examples: Sequence[Example], *, primary: bool = False) -> Rows:
        """Rows of all ratings, or of the primary ones only."""
        pairs: list[tuple[Example, Rating]] = [
            (each, rating) for each in examples for rating in (each.ratings[:1] if primary else each.ratings)
        ]
        return cls(
            tuple(example.cve for example, _ in pairs),
            tuple(example.published for example, _ in pairs),
            tuple(example.record for example, _ in pairs),
            tuple(rating.scorer for _, rating in pairs),
            tuple(rating.metrics for _, rating in pairs),
        )

    def __len__(self) -> int:
        return len(self.names)

    def targets(self) -> dict[str, Integers]:
        """Class of each row for every CVSS target."""
        metrics = np.array(self.vectors, dtype=np.int64).reshape(-1, len(METRICS))
        found = {name: metrics[:, place] for place, name in enumerate(METRICS)}
        return {**found, BAND: bands([base_score(vector) for vector in self.vectors])}

    def weights(self) -> Floats:
        """Weight of each row for the trees."""
        return np.array([NVD_WEIGHT if scorer is Scorer.NVD else 1.0 for scorer in self.scorers], dtype=np.float32)


UNCALIBRATED = Calibrator(1.0, (), np.zeros((0, 1), dtype=np.float32))


@dataclass(frozen=True)
class Stage:
    """The linear stage of the CVSS targets with its out-of-fold outputs, ready for the trees."""

    features: Features
    terms: scipy.sparse.csr_matrix
    linear: Mapping[str, LinearModel]
    columns: Integers
    inputs: Floats


@dataclass(frozen=True)
class Trained:
    """All of the CVSS targets, with the stage the other targets build upon."""

    stage: Stage
    rows: Rows
    targets: Mapping[str, Target]
    space: VectorSpace


def fit_stage(rows: Rows, seed: int, progress: Progress, features: Features | None = None) -> Stage:
    """Vocabularies unless they are given, linear models, and what the trees will read of each row."""
    progress("vocabularies")
    features = features or Features.fit(rows.records, rows.scorers)
    terms = features.build(rows.records, rows.scorers)
    ones = np.ones(len(rows), dtype=np.float32)
    linear: dict[str, LinearModel] = {}
    outputs = []
    for name, classes in rows.targets().items():
        progress(f"linear models: {name}")
        number = len(classes_of(name))

        def fit(chosen: Integers, classes: Integers = classes, number: int = number) -> LinearModel:
            return fit_linear(terms[chosen], classes[chosen], number, ones[chosen], seed)

        outputs.append(out_of_fold(rows.names, terms, fit))
        linear[name] = fit(np.arange(len(rows)))
    columns = frequent_columns(terms, len(features.text.terms), DENSE_WORDS, DENSE_FIELDS)
    inputs = np.hstack([*outputs, terms[:, columns].toarray()]).astype(np.float32)
    return Stage(features, terms, linear, columns, inputs)


def train_cvss(train: Sequence[Example], later: Sequence[Example], seed: int, progress: Progress) -> Trained:
    """Models of the CVSS targets from `train`, calibrated on what was published `later`.

    Without anything later, a third of the last half year is held out of the trees to calibrate them, and comes back for
    the final ones; its linear outputs are out of fold anyway.
    """
    rows = Rows.of(train)
    end = max(rows.published) + timedelta(days=1)
    stage = fit_stage(rows, seed, progress)
    chosen = recent_rows(rows, end)
    if later:
        targets = fit_trees(stage, rows, chosen, rows.weights(), seed, progress)
        held = Rows.of(later, primary=True)
        inputs = stage_inputs(stage, held)
    else:
        aside = {
            row for row in chosen.tolist() if fold_of(rows.names[row]) == 0 and rows.published[row] >= end - HELD_PERIOD
        }
        kept = np.array([row for row in chosen.tolist() if row not in aside], dtype=np.int64)
        targets = fit_trees(stage, rows, kept, rows.weights(), seed, progress)
        places = sorted(aside)
        held, inputs = subset(rows, places), stage.inputs[places]
    calibrated = calibrated_on(targets, inputs, held)
    if not later:
        final = fit_trees(stage, rows, chosen, rows.weights(), seed, progress)
        calibrated = {name: replace(final[name], calibrator=target.calibrator) for name, target in calibrated.items()}
    return Trained(stage, rows, calibrated, VectorSpace.fit(*_vectors(rows, chosen), _RARE_VECTOR))


def fit_trees(
    stage: Stage, rows: Rows, chosen: Integers, weights: Floats, seed: int, progress: Progress
) -> dict[str, Target]:
    """Trees of the CVSS targets from the `chosen` rows, not calibrated; `weights` are of all rows."""
    matrix = training_matrix(stage.inputs[chosen])
    found = {}
    for name, classes in rows.targets().items():
        progress(f"boosted trees: {name}")
        labels = classes_of(name)
        booster = fit_booster(matrix, classes[chosen], len(labels), weights[chosen], seed)
        found[name] = Target(labels, stage.linear[name], stage.columns, booster, UNCALIBRATED)
    return found


def calibrated_on(targets: Mapping[str, Target], inputs: Floats, held: Rows) -> dict[str, Target]:
    """The targets, each calibrated on rows it was not trained on; `inputs` are what the trees read of them."""
    truth = held.targets()
    found = {name: probabilities(target.booster, inputs) for name, target in targets.items()}
    return {
        name: replace(target, calibrator=calibrator_on(found[name], truth[name], held))
        for name, target in targets.items()
    }


def calibrator_on(found: Floats, truth: Integers, held: Rows) -> Calibrator:
    """The calibrator of one target from its probabilities and classes of the `held` rows."""
    memberships = [groups(record, scorer) for record, scorer in zip(held.records, held.scorers, strict=True)]
    return choose_calibrator(found, truth, memberships, smallest_group=SMALLEST_GROUP)


def stage_inputs(stage: Stage, rows: Rows) -> Floats:
    """What the trees read of rows the linear models were not trained on."""
    terms = stage.features.build(rows.records, rows.scorers)
    outputs = [stage.linear[name](terms) for name in CVSS_HEADS]
    return np.hstack([*outputs, terms[:, stage.columns].toarray()]).astype(np.float32)


def recent_rows(rows: Rows, end: date) -> Integers:
    """Rows the trees learn from."""
    pairs = zip(rows.published, rows.scorers, strict=True)
    found = [row for row, (day, scorer) in enumerate(pairs) if scorer is not Scorer.NVD or day >= end - RECENT]
    return np.array(found, dtype=np.int64)


def subset(rows: Rows, chosen: Sequence[int]) -> Rows:
    """Some of the rows."""
    return Rows(
        tuple(rows.names[row] for row in chosen),
        tuple(rows.published[row] for row in chosen),
        tuple(rows.records[row] for row in chosen),
        tuple(rows.scorers[row] for row in chosen),
        tuple(rows.vectors[row] for row in chosen),
    )


def _vectors(rows: Rows, chosen: Integers) -> tuple[list[tuple[int, ...]], Floats]:
    return [rows.vectors[row] for row in chosen], rows.weights()[chosen]
