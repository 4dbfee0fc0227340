"""``meddojo imaging import`` and ``export-seg``: from DICOM to a case and back, with nobody's name on the way."""

from __future__ import annotations

import importlib.util
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from imaging.data.cases import read_cases
from imaging.data.resample import resampled
from imaging.synthetic.phantom import Phantom
from imaging.synthetic.synthesize import synthesize
from scheduler.cli import app

pytest.importorskip("pydicom")
pytest.importorskip("highdicom", reason="the imaging extra is not installed")

Write = Callable[..., list[Path]]


def _run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["imaging", *map(str, arguments)])


@pytest.mark.parametrize("command", ["import", "export-seg"])
def test_each_explains_itself_with_an_example(command: str) -> None:
    done = _run(command, "--help")
    assert done.exit_code == 0 and f"meddojo imaging {command}" in done.stdout


@pytest.fixture
def files(write_body: Write, body: Phantom, tmp_path: Path) -> Path:
    """PET in Bq/ml and CT as DICOM, and the mask as it is exported."""
    write_body(tmp_path / "pet", changes={"Units": "BQML"})
    write_body(tmp_path / "ct", "CT")
    np.savez(tmp_path / "mask.npz", mask=body.mask.transpose(2, 1, 0))
    return tmp_path


def test_from_dicom_to_a_case_and_back(
    files: Path,
    body: Phantom,
    no_canary: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    out = _run("export-seg", "--mask", files / "mask.npz", "--series", files / "pet", "--out", files / "seg.dcm")
    assert out.exit_code == 0 and f"{body.mask.sum()} voxels on 6 slices" in out.stdout, out.stderr
    arguments = ("--pet", files / "pet", "--ct", files / "ct", "--mask", files / "seg.dcm", "--out", files / "cases")
    done = _run("import", *arguments, "--patient", "P1", "--json")
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["case"] == "CASE_0001" and told["shape"] == [6, 24, 24]
    assert told["mask_ml"] == pytest.approx(body.volume_ml, rel=1e-3)
    again = _run("import", *arguments, "--name", "SECOND", "--spacing", 5, 10, 10)
    assert again.exit_code == 0 and "SECOND" in again.stdout
    first, second = read_cases(files / "cases")
    assert (first.name, first.patient, second.name) == ("CASE_0001", "P1", "SECOND")
    assert np.array_equal(first.mask, body.mask) and second.spacing_mm == (5.0, 10.0, 10.0)
    factor = 80_000 / (400e6 * 2 ** (-3600 / 6586.2))
    assert first.pet == pytest.approx(body.pet * factor, rel=2e-3, abs=1e-6)
    for result in (out, done, again):
        no_canary(result.stdout, result.stderr, caplog.text)
    no_canary(files / "cases", files / "seg.dcm")
    for path in (files / "cases").glob("*.npz"):
        with np.load(path) as arrays:
            assert set(arrays) == {"pet_suv", "mask", "ct_hu_on_pet_grid"}
            assert all(arrays[name].dtype.kind in "fiu" for name in arrays)


def test_without_the_readers_the_extra_is_named(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pydicom" else find(name))
    for arguments in (
        ("import", "--pet", files / "pet", "--out", files / "cases"),
        ("export-seg", "--mask", files / "mask.npz", "--series", files / "pet", "--out", files / "seg.dcm"),
    ):
        done = _run(*arguments)
        assert done.exit_code == 2 and "needs pydicom" in done.stderr and "meddojo[imaging]" in done.stderr


def test_what_is_odd_is_told(files: Path) -> None:
    done = _run("import", "--pet", files / "pet", "--out", files / "cases")
    assert done.exit_code == 0
    assert "none was given" in done.stderr and "another unit, or scaled" in done.stderr


def test_cases_are_added_to_others(files: Path) -> None:
    synthesize(files / "cases", 2, 32, 1, 1)
    before = json.loads((files / "cases" / "index.json").read_text())
    assert _run("import", "--pet", files / "pet", "--out", files / "cases").exit_code == 0
    after = json.loads((files / "cases" / "index.json").read_text())
    assert after[:2] == before and [each.name for each in read_cases(files / "cases")][2] == "CASE_0001"
    content = (files / "cases" / "index.json").read_bytes()
    taken = _run("import", "--pet", files / "pet", "--out", files / "cases", "--name", "SYN_0001")
    assert taken.exit_code == 2 and "is there already" in taken.stderr
    odd = _run("import", "--pet", files / "pet", "--out", files / "cases", "--name", "../x")
    assert odd.exit_code == 2 and "a name has" in odd.stderr
    assert (files / "cases" / "index.json").read_bytes() == content and not (files / "x.npz").exists()


def test_a_fault_names_the_file_and_no_patient(files: Path, no_canary: Callable[..., None], write_body: Write) -> None:
    write_body(files / "pet", changes={"Units": "BQML"}, tracer={"RadionuclideTotalDose": None})
    done = _run("import", "--pet", files / "pet", "--out", files / "cases", "-v")
    assert done.exit_code == 2 and ".dcm: RadionuclideTotalDose (0018,1074): is missing" in done.stderr
    assert not (files / "cases").exists()
    no_canary(done.stdout, done.stderr)


def test_the_patient_is_kept_if_asked_for(files: Path) -> None:
    arguments = ("export-seg", "--mask", files / "mask.npz", "--series", files / "pet", "--out", files / "seg.dcm")
    assert _run(*arguments, "--keep-patient", "--label", "Sarcoma", "--json").exit_code == 0
    assert b"CANARY^PATIENT" in (files / "seg.dcm").read_bytes() and b"Sarcoma" in (files / "seg.dcm").read_bytes()
    again = _run(*arguments)
    assert again.exit_code == 2 and "is there already" in again.stderr


def test_a_mask_of_nifti_from_the_grid_of_a_case_lies_at_its_place(files: Path, body: Phantom) -> None:
    nibabel = pytest.importorskip("nibabel")
    from imaging.data.formats.segmentation_object import read_segmentation
    from imaging.data.formats.series import read_series

    spacing = body.spacing_mm
    affine = np.diag([-spacing[2], -spacing[1], spacing[0], 1.0])
    affine[:3, 3] = [250, 250, 100]
    nibabel.Nifti1Image(body.mask.transpose(2, 1, 0).astype(np.uint8), affine).to_filename(files / "mask.nii.gz")
    done = _run("export-seg", "--mask", files / "mask.nii.gz", "--series", files / "pet", "--out", files / "seg.dcm")
    assert done.exit_code == 0, done.stderr
    grid = read_series(files / "pet", "PT").grid
    found = resampled(read_segmentation(files / "seg.dcm", None), grid, order="nearest", outside=0)
    assert np.array_equal(found.values, body.mask)
