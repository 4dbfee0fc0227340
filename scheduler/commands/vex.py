"""``meddojo vex``: what people decided about a device, for others to read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scheduler.session import ConfigOption, QuietOption, VerboseOption, open_session


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Examples: `meddojo vex --device icu-monitor --format csaf`"
        "  ·  `meddojo vex -d icu-monitor -f openvex -o icu-monitor.openvex.json`"
    )(vex)


def vex(
    device: Annotated[str, typer.Option("--device", "-d", help="Device of the inventory, by id or model")],
    form: Annotated[str, typer.Option("--format", "-f", metavar="FORMAT", help="csaf, openvex or cyclonedx")] = "csaf",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File [default: standard output]")] = None,
    config: ConfigOption = None,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Write a VEX document: how one device stands to its vulnerabilities, by what people decided in DefectDojo."""
    with open_session(config, verbose, quiet) as session:
        from scheduler.vex import write_vex

        text = write_vex(session.config, session.store, session.console, device, form)
        if output is None:
            typer.echo(text, nl=False)
            return
        from scheduler.vex import save

        save(text, output)
        session.console.say(f"wrote {output}")
