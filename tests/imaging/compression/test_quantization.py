"""Eight bits: calibration, training with the rounding, and a slimmer file of the same network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imaging.compression.finetuning import FineTuning
from imaging.compression.litert import LiteNetwork, kernel_zeros
from imaging.compression.pruning import zeros
from imaging.compression.quantization import aware_int8_lite, calibration_windows, folded, slim
from imaging.compression.windows import Window, images_of
from imaging.data.cases import Case, read_cases
from imaging.networks import build
from imaging.networks.config import NetworkConfig
from imaging.networks.files import load
from imaging.segmentation.training import slice_pool

pytestmark = [
    pytest.mark.timeout(600),  # the first test of all waits until a network is compressed
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.mark.parametrize("architecture", ["unet", "attention"])
def test_a_network_without_its_normalisation_is_the_same_network(keras: Any, architecture: str) -> None:
    config = NetworkConfig(architecture=architecture, size=16, filters=3, depth=2)
    network = build(config, any_size=True)
    random = np.random.default_rng(1)
    for norm in (each for each in network.layers if type(each).__name__ == "BatchNormalization"):
        gamma, beta, mean, variance = norm.get_weights()
        drawn = (
            random.uniform(0.5, 2.0, gamma.shape)
            if each is gamma or each is variance
            else random.normal(0, 0.3, gamma.shape)
            for each in (gamma, beta, mean, variance)
        )
        norm.set_weights(list(drawn))
    image = random.random((2, 16, 16, 2), dtype=np.float32)
    plain = folded(network, config)
    assert not [each for each in plain.layers if type(each).__name__ == "BatchNormalization"]
    found, expected = (np.asarray(each(image, training=False)) for each in (plain, network))
    assert np.abs(found - expected).max() < 1e-5 and expected.std() > 1e-4


def test_calibration_takes_as_many_slices_with_lesions_as_without(tiny_cases: Path) -> None:
    cases = list(read_cases(tiny_cases))
    config = NetworkConfig(size=16, channels=1, depth=1)
    few = [_dark(case) if number % 4 else case for number, case in enumerate(cases)]
    found = calibration_windows(few, config, Window(32, 32), seed=1, count=4)
    assert found.shape == (4, 32, 32, 1)
    # a dark case is black: two slices of bright ones with lesions, the others as they come
    assert 2 <= int((found.max((1, 2, 3)) > 0).sum()) <= 4
    assert np.array_equal(found, calibration_windows(few, config, Window(32, 32), seed=1, count=4))
    assert len(calibration_windows(cases, config, Window(32, 32), seed=1)) == sum(len(case.mask) for case in cases)


def test_calibration_pads_or_cuts_to_the_window(tiny_cases: Path) -> None:
    case = next(read_cases(tiny_cases))
    config = NetworkConfig(size=16, channels=1, depth=1)
    images = images_of(case, config)
    large = calibration_windows([case], config, Window(40, 48), seed=1)
    assert np.array_equal(large[:, :32, :32], images) and not large[:, 32:].any() and not large[:, :, 32:].any()
    assert np.array_equal(calibration_windows([case], config, Window(16, 8), seed=1), images[:, 8:24, 12:20])


def test_training_with_the_rounding_keeps_the_zeros(
    tiny_compressed: Path, tiny_cases: Path, tiny_tuning: FineTuning, tmp_path: Path
) -> None:
    config, network = load(tiny_compressed / "pruned")
    cases = list(read_cases(tiny_cases))
    before = network.get_weights()
    told: list[str] = []
    content = aware_int8_lite(
        network,
        config,
        Window(32, 32, 2),
        slice_pool(cases, config),
        replace(tiny_tuning, learning_rate=1e-4),
        report=told.append,
    )
    lite = LiteNetwork(tmp_path / "aware.tflite", content=content)
    windows = images_of(cases[0], config)
    expected = np.asarray(network(windows, training=False))
    assert lite.taken.scale and lite.given.scale
    assert np.abs(lite(windows) - expected).mean() < 0.05
    counted, weights = zeros(network)
    rounded, same = kernel_zeros(tmp_path / "aware.tflite", content)
    assert same == weights and rounded >= counted > weights / 2
    assert len(told) == tiny_tuning.epochs
    assert all(np.array_equal(*pair) for pair in zip(before, network.get_weights(), strict=True))


def test_a_slimmer_file_computes_the_same(tiny_compressed: Path, tmp_path: Path) -> None:
    whole = (tiny_compressed / "int8.tflite").read_bytes()
    assert slim(whole) == whole  # what was slim stays as it is
    padded = _with_names(whole)
    again = slim(padded)
    assert len(again) < len(padded)
    image = np.random.default_rng(1).random((1, 34, 34, 6), dtype=np.float32)
    one, other = (LiteNetwork(tmp_path / "x", content=each)(image) for each in (padded, again))
    assert np.array_equal(one, other)


def _with_names(content: bytes) -> bytes:
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    for number, tensor in enumerate(model.subgraphs[0].tensors):
        tensor.name = f"a/long/name/of/a/tensor/{number}"
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _dark(case: Case) -> Case:
    return replace(case, pet=np.zeros_like(case.pet), mask=np.zeros_like(case.mask))
