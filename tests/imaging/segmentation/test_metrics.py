"""Measures of a segmentation: worked by hand, by their properties, and beside other libraries where installed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from imaging.segmentation.metrics import (
    dice,
    expected_calibration_error,
    false_negative_volume_ml,
    false_positive_volume_ml,
    hd95,
    iou,
    reliability,
    surface_distances,
)

SPACINGS = st.tuples(*[st.sampled_from([0.5, 1.0, 3.27, 4.0])] * 3)
SHAPES = arrays.array_shapes(min_dims=3, max_dims=3, max_side=6)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    shape = draw(SHAPES)
    one, other = (draw(arrays.arrays(bool, shape, elements=st.booleans())) for _ in range(2))
    return one, other


def blobs(seed: int, shape: Sequence[int] = (22, 25, 19)) -> tuple[np.ndarray, np.ndarray]:
    """Two masks of several irregular parts that overlap somewhat, some of them at the border."""
    from scipy.ndimage import gaussian_filter

    random = np.random.default_rng(seed)
    common = random.normal(size=tuple(shape))
    made = [gaussian_filter(common + 0.6 * random.normal(size=common.shape), 1.6) for _ in range(2)]
    one, other = (each > np.quantile(each, 0.9) for each in made)
    return one, other


def cube(corner: Sequence[int], side: int = 4, size: int = 12) -> np.ndarray:
    mask = np.zeros((size,) * len(corner), dtype=bool)
    mask[tuple(slice(start, start + side) for start in corner)] = True
    return mask


@given(pairs())
def test_overlaps_are_bounded_symmetric_and_tied_to_each_other(masks: tuple[np.ndarray, np.ndarray]) -> None:
    one, other = masks
    for measure in (dice, iou):
        assert 0.0 <= measure(one, other) <= 1.0
        assert measure(one, other) == measure(other, one)
        assert measure(one, one) == 1.0
    overlap = iou(one, other)
    assert dice(one, other) == pytest.approx(2 * overlap / (1 + overlap))


def test_overlaps_worked_by_hand() -> None:
    predicted, truth = np.array([[1, 1, 0], [0, 1, 0]]), np.array([[0, 255, 0], [0, 255, 255]])
    assert dice(predicted, truth) == 2 * 2 / 6 and iou(predicted, truth) == 2 / 4


def test_empty_masks_give_what_is_documented() -> None:
    empty, full = np.zeros((3, 3, 3)), np.ones((3, 3, 3))
    spacing = (10.0, 10.0, 10.0)
    assert (dice(empty, empty), iou(empty, empty), hd95(empty, empty, spacing)) == (1.0, 1.0, 0.0)
    for one, other in ((empty, full), (full, empty)):
        assert (dice(one, other), iou(one, other), hd95(one, other, spacing)) == (0.0, 0.0, math.inf)
    assert false_negative_volume_ml(empty, full, spacing) == 27.0 == false_positive_volume_ml(full, empty, spacing)
    assert false_negative_volume_ml(full, empty, spacing) == 0.0 == false_positive_volume_ml(empty, full, spacing)
    with pytest.raises(ValueError, match="no surface"):
        surface_distances(empty, full, spacing)


@given(pairs(), SPACINGS)
def test_the_surface_distance_is_symmetric_and_within_the_image(
    masks: tuple[np.ndarray, np.ndarray], spacing: tuple[float, ...]
) -> None:
    one, other = masks
    distance = hd95(one, other, spacing)
    assert distance == hd95(other, one, spacing) and hd95(one, one, spacing) == 0.0
    if one.any() and other.any():
        assert 0.0 <= distance <= math.dist(np.multiply(one.shape, spacing), (0, 0, 0))
        assert hd95(one, other, [2 * each for each in spacing]) == pytest.approx(2 * distance)


@given(SPACINGS, st.integers(0, 2), st.integers(3, 6), st.booleans())
def test_a_cube_shifted_by_a_voxel_is_one_spacing_away(
    spacing: tuple[float, ...], axis: int, side: int, back: bool
) -> None:
    shift = [0, 0, 0]
    shift[axis] = -1 if back else 1
    moved = cube(np.add((3, 3, 3), shift).tolist(), side)
    assert hd95(moved, cube((3, 3, 3), side), spacing) == pytest.approx(spacing[axis])


def test_the_surface_distance_worked_by_hand_leaves_out_the_farthest_twentieth() -> None:
    line, dot = np.zeros((1, 100), dtype=bool), np.zeros((1, 100), dtype=bool)
    line[0, :40] = True
    dot[0, 0] = True
    # the distances of the line are 0 to 39 voxels: the 95th percentile is 37.05; that of the dot is 0
    assert hd95(line, dot, (1.0, 2.0)) == pytest.approx(37.05 * 2)
    assert hd95(line, dot, (2.0, 1.0)) == pytest.approx(37.05)
    there, back = surface_distances(line, dot, (1.0, 1.0))
    assert there.tolist() == list(range(40)) and back.tolist() == [0.0]


def test_only_what_nobody_touched_counts_as_missed_or_invented() -> None:
    truth = cube((0, 0, 0), 3) | cube((8, 8, 8), 2)
    predicted = cube((2, 2, 2), 3) | cube((0, 8, 0), 4)
    spacing = (5.0, 4.0, 2.0)  # 0.04 ml a voxel
    assert false_negative_volume_ml(predicted, truth, spacing) == pytest.approx(8 * 0.04)
    assert false_positive_volume_ml(predicted, truth, spacing) == pytest.approx(64 * 0.04)


def test_voxels_that_share_an_edge_are_one_lesion_and_those_that_share_a_corner_are_two() -> None:
    for second, missed in (((1, 1, 0), 0.0), ((1, 1, 1), 1.0)):
        truth, predicted = np.zeros((2, 3, 3, 3), dtype=bool)
        truth[0, 0, 0] = truth[second] = predicted[0, 0, 0] = True
        assert false_negative_volume_ml(predicted, truth, (10, 10, 10)) == missed


@given(pairs(), SPACINGS)
def test_volumes_are_bounded_and_exchange_with_the_masks(
    masks: tuple[np.ndarray, np.ndarray], spacing: tuple[float, ...]
) -> None:
    predicted, truth = masks
    missed = false_negative_volume_ml(predicted, truth, spacing)
    assert 0.0 <= missed <= (truth & ~predicted).sum() * math.prod(spacing) / 1000 + 1e-12
    assert missed == false_positive_volume_ml(truth, predicted, spacing)
    assert false_negative_volume_ml(truth, truth, spacing) == 0.0


def test_calibration_worked_by_hand() -> None:
    probabilities = np.array([0.0, 0.1, 0.1, 0.5, 0.55, 0.9, 1.0, 1.0])
    truth = np.array([0, 0, 1, 1, 0, 1, 1, 1])
    found = reliability(probabilities, truth, bins=2)
    assert found.counts.tolist() == [3, 5]
    assert found.confidence == pytest.approx([0.2 / 3, 3.95 / 5]) and found.frequency == pytest.approx([1 / 3, 4 / 5])
    assert found.expected_error == pytest.approx((3 * (0.8 / 3) + 5 * (0.05 / 5)) / 8)
    region = np.array([0, 0, 0, 1, 1, 0, 0, 0])
    assert expected_calibration_error(probabilities, truth, region) == pytest.approx(0.025)
    three = reliability(probabilities, truth, region, bins=3)
    assert three.counts.tolist() == [0, 2, 0] and np.isnan(three.frequency).tolist() == [True, False, True]


@given(pairs(), st.integers(2, 20), st.integers(0, 2**32 - 1))
def test_the_calibration_error_is_bounded_and_certain_truth_has_none(
    masks: tuple[np.ndarray, np.ndarray], bins: int, seed: int
) -> None:
    truth, region = masks
    region = region | (np.arange(region.size) == 0).reshape(region.shape)
    probabilities = np.random.default_rng(seed).random(truth.shape)
    found = reliability(probabilities, truth, region, bins)
    assert found.counts.sum() == region.sum()
    assert 0.0 <= found.expected_error <= 1.0
    assert expected_calibration_error(truth.astype(float), truth, region, bins) == 0.0
    assert expected_calibration_error(1.0 - truth, truth, region, bins) == 1.0


def test_truth_drawn_by_the_probabilities_is_calibrated_and_overconfidence_is_not() -> None:
    random = np.random.default_rng(9)
    probabilities = random.random(200_000)
    truth = random.random(200_000) < probabilities
    assert expected_calibration_error(probabilities, truth) < 0.01
    sharper = probabilities**3 / (probabilities**3 + (1 - probabilities) ** 3)
    assert expected_calibration_error(sharper, truth) > 0.1


@pytest.mark.parametrize(
    ("call", "cause"),
    [
        (lambda: dice(np.ones(3), np.ones(4)), "different shapes"),
        (lambda: hd95(np.ones((2, 2)), np.ones((2, 2)), (1.0,)), "2 positive numbers"),
        (lambda: hd95(np.zeros((2, 2)), np.zeros((2, 2)), (1.0, 0.0)), "2 positive numbers"),
        (lambda: hd95(np.ones((2, 2)), np.ones((2, 2)), (1.0, math.nan)), "2 positive numbers"),
        (lambda: false_negative_volume_ml(np.ones((2, 2)), np.ones((2, 2)), (1.0, 1.0)), "only a 3D mask"),
        (lambda: reliability(np.ones(2), np.ones(3)), "probabilities of shape"),
        (lambda: reliability(np.ones(2), np.ones(2), np.ones(3)), "different shapes"),
        (lambda: reliability(np.ones(2), np.ones(2), np.zeros(2)), "without voxels"),
        (lambda: reliability(np.ones(2), np.ones(2), bins=0), "no bins"),
        (lambda: reliability(np.array([0.5, 1.01]), np.ones(2)), "between 0 and 1"),
        (lambda: reliability(np.array([0.5, math.nan]), np.ones(2)), "between 0 and 1"),
    ],
)
def test_what_does_not_fit_is_refused(call: object, cause: str) -> None:
    with pytest.raises(ValueError, match=cause):
        call()  # type: ignore[operator]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(4))
def test_distances_are_those_of_medpy(seed: int) -> None:
    theirs = pytest.importorskip("medpy.metric.binary", reason="medpy is not installed")
    one, other = blobs(seed)
    for spacing in ((1.0, 1.0, 1.0), (3.27, 4.07, 2.0)):
        pooled = np.concatenate(surface_distances(one, other, spacing))
        assert np.percentile(pooled, 95) == pytest.approx(theirs.hd95(one, other, spacing))
        assert pooled.max() == pytest.approx(theirs.hd(one, other, spacing))
    assert dice(one, other) == pytest.approx(theirs.dc(one, other))
    assert iou(one, other) == pytest.approx(theirs.jc(one, other))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(4))
def test_hd95_is_near_the_one_of_deepmind(seed: int) -> None:
    theirs = pytest.importorskip("surface_distance", reason="surface-distance is not installed")
    one, other = blobs(seed)
    for spacing in ((1.0, 1.0, 1.0), (3.27, 4.07, 2.0)):
        found = theirs.compute_robust_hausdorff(theirs.compute_surface_distances(one, other, spacing), 95)
        # their surface runs between voxels, ours through their centres: less than a voxel apart
        assert hd95(one, other, spacing) == pytest.approx(found, abs=math.hypot(*spacing) / 2)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", [13, 39, 65, 113])
def test_missed_volumes_are_those_of_components_by_simpleitk(seed: int) -> None:
    sitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")
    predicted, truth = blobs(seed)
    image = sitk.GetImageFromArray(truth.astype(np.uint8))
    # it knows 6 and 26 neighbours, and where both find the same lesions so do 18
    labels, wide = (sitk.GetArrayFromImage(sitk.ConnectedComponent(image, fully)) for fully in (False, True))
    assert labels.max() == wide.max()
    parts = [labels == number for number in range(1, labels.max() + 1)]
    missed = sum(int(part.sum()) for part in parts if not (part & predicted).any())
    assert 0 < missed < truth.sum()
    assert false_negative_volume_ml(predicted, truth, (10, 10, 10)) == missed
