"""A synthetic patient: anatomy that shapes both CT and PET, physiological uptake, irregular lesions, and a scanner.

Organs are ellipsoids bent by smooth noise. Uptake of brain, heart, kidneys, bowel and bladder exceeds that of many
lesions, so that no threshold separates them: what tells a lesion is where it lies and what CT shows there.
Ranges of uptake follow the normal ones of FDG (Shreve, Anzai and Wahl 1999, RadioGraphics 19:61).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Booleans = npt.NDArray[np.bool_]
Doubles = npt.NDArray[np.floating[Any]]

FIELD_MM = 500.0
"""Width of the field of view."""
SLICE_MM = 5.0
_TOP_MM = 840.0
_FWHM_MM = 6.5
"""Of the point-spread function of the PET scanner."""
_COUNTS_PER_ML = 900.0
"""Counts that 1 g/ml of uptake gives in 1 ml."""
_ATTEMPTS = 50
_FAINTEST, _CONTRAST = 2.0, 2.0
"""Least uptake of a lesion, in g/ml, and relative to the tissue it lies in."""
_LESION_HU = (72.0, 6.0)
"""Mean and deviation over lesions on CT with contrast medium; deviation of the noise of one voxel is twice as much."""
_GAS_HU, _CONTRAST_MEDIUM_HU = (-350.0, -80.0), (130.0, 260.0)
"""What bowel is filled with."""


@dataclass(frozen=True, slots=True)
class Organ:
    """An ellipsoid of the body.

    Attributes
    ----------
    centre, radii
        In mm, as (right to left, front to back, bottom to top).
    hounsfield
        On CT, in HU.
    uptake
        Lowest and highest of the patients, in g/ml.
    core
        Share of the uptake within the inner two thirds: below 1 for an organ whose rim takes up more.
    bears_lesions
        Whether a lesion may lie in it.
    """

    name: str
    centre: tuple[float, float, float]
    radii: tuple[float, float, float]
    hounsfield: float
    uptake: tuple[float, float]
    core: float = 1.0
    bears_lesions: bool = True


ORGANS = (
    # painted in this order: what lies within the abdomen lies in its fat
    Organ("abdominal fat", (0, -15, 270), (128, 82, 230), -90, (0.3, 0.6)),
    Organ("right lung", (-80, -5, 520), (62, 80, 125), -780, (0.3, 0.6)),
    Organ("left lung", (80, -5, 520), (60, 78, 125), -780, (0.3, 0.6)),
    Organ("mediastinum", (0, 10, 520), (30, 60, 130), 40, (1.2, 1.9)),
    Organ("heart", (28, -35, 470), (50, 45, 52), 45, (1.5, 11.0), core=0.3, bears_lesions=False),
    Organ("liver", (-70, -10, 370), (92, 85, 68), 60, (1.7, 3.0)),
    Organ("spleen", (105, 30, 380), (32, 40, 48), 50, (1.5, 2.4)),
    Organ("stomach", (60, -45, 370), (45, 35, 45), 30, (1.0, 3.5)),
    Organ("right kidney", (-62, 50, 305), (30, 27, 52), 35, (3.0, 12.0), core=1.5, bears_lesions=False),
    Organ("left kidney", (62, 50, 312), (30, 27, 52), 35, (3.0, 12.0), core=1.5, bears_lesions=False),
    Organ("spine", (0, 75, 330), (21, 21, 420), 260, (1.0, 2.0)),
    Organ("right hip", (-95, 25, 70), (38, 35, 60), 320, (0.8, 1.5)),
    Organ("left hip", (95, 25, 70), (38, 35, 60), 320, (0.8, 1.5)),
    Organ("bladder", (0, -35, 65), (42, 36, 38), 8, (6.0, 30.0), bears_lesions=False),
    Organ("skull", (0, 16, 795), (72, 78, 72), 850, (0.5, 1.0), bears_lesions=False),
    Organ("brain", (0, 16, 795), (64, 70, 64), 35, (5.0, 13.0), core=0.6, bears_lesions=False),
)
_BOWEL = Organ("bowel", (0, -40, 210), (24, 20, 26), 20, (0.8, 6.0))
_BOWEL_LOOPS = 9

# half width and half depth of the body, in mm, along its height
_HEIGHTS = (-40, 60, 200, 400, 620, 680, 710, 790, 870)
_WIDTHS = (185, 180, 160, 168, 180, 120, 62, 80, 62)
_DEPTHS = (125, 122, 112, 122, 118, 88, 66, 98, 72)
_FAT_MM = 16.0


@dataclass(frozen=True, slots=True, eq=False)
class Phantom:
    """A slab of a synthetic patient; arrays have the shape (slices, rows, columns).

    Attributes
    ----------
    pet
        Uptake as scanned, in g/ml (SUV by body weight).
    ct
        In HU.
    mask
        True within lesions.
    spacing_mm
        Between slices, rows and columns.
    lesions
        How many.
    volume_ml
        Of all lesions within the slab.
    uptake
        Mean of the lesions before the scanner blurs it, in g/ml.
    """

    pet: Floats
    ct: Floats
    mask: Booleans
    spacing_mm: tuple[float, float, float]
    lesions: int
    volume_ml: float
    uptake: float


def phantom(random: np.random.Generator, size: int, slices: int) -> Phantom:
    """Make a slab at a random height of a random patient.

    Parameters
    ----------
    size
        Rows and columns.

    Raises
    ------
    ValueError
        If voxels are so large that no lesion fills four of them.
    """
    spacing = (SLICE_MM, FIELD_MM / size, FIELD_MM / size)
    for _ in range(_ATTEMPTS):
        # a slab that is all brain has no place for a lesion: another height is drawn
        grid = _Grid.at(random.uniform(0.0, _TOP_MM - slices * SLICE_MM), size, slices)
        uptake, hounsfield, allowed = _anatomy(random, grid)
        lesions = _lesions(random, grid, allowed, uptake)
        if lesions:
            break
    else:
        raise ValueError(f"no slab of {slices} slices of {size} x {size} has a place for a lesion")
    mask = np.zeros(grid.shape, dtype=np.bool_)
    for where, values in lesions:
        uptake[where] = values[where]
        hounsfield[where] = random.normal(*_LESION_HU)
        mask |= where
    millilitres = float(np.prod(spacing)) / 1000.0
    return Phantom(
        pet=_positron_scan(random, uptake, spacing),
        ct=_x_ray_scan(random, hounsfield),
        mask=mask,
        spacing_mm=spacing,
        lesions=len(lesions),
        volume_ml=float(mask.sum()) * millilitres,
        uptake=float(uptake[mask].mean()),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """Places of voxels in mm, broadcast against each other."""

    across: Doubles
    deep: Doubles
    high: Doubles

    @classmethod
    def at(cls, bottom: float, size: int, slices: int) -> _Grid:
        line = (np.arange(size) + 0.5) * FIELD_MM / size - FIELD_MM / 2
        return cls(line[None, None, :], line[None, :, None], bottom + np.arange(slices)[:, None, None] * SLICE_MM)

    @property
    def shape(self) -> tuple[int, int, int]:
        return len(self.high), self.deep.shape[1], self.across.shape[2]

    def distance(self, centre: Sequence[float], radii: Sequence[float]) -> Doubles:
        """From the centre of an ellipsoid, 1 on its surface."""
        axes = zip((self.across, self.deep, self.high), centre, radii, strict=True)
        squares: Any = sum(((place - middle) / radius) ** 2 for place, middle, radius in axes)
        return np.asarray(np.sqrt(squares))

    def noise(self, random: np.random.Generator, length_mm: float) -> Doubles:
        """Smooth noise of mean 0 and deviation 1 over the slab, that changes over `length_mm`."""
        from scipy.ndimage import gaussian_filter

        sigma = (length_mm / SLICE_MM, *[length_mm * self.shape[1] / FIELD_MM] * 2)
        # drawn on a margin, so that the few slices are a cut through it rather than its reflection
        margin = int(2 * sigma[0]) + 1
        field = gaussian_filter(random.normal(size=(self.shape[0] + 2 * margin, *self.shape[1:])), sigma)
        field = field[margin:-margin]
        return np.asarray((field - field.mean()) / field.std())


def _anatomy(random: np.random.Generator, grid: _Grid) -> tuple[Floats, Floats, Booleans]:
    """Uptake, HU, and where lesions may begin."""
    stature = random.uniform(0.88, 1.12)
    warp = grid.noise(random, 40.0)
    width = stature * np.interp(grid.high, _HEIGHTS, _WIDTHS)
    depth = stature * np.interp(grid.high, _HEIGHTS, _DEPTHS)
    skin = np.sqrt((grid.across / width) ** 2 + (grid.deep / depth) ** 2) + 0.02 * warp
    fat = random.uniform(0.5, 2.0) * _FAT_MM
    body, inside = skin < 1.0, skin < 1.0 - fat / np.minimum(width, depth)
    uptake = np.where(inside, random.uniform(0.5, 0.9), np.where(body, 0.25, 0.0)).astype(np.float32)
    hounsfield = np.where(inside, 50.0, np.where(body, -100.0, -1000.0)).astype(np.float32)
    allowed = inside.copy()
    for organ in (*ORGANS, *_bowel(random)):
        centre = [stature * place + random.normal(0.0, 4.0) for place in organ.centre[:2]]
        radii = [stature * radius * random.uniform(0.9, 1.1) for radius in organ.radii[:2]]
        distance = grid.distance((*centre, organ.centre[2]), (*radii, organ.radii[2])) + 0.06 * warp
        where = (distance < 1.0) & body
        level = random.uniform(*organ.uptake)
        uptake[where] = np.where(distance < 0.66, level * organ.core, level)[where]
        hounsfield[where] = organ.hounsfield
        allowed[where] = organ.bears_lesions
    return uptake * (1.0 + 0.1 * grid.noise(random, 12.0)).clip(0.5, 1.5).astype(np.float32), hounsfield, allowed


def _bowel(random: np.random.Generator) -> list[Organ]:
    return [
        Organ(
            _BOWEL.name,
            (random.uniform(-85, 85), random.uniform(-75, 15), random.uniform(130, 290)),
            tuple(radius * random.uniform(0.6, 1.6) for radius in _BOWEL.radii),  # type: ignore[arg-type]
            random.uniform(*(_GAS_HU if random.random() < 0.5 else _CONTRAST_MEDIUM_HU)),
            _BOWEL.uptake,
            core=random.uniform(0.5, 1.0),
        )
        for _ in range(_BOWEL_LOOPS)
    ]


def _lesions(
    random: np.random.Generator, grid: _Grid, allowed: Booleans, uptake: Floats
) -> list[tuple[Booleans, Floats]]:
    """Where each lesion is and what it takes up; each has four voxels or more."""
    places = np.argwhere(allowed)
    wanted = int(random.choice([1, 2, 3, 4], p=[0.4, 0.3, 0.2, 0.1]))
    found: list[tuple[Booleans, Floats]] = []
    for _ in range(_ATTEMPTS if len(places) else 0):
        row = places[random.integers(len(places))]
        centre = (grid.across[0, 0, row[2]], grid.deep[0, row[1], 0], grid.high[row[0], 0, 0])
        radius = float(np.clip(random.lognormal(np.log(18.0), 0.4), 10.0, 45.0))
        distance = grid.distance(centre, (radius * random.uniform(0.7, 1.3, 3)).tolist()) + 0.2 * grid.noise(
            random, 14.0
        )
        where = (distance < 1.0) & allowed
        for other, _values in found:
            where &= ~other
        if where.sum() < 4:
            continue
        level = float(np.clip(random.lognormal(np.log(4.0), 0.5), _FAINTEST, 16.0))
        # what takes up as much as its surroundings nobody outlines
        level = max(level, _CONTRAST * float(uptake[where].mean()))
        values = level * (1.0 + 0.25 * grid.noise(random, 10.0)).clip(0.4, 1.6)
        if radius > 20.0 and random.random() < 0.6:
            values = np.where(distance < 0.45, 0.3 * values, values)  # a necrotic core
        found.append((where, values.astype(np.float32)))
        if len(found) == wanted:
            break
    return found


def _positron_scan(random: np.random.Generator, uptake: Floats, spacing: tuple[float, float, float]) -> Floats:
    """Blur by the point spread, count, and smooth a little as the reconstruction does."""
    from scipy.ndimage import gaussian_filter

    sigma = [_FWHM_MM / 2.355 / each for each in spacing]
    counts_per_suv = _COUNTS_PER_ML * float(np.prod(spacing)) / 1000.0
    counts = random.poisson(gaussian_filter(uptake, sigma, mode="nearest").clip(0.0) * counts_per_suv)
    smooth = gaussian_filter(counts.astype(np.float32), [0.6 * each for each in sigma], mode="nearest")
    return np.asarray(smooth / counts_per_suv, dtype=np.float32)


def _x_ray_scan(random: np.random.Generator, hounsfield: Floats) -> Floats:
    from scipy.ndimage import gaussian_filter

    blurred = gaussian_filter(hounsfield, (0.0, 0.5, 0.5), mode="nearest")
    return np.asarray(blurred + random.normal(0.0, 14.0, blurred.shape), dtype=np.float32).clip(-1024.0, 3071.0)
