"""A device's dependency graph as a picture: an interactive page (`to_html`) and a drawing for reports (`to_svg`).

Both open on the risky subgraph: the components with known vulnerabilities and the paths that bring them in.
"""

from __future__ import annotations

from connectors.sinks.dependency_graph.drawing import to_svg
from connectors.sinks.dependency_graph.page import to_html

__all__ = ["to_html", "to_svg"]
