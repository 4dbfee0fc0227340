"""``meddojo imaging``: synthetic PET/CT cases, training of the segmentation, its measurement."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meddojo.errors import ConfigError
from scheduler.session import JsonOption, QuietOption, VerboseOption, errors_told

if TYPE_CHECKING:
    from imaging.segmentation.training import Epoch

_group = typer.Typer(
    help="Segment lesions on PET/CT: make cases, train, measure.", no_args_is_help=True, rich_markup_mode="markdown"
)

DataOption = Annotated[
    Path, typer.Option("--data", help="Folder of cases: index.json and .npz files", exists=True, file_okay=False)
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Seed of everything random")]


class LossName(StrEnum):
    """Names of `imaging.segmentation.losses.LOSSES`."""

    DICE = "dice"
    TVERSKY = "tversky"
    FOCAL_TVERSKY = "focal_tversky"
    DICE_FOCAL = "dice_focal"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(
        _group,
        name="imaging",
        epilog=(
            "Example: `meddojo imaging synthesize --out cases`  ·  `meddojo imaging train --data cases --out run`  ·  "
            "`meddojo imaging evaluate run --data cases`"
        ),
    )


@_group.command(epilog="Example: `meddojo imaging synthesize --out cases --cases 40 --size 128 --seed 1`")
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


@_group.command(epilog="Example: `meddojo imaging train --data cases --out run --size 64 --filters 16 --epochs 30`")
def train(
    data: DataOption,
    out: Annotated[Path, typer.Option("--out", help="Folder of the run; one that was killed goes on")],
    size: Annotated[int, typer.Option("--size", help="Rows and columns of the windows trained on")] = 64,
    channels: Annotated[int, typer.Option("--channels", min=1, max=2, help="1 PET, 2 PET and CT")] = 2,
    filters: Annotated[int, typer.Option("--filters", help="Filters of the first level")] = 16,
    depth: Annotated[int, typer.Option("--depth", help="How often the image is halved")] = 3,
    dropout: Annotated[float, typer.Option("--dropout", help="Share dropped in the lowest levels")] = 0.1,
    batch_norm: Annotated[bool, typer.Option("--batch-norm/--no-batch-norm", help="Batch normalisation")] = True,
    loss: Annotated[LossName, typer.Option("--loss", help="What is minimised")] = LossName.DICE_FOCAL,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="At most so many")] = 30,
    patience: Annotated[int, typer.Option("--patience", min=1, help="Epochs without a better Dice, then stop")] = 10,
    batch: Annotated[int, typer.Option("--batch", min=1, max=256, help="Windows of a step")] = 8,
    steps: Annotated[int, typer.Option("--steps", min=0, help="Steps of an epoch; 0: one pass")] = 0,
    rate: Annotated[float, typer.Option("--rate", min=1e-7, max=1.0, help="Learning rate of Adam")] = 1e-3,
    lesion_share: Annotated[
        float, typer.Option("--lesion-share", min=0, max=1, help="Share of windows about a lesion")
    ] = 0.5,
    folds: Annotated[int, typer.Option("--folds", min=2, help="Parts the patients are divided into")] = 5,
    fold: Annotated[int, typer.Option("--fold", min=0, help="The part kept for the test, from 0")] = 0,
    seed: SeedOption = 1,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Train a U-Net; stops early by patients set aside. Run it again after a kill and it goes on."""
    from scheduler.console import Console

    console = Console(-1 if quiet else verbose)
    with errors_told(console):
        _needs_tensorflow()
        from imaging.data.cases import read_cases
        from imaging.data.integrity import problems
        from imaging.networks.config import NetworkConfig
        from imaging.segmentation.training import TrainingConfig
        from imaging.segmentation.training import train as fit

        try:
            network = NetworkConfig(
                size=size, channels=channels, filters=filters, depth=depth, batch_norm=batch_norm, dropout=dropout
            )
        except ValueError as error:
            raise ConfigError(f"no such network: {error}") from error
        config = TrainingConfig(
            network=network,
            loss=loss.value,
            epochs=epochs,
            patience=patience,
            batch=batch,
            steps=steps,
            learning_rate=rate,
            lesion_share=lesion_share,
            folds=folds,
            fold=fold,
            seed=seed,
        )

        for problem in problems(read_cases(data)):
            console.warn(problem)

        def report(epoch: Epoch) -> None:
            console.say(
                f"epoch {epoch.number:3d} of {epochs}  loss {epoch.loss:.4f}  "
                f"validation Dice {epoch.validation_dice:.3f}"
            )

        best = max(fit(data, out, config, report), key=lambda epoch: epoch.validation_dice)
        typer.echo(f"{out}: best validation Dice {best.validation_dice:.3f} in epoch {best.number}")


@_group.command(epilog="Example: `meddojo imaging evaluate run --data cases`")
def evaluate(
    run: Annotated[Path, typer.Argument(help="Folder of a finished training", exists=True, file_okay=False)],
    data: DataOption,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Dice on the test patients, beside thresholds of uptake and the best rule tuned on the training patients."""
    from scheduler.console import Console

    console = Console(-1 if quiet else verbose)
    with errors_told(console):
        _needs_tensorflow()
        from imaging.segmentation.evaluation import evaluate as measure

        with console.track("tuning the rule") as advance:
            found = measure(run, data, advance)
        if as_json:
            typer.echo(json.dumps(found.as_dict(), indent=1))
        else:
            typer.echo("\n".join(found.table()))


def _needs_tensorflow() -> None:
    from importlib.util import find_spec

    if find_spec("tensorflow") is None or find_spec("tf_keras") is None:
        raise ConfigError(
            "training and measuring networks need TensorFlow, which is not here",
            "install it: pip install 'meddojo[imaging]'",
        )
