"""The picture as JSON inside its page: columns instead of rows, numbers instead of names, what is rare on its own.

Fifty thousand components with their edges stay within some megabytes that a browser parses in a tenth of a second.
"""

from __future__ import annotations

import math
from typing import Any

from connectors.sinks.dependency_graph.opening import FORECAST_FLOOR, UNSTATED, Opening, worst_first
from connectors.sinks.dependency_graph.selection import by_risk
from connectors.sinks.dependency_graph.words import drawable
from connectors.sinks.facts import vulnerability_page
from meddojo.dependency_picture import PictureVulnerability
from meddojo.sbom import DependencyKind

EDGE_KINDS = (*DependencyKind, UNSTATED)
_NOTE_LENGTH = 400
_VULNERABILITIES = 200


def data(opening: Opening) -> dict[str, Any]:
    """Everything the page draws and tells, with all text made drawable.

    Risks are in hundredths, forecasts in thousandths; edges are one flat list of source, target and kind, the kind by
    its place in `EDGE_KINDS`.
    """
    picture, structure = opening.picture, opening.structure
    nodes = picture.nodes
    places = {kind: place for place, kind in enumerate(DependencyKind)}
    component_kinds = list(dict.fromkeys(drawable(node.kind, 60) for node in nodes))
    kind_places = {kind: place for place, kind in enumerate(component_kinds)}
    return {
        "names": [drawable(node.name) or "(no name)" for node in nodes],
        "versions": [drawable(node.version, 100) for node in nodes],
        "refs": [drawable(node.ref) for node in nodes],
        "kinds": component_kinds,
        "kind": [kind_places[drawable(node.kind, 60)] for node in nodes],
        "direct": [_hundredths(node.direct_risk) for node in nodes],
        "spread": [_hundredths(node.propagated_risk) for node in nodes],
        "forecasts": {
            place: round(node.forecast * 1000)
            for place, node in enumerate(nodes)
            if node.forecast is not None and math.isfinite(node.forecast)
        },
        "advice": {place: drawable(node.advice, _NOTE_LENGTH) for place, node in enumerate(nodes) if node.advice},
        "vulnerabilities": {
            place: [_row(each) for each in worst_first(node.vulnerabilities)[:_VULNERABILITIES]]
            for place, node in enumerate(nodes)
            if node.vulnerabilities
        },
        "more": {
            place: len(node.vulnerabilities) - _VULNERABILITIES
            for place, node in enumerate(nodes)
            if len(node.vulnerabilities) > _VULNERABILITIES
        },
        "edges": [
            number for (source, target), kind in structure.kinds.items() for number in (source, target, places[kind])
        ],
        "edgeKinds": EDGE_KINDS,
        "root": -1 if picture.root is None else picture.root,
        "parents": structure.parents,
        "tops": structure.tops,
        "byRisk": by_risk(picture),
        "forecastFloor": round(FORECAST_FLOOR * 1000),
        "opening": _places(opening),
    }


def _row(vulnerability: PictureVulnerability) -> list[Any]:
    return [
        drawable(vulnerability.id, 60),
        vulnerability.severity.rank,
        1 if vulnerability.exploited else 0,
        drawable(vulnerability.note, _NOTE_LENGTH),
        vulnerability_page(vulnerability.id),
    ]


def _places(opening: Opening) -> dict[str, Any]:
    """Where the page starts from: node, layer and y; targets, layer and y of the lanes; x and width of the columns."""
    layout, nodes = opening.layout, opening.nodes
    lanes: dict[tuple[int, float], list[int]] = {}
    for (target, layer), y in layout.lanes.items():
        lanes.setdefault((layer, round(y, 1)), []).append(nodes[target])
    return {
        "nodes": [[node, layout.layers[place], round(layout.y[place], 1)] for place, node in enumerate(nodes)],
        "lanes": [[targets, layer, y] for (layer, y), targets in lanes.items()],
        "columns": [[column.x, column.width] for column in opening.columns],
    }


def _hundredths(risk: float) -> int:
    return round(min(max(risk, 0.0), 10.0) * 100) if math.isfinite(risk) else 0
