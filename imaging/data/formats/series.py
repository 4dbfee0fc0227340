"""DICOM series of single-frame PET or CT images: one volume in g/ml (SUV) or HU, with the axes of `imaging.data.grid`.

Slices are put in order by where they lie, never by name or number. A slice that is missing, there twice, tilted or of
another grid is an error, for a volume with a hole looks like any other.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from imaging.data.formats.header import Header, files_of, named, read_header, safely
from imaging.data.formats.suv import Uptake, suv_factor, uptake_of
from imaging.data.grid import Array, Doubles, Grid, Turn, Volume, checked
from meddojo.errors import InputError

Modality = Literal["PT", "CT"]

_CLASSES = {"1.2.840.10008.5.1.4.1.1.128": "PT", "1.2.840.10008.5.1.4.1.1.2": "CT"}
_MULTI_FRAME = {
    "1.2.840.10008.5.1.4.1.1.130": "an enhanced PET image",
    "1.2.840.10008.5.1.4.1.1.128.1": "a legacy converted enhanced PET image",
    "1.2.840.10008.5.1.4.1.1.2.1": "an enhanced CT image",
    "1.2.840.10008.5.1.4.1.1.2.2": "a legacy converted enhanced CT image",
}
_LONGEST_SIDE = 4096
_UNEVEN = 0.05
"""Share of a spacing by which one may differ from the others; positions are often rounded to a tenth of a mm."""
_SIDEWAYS = 0.1
"""Share of a pixel by which slices may be shifted against each other."""
_LOWEST_HU = -1024.0
"""What lies outside of the field of view is often padded with less."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One file of a series; lengths in mm.

    Attributes
    ----------
    rescale
        Slope and intercept.
    uptake
        Of PET.
    """

    path: Path
    modality: str
    sop_class: str
    instance: str
    study: str
    series: str
    frame_of_reference: str
    shape: tuple[int, int]
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    pixel_spacing: tuple[float, ...]
    thickness: float | None
    rescale: tuple[float, float]
    count: int | None
    uptake: Uptake | None


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Files of one series in the order of where they lie, checked, their pixels not yet read.

    Attributes
    ----------
    slices
        Along the normal of the images (PS3.3 C.7.6.2.1.1).
    stored
        Grid of the slices as they are stored.
    turn
        From there to the convention.
    """

    origin: str
    modality: Modality
    slices: tuple[Slice, ...]
    stored: Grid
    turn: Turn

    @property
    def grid(self) -> Grid:
        """Grid of the convention."""
        return self.turn.grid(self.stored)

    @property
    def frame_of_reference(self) -> str:
        """UID of the space that coordinates are of."""
        return self.slices[0].frame_of_reference


def read_series(path: Path, modality: Modality, advance: Callable[[str], None] = lambda _: None) -> Series:
    """Read the headers of a series; files of other modalities in the folder are left aside.

    Raises
    ------
    InputError
        If a file is no DICOM image or damaged, there is not exactly one series, or its slices make no volume.
    """
    slices: list[Slice] = []
    others: Counter[str] = Counter()
    for each in files_of(path):
        header = read_header(each)
        kind = _CLASSES.get(header.text("SOPClassUID") or "")
        if kind == modality:
            slices.append(_slice(header, each, modality))
        elif (name := _MULTI_FRAME.get(header.text("SOPClassUID") or "")) is not None:
            raise InputError(str(each), "", f"is {name} with many frames", "export it as single-frame images")
        else:
            others[kind or "no image of PET or CT"] += 1
        advance(each.name)
    if not slices:
        found = ", ".join(f"{count} of {kind}" for kind, count in sorted(others.items()))
        raise InputError(str(path), "", f"holds no {modality} images (files: {found})")
    return arranged(str(path), modality, slices)


