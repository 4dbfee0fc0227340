"""The comparison: every model learns from one year, with settings chosen inside it, and is measured on the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from analyzers.sbom_graph.forecast.features import ALL, OWN, PLAIN
from analyzers.sbom_graph.forecast.figures import Ranking, average_precision
from analyzers.sbom_graph.forecast.graph import Floats, Graph
from analyzers.sbom_graph.forecast.models import Column, FitNetwork, Model, fit_linear, fit_network, fit_trees
from analyzers.sbom_graph.forecast.snapshot import Snapshot

Progress = Callable[[str], None]
Fit = Callable[[Snapshot, Floats, Mapping[str, Any], int], Model]
"""Fits a model: snapshot, which rows count (0 or 1), settings, seed."""

Selection = npt.NDArray[np.bool_]

FOLDS = 3
SEEDS = (1, 2, 3, 4, 5)
NETWORK = "GraphSAGE"

_STRENGTHS = tuple({"strength": value} for value in (0.01, 0.1, 1.0))
_TREES: tuple[dict[str, Any], ...] = (
    {"max_depth": 2, "eta": 0.05, "rounds": 200},
    {"max_depth": 3, "eta": 0.05, "rounds": 150},
    {"max_depth": 5, "eta": 0.05, "rounds": 100},
)
_TREES_COMMON = {"subsample": 0.7, "colsample_bytree": 0.7, "min_child_weight": 3, "lambda": 5.0}
_NETWORKS: tuple[dict[str, Any], ...] = (
    {"hidden": (16, 16), "epochs": 300},
    {"hidden": (16, 16), "epochs": 600},
    {"hidden": (32, 32), "epochs": 300},
)


@dataclass(frozen=True)
class Contender:
    """A kind of model.

    Attributes
    ----------
    settings
        Among which the training year chooses.
    random
        Whether a seed makes a difference.
    """

    name: str
    fit: Fit
    settings: tuple[Mapping[str, Any], ...] = ({},)
    random: bool = False


@dataclass(frozen=True)
class Fitted:
    """A contender with its choice, fitted to the training year once a seed."""

    contender: Contender
    chosen: Mapping[str, Any]
    models: tuple[Model, ...]

    @property
    def name(self) -> str:
        """Of the contender."""
        return self.contender.name

    def rankings(self, snapshot: Snapshot, rows: Selection | None = None) -> list[Ranking]:
        """Components in the order of their scores, one ranking a seed; only some of them with `rows`."""
        chosen = slice(None) if rows is None else rows
        scores = (model.scores(snapshot.graph, snapshot.inputs) for model in self.models)
        return [Ranking.of(each[chosen], snapshot.labels[chosen]) for each in scores]


def contenders(fit: FitNetwork) -> Iterator[Contender]:
    """What is compared: rankings by one number, models without the graph, models with it."""
    for name, column, second in (
        ("number of past CVEs", "CVEs ever", ""),
        ("CVEs of the last year", "CVEs last year", "CVEs ever"),
        ("dependents", "dependents", ""),
        ("PageRank", "PageRank", ""),
    ):
        yield Contender(name, partial(_column, column, second))
    for title, names in (
        ("history and name", OWN),
        ("with position", PLAIN),
        ("with position and neighbours", ALL),
    ):
        yield Contender(f"logistic regression, {title}", partial(_linear, names), _STRENGTHS)
        yield Contender(f"XGBoost, {title}", partial(_trees, names), _TREES, random=True)
    yield Contender(NETWORK, partial(_network, fit, _same), _NETWORKS, random=True)


def controls(fit: FitNetwork, chosen: Mapping[str, Any]) -> Iterator[Contender]:
    """The network with its choice, the edges it aggregates over taken away or drawn anew."""
    yield Contender("GraphSAGE without edges", partial(_network, fit, _without_edges), (chosen,), random=True)
    yield Contender("GraphSAGE with random edges", partial(_network, fit, _random_edges), (chosen,), random=True)


def fitted(contender: Contender, train: Snapshot, seeds: Sequence[int], progress: Progress) -> Fitted:
    """Choose its settings out of fold, then fit it to the whole year, once a seed."""
    progress(contender.name)
    chosen = contender.settings[0]
    if len(contender.settings) > 1:
        scores = (out_of_fold(contender, train, each) for each in contender.settings)
        found = [average_precision(Ranking.of(each, train.labels)) for each in scores]
        progress(f"  out of fold {', '.join(f'{each:.3f}' for each in found)}")
        chosen = contender.settings[int(np.argmax(found))]
    everybody = np.ones(len(train.labels))
    models = [contender.fit(train, everybody, chosen, seed) for seed in (seeds if contender.random else seeds[:1])]
    return Fitted(contender, chosen, tuple(models))


def out_of_fold(contender: Contender, snapshot: Snapshot, settings: Mapping[str, Any], seed: int = 0) -> Floats:
    """Scores of each component by a model that has not seen its label. A name is in the same fold in every release."""
    fold = np.array([crc32(name.encode()) % FOLDS for name in snapshot.names])
    found = np.zeros(len(fold))
    for each in range(FOLDS):
        model = contender.fit(snapshot, (fold != each).astype(np.float64), settings, seed)
        found[fold == each] = model.scores(snapshot.graph, snapshot.inputs)[fold == each]
    return found


def united(snapshots: Sequence[Snapshot]) -> Snapshot:
    """Several snapshots side by side, without an edge between them."""
    import scipy.sparse

    refs = tuple(name for each in snapshots for name in each.names)
    needs = scipy.sparse.block_diag([each.graph.needs for each in snapshots], format="csr")
    return Snapshot(
        max(each.day for each in snapshots),
        Graph(refs, needs),
        tuple(history for each in snapshots for history in each.histories),
        np.vstack([each.inputs for each in snapshots]),
        np.concatenate([each.labels for each in snapshots]),
    )


def _column(first: str, second: str, *_: object) -> Model:
    return Column(first, second)


def _linear(names: Sequence[str], snapshot: Snapshot, counted: Floats, settings: Mapping[str, Any], seed: int) -> Model:
    rows = np.flatnonzero(counted)
    return fit_linear(names, snapshot.inputs[rows], snapshot.labels[rows], settings["strength"])


def _trees(names: Sequence[str], snapshot: Snapshot, counted: Floats, settings: Mapping[str, Any], seed: int) -> Model:
    rows = np.flatnonzero(counted)
    return fit_trees(names, snapshot.inputs[rows], snapshot.labels[rows], {**_TREES_COMMON, **settings}, seed)


@dataclass(frozen=True)
class _Elsewhere:
    """A model that is shown another graph than the real one."""

    model: Model
    change: Callable[[Graph], Graph]

    def scores(self, graph: Graph, inputs: Floats) -> Floats:
        """See `Model`."""
        return self.model.scores(self.change(graph), inputs)


def _network(
    fit: FitNetwork,
    change: Callable[[Graph], Graph],
    snapshot: Snapshot,
    counted: Floats,
    settings: Mapping[str, Any],
    seed: int,
) -> Model:
    graph = change(snapshot.graph)
    model = fit_network(PLAIN, graph, snapshot.inputs, snapshot.labels, counted, settings, seed, fit)
    return model if change is _same else _Elsewhere(model, change)


def _same(graph: Graph) -> Graph:
    return graph


def _without_edges(graph: Graph) -> Graph:
    return Graph.of(graph.refs, ())


def _random_edges(graph: Graph) -> Graph:
    """As many edges from each component, to components drawn anew with the same chances."""
    import scipy.sparse

    needs = graph.needs.tocoo()
    drawn = np.random.default_rng(0).permutation(needs.col)
    matrix = scipy.sparse.csr_matrix((needs.data, (needs.row, drawn)), shape=needs.shape)
    matrix.data[:] = 1.0
    return Graph(graph.refs, matrix)
