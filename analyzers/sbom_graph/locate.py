"""Which component of the SBOM a scanner or source means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from analyzers.matching.identifiers import cpe_key, parse_cpe, purl_key, purl_version
from analyzers.matching.names.normalise import squash
from meddojo.sbom import Component


class Locator:
    """Looks components up by what identifies them, the surest first.

    Parameters
    ----------
    components
        Nodes, by index.
    """

    def __init__(self, components: Sequence[Component]) -> None:
        self._nodes: dict[str, list[int]] = {}
        for node, component in enumerate(components):
            for key in _listed_as(component):
                self._nodes.setdefault(key, []).append(node)

    def find(self, component: Component) -> tuple[int, ...]:
        """Nodes that are this component at this version; none where it is not listed."""
        for key in _asked_for(component):
            if key in self._nodes:
                return tuple(self._nodes[key])
        return ()

    def strangers(self, components: Iterable[Component]) -> tuple[Component, ...]:
        """Those that are not listed, each once."""
        unlisted: dict[str, Component] = {}
        for component in components:
            if not self.find(component):
                unlisted.setdefault(next(_asked_for(component)), component)
        return tuple(unlisted.values())


def package_of(component: Component) -> str:
    """What a component goes by in every version: package URL without its version, else CPE, else supplier and name."""
    return (
        purl_key(component.purl)
        or cpe_key(component.cpe)
        or f"name:{squash(component.supplier)}/{squash(component.name)}"
    )


def version_of(component: Component) -> str:
    """Version as stated, else that of the package URL."""
    return component.version or purl_version(component.purl)


def _asked_for(component: Component) -> Iterator[str]:
    """Keys under which a component may be listed, the surest first.

    A bare name never stands for a package of another ecosystem: a component with a package URL is found by its name
    only where that is listed without one.
    """
    yield from _identified(component)
    yield f"{'bare' if purl_key(component.purl) else 'name'}:{_spelled(component)}"


def _listed_as(component: Component) -> Iterator[str]:
    yield from _identified(component)
    yield f"name:{_spelled(component)}"
    if not purl_key(component.purl):
        yield f"bare:{_spelled(component)}"


def _identified(component: Component) -> Iterator[str]:
    version = version_of(component)
    yield f"ref:{component.ref}\x1f{component.name}\x1f{version}"
    purl = purl_key(component.purl)
    if purl:
        yield f"{purl}@{version}"
    cpe = parse_cpe(component.cpe)
    if cpe:
        yield f"{cpe_key(component.cpe)}@{version or cpe.version}"


def _spelled(component: Component) -> str:
    return f"{squash(component.name)}@{version_of(component)}"
