"""How well a network tells the risk: ``meddojo imaging survival``."""

from __future__ import annotations

import json

import typer

from scheduler.commands.imaging.group import DataOption, RunArgument, SeedOption, group, needs_tensorflow
from scheduler.session import JsonOption, QuietOption, VerboseOption, errors_told


@group.command(
    epilog=(
        "Example: `meddojo imaging train --data cases --out run --architecture multitask`  ·  "
        "`meddojo imaging survival run --data cases`"
    )
)
def survival(
    run: RunArgument,
    data: DataOption,
    seed: SeedOption = 1,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """C-index on the test patients, beside a Cox model of what was outlined and, if known, the best reachable."""
    from scheduler.console import Console

    console = Console(-1 if quiet else verbose)
    with errors_told(console):
        needs_tensorflow()
        from imaging.survival.evaluation import evaluate

        with console.track("outlining") as advance:
            found = evaluate(run, data, seed, advance)
        if as_json:
            typer.echo(json.dumps(found.as_dict(), indent=1))
        else:
            typer.echo("\n".join(found.table()))
