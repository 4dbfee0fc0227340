"""Whole cases through a network: nothing is shifted, whatever the padding, the spacing and the mirroring."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from imaging.data.cases import Case
from imaging.networks import build
from imaging.networks.config import NetworkConfig
from imaging.segmentation.metrics import dice
from imaging.segmentation.prediction import applied, mirror, predict, predicted_by_all, predictions

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

CONFIGS = [
    NetworkConfig(size=16, channels=2, depth=2, filters=2, context=1),
    NetworkConfig(size=16, channels=3, depth=2, filters=2, spacing_mm=4.0),
    NetworkConfig("unet3d", size=16, slices=8, channels=2, depth=2, filters=2, spacing_mm=5.0),
]


def _case() -> Case:
    mask = np.zeros((11, 22, 27), dtype=np.bool_)
    mask[3:9, 5:16, 12:24] = True
    pet = np.where(mask, 15.0, 0.0).astype(np.float32)
    return Case("A", "A", pet, np.zeros_like(pet), mask, (3.0, 4.0, 4.5))


@pytest.mark.parametrize("config", CONFIGS)
def test_what_a_network_sees_comes_back_where_it_was(config: NetworkConfig) -> None:
    """A network that returns the PET of the middle slice outlines what PET outlines."""
    case, middle = _case(), config.channels * config.context
    found = applied(lambda images: images[..., middle : middle + 1], config, case)
    assert found.shape == case.mask.shape
    assert dice(found > 0.5, case.mask) > (0.85 if config.spacing_mm else 0.999)


@pytest.mark.parametrize("config", CONFIGS)
def test_an_ensemble_is_the_mean_of_its_members_and_their_mirrored_views(keras: Any, config: NetworkConfig) -> None:
    keras.utils.set_random_seed(1)
    case, members = _case(), [(config, build(config, any_size=True)) for _ in range(2)]
    plain = [predict(network, config, case) for _, network in members]
    assert np.allclose(predicted_by_all(members, case, mirrored=False), np.mean(plain, axis=0), atol=1e-6)
    assert len(list(predictions(members, case))) == 8
    assert 0 <= plain[0].min() <= plain[0].max() <= 1 and not np.allclose(*plain)


def test_mirroring_twice_changes_nothing() -> None:
    case = _case()
    again = mirror(mirror(case, (1, 2)), (1, 2))
    assert np.array_equal(again.pet, case.pet) and np.array_equal(again.mask, case.mask)
    assert mirror(case, ()) is case
