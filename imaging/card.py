"""The card of a trained model, as Markdown: what it is, what it learned from, how it does, and what it cannot do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imaging.networks.files import WEIGHTS
from imaging.segmentation.record import read_run
from imaging.segmentation.runs import run_folders

FILE = "MODEL_CARD.md"
Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Measured:
    """What commands of ``meddojo imaging`` printed with ``--json``; None where one was not run.

    Attributes
    ----------
    on
        What the figures were measured on, in a sentence.
    """

    on: str
    evaluation: Figures | None = None
    uncertainty: Figures | None = None
    compression: Figures | None = None
    survival: Figures | None = None


def card(model: Path, name: str, about: Sequence[str], limits: Sequence[str], measured: Measured) -> str:
    """Write the card of a model's folder.

    Parameters
    ----------
    model
        A run, or a folder of runs that are averaged.
    about, limits
        A sentence each, by a person.

    Raises
    ------
    InputError
        If the folder holds no training.
    """
    lines = [f"# Model card: {name}", "", *(f"- {each}" for each in about), "", "## Networks", ""]
    lines += _networks(model)
    lines += ["", "## Figures", "", measured.on, ""]
    for figures, section in (
        (measured.evaluation, _evaluation),
        (measured.uncertainty, _uncertainty),
        (measured.survival, _survival),
        (measured.compression, _compression),
    ):
        if figures is not None:
            lines += [*section(figures), ""]
    return "\n".join([*lines, "## Limits", "", *(f"- {each}" for each in limits), ""])


def _networks(model: Path) -> Iterator[str]:
    yield "| folder | network | reads | windows | filters, depth | epochs x steps x batch | patients | weights |"
    yield "|---|---|---|---|---|---|---|---|"
    for folder in run_folders(model):
        run = read_run(folder)
        config, network = run.config, run.config["network"]
        volumetric = network["architecture"] == "unet3d"
        channels = ("PET", "PET, CT", "PET, CT, relative PET")[network["channels"] - 1]
        seen = f"{channels} at {network['spacing_mm']:g} mm" if network.get("spacing_mm") else channels
        if network["context"]:
            seen += f", {network['context']} slice to either side"
        window = f"{network['size']} x {network['size']}" + (f" x {network['slices']}" if volumetric else "")
        bytes_ = (folder / WEIGHTS).stat().st_size
        yield (
            f"| {folder.name} | {network['architecture']} | {seen} | {window} | {network['filters']}, "
            f"{network['depth']} | {config['epochs']} x {config['steps'] or 'one pass'} x {config['batch']} | "
            f"{len(run.division.train)}, {len(run.division.validation)} to stop by | {bytes_ / 1e6:.1f} MB |"
        )


def _evaluation(figures: Figures) -> Iterator[str]:
    yield "| method | Dice | sd | worst | IoU | HD95, median, mm | missed ml | invented ml | missed entirely |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for method, row in figures["methods"].items():
        distance = row["hd95_mm_median"]
        yield (
            f"| {method} | {row['dice_mean']:.3f} | {row['dice_deviation']:.3f} | {row['dice_worst']:.3f} | "
            f"{row['iou_mean']:.3f} | {'none' if distance is None else format(distance, '.1f')} | "
            f"{row['missed_ml_mean']:.1f} | {row['invented_ml_mean']:.1f} | {row['missed']:.0f} of {figures['cases']} |"
        )
    beside = figures.get("beside_rule")
    if beside:
        yield ""
        yield (
            f"Dice less that of the tuned rule, case by case: {beside['difference']:+.3f} ({beside['low']:+.3f} to "
            f"{beside['high']:+.3f}), better in {beside['better']}, worse in {beside['worse']}, "
            f"Wilcoxon p = {beside['p_value']:.2g}."
        )


def _uncertainty(figures: Figures) -> Iterator[str]:
    yield "| probabilities of | region | calibration error before | after |"
    yield "|---|---|---|---|"
    for method, result in figures.items():
        for region, error in result["calibration_error"].items():
            yield f"| {method} | {region} | {error['before']:.3f} | {error['after']:.3f} |"
    yield ""
    yield "| probabilities of | cases flagged by | flagged | errors caught | of what is missing | chance |"
    yield "|---|---|---|---|---|---|"
    for method, result in figures.items():
        for score, found in result["review"].items():
            caught, missing = found["errors_caught"], found["missing_caught"]
            yield (
                f"| {method} | {score} | {found['flagged']} of {found['cases']} | "
                f"{'no errors' if caught is None else format(caught, '.0%')} of {found['errors']} | "
                f"{'nothing' if missing is None else format(missing, '.0%')} | {found['chance']:.0%} |"
            )


def _survival(figures: Figures) -> Iterator[str]:
    yield f"| risk by | C-index, {figures['cases']} cases, {figures['events']} events | 95 % interval |"
    yield "|---|---|---|"
    for method, row in figures["rows"].items():
        yield f"| {method} | {row['index']:.3f} | {row['low']:.3f} to {row['high']:.3f} |"
    if figures["reachable"] is not None:
        yield f"| best to be expected | {figures['reachable']:.3f} | |"


def _compression(figures: Figures) -> Iterator[str]:
    yield "| file | bytes | gzipped | zeros | Dice | calibration error near | milliseconds, by threads |"
    yield "|---|---|---|---|---|---|---|"
    for row in figures["rows"]:
        latency = ", ".join(f"{each['threads']}: {each['median_ms']:.1f}" for each in row["latencies"])
        dice, near = row["mean_dice"], row["near_ece"]
        yield (
            f"| {row['file']} | {row['size_bytes']} | {row['gzip_bytes']} | {row['zero_share']:.0%} | "
            f"{_number(dice)} | {_number(near)} | {latency} |"
        )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
