"""What a picture shows when it is opened: the risky subgraph, laid out. Page and drawing start from the same."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from connectors.sinks.dependency_graph.layout import Layout, lay_out
from connectors.sinks.dependency_graph.selection import Selection, Structure, risky
from connectors.sinks.dependency_graph.words import drawable, fitted, width
from meddojo.dependency_picture import DependencyPicture, PictureNode, PictureVulnerability
from meddojo.severity import Severity

UNSTATED = "unstated"
"""Style of the line from the root to a component to which the file leads no path."""

NAME_SIZE = 12.5
VERSION_SIZE = 11.5
BADGE_SIZE = 11.0
COLUMN_GAP = 74.0
FORECAST_FLOOR = 0.1
"""Forecasts below are not drawn in the box: nearly every component has one."""
_WIDTHS = (84.0, 290.0)
_PADDING = 24.0
_SPACE = 6.0


@dataclass(frozen=True, slots=True)
class Column:
    """Left edge and width of the boxes of one layer, in CSS pixels."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Label:
    """What a box says, cut to its room."""

    name: str
    version: str
    badge: str
    forecast: str
    exploited: bool


@dataclass(frozen=True, slots=True)
class Opening:
    """The part of a picture that is drawn first.

    Attributes
    ----------
    nodes
        Positions in the picture; `edges` and `layout` count from 0 in this order.
    edges
        Ends -> kind of the dependency, or `UNSTATED`.
    """

    picture: DependencyPicture
    structure: Structure
    selection: Selection
    nodes: Sequence[int]
    edges: Mapping[tuple[int, int], str]
    layout: Layout
    columns: Sequence[Column]

    def label(self, number: int) -> Label:
        """What the box of the node at this place of `nodes` says."""
        node = self.picture.nodes[self.nodes[number]]
        return _label(node, self.columns[self.layout.layers[number]].width)


def open_on_risk(picture: DependencyPicture, structure: Structure, most: int) -> Opening:
    """The risky subgraph of at most `most` components, laid out."""
    selection = risky(picture, structure, most)
    place = {node: number for number, node in enumerate(selection.nodes)}
    edges = {
        (place[source], place[target]): structure.kinds[source, target].value
        for source in selection.nodes
        for target in structure.needs[source]
        if target in place
    }
    if picture.root is not None:
        edges |= {(place[picture.root], place[node]): UNSTATED for node in structure.tops if node in place}
    layout = lay_out(len(place), list(edges))
    columns = _columns([picture.nodes[node] for node in selection.nodes], layout.layers)
    return Opening(picture, structure, selection, selection.nodes, edges, layout, columns)


def badge(node: PictureNode) -> str:
    """Letter of the worst severity and number of vulnerabilities: ``C 3``."""
    severity = node.severity
    return f"{severity.value[0]} {len(node.vulnerabilities)}" if severity else ""


def worst_first(vulnerabilities: Iterable[PictureVulnerability]) -> list[PictureVulnerability]:
    """By severity, those known to be exploited first within a band."""
    return sorted(vulnerabilities, key=lambda each: (-each.severity.rank, not each.exploited, each.id))


def counts(picture: DependencyPicture) -> dict[Severity, int]:
    """Vulnerable components by their worst severity, the worst first."""
    found = dict.fromkeys(reversed(Severity), 0)
    for node in picture.nodes:
        if severity := node.severity:
            found[severity] += 1
    return {severity: number for severity, number in found.items() if number}


def forecast_text(node: PictureNode) -> str:
    """The forecast as a percentage, if it is worth a mark."""
    return f"{node.forecast:.0%}" if node.forecast is not None and node.forecast >= FORECAST_FLOOR else ""


def pill_width(text: str) -> float:
    """Of a badge around the text."""
    return width(text, BADGE_SIZE) + 12


def _columns(nodes: Sequence[PictureNode], layers: Sequence[int]) -> list[Column]:
    """Each as wide as its widest label asks, within limits."""
    wanted = [_WIDTHS[0]] * (max(layers, default=-1) + 1)
    for node, layer in zip(nodes, layers, strict=True):
        wanted[layer] = max(wanted[layer], min(_WIDTHS[1], _wanted(node)))
    columns, x = [], 0.0
    for room in wanted:
        columns.append(Column(x, math.ceil(room)))
        x += math.ceil(room) + COLUMN_GAP
    return columns


def _wanted(node: PictureNode) -> float:
    text = width(drawable(node.name), NAME_SIZE) + width(drawable(node.version), VERSION_SIZE)
    return text + _SPACE + _marks_width(node) + _PADDING


def _marks_width(node: PictureNode) -> float:
    pills = [text for text in (badge(node), forecast_text(node)) if text]
    exploited = any(each.exploited for each in node.vulnerabilities)
    return sum(pill_width(text) + 6 for text in pills) + 14 * exploited


def _label(node: PictureNode, room: float) -> Label:
    left = room - _marks_width(node) - _PADDING
    version = fitted(drawable(node.version), VERSION_SIZE, left * 0.45)
    name = fitted(
        drawable(node.name) or "(no name)", NAME_SIZE, left - (width(version, VERSION_SIZE) + _SPACE) * bool(version)
    )
    exploited = any(each.exploited for each in node.vulnerabilities)
    return Label(name, version, badge(node), forecast_text(node), exploited)
