"""``meddojo match``: what touches a device, how probably, and why; and what does not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meddojo.errors import ConfigError
from scheduler.session import ConfigOption, JsonOption, QuietOption, VerboseOption, open_session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzers.matching.explanation import Comparison
    from meddojo.device import Device


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=(
            "Examples: `meddojo match icu-monitor --all`  ·  `meddojo match --file advisory.json`  ·  "
            "`meddojo match --vendor Philips --model 'IntelliVue MX800' --version M.04 --json`"
        )
    )(match)


def match(
    device: Annotated[str, typer.Argument(help="Id or name of a device of the inventory [default: all]")] = "",
    vendor: Annotated[str, typer.Option("--vendor", help="Ask about a device that is in no inventory")] = "",
    model: Annotated[str, typer.Option("--model", help="Its model")] = "",
    version: Annotated[str, typer.Option("--version", help="Its installed version")] = "",
    model_number: Annotated[str, typer.Option("--model-number", help="Its order or model number")] = "",
    cpe: Annotated[str, typer.Option("--cpe", help="Its CPE 2.3 name")] = "",
    files: Annotated[
        list[Path] | None,
        typer.Option("--file", "-f", help="Compare with these records, not with the store"),
    ] = None,
    every: Annotated[bool, typer.Option("--all", "-a", help="Show what was dropped and ruled out, too")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """What sources say about a device: probability, reason, and what becomes of it. Nothing is stored or delivered."""
    from meddojo.device import Device
    from scheduler import matches

    with open_session(config, verbose, quiet) as session:
        if bool(vendor) is not bool(model):
            raise ConfigError("a device needs a vendor and a model", "give both --vendor and --model")
        if device and vendor:
            raise ConfigError(f"the device {device!r} is in the inventory", "leave --vendor and --model out")
        asked: Sequence[Device] = (
            [Device("asked", vendor, model, version, model_number=model_number, cpe=cpe)]
            if vendor
            else matches.devices(session.config, session.console, device)
        )
        found = matches.comparisons(asked, session.config, session.store, session.console, files or [], every)
        _show(found, as_json, every)


def _show(found: Sequence[tuple[Device, tuple[Comparison, ...]]], as_json: bool, every: bool) -> None:
    import json

    from scheduler import matches

    if as_json:
        typer.echo(json.dumps([matches.as_dict(device, rows) for device, rows in found], indent=2))
        return
    for device, rows in found:
        if rows or len(found) == 1:
            matches.print_comparisons(device, rows, every)
