"""Zeros that are there, in a network that is otherwise as before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.compression.finetuning import FineTuning, fine_tune
from imaging.compression.pruning import densities, kernels, prune, zeros
from imaging.data.cases import read_cases
from imaging.data.slices import SlicePool
from imaging.networks import build
from imaging.networks.config import NetworkConfig
from imaging.networks.files import load
from imaging.segmentation.training import slice_pool
from meddojo.errors import TerminalError

pytestmark = [
    pytest.mark.timeout(600),  # the first test of all waits until a network is compressed
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.fixture(scope="module")
def pool(tiny_cases: Path) -> SlicePool:
    return slice_pool(list(read_cases(tiny_cases)), NetworkConfig(size=16, channels=2, context=1, depth=1))


def test_a_pruned_network_has_the_weights_of_a_plain_one(tiny_compressed: Path) -> None:
    plain, pruned = load(tiny_compressed / "float"), load(tiny_compressed / "pruned")
    assert plain[0] == pruned[0]
    names = [[layer.name for layer in network.layers if layer.weights] for _, network in (plain, pruned)]
    assert names[0] == names[1]
    shapes = [[each.shape for each in network.get_weights()] for _, network in (plain, pruned)]
    assert shapes[0] == shapes[1]


def test_three_quarters_of_the_pruned_kernels_are_zero(tiny_compressed: Path) -> None:
    _, network = load(tiny_compressed / "pruned")
    first, *middle, last = [layer.get_weights()[0] for layer in kernels(network)]
    assert first.all() and last.all()
    kept = densities([kernel.shape for kernel in middle], 0.25)
    for kernel, density in zip(middle, kept, strict=True):
        assert (kernel != 0).mean() == pytest.approx(density, abs=1 / kernel.size)
    assert sum(map(np.count_nonzero, middle)) == pytest.approx(
        0.25 * sum(each.size for each in middle), abs=len(middle)
    )
    counted, weights = zeros(network)
    assert counted == sum(int((each == 0).sum()) for each in middle)
    assert weights == first.size + last.size + sum(each.size for each in middle)
    assert zeros(load(tiny_compressed / "float")[1])[0] == 0


@given(
    st.lists(st.tuples(*[st.integers(1, 3)] * 2, *[st.integers(1, 300)] * 2), min_size=1, max_size=20),
    st.floats(0.01, 0.99),
)
def test_what_kernels_keep_is_a_share_of_all(shapes: list[tuple[int, ...]], density: float) -> None:
    sizes = [int(np.prod(shape)) for shape in shapes]
    kept = densities(shapes, density)
    assert all(0.0 < each <= 1.0 for each in kept)
    assert np.dot(kept, sizes) == pytest.approx(density * sum(sizes))


def test_small_kernels_keep_a_larger_share() -> None:
    small, large = densities([(3, 3, 16, 16), (3, 3, 128, 128)], 0.23)
    assert small == 1.0 and large == pytest.approx(0.218, abs=0.001)


def test_a_teacher_keeps_what_the_masks_would_change(keras: Any, pool: SlicePool) -> None:
    config = NetworkConfig(size=16, channels=2, context=1, filters=3, depth=1, batch_norm=False, dropout=0.0)
    keras.utils.set_random_seed(1)
    teacher, settings = build(config, any_size=True), FineTuning(epochs=1, steps=10, batch=2)
    images = pool.batch(np.random.default_rng(9), 4, 0.5)[0]

    def moved(taught: Any) -> float:
        network = build(config, any_size=True)
        network.set_weights(teacher.get_weights())
        fine_tune(network, pool, settings, taught)
        return float(np.abs(network(images) - teacher(images)).mean())

    assert moved(teacher) < moved(None)


def test_the_largest_weights_are_those_that_stay(keras: Any, pool: SlicePool) -> None:
    config = NetworkConfig(size=16, channels=2, context=1, filters=3, depth=1, dropout=0.0)
    network = build(config, any_size=True)
    before = network.get_weights()
    # at a rate of almost nothing, weights are chosen, but do not change
    pruned = prune(network, config, pool, 0.5, FineTuning(epochs=1, steps=3, batch=2, learning_rate=1e-9))
    for old, new in zip(kernels(network)[1:-1], kernels(pruned)[1:-1], strict=True):
        sizes, kept = np.abs(old.get_weights()[0]), new.get_weights()[0] != 0
        assert sizes[kept].min() >= sizes[~kept].max()
    assert all(np.array_equal(*pair) for pair in zip(before, network.get_weights(), strict=True))


@pytest.mark.parametrize("sparsity", [0.0, 1.0, -0.5])
def test_shares_that_are_none(pool: SlicePool, sparsity: float) -> None:
    with pytest.raises(ValueError, match="no share"):
        prune(None, NetworkConfig(), pool, sparsity, FineTuning())


def test_a_loss_that_is_no_number_ends_it(keras: Any, pool: SlicePool) -> None:
    config = NetworkConfig(size=16, channels=2, context=1, filters=2, depth=1, batch_norm=False)
    network = build(config, any_size=True)
    network.set_weights([each * np.nan for each in network.get_weights()])
    with pytest.raises(TerminalError, match="no number"):
        fine_tune(network, pool, FineTuning(epochs=1, steps=1, batch=1))


def test_the_rate_falls_to_almost_nothing(keras: Any, pool: SlicePool) -> None:
    config = NetworkConfig(size=16, channels=2, context=1, filters=2, depth=1, batch_norm=False, dropout=0.0)
    network = build(config, any_size=True)
    steps: list[float] = []
    last = [network.get_weights()]

    def after() -> None:
        now = network.get_weights()
        steps.append(max(float(np.abs(new - old).max()) for new, old in zip(now, last[0], strict=True)))
        last[0] = now

    fine_tune(network, pool, FineTuning(epochs=2, steps=10, batch=1, learning_rate=1e-2), after=after)
    assert len(steps) == 20 and steps[-1] < steps[0] / 20


@pytest.mark.parametrize("settings", [{"loss": "none"}, {"epochs": 0}, {"batch": 0}, {"steps": -1}])
def test_settings_that_are_none(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"none of|at least"):
        FineTuning(**settings)
