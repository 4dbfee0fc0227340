"""The picture as a static SVG, for reports and for pages without script."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from markupsafe import Markup

from connectors.sinks.dependency_graph.layout import BOX_HEIGHT
from connectors.sinks.dependency_graph.legend import legend
from connectors.sinks.dependency_graph.opening import (
    Column,
    Opening,
    counts,
    forecast_text,
    open_on_risk,
    pill_width,
    worst_first,
)
from connectors.sinks.dependency_graph.selection import NONE, structure_of
from connectors.sinks.dependency_graph.words import drawable, fitted, width
from connectors.sinks.self_contained import PALETTE, asset
from meddojo.dependency_picture import DependencyPicture, PictureNode

MOST_DRAWN = 120
STYLE = "dependency_graph/drawing.css"
_MARGIN = 24.0
_HEAD = 76.0
_LEGEND = 44.0
_LEAST_WIDTH = 720.0
_VULNERABILITIES_NAMED = 8
_NO_STYLE = Markup()


def to_svg(picture: DependencyPicture, most: int = MOST_DRAWN) -> str:
    """The risky subgraph as one self-contained SVG file.

    It follows the reader's light or dark scheme on a screen and is light on paper. Title and description say what it
    shows, each box what is known of its component.

    Parameters
    ----------
    most
        Components drawn; the picture says how many it leaves out.
    """
    style = Markup("<style>{}</style>").format(Markup(asset(PALETTE, STYLE)))  # noqa: S704
    return str(draw(open_on_risk(picture, structure_of(picture), most), style))


def draw(opening: Opening, style: Markup = _NO_STYLE) -> Markup:
    """The drawing as an ``svg`` element; without `style`, the page it stands in has to bring one."""
    right = opening.columns[-1].x + opening.columns[-1].width if opening.columns else 0.0
    row, row_width = legend(opening)
    across = max(right + 2 * _MARGIN, row_width + 2 * _MARGIN, _LEAST_WIDTH)
    down = _HEAD + opening.layout.height + _MARGIN + _LEGEND
    head = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="drawing" viewBox="0 0 {:.0f} {:.0f}" width="{:.0f}"'
        ' height="{:.0f}" role="img" aria-labelledby="drawing-title drawing-text">'
        '<title id="drawing-title">{}</title><desc id="drawing-text">{}</desc>'
    ).format(across, down, across, down, drawable(opening.picture.title), in_words(opening))
    body = [
        Markup('<rect class="paper" width="100%" height="100%"/>'),
        *_head(opening, across),
        Markup('<g transform="translate({} {})">').format(_MARGIN, _HEAD),
        *_clips(opening.columns),
        *_edges(opening),
        *_boxes(opening),
        Markup('</g><g transform="translate({} {:.1f})">').format(_MARGIN, down - _LEGEND + 12),
        row,
        Markup("</g></svg>\n"),
    ]
    return head + style + Markup("").join(body)


def in_words(opening: Opening) -> str:
    """What the picture shows and leaves out."""
    shown, total, vulnerable = len(opening.nodes), len(opening.picture.nodes), opening.selection.vulnerable
    of_all = f"{shown:,} of {total:,} components"
    if not vulnerable:
        return f"{of_all}. None has a known vulnerability here; that is no proof that there is none."
    without = opening.selection.vulnerable_left_out
    if without:
        risky, left_out = (
            f"the {vulnerable - without:,} riskiest",
            f"{total - shown:,}, {without:,} of them vulnerable,",
        )
    else:
        risky = f"all {vulnerable:,} vulnerable ones" if vulnerable > 1 else "the only vulnerable one"
        left_out = f"{total - shown:,}"
    bands = ", ".join(f"{number:,} {severity.value.lower()}" for severity, number in counts(opening.picture).items())
    worst = f" By their worst vulnerability: {bands}." if bands else ""
    return f"{of_all}: {risky} and the paths to the root; {left_out} are left out.{worst}"


def _head(opening: Opening, across: float) -> Iterator[Markup]:
    picture = opening.picture
    text = Markup('<text class="{}" x="{}" y="{}">{}</text>')
    room = across - 2 * _MARGIN
    score = f"Risk {rounded(picture.device_score)} of 100" if picture.device_score is not None else ""
    yield text.format("title", _MARGIN, 30, fitted(drawable(picture.title), 17, room - width(score, 17) - 20))
    if score:
        end = Markup('<text class="title" text-anchor="end" x="{:.0f}" y="30">{}</text>')
        yield end.format(across - _MARGIN, score)
    yield text.format("soft", _MARGIN, 50, fitted(in_words(opening), 12, room))
    yield text.format("soft", _MARGIN, 66, fitted(drawable(picture.subtitle), 11.5, room))


def _clips(columns: Sequence[Column]) -> Iterator[Markup]:
    """No text leaves its box, whatever the font."""
    clip = Markup('<clipPath id="box-{}"><rect width="{:.0f}" height="{:.0f}" rx="5"/></clipPath>')
    for number, column in enumerate(columns):
        yield clip.format(number, column.width, BOX_HEIGHT)


def _edges(opening: Opening) -> Iterator[Markup]:
    """Thin lines first, then those of the shortest paths to vulnerable components."""
    ways = _ways(opening)
    line = Markup('<path class="edge {}{}" d="{}"/>')
    for on_way in (False, True):
        for (source, target), kind in opening.edges.items():
            if ((source, target) in ways) is on_way:
                yield line.format(kind, " way" if on_way else "", _path(opening, source, target))


def _ways(opening: Opening) -> set[tuple[int, int]]:
    picture = opening.picture
    place = {node: number for number, node in enumerate(opening.nodes)}
    found: set[tuple[int, int]] = set()
    for node in opening.nodes:
        if not (picture.nodes[node].vulnerabilities or picture.nodes[node].direct_risk > 0):
            continue
        while True:
            before = opening.structure.parents[node]
            if before == NONE and picture.root is not None and node != picture.root:
                before = picture.root
            if before == NONE or before not in place or (place[before], place[node]) in found:
                break
            found.add((place[before], place[node]))
            node = before
    return found


def _path(opening: Opening, source: int, target: int) -> str:
    """A curve from the right of one box through the lanes to the left of the other; a backward one loops around."""
    layout, columns = opening.layout, opening.columns
    one, other = columns[layout.layers[source]], columns[layout.layers[target]]
    x, y, end_x, end_y = one.x + one.width, layout.y[source], other.x, layout.y[target]
    if layout.layers[source] >= layout.layers[target]:
        bend = 40 + abs(end_y - y) / 8
        return f"M{x:.0f} {y:.1f}C{x + bend:.0f} {y:.1f} {end_x - bend:.0f} {end_y:.1f} {end_x:.0f} {end_y:.1f}"
    parts = [f"M{x:.0f} {y:.1f}"]
    for layer, lane in enumerate(layout.route(source, target), layout.layers[source] + 1):
        parts.append(_curve(x, y, columns[layer].x, lane) + f"H{columns[layer].x + columns[layer].width:.0f}")
        x, y = columns[layer].x + columns[layer].width, lane
    return "".join([*parts, _curve(x, y, end_x, end_y)])


def _curve(x: float, y: float, end_x: float, end_y: float) -> str:
    middle = (x + end_x) / 2
    return f"C{middle:.0f} {y:.1f} {middle:.0f} {end_y:.1f} {end_x:.0f} {end_y:.1f}"


def _boxes(opening: Opening) -> Iterator[Markup]:
    for number, position in enumerate(opening.nodes):
        layer = opening.layout.layers[number]
        column, node, label = opening.columns[layer], opening.picture.nodes[position], opening.label(number)
        band = node.severity.value.lower() if node.severity else ""
        style = "root" if position == opening.picture.root else "risky" if band else "carrier"
        place = Markup('<g class="{}" transform="translate({:.0f} {:.1f})" clip-path="url(#box-{})"><title>{}</title>')
        yield place.format(style, column.x, opening.layout.y[number] - BOX_HEIGHT / 2, layer, told(node))
        yield Markup('<rect class="box" x=".5" y=".5" width="{:.0f}" height="{:.0f}" rx="4.5"/>').format(
            column.width - 1, BOX_HEIGHT - 1
        )
        if band:
            yield Markup('<rect class="fill-{}" width="5" height="{:.0f}"/>').format(band, BOX_HEIGHT)
        if node.propagated_risk > 0:
            length = min(1.0, node.propagated_risk / 10) * (column.width - 10)
            yield Markup('<rect class="meter" x="5" y="{:.0f}" width="{:.1f}" height="2"/>').format(
                BOX_HEIGHT - 2.5, length
            )
        yield Markup('<text x="12" y="17"><tspan class="name">{}</tspan>{}</text>').format(
            label.name,
            Markup('<tspan class="version" dx="5">{}</tspan>').format(label.version) if label.version else "",
        )
        yield from _marks(label.badge, band, label.forecast, label.exploited, column.width - 6)
        yield Markup("</g>")


def _marks(badge: str, band: str, forecast: str, exploited: bool, right: float) -> Iterator[Markup]:
    """From the right: number of vulnerabilities, diamond of the exploited, forecast."""
    pill = Markup('<rect class="{}" x="{:.1f}" y="5" width="{:.1f}" height="16" rx="8"/>')
    text = Markup('<text class="{}" x="{:.1f}" y="17">{}</text>')
    if badge:
        room = pill_width(badge)
        yield pill.format(f"fill-{band}", right - room, room)
        yield text.format(f"pill on-{band}", right - room / 2, badge)
        right -= room + 6
    if exploited:
        yield Markup('<path class="exploited" d="M{:.1f} 7.5l5.5 5.5-5.5 5.5-5.5-5.5z"/>').format(right - 5.5)
        right -= 14
    if forecast:
        room = pill_width(forecast)
        yield pill.format("forecast", right - room, room)
        yield text.format("forecast-text", right - room / 2, forecast)


def told(node: PictureNode) -> str:
    """What is known of a component, in a sentence or two."""
    parts = [drawable(node.label) or "(no name)"]
    if node.vulnerabilities:
        named = ", ".join(
            f"{drawable(each.id, 60)} ({each.severity.value.lower()}{', known exploited' if each.exploited else ''})"
            for each in worst_first(node.vulnerabilities)[:_VULNERABILITIES_NAMED]
        )
        rest = len(node.vulnerabilities) - _VULNERABILITIES_NAMED
        parts.append(named + (f" and {rest:,} more" if rest > 0 else ""))
    if node.propagated_risk > 0:
        parts.append(f"risk {rounded(node.direct_risk)}, with what it needs {rounded(node.propagated_risk)} of 10")
    if forecast_text(node):
        parts.append(f"predicted: {forecast_text(node)} to receive a CVE within a year")
    return ". ".join(parts)


def rounded(value: float) -> str:
    """A risk with one decimal; a dash when it is no number."""
    return f"{value:.1f}" if math.isfinite(value) else "–"
