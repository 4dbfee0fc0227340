"""Windows of slices with their neighbours, for networks of two dimensions; `imaging.data.volumes` draws volumes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from imaging.data.cases import Booleans, Case, Floats
from imaging.data.changes import STRONG, Changes, changed, turning
from imaging.data.preprocess import neighbours
from imaging.data.scans import Scans, stacked


@dataclass(frozen=True, slots=True, eq=False)
class SlicePool:
    """Cases to draw training windows from: first a case, then a slice, then a place, so that every patient counts.

    Attributes
    ----------
    size
        Rows and columns of a window.
    context
        Slices shown to either side.
    """

    size: int
    context: int
    scans: Scans
    changes: Changes = STRONG

    @classmethod
    def of(
        cls, cases: Sequence[Case], channels: int, size: int, context: int = 0, changes: Changes = STRONG
    ) -> SlicePool:
        """Prepare cases."""
        return cls(
            size,
            context,
            Scans.of(cases, channels),
            changes,
        )

    @property
    def windows(self) -> int:
        """How many make one pass: as many as there are slices."""
        return self.scans.slices

    def batch(self, random: np.random.Generator, count: int, lesion_share: float) -> tuple[Floats, Floats]:
        """Draw windows: some anywhere, some about a voxel of a lesion, since lesions may fill a hundredth of a scan.

        Parameters
        ----------
        lesion_share
            Probability of a window about a lesion.

        Returns
        -------
        tuple of numpy.ndarray
            Images of shape (count, size, size, channels of all slices shown) and masks of 0 and 1 of shape (count,
            size, size, 1).
        """
        return stacked(self._window(random, random.random() < lesion_share) for _ in range(count))

    def _window(self, random: np.random.Generator, about_lesion: bool) -> tuple[Floats, Booleans]:
        image, mask, lesions = self.scans.draw(random)
        if about_lesion and len(lesions):
            level, *voxel = lesions[random.integers(len(lesions))]
            # anywhere in the window but its rim, so that its middle does not tell the lesion
            centre = np.array(voxel) + random.uniform(-self.size / 3, self.size / 3, 2)
        else:
            level = random.integers(len(mask))
            centre = np.array([random.uniform(0, length) for length in mask.shape[1:]])
        shown = np.array(neighbours(np.array([level]), len(mask), self.context))[:, 0]
        if random.random() < 0.5:
            shown = shown[::-1]
        turned = turning(random, self.changes)
        window = looked_at(image[shown], centre, turned, self.size)
        truth = looked_at(mask[shown][..., None], centre, turned, self.size)[..., 0] > 0.5
        window = changed(random, window, truth, self.changes, self.scans.lacking)
        return np.concatenate(window, axis=-1), truth[self.context]


def looked_at(images: npt.NDArray[Any], centre: npt.NDArray[Any], turned: Floats, size: int) -> Floats:
    """Square windows of images through a linear map, by bilinear interpolation; outside is 0.

    Parameters
    ----------
    images
        Shape (slices, rows, columns, channels).
    centre
        Row and column that the middle of the window shows.
    turned
        Shape (2, 2), from a step in the window to a step in the image.

    Returns
    -------
    numpy.ndarray
        Shape (slices, size, size, channels).
    """
    steps = np.arange(size) - (size - 1) / 2
    grid = np.stack(np.meshgrid(steps, steps, indexing="ij")).reshape(2, -1)
    places = turned @ grid + centre[:, None]
    # a margin of one zero voxel all round, so that what lies outside is reached as a neighbour
    framed = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0))).astype(np.float32, copy=False)
    rows, columns = (place.clip(-1.0, length) + 1.0 for place, length in zip(places, images.shape[1:3], strict=True))
    row, column = rows.astype(np.int64), columns.astype(np.int64)
    row, column = row.clip(0, framed.shape[1] - 2), column.clip(0, framed.shape[2] - 2)
    down, right = (rows - row).astype(np.float32)[:, None], (columns - column).astype(np.float32)[:, None]
    above = framed[:, row, column] * (1 - right) + framed[:, row, column + 1] * right
    below = framed[:, row + 1, column] * (1 - right) + framed[:, row + 1, column + 1] * right
    return np.asarray(above * (1 - down) + below * down).reshape(len(images), size, size, images.shape[-1])
