"""The local report: `report.html` for people, `findings.json` for DefectDojo, `findings.sarif` for code forges."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meddojo.device import Device
from meddojo.errors import TerminalError
from meddojo.finding import Decision
from meddojo.interface import Delivery, RunContext, StreamResult

if TYPE_CHECKING:
    from meddojo.config import Config
    from meddojo.store import Store

PAGE = "report.html"
FINDINGS = "findings.json"
SARIF = "findings.sarif"


def build(config: Config, store: Store) -> ReportSink:
    """The sink for the ``[report]`` section; it needs nothing from the store."""
    return ReportSink(Path(config.report.directory), _as_seen_from_here(Path(config.inventory.file)))


class ReportSink:
    """Writes the three files of the report into one directory.

    Parameters
    ----------
    directory
        Created when missing; other files in it are left alone.
    inventory
        Path of the inventory as it appears in the SARIF log, without a trace of this machine.
    """

    name = "report"

    def __init__(self, directory: Path, inventory: str = "inventory.toml") -> None:
        self._directory = directory
        self._inventory = inventory

    def listen(self, devices: Sequence[Device]) -> Iterable[Decision]:
        """Nobody answers in a file."""
        return ()

    def deliver(self, results: Sequence[StreamResult], context: RunContext) -> Delivery:
        """Write the report; the files of the previous run are replaced only when all new ones are complete.

        Returns
        -------
        Delivery
            With the path of the page. Files are written as a whole, so all its counts stay 0.

        Raises
        ------
        TerminalError
            When the directory cannot be written to.
        """
        from connectors.sinks import generic_findings, sarif
        from connectors.sinks.report.page import render

        writers: dict[str, Callable[[], str]] = {
            FINDINGS: lambda: _json(generic_findings.document(results)),
            SARIF: lambda: _json(sarif.document(results, context, self._inventory)),
            PAGE: lambda: render(results, context),
        }
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            for name, write in writers.items():
                # A lone surrogate, legal in JSON input, has no place in UTF-8.
                self._part(name).write_bytes(write().encode("utf-8", errors="replace"))
            for name in writers:
                self._part(name).replace(self._directory / name)
        except OSError as error:
            raise TerminalError(
                f"{self._directory}: the report cannot be written: {error.strerror or error}",
                "check the path, its permissions and the free space, or set report.directory",
            ) from error
        return Delivery(sink=self.name, destination=str(self._directory / PAGE))

    def _part(self, name: str) -> Path:
        return self._directory / f".{name}.part"


def _as_seen_from_here(inventory: Path) -> str:
    """Relative to the working directory, which for a scheduled job is the repository; elsewhere the bare name."""
    try:
        return inventory.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return inventory.name


def _json(document: Any) -> str:
    """JSON text; numbers that JSON does not know (NaN, infinity) become null."""
    try:
        return json.dumps(document, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(document), ensure_ascii=False, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
