"""Cases on disk: what comes back, what is refused, and that no patient is on both sides of a division."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.data.cases import Case, Split, check_leakage, read_cases, split, write_case, write_index
from meddojo.errors import InputError


def _case(name: str = "A", seed: int = 0, patient: str = "") -> Case:
    random = np.random.default_rng(seed)
    shape = (2, 3, 4)
    return Case(
        name,
        patient or name,
        random.integers(0, 80, shape).astype(np.float32) / 4,
        random.integers(-1000, 1000, shape).astype(np.float32),
        random.random(shape) < 0.5,
        (5.0, 2.0, 3.0),
        7.5,
        True,
    )


def _written(folder: Path, *cases: Case) -> Path:
    write_index(folder, [write_case(folder, case) for case in cases])
    return folder


def test_what_is_written_is_read(tmp_path: Path) -> None:
    case = _case()
    (found,) = read_cases(_written(tmp_path, case))
    for name in ("name", "patient", "spacing_mm", "months", "event", "voxel_ml"):
        assert getattr(found, name) == getattr(case, name)
    for name in ("pet", "ct", "mask"):
        assert np.array_equal(getattr(found, name), getattr(case, name))
    assert found.voxel_ml == pytest.approx(0.03)
    assert found.digest() == case.digest() != _case(seed=1).digest()


def test_a_case_without_ct_and_survival_has_none(tmp_path: Path) -> None:
    (found,) = read_cases(_written(tmp_path, replace(_case(), ct=None, months=None, event=None)))
    assert found.ct is None and found.months is None and found.event is None


def test_the_real_data_are_read(shared_data: Path) -> None:
    cases = list(read_cases(shared_data / "sts_petct"))
    assert len(cases) == 36 and sum(case.ct is not None for case in cases) == 25
    index = json.loads((shared_data / "sts_petct" / "index.json").read_text())
    for case, record in zip(cases, index, strict=True):
        assert case.mask.sum() == record["mask_vox"]
        assert case.mask.sum() * case.voxel_ml == pytest.approx(record["mask_ml"], rel=0.01)
        assert case.mask.shape == tuple(reversed(record["shape"]))
    check_leakage(cases, split([case.patient for case in cases], 5, 0, 1))


def _changed(record: dict[str, Any], **values: Any) -> list[dict[str, Any]]:
    return [record | values]


@pytest.mark.parametrize(
    ("change", "position"),
    [
        (lambda record: [], "/"),
        (lambda record: {}, "/"),
        (lambda record: [record, record], "/1/id"),
        (lambda record: _changed(record, id="../../etc/passwd"), "/0/id"),
        (lambda record: _changed(record, id="A\n"), "/0/id"),
        (lambda record: _changed(record, patient=""), "/0/patient"),
        (lambda record: _changed(record, shape=[4, 3]), "/0/shape"),
        (lambda record: _changed(record, shape=[4, 3, -2]), "/0/shape/2"),
        (lambda record: _changed(record, spacing=[1, 0, 1]), "/0/spacing/1"),
        (lambda record: _changed(record, spacing=["1", 1, 1]), "/0/spacing/0"),
        (lambda record: _changed(record, event=None), "/0"),
        (lambda record: _changed(record, months=-1.0), "/0/months"),
    ],
)
def test_a_wrong_index_is_refused_with_its_place(
    tmp_path: Path, change: Callable[[dict[str, Any]], Any], position: str
) -> None:
    _written(tmp_path, _case())
    (record,) = json.loads((tmp_path / "index.json").read_text())
    (tmp_path / "index.json").write_text(json.dumps(change(record)))
    with pytest.raises(InputError) as refused:
        list(read_cases(tmp_path))
    assert refused.value.origin == str(tmp_path / "index.json") and refused.value.position.startswith(position)


def _replaced(path: Path, **arrays: Any) -> None:
    with np.load(path) as there:
        both = {name: there[name] for name in there.files} | arrays
    np.savez(path, **{name: array for name, array in both.items() if array is not None})


@pytest.mark.parametrize(
    ("arrays", "cause"),
    [
        ({"mask": None}, "is missing"),
        ({"pet_suv": np.zeros((2, 3, 4))}, "shape"),
        ({"pet_suv": np.full((4, 3, 2), np.nan)}, "no numbers"),
        ({"pet_suv": np.full((4, 3, 2), "text")}, "no numbers"),
        ({"mask": np.array([[[{}] * 2] * 3] * 4, dtype=object)}, "no archive of arrays"),
    ],
)
def test_wrong_arrays_are_refused(tmp_path: Path, arrays: dict[str, Any], cause: str) -> None:
    path = _written(tmp_path, _case()) / "A.npz"
    _replaced(path, **arrays)
    with pytest.raises(InputError, match=cause) as refused:
        list(read_cases(tmp_path))
    assert refused.value.origin == str(path)


def test_a_damaged_file_is_refused_at_every_length(tmp_path: Path) -> None:
    path = _written(tmp_path, _case()) / "A.npz"
    content = path.read_bytes()
    for length in range(0, len(content), 37):
        path.write_bytes(content[:length])
        with pytest.raises(InputError):
            list(read_cases(tmp_path))


def test_a_missing_folder_or_case_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="synthesize"):
        list(read_cases(tmp_path / "nowhere"))
    (_written(tmp_path, _case()) / "A.npz").unlink()
    with pytest.raises(InputError, match=r"A\.npz"):
        list(read_cases(tmp_path))


@given(count=st.integers(3, 40), folds=st.integers(2, 8), seed=st.integers(0, 9))
def test_over_all_folds_each_patient_is_in_the_test_once(count: int, folds: int, seed: int) -> None:
    patients = [f"P{number}" for number in range(count)] * 2
    if folds > count or count - -(-count // folds) < 2:
        with pytest.raises(InputError):
            for fold in range(folds):
                split(patients, folds, fold, seed)
        return
    parts = [split(patients, folds, fold, seed) for fold in range(folds)]
    assert sorted(name for part in parts for name in part.test) == sorted(set(patients))
    for part in parts:
        assert sorted(part.train + part.validation + part.test) == sorted(set(patients))
        assert part.train and part.validation


def test_a_patient_on_both_sides_is_found() -> None:
    with pytest.raises(InputError, match="in both train and test"):
        check_leakage([], Split(("A", "B"), ("C",), ("A",)))


def test_the_same_image_under_two_names_is_found_unless_it_is_the_same_part() -> None:
    cases = [_case("A"), _case("B", seed=1), _case("C")]
    check_leakage(cases, Split(("A", "C"), (), ("B",)))
    with pytest.raises(InputError, match="C: is the same image as A"):
        check_leakage(cases, Split(("A", "B"), (), ("C",)))
