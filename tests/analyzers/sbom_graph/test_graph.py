"""Positions, circles, dominators and paths, against definitions and, where it is installed, networkx."""

from __future__ import annotations

import math
from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.sbom_graph.cycles import strong_components
from analyzers.sbom_graph.dominators import NOBODY, immediate_dominators, subtree_sums
from analyzers.sbom_graph.graph import NOWHERE, DependencyGraph, Place, build_graph
from analyzers.sbom_graph.paths import shortest_path, shortest_paths
from analyzers.sbom_graph.reach import condense, count_dependents, estimate_dependents
from meddojo.sbom import Component, Dependency, DependencyKind, Sbom
from tests.analyzers.sbom_graph.graphs import Sample, samples

Links = list[list[int]]


@st.composite
def links(draw: st.DrawFn, largest: int = 12) -> Links:
    size = draw(st.integers(1, largest))
    return [draw(st.lists(st.integers(0, size - 1), max_size=4, unique=True)) for _ in range(size)]


def reach(successors: Links, start: int, without: int = NOBODY) -> set[int]:
    found, queue = {start} - {without}, [start] if start != without else []
    for node in queue:
        for target in successors[node]:
            if target not in found and target != without:
                found.add(target)
                queue.append(target)
    return found


def graph_of(text: str, root: str = "device") -> DependencyGraph:
    """Lines of ``a > b`` (runtime), ``a ~ b`` (development) or a bare name."""
    names: dict[str, None] = {root: None} if root else {}
    edges = []
    for line in text.split(","):
        words = line.split()
        names.update(dict.fromkeys(words[::2]))
        if len(words) == 3:
            kind = DependencyKind.DEVELOPMENT if words[1] == "~" else DependencyKind.RUNTIME
            edges.append(Dependency(words[0], words[2], kind))
    return build_graph(Sbom("", tuple(Component(name, name) for name in names), root, tuple(edges)))


def places(graph: DependencyGraph) -> dict[str, tuple[str, int]]:
    return {each.name: (graph.places[node].value, graph.depth[node]) for node, each in enumerate(graph.components)}


def test_positions() -> None:
    graph = graph_of(
        "device > a, a > b, b > c, c > a, lone > b, lone > l2, device ~ test, test > t2, ring > ring2, ring2 > ring"
    )
    assert places(graph) == {
        "device": ("reached", 0),
        "a": ("reached", 1),
        "b": ("reached", 2),
        "c": ("reached", 3),
        "lone": ("listed", 1),
        "l2": ("listed", 2),
        "test": ("development", NOWHERE),
        "t2": ("development", NOWHERE),
        "ring": ("listed", 1),
        "ring2": ("listed", 1),
    }
    assert [graph.label(node) for node in graph.tops] == ["lone", "ring", "ring2"]


def test_development_is_left_where_something_else_needs_it() -> None:
    graph = graph_of("device ~ test, test > shared, device > shared, test > own")
    assert places(graph)["shared"] == ("reached", 1)
    assert places(graph)["own"] == ("development", NOWHERE)
    node = next(node for node, each in enumerate(graph.components) if each.name == "shared")
    assert [graph.label(above) for above in graph.needed_by[node]] == ["device"]


def test_without_a_root_everything_hangs_on_the_device() -> None:
    graph = graph_of("a > b, c", root="")
    assert not graph.stated_root and graph.device == 3
    assert places(graph) == {"a": ("listed", 1), "b": ("listed", 2), "c": ("listed", 1)}
    assert graph.dominators == (3, 0, 3, 3)


def test_an_unknown_root_and_edges_to_nowhere_do_no_harm() -> None:
    sbom = Sbom("", (Component("a", "a"),), "gone", (Dependency("a", "missing"), Dependency("a", "a")))
    graph = build_graph(sbom)
    assert graph.edges == 0 and graph.places[0] is Place.LISTED


@settings(deadline=None)
@given(links())
def test_circles(successors: Links) -> None:
    found = strong_components(successors)
    assert sorted(node for members in found for node in members) == list(range(len(successors)))
    circle = {node: number for number, members in enumerate(found) for node in members}
    reached = [reach(successors, node) for node in range(len(successors))]
    for one in range(len(successors)):
        assert all(circle[target] <= circle[one] for target in successors[one])
        for other in range(len(successors)):
            assert (circle[one] == circle[other]) is (other in reached[one] and one in reached[other])


