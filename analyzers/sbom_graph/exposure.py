"""How near a component is to whoever reaches the device."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from analyzers.sbom_graph.graph import NOWHERE, DependencyGraph, Place

LISTED = 0.5
"""Exposure of a component whose place is not stated, and of one infinitely deep.

It may not lie above that of any component whose place is known: otherwise a harmless component that explains where
a vulnerable one sits would lower the score of the device."""

NEARNESS = 0.75
"""What each further step leaves of the other half."""

_BETWEEN = re.compile(r"[^a-z0-9]+")


def exposures(graph: DependencyGraph) -> list[float]:
    """Exposure of each node, 0 to 1.

    ``LISTED + (1 - LISTED) * max over chains of (weakest link * NEARNESS ** (steps - 1))``, where chains begin at the
    root or, as one step, at an interface (`interface_nodes`), and the weakest link is the least of `CARRIES` on it.
    The root and what it needs directly have 1, components for development 0.
    """
    nearest = [0.0] * len(graph.needs)
    interfaces = interface_nodes(graph)
    for floor in {*graph.strengths, 1.0}:
        for node, steps in enumerate(_steps(graph, interfaces, floor)):
            if steps != NOWHERE:
                nearest[node] = max(nearest[node], floor * NEARNESS ** max(steps - 1, 0))
    nearest[graph.device] = 1.0
    return [
        0.0 if place is Place.DEVELOPMENT else LISTED + (1.0 - LISTED) * near
        for place, near in zip(graph.places, nearest, strict=True)
    ]


def interface_nodes(graph: DependencyGraph) -> tuple[int, ...]:
    """Components on the device that take in what comes from outside, by the table ``interfaces.toml``."""
    return tuple(
        node
        for node, component in enumerate(graph.components)
        if graph.places[node] is not Place.DEVELOPMENT and _is_interface(component.name.lower())
    )


def _is_interface(name: str) -> bool:
    names, words, unless = _known()
    parts = _BETWEEN.split(name)
    return name in names or not (words.isdisjoint(parts) or not unless.isdisjoint(parts))


def _steps(graph: DependencyGraph, interfaces: Sequence[int], floor: float) -> list[int]:
    """Steps to each node over links at least as strong as `floor`; an interface is one step from the outside."""
    needs = graph.needs_from(floor)
    steps = [NOWHERE] * len(needs)
    steps[graph.device] = 0
    following = [*interfaces, *needs[graph.device]]
    depth = 1
    while following:
        level = []
        for node in following:
            if steps[node] == NOWHERE:
                steps[node] = depth
                level.append(node)
        following = [target for node in level for target in needs[node] if steps[target] == NOWHERE]
        depth += 1
    return steps


@cache
def _known() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Whole names, words, and words that speak against it."""
    table = tomllib.loads(files("analyzers.sbom_graph").joinpath("interfaces.toml").read_text("utf-8"))
    names, words = (
        frozenset(word for entry in table["interface"] for word in entry.get(column, ()))
        for column in ("names", "words")
    )
    return names, words, frozenset(table["unless"])
