"""Segmentations: what is written is read again by us and by others, lies where the mask lay, and names no patient."""

from __future__ import annotations

import logging
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imaging.data.formats.segmentation_object import Algorithm, read_segmentation, write_segmentation
from imaging.data.formats.series import Series, read_series
from imaging.data.resample import resampled
from imaging.synthetic.phantom import Phantom
from meddojo.errors import InputError

pydicom = pytest.importorskip("pydicom")
pytest.importorskip("highdicom", reason="the imaging extra is not installed")

Write = Callable[..., list[Path]]


@pytest.fixture
def series(write_body: Write, tmp_path: Path) -> Series:
    write_body(tmp_path / "pet")
    return read_series(tmp_path / "pet", "PT")


@pytest.fixture
def written(series: Series, body: Phantom, tmp_path: Path) -> Path:
    write_segmentation(body.mask, series, tmp_path / "seg.dcm", algorithm=Algorithm("U-Net", "3.1", "a1b2"))
    return tmp_path / "seg.dcm"


def test_the_mask_comes_back(written: Path, series: Series, body: Phantom) -> None:
    for segment in (None, "Lesion", "1"):
        found = read_segmentation(written, segment, series.frame_of_reference)
        assert found.notes == ()
        assert np.array_equal(resampled(found, series.grid, order="nearest", outside=0).values, body.mask)


def test_others_read_the_same(written: Path, series: Series, body: Phantom) -> None:
    import highdicom

    volume = highdicom.seg.segread(written).get_volume(combine_segments=True)
    height = np.array([series.stored.points(np.array([float(number), 0, 0]))[2] for number in range(6)])
    found = np.zeros_like(body.mask)
    for number, plane in enumerate(volume.array):
        place = volume.map_indices_to_reference(np.array([[number, 0, 0]]))[0]
        found[int(np.abs(height - place[2]).argmin())] = plane != 0
    assert np.array_equal(found, body.mask)


def test_it_refers_to_its_images_and_names_who_made_it(written: Path, series: Series) -> None:
    found = pydicom.dcmread(written)
    assert found.SOPClassUID == "1.2.840.10008.5.1.4.1.1.66.4" and found.Modality == "SEG"
    assert found.FrameOfReferenceUID == series.frame_of_reference
    assert found.StudyInstanceUID == series.slices[0].study
    assert found.SeriesInstanceUID != series.slices[0].series
    (referenced,) = found.ReferencedSeriesSequence
    assert referenced.SeriesInstanceUID == series.slices[0].series
    assert {each.ReferencedSOPInstanceUID for each in referenced.ReferencedInstanceSequence} == {
        each.instance for each in series.slices
    }
    (segment,) = found.SegmentSequence
    assert (segment.SegmentAlgorithmType, segment.SegmentAlgorithmName) == ("AUTOMATIC", "U-Net")
    (kind,) = segment.SegmentedPropertyTypeCodeSequence
    assert (kind.CodeValue, kind.CodingSchemeDesignator) == ("108369006", "SCT")
    assert (found.SoftwareVersions, found.DeviceSerialNumber) == ("3.1", "a1b2")


def test_the_patient_is_empty_and_nothing_planted_is_there(
    written: Path, series: Series, no_canary: Callable[..., None]
) -> None:
    found = pydicom.dcmread(written)
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "AccessionNumber"):
        assert keyword in found and not found.get(keyword)
    no_canary(written)


def test_the_patient_is_copied_if_asked_for(series: Series, body: Phantom, tmp_path: Path) -> None:
    write_segmentation(body.mask, series, tmp_path / "seg.dcm", keep_patient=True)
    found = pydicom.dcmread(tmp_path / "seg.dcm")
    assert found.PatientName == found.PatientID == "CANARY^PATIENT" and found.PatientBirthDate == "19010203"
    assert b"CANARY MAKER" not in (tmp_path / "seg.dcm").read_bytes() and "InstitutionName" not in found


@pytest.mark.parametrize(
    "orientation", [(1, 0, 0, 0, 1, 0), (1, 0, 0, 0, 0, -1), (0, 1, 0, 0, 0, -1), (-1, 0, 0, 0, -1, 0)]
)
@pytest.mark.parametrize("backwards", [False, True])
def test_on_every_orientation_the_mask_lies_where_it_lay(
    write_slices: Write, tmp_path: Path, orientation: Any, backwards: bool
) -> None:
    normal = np.cross(orientation[:3], orientation[3:]) * (-1 if backwards else 1)
    positions = np.array([5.0, 6.0, 7.0]) + np.arange(3)[:, None] * normal * 4.0
    write_slices(tmp_path / "pet", np.ones((3, 4, 6)), positions, orientation=orientation, spacing=(2.0, 3.0))
    series = read_series(tmp_path / "pet", "PT")
    mask = np.zeros(series.grid.shape, np.bool_)
    mask[-1, -1, -1] = True  # the most left, most posterior voxel nearest to the head
    place = series.grid.points(np.array(mask.shape) - 1.0)
    write_segmentation(mask, series, tmp_path / "seg.dcm")
    found = pydicom.dcmread(tmp_path / "seg.dcm")
    (frame,) = found.PerFrameFunctionalGroupsSequence
    corner = np.array(frame.PlanePositionSequence[0].ImagePositionPatient, np.float64)
    (row,), (column,) = np.nonzero(found.pixel_array)
    across, down = np.array(orientation[:3]), np.array(orientation[3:])
    assert corner + row * 2.0 * down + column * 3.0 * across == pytest.approx(place)
    back = read_segmentation(tmp_path / "seg.dcm", None)
    assert np.array_equal(resampled(back, series.grid, order="nearest", outside=0).values, mask)


