"""What is odd about cases is told, and of good ones nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imaging.data.cases import Case, read_cases
from imaging.data.integrity import problems


def test_nothing_is_odd_about_good_cases(tiny_cases: Path) -> None:
    assert list(problems(read_cases(tiny_cases))) == []
    assert list(problems([])) == []


def test_nothing_is_odd_about_the_real_ones(shared_data: Path) -> None:
    assert list(problems(read_cases(shared_data / "sts_petct"))) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda case: replace(case, pet=case.pet * 5000), "Bq/ml"),
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
