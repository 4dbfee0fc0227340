"""Features: what was known on the day, the same however the components are ordered."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.sbom_graph.forecast.features import ALL, columns, matrix, quantiles
from analyzers.sbom_graph.forecast.graph import Graph
from analyzers.sbom_graph.forecast.history import NONE, History

DAY = date(2023, 6, 30)
DAYS = st.lists(st.dates(date(2015, 1, 1), date(2025, 1, 1)), max_size=20)


def test_a_history_counts_what_was_published_by_the_day() -> None:
    days = [
        DAY,
        DAY - timedelta(days=364),
        DAY - timedelta(days=365),
        DAY - timedelta(days=2000),
        DAY + timedelta(days=1),
    ]
    assert History.of(days, DAY) == History(4, 2, 3, 0)
    assert History.of([DAY + timedelta(days=1)], DAY) == NONE
    assert History.of([], DAY, undated=2) == History(total=2)


@given(DAYS, DAYS)
def test_what_comes_later_changes_nothing(days: list[date], more: list[date]) -> None:
    later = [day for day in more if day > DAY]
    assert History.of(days + later, DAY) == History.of(days, DAY)


@given(DAYS)
def test_windows_lie_inside_each_other(days: list[date]) -> None:
    found = History.of(days, DAY)
    assert 0 <= found.last_year <= found.last_two_years <= found.total
    assert (found.days_since_last is None) is (found.total == 0)


def test_neighbours_histories_are_told_from_both_sides() -> None:
    graph = Graph.of("abc", [("a", "b"), ("a", "c")])
    found = matrix(graph, ["a", "b", "c"], [History(3, 1, 1, 10), NONE, History(1, 0, 0, 900)])
    cell = {name: found[:, ALL.index(name)].tolist() for name in ALL}
    assert cell["dependencies: mean has a CVE"] == [0.5, 0, 0]
    assert cell["dependents: highest CVEs ever"] == pytest.approx([0, np.log(4), np.log(4)])
    assert cell["dependents"] == pytest.approx([0, np.log(2), np.log(2)]) and cell["dependencies"][0] == pytest.approx(
        np.log(3)
    )


def test_names_tell_what_reads_input_and_what_does_nothing() -> None:
    graph = Graph.of(["1", "2", "3", "4"], ())
    found = matrix(graph, ["libxml2", "python3-http-client", "fonts-dejavu", "zlib"], [NONE] * 4)
    assert found[:, columns(["name: reads input", "name: network", "name: inert"])].tolist() == [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
        [0, 0, 0],
    ]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=15),
    st.permutations(range(6)),
    st.lists(st.integers(0, 50), min_size=6, max_size=6),
)
def test_the_order_of_components_does_not_matter(
    edges: list[tuple[int, int]], order: list[int], counts: list[int]
) -> None:
    refs = [f"component-{number}" for number in range(6)]
    pairs = [(refs[a], refs[b]) for a, b in edges]
    histories = [History(count, count // 2, count, 100 if count else None) for count in counts]
    one = matrix(Graph.of(refs, pairs), refs, histories)
    mixed = [refs[place] for place in order]
    other = matrix(Graph.of(mixed, pairs), mixed, [histories[place] for place in order])
    assert other == pytest.approx(one[list(order)], abs=1e-4)
    assert np.isfinite(one).all()


def test_quantiles_share_ties() -> None:
    assert quantiles(np.array([1.0, 1.0, 2.0, 3.0])).tolist() == [0.25, 0.25, 0.625, 0.875]
