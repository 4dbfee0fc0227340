"""Where a drawing puts components: layers, order, places."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import isotonic_regression

from connectors.sinks.dependency_graph import layout
from connectors.sinks.dependency_graph.layout import BOX_GAP, BOX_HEIGHT, MOST_IN_LAYER, Layout, lay_out, settle

EDGES = st.integers(1, 14).flatmap(
    lambda count: st.tuples(
        st.just(count),
        st.lists(
            st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(lambda pair: pair[0] != pair[1]),
            max_size=40,
            unique=True,
        ),
    )
)


def on_a_cycle(edge: tuple[int, int], edges: list[tuple[int, int]]) -> bool:
    """Whether a path leads from its target back to its source."""
    seen, waiting = {edge[1]}, [edge[1]]
    while waiting:
        node = waiting.pop()
        following = {target for source, target in edges if source == node} - seen
        seen |= following
        waiting.extend(following)
    return edge[0] in seen


@given(EDGES)
def test_edges_lead_to_the_right_unless_they_are_on_a_cycle(graph: tuple[int, list[tuple[int, int]]]) -> None:
    count, edges = graph
    layers = lay_out(count, edges).layers
    backward = [edge for edge in edges if layers[edge[0]] >= layers[edge[1]]]
    assert all(on_a_cycle(edge, edges) for edge in backward)
    entered = {target for source, target in edges if layers[source] < layers[target]}
    assert all((layers[node] > 0) == (node in entered) for node in range(count))


@given(EDGES)
def test_nothing_touches_and_every_long_edge_has_a_lane(graph: tuple[int, list[tuple[int, int]]]) -> None:
    count, edges = graph
    found = lay_out(count, edges)
    for layer in set(found.layers):
        boxes = sorted(found.y[node] for node in range(count) if found.layers[node] == layer)
        lanes = [y for (_, at), y in found.lanes.items() if at == layer]
        assert all(other - one >= BOX_HEIGHT + BOX_GAP - 1e-6 for one, other in pairwise(boxes))
        assert all(abs(lane - box) >= BOX_HEIGHT / 2 for lane in lanes for box in boxes)
    for source, target in edges:
        assert len(found.route(source, target)) == max(0, found.layers[target] - found.layers[source] - 1)
    assert min(found.y) >= BOX_HEIGHT / 2 - 1e-6 and found.height >= max(found.y) + BOX_HEIGHT / 2 - 1e-6
    assert found == lay_out(count, edges)


def crossings(found: Layout, edges: list[tuple[int, int]]) -> int:
    """Pairs of edges between neighbouring layers that cross, each compared with each."""
    y, layers = found.y, found.layers
    short = [(a, b) for a, b in edges if layers[b] - layers[a] == 1]
    return sum(
        layers[a] == layers[c] and (y[a] - y[c]) * (y[b] - y[d]) < 0 for (a, b), (c, d) in combinations(short, 2)
    )


def test_a_tree_is_drawn_without_crossings() -> None:
    edges = [((number * 7 % 40 - 1) // 3, number * 7 % 40) for number in range(1, 40) if number * 7 % 40]
    found = lay_out(40, edges)
    assert len(edges) == 39 and crossings(found, edges) == 0


@given(st.lists(st.lists(st.integers(0, 5), max_size=4, unique=True), min_size=1, max_size=6))
def test_crossings_are_counted_as_one_would_by_hand(targets: list[list[int]]) -> None:
    columns = [list(range(len(targets))), list(range(10, 16))]
    right = {source: [10 + each for each in row] for source, row in enumerate(targets)}
    links = [(source, target) for source, row in right.items() for target in row]
    expected = sum((a - c) * (b - d) < 0 for (a, b), (c, d) in combinations(links, 2))
    assert layout._crossings(columns, right) == expected


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-500, 500), st.floats(0, 60)), min_size=1, max_size=30))
def test_places_are_the_nearest_that_keep_the_distance(items: list[tuple[float, float]]) -> None:
    wanted, spacing = [each for each, _ in items], [each for _, each in items[1:]]
    found = settle(wanted, spacing)
    assert all(other - one >= distance - 1e-6 for (one, other), distance in zip(pairwise(found), spacing, strict=True))
    offsets = np.concatenate([[0.0], np.cumsum(spacing)])
    np.testing.assert_allclose(found, isotonic_regression(np.array(wanted) - offsets).x + offsets, atol=1e-6)


def test_a_flat_list_is_wrapped_but_what_leads_on_stays() -> None:
    found = lay_out(102, [*((0, number) for number in range(1, 101)), (100, 101)])
    sizes = [found.layers.count(layer) for layer in range(max(found.layers) + 1)]
    assert sizes == [1, MOST_IN_LAYER, MOST_IN_LAYER, 101 - 2 * MOST_IN_LAYER]
    assert found.layers[100] == 1
    assert found.height < 102 * (BOX_HEIGHT + BOX_GAP) / 2
    routes = {tuple(found.route(0, number)) for number in range(1, 101) if found.layers[number] == 3}
    assert len(routes) == 1  # one lane for all
    alone = lay_out(100, [])
    assert [alone.layers.count(layer) for layer in range(3)] == [MOST_IN_LAYER, MOST_IN_LAYER, 100 - 2 * MOST_IN_LAYER]


def test_nothing_has_a_layout_too() -> None:
    assert lay_out(0, []) == Layout((), (), {}, 0.0)
