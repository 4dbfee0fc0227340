"""Forecast: which components of an SBOM will receive a CVE within twelve months.

From what is known today: each component's past CVEs, and where it stands in the dependency graph. The figures, and
what the graph adds to a mere count of past CVEs, are in ``model/MODEL_CARD.md``; how it was made in
``docs/sbom-forecast.md``.
"""

from __future__ import annotations

from collections.abc import Mapping

from analyzers.sbom_graph.forecast.history import NONE, History
from meddojo.sbom import Sbom

__all__ = ["History", "forecast"]


def forecast(sbom: Sbom, history: Mapping[str, History]) -> dict[str, float]:
    """Probability that a CVE about a component is published within twelve months.

    It is about the component as a project, whatever its version: an old version with known holes is not meant here.

    Parameters
    ----------
    sbom
        Components and dependencies; the component it describes is left out. Any ecosystem.
    history
        Past CVEs by `Component.ref`, as `History.of` counts them. A component that is not in it has none: be sure that
        its name was looked up, the model takes the absence for a fact.

    Returns
    -------
    dict
        `Component.ref` to probability; a prediction, to be marked as one wherever it is shown.

    Raises
    ------
    InputError
        If the model that comes with the package is damaged.
    """
    from analyzers.sbom_graph.forecast.artefacts import shipped
    from analyzers.sbom_graph.forecast.features import matrix
    from analyzers.sbom_graph.forecast.graph import Graph

    graph = Graph.of_sbom(sbom)
    if not graph.refs:
        return {}
    names = {component.ref: component.name for component in sbom.components}
    inputs = matrix(graph, [names[ref] for ref in graph.refs], [history.get(ref, NONE) for ref in graph.refs])
    return dict(zip(graph.refs, shipped().probabilities(graph, inputs).tolist(), strict=True))