@settings(deadline=None, max_examples=300)
@given(links())
def test_dominators_against_the_definition(successors: Links) -> None:
    """Taking a node away cuts off exactly what its subtree holds."""
    found = immediate_dominators(successors, 0)
    every = reach(successors, 0)
    assert {node for node, above in enumerate(found) if above != NOBODY} == every
    for node in every - {0}:
        lost = every - reach(successors, 0, without=node)
        assert subtree_sums(found, [1.0] * len(found))[node] == len(lost)
        assert found[node] != node and node not in reach(successors, 0, without=found[node])


def test_a_long_chain_needs_no_recursion_and_no_square() -> None:
    length = 50_000
    chain = [[node + 1, max(node - 1, 0)] for node in range(length - 1)] + [[0]]
    assert immediate_dominators(chain, 0) == [0, *range(length - 1)]
    assert len(strong_components(chain)) == 1


def test_paths_of_hostile_graphs_end_soon() -> None:
    """A long chain that leads both ways, and a component that thousands need."""
    length = 20_000
    names = tuple(Component(str(number), str(number)) for number in range(length))
    there = [Dependency(str(number), str(number + 1)) for number in range(length - 1)]
    back = [Dependency(edge.target, edge.source) for edge in there]
    graph = build_graph(Sbom("", names, "0", (*there, *back)))
    assert shortest_paths(graph, 60) == (tuple(range(61)),)
    assert shortest_paths(graph, length - 1) == (tuple(range(length)),)
    fan = [Dependency("0", "1"), *(Dependency("1", str(each)) for each in range(2, length - 1))]
    fan += [Dependency(str(each), str(length - 1)) for each in range(2, length - 1)]
    graph = build_graph(Sbom("", names, "0", tuple(fan)))
    assert [len(path) for path in shortest_paths(graph, length - 1)] == [4, 4, 4]


@settings(deadline=None)
@given(samples())
def test_paths(sample: Sample) -> None:
    graph = build_graph(sample.sbom)
    for node in range(len(graph.components)):
        found = shortest_paths(graph, node, 4)
        assert (not found) is (graph.places[node] is Place.DEVELOPMENT)
        assert [len(path) for path in found] == sorted(len(path) for path in found)
        assert len(set(found)) == len(found)
        for path in found:
            assert len(set(path)) == len(path) and path[-1] == node
            assert path[0] == graph.device or path[0] in graph.tops
            assert all(below in graph.needs[above] for above, below in pairwise(path))
        if found:
            assert len(found[0]) == len(shortest_path(graph, node))


@settings(deadline=None)
@given(samples())
def test_paths_against_networkx(sample: Sample) -> None:
    networkx = pytest.importorskip("networkx")
    graph = build_graph(sample.sbom)
    drawn = networkx.DiGraph(
        (node, target) for node, targets in enumerate(graph.needs) for target in targets if target != graph.device
    )
    drawn.add_node(graph.device)
    for node in range(len(graph.components)):
        if graph.places[node] is Place.REACHED and node != graph.device:
            expected = list(islice(networkx.shortest_simple_paths(drawn, graph.device, node), 4))
            assert sorted(map(len, shortest_paths(graph, node, 4))) == sorted(map(len, expected))


@settings(deadline=None)
@given(links(largest=30))
def test_dominators_and_dependents_against_networkx(successors: Links) -> None:
    networkx = pytest.importorskip("networkx")
    drawn = networkx.DiGraph()
    drawn.add_nodes_from(range(len(successors)))
    drawn.add_edges_from((node, target) for node, targets in enumerate(successors) for target in targets)
    expected = networkx.immediate_dominators(drawn, 0)
    found = immediate_dominators(successors, 0)
    assert {node: above for node, above in enumerate(found) if above not in (NOBODY, node)} == {
        node: above for node, above in expected.items() if above not in (None, node)
    }
    counted = count_dependents(condense(successors), range(len(successors)), device=0)
    assert counted.tolist() == [len(networkx.ancestors(drawn, node) - {0}) for node in drawn]


def test_estimated_dependents_are_about_right() -> None:
    random = np.random.default_rng(7)
    successors = [sorted({int(each) for each in random.integers(0, node, 3)}) if node else [] for node in range(3000)]
    condensed = condense(successors)
    exact = count_dependents(condensed, range(3000), device=2999)
    estimated = estimate_dependents(condensed, device=2999, seed=1)
    many = exact >= 50
    error = (estimated[many] - exact[many]) / exact[many]
    assert many.sum() > 500
    assert math.sqrt(float((error**2).mean())) < 0.15 and abs(float(error.mean())) < 0.1
    assert (estimated >= 0).all() and (np.abs(estimated - exact)[exact <= 3] <= 1).all()
