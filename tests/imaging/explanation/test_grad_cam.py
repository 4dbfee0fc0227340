"""Heat maps of networks made by hand, where the right map is known, and of a U-Net whose weights are changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from imaging.data.cases import read_cases
from imaging.explanation.grad_cam import GradCam, default_layer, enlarged, explain
from imaging.networks import BUILDERS, build
from imaging.networks.config import NetworkConfig

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

SHAPES = [(2, 8, 8, 2), (2, 4, 8, 8, 2)]
WEIGHTS = np.array([3.0, -2.0], dtype=np.float32)
BIAS = -1.0


def _by_hand(keras: Any, dimensions: int, trainable: bool = True) -> Any:
    """Two channels at half the resolution, the means of those of the image, weighed by `WEIGHTS`."""
    layers, kind = keras.layers, f"{dimensions}D"
    image = keras.Input((None,) * dimensions + (2,))
    low = getattr(layers, f"AveragePooling{kind}")(2, name="bottom")(image)
    high = getattr(layers, f"UpSampling{kind}")(2)(low)
    last = getattr(layers, f"Conv{kind}")(1, 1, activation="sigmoid", name="probability", trainable=trainable)
    model = keras.Model(image, last(high))
    last.set_weights([WEIGHTS.reshape((1,) * dimensions + (2, 1)), np.array([BIAS], dtype=np.float32)])
    return model


def _pooled(images: Any) -> Any:
    *outer, channels = images.shape
    split = [part for length in outer[1:] for part in (length // 2, 2)]
    return images.reshape(outer[0], *split, channels).mean(axis=tuple(range(2, 2 * len(outer), 2)))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("trainable", [True, False])
def test_the_map_is_that_computed_by_hand(keras: Any, shape: tuple[int, ...], trainable: bool) -> None:
    images = np.random.default_rng(1).random(shape, dtype=np.float32)
    found = GradCam(_by_hand(keras, len(shape) - 2, trainable))(images)
    low = _pooled(images)
    # the mean logit over the voxels above one half has the slope w_k by the sum of channel k over them, divided by
    # their number; each is in one place of the layer, so that the mean slope over all places is w_k / places
    weights = WEIGHTS / np.prod(low.shape[1:-1])
    assert (low @ WEIGHTS + BIAS > 0).any(axis=tuple(range(1, low.ndim - 1))).all()
    expected = np.maximum(low @ weights, 0.0)
    assert found.shape == (*shape[:-1], 1)
    for number in range(shape[0]):
        assert np.allclose(found[number, ..., 0], enlarged(expected[number], shape[1:-1]), atol=1e-6)


def test_each_image_is_explained_by_itself(keras: Any) -> None:
    images = np.random.default_rng(1).random(SHAPES[0], dtype=np.float32)
    cam = GradCam(_by_hand(keras, 2))
    assert np.allclose(cam(images), np.concatenate([cam(images[:1]), cam(images[1:])]), atol=1e-7)


def test_where_nothing_is_segmented_there_is_nothing_to_explain(keras: Any) -> None:
    images = np.zeros(SHAPES[0], dtype=np.float32)
    images[1, ..., 0] = 1.0
    found = GradCam(_by_hand(keras, 2))(images)
    assert not found[0].any() and found[1].any()


def test_saturated_probabilities_have_a_slope_still(keras: Any) -> None:
    # a probability of 1.0 in float32 has none; its logit has
    images = np.full(SHAPES[0], 50.0, dtype=np.float32)
    network = _by_hand(keras, 2)
    assert np.asarray(network(images)).min() == 1.0
    assert GradCam(network)(images).min() > 0.0


def test_a_ramp_stays_a_ramp_and_a_constant_constant() -> None:
    assert np.allclose(enlarged(np.full((2, 3), 4.0, np.float32), (8, 12)), 4.0)
    assert enlarged(np.arange(4, dtype=np.float32), (8,)).tolist() == [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]
    values = np.random.default_rng(1).random((2, 2), dtype=np.float32)
    assert np.allclose(enlarged(values, (2, 2)), values)


def _unet(keras: Any, seed: int) -> tuple[Any, NetworkConfig]:
    config = NetworkConfig(size=16, filters=4, depth=2)
    keras.utils.set_random_seed(seed)
    network = build(config, any_size=True)
    # so that all is segmented, whatever the weights are
    last = network.get_layer("probability")
    last.set_weights([last.get_weights()[0], np.array([5.0], dtype=np.float32)])
    return network, config


def test_other_weights_give_another_map(keras: Any, tiny_cases: Path) -> None:
    # Adebayo et al. 2018: a map that stays what it is when weights are drawn anew shows the image, not the network
    case = next(iter(read_cases(tiny_cases)))
    network, config = _unet(keras, 2)
    same, _ = _unet(keras, 2)
    map_of = explain(network, config, case)
    assert map_of.shape == case.mask.shape and map_of.max() == 1.0 and map_of.min() >= 0.0
    assert np.array_equal(map_of, explain(same, config, case))
    others = [explain(_unet(keras, seed)[0], config, case) for seed in range(3, 8)]
    similar = [spearmanr(map_of.ravel(), each.ravel()).statistic for each in others]
    assert np.mean(np.abs(similar)) < 0.7
    # the deepest layers alone changed, as in the cascading test
    drawn = np.random.default_rng(1)
    for layer in network.layers:
        if layer.name.startswith(("bottom", "up")) and "conv" in layer.name:
            layer.set_weights([drawn.permuted(each.ravel()).reshape(each.shape) for each in layer.get_weights()])
    assert not np.allclose(map_of, explain(network, config, case), atol=0.1)


def test_the_bottleneck_is_explained_unless_another_layer_is_named(keras: Any, tiny_cases: Path) -> None:
    network, config = _unet(keras, 2)
    assert default_layer(network) == GradCam(network).layer == "bottom2_relu2"
    case = next(iter(read_cases(tiny_cases)))
    named = explain(network, config, case, "bottom2_relu2")
    assert np.array_equal(named, explain(network, config, case))
    assert not np.array_equal(named, explain(network, config, case, "up0_relu2"))


@pytest.mark.parametrize("architecture", sorted(BUILDERS))
def test_every_architecture_can_be_explained(keras: Any, architecture: str) -> None:
    config = NetworkConfig(architecture, size=16, channels=1, filters=2, depth=2)
    keras.utils.set_random_seed(3)
    network = build(config, any_size=True)
    last = network.get_layer("probability")
    last.set_weights([last.get_weights()[0], np.array([5.0], dtype=np.float32)])
    spatial = (8, 16, 16) if architecture == "unet3d" else (16, 16)
    images = np.random.default_rng(1).random((2, *spatial, 1), dtype=np.float32)
    # of one layer all channels may speak against a lesion; hardly in all layers
    maps = [GradCam(network, layer)(images) for layer in (default_layer(network), "up0_relu2")]
    assert all(each.shape == (2, *spatial, 1) and each.min() >= 0.0 for each in maps)
    assert max(each.max() for each in maps) > 0.0


def test_layers_that_cannot_be_explained_are_named(keras: Any) -> None:
    network = _by_hand(keras, 2)
    with pytest.raises(ValueError, match=r"no layer nowhere; there are .*bottom"):
        GradCam(network, "nowhere")
    with pytest.raises(ValueError, match="no probabilities of logits"):
        GradCam(network, "bottom", output="bottom")
    image = keras.Input((4, 4, 1))
    flat = keras.layers.GlobalAveragePooling2D(name="bottom")(image)
    last = keras.layers.Conv2D(1, 1, activation="sigmoid", name="probability")(keras.layers.Reshape((1, 1, 1))(flat))
    with pytest.raises(ValueError, match="gives no image"):
        GradCam(keras.Model(image, last))
    with pytest.raises(ValueError, match="bottleneck; name one of"):
        default_layer(keras.Model(image, keras.layers.ReLU(name="top")(image)))
