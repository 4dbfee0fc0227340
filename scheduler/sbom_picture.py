"""A scored SBOM as a picture: its dependency graph, for ``meddojo sbom graph``."""

from __future__ import annotations

from pathlib import Path

from analyzers.sbom_graph.forthcoming import next_cves
from analyzers.sbom_graph.rating import RatedVulnerability
from analyzers.sbom_graph.telling import upgrade_line
from analyzers.sbom_graph.what_if import rank_upgrades
from connectors.sinks.dependency_graph import to_html, to_svg
from meddojo.dependency_picture import DependencyPicture, PictureEdge, PictureNode, PictureVulnerability
from scheduler.sboms import Scored

_ADVISED = 50
_RENDERERS = {".svg": to_svg}


def write_picture(scored: Scored, out: Path) -> int:
    """Write the picture: an SVG if `out` ends so, else a page that needs no network.

    Returns
    -------
    int
        Size in bytes.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    content = _RENDERERS.get(out.suffix.lower(), to_html)(picture_of(scored)).encode()
    out.parent.mkdir(parents=True, exist_ok=True)
    return out.write_bytes(content)


def picture_of(scored: Scored) -> DependencyPicture:
    """Components with their risk and the best upgrade, and who needs whom.

    Components that somebody found and the SBOM does not list stand in it without a dependency.
    """
    risk, device = scored.risk, scored.case.device
    graph = risk.graph
    advice = {node: upgrade_line(risk, each) for each in rank_upgrades(risk, _ADVISED) for node in each.nodes}
    chances = next_cves(scored.case, scored.sbom)
    nodes = tuple(
        PictureNode(
            ref=component.ref,
            name=component.name,
            version=component.version,
            kind=component.kind,
            direct_risk=10.0 * part.direct,
            propagated_risk=10.0 * part.propagated,
            vulnerabilities=tuple(map(_vulnerability, part.vulnerabilities)),
            forecast=chances.get(component.ref),
            advice=advice.get(node, ""),
        )
        for node, (component, part) in enumerate(zip(graph.components, risk.components, strict=False))
    )
    places = {component.ref: node for node, component in enumerate(graph.components)}
    return DependencyPicture(
        title=f"{device.label.strip()} {device.version}".strip(),
        subtitle=f"{Path(scored.file).name}, {scored.sbom.format}",
        nodes=nodes,
        edges=tuple(
            PictureEdge(places[edge.source], places[edge.target], edge.kind) for edge in scored.sbom.dependencies
        ),
        root=graph.device if graph.stated_root else None,
        device_score=risk.score,
        generated=scored.case.as_of,
    )


def _vulnerability(known: RatedVulnerability) -> PictureVulnerability:
    parts = [f"CVSS {known.score:.1f}{' (predicted)' if known.predicted else ''}"]
    parts += [f"EPSS {known.epss:.1%}"] if known.epss is not None else []
    parts += [f"fixed in {', '.join(known.fix_versions)}"] if known.fix_versions else []
    return PictureVulnerability(known.check, known.severity, "; ".join(parts), known.known_exploited)
