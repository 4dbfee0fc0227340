"""What a picture of a dependency graph shows: components with their risk, and who needs whom. No drawing, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from meddojo.sbom import DependencyKind
from meddojo.severity import Severity


@dataclass(frozen=True, slots=True)
class PictureVulnerability:
    """One vulnerability of a component, as the picture names it.

    Attributes
    ----------
    id
        CVE, GHSA or whatever the source calls it.
    note
        A line for people: score, fix, why it counts here.
    exploited
        It is known to be exploited (CISA KEV).
    """

    id: str
    severity: Severity
    note: str = ""
    exploited: bool = False


@dataclass(frozen=True, slots=True)
class PictureNode:
    """One component.

    Attributes
    ----------
    ref
        As `meddojo.sbom.Component.ref`.
    direct_risk
        Of its own vulnerabilities, 0 to 10.
    propagated_risk
        With that of everything it depends on, 0 to 10.
    forecast
        Predicted probability, 0 to 1, that it receives a CVE within a year; None when nothing was predicted.
    advice
        What to do about it, in one line: ``upgrade to 2.17.1: takes away 38% of the device's risk``.
    """

    ref: str
    name: str
    version: str = ""
    kind: str = ""
    direct_risk: float = 0.0
    propagated_risk: float = 0.0
    vulnerabilities: tuple[PictureVulnerability, ...] = ()
    forecast: float | None = None
    advice: str = ""

    @property
    def label(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}".strip()

    @property
    def severity(self) -> Severity | None:
        """Of its worst vulnerability; None without any."""
        return max((each.severity for each in self.vulnerabilities), key=lambda each: each.rank, default=None)


class PictureEdge(NamedTuple):
    """The node at position `source` needs the one at `target`."""

    source: int
    target: int
    kind: DependencyKind = DependencyKind.RUNTIME


@dataclass(frozen=True, slots=True)
class DependencyPicture:
    """A device's components and who needs whom.

    Attributes
    ----------
    subtitle
        What the picture was made of: file, format, date.
    edges
        By position in `nodes`; cycles, repetitions and loops are allowed.
    root
        Position of what the SBOM describes; None when it does not say.
    device_score
        Risk of the whole device, 0 to 100; None when it was not scored.
    generated
        When the risk was computed, in UTC.

    Raises
    ------
    ValueError
        For a root or an edge that points at no node.
    """

    title: str
    nodes: tuple[PictureNode, ...]
    edges: tuple[PictureEdge, ...] = ()
    root: int | None = None
    subtitle: str = ""
    device_score: float | None = None
    generated: datetime | None = None

    def __post_init__(self) -> None:
        """Every position is one of a node."""
        known = range(len(self.nodes))
        if self.root is not None and self.root not in known:
            raise ValueError(f"root {self.root}: there are {len(self.nodes)} nodes")
        for edge in self.edges:
            if edge.source not in known or edge.target not in known:
                raise ValueError(f"edge {edge.source} to {edge.target}: there are {len(self.nodes)} nodes")