def test_an_empty_mask_is_written_as_such(series: Series, tmp_path: Path) -> None:
    write_segmentation(np.zeros(series.grid.shape, np.bool_), series, tmp_path / "seg.dcm")
    assert not read_segmentation(tmp_path / "seg.dcm", None).values.any()
    _validated(tmp_path / "seg.dcm")


def test_what_does_not_fit_is_refused(series: Series, body: Phantom, written: Path) -> None:
    with pytest.raises(InputError, match="shape"):
        write_segmentation(body.mask[1:], series, written.parent / "other.dcm")
    with pytest.raises(InputError, match="is there already"):
        write_segmentation(body.mask, series, written)
    with pytest.raises(InputError, match="No such file"):
        write_segmentation(body.mask, series, written.parent / "nowhere" / "seg.dcm")


def test_an_image_without_space_has_no_place_for_a_mask(write_body: Write, body: Phantom, tmp_path: Path) -> None:
    write_body(tmp_path / "pet", changes={"FrameOfReferenceUID": None})
    with pytest.raises(InputError, match="FrameOfReferenceUID"):
        write_segmentation(body.mask, read_series(tmp_path / "pet", "PT"), tmp_path / "seg.dcm")


def _again(path: Path, change: Callable[[Any], None]) -> Path:
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(path)
    return path


def _second(dataset: Any) -> None:
    import copy

    other = copy.deepcopy(dataset.SegmentSequence[0])
    other.SegmentNumber, other.SegmentLabel = 2, "CANARY^PATIENT"
    dataset.SegmentSequence.append(other)


def _uneven(dataset: Any) -> None:
    for number, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        frame.PlanePositionSequence[0].ImagePositionPatient[2] = 100.0 + number**1.3


def _aside(dataset: Any) -> None:
    dataset.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[0].ImagePositionPatient[0] = 40.0


@pytest.mark.parametrize(
    ("change", "segment", "told"),
    [
        (lambda dataset: setattr(dataset, "SegmentationType", "FRACTIONAL"), None, "is not BINARY"),
        (lambda dataset: setattr(dataset, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.66.7"), None, "is no segmentation"),
        (_second, None, "has 2 segments: one has to be chosen"),
        (_second, "Liver", "has no segment as asked for.*\n.*there are: Lesion$"),
        (_second, "2", "has no frame of segment 2"),
        (_uneven, None, "not evenly spaced"),
        (_aside, None, "beside that of the first frame"),
        (lambda dataset: setattr(dataset, "NumberOfFrames", 10**9), None, "are not read"),
        (lambda dataset: delattr(dataset, "SharedFunctionalGroupsSequence"), None, "is missing"),
        (lambda dataset: setattr(dataset, "PixelData", b"\0\0"), None, "PixelData"),
    ],
)
def test_what_is_no_mask_is_refused(
    written: Path, no_canary: Callable[..., None], change: Callable[[Any], None], segment: str | None, told: str
) -> None:
    with pytest.raises(InputError, match=told) as refused:
        read_segmentation(_again(written, change), segment)
    no_canary(refused.value)


def test_another_frame_of_reference_is_told(written: Path) -> None:
    assert "another frame of reference" in read_segmentation(written, None, "1.2.3").notes[0]


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_bytes_are_flipped_it_is_a_mask_or_one_error(written: Path, data: st.DataObject) -> None:
    content = bytearray(written.read_bytes())
    for place in data.draw(st.lists(st.integers(132, len(content) - 1), min_size=1, max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    changed = written.with_name("changed.dcm")
    changed.write_bytes(content)
    try:
        found = read_segmentation(changed, None)
    except InputError as error:
        assert error.origin == str(changed)
    else:
        assert found.values.dtype == np.bool_ and found.values.ndim == 3


def test_names_are_in_no_log(
    series: Series,
    body: Phantom,
    tmp_path: Path,
    no_canary: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    write_segmentation(body.mask, series, tmp_path / "seg.dcm")
    write_segmentation(body.mask, series, tmp_path / "kept.dcm", keep_patient=True)
    read_segmentation(tmp_path / "kept.dcm", None)
    no_canary(caplog.text, *capfd.readouterr())


def _validated(path: Path) -> str:
    program = shutil.which("dciodvfy")
    if program is None:
        pytest.skip("dciodvfy is not installed (Debian package dicom3tools)")
    done = subprocess.run([program, path], capture_output=True, text=True, timeout=60, check=False)
    told = done.stdout + done.stderr
    assert "Segmentation" in told
    assert not [line for line in told.splitlines() if line.startswith("Error")], told
    return told


@pytest.mark.parametrize("keep_patient", [False, True])
def test_dciodvfy_finds_no_error(series: Series, body: Phantom, tmp_path: Path, keep_patient: bool) -> None:
    write_segmentation(body.mask, series, tmp_path / "seg.dcm", keep_patient=keep_patient)
    _validated(tmp_path / "seg.dcm")


def test_dciodvfy_finds_an_error_that_is_there(written: Path) -> None:
    _again(written, lambda dataset: delattr(dataset.SegmentSequence[0], "SegmentedPropertyTypeCodeSequence"))
    with pytest.raises(AssertionError, match="SegmentedPropertyTypeCodeSequence"):
        _validated(written)


@pytest.mark.parametrize("program", ["dcmdump", "dcm2xml"])
def test_dcmtk_reads_it(written: Path, program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed (Debian package dcmtk)")
    done = subprocess.run([program, written], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and "108369006" in done.stdout
    assert "E:" not in done.stderr and "W:" not in done.stderr
