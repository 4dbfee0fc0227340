"""The network of tf_keras and the same in numpy, and that it learns from a graph what nodes alone do not tell."""

from __future__ import annotations

import numpy as np
import pytest

from analyzers.sbom_graph.forecast.graph import Graph
from analyzers.sbom_graph.forecast.sage import Sage

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.fixture(autouse=True)
def _tensorflow() -> None:
    pytest.importorskip("tf_keras", reason="the imaging extra is not installed")


def _world(size: int = 300) -> tuple[Graph, np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    refs = [str(number) for number in range(size)]
    edges = [(refs[a], refs[b]) for a, b in random.integers(0, size, (4 * size, 2))]
    graph = Graph.of(refs, edges)
    inputs = random.normal(size=(size, 6)).astype(np.float32)
    around = graph.means[0] @ inputs[:, 0]
    return graph, inputs, (around > np.quantile(around, 0.8)).astype(np.float32)


def test_numpy_computes_what_tf_keras_does() -> None:
    from imaging.graph_sage import Settings, predict, train

    graph, inputs, labels = _world()
    weights = train(graph.means, inputs, labels, np.ones(len(labels)), Settings(hidden=(8, 5), epochs=20), 1)
    theirs = predict(graph.means, inputs, weights)
    ours = Sage.of(weights).scores(graph, inputs)
    assert np.abs(ours - theirs).max() < 1e-5
    assert [each.shape for each in Sage.of(weights).arrays()] == [each.shape for each in weights]


def test_it_learns_what_only_the_neighbours_tell_on_nodes_whose_labels_it_never_saw() -> None:
    from imaging.graph_sage import Settings, train

    graph, inputs, labels = _world(600)
    seen = (np.arange(len(labels)) % 2).astype(np.float32)
    alone = Graph.of(graph.refs, ())
    right = []
    for each in (graph, alone):
        weights = train(each.means, inputs, labels, seen, Settings(hidden=(16,), epochs=150, dropout=0.0), 2)
        scores = Sage.of(weights).scores(each, inputs)[seen == 0]
        right.append(float(((scores > 0) == (labels[seen == 0] > 0)).mean()))
    assert right[0] > 0.9 > right[1]


def test_the_same_seed_gives_the_same_network() -> None:
    from imaging.graph_sage import Settings, train

    graph, inputs, labels = _world(100)
    one, again, other = (
        train(graph.means, inputs, labels, np.ones(100), Settings(hidden=(4,), epochs=5), seed) for seed in (1, 1, 2)
    )
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(one, again, strict=True))
    assert not all(np.allclose(a, b) for a, b in zip(one, other, strict=True))
