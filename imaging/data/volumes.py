"""Windows of whole volumes, for networks of three dimensions; `imaging.data.slices` draws those of slices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imaging.data.cases import Booleans, Case, Floats
from imaging.data.changes import STRONG, Changes, changed, turning
from imaging.data.scans import Scans, stacked


@dataclass(frozen=True, slots=True, eq=False)
class VolumePool:
    """Cases to draw training windows from: first a case, then a place, so that every patient counts.

    Attributes
    ----------
    shape
        Of a window: slices, rows, columns.
    """

    shape: tuple[int, int, int]
    scans: Scans
    changes: Changes = STRONG

    @classmethod
    def of(
        cls, cases: Sequence[Case], channels: int, shape: tuple[int, int, int], changes: Changes = STRONG
    ) -> VolumePool:
        """Prepare cases."""
        return cls(
            shape,
            Scans.of(cases, channels),
            changes,
        )

    @property
    def windows(self) -> int:
        """How many make one pass, in slices."""
        return max(len(self.scans.masks), self.scans.slices // self.shape[0])

    def batch(self, random: np.random.Generator, count: int, lesion_share: float) -> tuple[Floats, Floats]:
        """Draw windows: some anywhere, some about a voxel of a lesion.

        Parameters
        ----------
        lesion_share
            Probability of a window about a lesion.

        Returns
        -------
        tuple of numpy.ndarray
            Images of shape (count, slices, rows, columns, channels) and masks of 0 and 1 of shape (count, slices, rows,
            columns, 1).
        """
        return stacked(self._window(random, random.random() < lesion_share) for _ in range(count))

    def _window(self, random: np.random.Generator, about_lesion: bool) -> tuple[Floats, Booleans]:
        from scipy.ndimage import affine_transform

        image, mask, lesions = self.scans.draw(random)
        length = np.array(self.shape)
        if about_lesion and len(lesions):
            # anywhere in the window but its rim, so that its middle does not tell the lesion
            centre = lesions[random.integers(len(lesions))] + random.uniform(-1.0, 1.0, 3) * length / 3
        else:
            centre = random.uniform(0, mask.shape)
        # slices are stretched and mirrored, but stay slices: they are taken otherwise than what lies within them
        steps = np.zeros((3, 3))
        steps[0, 0] = np.exp(random.uniform(-self.changes.size, self.changes.size)) * random.choice([-1.0, 1.0])
        steps[1:, 1:] = turning(random, self.changes)
        first = centre - steps @ ((length - 1) / 2)
        window = np.stack(
            [
                affine_transform(image[..., channel], steps, first, self.shape, order=1, mode="constant")
                for channel in range(image.shape[-1])
            ],
            axis=-1,
        )
        truth = np.asarray(
            affine_transform(mask.astype(np.float32), steps, first, self.shape, order=1, mode="constant") > 0.5
        )
        return changed(random, window, truth, self.changes, self.scans.lacking), truth
