"""PNG and JPEG pictures: one as a case of a single slice, or a folder of slices in the order of their names.

A picture holds grey values and nothing else: neither spacing nor orientation nor a unit. The spacing has to be given;
the picture is taken to look as radiologists look at a patient (the patient's left on the right, front at the top), the
first name of a folder to be nearest to the feet; black and white are mapped to the two values given, linearly in
between. Such values are no measurement: a display window has cut them, and eight bits are 256 steps.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from imaging.data.formats.header import files_of, safely
from imaging.data.grid import MAX_VOXELS, Array, Volume, axis_aligned, checked
from meddojo.errors import InputError

SUFFIXES = (".png", ".jpg", ".jpeg")
_FORMATS = ("PNG", "JPEG")
_LONGEST_SIDE = 4096
_GREY = 8
"""By how much the channels of a grey picture may differ, of 255, after JPEG."""


def is_picture(path: Path) -> bool:
    """Whether a file is named like one, or the first file of a folder is."""
    if path.is_dir():
        return any(is_picture(each) for each in files_of(path)[:1])
    return path.suffix.lower() in SUFFIXES


def read_pictures(path: Path, spacing_mm: tuple[float, float, float], black: float, white: float) -> Volume:
    """Read a picture, or a folder of them.

    Parameters
    ----------
    spacing_mm
        Between slices, rows and columns.
    black, white
        What the darkest and the brightest possible grey value become.

    Raises
    ------
    InputError
        If a file is no such picture, damaged, too large, in colour, or of another size than the first.
    """
    paths = sorted(files_of(path), key=_natural)
    slices: list[Array] = []
    for each in paths:
        if not is_picture(each):
            raise InputError(str(each), "", "is neither PNG nor JPEG", "keep only the slices in the folder")
        slices.append(safely(lambda each=each: _grey(each), str(each), ""))  # type: ignore[misc]
        if slices[0].shape != slices[-1].shape:
            raise InputError(str(each), "size", f"is {slices[-1].shape}, that of {paths[0].name} {slices[0].shape}")
        if len(slices) * slices[0].size > MAX_VOXELS:
            raise InputError(str(path), "size", f"the pictures have more than {MAX_VOXELS} pixels together")
    rows, columns = slices[0].shape
    grid = checked(axis_aligned((len(slices), rows, columns), spacing_mm), str(path))
    values = (black + (white - black) * np.stack(slices)).astype(np.float32)
    return Volume(values, grid, ("grey values of pictures are no measurement",))


def _grey(path: Path) -> Array:
    """From 0 to 1, of shape (rows, columns)."""
    from PIL import Image, ImageOps

    origin = str(path)
    with Image.open(path, formats=_FORMATS) as picture:
        # told before anything is unpacked
        if max(picture.size) > _LONGEST_SIDE:
            raise InputError(origin, "size", f"is {picture.size[0]} x {picture.size[1]}, more than {_LONGEST_SIDE}")
        upright: Any = ImageOps.exif_transpose(picture)
    if upright.mode in ("I;16", "I"):
        values, brightest = np.asarray(upright, np.int64), 65_535
    elif upright.mode == "L":
        values, brightest = np.asarray(upright, np.int64), 255
    elif upright.mode in ("1", "LA", "P", "PA", "RGB", "RGBA"):
        values, brightest = _of_colours(np.asarray(upright.convert("RGBA"), np.int64), origin), 255
    else:
        raise InputError(origin, "mode", f"{upright.mode} is not grey")
    if values.min() < 0 or values.max() > brightest:
        raise InputError(origin, "mode", "has more than 16 bits a pixel")
    return values.astype(np.float32) / np.float32(brightest)


def _of_colours(values: Array, origin: str) -> Array:
    if (values[..., 3] != 255).any():
        raise InputError(origin, "mode", "is transparent in places: what would be there?")
    if np.ptp(values[..., :3], axis=-1).max() > _GREY:
        raise InputError(origin, "mode", "is in colour, which tells no intensity", "export it in shades of grey")
    return np.asarray(np.rint(values[..., :3].mean(axis=-1)))


def _natural(path: Path) -> list[tuple[int, str]]:
    """So that slice 10 follows slice 9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", path.name)]