def arranged(origin: str, modality: Modality, slices: Sequence[Slice]) -> Series:
    """Put slices in order and check that they make a volume.

    Raises
    ------
    InputError
        If they are of several series, are not parallel and evenly spaced, or one is missing or there twice.
    """
    counts = Counter(each.series for each in slices)
    if len(counts) > 1:
        sizes = " and ".join(str(count) for count in sorted(counts.values(), reverse=True))
        raise InputError(origin, named("SeriesInstanceUID"), f"differs: {len(counts)} series of {sizes} files", _ALONE)
    first = slices[0]
    for each in slices:
        _same(first, each)
    across, down = (np.array(first.orientation[place : place + 3]) for place in (0, 3))
    normal = np.cross(across, down)
    ordered = sorted(slices, key=lambda each: float(normal @ each.position))
    step = _step(ordered, normal)
    between_rows, between_columns = first.pixel_spacing
    grid = Grid(
        (len(ordered), *first.shape),
        np.array(ordered[0].position),
        np.stack([step, down * between_rows, across * between_columns]),
    )
    checked(grid, origin)
    _all_there(ordered)
    return Series(origin, modality, tuple(ordered), grid, Turn.of(grid))


_ALONE = "put each series into a folder of its own"


def read_volume(series: Series, advance: Callable[[str], None] = lambda _: None) -> Volume:
    """Read the pixels.

    Returns
    -------
    Volume
        32-bit numbers in the convention: SUV by body weight in g/ml of PET, HU of CT.

    Raises
    ------
    InputError
        If pixels are damaged, or a header does not tell what they mean.
    """
    values = np.empty(series.stored.shape, np.float32)
    factors = _factors(series)
    for number, (each, factor) in enumerate(zip(series.slices, factors, strict=True)):
        slope, intercept = each.rescale
        with np.errstate(over="ignore", invalid="ignore"):
            values[number] = (_pixels(each) * slope + intercept) * factor
        advance(each.path.name)
    if not np.isfinite(values).all():
        raise InputError(series.origin, "PixelData (7FE0,0010)", "values are too large")
    if series.modality == "CT":
        np.maximum(values, _LOWEST_HU, out=values)
    return Volume(np.ascontiguousarray(series.turn.apply(values)), series.grid)


def _slice(header: Header, path: Path, modality: Modality) -> Slice:
    for keyword in ("SamplesPerPixel", "NumberOfFrames"):
        if header.number(keyword) not in (None, 1.0):
            raise header.wrong(keyword, "is not 1: only single-frame grey images are read")
    if modality == "CT" and "LOCALIZER" in header.words("ImageType"):
        raise header.wrong("ImageType", "is LOCALIZER: it is no slice of the volume", _ALONE)
    if modality == "PT" and {"DYNAMIC", "GATED"} & set(header.words("SeriesType")):
        raise header.wrong("SeriesType", "is dynamic or gated: there is more than one volume", "export one of them")
    if modality == "CT" and header.text("RescaleType") not in (None, "HU"):
        raise header.wrong("RescaleType", "is not HU")
    count = header.number("NumberOfSlices")
    return Slice(
        path=path,
        modality=modality,
        sop_class=header.text("SOPClassUID") or "",
        instance=header.needed("SOPInstanceUID", header.text("SOPInstanceUID")),
        study=header.needed("StudyInstanceUID", header.text("StudyInstanceUID")),
        series=header.needed("SeriesInstanceUID", header.text("SeriesInstanceUID")),
        frame_of_reference=header.text("FrameOfReferenceUID") or "",
        shape=(_side(header, "Rows"), _side(header, "Columns")),
        position=header.needed("ImagePositionPatient", header.numbers("ImagePositionPatient", 3)),
        orientation=header.orientation(),
        pixel_spacing=header.needed("PixelSpacing", header.numbers("PixelSpacing", 2)),
        thickness=header.number("SpacingBetweenSlices") or header.number("SliceThickness"),
        rescale=(
            header.needed("RescaleSlope", header.number("RescaleSlope")),
            header.needed("RescaleIntercept", header.number("RescaleIntercept")),
        ),
        count=None if count is None else int(count),
        uptake=uptake_of(header) if modality == "PT" else None,
    )


def _side(header: Header, keyword: str) -> int:
    length = header.needed(keyword, header.number(keyword))
    if not 1 <= length <= _LONGEST_SIDE:
        raise header.wrong(keyword, f"is {length:g}, not from 1 to {_LONGEST_SIDE}")
    return int(length)


