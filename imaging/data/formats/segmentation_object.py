"""DICOM Segmentation objects (PS3.3 A.51): read as a mask, and written for a mask on a PET or CT series.

What is written refers to the images it was made from, lies in their frame of reference, and names the program that made
it. By the standard it belongs to the patient of those images; as no identifiers are kept here, name, number, birth date
and sex are empty unless `keep_patient` copies them from the series, and the study and series are known by their UIDs.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imaging.data.formats.header import Header, named, read_header, safely
from imaging.data.formats.planes import stacked
from imaging.data.formats.series import Series, Slice
from imaging.data.formats.structure_set import there_are
from imaging.data.grid import MAX_VOXELS, Array, Booleans, Grid, Volume, checked, turned
from meddojo import __version__
from meddojo.errors import InputError

_CLASS = "1.2.840.10008.5.1.4.1.1.66.4"
_TURNED = 1e-3
"""By how much the orientation of two frames may differ."""
_PATIENT = (
    "PatientName PatientID PatientBirthDate PatientSex"
    " AccessionNumber StudyID StudyDate StudyTime ReferringPhysicianName"
).split()
"""Attributes that have to be there and may be empty (type 2 of the Patient and General Study modules)."""
_SERIES_NUMBER = 900


def is_segmentation(header: Header) -> bool:
    """Whether a file holds segmentations."""
    return header.text("SOPClassUID") == _CLASS


def read_segmentation(path: Path, segment: str | None, frame_of_reference: str = "") -> Volume:
    """Read one segment; slices of which no frame is stored are empty.

    Parameters
    ----------
    segment
        Label or number; may be None if there is only one.
    frame_of_reference
        UID of the space of PET; a note tells if the segments are of another one.

    Returns
    -------
    Volume
        Of booleans, in the convention of `imaging.data.grid`, over the slices from the first to the last with a frame.

    Raises
    ------
    InputError
        If there is no such segment, it is not binary, or its frames make no volume.
    """
    header = read_header(path, pixels=True)
    if not is_segmentation(header):
        raise header.wrong("SOPClassUID", "is no segmentation")
    if header.text("SegmentationType") != "BINARY":
        raise header.wrong("SegmentationType", "is not BINARY")
    number = _number(header, segment)
    frames = [frame for frame in _frames(header) if frame.segment == number]
    if not frames:
        raise header.wrong("PerFrameFunctionalGroupsSequence", f"has no frame of segment {number:g}")
    notes = []
    space = header.text("FrameOfReferenceUID")
    if frame_of_reference and space and space != frame_of_reference:
        notes.append("the segments are of another frame of reference than PET")
    for frame in frames:
        if np.abs(np.subtract(frame.orientation + frame.spacing, frames[0].orientation + frames[0].spacing)).max() > (
            _TURNED
        ):
            raise header.wrong("PlaneOrientationSequence", "or spacing differs between frames of one segment")
    return turned(_volume(header, frames, tuple(notes)))


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where a frame lies; `spacing` is between rows and between columns."""

    number: int
    segment: float
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    spacing: tuple[float, ...]
    between: float | None


def _number(header: Header, segment: str | None) -> float:
    found = [
        (each.text("SegmentLabel") or "", each.needed("SegmentNumber", each.number("SegmentNumber")), "")
        for each in header.items("SegmentSequence")
    ]
    chosen = [each for each in found if segment is None or segment in (each[0], f"{each[1]:g}")]
    if len(chosen) != 1:
        cause = "has no segment" if not chosen else f"has {len(chosen)} segments: one has to be chosen"
        raise header.wrong("SegmentSequence", cause if segment is None else f"{cause} as asked for", there_are(found))
    return chosen[0][1]


def _frames(header: Header) -> list[_Frame]:
    shared = header.items("SharedFunctionalGroupsSequence")[:1]
    frames = []
    for number, group in enumerate(header.items("PerFrameFunctionalGroupsSequence")):

        def of(sequence: str, group: Header = group) -> Header:
            for place in (group, *shared):
                if items := place.items(sequence):
                    return items[0]
            raise header.wrong(sequence, "is missing")

        measures = of("PixelMeasuresSequence")
        place, turn = of("PlanePositionSequence"), of("PlaneOrientationSequence")
        identification = of("SegmentIdentificationSequence")
        frames.append(
            _Frame(
                number=number,
                segment=identification.needed(
                    "ReferencedSegmentNumber", identification.number("ReferencedSegmentNumber")
                ),
                position=place.needed("ImagePositionPatient", place.numbers("ImagePositionPatient", 3)),
                orientation=turn.orientation(),
                spacing=measures.needed("PixelSpacing", measures.numbers("PixelSpacing", 2)),
                between=measures.number("SpacingBetweenSlices") or measures.number("SliceThickness"),
            )
        )
    return frames


def _volume(header: Header, frames: list[_Frame], notes: tuple[str, ...]) -> Volume:
    first = frames[0]
    across, down = (np.array(first.orientation[place : place + 3]) for place in (0, 3))
    normal = np.cross(across, down)
    along = [float(normal @ each.position) for each in frames]
    stack = stacked(along, first.between or 0.0, header.origin, named("ImagePositionPatient"))
    pixels = _pixels(header)
    origin = np.array(first.position) + (stack.first_mm - along[0]) * normal
    grid = Grid(
        (stack.count, pixels.shape[1], pixels.shape[2]),
        origin,
        np.stack([normal * stack.step_mm, down * first.spacing[0], across * first.spacing[1]]),
    )
    checked(grid, header.origin)
    values = np.zeros(grid.shape, np.bool_)
    for frame, place in zip(frames, stack.numbers, strict=True):
        if frame.number >= len(pixels):
            raise header.wrong("NumberOfFrames", f"is {len(pixels)}, less than the frames that are described")
        aside = np.array(frame.position) - origin - normal * (normal @ (np.array(frame.position) - origin))
        if np.linalg.norm(aside) > 0.1 * min(first.spacing):
            raise header.wrong("ImagePositionPatient", "is beside that of the first frame: the stack is oblique")
        values[place] |= pixels[frame.number] != 0
    return Volume(values, grid, notes)


