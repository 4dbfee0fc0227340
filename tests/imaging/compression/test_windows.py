"""Slices of any size through windows of one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.compression.windows import LARGEST, Window, images_of, in_windows
from imaging.data.cases import Case
from imaging.networks.config import NetworkConfig


@given(
    rows=st.integers(1, 70),
    columns=st.integers(1, 70),
    window=st.tuples(st.integers(1, 8), st.integers(1, 8)),
    multiple=st.sampled_from([1, 2, 4]),
)
def test_whatever_looks_at_one_pixel_gives_the_same_as_on_the_whole(
    rows: int, columns: int, window: tuple[int, int], multiple: int
) -> None:
    images = np.random.default_rng(rows).random((2, rows, columns, 3), dtype=np.float32)
    tall, wide = (length * multiple for length in window)
    shapes = []

    def segment(part: np.ndarray) -> np.ndarray:
        shapes.append(part.shape)
        return part[..., :2] * 2

    found = in_windows(images, Window(tall, wide, multiple), segment)
    assert np.array_equal(found, images[..., :2] * 2)
    assert set(shapes) == {(2, tall, wide, 3)}


def test_where_windows_overlap_the_pixel_far_from_the_edge_counts() -> None:
    images = np.zeros((1, 8, 56, 1), dtype=np.float32)
    starts = []

    def from_edge(part: np.ndarray) -> np.ndarray:
        """How far each column is from the edge of its window."""
        starts.append(part)
        columns = np.arange(part.shape[2])
        return np.broadcast_to(np.minimum(columns, columns[::-1])[:, None], (1, 8, len(columns), 1)).astype(np.float32)

    found = in_windows(images, Window(8, 32, 4), from_edge)[0, 0, :, 0]
    assert len(starts) == 3
    # in the first and the last window the outer edge is that of the image
    assert found[8:-8].min() >= 7 and found[0] == found[-1] == 0


def test_windows_begin_where_pixels_are_pooled_together() -> None:
    images = np.arange(100, dtype=np.float32).reshape(1, 1, 100, 1).repeat(8, axis=1)
    begins = []

    def segment(part: np.ndarray) -> np.ndarray:
        begins.append(int(part[0, 0, 0, 0]))
        return part

    in_windows(images, Window(8, 24, 8), segment)
    assert begins[0] == 0 and len(begins) > 4 and all(each % 8 == 0 for each in begins)


def test_a_window_holds_every_slice_whole() -> None:
    assert Window.around([_case(3, 30, 41), _case(2, 33, 12)], 8) == Window(48, 56, 8)
    assert Window.around([_case(1, 4000, 9)], 8) == Window(LARGEST, 24, 8)


@pytest.mark.parametrize(("rows", "multiple"), [(0, 1), (LARGEST + 8, 8), (12, 8)])
def test_windows_that_cannot_be(rows: int, multiple: int) -> None:
    with pytest.raises(ValueError, match="rows of a window"):
        Window(rows, 8, multiple)


def test_neighbours_are_shown_as_the_network_was_trained() -> None:
    images = images_of(_case(5, 6, 7), NetworkConfig(channels=2, context=1))
    assert images.shape == (5, 6, 7, 6)
    assert np.array_equal(images[1, ..., :2], images[0, ..., 2:4])


def _case(*shape: int) -> Case:
    random = np.random.default_rng(1)
    case = Case("A", "A", random.random(shape, dtype=np.float32), None, np.zeros(shape, dtype=bool), (1.0, 1.0, 1.0))
    return replace(case, ct=random.normal(0, 100, shape).astype(np.float32))
