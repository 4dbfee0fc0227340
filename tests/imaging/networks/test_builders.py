"""Each architecture: what goes in and out, how large it is, what its parts do, and that it comes back from disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imaging.networks import BUILDERS, build
from imaging.networks.config import NetworkConfig
from imaging.networks.files import load, load_whole, save
from imaging.networks.multitask import EVIDENCE, LOOKS, RISK, of_slices, without_risk

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

SMALL = NetworkConfig(size=16, channels=2, filters=2, depth=2, slices=4)
SLICES = ("unet", "attention", "flat")


def _image(config: NetworkConfig, rows: int = 16, columns: int = 16, batch: int = 2) -> Any:
    slices = (config.slices,) if config.volumetric else ()
    return np.random.default_rng(0).random((batch, *slices, rows, columns, config.planes), dtype=np.float32)


@pytest.mark.parametrize("architecture", [*SLICES, "unet3d"])
@pytest.mark.parametrize("change", [{}, {"classes": 3, "channels": 1}, {"batch_norm": False, "dropout": 0.0}])
def test_probabilities_of_the_shape_of_the_image(keras: Any, architecture: str, change: dict[str, Any]) -> None:
    config = replace(SMALL, architecture=architecture, **change)
    image = _image(config)
    found = np.asarray(build(config)(image, training=False))
    assert found.shape == (*image.shape[:-1], config.classes) and found.min() >= 0 and found.max() <= 1
    if config.classes > 1:
        assert np.allclose(found.sum(-1), 1, atol=1e-5)


@pytest.mark.parametrize("architecture", BUILDERS)
def test_normalisation_and_dropout_are_there_only_where_asked_for(keras: Any, architecture: str) -> None:
    for wanted in (True, False):
        config = replace(SMALL, architecture=architecture, batch_norm=wanted, dropout=0.1 * wanted)
        layers = [type(layer).__name__ for layer in build(config).layers]
        assert ("BatchNormalization" in layers) is ("Dropout" in layers) is wanted


@pytest.mark.parametrize("architecture", [*SLICES, "unet3d"])
def test_what_is_saved_is_rebuilt_for_images_of_any_size(keras: Any, tmp_path: Path, architecture: str) -> None:
    config = replace(SMALL, architecture=architecture)
    network = build(config)
    save(tmp_path, config, network.get_weights())
    read, again = load(tmp_path)
    image = _image(config)
    assert read == config
    assert np.allclose(np.asarray(network(image, training=False)), np.asarray(again(image, training=False)), atol=1e-6)
    assert again(_image(config, 20, 36)).shape[-3:] == (20, 36, 1)


def test_a_volume_is_of_slices_that_can_be_halved_without_neighbours_as_channels() -> None:
    volume = replace(SMALL, architecture="unet3d")
    for change, cause in (
        ({"slices": 6}, "slices 6 cannot be halved 2 times"),
        ({"context": 1}, "context is 1"),
    ):
        with pytest.raises(ValueError, match=cause):
            replace(volume, **change)
        replace(SMALL, **change)


def _norm(filters: int) -> int:
    return 4 * filters


def _block(before: int, filters: int) -> int:
    return 9 * before * filters + 9 * filters**2 + 2 * _norm(filters)


def test_the_flat_network_has_the_parameters_its_layers_have_by_hand(keras: Any) -> None:
    config = replace(SMALL, architecture="flat", filters=5)
    down = _block(2, 5) + _block(5, 5) + _block(5, 5)
    up = 2 * (4 * 5 * 5 + 5 + _block(10, 5))
    assert build(config).count_params() == down + up + 5 + 1


def test_the_attention_network_has_those_of_the_plain_one_and_its_gates(keras: Any) -> None:
    def gate(filters: int) -> int:
        theta, phi, psi = 4 * filters**2, 2 * filters * filters + filters, filters + 1
        return theta + phi + psi

    plain, gated = (build(replace(SMALL, architecture=name)).count_params() for name in ("unet", "attention"))
    assert gated == plain + gate(2) + gate(4)


def test_the_network_of_volumes_has_the_parameters_its_layers_have_by_hand(keras: Any) -> None:
    config = NetworkConfig(
        architecture="unet3d", size=16, channels=1, filters=2, depth=1, batch_norm=False, dropout=0.0
    )

    def convolution(before: int, after: int, width: int = 3) -> int:
        return width**3 * before * after + after

    down = convolution(1, 2) + convolution(2, 2) + convolution(2, 4) + convolution(4, 4)
    up = convolution(4, 2, 2) + convolution(2 + 2, 2) + convolution(2, 2) + convolution(2, 1, 1)
    assert build(config).count_params() == down + up


def test_the_flat_network_is_a_thirtieth_of_the_plain_one(keras: Any) -> None:
    plain, flat = (
        build(replace(SMALL, architecture=name, depth=4, filters=16)).count_params() for name in ("unet", "flat")
    )
    assert 28 < plain / flat < 40


def test_a_gate_that_is_shut_lets_nothing_of_its_level_through(keras: Any) -> None:
    config = replace(SMALL, architecture="attention", depth=1, dropout=0.0)
    network = build(config)
    gate = network.get_layer("up0_attention")
    seen = keras.Model(network.input, [network.get_layer("down0_relu2").output, network.get_layer("up0_gated").output])
    for bias, share in ((-50.0, 0.0), (50.0, 1.0)):
        gate.set_weights([np.zeros_like(gate.get_weights()[0]), np.array([bias], dtype=np.float32)])
        before, after = seen(_image(config), training=False)
        assert np.allclose(after, share * np.asarray(before), atol=1e-6) and np.asarray(before).max() > 0


@pytest.fixture(scope="module")
def two_heads(keras: Any) -> tuple[NetworkConfig, Any]:
    """A multi-task network whose risk head is not silent."""
    config = replace(SMALL, architecture="multitask", context=1)
    network = build(config, any_size=True)
    random = np.random.default_rng(4)
    network.get_layer(RISK).set_weights([random.normal(0, 0.5, each.shape) for each in network.get_layer(RISK).weights])
    return config, network


SHARES = np.array([[0.1, 0.1, 0, 0, 0], [0, 0, 0.2, 0.2, 0.2]], dtype=np.float32)


def test_one_log_hazard_a_patient_of_all_slices_whatever_their_order(two_heads: tuple[NetworkConfig, Any]) -> None:
    config, network = two_heads
    image = _image(config, batch=5)
    lesions, hazards = (np.asarray(each) for each in network([image, SHARES], training=False))
    assert lesions.shape == (5, 16, 16, 1) and hazards.shape == (2, 1)
    assert hazards[0] != hazards[1]
    order = np.array([3, 0, 4, 1, 2])
    again = network([image[order], SHARES[:, order]], training=False)[1]
    assert np.allclose(again, hazards, atol=1e-4)
    for patient in range(2):
        alone = SHARES[patient] > 0
        single = network([image[alone], SHARES[patient : patient + 1, alone]], training=False)[1]
        assert np.allclose(single, hazards[patient], atol=1e-4)


def test_evidence_is_volume_uptake_and_surface_of_what_is_held_for_lesion(two_heads: tuple[NetworkConfig, Any]) -> None:
    config, network = two_heads
    image = _image(config, batch=3)
    lesions, evidence = (np.asarray(each) for each in of_slices(network)(image, training=False))
    held = 1 / (1 + np.exp(-20 * (lesions[..., 0] - 0.5)))
    uptake = 15.0 * image[..., config.channels * config.context] ** 2
    surface = np.abs(np.diff(held, axis=1)).sum((1, 2)) + np.abs(np.diff(held, axis=2)).sum((1, 2))
    assert evidence.shape == (3, 3 + LOOKS)
    assert np.allclose(evidence[:, 0], held.sum((1, 2)), rtol=1e-4)
    assert np.allclose(evidence[:, 1], (held * uptake).sum((1, 2)), rtol=1e-4)
    assert np.allclose(evidence[:, 2], surface, rtol=1e-4)
    # a mean of tangents, weighted by the lesion
    assert (np.abs(evidence[:, 3:]) <= evidence[:, :1]).all()


def test_the_cox_loss_teaches_the_encoder_but_not_what_a_lesion_is(two_heads: tuple[NetworkConfig, Any]) -> None:
    from imaging.keras import tensorflow
    from imaging.survival.loss import cox_partial_likelihood

    config, network = two_heads
    with tensorflow.GradientTape() as tape:
        hazards = network([_image(config, batch=5), SHARES], training=True)[1]
        loss = cox_partial_likelihood()(np.array([[2.0, 1.0], [5.0, 0.0]], dtype=np.float32), hazards)
    names = [variable.name.split("/")[0] for variable in network.trainable_variables]
    taught = dict(zip(names, tape.gradient(loss, network.trainable_variables), strict=True))
    assert np.abs(np.asarray(taught["down0_conv1"])).max() > 0 and taught["risk_log_hazard"] is not None
    assert all(slope is None for name, slope in taught.items() if name.startswith(("up", "probability")))


def test_without_its_risk_the_multitask_network_is_a_plain_one(
    two_heads: tuple[NetworkConfig, Any], tmp_path: Path
) -> None:
    config, network = two_heads
    save(tmp_path, config, network.get_weights())
    whole, again = load_whole(tmp_path)
    image = _image(config, batch=5)
    lesions, hazards = network([image, SHARES], training=False)
    assert whole == config and network.get_layer(EVIDENCE) is not None
    assert all(
        np.array_equal(one, other)
        for one, other in zip((lesions, hazards), again([image, SHARES], training=False), strict=True)
    )
    plain, segmentation = load(tmp_path)
    assert plain == replace(config, architecture="unet")
    for part in (segmentation, without_risk(network)):
        assert np.allclose(part(image, training=False), lesions, atol=1e-6)


@pytest.mark.parametrize("architecture", SLICES)
def test_networks_of_slices_become_tflite_and_say_the_same(keras: Any, architecture: str) -> None:
    interpreters = pytest.importorskip("ai_edge_litert.interpreter")
    from imaging.keras import tensorflow

    config = replace(SMALL, architecture=architecture)
    network, image = build(config), _image(config, batch=1)
    concrete = tensorflow.function(lambda each: network(each, training=False)).get_concrete_function(
        tensorflow.TensorSpec(image.shape, tensorflow.float32)
    )
    content = tensorflow.lite.TFLiteConverter.from_concrete_functions([concrete], network).convert()
    reader = interpreters.Interpreter(model_content=content)
    reader.allocate_tensors()
    reader.set_tensor(reader.get_input_details()[0]["index"], image)
    reader.invoke()
    found = reader.get_tensor(reader.get_output_details()[0]["index"])
    assert np.allclose(found, np.asarray(network(image, training=False)), atol=1e-5)
