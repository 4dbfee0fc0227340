"""DICOM files read with care: only the attributes of a list, within caps, and never a word of a patient in an error.

Files come from anywhere and hold names, birth dates and free text. Whatever is not on the list `READ` is passed over
while the file is parsed, so that no object of ours can hold it. Messages name the file, the attribute and the cause;
the words of the library that failed, which may quote a value, are not repeated.
"""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Callable, Iterator, MutableSequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from meddojo.errors import InputError

_T = TypeVar("_T")

MAX_FILE_BYTES = 256 * 2**20
MAX_FILES = 5000
MAX_ITEMS = 200_000
"""Of one sequence: frames of a segmentation, contours of a structure."""
_NOT_UNIT = 0.01
_NO_IMAGES = {"DICOMDIR", "Thumbs.db", "desktop.ini"}

PHILIPS = "Philips PET Private Group"
_PHILIPS_BLOCKS = range(0x10, 0x20)
PHILIPS_SUV, PHILIPS_ACTIVITY = 0x00, 0x09

READ = frozenset(
    # the object and what it belongs to
    "SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID Modality ImageType"
    # the grid
    " ImagePositionPatient ImageOrientationPatient PixelSpacing SliceThickness SpacingBetweenSlices NumberOfSlices"
    # the pixels
    " Rows Columns SamplesPerPixel PhotometricInterpretation NumberOfFrames BitsAllocated BitsStored HighBit"
    " PixelRepresentation PixelPaddingValue RescaleSlope RescaleIntercept RescaleType"
    # uptake
    " Units SUVType SeriesType CorrectedImage DecayCorrection PatientWeight SeriesDate SeriesTime"
    " AcquisitionDate AcquisitionTime FrameReferenceTime ActualFrameDuration TimezoneOffsetFromUTC"
    " RadiopharmaceuticalInformationSequence"
    " RadionuclideTotalDose RadionuclideHalfLife RadiopharmaceuticalStartTime RadiopharmaceuticalStartDateTime"
    " RadionuclideCodeSequence CodeValue CodingSchemeDesignator"
    # segmentations
    " SegmentationType SegmentSequence SegmentNumber SegmentLabel SharedFunctionalGroupsSequence"
    " PerFrameFunctionalGroupsSequence PlanePositionSequence PlaneOrientationSequence PixelMeasuresSequence"
    " SegmentIdentificationSequence ReferencedSegmentNumber"
    # structures
    " StructureSetROISequence ROINumber ROIName ROIContourSequence ReferencedROINumber ContourSequence"
    " ContourGeometricType ContourData ReferencedFrameOfReferenceUID".split()
)
"""Keywords of all attributes that are ever looked at, at any depth."""

_UNCOMPRESSED = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"}
_COMPRESSED = {
    "1.2.840.10008.1.2.5",  # RLE
    "1.2.840.10008.1.2.4.90",  # JPEG 2000, lossless
}
"""The decoders that come with pydicom and Pillow, and keep to the size that the header tells."""


