"""Figures of a model against hand-made ones: what is measured is what is said, and bad sets are refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from imaging.data.cases import Case, Floats
from imaging.inspection.measure import Model, measure
from imaging.uncertainty.regions import near
from meddojo.errors import InputError
from meddojo.imaging_model import Bounds, Figure, Property

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BOUNDS = Bounds(0.7, 0.05, 0.01, 0.3)


def case(number: int, lesion: bool = True) -> Case:
    random = np.random.default_rng(number)
    mask = np.zeros((2, 24, 24), dtype=bool)
    mask[:, 6:14, 6:14] = lesion
    pet = (random.random(mask.shape) + 4 * mask).astype(np.float32)
    return Case(f"c{number}", f"p{number}", pet, None, mask, (5.0, 4.0, 4.0))


CASES = [case(number) for number in range(8)]


def right(of: Case) -> Floats:
    """Certain, and true."""
    return of.mask.astype(np.float32)


def half(of: Case) -> Floats:
    """Every second row of the lesion."""
    found = of.mask.astype(np.float32)
    found[:, ::2] = 0
    return found


def by_property(model: Model, cases: list[Case] = CASES) -> dict[Property, Figure]:
    return {each.property: each for each in measure(cases, model, BOUNDS, NOW)}


def test_a_model_that_is_right_is_accurate_and_calibrated() -> None:
    found = by_property(Model(right, {"weights.npz": "a"}))
    assert set(found) == {Property.ACCURACY, Property.CALIBRATION}
    accuracy = found[Property.ACCURACY]
    assert (accuracy.value, accuracy.low, accuracy.high, accuracy.cases) == (1.0, 1.0, 1.0, 8)
    assert accuracy.bound == 0.7 and accuracy.files == (("weights.npz", "a"),) and accuracy.measured == NOW
    assert found[Property.CALIBRATION].value == 0.0


def test_dice_is_that_of_the_masks_and_its_interval_holds_the_mean() -> None:
    missed = [case(20, lesion=True), *CASES]

    def sometimes(of: Case) -> Floats:
        return np.zeros_like(of.pet) if of.name == "c20" else half(of)

    accuracy = by_property(Model(sometimes, {}), missed)[Property.ACCURACY]
    assert accuracy.value == pytest.approx(8 * (2 / 3) / 9)
    assert accuracy.low is not None and accuracy.high is not None
    assert 0.3 < accuracy.low < accuracy.value < accuracy.high <= 2 / 3
    assert accuracy.details == ("lowest Dice of a case 0.000", "missed altogether: 1 of 9 cases")


def test_calibration_is_measured_about_the_lesions_of_the_calibrated_probabilities() -> None:
    def unsure(of: Case) -> Floats:
        return np.where(of.mask, 0.8, 0.2).astype(np.float32)

    found = by_property(Model(unsure, {}))[Property.CALIBRATION]
    region = near(CASES[0].mask, CASES[0].spacing_mm)
    assert region.any() and not region.all(), "far from the lesion is left out"
    assert found.value == pytest.approx(0.2, abs=1e-6)
    scaled = by_property(Model(unsure, {}, calibrated=lambda each: (each > 0.5).astype(np.float32)))
    assert scaled[Property.CALIBRATION].value == 0.0
    assert scaled[Property.ACCURACY].value == 1.0, "the mask is that of the network itself"


def test_too_sure_is_told_from_not_sure_enough() -> None:
    sure = by_property(Model(lambda of: np.full_like(of.pet, 0.99), {}))[Property.CALIBRATION]
    assert "too sure by" in sure.details[0]
    shy = by_property(Model(lambda of: np.where(of.mask, 0.6, 0.0).astype(np.float32), {}))[Property.CALIBRATION]
    assert "not sure enough by" in shy.details[0]


def test_the_int8_version_is_compared_voxel_by_voxel() -> None:
    def eighth(of: Case) -> Floats:
        return np.abs(right(of) - np.float32(0.02))

    found = by_property(Model(right, {"weights.npz": "a"}, int8=eighth, int8_files={"int8.tflite": "b"}))
    figure = found[Property.INT8]
    assert figure.value == pytest.approx(0.02, abs=1e-6) and figure.bound == 0.01
    assert figure.files == (("int8.tflite", "b"), ("weights.npz", "a"))
    assert "Dice between the masks of both: 1.000" in figure.details[0]
    assert ("int8.tflite", "b") not in found[Property.ACCURACY].files, "which hangs on the float model alone"


def test_the_set_is_known_by_its_images_in_any_order() -> None:
    first, turned = by_property(Model(right, {})), by_property(Model(right, {}), CASES[::-1])
    assert first[Property.ACCURACY].data == turned[Property.ACCURACY].data
    other = by_property(Model(right, {}), [*CASES[1:], case(99)])
    assert other[Property.ACCURACY].data != first[Property.ACCURACY].data


def test_the_same_seed_gives_the_same_interval() -> None:
    assert measure(CASES, Model(half, {}), BOUNDS, NOW, 3) == measure(CASES, Model(half, {}), BOUNDS, NOW, 3)


def test_too_few_cases_or_one_twice_are_refused() -> None:
    with pytest.raises(InputError, match="at least 5"):
        measure(CASES[:4], Model(right, {}), BOUNDS, NOW)
    with pytest.raises(InputError, match="same image twice"):
        measure([*CASES, replace(CASES[0], name="again")], Model(right, {}), BOUNDS, NOW)


def test_without_any_lesion_there_is_no_calibration_and_no_crash() -> None:
    empty = [case(number, lesion=False) for number in range(5)]
    assert set(by_property(Model(right, {}, int8=right), empty)) == {Property.ACCURACY, Property.INT8}
