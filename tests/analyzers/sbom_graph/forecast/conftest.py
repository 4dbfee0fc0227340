"""A small invented world of packages: what has many dependents and a past gets CVEs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import numpy as np
import pytest

from analyzers.sbom_graph.forecast.features import matrix
from analyzers.sbom_graph.forecast.graph import Graph
from analyzers.sbom_graph.forecast.history import NONE, History
from analyzers.sbom_graph.forecast.snapshot import Snapshot

DAY = date(2023, 6, 30)


def small_world(seed: int, size: int = 400) -> Snapshot:
    random = np.random.default_rng(seed)
    refs = [f"package-{number}" for number in range(size)]
    targets = (size * random.random(3 * size) ** 3).astype(int)
    edges: Iterable[tuple[str, str]] = zip(
        (refs[each] for each in random.integers(0, size, 3 * size)), (refs[each] for each in targets), strict=True
    )
    graph = Graph.of(refs, edges)
    past = random.poisson(np.maximum(0.0, 3.0 - np.arange(size) / 20.0))
    histories = tuple(History(int(n), int(n) // 2, int(n), 200) if n else NONE for n in past)
    chance = 1.0 / (1.0 + np.exp(3.0 - 1.2 * past - 0.05 * np.asarray(graph.needs.sum(axis=0)).ravel()))
    labels = (random.random(size) < chance).astype(np.int64)
    return Snapshot(DAY, graph, histories, matrix(graph, refs, histories), labels)


@pytest.fixture(scope="session")
def year() -> Snapshot:
    return small_world(1)


@pytest.fixture(scope="session")
def later() -> Snapshot:
    return small_world(2)
