"""DICOM series: what comes out is the phantom, on the right side of the patient, and a fault is refused."""

from __future__ import annotations

import io
import itertools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imaging.data.formats.series import Series, read_series, read_volume
from imaging.synthetic.phantom import Phantom
from meddojo.errors import InputError

pydicom = pytest.importorskip("pydicom")

Write = Callable[..., list[Path]]


def test_the_phantom_comes_back(write_body: Write, body: Phantom, tmp_path: Path) -> None:
    write_body(tmp_path, "PT")
    write_body(tmp_path, "CT")  # two modalities may share a folder
    pet = read_volume(read_series(tmp_path, "PT"))
    steps = body.pet.reshape(6, -1).max(axis=1) / 32_767  # each slice has a slope of its own
    assert (np.abs(pet.values - body.pet).reshape(6, -1).max(axis=1) <= 0.51 * steps).all()
    assert pet.grid.spacing_mm == pytest.approx(body.spacing_mm)
    ct = read_volume(read_series(tmp_path, "CT"))
    assert np.abs(ct.values - body.ct).max() <= 0.5001
    assert ct.grid.fits(pet.grid)


def test_slices_are_in_the_order_of_where_they_lie(write_body: Write, body: Phantom, tmp_path: Path) -> None:
    paths = write_body(tmp_path)
    assert paths != sorted(paths)
    assert [each.path for each in read_series(tmp_path, "PT").slices] == paths


_AXES = np.eye(3)
_ORIENTATIONS = [
    (across_sign * _AXES[across], down_sign * _AXES[down])
    for across, down in itertools.permutations(range(3), 2)
    for across_sign, down_sign in itertools.product((1, -1), repeat=2)
]


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(("across", "down"), _ORIENTATIONS)
def test_left_back_and_head_are_where_they_are(
    write_slices: Write, tmp_path: Path, across: Any, down: Any, backwards: bool
) -> None:
    stored = np.zeros((3, 4, 5), np.float32)
    step = np.cross(across, down) * 3.0 * (-1 if backwards else 1)
    origin = np.array([10.0, -20.0, 30.0])
    positions = origin + np.arange(3)[:, None] * step
    # the formula of PS3.3 C.7.6.2.1.1, for every voxel
    rows, columns = np.arange(4)[:, None, None], np.arange(5)[:, None]
    places = np.array([at + columns * across * 2.0 + rows * down * 4.0 for at in positions])
    corner = tuple(np.unravel_index(places.sum(axis=-1).argmax(), stored.shape))
    stored[corner] = 7.0
    write_slices(tmp_path, stored, positions, orientation=(*across, *down), spacing=(4.0, 2.0), thickness=3.0)
    volume = read_volume(read_series(tmp_path, "PT"))
    hot = tuple(int(each) for each in np.unravel_index(volume.values.argmax(), volume.values.shape))
    assert hot == tuple(each - 1 for each in volume.values.shape)
    assert volume.values[hot] == pytest.approx(7.0, rel=1e-4)
    assert volume.grid.points(np.array(hot, np.float64)) == pytest.approx(places[corner])
    assert np.allclose(volume.grid.directions, _AXES[::-1])


def test_a_single_slice_is_as_thick_as_it_says(write_slices: Write, tmp_path: Path) -> None:
    write_slices(tmp_path, np.ones((1, 4, 4)), np.zeros((1, 3)), thickness=7.0)
    assert read_series(tmp_path, "PT").grid.spacing_mm[0] == pytest.approx(7.0)


@pytest.mark.parametrize("syntax", ["ImplicitVRLittleEndian", "ExplicitVRBigEndian", "RLELossless"])
def test_transfer_syntaxes_give_the_same(write_body: Write, tmp_path: Path, syntax: str) -> None:
    def changed(path: Path) -> None:
        dataset = pydicom.dcmread(path)
        uid = getattr(pydicom.uid, syntax)
        if syntax == "RLELossless":
            dataset.compress(uid)
        elif syntax == "ExplicitVRBigEndian":
            dataset.PixelData = np.frombuffer(dataset.PixelData, "<i2").astype(">i2").tobytes()
        dataset.file_meta.TransferSyntaxUID = uid
        little = syntax != "ExplicitVRBigEndian"
        pydicom.dcmwrite(
            path, dataset, little_endian=little, implicit_vr=syntax.startswith("Implicit"), force_encoding=True
        )

    paths = write_body(tmp_path)
    before = read_volume(read_series(tmp_path, "PT")).values
    for path in paths:
        changed(path)
    assert np.array_equal(read_volume(read_series(tmp_path, "PT")).values, before)


