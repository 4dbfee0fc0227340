"""Train networks, measure and compare them: ``meddojo imaging train``, ``evaluate`` and ``compare``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meddojo.errors import ConfigError
from scheduler.commands.imaging.group import DataOption, RunsOrShippedArgument, SeedOption, group, needs_tensorflow
from scheduler.session import JsonOption, QuietOption, VerboseOption, errors_told

if TYPE_CHECKING:
    from imaging.segmentation.record import Epoch
    from imaging.segmentation.settings import TrainingConfig


class LossName(StrEnum):
    """Names of `imaging.segmentation.losses.LOSSES`."""

    DICE = "dice"
    TVERSKY = "tversky"
    FOCAL_TVERSKY = "focal_tversky"
    DICE_FOCAL = "dice_focal"
    DICE_CROSS_ENTROPY = "dice_cross_entropy"


class KeepName(StrEnum):
    """Whose weights are kept."""

    BEST = "best"
    LAST = "last"


class ChangesName(StrEnum):
    """Names of `imaging.data.changes.CHANGES`."""

    STRONG = "strong"
    STRONGER = "stronger"
    MILD = "mild"


class PrecisionName(StrEnum):
    """What layers compute in."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


class ArchitectureName(StrEnum):
    """Names of `imaging.networks.BUILDERS`."""

    UNET = "unet"
    ATTENTION = "attention"
    FLAT = "flat"
    MULTITASK = "multitask"
    UNET3D = "unet3d"


@group.command(
    epilog=(
        "Example: `meddojo imaging train --data cases --out run --size 64 --filters 16 --epochs 30`  ·  a whole "
        "cross-validation: `meddojo imaging train --data cases --out runs --all-folds --members 3`"
    )
)
def train(
    data: DataOption,
    out: Annotated[Path, typer.Option("--out", help="Folder of the run; one that was killed goes on")],
    architecture: Annotated[
        ArchitectureName, typer.Option("--architecture", help="What kind of network")
    ] = ArchitectureName.UNET,
    size: Annotated[int, typer.Option("--size", help="Rows and columns of the windows trained on")] = 64,
    channels: Annotated[
        int, typer.Option("--channels", min=1, max=3, help="1 PET, 2 and CT, 3 and PET relative to its brightest")
    ] = 3,
    context: Annotated[int, typer.Option("--context", min=0, max=8, help="Slices shown to either side")] = 1,
    slices: Annotated[int, typer.Option("--slices", help="Of the windows of unet3d")] = 32,
    spacing: Annotated[
        float, typer.Option("--spacing", help="Bring cases to voxels of so many mm first; 0: as they are")
    ] = 0.0,
    filters: Annotated[int, typer.Option("--filters", help="Filters of the first level")] = 16,
    depth: Annotated[int, typer.Option("--depth", help="How often the image is halved")] = 3,
    dropout: Annotated[float, typer.Option("--dropout", help="Share dropped in the lowest levels")] = 0.2,
    batch_norm: Annotated[bool, typer.Option("--batch-norm/--no-batch-norm", help="Batch normalisation")] = True,
    loss: Annotated[LossName, typer.Option("--loss", help="What is minimised")] = LossName.DICE_CROSS_ENTROPY,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="At most so many")] = 30,
    patience: Annotated[int, typer.Option("--patience", min=1, help="Epochs without a better Dice, then stop")] = 10,
    keep: Annotated[KeepName, typer.Option("--keep", help="Weights of the best epoch, or of the last")] = KeepName.BEST,
    validation: Annotated[
        float, typer.Option("--validation", min=0, max=0.5, help="Share of patients set aside to stop by; 0: nobody")
    ] = 0.15,
    kept_share: Annotated[
        float | None,
        typer.Option(
            "--kept-share",
            min=0,
            max=1,
            help="Drop pieces below this share of the largest (1: one lesion each); absent: by those set aside",
        ),
    ] = None,
    batch: Annotated[int, typer.Option("--batch", min=1, max=256, help="Windows of a step")] = 16,
    steps: Annotated[int, typer.Option("--steps", min=0, help="Steps of an epoch; 0: one pass")] = 0,
    rate: Annotated[float, typer.Option("--rate", min=1e-7, max=1.0, help="Highest learning rate of Adam")] = 2e-3,
    precision: Annotated[
        PrecisionName, typer.Option("--precision", help="bfloat16: faster on processors with avx512_bf16 or amx_bf16")
    ] = PrecisionName.FLOAT32,
    lesion_share: Annotated[
        float, typer.Option("--lesion-share", min=0, max=1, help="Share of windows about a lesion")
    ] = 0.5,
    changes: Annotated[
        ChangesName, typer.Option("--changes", help="How far windows are changed; mild where bodies lie one way up")
    ] = ChangesName.STRONG,
    folds: Annotated[int, typer.Option("--folds", min=1, help="Parts the patients are divided into; 1: no test")] = 5,
    fold: Annotated[int, typer.Option("--fold", min=0, help="The part kept for the test, from 0")] = 0,
    all_folds: Annotated[bool, typer.Option("--all-folds", help="Train once for each part")] = False,
    members: Annotated[
        int, typer.Option("--members", min=1, max=20, help="Networks of an ensemble, which differ in their seed")
    ] = 1,
    division: Annotated[int, typer.Option("--division", min=0, help="Seed of the division into parts")] = 1,
    seed: SeedOption = 1,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Train a network; stops early by patients set aside. Run it again after a kill and it goes on.

    One fold of one member is a run of its own, in `--out`; several lie in folders within it.
    """
    from scheduler.console import Console

    console = Console(-1 if quiet else verbose)
    with errors_told(console):
        needs_tensorflow()
        from imaging.data.cases import read_cases
        from imaging.data.integrity import problems
        from imaging.networks.config import NetworkConfig
        from imaging.segmentation.settings import TrainingConfig
        from imaging.segmentation.training import train as fit

        try:
            network = NetworkConfig(
                architecture=architecture.value,
                size=size,
                channels=channels,
                context=0 if architecture is ArchitectureName.UNET3D else context,
                spacing_mm=spacing,
                slices=slices,
                filters=filters,
                depth=depth,
                batch_norm=batch_norm,
                dropout=dropout,
            )
        except ValueError as error:
            raise ConfigError(f"no such network: {error}") from error
        config = TrainingConfig(
            network=network,
            loss=loss.value,
            epochs=epochs,
            patience=patience,
            keep=keep.value,
            validation_share=validation,
            kept_share=kept_share,
            batch=batch,
            steps=steps,
            learning_rate=rate,
            precision=precision.value,
            lesion_share=lesion_share,
            changes=changes.value,
            folds=folds,
            fold=fold,
            division=division,
            seed=seed,
        )

        for problem in problems(read_cases(data)):
            console.warn(problem)
        for folder, each in _runs(out, config, all_folds, members):

            def report(epoch: Epoch, folder: Path = folder) -> None:
                _plot(folder)
                console.say(f"{folder.name}  of {epochs}: {epoch.sentence}")

            trained = fit(data, folder, each, report)
            kept = trained[-1]
            if keep is KeepName.BEST:
                kept = max(trained, key=lambda epoch: (epoch.validation_dice or 0.0, epoch.number))
            typer.echo(f"{folder}: kept {kept.sentence}")


def _runs(out: Path, config: TrainingConfig, all_folds: bool, members: int) -> Iterator[tuple[Path, TrainingConfig]]:
    """Folder and configuration of each training."""
    for fold in range(config.folds) if all_folds else (config.fold,):
        for member in range(members):
            name = f"fold{fold}-member{member}" if all_folds or members > 1 else ""
            yield out / name, replace(config, fold=fold, member=member, seed=config.seed + member)


@group.command(
    epilog="Example: `meddojo imaging evaluate run --data cases`  ·  `meddojo imaging evaluate runs --data cases`"
)
def evaluate(
    data: DataOption,
    run: RunsOrShippedArgument = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Overlap, surface distance and missed volume on the test patients, beside thresholds and the best tuned rule.

    Runs with the same test patients are averaged; the folds of a cross-validation are put together.
    """
    from scheduler.console import Console

    console = Console(-1 if quiet else verbose)
    with errors_told(console):
        needs_tensorflow()
        from imaging.models import SARCOMA
        from imaging.segmentation.evaluation import evaluate as measure

        with console.track("cases") as advance:
            found = measure(run or [SARCOMA], data, advance)
        if as_json:
            typer.echo(json.dumps(found.as_dict(), indent=1))
        else:
            typer.echo("\n".join(found.table()))


