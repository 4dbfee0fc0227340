"""Magnitude pruning: the smallest weights become zero, a few at a time, while training goes on.

After Zhu and Gupta, To prune, or not to prune (2017), by TensorFlow Model Optimization: of each kernel the share of
zeros grows as a polynomial of the step. Large kernels give up a larger share than small ones (`densities`), and the
network before teaches the one that shrinks. Zeros make ``weights.npz`` no smaller by themselves; packed (gzip), or
written sparse into a ``.tflite`` file, they do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from imaging.compression.finetuning import FineTuning, fine_tune
from imaging.data.slices import SlicePool
from imaging.networks import build
from imaging.networks.config import NetworkConfig

_GROWING = 0.6
"""Part of the steps in which the zeros grow; in the rest, what is left learns to do without."""
_CHANGES = 40
"""How often the choice of weights is made anew while they grow."""


def prune(
    network: Any,
    config: NetworkConfig,
    pool: SlicePool,
    sparsity: float,
    settings: FineTuning,
    report: Callable[[str], None] = lambda _: None,
) -> Any:
    """Set a share of the weights of convolutions to zero.

    The first and the last convolution keep theirs: they are a hundredth of the weights, and the first sees the image.

    Parameters
    ----------
    network
        Of the configuration; is left as it is.
    sparsity
        Share of the weights of the pruned kernels together, above 0 and below 1.

    Returns
    -------
    tf_keras.Model
        Of the same layers and weights as `build(config, any_size=True)`.

    Raises
    ------
    ValueError
        On another share.
    TerminalError
        If the loss ceases to be a number.
    """
    if not 0.0 < sparsity < 1.0:
        raise ValueError(f"sparsity is {sparsity!r}, no share above 0 and below 1")
    from tensorflow_model_optimization.python.core.sparsity.keras.pruning_callbacks import UpdatePruningStep

    steps = settings.epochs * settings.steps_of(pool)
    wrapped = _wrapped(network, sparsity, max(1, round(_GROWING * steps)))
    callback = UpdatePruningStep()
    callback.set_model(wrapped)
    callback.on_train_begin()
    fine_tune(wrapped, pool, settings, network, before=lambda: callback.on_train_batch_begin(0), report=report)
    callback.on_epoch_end(settings.epochs)  # masks what the last step changed
    return _stripped(wrapped, config)


def kernels(network: Any) -> list[Any]:
    """Layers that are convolutions, in their order."""
    return [layer for layer in network.layers if type(layer).__name__ in {"Conv2D", "Conv2DTranspose"}]


def zeros(network: Any) -> tuple[int, int]:
    """Count the zeros that are there.

    Returns
    -------
    tuple of int
        Zeros, and weights of all kernels.
    """
    arrays = [layer.get_weights()[0] for layer in kernels(network)]
    return sum(int((each == 0).sum()) for each in arrays), sum(each.size for each in arrays)


def densities(shapes: Sequence[Sequence[int]], density: float) -> list[float]:
    """Share of each kernel that stays, so that of all together a share stays.

    A kernel keeps weights in proportion to the sum of its sides, not to their product (Erdős–Rényi-Kernel of Evci et
    al., Rigging the lottery, 2020): those of the finest levels, which are small, keep most.

    Parameters
    ----------
    shapes
        Of kernels: rows, columns, and channels on either side.
    density
        Of all weights, above 0 and below 1.
    """
    sizes = np.array([np.prod(shape) for shape in shapes], dtype=float)
    sides = np.array([np.sum(shape) for shape in shapes], dtype=float)
    whole = np.zeros(len(sizes), dtype=bool)
    while True:
        left = density * sizes.sum() - sizes[whole].sum()
        kept = np.where(whole, 1.0, left / sides[~whole].sum() * sides / sizes)
        if (kept <= 1.0).all():
            return list(map(float, kept))
        whole |= kept > 1.0


def copied(network: Any, change: Callable[[Any], Any] = lambda layer: layer) -> Any:
    """Copy a network with its weights, layer by layer.

    Parameters
    ----------
    change
        What stands in the place of each copied layer, which has no weights yet.
    """
    from imaging.keras import keras

    copies: dict[str, Any] = {}

    def copy(layer: Any) -> Any:
        if type(layer).__name__ == "Dropout":
            # one that draws from a generator of its own cannot be copied
            return keras.layers.Dropout(layer.rate, name=layer.name, seed=0)
        copies[layer.name] = layer.__class__.from_config(layer.get_config())
        return change(copies[layer.name])

    found = keras.models.clone_model(network, clone_function=copy)
    for name, layer in copies.items():
        layer.set_weights(network.get_layer(name).get_weights())
    return found


def _wrapped(network: Any, sparsity: float, end: int) -> Any:
    import tensorflow_model_optimization as tfmot

    pruned = kernels(network)[1:-1]
    kept = densities([layer.kernel.shape for layer in pruned], 1.0 - sparsity)
    schedules = {
        layer.name: tfmot.sparsity.keras.PolynomialDecay(
            initial_sparsity=0.0,
            final_sparsity=1.0 - density,
            begin_step=0,
            end_step=end,
            frequency=max(1, end // _CHANGES),
        )
        for layer, density in zip(pruned, kept, strict=True)
        if density < 1.0
    }
    return copied(
        network,
        lambda layer: (
            tfmot.sparsity.keras.prune_low_magnitude(layer, pruning_schedule=schedules[layer.name])
            if layer.name in schedules
            else layer
        ),
    )


def _stripped(wrapped: Any, config: NetworkConfig) -> Any:
    """Back to plain layers."""
    import tensorflow_model_optimization as tfmot

    plain = tfmot.sparsity.keras.strip_pruning(wrapped)
    network = build(config, any_size=True)
    for layer in (each for each in network.layers if each.weights):
        layer.set_weights([np.asarray(each) for each in plain.get_layer(layer.name).get_weights()])
    return network
