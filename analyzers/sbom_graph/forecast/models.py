"""The models that are compared, each from the same matrix of features to one score a component."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from analyzers.sbom_graph.forecast.features import columns
from analyzers.sbom_graph.forecast.graph import Floats, Graph, Integers
from analyzers.sbom_graph.forecast.sage import Sage

FARTHEST = 5.0
"""Standard deviations from the mean beyond which a feature counts no more."""

FitNetwork = Callable[[Graph, Floats, Integers, Floats, Mapping[str, Any], int], Sequence[Floats]]
"""Trains GraphSAGE: graph, inputs, labels, which of them count, settings, seed; returns the arrays of `Sage.of`."""


class Model(Protocol):
    """A trained model."""

    def scores(self, graph: Graph, inputs: Floats) -> Floats:
        """Log-odds of each component, shape (n,), from the whole matrix of features."""
        ...


@dataclass(frozen=True)
class Scale:
    """Standardisation of the features a model reads.

    Attributes
    ----------
    names
        Of the features.
    """

    names: tuple[str, ...]
    mean: Floats
    deviation: Floats

    @classmethod
    def fit(cls, names: Sequence[str], inputs: Floats) -> Scale:
        """Mean and standard deviation of each; a constant feature stays 0."""
        chosen = inputs[:, columns(names)].astype(np.float64)
        deviation = chosen.std(axis=0)
        return cls(tuple(names), chosen.mean(axis=0), np.where(deviation > 0, deviation, 1.0))

    def __call__(self, inputs: Floats) -> Floats:
        """What a model reads, shape (n, names), from the whole matrix."""
        scaled = (inputs[:, columns(self.names)] - self.mean) / self.deviation
        return np.clip(scaled, -FARTHEST, FARTHEST).astype(np.float32)


@dataclass(frozen=True)
class Linear:
    """Logistic regression."""

    scale: Scale
    weights: Floats
    bias: float

    def scores(self, graph: Graph, inputs: Floats) -> Floats:
        """See `Model`."""
        found: Floats = self.scale(inputs) @ self.weights + self.bias
        return found


@dataclass(frozen=True)
class Network:
    """GraphSAGE."""

    scale: Scale
    sage: Sage

    def scores(self, graph: Graph, inputs: Floats) -> Floats:
        """See `Model`."""
        return self.sage.scores(graph, self.scale(inputs))


@dataclass(frozen=True)
class Trees:
    """Boosted trees, walked in numpy: a few hundred small trees are not worth loading XGBoost for.

    Attributes
    ----------
    places
        Of each node the node below on the left, the node below on the right, and the feature, shape (trees, nodes, 3);
        a leaf has -1 below.
    values
        What a feature has to be less than to go left, or what a leaf adds, shape (trees, nodes), float32.
    base
        What is added to.
    """

    names: tuple[str, ...]
    places: Integers
    values: Floats
    base: float

    def scores(self, graph: Graph, inputs: Floats) -> Floats:
        """See `Model`."""
        chosen = np.ascontiguousarray(inputs[:, columns(self.names)].T, dtype=np.float32)
        rows = np.arange(len(inputs))
        found = np.full(len(inputs), self.base)
        for places, values in zip(self.places, self.values, strict=True):
            node = np.zeros(len(inputs), dtype=np.int64)
            while (places[node, 0] >= 0).any():
                inner = places[node, 0] >= 0
                left = chosen[places[node, 2], rows] < values[node]
                node = np.where(inner, np.where(left, places[node, 0], places[node, 1]), node)
            found += values[node]
        return found


@dataclass(frozen=True)
class Mean:
    """Several networks of different seeds, their log-odds averaged."""

    members: tuple[Model, ...]

    def scores(self, graph: Graph, inputs: Floats) -> Floats:
        """See `Model`."""
        found: Floats = np.mean([each.scores(graph, inputs) for each in self.members], axis=0)
        return found


@dataclass(frozen=True)
class Column:
    """A feature taken for a score, the second one where the first is the same for both."""

    first: str
    second: str = ""

    def scores(self, graph: Graph, inputs: Floats) -> Floats:
        """See `Model`."""
        found = inputs[:, columns([self.first])[0]].astype(np.float64)
        return found + 1e-6 * inputs[:, columns([self.second])[0]] if self.second else found


def fit_linear(names: Sequence[str], inputs: Floats, labels: Integers, strength: float) -> Linear:
    """Logistic regression with L2 penalty; `strength` is scikit-learn's C."""
    from sklearn.linear_model import LogisticRegression

    scale = Scale.fit(names, inputs)
    fitted = LogisticRegression(C=strength, max_iter=1000).fit(scale(inputs), labels)
    return Linear(scale, fitted.coef_[0].astype(np.float64), float(fitted.intercept_[0]))


def fit_trees(
    names: Sequence[str], inputs: Floats, labels: Integers, parameters: Mapping[str, Any], seed: int
) -> Trees:
    """Boosted trees; `parameters` are XGBoost's, with ``rounds`` besides."""
    import xgboost

    chosen = {name: value for name, value in parameters.items() if name != "rounds"}
    fixed = {"objective": "binary:logistic", "tree_method": "hist", "nthread": 1, "seed": seed}
    read = inputs[:, columns(names)]
    booster = xgboost.train({**chosen, **fixed}, xgboost.DMatrix(read, labels), parameters["rounds"])
    places, values = _nodes(json.loads(booster.save_raw("json")))
    walked = Trees(tuple(names), places, values, 0.0).scores(Graph.of((), ()), inputs[:1])
    base = booster.inplace_predict(read[:1], predict_type="margin") - walked
    return Trees(tuple(names), places, values, float(base[0]))


def _nodes(model: Mapping[str, Any]) -> tuple[Integers, Floats]:
    """Nodes of all trees as `Trees` has them, from XGBoost's JSON model; small trees are filled up."""
    trees = model["learner"]["gradient_booster"]["model"]["trees"]
    most = max(len(tree["left_children"]) for tree in trees)
    places = np.full((len(trees), most, 3), -1, dtype=np.int16)
    values = np.zeros((len(trees), most), dtype=np.float32)
    for number, tree in enumerate(trees):
        size = len(tree["left_children"])
        places[number, :size] = np.column_stack([tree["left_children"], tree["right_children"], tree["split_indices"]])
        values[number, :size] = tree["split_conditions"]
    return places, values


def fit_network(
    names: Sequence[str],
    graph: Graph,
    inputs: Floats,
    labels: Integers,
    counted: Floats,
    settings: Mapping[str, Any],
    seed: int,
    fit: FitNetwork,
) -> Network:
    """GraphSAGE on the labels that count; the others lend their features."""
    scale = Scale.fit(names, inputs)
    return Network(scale, Sage.of(fit(graph, scale(inputs), labels, counted, settings, seed)))
