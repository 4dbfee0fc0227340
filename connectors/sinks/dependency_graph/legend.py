"""What the marks of a drawing mean: only those that occur in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from markupsafe import Markup

from connectors.sinks.dependency_graph.opening import UNSTATED, Opening, forecast_text
from connectors.sinks.dependency_graph.words import width
from meddojo.sbom import DependencyKind
from meddojo.severity import Severity

KIND_WORDS = {
    DependencyKind.RUNTIME.value: "needs",
    DependencyKind.CONTAINS.value: "contains",
    DependencyKind.OPTIONAL.value: "may need",
    DependencyKind.DEVELOPMENT.value: "needs to be built",
    UNSTATED: "path not stated",
}
"""Edge style -> what the legend calls it."""

_SIZE = 12.5
_GAP = 18.0
_BADGE = Markup(
    '<rect class="fill-{0}" width="18" height="16" rx="8"/><text class="pill on-{0}" x="9" y="12">{1}</text>'
)
_METER = Markup(
    '<rect class="box" x=".5" y="2.5" width="23" height="11" rx="2"/>'
    '<rect class="meter" x="1" y="11" width="14" height="2"/>'
)
_LINE = Markup('<path class="edge way {}" d="M0 8H28"/>')


class Entry(NamedTuple):
    """A mark, its width, and what it means."""

    mark: Markup
    room: float
    words: str


def legend(opening: Opening) -> tuple[Markup, float]:
    """The entries in one row, and how wide it is, in CSS pixels."""
    row, x = Markup(), 0.0
    place = Markup('<g transform="translate({:.1f} 0)">{}<text class="soft" x="{:.0f}" y="12">{}</text></g>')
    for mark, room, words in _entries(opening):
        row += place.format(x, mark, room + 6, words)
        x += room + 6 + width(words, _SIZE) + _GAP
    return row, x


def _entries(opening: Opening) -> Iterator[Entry]:
    nodes = [opening.picture.nodes[position] for position in opening.nodes]
    bands = {node.severity for node in nodes}
    for severity in reversed(Severity):
        if severity in bands:
            yield Entry(_BADGE.format(severity.value.lower(), severity.value[0]), 18, severity.value)
    if any(each.exploited for node in nodes for each in node.vulnerabilities):
        yield Entry(Markup('<path class="exploited" d="M6 2.5l5.5 5.5-5.5 5.5-5.5-5.5z"/>'), 12, "known exploited")
    if any(node.propagated_risk > 0 for node in nodes):
        yield Entry(_METER, 24, "risk with what it needs")
    if any(map(forecast_text, nodes)):
        pill = Markup('<rect class="forecast" x=".5" y=".5" width="27" height="15" rx="7.5"/>')
        yield Entry(pill, 28, "predicted: CVE within a year")
    drawn = set(opening.edges.values())
    for kind, words in KIND_WORDS.items():
        if kind in drawn:
            yield Entry(_LINE.format(kind), 28, words)
