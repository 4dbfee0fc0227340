"""NIfTI-1 and NIfTI-2 volumes (``.nii``, ``.nii.gz``), brought to the convention of `imaging.data.grid`.

The coordinates of the format grow towards the right, front and head (RAS); the first two are negated. Of a header are
read: shape, type and scaling of the voxels, the two transforms, and the unit of length. Free text and extensions, which
may hold a whole DICOM header, are passed over.
"""

from __future__ import annotations

import gzip
import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from imaging.data.formats.header import safely
from imaging.data.grid import MAX_VOXELS, Array, Doubles, Grid, Turn, Volume, checked, turned
from meddojo.errors import InputError

_MM = {"mm": 1.0, "meter": 1000.0, "micron": 0.001}
_HEADERS = {348: "Nifti1Header", 540: "Nifti2Header"}
"""By their size in bytes."""
_MAX_OFFSET = 64 * 2**20
"""Bytes of extensions that are passed over."""
_AGREE_VOXELS = 0.1


def is_nifti(path: Path) -> bool:
    """Whether a file is named like one."""
    return path.name.lower().endswith((".nii", ".nii.gz"))


def read_nifti(path: Path) -> Volume:
    """Read a volume.

    Where the header holds two transforms (sform and qform), the sform counts; a note tells by how much the other
    differs.

    Returns
    -------
    Volume
        Scaled values as 32-bit numbers.

    Raises
    ------
    InputError
        If the file is damaged, too large or no NIfTI, has more than three dimensions, does not tell where it lies, or
        its two transforms point the axes of the array in different directions.
    """
    origin = str(path)
    return safely(lambda: _read(path, origin), origin, "")


def _read(path: Path, origin: str) -> Volume:
    with _opened(path, origin) as file:
        header = _header(file, origin)
        values = _values(file, header, origin)
    notes: list[str] = []
    scale = _millimetres(header, notes)
    affine = _affine(header, origin, notes)
    grid = _grid(values.shape, affine, scale)
    told = np.array(header.get_zooms()[:3], np.float64)[::-1] * scale
    if np.abs(told / grid.spacing_mm - 1.0).max() > 0.01:
        notes.append(f"pixdim says {_lengths(told)} mm, the transform {_lengths(grid.spacing_mm)} mm, which counts")
    return turned(Volume(values.transpose(2, 1, 0), checked(grid, origin), tuple(notes)))


@contextmanager
def _opened(path: Path, origin: str) -> Iterator[IO[bytes]]:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            unpacked = gzip.GzipFile(fileobj=file) if packed else file
            yield cast("IO[bytes]", unpacked)
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise InputError(origin, "", error.strerror or "cannot be read") from None


def _header(file: IO[bytes], origin: str) -> Any:
    import nibabel

    first = file.read(4)
    sizes = {int.from_bytes(first, order) for order in ("little", "big")} & set(_HEADERS)
    if len(first) < 4 or not sizes:
        raise InputError(origin, "sizeof_hdr", "is no NIfTI file")
    size = sizes.pop()
    header = getattr(nibabel, _HEADERS[size])(first + file.read(size - 4))
    if bytes(header["magic"])[:3] not in (b"n+1", b"n+2"):
        raise InputError(origin, "magic", "is no single-file NIfTI (.nii)", "convert the pair of .hdr and .img")
    return header


def _values(file: IO[bytes], header: Any, origin: str) -> Array:
    shape = tuple(int(each) for each in header.get_data_shape())
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != 3:
        raise InputError(origin, "dim", f"has {len(shape)} dimensions, not three", "split a time series into volumes")
    if min(shape) < 1 or math.prod(shape) > MAX_VOXELS:
        raise InputError(origin, "dim", f"{shape} voxels: 1 to {MAX_VOXELS} in all are read")
    kind = header.get_data_dtype()
    if kind.kind not in "iuf":
        raise InputError(origin, "datatype", "is not one of integers or real numbers")
    at, size = int(header.get_data_offset()), int(header["sizeof_hdr"])
    if not size <= at <= _MAX_OFFSET:
        raise InputError(origin, "vox_offset", f"is {at}, not from {size} to {_MAX_OFFSET}")
    file.read(at - size)
    wanted = math.prod(shape) * kind.itemsize
    content = file.read(wanted)
    if len(content) < wanted:
        raise InputError(origin, f"byte {at + len(content)}", "ends before its last voxel", "fetch or export it again")
    slope, intercept = header.get_slope_inter()
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.frombuffer(content, kind).reshape(shape, order="F").astype(np.float32)
        if slope is not None:
            values = values * np.float32(slope) + np.float32(intercept)
    if not np.isfinite(values).all():
        raise InputError(origin, "voxels", "hold values that are no numbers")
    return values


def _millimetres(header: Any, notes: list[str]) -> float:
    unit = header.get_xyzt_units()[0]
    if unit not in _MM:
        notes.append("the header does not tell its unit of length: taken for mm")
    return _MM.get(unit, 1.0)


def _affine(header: Any, origin: str, notes: list[str]) -> Doubles:
    """From indices (i, j, k) to RAS coordinates, of shape (4, 4)."""
    scanner = header.get_qform() if int(header["qform_code"]) > 0 else None
    other = header.get_sform() if int(header["sform_code"]) > 0 else None
    if scanner is None and other is None:
        raise InputError(
            origin,
            "sform_code, qform_code",
            "both are 0: nothing tells which side is left",
            "write the orientation with the tool that made the file",
        )
    if scanner is not None and other is not None:
        _compare(np.asarray(scanner, np.float64), np.asarray(other, np.float64), header, origin, notes)
    return np.asarray(scanner if other is None else other, np.float64)


def _compare(scanner: Doubles, other: Doubles, header: Any, origin: str, notes: list[str]) -> None:
    shape = (*map(int, header.get_data_shape()[:3]),)
    turns = [Turn.of(_grid(shape, each, 1.0)) for each in (scanner, other)]
    if turns[0] != turns[1]:
        raise InputError(
            origin,
            "sform, qform",
            "the two transforms point the axes of the array in different directions: which side is left?",
            "find out which is right, and write it to both",
        )
    corners = np.array([[*each, 1.0] for each in itertools.product(*((0, each - 1) for each in shape))])
    apart = np.linalg.norm((corners @ (scanner - other).T)[:, :3], axis=1).max()
    smallest = min(float(np.linalg.norm(other[:3, axis])) for axis in range(3))
    if apart > _AGREE_VOXELS * smallest:
        notes.append(f"sform and qform are up to {apart:.3g} apart; the sform counts")


def _grid(shape: tuple[int, ...], affine: Doubles, scale: float) -> Grid:
    """Of the array with its axes in the order (k, j, i)."""
    to_lps = np.array([-scale, -scale, scale])
    columns, rows, slices = shape
    return Grid((slices, rows, columns), affine[:3, 3] * to_lps, affine[:3, 2::-1].T * to_lps)


def _lengths(lengths: Any) -> str:
    return " x ".join(f"{float(each):.4g}" for each in lengths)