class Header:
    """Attributes of a data set or of an item of a sequence; to ask for one that is not in `READ` is a fault of ours."""

    def __init__(self, dataset: Any, origin: str) -> None:
        self.dataset = dataset
        self.origin = origin

    def text(self, keyword: str) -> str | None:
        """A word; None where it is absent, empty, or more than one."""
        value = self._value(keyword)
        return str(value).strip() or None if value is not None and not _is_many(value) else None

    def words(self, keyword: str) -> tuple[str, ...]:
        """All words of an attribute."""
        value = self._value(keyword)
        if value is None:
            return ()
        return tuple(str(each).strip() for each in (value if _is_many(value) else [value]))

    def number(self, keyword: str) -> float | None:
        """A finite number; None where it is absent or empty.

        Raises
        ------
        InputError
            If it is something else.
        """
        found = self.numbers(keyword)
        if found is None:
            return None
        if len(found) != 1:
            raise self.wrong(keyword, f"has {len(found)} values, not one")
        return found[0]

    def numbers(self, keyword: str, count: int | None = None) -> tuple[float, ...] | None:
        """Finite numbers, `count` of them where it is given.

        Raises
        ------
        InputError
            If they are something else.
        """
        value = self._value(keyword)
        if value is None or (not _is_many(value) and str(value).strip() == ""):
            return None
        try:
            found = tuple(float(each) for each in (value if _is_many(value) else [value]))
        except (TypeError, ValueError, OverflowError):
            found = (math.nan,)
        if not all(map(math.isfinite, found)):
            raise self.wrong(keyword, "is no number")
        if count is not None and len(found) != count:
            raise self.wrong(keyword, f"has {len(found)} values, not {count}")
        return found

    def items(self, keyword: str) -> tuple[Header, ...]:
        """Items of a sequence, none where it is absent.

        Raises
        ------
        InputError
            If it is no sequence, or longer than `MAX_ITEMS`.
        """
        value = self._value(keyword)
        if value is None:
            return ()
        if not _is_many(value) or any(not hasattr(each, "get_item") for each in value):
            raise self.wrong(keyword, "is no sequence")
        if len(value) > MAX_ITEMS:
            raise self.wrong(keyword, f"has {len(value)} items, more than {MAX_ITEMS}")
        return tuple(Header(each, self.origin) for each in value)

    def needed(self, keyword: str, value: _T | None) -> _T:
        """Refuse that a value is missing."""
        if value is None or value == ():
            raise self.wrong(keyword, "is missing or empty")
        return value

    def orientation(self) -> tuple[float, ...]:
        """Along a row and down a column: two unit vectors at a right angle (PS3.3 C.7.6.2.1.1).

        Raises
        ------
        InputError
            If it is missing, or something else.
        """
        found = self.needed("ImageOrientationPatient", self.numbers("ImageOrientationPatient", 6))
        across, down = np.array(found[:3]), np.array(found[3:])
        with np.errstate(over="ignore", invalid="ignore"):
            lengths = np.array([across @ across, down @ down])
            off = max(float(np.abs(lengths - 1.0).max()), abs(float(across @ down)))
        if not off <= _NOT_UNIT:
            raise self.wrong("ImageOrientationPatient", "is not two unit vectors at a right angle")
        return tuple((np.array([across, down]) / np.sqrt(lengths)[:, None]).ravel().tolist())

    def philips(self, element: int) -> float | None:
        """A factor of the private group of Philips PET, wherever its block lies; None where it is absent."""
        for block in _PHILIPS_BLOCKS:
            creator = self._raw((0x7053, block))
            if creator is not None and str(creator).strip() == PHILIPS:
                value = self._raw((0x7053, block * 0x100 + element))
                if isinstance(value, bytes):  # implicit VR: the library does not know that it is a decimal string
                    value = value.decode("ascii", "replace").strip(" \0")
                try:
                    found = float(value) if value not in (None, "") else None
                except (TypeError, ValueError):
                    found = math.nan
                if found is not None and not math.isfinite(found):
                    position = f"{PHILIPS} (7053,xx{element:02X})"
                    raise InputError(self.origin, position, "is no number")
                return found
        return None

    def wrong(self, keyword: str, cause: str, hint: str = "") -> InputError:
        """An error about an attribute."""
        return InputError(self.origin, named(keyword), cause, hint)

    def _value(self, keyword: str) -> Any:
        if keyword not in READ:
            raise KeyError(f"{keyword} is not on the list of attributes that are read")
        return safely(lambda: self.dataset.get(keyword), self.origin, named(keyword))

    def _raw(self, tag: tuple[int, int]) -> Any:
        def value() -> Any:
            element = self.dataset.get(tag)
            return None if element is None else element.value

        return safely(value, self.origin, f"({tag[0]:04X},{tag[1]:04X})")


