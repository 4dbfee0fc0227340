"""Cases made ready to draw windows from, and windows put together as a batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from imaging.data.cases import Booleans, Case, Floats
from imaging.data.preprocess import Places, slices_of

_WITHOUT_CT = 0.25
"""Share of windows whose CT is taken away, where some scans have none."""


@dataclass(frozen=True, slots=True, eq=False)
class Scans:
    """What is drawn from: first a case, then a place in it, so that every patient counts.

    Attributes
    ----------
    images, masks
        One each case, of shapes (slices, rows, columns, channels) and (slices, rows, columns).
    lesions
        One each case: rows of (slice, row, column), one each voxel of a lesion.
    lacking
        Share of windows whose CT is to be taken away: none where every case has one.
    """

    images: tuple[Floats, ...]
    masks: tuple[Booleans, ...]
    lesions: tuple[Places, ...]
    lacking: float

    @classmethod
    def of(cls, cases: Sequence[Case], channels: int) -> Scans:
        """Prepare cases."""
        return cls(
            tuple(slices_of(case, channels) for case in cases),
            tuple(case.mask for case in cases),
            tuple(np.argwhere(case.mask) for case in cases),
            _WITHOUT_CT if any(case.ct is None for case in cases) else 0.0,
        )

    @property
    def slices(self) -> int:
        """Of all cases."""
        return sum(map(len, self.masks))

    def draw(self, random: np.random.Generator) -> tuple[Floats, Booleans, Places]:
        """Image, mask and lesion voxels of one case."""
        number = int(random.integers(len(self.images)))
        return self.images[number], self.masks[number], self.lesions[number]


def stacked(windows: Iterable[tuple[Floats, Booleans]]) -> tuple[Floats, Floats]:
    """Images and masks of a batch; masks become 0 and 1, with an axis of one class."""
    images, masks = zip(*windows, strict=True)
    return np.stack(images), np.stack(masks)[..., None].astype(np.float32)
