"""Matching by hand: the comparisons behind the findings of devices, for ``meddojo match``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console as RichConsole
from rich.padding import Padding
from rich.text import Text

from analyzers.matching import candidates
from analyzers.matching.explanation import Comparison, Outcome, claimed, ruled_out
from connectors.inventory import read_inventory
from meddojo.config import AnalyzerConfig, Config
from meddojo.device import Device
from meddojo.store import Store
from scheduler.cases import build_case
from scheduler.console import Console
from scheduler.intake import import_file
from scheduler.pipeline import find_device

_COLOURS = {
    Outcome.DELIVERED: "red",
    Outcome.REVIEW: "yellow",
    Outcome.DROPPED: "dim",
    Outcome.NOT_AFFECTED: "green",
}
SHOWN = frozenset({Outcome.DELIVERED, Outcome.REVIEW})


def devices(config: Config, console: Console, name: str) -> Sequence[Device]:
    """The device called `name`, or all of the inventory.

    Raises
    ------
    ConfigError
        If the inventory has no such device.
    """
    inventory = read_inventory(Path(config.inventory.file))
    for miss in inventory.skipped:
        console.warn(f"inventory: skipped {miss.origin}: {miss.reason}")
    return [find_device(inventory.devices, name)] if name else inventory.devices


def comparisons(
    asked: Sequence[Device], config: Config, store: Store, console: Console, files: Sequence[Path], every: bool
) -> list[tuple[Device, tuple[Comparison, ...]]]:
    """Compare devices with what the store holds, or with `files` alone.

    Parameters
    ----------
    every
        Keep what was dropped and ruled out.
    """
    if not files:
        return [(device, _compared(device, config.analyzers, store, every)) for device in asked]
    with Store("sqlite://") as shelf:
        for file in files:
            import_file(file, None, shelf, console, config)
        return [(device, _compared(device, config.analyzers, shelf, every)) for device in asked]


def as_dict(device: Device, rows: Sequence[Comparison]) -> dict[str, Any]:
    """For ``--json``."""
    return {
        "device": device.id,
        "vendor": device.vendor,
        "model": device.model,
        "version": device.version,
        "comparisons": [asdict(row) for row in rows],
    }


def print_comparisons(device: Device, rows: Sequence[Comparison], every: bool) -> None:
    """Lines a person reads; what was left out is counted."""
    console = RichConsole(highlight=False)
    counts = Counter(row.outcome for row in rows)
    said = ", ".join(f"{counts[outcome]:,} {outcome}" for outcome in Outcome if counts[outcome])
    console.print(f"\n{device.label} {device.version or '(version unknown)'}: {said or 'nothing'}", markup=False)
    for row in rows:
        if every or row.outcome in SHOWN:
            head = f"{row.probability:.2f}  {row.outcome:<12}  {row.vulnerability:<16}  {row.source}"
            console.print(head, style=_COLOURS[row.outcome], markup=False)
            console.print(Padding(Text(row.reason), (0, 0, 0, 6)))


def _compared(device: Device, limits: AnalyzerConfig, store: Store, every: bool) -> tuple[Comparison, ...]:
    return tuple(sorted(_found(device, limits, store, every), key=_order))


def _found(device: Device, limits: AnalyzerConfig, store: Store, every: bool) -> Iterator[Comparison]:
    case = build_case(device, store, datetime.now(UTC))
    for row in claimed(candidates(case), limits.threshold, limits.review_threshold):
        if every or row.outcome in SHOWN:
            yield row
    for advisory in case.advisories if every else ():
        yield from ruled_out(device, advisory, case.sbom)


def _order(row: Comparison) -> tuple[int, float, str, str, str]:
    return list(Outcome).index(row.outcome), -row.probability, row.vulnerability, row.source, row.product
