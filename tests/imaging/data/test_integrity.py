"""What is odd about cases is told, and of good ones nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imaging.data.cases import Case, read_cases
from imaging.data.grid import Grid, axis_aligned
from imaging.data.integrity import geometry_problems, problems


def test_nothing_is_odd_about_good_cases(tiny_cases: Path) -> None:
    assert list(problems(read_cases(tiny_cases))) == []
    assert list(problems([])) == []


def test_nothing_is_odd_about_the_real_ones(shared_data: Path) -> None:
    assert list(problems(read_cases(shared_data / "sts_petct"))) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda case: replace(case, pet=case.pet * 5000), "Bq/ml"),
        (lambda case: replace(case, pet=case.pet / 5000), "another unit, or scaled"),
        (lambda case: replace(case, pet=np.zeros_like(case.pet)), "same everywhere"),
        (lambda case: replace(case, pet=case.pet - 1), "cannot be negative"),
        (lambda case: replace(case, ct=case.ct + 1024), "not rescaled"),
        (lambda case: replace(case, mask=np.zeros_like(case.mask)), "mask is empty"),
        (lambda case: replace(case, mask=~case.mask), "inverted"),
        (lambda case: replace(case, spacing_mm=(50.0, *case.spacing_mm[1:])), "50 mm between slices, where 5 mm"),
    ],
)
def test_each_oddity_is_told_of_its_case_alone(tiny_cases: Path, change: Callable[[Case], Case], told: str) -> None:
    first, *rest = read_cases(tiny_cases)
    (problem,) = problems([change(first), *rest])
    assert problem.startswith(f"{first.name}: ") and told in problem


_PET = axis_aligned((4, 8, 8), (5.0, 4.0, 4.0))


def _turned(degrees: float) -> Grid:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    return replace(_PET, steps_mm=_PET.steps_mm @ turn)


def _moved(millimetres: float) -> Grid:
    return replace(_PET, origin_mm=np.array([0.0, 0.0, millimetres]))


@pytest.mark.parametrize(("axis", "name"), [(0, "slices"), (1, "rows"), (2, "columns")])
def test_a_mirrored_ct_is_told_of_every_real_case(shared_data: Path, axis: int, name: str) -> None:
    cases = [case for case in read_cases(shared_data / "sts_petct") if case.ct is not None]
    told = list(problems(replace(case, ct=np.flip(case.ct, axis)) for case in cases if case.ct is not None))
    assert [each for each in told if f"with its {name} in reverse order" in each] == [
        f"{case.name}: CT fits PET better with its {name} in reverse order: is one of them mirrored?" for case in cases
    ]


def test_a_narrow_ct_of_the_whole_height_is_usual() -> None:
    narrow = Grid((4, 6, 6), np.array([4.0, 4.0, 0.0]), _PET.steps_mm)
    assert list(geometry_problems(_PET, narrow)) == []


def test_nothing_is_odd_about_volumes_that_lie_together() -> None:
    assert list(geometry_problems(_PET, _PET, _PET)) == list(geometry_problems(_turned(1))) == []


@pytest.mark.parametrize(
    ("volumes", "told"),
    [
        ((_turned(10),), "PET is 10 degrees oblique"),
        ((_PET, _turned(3)), "CT is 3 degrees oblique"),
        ((_PET, _moved(10.0)), "CT covers 50% of the middle of PET"),
        ((_PET, _moved(100.0)), "CT does not overlap PET"),
        ((_PET, None, _moved(100.0)), "the mask does not overlap PET"),
    ],
)
def test_what_is_odd_about_where_volumes_lie_is_told(volumes: tuple[Grid, ...], told: str) -> None:
    (problem,) = geometry_problems(*volumes)
    assert told in problem
