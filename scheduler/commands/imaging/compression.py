"""Compress a network and measure what became of it: ``meddojo imaging compress`` and ``benchmark``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from meddojo.errors import ConfigError
from scheduler.commands.imaging.group import DataOption, RunArgument, SeedOption, group, needs_tensorflow
from scheduler.session import JsonOption, QuietOption, VerboseOption, errors_told


@group.command(epilog="Example: `meddojo imaging compress run --data cases --prune 0.75 --int8 --out small`")
def compress(
    run: RunArgument,
    data: DataOption,
    out: Annotated[Path, typer.Option("--out", help="New folder the compressed networks are written to")],
    prune: Annotated[
        float, typer.Option("--prune", min=0, max=0.99, help="Share of weights that become zero; 0: none")
    ] = 0.75,
    int8: Annotated[
        bool, typer.Option("--int8/--no-int8", help="Eight bits, with ranges seen on training slices")
    ] = True,
    qat: Annotated[bool, typer.Option("--qat", help="Eight bits by training with the rounding, too")] = False,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="Of fine-tuning, at each step that needs it")] = 10,
    steps: Annotated[int, typer.Option("--steps", min=0, help="Steps of an epoch; 0: one pass")] = 0,
    rate: Annotated[float, typer.Option("--rate", min=1e-7, max=1.0, help="Learning rate of fine-tuning")] = 1e-3,
    seed: SeedOption = 1,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Prune a network, turn it to eight bits, and write .tflite files; the test patients stay unseen."""
    from scheduler.console import Console

    console = Console(-1 if quiet else verbose)
    with errors_told(console):
        needs_tensorflow()
        from imaging.compression.compress import Plan, fine_tuning_of
        from imaging.compression.compress import compress as make

        tuning = fine_tuning_of(run, epochs=epochs, steps=steps, learning_rate=rate, seed=seed)
        plan = Plan(sparsity=prune, int8=int8, aware=qat, fine_tuning=tuning)
        made = make(run, data, out, plan, console.say)
        if as_json:
            typer.echo(json.dumps({name: asdict(each) for name, each in made.files.items()}, indent=1))
        else:
            typer.echo(f"{'file':<26}{'bytes':>10}{'gzip':>10}{'zeros':>8}")
            for name, each in made.files.items():
                typer.echo(f"{name:<26}{each.size_bytes:10d}{each.gzip_bytes:10d}{each.zeros / each.weights:8.1%}")


@group.command(
    epilog=(
        "Example: `meddojo imaging benchmark small --data cases --threads 1,2`  ·  "
        "`meddojo imaging benchmark small small_flat --data cases --markdown table.md`  ·  "
        "`meddojo imaging benchmark small0 small1 small2 --data cases --folds`"
    )
)
def benchmark(
    folders: Annotated[
        list[Path], typer.Argument(help="Folders that `compress` made; several stand beside each other", exists=True)
    ],
    data: DataOption,
    threads: Annotated[str, typer.Option("--threads", help="Numbers of threads, each measured apart")] = "1,2",
    rounds: Annotated[int, typer.Option("--rounds", min=1, max=10_000, help="Turns of each file, of 4 windows")] = 30,
    folds: Annotated[
        bool, typer.Option("--folds", help="The folders are folds of one cross-validation: one table of all patients")
    ] = False,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write the table as CSV into this file")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write the table as Markdown, too")] = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Size, Dice, calibration and latency of every file on the test patients, in one table."""
    from scheduler.console import Console

    console = Console(-1 if quiet else verbose)
    with errors_told(console):
        counts = _threads(threads)
        from imaging.compression import report
        from imaging.compression.benchmark import benchmark as measure
        from imaging.compression.benchmark import together

        with console.track("files") as advance:
            found = measure(folders, data, counts, rounds, advance)
        if folds:
            try:
                found = together(found)
            except ValueError as error:
                raise ConfigError(str(error), "leave out --folds") from error
        claims = list(report.claims(found))
        if csv is not None:
            csv.write_text(report.comma_separated(found), "utf-8")
        if markdown is not None:
            markdown.write_text(report.markdown(found), "utf-8")
        if as_json:
            plain = {"cases": dict(found.cases), "rows": [row.as_dict() for row in found.rows]}
            typer.echo(json.dumps(plain | {"claims": [asdict(each) for each in claims]}, indent=1))
            return
        typer.echo("\n".join(report.table(found)))
        for folder in found.cases:
            typer.echo(f"\n{folder}, {len(found.cases[folder])} test cases")
            typer.echo("\n".join(str(each) for each in claims if each.folder == folder))


def _threads(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not all(part.strip().isdecimal() and 1 <= int(part) <= 64 for part in parts):
        raise ConfigError(f"--threads {text!r} is no list of numbers from 1 to 64", "for example: --threads 1,2")
    return tuple(dict.fromkeys(int(part) for part in parts))