def test_jpeg_2000_without_loss_gives_the_same(write_body: Write, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    paths = write_body(tmp_path, changes={"PixelRepresentation": 0})
    before = read_volume(read_series(tmp_path, "PT")).values
    for path in paths:
        dataset = pydicom.dcmread(path)
        packed = io.BytesIO()
        stored = np.frombuffer(dataset.PixelData, "<u2").reshape(dataset.Rows, dataset.Columns)
        image.fromarray(stored).save(packed, format="JPEG2000", no_jp2=True, irreversible=False)
        dataset.PixelData = pydicom.encaps.encapsulate([packed.getvalue()])
        dataset["PixelData"].VR = "OB"
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.JPEG2000Lossless
        dataset.save_as(path)
    assert np.array_equal(read_volume(read_series(tmp_path, "PT")).values, before)


def _removed(number: int) -> Callable[[list[Path]], None]:
    return lambda paths: paths[number].unlink()


def _set(number: int, **values: Any) -> Callable[[list[Path]], None]:
    def change(paths: list[Path]) -> None:
        dataset = pydicom.dcmread(paths[number])
        for keyword, value in values.items():
            setattr(dataset, keyword, value)
        dataset.save_as(paths[number])

    return change


def _all(**values: Any) -> Callable[[list[Path]], None]:
    return lambda paths: [_set(number, **values)(paths) for number in range(len(paths))] and None


def _tilted(paths: list[Path]) -> None:
    for number in range(len(paths)):
        position = [-250.0, -250.0 + number * 5.0 * np.tan(np.radians(15)), 100.0 + number * 5.0]
        _set(number, ImagePositionPatient=position)(paths)


def _again(paths: list[Path]) -> None:
    (paths[0].parent / "copy.dcm").write_bytes(paths[2].read_bytes())


def _garbage(paths: list[Path]) -> None:
    paths[1].write_bytes(b"CANARY^PATIENT" * 30)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (_removed(2), r"10 mm after .*\(1 missing\)"),
        (_removed(5), r"NumberOfSlices \(0054,0081\): is 6, but 5 slices"),
        (_again, "a slice is there twice"),
        (_tilted, "15.0 degrees from orthogonal"),
        (_set(2, ImagePositionPatient=[-230.0, -250.0, 110.0]), "beside the line"),
        (_set(2, SeriesInstanceUID="1.2.3"), "2 series of 5 and 1 files"),
        (_set(2, PixelSpacing=[1.0, 1.0]), r"PixelSpacing \(0028,0030\): is another"),
        (_set(2, ImageOrientationPatient=[1, 0, 0, 0, 0, 1]), r"ImageOrientationPatient .* is another"),
        (_set(2, ImageOrientationPatient=[1, 0, 0, 1, 0, 0]), "two unit vectors"),
        (_set(2, FrameOfReferenceUID="1.2.3"), "FrameOfReferenceUID"),
        (_set(2, PatientWeight=81), "turns it into SUV"),
        (_set(2, Rows=12, Columns=48), r"Rows \(0028,0010\): is another"),
        (_set(2, PixelData=b"\0\0"), "PixelData"),
        (_set(2, SeriesType=["DYNAMIC", "IMAGE"]), "dynamic or gated"),
        (_set(2, SamplesPerPixel=3), "SamplesPerPixel"),
        (_all(PixelSpacing=[0.0, 1.0]), "0 mm between rows"),
        (_all(SOPClassUID="1.2.840.10008.5.1.4.1.1.130"), "an enhanced PET image with many frames"),
        (_all(SOPClassUID="1.2.840.10008.5.1.4.1.1.7"), "holds no PT images"),
        (_garbage, "is no DICOM file"),
    ],
)
def test_a_fault_is_refused_with_its_place(
    write_body: Write, tmp_path: Path, no_canary: Callable[..., None], fault: Callable[[list[Path]], None], told: str
) -> None:
    paths = write_body(tmp_path)
    fault(paths)
    with pytest.raises(InputError, match=told) as refused:
        read_volume(read_series(tmp_path, "PT"))
    assert str(refused.value).startswith(str(tmp_path))
    no_canary(refused.value)


@pytest.mark.parametrize(
    "keyword",
    [
        *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope"),
        *("Rows", "StudyInstanceUID", "SeriesInstanceUID"),
    ],
)
def test_what_is_missing_is_named(write_body: Write, tmp_path: Path, keyword: str) -> None:
    write_body(tmp_path, changes={keyword: None})
    with pytest.raises(InputError, match=f"{keyword} .*is missing"):
        read_series(tmp_path, "PT")


