"""The picture as one HTML page that loads nothing, opens from a file, and runs no script but its own."""

from __future__ import annotations

from datetime import UTC
from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from connectors.sinks.dependency_graph.drawing import MOST_DRAWN, STYLE, draw, in_words, rounded
from connectors.sinks.dependency_graph.embedded import data
from connectors.sinks.dependency_graph.legend import KIND_WORDS
from connectors.sinks.dependency_graph.opening import counts, open_on_risk, worst_first
from connectors.sinks.dependency_graph.selection import by_risk, structure_of
from connectors.sinks.dependency_graph.words import drawable
from connectors.sinks.facts import vulnerability_page
from connectors.sinks.self_contained import PALETTE, asset, embed, page_environment, policy
from meddojo import __version__
from meddojo.dependency_picture import DependencyPicture
from meddojo.severity import Severity

MOST_OPENED = 250
_STATIC_ROWS = 200
_STATIC_VULNERABILITIES = 12
_SCRIPTS = ("graph.js", "placement.js", "canvas.js", "boxes.js", "panel.js", "page.js")


def to_html(picture: DependencyPicture, most: int = MOST_OPENED) -> str:
    """The dependency graph as one self-contained, interactive HTML page.

    It opens on the risky subgraph, which is laid out here; the page lays out by itself what is opened further. Without
    script, and on paper, it is the static drawing with a table of the vulnerable components.

    Parameters
    ----------
    most
        Components it opens on; all others can be searched and opened.
    """
    structure = structure_of(picture)
    opening = open_on_risk(picture, structure, most)
    still = opening if len(opening.nodes) <= MOST_DRAWN else open_on_risk(picture, structure, MOST_DRAWN)
    style = asset(PALETTE, STYLE, "dependency_graph/page.css")
    script = '"use strict";\n(() => {\n' + asset(*(f"dependency_graph/{name}" for name in _SCRIPTS)) + "})();\n"
    risky = by_risk(picture)
    generated = picture.generated.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if picture.generated else ""
    return (
        _environment()
        .get_template("dependency_graph/page.html.j2")
        .render(
            title=drawable(picture.title),
            subtitle=drawable(picture.subtitle),
            generated=generated,
            score=None if picture.device_score is None else rounded(picture.device_score),
            picture=picture,
            counts=counts(picture),
            severities=tuple(reversed(Severity)),
            kind_words=KIND_WORDS,
            sentence=in_words(opening),
            drawing=draw(still),
            table=[picture.nodes[node] for node in risky[:_STATIC_ROWS]],
            table_left_out=max(0, len(risky) - _STATIC_ROWS),
            most_named=_STATIC_VULNERABILITIES,
            data=embed(data(opening)),
            version=__version__,
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
            policy=policy(style, script),
        )
    )


@cache
def _environment() -> Environment:
    environment = page_environment()
    environment.filters.update(drawable=drawable, rounded=rounded, page=vulnerability_page, worst_first=worst_first)
    return environment
