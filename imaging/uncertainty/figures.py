"""Pictures of calibration, of unsure cases and of one case, in colours that the colour-blind tell apart too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from imaging.data.cases import Booleans, Case, Floats
from imaging.networks.files import write_whole
from imaging.segmentation.figures import as_png, blank_figure
from imaging.segmentation.metrics import Reliability
from imaging.uncertainty.maps import HIGHEST_ENTROPY
from imaging.uncertainty.review import risk_coverage

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"


def reliability_diagram(path: Path, before: Mapping[str, Reliability], after: Mapping[str, Reliability]) -> None:
    """Frequency beside predicted probability, a panel for each region; below it how many voxels each bin has."""
    with _figure(path, 2, len(before), (4.2 * len(before), 5.4), height_ratios=[3, 1]) as axes:
        for column, name in enumerate(before):
            upper, lower = axes[0, column], axes[1, column]
            upper.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="calibrated")
            for each, label, style in ((before, "before", (ORANGE, "s--")), (after, "after", (BLUE, "o-"))):
                text = f"{label} (ECE {each[name].expected_error:.3f})"
                upper.plot(each[name].confidence, each[name].frequency, style[1], color=style[0], label=text)
                edges = np.linspace(0, 1, len(each[name].counts) + 1)
                lower.stairs(each[name].counts, edges, color=style[0], linestyle=style[1][1:], linewidth=1.5)
            upper.set(title=f"region: {name}", ylabel="share of lesion voxels", xlim=(0, 1), ylim=(0, 1))
            upper.legend(loc="upper left", fontsize="small")
            lower.set(xlabel="predicted probability", ylabel="voxels", yscale="log", xlim=(0, 1))


def risk_coverage_curve(path: Path, scores: Mapping[str, Sequence[float]], dice: Sequence[float]) -> None:
    """What is lost when only the surest cases are kept, for each score, beside the best order and none."""
    with _figure(path, 1, 1, (5.5, 4.2)) as axes:
        plot = axes[0, 0]
        styles = ((BLUE, "o-"), (ORANGE, "s-"), (GREEN, "^-"))
        for (name, values), (colour, style) in zip(scores.items(), styles, strict=False):
            plot.plot(*risk_coverage(values, dice), style, color=colour, markersize=4, label=name.replace("_", " "))
        missing = [1.0 - each for each in dice]
        plot.plot(*risk_coverage(missing, dice), color="black", linewidth=1, label="best order")
        plot.axhline(float(np.mean(missing)), color=GREY, linestyle=":", label="any order, in the mean")
        plot.set(xlabel="share of cases kept, the surest first", ylabel="mean of 1 - Dice", xlim=(0, 1.02))
        plot.set_ylim(bottom=0)
        plot.legend(fontsize="small")


def case_panel(
    path: Path, case: Case, predicted: Booleans, heat: Floats | None, entropy: Floats | None = None, title: str = ""
) -> None:
    """One slice of a case: PET, CT, outlines of truth and prediction, and what maps there are.

    Parameters
    ----------
    predicted
        Mask of the network.
    heat
        Grad-CAM, 0 to 1; left out if None.
    entropy
        Predictive entropy in nats; left out if None.
    """
    number = telling_slice(case, predicted)
    panels = list(_panels(case, predicted, heat, entropy, number))
    _, rows, columns = case.spacing_mm
    extent = (0.0, case.mask.shape[2] * columns, case.mask.shape[1] * rows, 0.0)
    # panels as high as the slice, and room for the bar below it
    height = min(max(2.8 * extent[2] / extent[1], 1.5), 6.0) + 1.6
    with _figure(path, 1, len(panels), (3.2 * len(panels), height)) as axes:
        for plot, (name, image, style, unit) in zip(axes[0], panels, strict=True):
            shown = plot.imshow(image, extent=extent, interpolation="nearest", **style)
            for mask, colour, line in ((case.mask, BLUE, "solid"), (predicted, ORANGE, "dashed")):
                if name != "CT" and mask[number].any() and not mask[number].all():
                    plot.contour(
                        mask[number].astype(float), [0.5], colors=colour, linestyles=line, extent=extent, origin="upper"
                    )
            plot.set(title=name, xlabel="mm")
            plot.figure.colorbar(shown, ax=plot, orientation="horizontal", label=unit)
        axes[0, 0].figure.suptitle(f"{title or case.name}, slice {number + 1}: truth blue, prediction orange, dashed")


def telling_slice(case: Case, predicted: Booleans) -> int:
    """The slice with the most of truth and prediction; that with the most uptake where both are empty."""
    union = (case.mask | predicted).sum(axis=(1, 2))
    return int(union.argmax() if union.any() else case.pet.max(axis=(1, 2)).argmax())


def _panels(
    case: Case, predicted: Booleans, heat: Floats | None, entropy: Floats | None, number: int
) -> Iterator[tuple[str, Any, dict[str, Any], str]]:
    highest = max(float(np.percentile(case.pet[number], 99.5)), 1.0)
    pet: dict[str, Any] = {"cmap": "gray_r", "vmin": 0, "vmax": highest}
    yield "PET", case.pet[number], pet, "SUV (g/ml)"
    if case.ct is not None:
        yield "CT", case.ct[number], {"cmap": "gray", "vmin": -160, "vmax": 240}, "HU"
    if entropy is not None:
        yield (
            "predictive entropy",
            entropy[number],
            {"cmap": "viridis", "vmin": 0, "vmax": HIGHEST_ENTROPY},
            "nats",
        )
    if heat is not None:
        yield "Grad-CAM", heat[number], {"cmap": "cividis", "vmin": 0, "vmax": 1}, "share of the highest"


@contextmanager
def _figure(path: Path, rows: int, columns: int, size: tuple[float, float], **grid: Any) -> Iterator[Any]:
    """Axes of a figure that is written at the end."""
    figure = blank_figure(*size)
    yield figure.subplots(rows, columns, squeeze=False, gridspec_kw=grid or None)
    write_whole(path, as_png(figure))
