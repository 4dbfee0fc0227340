"""What training changes in a window at random: how a patient lies, how much is taken up, what of a lesion is dead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from imaging.data.cases import Booleans, Floats
from imaging.data.preprocess import CT, PET, RELATIVE_PET


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
    """

    rotation_degrees: float
    size: float
    stretch: float = 0.0
    power: float = 0.0
    uptake: float = 0.0
    brightness: float = 0.0
    necrosis: float = 0.0


CHANGES: Mapping[str, Changes] = MappingProxyType(
    {
        "strong": Changes(
            rotation_degrees=180.0, size=0.3, stretch=0.1, power=0.15, uptake=0.25, brightness=0.25, necrosis=0.25
        ),
        # where scanners, doses and the weights that were entered differ, too, and lesions unlike any seen are to come
        "stronger": Changes(
            rotation_degrees=180.0, size=0.3, stretch=0.1, power=0.2, uptake=1.2, brightness=0.5, necrosis=0.7
        ),
        # where the body lies one way up, and the level of uptake tells an organ
        "mild": Changes(rotation_degrees=5.0, size=0.05, uptake=0.1, brightness=0.1),
    }
)
"""Those a configuration can name."""
STRONG = CHANGES["strong"]
_FEW_SLICES = 7
"""At most the neighbours of one slice, not a volume."""


def changed(random: np.random.Generator, window: Floats, lesion: Booleans, changes: Changes, lacking: float) -> Floats:
    """Change the intensities of a window at random.

    Parameters
    ----------
    window
        `slices_of` a window, of shape (slices, rows, columns, channels).
    lesion
        Shape (slices, rows, columns).
    lacking
        Probability that CT is taken away.
    """
    if random.random() < changes.necrosis:
        window = necrotic(random, window, lesion)
    return recoloured(random, window, changes, lacking)


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


def recoloured(random: np.random.Generator, image: Floats, changes: Changes = STRONG, lacking: float = 0.0) -> Floats:
    """Change intensities at random: PET brighter, darker or steeper; CT a little, or missing.

    Parameters
    ----------
    image
        Shape (..., channels).

    Returns
    -------
    numpy.ndarray
        The same shape, from 0 to 1.
    """
    image = image.copy()
    for channel in range(image.shape[-1]):
        if channel == CT:
            # a factor, for zeros are what a scan without CT has
            factor = 0.0 if random.random() < lacking else random.uniform(0.9, 1.1)
            image[..., channel] = (factor * image[..., channel]).clip(0.0, 1.0)
        else:
            strength = changes.uptake if channel == PET else changes.brightness
            power, factor = (np.exp(random.uniform(-largest, largest)) for largest in (changes.power, strength))
            image[..., channel] = (factor * image[..., channel] ** power).clip(0.0, 1.0)
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
