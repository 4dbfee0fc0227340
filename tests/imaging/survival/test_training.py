"""Whole cases for the Cox loss, and the fit of the risk head alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imaging.data.cases import Case, read_cases
from imaging.networks import build
from imaging.networks.config import NetworkConfig
from imaging.networks.multitask import LOOKS
from imaging.survival.cox import concordance_index
from imaging.survival.risk import evidence, log_hazards, outcomes
from imaging.survival.training import Cohort, fit_risk

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

SMALL = NetworkConfig(architecture="multitask", size=16, channels=2, context=1, filters=2, depth=2, dropout=0.0)


@pytest.fixture(scope="module")
def cases(tiny_cases: Path) -> list[Case]:
    """Eight cases of two slices of 32 x 32."""
    return list(read_cases(tiny_cases))


def _longer(case: Case, slices: int) -> Case:
    pet, ct, mask = (np.resize(each, (slices, *each.shape[1:])) for each in (case.pet, case.ct, case.mask))
    return replace(case, pet=pet, ct=ct, mask=mask)


def test_a_batch_is_of_different_cases_with_all_their_slices(cases: list[Case]) -> None:
    cohort = Cohort.of(cases, SMALL)
    images, shares, found = cohort.batch(np.random.default_rng(0), 5)
    assert images.shape == (10, 36, 36, 6) and shares.shape == (5, 10) and found.shape == (5, 2)
    assert len({tuple(row) for row in found.tolist()}) == 5
    assert np.array_equal((shares > 0).sum(axis=1), [2] * 5) and np.array_equal((shares > 0).sum(axis=0), [1] * 10)
    assert np.allclose(shares[shares > 0], cases[0].voxel_ml)
    again = cohort.batch(np.random.default_rng(0), 5)
    assert all(np.array_equal(one, other) for one, other in zip((images, shares, found), again, strict=True))
    assert len(cohort.batch(np.random.default_rng(0), 50)[2]) == len(cases)


def test_of_a_long_case_some_slices_count_for_all(cases: list[Case]) -> None:
    cohort = Cohort.of([_longer(cases[0], 20), *cases[1:]], SMALL)
    for seed in range(20):
        images, shares, found = cohort.batch(np.random.default_rng(seed), 3)
        assert images.shape[0] == shares.shape[1]
        for row, (months, _) in zip(shares, found, strict=True):
            slices = 20 if months == np.float32(cases[0].months) else 2
            assert (row > 0).sum() == min(slices, 8)
            assert row.sum() == pytest.approx(slices * cases[0].voxel_ml, rel=1e-5)


def test_smaller_images_are_padded(cases: list[Case]) -> None:
    small = replace(cases[1], **{key: getattr(cases[1], key)[:, :16] for key in ("pet", "ct", "mask")})
    assert {each.shape for each in Cohort.of([cases[0], small], SMALL).images} == {(2, 36, 36, 6)}


def test_without_outcomes_or_events_there_is_nothing_to_learn(cases: list[Case]) -> None:
    with pytest.raises(ValueError, match="has no months and event"):
        Cohort.of([cases[0], replace(cases[1], months=None, event=None)], SMALL)
    for use in (lambda some: Cohort.of(some, SMALL), lambda some: fit_risk(build(SMALL, any_size=True), SMALL, some)):
        with pytest.raises(ValueError, match="no event was seen"):
            use([replace(case, event=False) for case in cases])


def test_evidence_of_a_case_is_the_sum_over_its_slices_in_ml(keras: Any, cases: list[Case]) -> None:
    network = build(SMALL, any_size=True)
    many = _longer(cases[0], 40)
    found = evidence(network, SMALL, [many, cases[0]])
    assert found.shape == (2, 3 + LOOKS)
    body = many.mask.size * many.voxel_ml
    assert 0 < found[0, 0] < body
    # what is held for lesion, times its uptake: between the bounds of uptake
    assert 0 < found[0, 1] / found[0, 0] < 15
    assert found[0, 0] > 10 * found[1, 0]


def test_the_head_learns_the_order_of_the_events_and_leaves_the_rest_alone(keras: Any, cases: list[Case]) -> None:
    keras.utils.set_random_seed(3)
    network = build(SMALL, any_size=True)
    before = {each.name: each.numpy() for each in network.weights}
    assert np.allclose(log_hazards(network, SMALL, cases), 0.0)
    # the sum of uptake orders the events, so that there is something to learn in images without a trained eye
    uptake = np.array([case.pet.sum() for case in cases])
    known = [replace(case, months=float(1e5 / each), event=True) for case, each in zip(cases, uptake, strict=True)]
    fit_risk(network, SMALL, known)
    first = log_hazards(network, SMALL, known)
    assert concordance_index(outcomes(known)[:, 0], first, outcomes(known)[:, 1]) > 0.8
    changed = {each.name for each in network.weights if not np.array_equal(each.numpy(), before[each.name])}
    assert changed and all(name.startswith(("risk_hidden", "risk_log_hazard")) for name in changed)
    for each in network.weights:
        each.assign(before[each.name])
    fit_risk(network, SMALL, known)
    assert np.array_equal(log_hazards(network, SMALL, known), first)
