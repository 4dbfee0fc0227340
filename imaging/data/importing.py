"""From files of any format to one case: PET decides the grid, CT and mask are brought onto it.

A case keeps arrays, spacing, and the name it is given here: no identifier of a patient, no UID, no date.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from imaging.data.cases import Booleans, Case, read_mask
from imaging.data.formats.header import files_of, read_header
from imaging.data.formats.nifti import is_nifti, read_nifti
from imaging.data.formats.pictures import is_picture, read_pictures
from imaging.data.formats.segmentation_object import is_segmentation, read_segmentation
from imaging.data.formats.series import Modality, Series, read_series, read_volume
from imaging.data.formats.structure_set import is_structure_set, read_structure
from imaging.data.grid import Grid, Volume
from imaging.data.integrity import geometry_problems
from imaging.data.preprocess import HU, SUV
from imaging.data.resample import coverage, resampled
from meddojo.errors import InputError

_AIR_HU = -1024.0
_WRITTEN_HU = (-32_768.0, 32_767.0)
"""What the 16 bits of a case hold."""
_HIGHEST_SUV = 1e4
"""In g/ml; nothing in a body reaches a tenth of it."""
_LOST = 0.05
"""Share of the volume of a mask that may be lost on the grid of PET without a word."""


@dataclass(frozen=True, slots=True)
class Image:
    """A volume and the UID of its space, which is empty where the format has none."""

    volume: Volume
    frame_of_reference: str = ""


def import_case(
    name: str,
    pet: Path,
    ct: Path | None = None,
    mask: Path | None = None,
    *,
    patient: str | None = None,
    segment: str | None = None,
    picture_spacing_mm: tuple[float, float, float] | None = None,
    advance: Callable[[str], None] = lambda _: None,
) -> tuple[Case, tuple[str, ...]]:
    """Read a case.

    Parameters
    ----------
    pet, ct
        A folder with a DICOM series, a NIfTI file, or PNG and JPEG pictures. A NIfTI of PET is taken to hold SUV.
    mask
        A DICOM SEG or RTSTRUCT file, a NIfTI file, or pictures. Without it, the mask is empty.
    patient
        The name, if None.
    segment
        Label or number of a segment, name of a region of interest, or value of a voxel of NIfTI (any but 0, if None).
    picture_spacing_mm
        Between slices, rows and columns of pictures, which do not tell it.

    Returns
    -------
    tuple
        The case, and notes: what a person should know or look at.

    Raises
    ------
    InputError
        If a file cannot be read, or the volumes do not lie in the same place.
    """
    spacing = picture_spacing_mm
    base = _image(pet, "PT", spacing, advance)
    grid = base.volume.grid
    _check_uptake(base.volume, pet)
    notes = [f"PET: {each}" for each in base.volume.notes]
    other = None if ct is None else _ct(ct, base, spacing, advance, notes)
    lesions = None if mask is None else _mask(mask, base, segment, spacing)
    notes += ["mask: none was given, it is empty"] if lesions is None else [f"mask: {each}" for each in lesions.notes]
    notes += geometry_problems(grid, None if other is None else other.grid, None if lesions is None else lesions.grid)
    case = Case(
        name=name,
        patient=patient or name,
        pet=base.volume.values,
        ct=None if other is None else resampled(other, grid, order="linear", outside=_AIR_HU).values.clip(*_WRITTEN_HU),
        mask=np.zeros(grid.shape, np.bool_) if lesions is None else _onto(lesions, grid, mask, notes),
        spacing_mm=grid.spacing_mm,
    )
    return case, tuple(notes)


def mask_for(series: Series, path: Path) -> Booleans:
    """Read a mask that was made on a series: ``.npz`` of the format of cases, or NIfTI, which may lie on another grid.

    Raises
    ------
    InputError
        If it cannot be read, does not fit, or lies elsewhere.
    """
    if not is_nifti(path):
        mask = read_mask(path)
        if mask.shape != series.grid.shape:
            raise InputError(str(path), "mask", f"has the shape {mask.shape}, the series {series.grid.shape}")
        return mask
    volume = read_nifti(path)
    return _onto(replace(volume, values=volume.values != 0), series.grid, path, [])


def _image(
    path: Path, modality: Modality, spacing: tuple[float, float, float] | None, advance: Callable[[str], None]
) -> Image:
    if is_nifti(path):
        volume = read_nifti(path)
        unit = "SUV in g/ml" if modality == "PT" else "HU"
        return Image(replace(volume, notes=(*volume.notes, f"NIfTI tells no unit, taken for {unit}")))
    if is_picture(path):
        window = SUV if modality == "PT" else HU
        return Image(read_pictures(path, _told(path, spacing), window.low, window.high))
    series = read_series(path, modality, advance)
    return Image(read_volume(series, advance), series.frame_of_reference)


def _ct(
    path: Path,
    pet: Image,
    spacing: tuple[float, float, float] | None,
    advance: Callable[[str], None],
    notes: list[str],
) -> Volume:
    """On its own grid."""
    found = _image(path, "CT", spacing, advance)
    notes += [f"CT: {each}" for each in found.volume.notes]
    if found.frame_of_reference and pet.frame_of_reference not in ("", found.frame_of_reference):
        notes.append("CT: of another frame of reference than PET")
    if coverage(found.volume.grid, pet.volume.grid) == 0:
        raise InputError(str(path), "geometry", "CT does not overlap PET: of another patient, or moved?")
    return found.volume


def _told(path: Path, spacing: tuple[float, float, float] | None) -> tuple[float, float, float]:
    if spacing is None:
        raise InputError(str(path), "spacing", "pictures do not tell it", "give it: --picture-spacing 4 2.5 2.5")
    return spacing


def _mask(path: Path, pet: Image, segment: str | None, spacing: tuple[float, float, float] | None) -> Volume:
    if is_nifti(path):
        volume = read_nifti(path)
        return replace(volume, values=_labelled(volume, path, segment))
    if is_picture(path):
        volume = read_pictures(path, _told(path, spacing), 0.0, 1.0)
        return replace(volume, values=volume.values > 0.5, notes=())
    only, *more = files_of(path)
    if more:
        raise InputError(str(path), "", f"holds {len(more) + 1} files: name that with the mask")
    header = read_header(only)
    if is_segmentation(header):
        return read_segmentation(only, segment, pet.frame_of_reference)
    if is_structure_set(header):
        return read_structure(only, segment, pet.volume.grid, pet.frame_of_reference)
    raise header.wrong("SOPClassUID", "is neither a segmentation nor an RT structure set")


def _labelled(volume: Volume, path: Path, segment: str | None) -> Booleans:
    if segment is None:
        return np.asarray(volume.values != 0)
    try:
        value = float(segment)
    except ValueError:
        value = float("nan")
    found = np.asarray(volume.values == value)
    if not found.any():
        raise InputError(str(path), "voxels", "none has the value asked for as the segment")
    return found


def _onto(mask: Volume, grid: Grid, path: Path | None, notes: list[str]) -> Booleans:
    lesions: Booleans = resampled(mask, grid, order="nearest", outside=0).values
    before = float(mask.values.sum()) * float(np.prod(mask.grid.spacing_mm)) / 1000.0
    after = float(lesions.sum()) * float(np.prod(grid.spacing_mm)) / 1000.0
    if before > 0 and after == 0:
        raise InputError(str(path), "geometry", f"none of the {before:.3g} ml of the mask is on the grid of PET")
    if abs(after - before) > _LOST * before:
        notes.append(f"mask: {before:.3g} ml became {after:.3g} ml on the grid of PET")
    return lesions


def _check_uptake(volume: Volume, path: Path) -> None:
    highest = float(volume.values.max())
    if highest > _HIGHEST_SUV:
        cause = f"reaches {highest:g}, which is no SUV in g/ml: activity in Bq/ml?"
        raise InputError(str(path), "voxels", cause, "convert it to SUV, or import the DICOM series")
