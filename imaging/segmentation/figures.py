"""Pictures of a training."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from imaging.networks.files import write_whole

CURVES = "curves.png"


def draw_curves(folder: Path) -> None:
    """Draw loss and validation Dice of each epoch so far into the folder of a run.

    Raises
    ------
    InputError
        If the folder holds no history of a training.
    """
    from imaging.segmentation.record import history

    epochs = history(folder)
    figure = blank_figure(7.0, 4.0)
    left = figure.add_subplot()
    right = left.twinx()
    numbers = [each.number for each in epochs]
    left.plot(numbers, [each.loss for each in epochs], color="#0072b2", label="loss")
    right.plot(numbers, [each.validation_dice for each in epochs], color="#d55e00", label="validation Dice")
    left.set(xlabel="epoch", ylabel="loss of the training windows")
    right.set(ylabel="Dice of the validation patients", ylim=(0.0, 1.0))
    figure.legend(loc="upper center", ncols=2)
    write_whole(folder / CURVES, as_png(figure))


def blank_figure(width: float, height: float) -> Any:
    """A matplotlib figure of that many inches, that opens no window."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def as_png(figure: Any) -> bytes:
    """The figure as the bytes of a picture; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()
