"""Many predictions of one case: Monte Carlo dropout, and the members of a deep ensemble."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from imaging.data.cases import Case, Floats
from imaging.networks.config import NetworkConfig
from imaging.segmentation.prediction import predict, predictions

PASSES = 30


def monte_carlo(
    network: Any, config: NetworkConfig, case: Case, passes: int = PASSES, seed: int = 1
) -> Iterator[Floats]:
    """Predict with dropout on, each time with other units dropped (Gal and Ghahramani 2016).

    One pass is one network: all slices of a case share what is dropped. So a pass does not depend on how many slices
    are read at once, and masks of whole cases can be compared between passes. Batch normalisation stays as in
    prediction. The same seed gives the same passes.

    Parameters
    ----------
    network
        A model of Keras whose layers of the class `Dropout` drop more than nothing; or the `StochasticNetwork` of one,
        which need not be made anew for each case then.

    Yields
    ------
    numpy.ndarray
        Probabilities, shape (slices, rows, columns).

    Raises
    ------
    ValueError
        If the network has no dropout, so that all passes would be the same.
    """
    sampled = network if isinstance(network, StochasticNetwork) else StochasticNetwork(network)
    for drawn in np.random.default_rng(seed).integers(2**31, size=passes):
        sampled.draw(int(drawn))
        yield predict(sampled, config, case)


def ensemble(members: Sequence[tuple[NetworkConfig, Any]], case: Case) -> Iterator[Floats]:
    """Predict with each of several networks trained apart (Lakshminarayanan, Pritzel and Blundell 2017).

    Each is shown the case in its four mirrorings (test-time augmentation; Wang et al. 2019), as where a run is
    evaluated. So one network is an ensemble of four.

    Parameters
    ----------
    members
        Pairs of a configuration and its network.

    Yields
    ------
    numpy.ndarray
        Probabilities, shape (slices, rows, columns).
    """
    yield from predictions(members, case)


class StochasticNetwork:
    """A network with dropout on, called as the network itself is; the network given is left as it was."""

    def __init__(self, network: Any) -> None:
        from imaging.keras import keras, tensorflow

        self._draws: list[Callable[[int], None]] = []
        model = keras.models.clone_model(network, clone_function=self._clone)
        model.set_weights(network.get_weights())
        if not self._draws:
            raise ValueError("the network has no dropout: all its passes would be the same")
        # a graph, since there are many passes
        signature = [tensorflow.TensorSpec(model.input_shape, tensorflow.float32)]
        self._call = tensorflow.function(lambda images: model(images, training=False), input_signature=signature)

    def draw(self, seed: int) -> None:
        """Choose what is dropped until the next draw."""
        self._seed = seed

    def __call__(self, images: Any, training: bool = False) -> Any:
        """Probabilities of images, by the network last drawn; batch normalisation is never as in training."""
        for number, draw in enumerate(self._draws):
            draw(self._seed + number)
        return self._call(images)

    def _clone(self, layer: Any) -> Any:
        from imaging.keras import keras

        # exactly Dropout: what derives from it drops otherwise, or adds noise
        if type(layer) is not keras.layers.Dropout or not layer.rate:
            return type(layer).from_config(layer.get_config())
        found, draw = _always_dropped(layer.rate, layer.name)
        self._draws.append(draw)
        return found


def _always_dropped(rate: float, name: str) -> tuple[Any, Callable[[int], None]]:
    """A layer that drops in prediction too, the same units of every image; and what seeds it."""
    from imaging.keras import keras, tensorflow

    generator = tensorflow.random.Generator.from_seed(0)

    def dropped(found: Any) -> Any:
        shape = tensorflow.concat([[1], tensorflow.shape(found)[1:]], axis=0)
        kept = tensorflow.cast(generator.uniform(shape) >= rate, found.dtype)
        return found * kept / (1.0 - rate)

    return keras.layers.Lambda(dropped, name=name), generator.reset_from_seed