def _pixels(header: Header) -> Array:
    sizes = [header.needed(name, header.number(name)) for name in ("NumberOfFrames", "Rows", "Columns")]
    if min(sizes) < 1 or sizes[0] * sizes[1] * sizes[2] > MAX_VOXELS:
        raise header.wrong("NumberOfFrames", f"{sizes[0]:g} frames of {sizes[1]:g} x {sizes[2]:g} are not read")

    def decoded() -> Any:
        from pydicom.pixels.utils import pixel_array

        return pixel_array(header.dataset)

    found: Array = safely(decoded, header.origin, "PixelData (7FE0,0010)")
    return found[None] if found.ndim == 2 else found


@dataclass(frozen=True, slots=True)
class Algorithm:
    """Who made a mask; `serial` tells which weights, for instance by their digest."""

    name: str = "MedDojo PET/CT segmentation"
    version: str = __version__
    serial: str = "0"


def write_segmentation(
    mask: Booleans,
    series: Series,
    out: Path,
    *,
    algorithm: Algorithm | None = None,
    label: str = "Lesion",
    keep_patient: bool = False,
) -> None:
    """Write a mask that was predicted on a series as a binary segmentation with one segment (SCT: neoplasm).

    Parameters
    ----------
    mask
        Of the shape of ``series.grid``, in the convention.
    keep_patient
        Copy name, number and the like of the patient and study from the series.

    Raises
    ------
    InputError
        If the mask has another shape, the series no frame of reference, or the file exists or cannot be written.
    """
    if mask.shape != series.grid.shape:
        raise InputError("mask", "shape", f"is {mask.shape}, the series has {series.grid.shape}")
    if not series.frame_of_reference:
        raise InputError(series.origin, named("FrameOfReferenceUID"), "is missing: the mask would lie nowhere")
    if out.exists():
        raise InputError(str(out), "", "is there already", "name another file with --out")
    stored = np.ascontiguousarray(series.turn.undo(mask)).astype(np.uint8)
    sources = _sources(series, keep_patient)
    made = safely(
        lambda: _made(stored, sources, algorithm or Algorithm(), label),
        series.origin,
        "",
    )
    content = io.BytesIO()
    made.save_as(content)
    try:
        with out.open("xb") as file:
            file.write(content.getvalue())
    except OSError as error:
        raise InputError(str(out), "", error.strerror or "cannot be written") from None


def _sources(series: Series, keep_patient: bool) -> list[Any]:
    """What the segmentation is to know of each image: its geometry and its UIDs, and of the patient nothing."""
    from pydicom import Dataset, dcmread

    patient = Dataset()
    if keep_patient:
        first = series.slices[0].path
        wanted: list[Any] = [*_PATIENT, "SpecificCharacterSet"]
        patient = safely(lambda: dcmread(first, stop_before_pixels=True, specific_tags=wanted), str(first), "")
    sources = []
    for each in series.slices:
        source = _geometry(each, series.stored.spacing_mm[0])
        for keyword in _PATIENT:
            setattr(source, keyword, patient.get(keyword, ""))
        source.SpecificCharacterSet = patient.get("SpecificCharacterSet", "ISO_IR 192")
        sources.append(source)
    return sources


def _geometry(each: Slice, between: float) -> Any:
    from pydicom import Dataset

    source = Dataset()
    source.SOPClassUID, source.SOPInstanceUID = each.sop_class, each.instance
    source.StudyInstanceUID, source.SeriesInstanceUID = each.study, each.series
    source.FrameOfReferenceUID, source.PositionReferenceIndicator = each.frame_of_reference, ""
    source.Modality = each.modality
    source.Rows, source.Columns = each.shape
    source.PixelSpacing = list(each.pixel_spacing)
    source.SliceThickness = each.thickness or between
    source.ImagePositionPatient = list(each.position)
    source.ImageOrientationPatient = list(each.orientation)
    return source


def _made(stored: Array, sources: list[Any], algorithm: Algorithm, label: str) -> Any:
    from highdicom import UID, AlgorithmIdentificationSequence
    from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentationTypeValues, SegmentDescription
    from pydicom.sr.codedict import codes

    description = SegmentDescription(
        segment_number=1,
        segment_label=label,
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Neoplasm,
        algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=AlgorithmIdentificationSequence(
            name=algorithm.name, version=algorithm.version, family=codes.cid7162.ArtificialIntelligence
        ),
    )
    return Segmentation(
        source_images=sources,
        pixel_array=stored,
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[description],
        series_instance_uid=UID(),
        series_number=_SERIES_NUMBER,
        sop_instance_uid=UID(),
        instance_number=1,
        manufacturer="MedDojo",
        manufacturer_model_name=algorithm.name,
        software_versions=algorithm.version,
        device_serial_number=algorithm.serial,
        content_label="LESIONS",
        series_description="Segmentation of lesions",
    )