@group.command(epilog="Example: `meddojo imaging compare run-a run-b --data cases`")
def compare(
    first: Annotated[Path, typer.Argument(help="A run, or a folder of runs", exists=True, file_okay=False)],
    second: Annotated[Path, typer.Argument(help="Another, of the same test patients", exists=True, file_okay=False)],
    data: DataOption,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Two trainings on the same cases: difference in Dice with its interval and a paired test."""
    from scheduler.console import Console

    console = Console(-1 if quiet else verbose)
    with errors_told(console):
        needs_tensorflow()
        from imaging.segmentation.evaluation import compare as measure

        with console.track("cases") as advance:
            one, other, difference = measure(first, second, data, advance)
        if as_json:
            figures = {str(first): one.figures, str(second): other.figures}
            typer.echo(json.dumps({"figures": figures, "difference": asdict(difference)}, indent=1))
        else:
            for folder, row in ((first, one), (second, other)):
                typer.echo(f"{folder}: Dice {row.mean:.3f} (sd {row.deviation:.3f}, worst {row.worst:.3f})")
            typer.echo(f"first less second: {difference.sentence}")


@group.command(epilog="Example: `meddojo imaging predict run --data cases --out outlines`")
def predict(
    data: DataOption,
    out: Annotated[Path, typer.Option("--out", help="New folder of outlines", file_okay=False)],
    run: RunsOrShippedArgument = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Outline lesions: a mask and probabilities of each case, with volume and uptake of what was found.

    `meddojo imaging export-seg` makes a DICOM segmentation of such a mask.
    """
    from scheduler.console import Console

    console = Console(-1 if quiet else verbose)
    with errors_told(console):
        needs_tensorflow()
        from imaging.models import SARCOMA
        from imaging.segmentation.predicting import predict_folder

        with console.track("cases") as advance:
            found = list(predict_folder(run or [SARCOMA], data, out, advance))
        if as_json:
            typer.echo(json.dumps({each.case: [asdict(lesion) for lesion in each.lesions] for each in found}, indent=1))
        else:
            typer.echo("\n".join(each.sentence for each in found))


def _plot(folder: Path) -> None:
    """Bring the curves of a run up to date, where matplotlib is."""
    from importlib.util import find_spec

    if find_spec("matplotlib") is not None:
        from imaging.segmentation.figures import draw_curves

        draw_curves(folder)
