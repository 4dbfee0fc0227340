"""From scans to what a network reads: intensity windows, windows of slices, and random changes, all in numpy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from imaging.data.cases import Booleans, Case, Floats

Places = npt.NDArray[np.int64]

PET, CT, RELATIVE_PET = range(3)
"""Channels of an image, in this order; a network that reads two has the first two."""


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
_BRIGHTEST = 99.5
"""Percentile of a scan's PET that its relative PET maps to 1."""


def slices_of(case: Case, channels: int) -> Floats:
    """What a network reads of a case.

    Parameters
    ----------
    channels
        1 for PET alone, 2 for PET and CT, 3 for these and PET relative to the brightest of the same scan: uptake
        differs from patient to patient more than within one. The square root of a PET window spreads the low uptake,
        where most lesions lie. A case without CT has zeros in its place.

    Returns
    -------
    numpy.ndarray
        Shape (slices, rows, columns, channels), from 0 to 1.
    """
    if channels not in (1, 2, 3):
        raise ValueError(f"{channels} channels: 1 is PET, 2 is PET and CT, 3 is these and relative PET")
    images = [np.sqrt(SUV(case.pet))]
    if channels > CT:
        images.append(np.zeros_like(case.pet) if case.ct is None else HU(case.ct))
    if channels > RELATIVE_PET:
        brightest = max(float(np.percentile(case.pet, _BRIGHTEST)), 1e-3)
        images.append(np.sqrt(Window(0.0, brightest)(case.pet)))
    return np.stack(images, axis=-1)


def with_context(images: Floats, context: int) -> Floats:
    """Show beside each slice its neighbours, as further channels; at the ends the last slice is repeated.

    Parameters
    ----------
    images
        Shape (slices, rows, columns, channels).
    context
        How many to either side.

    Returns
    -------
    numpy.ndarray
        Shape (slices, rows, columns, (2 context + 1) channels), lowest slice first.
    """
    return np.concatenate([images[places] for places in _neighbours(np.arange(len(images)), len(images), context)], -1)


def padded(images: Floats, multiple: int) -> Floats:
    """Add zeros below and to the right until rows and columns (axes 1 and 2) are multiples."""
    rows, columns = (-length % multiple for length in images.shape[1:3])
    return np.pad(images, ((0, 0), (0, rows), (0, columns), (0, 0)))


@dataclass(frozen=True, slots=True)
class Changes:
    """How far windows are changed at random.

    Attributes
    ----------
    rotation_degrees
        Largest angle to either side.
    size, stretch
        Largest logarithm of the factor windows are enlarged by, and of that one axis more than the other.
    power
        Largest logarithm of the exponent of PET, as a network reads it.
    uptake, brightness
        Largest logarithm of the factor of PET, as a network reads it (half of that of SUV, see `slices_of`), and of
        that of relative PET, which differs less from patient to patient.
    necrosis
        Share of windows in which parts of the lesion are made to take up little, see `necrotic`.
    blur, noise
        Largest standard deviations of what blurs PET (pixels) and of the noise in it (as a network reads it, relative
        where it reads that), see `rescanned`.
    """

    rotation_degrees: float
    size: float
    stretch: float
    power: float
    uptake: float
    brightness: float
    necrosis: float
    blur: float
    noise: float


