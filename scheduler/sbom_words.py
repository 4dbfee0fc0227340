"""Scores and changes of SBOMs as lines a person reads; colours only on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from analyzers.sbom_graph.graph import Place
from analyzers.sbom_graph.paths import shortest_paths
from analyzers.sbom_graph.telling import chain, listed, removal_line, share, upgrade_line
from analyzers.sbom_graph.what_if import rank_removals, rank_upgrades
from meddojo.severity import Severity
from scheduler import sboms

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

    from analyzers.sbom_graph.diff import Move
    from analyzers.sbom_graph.risk import ComponentRisk, DeviceRisk

Item = TypeVar("Item")

_COLOURS = {Severity.CRITICAL: "bold red", Severity.HIGH: "red", Severity.MEDIUM: "yellow", Severity.LOW: "cyan"}


def print_score(scored: sboms.Scored, limit: int) -> None:
    """The score, the components behind it with the chains that bring them in, and what would help."""
    console, risk = _console(), scored.risk
    device = scored.case.device
    console.print(f"{device.label.strip()} {device.version}".strip(), style="bold", markup=False)
    _print_total(console, scored)
    reached = risk.graph.places.count(Place.REACHED)
    if risk.graph.edges and risk.hazard and reached <= 1:
        console.print("nothing hangs on a root: how deep each component sits is not known", style="dim")
    if scored.assessment.unlisted:
        names = listed([component.label for component in scored.assessment.unlisted])
        console.print(f"reported, but not in the SBOM: {names}", style="yellow", markup=False)
    _section(console, "Where the risk sits", (_lines(risk, part) for part in risk.ranking[:limit]))
    _section(console, "Upgrades", ([upgrade_line(risk, each)] for each in rank_upgrades(risk, limit)))
    _section(console, "Removals", ([removal_line(risk, each)] for each in rank_removals(risk, limit)))
    expected = ([f"{chance:>9.0%}  {component.label}"] for component, chance in sboms.expected_next(scored, limit))
    _section(console, "A new CVE within a year, whatever the version (predicted)", expected)


def print_diff(old: sboms.Scored, new: sboms.Scored, limit: int) -> None:
    """What changed, and what became of the risk."""
    console = _console()
    for name, scored in (("old", old), ("new", new)):
        console.print(f"{name}: {scored.file}", style="bold", markup=False)
        _print_total(console, scored)
    found = sboms.compare(old, new)
    for title, moves in (("upgraded", found.upgraded), ("downgraded", found.downgraded), ("changed", found.changed)):
        _section(console, f"{len(moves):,} {title}", _clipped(moves, _moved, limit))
    _section(console, f"{len(found.added):,} added", _clipped(found.added, lambda each: each.label, limit))
    _section(console, f"{len(found.removed):,} removed", _clipped(found.removed, lambda each: each.label, limit))
    console.print(f"\n{found.unchanged:,} unchanged")
    before, after = sboms.vulnerabilities(old), sboms.vulnerabilities(new)
    for title, pairs in (("gone", before - after), ("new", after - before)):
        lines = _clipped(sorted(pairs), lambda pair: f"{pair[0]} in {pair[1].removeprefix('purl:')}", limit)
        _section(console, f"{len(pairs):,} vulnerabilities {title}", lines)


def _print_total(console: RichConsole, scored: sboms.Scored) -> None:
    risk = scored.risk
    console.print(
        f"supply-chain score {risk.score:.1f} of 100 ({risk.severity.value})",
        style=_COLOURS.get(risk.severity, "green"),
        markup=False,
    )
    known = {each.check for part in risk.ranking for each in part.vulnerabilities}
    console.print(
        f"{len(scored.sbom.components):,} components, {len(scored.sbom.dependencies):,} dependencies;"
        f" {len(known):,} vulnerabilities in {len(risk.ranking):,} components"
    )


def _lines(risk: DeviceRisk, part: ComponentRisk) -> Sequence[str]:
    checks = listed([f"{each.check}{' (predicted)' if each.predicted else ''}" for each in part.vulnerabilities])
    head = (
        f"{share(risk, part.hazard):>9}  {risk.graph.label(part.node)}  direct {part.direct:.2f},"
        f" exposure {part.exposure:.2f}, dependents {part.dependents:,}; {checks}"
    )
    return [head, *(f"      {chain(risk, path)}" for path in shortest_paths(risk.graph, part.node))]


def _section(console: RichConsole, title: str, entries: Iterable[Sequence[str]]) -> None:
    shown = [line for lines in entries for line in lines]
    if shown:
        console.print(f"\n{title}", style="bold", markup=False)
        for line in shown:
            console.print(f"  {line}", markup=False)


def _clipped(items: Sequence[Item], told: Callable[[Item], str], limit: int) -> Iterable[Sequence[str]]:
    yield from ([told(item)] for item in items[:limit])
    if len(items) > limit:
        yield [f"and {len(items) - limit:,} more"]


def _moved(move: Move) -> str:
    return f"{move.after.name} {move.before.version} > {move.after.version}"


def _console() -> RichConsole:
    from rich.console import Console as RichConsole

    return RichConsole(highlight=False, soft_wrap=True)
