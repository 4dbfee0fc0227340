"""Cases for the network: ``meddojo imaging synthesize``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from scheduler.commands.imaging.group import SeedOption, group
from scheduler.session import JsonOption, QuietOption, VerboseOption, errors_told


@group.command(epilog="Example: `meddojo imaging synthesize --out cases --cases 40 --size 128 --seed 1`")
def synthesize(
    out: Annotated[Path, typer.Option("--out", help="New folder the cases are written to")],
    cases: Annotated[int, typer.Option("--cases", min=2, max=9999, help="How many patients")] = 40,
    size: Annotated[int, typer.Option("--size", min=16, max=512, help="Rows and columns of a slice")] = 128,
    slices: Annotated[int, typer.Option("--slices", min=1, max=160, help="Slices of 5 mm of each patient")] = 4,
    seed: SeedOption = 1,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Make PET/CT cases with lesions, and survival times whose best reachable C-index is known."""
    from scheduler.console import Console

    console = Console(-1 if quiet else verbose)
    with errors_told(console):
        from imaging.synthetic.synthesize import reachable_c_index
        from imaging.synthetic.synthesize import synthesize as make

        with console.track("cases", cases) as advance:
            patients = make(out, cases, size, slices, seed, advance)
        events, reachable = sum(each.event for each in patients), reachable_c_index(patients)
        if as_json:
            typer.echo(json.dumps({"cases": cases, "events": events, "reachable_c_index": round(reachable, 4)}))
        else:
            typer.echo(f"{cases} cases in {out}, {events} with an event; best reachable C-index {reachable:.3f}")