def named(keyword: str) -> str:
    """Keyword and tag, as in ``PatientWeight (0010,1030)``."""
    from pydicom.datadict import tag_for_keyword

    tag = tag_for_keyword(keyword) or 0
    return f"{keyword} ({tag >> 16:04X},{tag & 0xFFFF:04X})"


def read_header(path: Path, *, pixels: bool = False) -> Header:
    """Parse a file, with its pixels or without.

    Raises
    ------
    InputError
        If it is no DICOM file, too large, damaged, or in a transfer syntax that is not read.
    """
    origin = str(path)
    return Header(safely(lambda: _parsed(path, pixels), origin, ""), origin)


def _parsed(path: Path, pixels: bool) -> Any:
    import pydicom
    from pydicom.filereader import read_file_meta_info

    origin = str(path)
    try:
        size = path.stat().st_size
    except OSError as error:
        raise InputError(origin, "", error.strerror or "cannot be read") from None
    if size > MAX_FILE_BYTES:
        raise InputError(origin, "", f"is larger than {MAX_FILE_BYTES} bytes")
    with path.open("rb") as file:
        preamble = file.read(132)
    if preamble[128:] != b"DICM":
        raise InputError(origin, "byte 128", "is no DICOM file", "keep only the files of the series in the folder")
    syntax = str(read_file_meta_info(path).get("TransferSyntaxUID", ""))
    if syntax not in _UNCOMPRESSED | _COMPRESSED:
        # a deflated file may unpack to anything, and not every decoder keeps to the size of the image
        raise InputError(
            origin,
            "TransferSyntaxUID (0002,0010)",
            "is not one that is read (uncompressed, RLE, JPEG 2000 lossless)",
            "decompress it first, for example with gdcmconv --raw or dcmdjpeg",
        )
    wanted: list[Any] = [*READ]
    wanted += [(0x7053, block) for block in _PHILIPS_BLOCKS]
    wanted += [
        (0x7053, block * 0x100 + element) for block in _PHILIPS_BLOCKS for element in (PHILIPS_SUV, PHILIPS_ACTIVITY)
    ]
    if pixels:
        wanted.append("PixelData")
    return pydicom.dcmread(path, stop_before_pixels=not pixels, specific_tags=wanted)


def safely(action: Callable[[], _T], origin: str, position: str) -> _T:
    """Let a library work on foreign data: it logs and warns of nothing, and whatever it raises is an `InputError`.

    Raises
    ------
    InputError
        Without the words of the library, and without its error as the context.
    """
    try:
        with _silent():
            return action()
    except (InputError, ImportError):
        raise
    except Exception as error:  # the library promises none in particular
        failed = type(error).__name__
    raise InputError(origin, position, f"is damaged, or not what it should be ({failed})")


@contextmanager
def _silent() -> Iterator[None]:
    from pydicom import config

    mode, below = config.settings.reading_validation_mode, logging.root.manager.disable
    # all of them: highdicom has a logger a module, and one of them logs names of patients
    logging.disable(logging.CRITICAL)
    config.settings.reading_validation_mode = config.IGNORE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        config.settings.reading_validation_mode = mode
        logging.disable(below)


def files_of(path: Path) -> tuple[Path, ...]:
    """The file, or all files below a folder but hidden ones and indices, in the order of their names.

    Raises
    ------
    InputError
        If there is none, or more than `MAX_FILES`.
    """
    if path.is_file():
        return (path,)
    if not path.is_dir():
        raise InputError(str(path), "", "is neither a file nor a folder")
    found: list[Path] = []
    for each in path.rglob("*"):
        if each.is_file() and not each.name.startswith(".") and each.name not in _NO_IMAGES:
            found.append(each)
        if len(found) > MAX_FILES:
            raise InputError(str(path), "", f"holds more than {MAX_FILES} files")
    if not found:
        raise InputError(str(path), "", "holds no files")
    return tuple(sorted(found))


def _is_many(value: Any) -> bool:
    return isinstance(value, MutableSequence | tuple)
