"""Networks by configuration, their losses, and weights that come back from disk or are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imaging.networks.config import NetworkConfig
from imaging.networks.files import load, packed, save, write_whole
from imaging.networks.unet import unet
from imaging.segmentation.losses import LOSSES, dice_focal_loss, dice_loss, focal_loss, focal_tversky_loss, tversky_loss
from meddojo.errors import InputError

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

SMALL = NetworkConfig(size=16, channels=2, filters=2, depth=2)


@pytest.mark.parametrize(
    "values",
    [
        {"size": 30},
        {"depth": 0},
        {"filters": 1000},
        {"dropout": 1.0},
        {"channels": True},
        {"batch_norm": 1},
        {"layers": ["Lambda"]},
    ],
)
def test_a_configuration_that_cannot_be_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(values))):
        NetworkConfig.of(values)


def _truth_and_guess() -> tuple[Any, Any]:
    random = np.random.default_rng(0)
    truth = (random.random((2, 8, 8, 1)) < 0.2).astype(np.float32)
    return truth, random.random(truth.shape).astype(np.float32)


@pytest.mark.parametrize(
    "config", [SMALL, NetworkConfig(size=16, channels=1, classes=3, filters=3, depth=1, batch_norm=False, dropout=0.0)]
)
def test_probabilities_of_the_shape_of_the_image(keras: Any, config: NetworkConfig) -> None:
    image = np.random.default_rng(0).random((2, 16, 16, config.channels)).astype(np.float32)
    found = np.asarray(unet(config)(image, training=False))
    assert found.shape == (2, 16, 16, config.classes) and found.min() >= 0 and found.max() <= 1
    if config.classes > 1:
        assert np.allclose(found.sum(-1), 1, atol=1e-5)


def test_width_and_depth_count(keras: Any) -> None:
    sizes = [
        unet(NetworkConfig(size=16, channels=1, filters=filters, depth=depth)).count_params()
        for filters, depth in ((2, 2), (4, 2), (4, 3))
    ]
    assert sizes[0] * 3 < sizes[1] and sizes[1] * 3 < sizes[2]


def test_dice_and_tversky_are_what_their_papers_say(keras: Any) -> None:
    truth, guess = _truth_and_guess()
    hit, alarm, missed = (truth * guess).sum(), ((1 - truth) * guess).sum(), (truth * (1 - guess)).sum()
    # the smoothing adds a voxel to both sides of the fraction
    assert float(dice_loss(truth, guess)) == pytest.approx(
        1 - (2 * hit + 2) / (guess.sum() + truth.sum() + 2), rel=1e-5
    )
    index = (hit + 1) / (hit + 0.3 * alarm + 0.7 * missed + 1)
    assert float(tversky_loss(truth, guess)) == pytest.approx(1 - index, rel=1e-5)
    assert float(focal_tversky_loss(truth, guess)) == pytest.approx((1 - index) ** 0.75, rel=1e-5)
    right = np.where(truth > 0, guess, 1 - guess)
    assert float(focal_loss(truth, guess)) == pytest.approx(-((1 - right) ** 2 * np.log(right)).mean(), rel=1e-4)
    assert float(dice_focal_loss(truth, guess)) == pytest.approx(
        float(dice_loss(truth, guess)) + float(focal_loss(truth, guess)), rel=1e-6
    )


@pytest.mark.parametrize("name", LOSSES)
def test_losses_prefer_the_truth_and_have_a_slope_everywhere(keras: Any, name: str) -> None:
    from imaging.keras import tensorflow

    truth, guess = _truth_and_guess()
    loss = LOSSES[name]
    assert float(loss(truth, truth)) < 1e-3 < float(loss(truth, guess)) < float(loss(truth, 1 - truth))
    for mask, start in ((truth, guess), (truth * 0, guess), (truth, truth), (truth, 1 - truth)):
        variable = tensorflow.Variable(start)
        with tensorflow.GradientTape() as tape:
            value = loss(tensorflow.constant(mask), variable)
        assert np.isfinite(np.asarray(tape.gradient(value, variable))).all()


def test_what_is_saved_is_rebuilt_for_images_of_any_size(keras: Any, tmp_path: Path) -> None:
    network = unet(SMALL)
    save(tmp_path, SMALL, network.get_weights())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["network.json", "weights.npz"]
    config, again = load(tmp_path)
    image = np.random.default_rng(0).random((1, 16, 16, 2)).astype(np.float32)
    assert config == SMALL
    assert np.array_equal(np.asarray(network(image, training=False)), np.asarray(again(image, training=False)))
    assert again(np.zeros((1, 20, 36, 2), dtype=np.float32)).shape == (1, 20, 36, 1)


def _other_weights(folder: Path, change: Callable[[Any], Any]) -> None:
    weights = [change(each) for each in unet(SMALL).get_weights()]
    write_whole(folder / "weights.npz", packed({str(number): each for number, each in enumerate(weights)}))


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (lambda folder: (folder / "weights.npz").unlink(), "No such file"),
        (lambda folder: (folder / "weights.npz").write_bytes(b"\x80\x04pickle"), "no archive"),
        (lambda folder: _other_weights(folder, lambda each: each[..., :1]), "array 0"),
        (lambda folder: _other_weights(folder, lambda each: each * np.float32(np.nan)), "array 0"),
        (lambda folder: _other_weights(folder, lambda each: np.array([{}] * each.size, dtype=object)), "no archive"),
        (lambda folder: (folder / "network.json").write_text("[" * 10_000), "no configuration"),
        (lambda folder: (folder / "network.json").write_text(json.dumps({"filters": 9, "class": "os"})), "unknown"),
        (lambda folder: (folder / "network.json").write_text("[]"), "no configuration"),
    ],
)
def test_files_that_are_not_what_was_saved_are_refused(
    keras: Any, tmp_path: Path, spoil: Callable[[Path], Any], cause: str
) -> None:
    save(tmp_path, SMALL, unet(SMALL).get_weights())
    spoil(tmp_path)
    with pytest.raises(InputError, match=cause):
        load(tmp_path)
