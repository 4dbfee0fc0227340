"""``meddojo train``: the models of the analyzers, from data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scheduler.session import QuietOption, VerboseOption, errors_told

_group = typer.Typer(
    help="Train a model anew; what is installed works without it.", no_args_is_help=True, rich_markup_mode="markdown"
)

AdvisoriesOption = Annotated[
    Path | None,
    typer.Option("--advisories", help="Folder of CISA's CSAF archives and FDA's codes [default: beside the table]"),
]
SeedOption = Annotated[int, typer.Option("--seed", help="Seed of everything random")]
MeasureOption = Annotated[
    bool, typer.Option("--measure/--no-measure", help="Measure on later data, for the model card")
]
DataOption = Annotated[Path, typer.Option("--data", help="Parquet table of CVE records", exists=True, dir_okay=False)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(_group, name="train")


@_group.command("vuln-classifier", epilog="Example: `meddojo train vuln-classifier --data cve.parquet --out model`")
def vuln_classifier(
    data: DataOption,
    out: Annotated[Path, typer.Option("--out", help="Folder the model is written to")] = Path("vuln-classifier"),
    advisories: AdvisoriesOption = None,
    seed: SeedOption = 1,
    measure: MeasureOption = True,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Train the vulnerability classifier and write weights, vocabularies, manifest and model card."""
    from scheduler.console import Console

    console = Console(-1 if quiet else verbose)
    with errors_told(console):
        from scheduler import training

        training.train(data, out, advisories or data.parent, seed, measure, console)


@_group.command(
    "medical-relevance", epilog="Example: `meddojo train medical-relevance --data cve.parquet --out medical`"
)
def medical_relevance(
    data: DataOption,
    out: Annotated[Path, typer.Option("--out", help="Folder the models are written to")] = Path("medical"),
    advisories: AdvisoriesOption = None,
    seed: SeedOption = 1,
    measure: MeasureOption = True,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Train relevance to medicine and the kind of device alone: the folder `medical` of the classifier."""
    from scheduler.console import Console

    console = Console(-1 if quiet else verbose)
    with errors_told(console):
        from scheduler import training

        training.train_medical(data, out, advisories or data.parent, seed, measure, console)


@_group.command(
    "sbom-forecast", epilog="Example: `meddojo train sbom-forecast --packages debian --data cve.parquet --out model`"
)
def sbom_forecast(
    packages: Annotated[
        Path,
        typer.Option(
            "--packages",
            help="Folder with bullseye/ and bookworm/ of a Debian mirror, see docs/sbom-forecast.md",
            exists=True,
            file_okay=False,
        ),
    ],
    data: DataOption,
    out: Annotated[Path, typer.Option("--out", help="Folder the model is written to")] = Path("sbom-forecast"),
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Train the forecast of components' CVEs, beside what it has to beat, and write the best with its model card."""
    from scheduler.console import Console

    console = Console(-1 if quiet else verbose)
    with errors_told(console):
        from scheduler import train_forecast

        train_forecast.train(packages, data, out, console)
