"""Cases from files: the same from every format, with CT and masks on the grid of PET."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imaging.data.cases import Case, read_cases, write_case
from imaging.data.formats.series import read_series
from imaging.data.importing import import_case, mask_for
from imaging.synthetic.phantom import Phantom
from meddojo.errors import InputError

nibabel = pytest.importorskip("nibabel")
pytest.importorskip("pydicom")

Write = Callable[..., list[Path]]


def _nifti(path: Path, values: np.ndarray[Any, Any], spacing: tuple[float, ...], origin: tuple[float, ...]) -> Path:
    """Of an array of the convention, at a place in LPS."""
    affine = np.diag([-spacing[2], -spacing[1], spacing[0], 1.0])
    affine[:3, 3] = np.array(origin) * [-1, -1, 1]
    image = nibabel.Nifti1Image(values.transpose(2, 1, 0), affine)
    image.set_qform(affine, code=1)
    image.header.set_xyzt_units("mm")
    image.to_filename(path)
    return path


_ORIGIN = (-250.0, -250.0, 100.0)


@pytest.fixture
def files(write_body: Write, body: Phantom, tmp_path: Path) -> Path:
    """PET, CT and mask in both formats."""
    write_body(tmp_path / "pet")
    write_body(tmp_path / "ct", "CT")
    for name, values in (("pet", body.pet), ("ct", body.ct), ("mask", body.mask.astype(np.uint8))):
        _nifti(tmp_path / f"{name}.nii.gz", values, body.spacing_mm, _ORIGIN)
    return tmp_path


def test_dicom_and_nifti_make_the_same_case(files: Path, body: Phantom) -> None:
    dicom, notes = import_case("A", files / "pet", files / "ct", files / "mask.nii.gz")
    nifti, told = import_case("B", files / "pet.nii.gz", files / "ct.nii.gz", files / "mask.nii.gz")
    assert notes == () and told == (
        "PET: NIfTI tells no unit, taken for SUV in g/ml",
        "CT: NIfTI tells no unit, taken for HU",
    )
    assert dicom.spacing_mm == pytest.approx(body.spacing_mm)
    assert nifti.spacing_mm == pytest.approx(body.spacing_mm)
    assert np.array_equal(dicom.mask, nifti.mask) and np.array_equal(dicom.mask, body.mask)
    assert np.array_equal(nifti.pet, body.pet) and nifti.ct is not None and dicom.ct is not None
    assert np.abs(dicom.pet - nifti.pet).max() < body.pet.max() / 60_000
    assert np.abs(dicom.ct - nifti.ct).max() < 0.501


def test_what_is_written_is_what_was_read(files: Path, tmp_path: Path) -> None:
    from imaging.data.cases import add_case

    case, _ = import_case("A", files / "pet", files / "ct", files / "mask.nii.gz", patient="P")
    add_case(tmp_path / "cases", case)
    (found,) = read_cases(tmp_path / "cases")
    assert (found.name, found.patient) == ("A", "P") and np.array_equal(found.mask, case.mask)
    assert found.pet == pytest.approx(case.pet, rel=1e-3, abs=1e-3)


def test_ct_of_another_grid_is_brought_onto_that_of_pet(files: Path, body: Phantom) -> None:
    # twice as fine, and it begins elsewhere: linear values are the same at the same place
    fine = tuple(each / 2 for each in body.spacing_mm)
    slices, rows, columns = (2 * each for each in body.ct.shape)
    ramp = np.arange(slices)[:, None, None] * 10.0 + np.arange(rows)[:, None] + np.arange(columns) * 0.1
    origin = tuple(at - 4 * step for at, step in zip(_ORIGIN, fine[::-1], strict=True))
    path = _nifti(files / "fine.nii", ramp.astype(np.float32), fine, origin)
    case, notes = import_case("A", files / "pet", path)
    assert case.ct is not None
    # voxel i of PET is 2 i + 4 of CT
    assert case.ct[1, 2, 3] == pytest.approx(6 * 10 + 8 + 10 * 0.1, rel=1e-4)
    assert case.ct[-1, 0, 0] == -1024 and "CT covers" in " ".join(notes)


def test_ct_that_lies_elsewhere_is_refused(files: Path, body: Phantom) -> None:
    path = _nifti(files / "away.nii", body.ct, body.spacing_mm, (900.0, 0.0, 0.0))
    with pytest.raises(InputError, match="does not overlap PET"):
        import_case("A", files / "pet", path)


def test_ct_of_another_space_is_told(files: Path, write_body: Write) -> None:
    write_body(files / "ct2", "CT", changes={"FrameOfReferenceUID": "1.2.3"})
    _, notes = import_case("A", files / "pet", files / "ct2", files / "mask.nii.gz")
    assert notes == ("CT: of another frame of reference than PET",)


def test_without_a_mask_it_is_empty_and_told(files: Path) -> None:
    case, notes = import_case("A", files / "pet")
    assert not case.mask.any() and case.ct is None and notes == ("mask: none was given, it is empty",)


def test_a_value_of_nifti_is_a_segment(files: Path, body: Phantom) -> None:
    labels = body.mask.astype(np.uint8)
    labels[0, :3, :3] = 2
    path = _nifti(files / "labels.nii", labels, body.spacing_mm, _ORIGIN)
    case, _ = import_case("A", files / "pet", mask=path, segment="2")
    assert case.mask.sum() == 9 and case.mask[0, :3, :3].all()
    for segment in ("3", "liver"):
        with pytest.raises(InputError, match="none has the value"):
            import_case("A", files / "pet", mask=path, segment=segment)


def test_a_mask_beside_pet_is_refused_and_one_that_sticks_out_told(files: Path, body: Phantom) -> None:
    away = _nifti(files / "away.nii", body.mask.astype(np.uint8), body.spacing_mm, (900.0, 0.0, 0.0))
    with pytest.raises(InputError, match=r"none of the .* ml of the mask"):
        import_case("A", files / "pet", mask=away)
    whole = np.ones(body.mask.shape, np.uint8)
    out = _nifti(files / "out.nii", whole, body.spacing_mm, (0.0, -250.0, 100.0))
    _, notes = import_case("A", files / "pet", mask=out)
    assert any("ml became" in each for each in notes)


def test_a_segmentation_of_ours_comes_back_as_the_mask(files: Path, body: Phantom) -> None:
    pytest.importorskip("highdicom")
    from imaging.data.formats.segmentation_object import write_segmentation

    write_segmentation(body.mask, read_series(files / "pet", "PT"), files / "seg.dcm")
    case, notes = import_case("A", files / "pet", mask=files / "seg.dcm")
    assert notes == () and np.array_equal(case.mask, body.mask)


def test_activity_in_nifti_is_refused(files: Path, body: Phantom) -> None:
    path = _nifti(files / "activity.nii", body.pet * 20_000, body.spacing_mm, _ORIGIN)
    with pytest.raises(InputError, match="activity in Bq/ml"):
        import_case("A", path)


def test_pictures_make_a_case_of_one_slice(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    for name, values in (("pet", [[0, 255]]), ("ct", [[51, 255]]), ("mask", [[0, 255]])):
        image.fromarray(np.array(values, np.uint8)).save(tmp_path / f"{name}.png")
    paths = [tmp_path / f"{name}.png" for name in ("pet", "ct", "mask")]
    case, notes = import_case("A", *paths, picture_spacing_mm=(4.0, 2.0, 2.0))
    assert case.pet.tolist() == [[[0.0, 15.0]]] and case.mask.tolist() == [[[False, True]]]
    assert case.ct is not None and case.ct[0, 0] == pytest.approx([-80, 240])
    assert any("no measurement" in each for each in notes)
    with pytest.raises(InputError, match="--picture-spacing"):
        import_case("A", paths[0])


def test_a_file_that_is_no_mask_is_refused(files: Path) -> None:
    with pytest.raises(InputError, match="neither a segmentation nor an RT structure set"):
        import_case("A", files / "pet", mask=next((files / "ct").iterdir()))
    with pytest.raises(InputError, match="6 files: name that with the mask"):
        import_case("A", files / "pet", mask=files / "ct")


def test_masks_made_on_a_series(files: Path, body: Phantom, tmp_path: Path) -> None:
    series = read_series(files / "pet", "PT")
    case = Case("A", "A", body.pet, None, body.mask, body.spacing_mm)
    write_case(tmp_path, case)
    assert np.array_equal(mask_for(series, tmp_path / "A.npz"), body.mask)
    assert np.array_equal(mask_for(series, files / "mask.nii.gz"), body.mask)
    write_case(tmp_path, replace(case, name="B", pet=body.pet[1:], mask=body.mask[1:]))
    with pytest.raises(InputError, match="has the shape"):
        mask_for(series, tmp_path / "B.npz")
    np.savez(tmp_path / "C.npz", mask=np.zeros((2, 2)))
    with pytest.raises(InputError, match="has 2 dimensions"):
        mask_for(series, tmp_path / "C.npz")
