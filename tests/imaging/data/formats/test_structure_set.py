"""Contours become the voxels whose centre they enclose, holes are holes, and what is no region is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imaging.data.formats.structure_set import filled, read_structure
from imaging.data.grid import Grid, axis_aligned
from meddojo.errors import InputError

pydicom = pytest.importorskip("pydicom")

_GRID = axis_aligned((6, 20, 30), (4.0, 2.0, 2.0))
Points = list[tuple[float, float, float]]


def _square(low: float, high: float, height: float) -> Points:
    """In mm."""
    return [(low, low, height), (high, low, height), (high, high, height), (low, high, height)]


def _written(
    path: Path,
    regions: dict[str, list[Points]],
    *,
    kind: str = "CLOSED_PLANAR",
    frame_of_reference: str = "1.2.3",
) -> Path:
    from pydicom.dataset import Dataset, FileMetaDataset

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.481.3", "1.2.3.4"
    dataset.PatientName = dataset.PatientID = dataset.OperatorsName = "CANARY^PATIENT"
    dataset.StructureSetLabel = dataset.ReviewerName = "CANARY"
    dataset.StructureSetROISequence, dataset.ROIContourSequence = [], []
    for number, (name, contours) in enumerate(regions.items(), start=1):
        region, drawn = Dataset(), Dataset()
        region.ROINumber, region.ROIName, region.ROIDescription = number, name, "CANARY^PATIENT"
        region.ReferencedFrameOfReferenceUID = frame_of_reference
        drawn.ReferencedROINumber, drawn.ContourSequence = number, []
        for points in contours:
            contour = Dataset()
            contour.ContourGeometricType, contour.NumberOfContourPoints = kind, len(points)
            contour.ContourData = [f"{value:.6g}" for point in points for value in point]
            drawn.ContourSequence.append(contour)
        dataset.StructureSetROISequence.append(region)
        dataset.ROIContourSequence.append(drawn)
    dataset.save_as(path, enforce_file_format=True)
    return path


def test_centres_within_a_contour_are_the_region(tmp_path: Path) -> None:
    path = _written(tmp_path / "s.dcm", {"GTV": [_square(5, 17, 8), _square(5, 17, 12)], "other": [_square(0, 9, 0)]})
    mask = read_structure(path, "GTV", _GRID)
    expected = np.zeros(_GRID.shape, np.bool_)
    expected[2:4, 3:9, 3:9] = True  # centres at 6, 8 ... 16 mm
    assert np.array_equal(mask.values, expected) and mask.notes == () and mask.grid is _GRID


def test_an_inner_contour_is_a_hole_and_one_in_it_an_island(tmp_path: Path) -> None:
    path = _written(tmp_path / "s.dcm", {"GTV": [_square(1, 35, 8), _square(9, 27, 8), _square(15, 21, 8)]})
    mask = read_structure(path, None, _GRID).values[2]
    assert mask[2, 2] and not mask[6, 6] and mask[9, 9] and mask.sum() == 17**2 - 9**2 + 3**2


def test_a_keyhole_is_a_hole(tmp_path: Path) -> None:
    outer, inner = _square(1, 35, 8), _square(9, 27, 8)
    keyhole = [*outer, outer[0], inner[0], *inner[::-1]]
    path = _written(tmp_path / "s.dcm", {"GTV": [keyhole]}, kind="CLOSEDPLANAR_XOR")
    assert read_structure(path, "GTV", _GRID).values.sum() == 17**2 - 9**2


def test_contours_of_other_slices_reach_half_way_to_the_next(tmp_path: Path) -> None:
    # drawn every 3 mm on CT, slices of PET are every 4 mm
    path = _written(tmp_path / "s.dcm", {"GTV": [_square(5, 17, height) for height in (6.5, 9.5, 12.5)]})
    heights = np.flatnonzero(read_structure(path, "GTV", _GRID).values.any(axis=(1, 2))) * 4.0
    assert heights.tolist() == [8.0, 12.0]  # of those from 5 to 14 mm


def test_a_plane_without_contour_is_empty_and_told(tmp_path: Path) -> None:
    path = _written(tmp_path / "s.dcm", {"GTV": [_square(5, 17, height) for height in (4, 8, 16)]})
    mask = read_structure(path, "GTV", _GRID)
    assert mask.values.any(axis=(1, 2)).tolist() == [False, True, True, False, True, False]
    assert mask.notes == ("1 of 4 planes between the contours have none",)


def test_a_turned_grid_has_the_region_at_the_same_place(tmp_path: Path) -> None:
    path = _written(tmp_path / "s.dcm", {"GTV": [[(5, 3, 8), (17, 3, 8), (17, 25, 8), (5, 25, 8)]]})
    angle = np.radians(25)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    grid = Grid((3, 40, 40), np.array([-10.0, 0.0, 4.0]), np.diag([4.0, 1.5, 1.5])[:, ::-1] @ turn)
    mask = read_structure(path, "GTV", grid).values
    points = grid.points(np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), axis=-1).astype(np.float64))
    within = ((points > [5, 3, 6.5]) & (points < [17, 25, 9.5])).all(axis=-1)
    assert np.array_equal(mask, within) and within.sum() > 50


@pytest.mark.parametrize(
    ("regions", "name", "options", "told"),
    [
        ({"GTV": [_square(5, 17, 8)]}, "CTV", {}, "there are: GTV"),
        ({"GTV": [_square(5, 17, 8)], "a^b": [_square(5, 17, 8)]}, None, {}, "2 regions: one has to be chosen"),
        ({"CANARY^PATIENT": [_square(5, 17, 8)]}, "GTV", {}, "none with a plain name"),
        ({"GTV": []}, "GTV", {}, "no closed contour"),
        ({"GTV": [_square(5, 17, 8)]}, "GTV", {"kind": "POINT"}, "no closed contour"),
        ({"GTV": [_square(5, 17, 8)[:2]]}, "GTV", {}, "6 numbers, not three"),
        ({"GTV": [[(5, 5, 8), (9, 5, 8), (9, 9, 12)]]}, "GTV", {}, "parallel to the slices"),
        ({"GTV": [_square(5, 17, height) for height in (4, 8, 9.5)]}, "GTV", {}, "not evenly spaced"),
        ({"GTV": [_square(5, 1e7, 8)]}, "GTV", {}, "more than 100000 mm away"),
    ],
)
def test_what_is_no_region_is_refused(
    tmp_path: Path,
    no_canary: Callable[..., None],
    regions: dict[str, list[Points]],
    name: str | None,
    options: Any,
    told: str,
) -> None:
    path = _written(tmp_path / "s.dcm", regions, **options)
    with pytest.raises(InputError, match=told) as refused:
        read_structure(path, name, _GRID)
    assert refused.value.origin == str(path)
    no_canary(refused.value)


def test_another_frame_of_reference_is_told(tmp_path: Path) -> None:
    path = _written(tmp_path / "s.dcm", {"GTV": [_square(5, 17, 8)]})
    assert read_structure(path, "GTV", _GRID, "1.2.3").notes == ()
    assert "another frame of reference" in read_structure(path, "GTV", _GRID, "1.2.4").notes[0]


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_bytes_are_flipped_it_is_a_mask_or_one_error(
    tmp_path_factory: pytest.TempPathFactory, no_canary: Callable[..., None], data: st.DataObject
) -> None:
    path = _written(tmp_path_factory.mktemp("structures") / "s.dcm", {"GTV": [_square(5, 17, 8), _square(5, 17, 12)]})
    content = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(132, len(content) - 1), min_size=1, max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        found = read_structure(path, None, _GRID)
    except InputError as error:
        assert error.origin == str(path)
        no_canary(error)
    else:
        assert found.values.shape == _GRID.shape


@given(st.lists(st.tuples(st.floats(-3, 12), st.floats(-3, 12)), min_size=3, max_size=9))
def test_filling_is_the_even_odd_rule(points: list[tuple[float, float]]) -> None:
    polygon = np.array(points)
    found = filled(polygon, (8, 9))
    for row in range(8):
        for column in range(9):
            crossings = 0
            for (row0, column0), (row1, column1) in zip(points, [*points[1:], points[0]], strict=True):
                if (row0 <= row) != (row1 <= row):
                    at = column0 + (row - row0) / (row1 - row0) * (column1 - column0)
                    crossings += at <= column
            near = any(abs(column - each[1]) < 1e-9 for each in points)
            if not near:
                assert found[row, column] == (crossings % 2 == 1)
