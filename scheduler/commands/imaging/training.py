"""Train a network and measure it: ``meddojo imaging train`` and ``evaluate``."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meddojo.errors import ConfigError
from scheduler.commands.imaging.group import DataOption, RunArgument, SeedOption, group, needs_tensorflow
from scheduler.session import JsonOption, QuietOption, VerboseOption, errors_told

if TYPE_CHECKING:
    from imaging.segmentation.training import Epoch


class LossName(StrEnum):
    """Names of `imaging.segmentation.losses.LOSSES`."""

    DICE = "dice"
    TVERSKY = "tversky"
    FOCAL_TVERSKY = "focal_tversky"
    DICE_FOCAL = "dice_focal"


@group.command(epilog="Example: `meddojo imaging train --data cases --out run --size 64 --filters 16 --epochs 30`")
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
        needs_tensorflow()
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


@group.command(epilog="Example: `meddojo imaging evaluate run --data cases`")
def evaluate(
    run: RunArgument,
    data: DataOption,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Dice on the test patients, beside thresholds of uptake and the best rule tuned on the training patients."""
    from scheduler.console import Console

    console = Console(-1 if quiet else verbose)
    with errors_told(console):
        needs_tensorflow()
        from imaging.segmentation.evaluation import evaluate as measure

        with console.track("tuning the rule") as advance:
            found = measure(run, data, advance)
        if as_json:
            typer.echo(json.dumps(found.as_dict(), indent=1))
        else:
            typer.echo("\n".join(found.table()))
