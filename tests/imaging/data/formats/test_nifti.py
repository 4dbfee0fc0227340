"""NIfTI: the same case as DICOM, the right side of the patient, and files with a fault refused."""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imaging.data.formats.nifti import read_nifti
from imaging.data.formats.series import read_series, read_volume
from imaging.data.grid import Volume
from imaging.synthetic.phantom import Phantom
from meddojo.errors import InputError

nibabel = pytest.importorskip("nibabel")


def _saved(path: Path, values: np.ndarray[Any, Any], affine: Any, **codes: int) -> Path:
    image = nibabel.Nifti1Image(values, affine)
    image.set_sform(affine, code=codes.get("sform", 1))
    image.set_qform(affine, code=codes.get("qform", 1))
    image.header.set_xyzt_units("mm")
    image.header["descrip"], image.header["db_name"] = b"CANARY^PATIENT", b"CANARY"
    image.to_filename(path)
    return path


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_the_same_phantom_is_the_same_in_dicom(
    body: Phantom, write_body: Callable[..., list[Path]], tmp_path: Path, suffix: str
) -> None:
    # as most tools write it: indices grow to the right, front and head
    spacing = body.spacing_mm
    right_front = body.pet.transpose(2, 1, 0)[::-1, ::-1]
    affine = np.diag([spacing[2], spacing[1], spacing[0], 1.0])
    affine[:3, 3] = [250.0 - 23 * spacing[2], 250.0 - 23 * spacing[1], 100.0]
    volume = read_nifti(_saved(tmp_path / f"pet{suffix}", right_front, affine))
    assert np.array_equal(volume.values, body.pet) and volume.notes == ()
    write_body(tmp_path / "dicom")
    dicom = read_volume(read_series(tmp_path / "dicom", "PT"))
    assert volume.grid.fits(dicom.grid, 1e-4)
    assert np.abs(volume.values - dicom.values).max() <= body.pet.max() / 60_000


_SIGNED = [
    (order, signs) for order in itertools.permutations(range(3)) for signs in itertools.product((1.0, -1.0), repeat=3)
]


@pytest.mark.parametrize(("order", "signs"), _SIGNED)
def test_left_back_and_head_are_where_they_are(tmp_path: Path, order: Any, signs: Any) -> None:
    affine = np.eye(4)
    affine[:3, :3] = (np.eye(3)[list(order)] * np.array(signs)[:, None]).T * np.array([2.0, 3.0, 4.0])
    values = np.zeros((4, 5, 6), np.float32)
    indices = np.stack(np.meshgrid(*map(np.arange, values.shape), indexing="ij"), axis=-1)
    places = indices @ affine[:3, :3].T
    # in RAS, left and back are the lowest and head is the highest
    corner = np.unravel_index((places @ np.array([-1, -1, 1])).argmax(), values.shape)
    values[corner] = 7.0
    volume = read_nifti(_saved(tmp_path / "a.nii", values, affine))
    assert np.unravel_index(volume.values.argmax(), volume.values.shape) == tuple(
        each - 1 for each in volume.values.shape
    )


def test_integers_are_scaled(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(np.arange(24, dtype=np.int16).reshape(2, 3, 4), np.diag([-1, -1, 1, 1]))
    image.header.set_slope_inter(0.5, 10.0)
    image.to_filename(tmp_path / "a.nii")
    assert read_nifti(tmp_path / "a.nii").values == pytest.approx(
        10 + 0.5 * np.arange(24).reshape(2, 3, 4).transpose(2, 1, 0)
    )


def _changed(path: Path, change: Callable[[Any], None], *, shape: tuple[int, ...] = (3, 4, 5)) -> Path:
    image = nibabel.Nifti1Image(np.ones(shape, np.float32), np.diag([2.0, 2.0, 2.0, 1.0]))
    image.header.set_xyzt_units("mm")
    image.set_qform(image.affine, code=1)
    change(image)
    image.to_filename(path)
    return path


def _shifted(image: Any) -> None:
    image.set_qform(image.affine + np.array([[0, 0, 0, 1.5]] * 3 + [[0] * 4]), code=1)


def _zooms(image: Any) -> None:
    image.set_qform(None, code=0)
    image.header["pixdim"][1:4] = 7


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda image: image.header.set_xyzt_units("unknown"), "unit of length: taken for mm"),
        (_shifted, "sform and qform are up to 2.6 apart; the sform counts"),
        (_zooms, "pixdim says 7 x 7 x 7 mm, the transform 2 x 2 x 2 mm"),
    ],
)
def test_what_is_doubtful_is_told(tmp_path: Path, change: Callable[[Any], None], told: str) -> None:
    (note,) = read_nifti(_changed(tmp_path / "a.nii", change)).notes
    assert told in note


