"""Pictures: there, the same for the same data, and showing what they should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imaging.data.cases import Case, read_cases
from imaging.segmentation.metrics import reliability

pytest.importorskip("matplotlib")
PIL = pytest.importorskip("PIL.Image")

from imaging.uncertainty.figures import (  # noqa: E402
    case_panel,
    reliability_diagram,
    risk_coverage_curve,
    telling_slice,
)


@pytest.fixture(scope="module")
def case(tiny_cases: Path) -> Case:
    return next(iter(read_cases(tiny_cases)))


def _drawn(path: Path) -> Any:
    with PIL.open(path) as image:
        return np.asarray(image.convert("RGB"))


def test_a_reliability_diagram_shows_each_region(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    values = random.random(500)
    diagrams = {"whole": reliability(values, random.random(500) < values)}
    both = diagrams | {"near": reliability(values / 3, random.random(500) < values)}
    for path, which in (("one", diagrams), ("two", both), ("again", both)):
        reliability_diagram(tmp_path / path, which, which)
    assert _drawn(tmp_path / "two").shape[1] == 2 * _drawn(tmp_path / "one").shape[1]
    assert (tmp_path / "two").read_bytes() == (tmp_path / "again").read_bytes()


def test_a_risk_coverage_curve_depends_on_the_order(tmp_path: Path) -> None:
    for path, scores in (("good", [0.1, 0.2, 0.9]), ("bad", [0.9, 0.2, 0.1])):
        risk_coverage_curve(tmp_path / path, {"entropy": scores}, [0.9, 0.8, 0.1])
    assert not np.array_equal(_drawn(tmp_path / "good"), _drawn(tmp_path / "bad"))


def test_a_panel_has_a_part_for_each_map_there_is(tmp_path: Path, case: Case) -> None:
    heat = np.zeros(case.mask.shape, dtype=np.float32)
    case_panel(tmp_path / "all.png", case, case.mask, heat, heat)
    case_panel(tmp_path / "heat.png", case, case.mask, heat)
    case_panel(tmp_path / "none.png", case, np.zeros_like(case.mask), None)
    widths = [_drawn(tmp_path / f"{name}.png").shape[1] for name in ("all", "heat", "none")]
    assert widths == sorted(widths, reverse=True) and widths[0] == 2 * widths[2]


def test_the_slice_is_that_with_the_most_of_truth_and_prediction(case: Case) -> None:
    predicted = np.zeros_like(case.mask)
    for number in range(len(predicted)):
        predicted[:] = False
        predicted[number] = True
        assert telling_slice(case, predicted) == number
