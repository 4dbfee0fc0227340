"""Maps of many predictions, beside the same computed of all of them at once."""

from __future__ import annotations

import itertools
import math
import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from imaging.segmentation.metrics import dice
from imaging.uncertainty.maps import HIGHEST_ENTROPY, entropy, summarise

MEMBERS = arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.integers(1, 2), st.integers(1, 4), st.integers(1, 3)),
    elements=st.floats(0, 1, width=32),
)


@given(MEMBERS)
def test_they_are_those_of_brute_force(volumes: Any) -> None:
    found = summarise(iter(volumes))

    def of_one(probability: float) -> float:
        return -sum(each * math.log(each) for each in (probability, 1 - probability) if each > 0)

    for place in np.ndindex(volumes.shape[1:]):
        values = [float(volume[place]) for volume in volumes]
        mean = sum(values) / len(values)
        expected = sum(map(of_one, values)) / len(values)
        assert found.mean[place] == pytest.approx(mean, abs=1e-6)
        assert found.predictive_entropy[place] == pytest.approx(of_one(mean), abs=1e-6)
        assert found.expected_entropy[place] == pytest.approx(expected, abs=1e-6)
        assert found.mutual_information[place] == pytest.approx(of_one(mean) - expected, abs=1e-6)
        assert found.variance[place] == pytest.approx(np.var(values), abs=1e-6)
    pairs = [dice(one > 0.5, other > 0.5) for one, other in itertools.combinations(volumes, 2)]
    assert found.disagreement == pytest.approx(1 - np.mean(pairs) if pairs else 0.0, abs=1e-9)
    assert found.members == len(volumes)


def test_what_members_agree_on_is_noise_and_what_they_do_not_can_be_learned() -> None:
    agreed, torn = np.array([[[0.5, 1.0]]], dtype=np.float32), np.array([[[0.5, 0.0]]], dtype=np.float32)
    found = summarise([agreed, torn])
    assert found.mutual_information[0, 0].tolist() == pytest.approx([0.0, HIGHEST_ENTROPY])
    assert found.expected_entropy[0, 0].tolist() == pytest.approx([HIGHEST_ENTROPY, 0.0])


def test_entropy_is_highest_in_the_middle_and_a_number_at_the_ends() -> None:
    assert entropy(np.array([0.0, 0.5, 1.0])).tolist() == pytest.approx([0.0, math.log(2), 0.0])


def test_memory_does_not_grow_by_a_volume_with_each_member() -> None:
    shape = (8, 64, 64)

    def stream(members: int) -> Iterator[Any]:
        random = np.random.default_rng(1)
        return (random.random(shape, dtype=np.float32) for _ in range(members))

    def peak(members: int) -> int:
        tracemalloc.start()
        summarise(stream(members))
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    volume = 4 * math.prod(shape)
    assert peak(40) - peak(4) < 36 * volume / 16


def test_what_is_no_prediction_is_refused() -> None:
    with pytest.raises(ValueError, match="no member"):
        summarise([])
    with pytest.raises(ValueError, match="different shapes"):
        summarise([np.zeros((1, 2, 2), np.float32), np.zeros((1, 2, 3), np.float32)])
    for wrong in (1.5, -0.1, math.nan):
        with pytest.raises(ValueError, match="member 1"):
            summarise([np.zeros((1, 1, 1), np.float32), np.full((1, 1, 1), wrong, np.float32)])
