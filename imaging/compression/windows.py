"""Windows of one fixed size, which is all a compressed network reads: slices are padded to it, or cut into several."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from imaging.data.cases import Case, Floats
from imaging.data.preprocess import slices_of, with_context
from imaging.networks.config import NetworkConfig

LARGEST = 512
"""Rows or columns of a window."""


@dataclass(frozen=True, slots=True)
class Window:
    """Rows and columns a compressed network reads.

    Attributes
    ----------
    multiple
        What both are a multiple of, and what windows of one slice are shifted by: only then do all see the same pixels
        pooled together.
    """

    rows: int
    columns: int
    multiple: int = 1

    def __post_init__(self) -> None:
        for name in ("rows", "columns"):
            length = getattr(self, name)
            if not 1 <= length <= LARGEST or length % self.multiple:
                raise ValueError(f"{name} of a window is {length}, no multiple of {self.multiple} up to {LARGEST}")

    @classmethod
    def around(cls, cases: Sequence[Case], multiple: int) -> Window:
        """The smallest that holds every slice whole, with the margin that `padded` gives it; `LARGEST` at most."""
        most = LARGEST // multiple * multiple
        rows, columns = (max(case.mask.shape[axis] for case in cases) for axis in (1, 2))
        return cls(min(_up(rows, multiple) + multiple, most), min(_up(columns, multiple) + multiple, most), multiple)


def images_of(case: Case, config: NetworkConfig) -> Floats:
    """What a network reads of a case.

    Returns
    -------
    numpy.ndarray
        Shape (slices, rows, columns, planes).
    """
    return with_context(slices_of(case, config.channels), config.context)


def in_windows(images: Floats, window: Window, segment: Callable[[Floats], Floats]) -> Floats:
    """Run images of any size through something that reads windows only.

    Images smaller than a window are padded with zeros below and to the right. Larger ones are cut into windows that
    overlap by four times the window's `multiple`, but half of it at most; of two windows, a pixel is taken from the one
    in which it lies farther from the edge.

    Parameters
    ----------
    images
        Shape (slices, rows, columns, planes).
    segment
        From (slices, window rows, window columns, planes) to (slices, window rows, window columns, classes).

    Returns
    -------
    numpy.ndarray
        Shape (slices, rows, columns, classes).
    """
    rows, columns = images.shape[1:3]
    tall = max(window.rows, _up(rows, window.multiple))
    wide = max(window.columns, _up(columns, window.multiple))
    whole = np.pad(images, ((0, 0), (0, tall - rows), (0, wide - columns), (0, 0)))
    found: Floats | None = None
    for row, own_rows in _places(tall, window.rows, window.multiple):
        for column, own_columns in _places(wide, window.columns, window.multiple):
            part = segment(whole[:, row : row + window.rows, column : column + window.columns])
            if found is None:
                found = np.empty((len(images), tall, wide, part.shape[-1]), dtype=np.float32)
            found[:, row + own_rows : row + window.rows, column + own_columns : column + window.columns] = part[
                :, own_rows:, own_columns:
            ]
    assert found is not None  # noqa: S101 - an image has one window at least
    return found[:, :rows, :columns]


def _up(length: int, multiple: int) -> int:
    return -(-length // multiple) * multiple


def _places(length: int, window: int, multiple: int) -> Iterator[tuple[int, int]]:
    """Where windows begin along an axis, and how much of the beginning of each is left to the window before."""
    step = max(multiple, (window - min(4 * multiple, window // 2)) // multiple * multiple)
    start = before = 0
    while True:
        yield start, (before + window - start) // 2 if start else 0
        if start + window >= length:
            return
        before, start = start, min(start + step, length - window)
