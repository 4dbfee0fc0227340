"""From scans to what a network reads: intensity windows, windows of slices, and random changes, all in numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imaging.data.cases import Booleans, Case, Floats

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Window:
    """An interval of intensities that is mapped to 0 to 1; what lies outside becomes its bounds."""

    low: float
    high: float

    def __call__(self, image: Floats) -> Floats:
        """Map an image of any shape."""
        return ((image.clip(self.low, self.high) - self.low) / (self.high - self.low)).astype(np.float32)


SUV = Window(0.0, 15.0)
"""In g/ml. Higher is only bladder, brain and the hottest lesions, which stay the brightest."""
HU = Window(-160.0, 240.0)
"""Soft tissue (width 400, level 40)."""


def slices_of(case: Case, channels: int) -> Floats:
    """What a network reads of a case.

    Parameters
    ----------
    channels
        1 for PET alone, 2 for PET and CT. The square root of the PET window spreads the low uptake, where most lesions
        lie. A case without CT has zeros in its place.

    Returns
    -------
    numpy.ndarray
        Shape (slices, rows, columns, channels), from 0 to 1.
    """
    if channels not in (1, 2):
        raise ValueError(f"{channels} channels: 1 is PET, 2 is PET and CT")
    pet = np.sqrt(SUV(case.pet))
    if channels == 1:
        return pet[..., None]
    return np.stack([pet, np.zeros_like(pet) if case.ct is None else HU(case.ct)], axis=-1)


def padded(images: Floats, multiple: int) -> Floats:
    """Add zeros below and to the right until rows and columns (axes 1 and 2) are multiples."""
    rows, columns = (-length % multiple for length in images.shape[1:3])
    return np.pad(images, ((0, 0), (0, rows), (0, columns), (0, 0)))


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Slices of many cases to draw windows from.

    Attributes
    ----------
    images, masks
        One each slice, of shapes (rows, columns, channels) and (rows, columns), at least `size` wide and high.
    lesions
        Rows of (slice, row, column), one each voxel of a lesion.
    """

    size: int
    images: tuple[Floats, ...]
    masks: tuple[Booleans, ...]
    lesions: Places

    @classmethod
    def of(cls, cases: Sequence[Case], channels: int, size: int) -> Pool:
        """Prepare cases; slices smaller than a window are padded with zeros."""
        images: list[Floats] = []
        masks: list[Booleans] = []
        for case in cases:
            for image, mask in zip(slices_of(case, channels), case.mask, strict=True):
                rows, columns = (max(0, size - length) for length in mask.shape)
                images.append(np.pad(image, ((0, rows), (0, columns), (0, 0))))
                masks.append(np.pad(mask, ((0, rows), (0, columns))))
        found = [np.insert(np.argwhere(mask), 0, number, axis=1) for number, mask in enumerate(masks)]
        return cls(size, tuple(images), tuple(masks), np.concatenate(found))

    def batch(self, random: np.random.Generator, count: int, lesion_share: float) -> tuple[Floats, Floats]:
        """Draw windows: some anywhere, some about a voxel of a lesion, since lesions fill a hundredth of the images.

        Parameters
        ----------
        lesion_share
            Probability of a window about a lesion.

        Returns
        -------
        tuple of numpy.ndarray
            Images of shape (count, size, size, channels) and masks of 0 and 1 of shape (count, size, size, 1).
        """
        pairs = [self._window(random, random.random() < lesion_share) for _ in range(count)]
        images, masks = zip(*(augmented(random, *pair) for pair in pairs), strict=True)
        return np.stack(images), np.stack(masks)[..., None].astype(np.float32)

    def _window(self, random: np.random.Generator, about_lesion: bool) -> tuple[Floats, Booleans]:
        if about_lesion and len(self.lesions):
            number, *voxel = self.lesions[random.integers(len(self.lesions))]
            # anywhere in the window, so that its middle does not tell the lesion
            corner = [int(place - random.integers(self.size)) for place in voxel]
        else:
            number = random.integers(len(self.images))
            corner = [int(random.integers(length - self.size + 1)) for length in self.masks[number].shape]
        mask = self.masks[number]
        row, column = (min(max(place, 0), length - self.size) for place, length in zip(corner, mask.shape, strict=True))
        where = slice(row, row + self.size), slice(column, column + self.size)
        return self.images[number][where], mask[where]


def augmented(random: np.random.Generator, image: Floats, mask: Booleans) -> tuple[Floats, Booleans]:
    """Mirror at random, enlarge or shrink by up to a fifth about the middle, and change the brightness of PET.

    Parameters
    ----------
    image, mask
        Of shapes (size, size, channels) and (size, size); the results have the same.
    """
    for axis in (0, 1):
        if random.random() < 0.5:
            image, mask = np.flip(image, axis), np.flip(mask, axis)
    image, mask = scaled(image, mask, random.uniform(0.8, 1.25))
    image = image.copy()
    image[..., 0] = (image[..., 0] * random.uniform(0.9, 1.1)).clip(0.0, 1.0)
    return image, mask


def scaled(image: Floats, mask: Booleans, factor: float) -> tuple[Floats, Booleans]:
    """Enlarge about the middle, by the nearest voxel; what comes in from outside is 0."""
    size = len(mask)
    places = np.rint((np.arange(size) - (size - 1) / 2) / factor + (size - 1) / 2).astype(np.int64)
    inside = (places >= 0) & (places < size)
    places = places.clip(0, size - 1)
    both = inside[:, None] & inside[None, :]
    grid = np.ix_(places, places)
    return np.where(both[..., None], image[grid], np.float32(0.0)), mask[grid] & both
