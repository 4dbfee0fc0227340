"""The graph: positions against plain reckoning, whatever its shape."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.sbom_graph.forecast.graph import DAMPING, Graph
from meddojo.sbom import Component, Dependency, DependencyKind, Sbom

REFS = "abcdefgh"
EDGES = st.lists(st.tuples(st.sampled_from(REFS), st.sampled_from(REFS)), max_size=30)


def test_an_sbom_gives_its_components_and_what_they_need_at_work() -> None:
    sbom = Sbom(
        "CycloneDX 1.5",
        tuple(Component(ref, ref) for ref in ("device", "a", "b", "c", "a")),
        "device",
        (
            Dependency("device", "a"),
            Dependency("a", "b"),
            Dependency("a", "b", DependencyKind.OPTIONAL),
            Dependency("b", "c", DependencyKind.DEVELOPMENT),
            Dependency("b", "b"),
            Dependency("b", "nowhere"),
        ),
    )
    graph = Graph.of_sbom(sbom)
    assert graph.refs == ("a", "b", "c")
    assert graph.needs.toarray().tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0]]


@given(EDGES)
def test_pagerank_is_what_the_matrix_equation_says(edges: list[tuple[str, str]]) -> None:
    graph = Graph.of(REFS, edges)
    size, needs = len(REFS), graph.needs.toarray()
    followed = np.where(
        needs.sum(axis=1, keepdims=True) > 0, needs / np.maximum(needs.sum(axis=1, keepdims=True), 1), 1 / size
    )
    exact = np.linalg.solve(np.eye(size) - DAMPING * followed.T, np.full(size, 1 - DAMPING))
    assert graph.pagerank() == pytest.approx(exact, abs=1e-6)
    assert graph.pagerank().sum() == pytest.approx(size)


@given(EDGES)
def test_depth_is_the_shortest_way_from_a_top_and_height_the_same_turned_round(edges: list[tuple[str, str]]) -> None:
    graph = Graph.of(REFS, edges)
    needs = graph.needs.toarray() > 0
    for found, matrix in ((graph.depth(), needs), (graph.height(), needs.T)):
        steps = {node: 0 for node in range(len(REFS)) if not matrix[:, node].any()}
        for step in range(1, len(REFS)):
            reached = [n for n in range(len(REFS)) if n not in steps and any(matrix[m, n] for m in steps)]
            steps.update(dict.fromkeys(reached, step))
        assert found.tolist() == [steps.get(node, 0) for node in range(len(REFS))]


@given(EDGES)
def test_means_over_neighbours_are_means(edges: list[tuple[str, str]]) -> None:
    graph = Graph.of(REFS, edges)
    values = np.arange(len(REFS), dtype=np.float32)
    needs = graph.needs.toarray() > 0
    for mean, matrix in zip(graph.means, (needs, needs.T), strict=True):
        expected = [values[row].mean() if row.any() else 0.0 for row in matrix]
        assert mean @ values == pytest.approx(np.array(expected), abs=1e-5)


def test_no_components_are_a_graph_too() -> None:
    graph = Graph.of((), ())
    assert len(graph) == 0 and graph.pagerank().tolist() == [] and graph.depth().tolist() == []
