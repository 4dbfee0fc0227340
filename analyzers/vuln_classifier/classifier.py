"""From records to predictions: the path that runs in the scheduled job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse

from analyzers.vuln_classifier.boosting import probabilities
from analyzers.vuln_classifier.calibration import Calibrator
from analyzers.vuln_classifier.features import Features, groups, without_weakness
from analyzers.vuln_classifier.heads import BAND, CVSS_HEADS
from analyzers.vuln_classifier.joint import Decision, VectorSpace
from analyzers.vuln_classifier.linear import LinearModel
from analyzers.vuln_classifier.medicine import MedicalModel
from analyzers.vuln_classifier.record import PublishedRecord, Scorer
from analyzers.vuln_classifier.vectors import METRICS, Floats, Integers
from analyzers.vuln_classifier.weakness import WeaknessModel

if TYPE_CHECKING:
    import xgboost


@dataclass(frozen=True)
class Target:
    """One trained target.

    Attributes
    ----------
    columns
        Columns of the features that the trees see besides the linear outputs.
    """

    classes: tuple[str, ...]
    linear: LinearModel
    columns: Integers
    booster: xgboost.Booster
    calibrator: Calibrator


@dataclass(frozen=True)
class CvssPrediction:
    """What one scorer would say of each record.

    Attributes
    ----------
    distribution
        Probability of each vector of the space, shape (records, vectors).
    chosen
        The vector delivered, as a row of the space.
    bands
        Probability of each band, shape (records, 5).
    metrics
        Probabilities of each metric's values, each by its own calibrated model: the joint distribution is sharper than
        it should be (calibration error up to 0.05 against 0.02 on the calibration period) and serves the decision.
    """

    distribution: Floats
    chosen: Integers
    bands: Floats
    metrics: Mapping[str, Floats]


@dataclass(frozen=True)
class Classifier:
    """The trained models and all they need.

    Attributes
    ----------
    version
        ``2024-06-30.1``: last day of the training data, and number of the recipe.
    cvss
        A target for each metric and one for the band; their trees share their columns.
    points
        Targets that hang on the vulnerability alone.
    floor
        Below this probability of the band there is not enough to go on.
    medical
        Relevance to medicine and the kind of device.
    """

    version: str
    features: Features
    cvss: Mapping[str, Target]
    points: Mapping[str, Target]
    weakness: WeaknessModel | None
    space: VectorSpace
    decision: Decision
    floor: float
    medical: MedicalModel | None = None

    @cached_property
    def _stacked(self) -> LinearModel:
        """All linear models of the CVSS targets as one."""
        models = [self.cvss[name].linear for name in CVSS_HEADS]
        weights = np.hstack([model.weights for model in models]).astype(np.float32)
        return LinearModel(models[0].columns, weights, np.concatenate([model.bias for model in models]))

    def inputs(self, terms: scipy.sparse.csr_matrix) -> Floats:
        """What the trees of the CVSS targets read."""
        columns = self.cvss[BAND].columns
        return np.hstack([self._stacked(terms), terms[:, columns].toarray()]).astype(np.float32)

    def predict_cvss(
        self,
        records: Sequence[PublishedRecord],
        scorers: Sequence[Scorer],
        text: scipy.sparse.csr_matrix | None = None,
    ) -> CvssPrediction:
        """What each record's scorer would say; `text` is what `Features.read` gave for the records."""
        inputs = self.inputs(self.features.build(records, scorers, text))
        memberships = [groups(record, scorer) for record, scorer in zip(records, scorers, strict=True)]
        found = {
            name: target.calibrator(probabilities(target.booster, inputs), memberships)
            for name, target in self.cvss.items()
        }
        distribution = self.space.distribution([found[name] for name in METRICS], found[BAND], self.decision)
        return CvssPrediction(
            distribution=distribution,
            chosen=self.space.decide(distribution, self.decision),
            bands=self.space.of_bands(distribution),
            metrics={name: found[name] for name in METRICS},
        )

    def predict_points(
        self, records: Sequence[PublishedRecord], text: scipy.sparse.csr_matrix | None = None
    ) -> dict[str, Floats]:
        """Probabilities of every other target but the weakness."""
        terms = self._neutral(records, text)
        shared = self._stacked(terms)
        everyone = [(EVERYONE,)] * len(records)
        return {
            name: target.calibrator(
                probabilities(target.booster, point_inputs(shared, target.linear(terms), terms, target.columns)),
                everyone,
            )
            for name, target in self.points.items()
        }

    def predict_weaknesses(
        self, records: Sequence[PublishedRecord], number: int = 3, text: scipy.sparse.csr_matrix | None = None
    ) -> list[list[tuple[int, float]]]:
        """The most probable CWE numbers of each record with their probabilities; the stated one is not looked at."""
        if self.weakness is None:
            return [[] for _ in records]
        terms = self._neutral([without_weakness(record) for record in records], text)
        return self.weakness.predict(terms, self._stacked(terms), number)

    def _neutral(
        self, records: Sequence[PublishedRecord], text: scipy.sparse.csr_matrix | None
    ) -> scipy.sparse.csr_matrix:
        return self.features.build(records, [Scorer.ASSIGNER] * len(records), text)


EVERYONE = "all"
"""The one group of a target that no scorer matters to."""


def point_inputs(shared: Floats, own: Floats, terms: scipy.sparse.csr_matrix, columns: Integers) -> Floats:
    """What the trees of a target that is not part of CVSS read: the CVSS outputs, its own, and its terms."""
    return np.hstack([shared, own, terms[:, columns].toarray()]).astype(np.float32)
