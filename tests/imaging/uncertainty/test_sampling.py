"""Samples of a network: reproducible, with dropout and nothing else on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imaging.data.cases import Case, read_cases
from imaging.networks import BUILDERS, build
from imaging.networks.config import NetworkConfig
from imaging.networks.multitask import without_risk
from imaging.segmentation.prediction import mirror, predict, predicted_by_all
from imaging.uncertainty.maps import summarise
from imaging.uncertainty.sampling import StochasticNetwork, ensemble, monte_carlo

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

CONFIG = NetworkConfig(size=16, filters=2, depth=2, dropout=0.5)


@pytest.fixture(scope="module")
def case(tiny_cases: Path) -> Case:
    return next(iter(read_cases(tiny_cases)))


def _network(keras: Any, seed: int = 1) -> Any:
    keras.utils.set_random_seed(seed)
    return build(CONFIG, any_size=True)


def test_a_seed_gives_the_same_passes_again_and_another_gives_others(keras: Any, case: Case) -> None:
    network = _network(keras)
    first, again = (list(monte_carlo(network, CONFIG, case, 3, seed=5)) for _ in range(2))
    assert np.array_equal(first, again)
    other = next(monte_carlo(network, CONFIG, case, 1, seed=6))
    assert not np.array_equal(first[0], other)
    assert not np.array_equal(first[0], first[1])
    assert first[0].shape == case.mask.shape and len(first) == 3


def test_the_network_itself_is_left_as_it_was(keras: Any, case: Case) -> None:
    network = _network(keras)
    weights, before = network.get_weights(), predict(network, CONFIG, case)
    for _ in monte_carlo(network, CONFIG, case, 2):
        pass
    assert all(np.array_equal(one, other) for one, other in zip(weights, network.get_weights(), strict=True))
    assert np.array_equal(before, predict(network, CONFIG, case))


def test_a_pass_does_not_depend_on_what_else_is_read_at_once(keras: Any, case: Case) -> None:
    # batch normalisation that counts the batch, or dropout of each slice by itself, would change it
    network = StochasticNetwork(_network(keras))
    network.draw(7)
    images = np.random.default_rng(1).random((3, 16, 16, 2), dtype=np.float32)
    together = np.asarray(network(images))
    alone = np.concatenate([np.asarray(network(images[[number]])) for number in range(3)])
    assert np.allclose(together, alone, atol=1e-6)
    same = np.asarray(network(np.repeat(images[:1], 2, axis=0)))
    assert np.allclose(same[0], same[1], atol=1e-6)


def test_dropout_drops_its_share_and_keeps_the_mean(keras: Any) -> None:
    image = keras.Input((None, None, 1))
    network = StochasticNetwork(keras.Model(image, keras.layers.Dropout(0.25)(image)))
    network.draw(3)
    found = np.asarray(network(np.ones((1, 100, 100, 1), dtype=np.float32)))
    assert set(np.round(np.unique(found), 5)) == {0.0, np.float32(1.33333)}
    assert np.mean(found == 0.0) == pytest.approx(0.25, abs=0.02)


def test_the_mean_of_a_linear_network_is_its_prediction(keras: Any) -> None:
    image = keras.Input((None, None, 2))
    model = keras.Model(image, keras.layers.Conv2D(1, 1)(keras.layers.Dropout(0.5)(image)))
    # the same everywhere, so that the mean over places is one over draws
    images = np.broadcast_to(np.array([0.3, 0.9], dtype=np.float32), (1, 200, 200, 2))
    network = StochasticNetwork(model)
    network.draw(1)
    found = np.asarray(network(images))
    assert found.std() > 0.1
    assert found.mean() == pytest.approx(float(np.asarray(model(images)).mean()), abs=0.02)


@pytest.mark.parametrize("architecture", sorted(BUILDERS))
def test_every_architecture_can_be_sampled(keras: Any, architecture: str) -> None:
    built = build(replace(CONFIG, architecture=architecture, context=0, channels=1), any_size=True)
    network = without_risk(built) if architecture == "multitask" else built
    images = np.random.default_rng(1).random((2, 8, 16, 16, 1), dtype=np.float32)
    images = images if architecture == "unet3d" else images[:, 0]
    sampled, passes = StochasticNetwork(network), []
    for seed in (1, 2):
        sampled.draw(seed)
        passes.append(np.asarray(sampled(images)))
    assert passes[0].shape == (*images.shape[:-1], 1) and not np.array_equal(*passes)


def test_a_network_without_dropout_is_refused(keras: Any, case: Case) -> None:
    plain = replace(CONFIG, dropout=0.0)
    with pytest.raises(ValueError, match="no dropout"):
        next(monte_carlo(build(plain, any_size=True), plain, case))


def test_an_ensemble_is_its_members_each_mirrored(keras: Any, case: Case) -> None:
    members = [(CONFIG, _network(keras, seed)) for seed in (1, 2)]
    found = list(ensemble(members, case))
    assert len(found) == 8 and not np.array_equal(found[0], found[4])
    for number, (config, network) in enumerate(members):
        assert np.array_equal(found[4 * number], predict(network, config, case))
        turned = predict(network, config, mirror(case, (1, 2)))
        assert np.array_equal(found[4 * number + 3], turned[:, ::-1, ::-1])
    assert np.allclose(summarise(found).mean, predicted_by_all(members, case), atol=1e-6)
