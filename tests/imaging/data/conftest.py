"""Files of each format, made of the synthetic phantom, with the name of a patient wherever a name can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imaging.synthetic.phantom import Phantom, phantom

CANARY = "CANARY^PATIENT"
CANARY_DATE = "19010203"
CANARIES = ("CANARY", "canary", CANARY_DATE)

UPRIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
PET_CLASS, CT_CLASS = "1.2.840.10008.5.1.4.1.1.128", "1.2.840.10008.5.1.4.1.1.2"
ORIGIN = (-250.0, -250.0, 100.0)

_NAMED = (
    "PatientName PatientID OtherPatientNames PatientAddress PatientComments PatientBirthName ReferringPhysicianName"
    " InstitutionName StudyDescription SeriesDescription StudyID AccessionNumber OperatorsName ProtocolName"
    " ImageComments PerformingPhysicianName RequestingPhysician StationName IssuerOfPatientID DeviceSerialNumber"
).split()


@pytest.fixture(scope="session")
def body() -> Phantom:
    """Six slices of 24 x 24."""
    return phantom(np.random.default_rng(5), 24, 6)


@pytest.fixture(scope="session")
def write_slices() -> Callable[..., list[Path]]:
    """Write stored arrays as DICOM files; see `_write_slices`."""
    pytest.importorskip("pydicom")
    return _write_slices


def _write_slices(
    folder: Path,
    stored: np.ndarray[Any, Any],
    positions: np.ndarray[Any, Any],
    *,
    modality: str = "PT",
    orientation: tuple[float, ...] = UPRIGHT,
    spacing: tuple[float, float] = (500 / 24, 500 / 24),
    thickness: float = 5.0,
    changes: Mapping[str, Any] | None = None,
    tracer: Mapping[str, Any] | None = None,
    philips: Mapping[int, str] | None = None,
    change: Callable[[int, Any], None] = lambda number, dataset: None,
    uid_root: str = "1.2.826.0.1.3680043.8.498.1",
) -> list[Path]:
    """One file each slice of `stored`, which is in g/ml or HU; names tell nothing of the order.

    Parameters
    ----------
    changes, tracer
        Attributes of every file, and of its radiopharmaceutical; None removes one.
    change
        Called with the number and the data set of each file before it is written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = np.random.default_rng(3).permutation(len(stored))
    paths = []
    for number, (values, position) in enumerate(zip(stored, positions, strict=True)):
        dataset = _dataset(modality, number, len(stored), values, uid_root)
        dataset.ImagePositionPatient = [float(each) for each in position]
        dataset.ImageOrientationPatient = list(orientation)
        dataset.PixelSpacing = [float(each) for each in spacing]
        dataset.SliceThickness = thickness
        _apply(dataset, changes or {})
        if modality == "PT":
            _apply(dataset.RadiopharmaceuticalInformationSequence[0], tracer or {})
        if philips:
            block = dataset.private_block(0x7053, "Philips PET Private Group", create=True)
            for element, text in philips.items():
                block.add_new(element, "DS", text)
        change(number, dataset)
        paths.append(folder / f"{modality}{names[number]:03d}.dcm")
        dataset.save_as(paths[-1], enforce_file_format=True)
    return paths


def _apply(dataset: Any, changes: Mapping[str, Any]) -> None:
    from pydicom import config

    with config.disable_value_validation():
        for keyword, value in changes.items():
            if keyword in dataset:  # an element that is there keeps its own validation
                delattr(dataset, keyword)
            if value is not None:
                setattr(dataset, keyword, value)


def _dataset(modality: str, number: int, count: int, values: np.ndarray[Any, Any], uid_root: str) -> Any:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = PET_CLASS if modality == "PT" else CT_CLASS
    dataset.SOPInstanceUID = f"{uid_root}.{1 if modality == 'PT' else 2}.{number + 1}"
    dataset.StudyInstanceUID = f"{uid_root}.9"
    dataset.SeriesInstanceUID = f"{uid_root}.{1 if modality == 'PT' else 2}"
    dataset.FrameOfReferenceUID = f"{uid_root}.8"
    dataset.Modality = modality
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.InstanceNumber = number + 1
    for keyword in _NAMED:
        setattr(dataset, keyword, CANARY if keyword != "AccessionNumber" else "CANARY")
    dataset.PatientBirthDate, dataset.PatientSex = CANARY_DATE, "O"
    private = dataset.private_block(0x0011, "CANARY MAKER", create=True)
    private.add_new(1, "LO", CANARY)
    dataset.Rows, dataset.Columns = values.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, 1
    if modality == "CT":
        dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = 1, -1024, "HU"
        pixels = np.rint(values + 1024)
    else:
        slope = float(f"{max(float(values.max()), 1e-3) / 32_767:.10g}")
        dataset.RescaleSlope, dataset.RescaleIntercept = slope, 0
        pixels = np.rint(values / slope)
        _pet(dataset, count)
    dataset.PixelData = pixels.astype("<i2").tobytes()
    return dataset


def _pet(dataset: Any, count: int) -> None:
    """SUV by body weight already: the tests of units change this."""
    from pydicom.dataset import Dataset

    dataset.Units, dataset.SeriesType, dataset.NumberOfSlices = "GML", ["WHOLE BODY", "IMAGE"], count
    dataset.DecayCorrection, dataset.CorrectedImage = "START", ["ATTN", "DECY", "SCAT"]
    dataset.SeriesDate = dataset.AcquisitionDate = "20200102"
    dataset.SeriesTime = dataset.AcquisitionTime = "130000"
    dataset.PatientWeight = 80
    tracer = Dataset()
    tracer.RadionuclideTotalDose, tracer.RadionuclideHalfLife = 400e6, 6586.2
    tracer.RadiopharmaceuticalStartTime = "120000"
    tracer.PatientName = CANARY
    dataset.RadiopharmaceuticalInformationSequence = [tracer]


@pytest.fixture(scope="session")
def write_body(body: Phantom, write_slices: Callable[..., list[Path]]) -> Callable[..., list[Path]]:
    """Write the phantom as an axial series of PET or CT."""

    def write(folder: Path, modality: str = "PT", **options: Any) -> list[Path]:
        values = body.pet if modality == "PT" else body.ct
        between = body.spacing_mm[0]
        positions = np.array(ORIGIN) + np.arange(len(values))[:, None] * np.array([0.0, 0.0, between])
        return write_slices(folder, values, positions, modality=modality, **options)

    return write


def assert_no_canary(*texts: str | bytes) -> None:
    for text in texts:
        content = text if isinstance(text, bytes) else text.encode()
        for canary in CANARIES:
            assert canary.encode() not in content


@pytest.fixture(scope="session")
def no_canary() -> Callable[..., None]:
    """Look for what was planted, in texts, bytes, errors, files and folders."""

    def look(*places: Any) -> None:
        for place in places:
            if isinstance(place, BaseException):
                seen: BaseException | None = place
                while seen is not None:
                    assert_no_canary(str(seen), repr(seen), repr(vars(seen)))
                    seen = seen.__cause__ or seen.__context__
            elif isinstance(place, Path):
                for file in [place] if place.is_file() else place.rglob("*"):
                    assert_no_canary(file.name, file.read_bytes() if file.is_file() else b"")
            else:
                assert_no_canary(place if isinstance(place, bytes) else str(place))

    return look
