"""Masks from DICOM RT structure sets: the closed planar contours of one region of interest.

Contours of one plane are combined by exclusive or (even-odd rule), so that an inner contour cuts a hole and the outer
and inner rim of a keyhole are one contour (PS3.3 C.8.8.6.3). A voxel belongs to the region if its centre does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from imaging.data.formats.header import Header, named, read_header
from imaging.data.formats.planes import stacked
from imaging.data.grid import Booleans, Doubles, Grid, Volume
from imaging.data.resample import resampled

_CLASS = "1.2.840.10008.5.1.4.1.1.481.3"
_CLOSED = {"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"}
_FLAT_MM = 0.2
"""How far points of one contour may lie from its plane."""
_FARTHEST_MM = 1e5
_EDGES_AT_ONCE = 4096
_PLAIN = re.compile(r"[A-Za-z0-9 _.+-]{1,64}")


def is_structure_set(header: Header) -> bool:
    """Whether a file holds structures."""
    return header.text("SOPClassUID") == _CLASS


def read_structure(path: Path, name: str | None, grid: Grid, frame_of_reference: str = "") -> Volume:
    """Fill the contours of a region on the grid of an image.

    The contours may have been drawn on other slices than those of the grid, on those of CT for instance: each then
    fills the space up to half way to the next.

    Parameters
    ----------
    name
        Of the region; may be None if there is only one.
    grid
        Its slices have to be parallel to the contours.
    frame_of_reference
        UID of the space of the grid; a note tells if the contours are of another one.

    Raises
    ------
    InputError
        If there is no such region, or its contours are no closed curves in planes parallel to the slices.
    """
    header = read_header(path)
    if not is_structure_set(header):
        raise header.wrong("SOPClassUID", "is no RT structure set")
    number, space = _region(header, name)
    contours = list(_contours(header, number))
    if not contours:
        raise header.wrong("ContourSequence", "has no closed contour of that region")
    notes = []
    if frame_of_reference and space and space != frame_of_reference:
        notes.append("the contours are of another frame of reference than PET")
    at = [grid.indices(points) for points in contours]
    between = grid.spacing_mm[0]
    for each in at:
        if np.ptp(each[:, 0]) * between > _FLAT_MM:
            raise header.wrong("ContourData", "is not in a plane parallel to the slices of PET")
    stack = stacked([float(each[:, 0].mean()) * between for each in at], between, header.origin, named("ContourData"))
    own = Grid(
        (stack.count, *grid.shape[1:]),
        grid.points(np.array([stack.first_mm / between, 0.0, 0.0])),
        np.concatenate([grid.steps_mm[:1] * stack.step_mm / between, grid.steps_mm[1:]]),
    )
    empty = stack.count - len(set(stack.numbers.tolist()))
    if empty:
        notes.append(f"{empty} of {stack.count} planes between the contours have none")
    slices = np.zeros(own.shape, np.bool_)
    for place, each in zip(stack.numbers, at, strict=True):
        slices[place] ^= filled(each[:, 1:], own.shape[1:])
    return resampled(Volume(slices, own, tuple(notes)), grid, order="nearest", outside=0)


def filled(polygon: Doubles, shape: tuple[int, int]) -> Booleans:
    """The pixels whose centre lies within a polygon, by the even-odd rule.

    Parameters
    ----------
    polygon
        Of shape (points, 2): rows and columns, with fractions; the last point is joined to the first.
    """
    rows, columns = shape
    # the parity of edges to the left of a pixel tells whether it is inside: count where the row meets each edge
    met = np.zeros((rows, columns + 1), np.int64)
    closed = np.concatenate([polygon, polygon[:1]])
    for begin in range(0, len(polygon), _EDGES_AT_ONCE):
        part = closed[begin : begin + _EDGES_AT_ONCE + 1]
        _count(met, part[:-1], part[1:])
    return np.asarray(met.cumsum(axis=1)[:, :columns] % 2 == 1)


def _count(met: npt.NDArray[np.int64], begin: Doubles, end: Doubles) -> None:
    rows, columns = met.shape[0], met.shape[1] - 1
    low, high = np.minimum(begin[:, 0], end[:, 0]), np.maximum(begin[:, 0], end[:, 0])
    # half open, so that a vertex on a row counts once
    first, last = (np.ceil(each).clip(0, rows).astype(np.int64) for each in (low, high))
    lengths = last - first
    edge = np.repeat(np.arange(len(begin)), lengths)
    row = np.arange(len(edge)) - np.repeat(lengths.cumsum() - lengths, lengths) + first[edge]
    share = (row - begin[edge, 0]) / (end[edge, 0] - begin[edge, 0])
    across = begin[edge, 1] + share * (end[edge, 1] - begin[edge, 1])
    np.add.at(met, (row, np.ceil(across).clip(0, columns).astype(np.int64)), 1)


def _region(header: Header, name: str | None) -> tuple[float, str]:
    """Number of the region, and UID of its space."""
    found = [
        (each.text("ROIName") or "", each.number("ROINumber"), each.text("ReferencedFrameOfReferenceUID") or "")
        for each in header.items("StructureSetROISequence")
    ]
    chosen = [each for each in found if name is None or each[0] == name]
    if len(chosen) != 1 or chosen[0][1] is None:
        cause = "names no region" if not chosen else f"names {len(chosen)} regions: one has to be chosen"
        raise header.wrong("ROIName", cause if name is None else f"{cause} as asked for", there_are(found))
    return chosen[0][1], chosen[0][2]


def there_are(found: Sequence[tuple[str, float | None, str]]) -> str:
    """A hint with names to choose from; one with signs that names of persons have in DICOM is left out."""
    plain = sorted({name for name, *_ in found if _PLAIN.fullmatch(name)})
    return f"there are: {', '.join(plain[:20])}" if plain else "there are none with a plain name"


def _contours(header: Header, number: float) -> Iterator[Doubles]:
    """Of shape (points, 3), in mm."""
    for region in header.items("ROIContourSequence"):
        if region.number("ReferencedROINumber") != number:
            continue
        for contour in region.items("ContourSequence"):
            if contour.text("ContourGeometricType") not in _CLOSED:
                continue
            numbers = contour.numbers("ContourData") or ()
            if len(numbers) % 3 or len(numbers) < 9:
                raise contour.wrong("ContourData", f"has {len(numbers)} numbers, not three for each of three points")
            if max(map(abs, numbers)) > _FARTHEST_MM:
                raise contour.wrong("ContourData", f"lies more than {_FARTHEST_MM:g} mm away")
            yield np.array(numbers).reshape(-1, 3)