def test_metres_become_millimetres(tmp_path: Path) -> None:
    def change(image: Any) -> None:
        image.set_sform(np.diag([0.002, 0.002, 0.003, 1.0]), code=1)
        image.set_qform(np.diag([0.002, 0.002, 0.003, 1.0]), code=1)
        image.header.set_xyzt_units("meter")

    assert read_nifti(_changed(tmp_path / "a.nii", change)).grid.spacing_mm == pytest.approx((3.0, 2.0, 2.0))


def _no_codes(image: Any) -> None:
    image.set_qform(None, code=0)
    image.set_sform(None, code=0)


def _sheared(image: Any) -> None:
    image.set_qform(None, code=0)
    image.set_sform(np.array([[2, 1, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1.0]]), code=1)


@pytest.mark.parametrize(
    ("change", "shape", "told"),
    [
        (lambda image: None, (3, 4, 5, 2), "has 4 dimensions"),
        (lambda image: None, (3, 4), "has 2 dimensions"),
        (_no_codes, (3, 4, 5), "which side is left"),
        (lambda image: image.set_qform(np.diag([-2.0, 2, 2, 1]), code=1), (3, 4, 5), "different directions"),
        (_sheared, (3, 4, 5), "from orthogonal"),
        (lambda image: image.header.set_xyzt_units("meter"), (3, 4, 5), "2000 mm between"),
    ],
)
def test_a_fault_is_refused(tmp_path: Path, change: Callable[[Any], None], shape: tuple[int, ...], told: str) -> None:
    path = _changed(tmp_path / "a.nii", change, shape=shape)
    with pytest.raises(InputError, match=told) as refused:
        read_nifti(path)
    assert refused.value.origin == str(path)


def test_a_last_dimension_of_one_is_no_fourth(tmp_path: Path) -> None:
    assert read_nifti(_changed(tmp_path / "a.nii", lambda image: None, shape=(3, 4, 5, 1))).grid.shape == (5, 4, 3)


@pytest.mark.parametrize("kind", [np.complex64, np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])])
def test_colours_and_complex_numbers_are_refused(tmp_path: Path, kind: Any) -> None:
    nibabel.Nifti1Image(np.zeros((2, 2, 2), kind), np.eye(4)).to_filename(tmp_path / "a.nii")
    with pytest.raises(InputError, match="datatype"):
        read_nifti(tmp_path / "a.nii")


def test_values_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    values = np.ones((2, 2, 2), np.float32)
    values[0, 0, 0] = np.nan
    nibabel.Nifti1Image(values, np.eye(4)).to_filename(tmp_path / "a.nii")
    with pytest.raises(InputError, match="no numbers"):
        read_nifti(tmp_path / "a.nii")


def test_a_header_that_promises_too_much_is_not_believed(tmp_path: Path) -> None:
    path = _changed(tmp_path / "a.nii", lambda image: None)
    content = bytearray(path.read_bytes())
    content[42:48] = np.array([32_000] * 3, "<i2").tobytes()
    path.write_bytes(content)
    with pytest.raises(InputError, match="in all are read"):
        read_nifti(path)
    content[42:48] = np.array([300] * 3, "<i2").tobytes()
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(bytes(content)))
    with pytest.raises(InputError, match="ends before its last voxel"):
        read_nifti(tmp_path / "b.nii.gz")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_nifti(tmp_path / "a.nii")


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), packed=st.booleans())
def test_whatever_bytes_are_flipped_it_is_a_volume_or_one_error(
    tmp_path_factory: pytest.TempPathFactory, no_canary: Callable[..., None], data: st.DataObject, packed: bool
) -> None:
    path = tmp_path_factory.mktemp("nifti") / "a.nii"
    content = bytearray(_saved(path, np.ones((2, 3, 4), np.float32), np.diag([2.0, 2.0, 2.0, 1.0])).read_bytes())
    if packed:
        content = bytearray(gzip.compress(bytes(content), mtime=0))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    del content[data.draw(st.one_of(st.none(), st.integers(0, len(content)))) or len(content) :]
    path.write_bytes(content)
    try:
        volume = read_nifti(path)
    except InputError as error:
        assert error.origin == str(path)
        no_canary(error)
    else:
        assert isinstance(volume, Volume) and np.isfinite(volume.values).all()
        no_canary(*volume.notes)
