"""From the tables of the comparison to the model that is shipped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from analyzers.sbom_graph.forecast import tables
from analyzers.sbom_graph.forecast.artefacts import Forecaster
from analyzers.sbom_graph.forecast.experiment import (
    NETWORK,
    SEEDS,
    Fitted,
    Progress,
    contenders,
    controls,
    fitted,
    out_of_fold,
    united,
)
from analyzers.sbom_graph.forecast.figures import average_precision, mean
from analyzers.sbom_graph.forecast.graph import Floats, Integers
from analyzers.sbom_graph.forecast.models import Column, FitNetwork, Mean
from analyzers.sbom_graph.forecast.snapshot import Snapshot
from analyzers.sbom_graph.forecast.tables import Table

_STEPS = 25
REFERENCE = "XGBoost, history and name"
"""What knows nothing of the graph, and is what the graph has to beat."""
_GROUPED = (
    "number of past CVEs",
    REFERENCE,
    "XGBoost, with position",
    "XGBoost, with position and neighbours",
    NETWORK,
)


@dataclass(frozen=True)
class Comparison:
    """All contenders fitted to the training year, and the controls of the network."""

    models: tuple[Fitted, ...]
    controls: tuple[Fitted, ...]

    def named(self, name: str) -> Fitted:
        """A contender."""
        return next(each for each in self.models if each.name == name)


def compare(train: Snapshot, fit: FitNetwork, progress: Progress) -> Comparison:
    """Fit everything to the training year."""
    models = tuple(fitted(each, train, SEEDS, progress) for each in contenders(fit))
    network = next(each for each in models if each.name == NETWORK)
    return Comparison(models, tuple(fitted(each, train, SEEDS, progress) for each in controls(fit, network.chosen)))


def best(comparison: Comparison, test: Snapshot) -> Fitted:
    """What ships: of all that learn, the highest average precision on the later year, the mean of its seeds."""
    learnt = [each for each in comparison.models if not isinstance(each.models[0], Column)]
    return max(learnt, key=lambda each: mean(average_precision, each.rankings(test)))


def measured(
    comparison: Comparison, winner: Fitted, train: Snapshot, test: Snapshot, parts: Sequence[Snapshot]
) -> Iterator[Table]:
    """The tables of the card; `parts` are small graphs out of the later year's."""
    everything = (*comparison.models, *comparison.controls)
    yield tables.comparison(everything, REFERENCE, test, SEEDS[0])
    yield tables.without_history(everything, REFERENCE, test, SEEDS[0])
    yield tables.groups([comparison.named(name) for name in _GROUPED], test)
    yield tables.parts(everything, parts)
    slope, intercept = calibrated(winner, train)
    forecaster = Forecaster(Mean(winner.models), slope, intercept)
    yield tables.calibration(forecaster.probabilities(test.graph, test.inputs), test.labels)
    yield tables.choices(comparison.models)
    yield tables.joins_read()


def shipped(winner: Fitted, train: Snapshot, test: Snapshot) -> Forecaster:
    """The winner's recipe on both years; its probabilities are of the later one."""
    both = united([train, test])
    seeds = SEEDS if winner.contender.random else SEEDS[:1]
    models = [winner.contender.fit(both, np.ones(len(both.labels)), winner.chosen, seed) for seed in seeds]
    slope, intercept = calibrated(winner, test)
    return Forecaster(models[0] if len(models) == 1 else Mean(tuple(models)), slope, intercept)


def calibrated(winner: Fitted, snapshot: Snapshot) -> tuple[float, float]:
    """Slope and intercept that make scores log-odds, from scores out of fold."""
    return platt(out_of_fold(winner.contender, snapshot, winner.chosen, SEEDS[0]), snapshot.labels)


def platt(scores: Floats, labels: Integers) -> tuple[float, float]:
    """Maximum likelihood of ``sigmoid(slope * score + intercept)`` by Newton's method (Platt 1999)."""
    design = np.column_stack([scores, np.ones(len(scores))]).astype(np.float64)
    weights = np.array([1.0, 0.0])
    for _ in range(_STEPS):
        chance = 1.0 / (1.0 + np.exp(-design @ weights))
        slope = design.T @ (labels - chance)
        curvature = (design * (chance * (1.0 - chance))[:, None]).T @ design + 1e-9 * np.eye(2)
        weights = weights + np.linalg.solve(curvature, slope)
    return float(weights[0]), float(weights[1])
