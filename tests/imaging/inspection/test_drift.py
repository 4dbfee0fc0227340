"""Drift: shifts that matter are found, images of the same source raise no alarm, and what is kept tells no patient."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from imaging.data.cases import Case, read_cases
from imaging.inspection.drift import (
    FALSE_ALARMS,
    FEATURES,
    REFERENCE,
    Reference,
    describe,
    drift,
    read_reference,
    shifts,
    write_reference,
)
from imaging.networks.seal import write_seal
from imaging.synthetic.synthesize import synthesize
from meddojo.errors import InputError
from meddojo.imaging_model import Bounds, Figure, Property

NOW = datetime(2026, 1, 1, tzinfo=UTC)

Change = Callable[[Case], Case]

SHIFTS: dict[str, tuple[Change, str]] = {
    "Bq/ml": (lambda case: replace(case, pet=case.pet * 5000), "median PET of the foreground"),
    "twice as hot": (lambda case: replace(case, pet=case.pet * 2), "90th percentile of PET"),
    "other slices": (lambda case: replace(case, spacing_mm=(2.0, *case.spacing_mm[1:])), "distance of slices"),
    "no CT": (lambda case: replace(case, ct=None), "cases with CT"),
    "CT not rescaled": (lambda case: replace(case, ct=None if case.ct is None else case.ct + 1024), "median CT"),
    "noise": (
        lambda case: replace(case, pet=case.pet * np.random.default_rng(1).lognormal(0, 0.5, case.pet.shape)),
        "noise of PET",
    ),
}


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    folder = tmp_path_factory.mktemp("drift") / "cases"
    synthesize(folder, 44, 32, 2, 11)
    return list(read_cases(folder))


def figure(before: list[Case], now: list[Case]) -> Figure:
    return drift(describe(before), describe(now), {REFERENCE: "a"}, Bounds(greatest_drift=0.4), NOW)


@pytest.mark.parametrize("name", SHIFTS)
def test_a_shift_is_found_and_named(name: str, cases: list[Case]) -> None:
    change, feature = SHIFTS[name]
    found = figure(cases[:30], [change(case) for case in cases[30:]])
    assert found.value > 0.6 and found.property is Property.DRIFT and found.cases == 14
    assert any(detail.startswith(f"{feature}:") for detail in found.details)
    assert found.files == ((REFERENCE, "a"),) and found.bound == 0.4


def test_images_of_the_same_source_raise_no_alarm(cases: list[Case]) -> None:
    assert figure(cases[:30], cases[30:]).value == 0.0


def test_false_alarms_are_as_rare_as_promised(cases: list[Case]) -> None:
    """Over random divisions of one source, drawn as features so that it is quick."""
    everything = [[feature.of(case) for feature in FEATURES] for case in cases]
    random = np.random.default_rng(2)
    alarms = 0
    for _ in range(200):
        order = random.permutation(len(cases))
        parts = [_described([everything[place] for place in part]) for part in (order[:30], order[30:])]
        alarms += any(each.q_value < FALSE_ALARMS for each in shifts(*parts))
    assert alarms <= 6, f"{alarms} of 200, where two are expected"


def _described(rows: list[list[float | None]]) -> Reference:
    features = {
        feature.name: sorted(value for row in rows if (value := row[number]) is not None)
        for number, feature in enumerate(FEATURES)
    }
    return Reference(cases=len(rows), data="0" * 64, features=features)


def test_the_reference_is_read_as_it_was_written_and_sorted(cases: list[Case], tmp_path: Path) -> None:
    made = describe(cases[:10])
    write_reference(tmp_path, made)
    assert read_reference(tmp_path) == made
    assert all(values == sorted(values) for values in made.features.values())
    assert not any(case.name in (tmp_path / REFERENCE).read_text() for case in cases)
    assert describe(cases[:10][::-1]) == made, "whatever their order"


def test_a_reference_other_than_the_sealed_one_is_refused(cases: list[Case], tmp_path: Path) -> None:
    write_reference(tmp_path, describe(cases[:10]))
    write_seal(tmp_path, {})
    assert read_reference(tmp_path).cases == 10
    write_reference(tmp_path, describe(cases[:11]))
    with pytest.raises(InputError, match="not the file its manifest names"):
        read_reference(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"cases": 1}',
        '{"format": 2, "cases": 9, "data": "' + "0" * 64 + '", "features": {}}',
        '{"cases": 9, "data": "' + "0" * 64 + '", "features": {"median PET of the foreground": [NaN]}}',
        '{"cases": 9, "data": "' + "0" * 64 + '", "features": {"median PET of the foreground": ["1"]}}',
    ],
)
def test_a_reference_that_is_none_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / REFERENCE).write_text(content)
    with pytest.raises(InputError, match=r"reference\.json"):
        read_reference(tmp_path)


def test_features_of_another_version_are_passed_over(cases: list[Case]) -> None:
    old = json.loads(describe(cases[:10]).model_dump_json())
    old["features"] = {
        "a feature of old": [1.0] * 10,
        "median PET of the foreground": old["features"]["median PET of the foreground"],
    }
    found = shifts(Reference.model_validate(old), describe(cases[10:20]))
    assert [each.feature.name for each in found] == ["median PET of the foreground"]


def test_too_few_cases_are_refused(cases: list[Case]) -> None:
    with pytest.raises(InputError, match="at least 5"):
        describe(cases[:4])


def test_an_image_of_nothing_is_no_crash(cases: list[Case]) -> None:
    empty = [replace(case, pet=np.zeros_like(case.pet)) for case in cases[:6]]
    assert describe(empty).features["noise of PET"] == []
    assert figure(cases[6:], empty).value == 1.0
