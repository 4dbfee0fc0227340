"""Whole vectors, their scores and the decision between them."""

from __future__ import annotations

import numpy as np
import pytest
from cvss import CVSS3
from hypothesis import given
from hypothesis import strategies as st

from analyzers.vuln_classifier.joint import Decision, VectorSpace
from analyzers.vuln_classifier.vectors import METRICS, bands, base_score, parse_vector, write_vector

CRITICAL, MIDDLE, NOTHING = (
    "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N", "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N",
)  # fmt: skip
classes = st.tuples(*(st.integers(0, len(values) - 1) for values in METRICS.values()))


@given(classes)
def test_a_vector_survives_being_written_and_scores_as_the_library_says(vector: tuple[int, ...]) -> None:
    written = write_vector(vector)
    assert parse_vector(written) == vector
    assert base_score(vector) == float(CVSS3(written).base_score)


@pytest.mark.parametrize("text", ["", "CVSS:3.1/AV:N", "AV:N/AC:L/Au:N/C:P/I:P/A:P", "CVSS:4.0/AV:N/AC:L/AT:N"])
def test_other_texts_are_no_vectors(text: str) -> None:
    assert parse_vector(text) is None


def test_bands_are_those_of_the_specification() -> None:
    assert bands([0.0, 0.1, 3.9, 4.0, 6.9, 7.0, 8.9, 9.0, 10.0]).tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 4]


def space() -> VectorSpace:
    labels = [parse_vector(text) for text in [CRITICAL] * 6 + [MIDDLE] * 6 + [NOTHING]]
    return VectorSpace.fit([label for label in labels if label], np.ones(13), 2)


def certain(text: str) -> list[np.ndarray]:  # type: ignore[type-arg]
    vector = parse_vector(text)
    assert vector is not None
    return [np.eye(len(values))[[value]] * 0.9 + 0.02 for values, value in zip(METRICS.values(), vector, strict=True)]


def test_vectors_hardly_anybody_used_are_not_considered() -> None:
    assert [write_vector(tuple(vector)) for vector in space().vectors.tolist()] == [
        f"CVSS:3.1/{CRITICAL}",
        f"CVSS:3.1/{MIDDLE}",
    ]


def test_metrics_that_contradict_each_other_become_a_vector_somebody_used() -> None:
    metrics = certain(CRITICAL)
    metrics[4] = np.array([[0.4, 0.6]])  # a changed scope, which goes with the other vector only
    found = space().distribution(metrics, np.full((1, 5), 0.2), Decision())
    assert found.sum() == pytest.approx(1.0)
    chosen = space().decide(found, Decision())
    assert write_vector(tuple(space().vectors[chosen[0]].tolist())) == f"CVSS:3.1/{CRITICAL}"


def test_the_model_of_the_band_moves_the_vectors() -> None:
    metrics = [np.full((1, len(values)), 1.0 / len(values)) for values in METRICS.values()]
    medium = np.array([[0.01, 0.02, 0.9, 0.03, 0.04]])
    found = space().distribution(metrics, medium, Decision(band_trust=1.0))
    assert space().of_bands(found)[0, 2] > 0.9
    assert space().of_bands(space().distribution(metrics, medium, Decision(band_trust=0.0)))[0, 2] < 0.7