CHANGES: Mapping[str, Changes] = MappingProxyType(
    {
        "strong": Changes(180.0, 0.3, 0.1, 0.15, 0.25, 0.25, 0.25, 0.0, 0.0),
        # where scanners, doses and the weights that were entered differ, too, and lesions unlike any seen are to come
        "stronger": Changes(180.0, 0.3, 0.1, 0.2, 1.2, 0.5, 0.7, 1.0, 0.12),
        # where the body lies one way up, and the level of uptake tells an organ
        "mild": Changes(5.0, 0.05, 0.0, 0.0, 0.1, 0.1, 0.0, 0.0, 0.0),
    }
)
"""Those a configuration can name."""
STRONG = CHANGES["strong"]
_FEW_SLICES = 7
"""At most the neighbours of one slice, not a volume."""
_WITHOUT_CT = 0.25
"""Share of windows whose CT is taken away, where some scans have none."""


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Cases to draw training windows from: first a case, then a slice, then a place, so that every patient counts.

    Attributes
    ----------
    images, masks
        One each case, of shapes (slices, rows, columns, channels) and (slices, rows, columns).
    lesions
        One each case: rows of (slice, row, column), one each voxel of a lesion.
    lacking
        Share of windows whose CT is taken away.
    """

    size: int
    context: int
    images: tuple[Floats, ...]
    masks: tuple[Booleans, ...]
    lesions: tuple[Places, ...]
    changes: Changes = STRONG
    lacking: float = 0.0

    @classmethod
    def of(cls, cases: Sequence[Case], channels: int, size: int, context: int = 0, changes: Changes = STRONG) -> Pool:
        """Prepare cases."""
        return cls(
            size,
            context,
            tuple(slices_of(case, channels) for case in cases),
            tuple(case.mask for case in cases),
            tuple(np.argwhere(case.mask) for case in cases),
            changes,
            lacking_ct(cases),
        )

    @property
    def windows(self) -> int:
        """How many make one pass: as many as there are slices."""
        return sum(map(len, self.masks))

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
        number = int(random.integers(len(self.images)))
        image, mask, lesions = self.images[number], self.masks[number], self.lesions[number]
        if about_lesion and len(lesions):
            level, *voxel = lesions[random.integers(len(lesions))]
            # anywhere in the window but its rim, so that its middle does not tell the lesion
            centre = np.array(voxel) + random.uniform(-self.size / 3, self.size / 3, 2)
        else:
            level = random.integers(len(mask))
            centre = np.array([random.uniform(0, length) for length in mask.shape[1:]])
        shown = np.array(_neighbours(np.array([level]), len(mask), self.context))[:, 0]
        if random.random() < 0.5:
            shown = shown[::-1]
        turned = turning(random, self.changes)
        window = looked_at(image[shown], centre, turned, self.size)
        truth = looked_at(mask[shown][..., None], centre, turned, self.size)[..., 0] > 0.5
        if random.random() < self.changes.necrosis:
            window = necrotic(random, window, truth)
        window = rescanned(random, window, self.changes)
        shown_as = recoloured(random, np.concatenate(window, axis=-1), image.shape[-1], self.changes, self.lacking)
        return shown_as, truth[self.context]


def stacked(windows: Iterable[tuple[Floats, Booleans]]) -> tuple[Floats, Floats]:
    """Images and masks of a batch; masks become 0 and 1, with an axis of one class."""
    images, masks = zip(*windows, strict=True)
    return np.stack(images), np.stack(masks)[..., None].astype(np.float32)


def lacking_ct(cases: Sequence[Case]) -> float:
    """Share of windows whose CT is to be taken away: none where every case has one."""
    return _WITHOUT_CT if any(case.ct is None for case in cases) else 0.0


def turning(random: np.random.Generator, changes: Changes = STRONG) -> Floats:
    """Draw how a window is turned, mirrored, enlarged and stretched.

    Returns
    -------
    numpy.ndarray
        Shape (2, 2): from a step in the window to a step in the image.
    """
    largest = changes.rotation_degrees
    angle = np.radians(random.uniform(-largest, largest)) if random.random() < 0.7 else 0.0
    factor = np.exp(random.uniform(-changes.size, changes.size))
    stretched = factor * np.exp(random.uniform(-changes.stretch, changes.stretch)) * random.choice([-1.0, 1.0])
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(rotation @ np.diag([factor, stretched]), dtype=np.float32)


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


def recoloured(
    random: np.random.Generator, image: Floats, channels: int, changes: Changes = STRONG, lacking: float = _WITHOUT_CT
) -> Floats:
    """Change intensities at random: PET brighter, darker or steeper; CT a little, or missing.

    Parameters
    ----------
    image
        Shape (..., slices shown times channels).

    Returns
    -------
    numpy.ndarray
        The same shape, from 0 to 1.
    """
    image = image.copy()
    for channel in range(channels):
        where = slice(channel, None, channels)
        if channel == CT:
            # a factor, for zeros are what a scan without CT has
            factor = 0.0 if random.random() < lacking else random.uniform(0.9, 1.1)
            image[..., where] = (factor * image[..., where]).clip(0.0, 1.0)
        else:
            strength = changes.uptake if channel == PET else changes.brightness
            power, factor = (np.exp(random.uniform(-largest, largest)) for largest in (changes.power, strength))
            image[..., where] = (factor * image[..., where] ** power).clip(0.0, 1.0)
    return image


def necrotic(random: np.random.Generator, images: Floats, lesion: Booleans) -> Floats:
    """Let parts of a lesion take up little, as what has died within a large one does, less towards its rim.

    Few lesions of a training set have a cold core, and none has it where the next one will; a network that has seen
    hot ones outlines their rims.

    Parameters
    ----------
    images
        `slices_of` a window, of shape (slices, rows, columns, channels).
    lesion
        Shape (slices, rows, columns).

    Returns
    -------
    numpy.ndarray
        Of the shape of `images`. CT stays: dead tissue differs from living by a few HU.
    """
    from scipy.ndimage import gaussian_filter, zoom

    if not lesion.any():
        return images
    slices, rows, columns = lesion.shape
    rim = random.uniform(0.7, 3.0)
    # neighbours of a single slice are too few to tell how deep in the lesion they are
    deep = gaussian_filter(lesion.astype(np.float32), (rim if slices > _FEW_SLICES else 0.0, rim, rim))
    inside = (2.0 * deep - 1.0).clip(0.0, 1.0) * lesion
    coarse = (max(2, slices // 8) if slices > _FEW_SLICES else 1, max(2, rows // 8), max(2, columns // 8))
    lumps = zoom(
        random.normal(size=coarse).astype(np.float32),
        [length / few for length, few in zip(lesion.shape, coarse, strict=True)],
        order=1,
        grid_mode=True,
        mode="nearest",
    )
    dead = inside / (1.0 + np.exp(-4.0 * (lumps + random.uniform(-1.0, 1.5))))
    left = 1.0 - random.uniform(0.3, 0.95) * dead
    images = images.copy()
    # a network reads the root of uptake; of fewer channels there is no relative PET
    images[..., PET] *= np.sqrt(left)
    images[..., RELATIVE_PET : RELATIVE_PET + 1] *= np.sqrt(left)[..., None]
    return images


_BLURRED, _NOISY = 0.3, 0.5
"""Shares of windows."""
_FAINT = 0.05
"""Below this the noise fades: air has none."""


def rescanned(random: np.random.Generator, images: Floats, changes: Changes) -> Floats:
    """Show PET as another scanner, a shorter scan or a smaller dose would.

    Parameters
    ----------
    images
        Shape (slices, rows, columns, channels).

    Returns
    -------
    numpy.ndarray
        Of the shape of `images`, not below 0. Channels read the root of uptake, whose noise is the same wherever
        uptake is high or low, as that of the root of counts is (Anscombe 1948).
    """
    from scipy.ndimage import gaussian_filter

    pet = [PET, RELATIVE_PET] if images.shape[-1] > RELATIVE_PET else [PET]
    if changes.blur and random.random() < _BLURRED:
        width = random.uniform(0.3, 1.0) * changes.blur
        images = images.copy()
        for channel in pet:
            images[..., channel] = gaussian_filter(images[..., channel], (0.0, width, width))
    if changes.noise and random.random() < _NOISY:
        grain = random.normal(size=images.shape[:-1]).astype(np.float32)
        width = random.uniform(0.0, 1.0)  # noise is as blurred as the image is
        grain = gaussian_filter(grain, (0.0, width, width))
        grain *= random.uniform(0.0, changes.noise) / max(float(grain.std()), 1e-6)
        factor = (1.0 + grain / images[..., pet[-1]].clip(_FAINT)).clip(0.0)
        images = images.copy()
        images[..., pet] *= factor[..., None]
    return images


def _neighbours(levels: Places, count: int, context: int) -> list[Places]:
    return [(levels + step).clip(0, count - 1) for step in range(-context, context + 1)]