def test_a_localizer_is_no_slice(write_body: Write, tmp_path: Path) -> None:
    write_body(tmp_path, "CT", changes={"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]})
    with pytest.raises(InputError, match="LOCALIZER"):
        read_series(tmp_path, "CT")


def test_padding_of_ct_is_air(write_slices: Write, tmp_path: Path) -> None:
    write_slices(tmp_path, np.full((2, 4, 4), -3000.0), np.array([[0, 0, 0], [0, 0, 5]]), modality="CT")
    assert read_volume(read_series(tmp_path, "CT")).values.min() == -1024


def test_nothing_but_the_list_is_kept(write_body: Write, tmp_path: Path, no_canary: Callable[..., None]) -> None:
    write_body(tmp_path)
    series = read_series(tmp_path, "PT")
    no_canary(repr(series), repr(series.slices))
    from imaging.data.formats.header import read_header

    header = read_header(tmp_path / "PT000.dcm")
    for keyword in ("PatientName", "PatientID", "PatientBirthDate"):
        assert keyword not in header.dataset
        with pytest.raises(KeyError):
            header.text(keyword)
    assert (0x0011, 0x1001) not in header.dataset


@pytest.mark.parametrize("keyword", ["PatientWeight", "PixelSpacing", "SeriesTime", "Rows", "RescaleSlope", "Units"])
def test_a_name_where_a_number_should_be_is_not_repeated(
    write_body: Write,
    tmp_path: Path,
    no_canary: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    keyword: str,
) -> None:
    from pydicom.datadict import tag_for_keyword
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    def change(number: int, dataset: Any) -> None:
        vr = dataset[keyword].VR
        tag = Tag(tag_for_keyword(keyword))
        dataset[tag] = RawDataElement(tag, vr, 14, b"CANARY^PATIENT", 0, False, True)

    caplog.set_level(logging.DEBUG)
    write_body(tmp_path, changes={"Units": "BQML"}, change=change)
    with pytest.raises(InputError) as refused:
        read_volume(read_series(tmp_path, "PT"))
    assert keyword in str(refused.value) or keyword == "Rows"
    no_canary(refused.value, caplog.text, *capfd.readouterr())


@pytest.fixture(scope="module")
def tiny(write_slices: Write, tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("tiny")
    positions = np.array([[0.0, 0.0, 5.0 * number] for number in range(3)])
    changes = {"Units": "BQML"}
    return [
        path.read_bytes()
        for path in write_slices(folder, np.random.default_rng(0).random((3, 4, 4)), positions, changes=changes)
    ]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_bytes_are_flipped_it_is_a_series_or_one_error(
    tiny: list[bytes], tmp_path_factory: pytest.TempPathFactory, no_canary: Callable[..., None], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("flipped")
    for number, content in enumerate(tiny):
        changed = bytearray(content)
        if number == 1:
            for place in data.draw(st.lists(st.integers(128, len(content) - 1), min_size=1, max_size=8)):
                changed[place] = data.draw(st.integers(0, 255))
            del changed[data.draw(st.one_of(st.none(), st.integers(0, len(content)))) or len(content) :]
        (folder / f"{number}.dcm").write_bytes(changed)
    try:
        series = read_series(folder, "PT")
        volume = read_volume(series)
    except InputError as error:
        assert error.origin.startswith(str(folder))
        no_canary(error)
    else:
        assert isinstance(series, Series) and np.isfinite(volume.values).all()


def test_a_folder_without_files_and_no_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no files"):
        read_series(tmp_path, "PT")
    with pytest.raises(InputError, match="neither a file nor a folder"):
        read_series(tmp_path / "nowhere", "PT")


def test_files_are_counted_before_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from imaging.data.formats import header

    monkeypatch.setattr(header, "MAX_FILES", 3)
    monkeypatch.setattr(header, "MAX_FILE_BYTES", 10)
    for number in range(4):
        (tmp_path / f"{number}").write_bytes(b"x" * 11)
    with pytest.raises(InputError, match="more than 3 files"):
        read_series(tmp_path, "PT")
    with pytest.raises(InputError, match="larger than 10 bytes"):
        read_series(tmp_path / "0", "PT")


def test_a_deflated_file_is_not_unpacked(write_body: Write, tmp_path: Path) -> None:
    (path, *_) = write_body(tmp_path)
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    dataset.save_as(path)
    with pytest.raises(InputError, match="TransferSyntaxUID"):
        read_series(tmp_path, "PT")