def _same(first: Slice, other: Slice) -> None:
    for field, keyword, tolerance in (
        ("shape", "Rows", 0.0),
        ("pixel_spacing", "PixelSpacing", 1e-3),
        ("orientation", "ImageOrientationPatient", 1e-3),
    ):
        difference = np.abs(np.subtract(getattr(first, field), getattr(other, field))).max()
        if difference > tolerance:
            raise InputError(str(other.path), named(keyword), f"is another one than that of {first.path.name}", _ALONE)
    if first.frame_of_reference != other.frame_of_reference:
        raise InputError(
            str(other.path), named("FrameOfReferenceUID"), f"is another one than that of {first.path.name}"
        )
    if first.uptake and other.uptake and _constant(first.uptake) != _constant(other.uptake):
        raise InputError(
            str(other.path), named("Units"), f"or what turns it into SUV is another one than that of {first.path.name}"
        )


def _constant(uptake: Uptake) -> Uptake:
    return replace(uptake, acquired_at=None, reference_s=None, duration_s=None, philips_suv=None, philips_activity=None)


def _step(ordered: Sequence[Slice], normal: Doubles) -> Doubles:
    """From one slice to the next, in mm."""
    if len(ordered) == 1:
        thickness = ordered[0].thickness
        if not thickness:
            raise InputError(str(ordered[0].path), named("SliceThickness"), "is missing, and there is no other slice")
        return np.asarray(normal * thickness)
    along = [float(normal @ each.position) for each in ordered]
    gaps = np.diff(along)
    usual = statistics.median(gaps.tolist())
    for before, after, gap in zip(ordered, ordered[1:], gaps, strict=False):
        if gap < 0.01 or gap < _UNEVEN * usual:
            cause = f"lies where {before.path.name} lies: a slice is there twice, or two volumes are in one series"
            raise InputError(str(after.path), named("ImagePositionPatient"), cause)
        if abs(gap - usual) > _UNEVEN * usual:
            missing = f" ({round(gap / usual) - 1} missing)" if gap > 1.5 * usual else ""
            cause = f"is {gap:g} mm after {before.path.name}, where {usual:g} mm is usual{missing}"
            raise InputError(str(after.path), named("ImagePositionPatient"), cause)
    step = np.subtract(ordered[-1].position, ordered[0].position) / (len(ordered) - 1)
    straight = np.subtract([each.position for each in ordered], ordered[0].position)
    bent = np.linalg.norm(straight - np.arange(len(ordered))[:, None] * step - _along(straight, step, normal), axis=1)
    worst = int(bent.argmax())
    if bent[worst] > _SIDEWAYS * min(ordered[0].pixel_spacing):
        cause = f"is {bent[worst]:.2g} mm beside the line of the others"
        raise InputError(str(ordered[worst].path), named("ImagePositionPatient"), cause)
    return np.asarray(step)


def _along(straight: Doubles, step: Doubles, normal: Doubles) -> Doubles:
    """The part of the deviation from the line that is along the normal, which uneven gaps make."""
    deviation = straight - np.arange(len(straight))[:, None] * step
    return np.asarray((deviation @ normal)[:, None] * normal)


def _all_there(ordered: Sequence[Slice]) -> None:
    """A slice that is missing at an end leaves no gap; only PET headers tell how many there should be."""
    told = ordered[0].count
    if told is not None and told != len(ordered):
        cause = f"is {told}, but {len(ordered)} slices are here"
        raise InputError(str(ordered[0].path), named("NumberOfSlices"), cause, "fetch the whole series again")


def _factors(series: Series) -> list[float]:
    """From rescaled values to g/ml, for each slice."""
    uptakes = [(each, each.uptake) for each in series.slices if each.uptake is not None]
    if not uptakes:
        return [1.0] * len(series.slices)
    times = [uptake.acquired_at for _, uptake in uptakes if uptake.acquired_at is not None]
    first = min(times) if times else None
    return [suv_factor(uptake, str(each.path), first) for each, uptake in uptakes]


def _pixels(each: Slice) -> Array:
    header = read_header(each.path, pixels=True)

    def decoded() -> Any:
        from pydicom.pixels.utils import pixel_array

        return pixel_array(header.dataset)

    found: Array = safely(decoded, str(each.path), "PixelData (7FE0,0010)")
    if found.shape != each.shape:
        raise InputError(str(each.path), "PixelData (7FE0,0010)", f"has the shape {found.shape}, not {each.shape}")
    return found.astype(np.float64)
