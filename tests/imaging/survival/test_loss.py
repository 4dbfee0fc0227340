"""The loss of tf_keras gives what numpy gives, value and gradient, and a network learns by it."""

from __future__ import annotations

import numpy as np
import pytest

from imaging.survival.cox import Ties, concordance_index, cox_loss
from imaging.survival.loss import cox_partial_likelihood

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
WAYS: tuple[Ties, ...] = ("efron", "breslow")


@pytest.fixture(autouse=True)
def _tensorflow() -> None:
    pytest.importorskip("tf_keras", reason="the imaging extra is not installed")


@pytest.mark.parametrize("ties", WAYS)
@pytest.mark.parametrize("spread", [1.0, 40.0])
def test_value_and_gradient_are_those_of_numpy(ties: Ties, spread: float) -> None:
    from imaging.keras import tensorflow

    random = np.random.default_rng(1)
    for size in (1, 2, 7, 60):
        times = random.integers(1, max(2, size // 4), size).astype(float)
        events = random.integers(0, 2, size).astype(float)
        scores = (random.normal(size=size) * spread).astype(np.float32)
        given = tensorflow.Variable(scores[:, None])
        with tensorflow.GradientTape() as tape:
            loss = cox_partial_likelihood(ties)(np.column_stack([times, events]).astype(np.float32), given)
        expected, slope = cox_loss(times, events, scores, ties)
        number = max(1.0, events.sum())
        assert float(loss) == pytest.approx(expected / number, rel=1e-5, abs=1e-5)
        assert tape.gradient(loss, given).numpy()[:, 0] == pytest.approx(slope / number, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("ties", WAYS)
def test_a_batch_without_events_teaches_nothing(ties: Ties) -> None:
    from imaging.keras import tensorflow

    given = tensorflow.Variable([[0.3], [-1.0]])
    with tensorflow.GradientTape() as tape:
        loss = cox_partial_likelihood(ties)(tensorflow.constant([[3.0, 0.0], [2.0, 0.0]]), given)
    assert float(loss) == 0.0 and not tape.gradient(loss, given).numpy().any()


@pytest.mark.parametrize("ties", WAYS)
def test_a_network_compiled_with_it_orders_patients_it_never_saw(ties: Ties) -> None:
    from imaging.keras import keras

    keras.utils.set_random_seed(2)
    random = np.random.default_rng(2)
    features = random.normal(size=(600, 3)).astype(np.float32)
    life = np.ceil(random.exponential(np.exp(-2.0 * features[:, 0])) * 20)
    left = random.integers(5, 60, 600)
    truth = np.column_stack([np.minimum(life, left), life <= left]).astype(np.float32)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile(optimizer=keras.optimizers.Adam(0.05), loss=cox_partial_likelihood(ties))
    results = []
    for _ in range(2):
        scores = model.predict(features[300:], verbose=0)[:, 0]
        results.append(concordance_index(truth[300:, 0], scores, truth[300:, 1]))
        model.fit(features[:300], truth[:300], batch_size=100, epochs=20, verbose=0)
    best = concordance_index(truth[300:, 0], features[300:, 0], truth[300:, 1])
    assert results[0] == 0.5 and best > 0.75 and results[1] > best - 0.02


def test_an_unknown_way_with_ties_is_refused() -> None:
    with pytest.raises(ValueError, match="'efron' or 'breslow'"):
        cox_partial_likelihood("exact")  # type: ignore[arg-type]
