"""What the networks are composed of: convolutions of one resolution, the way down, the way up, the last layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from imaging.networks.config import NetworkConfig

Width = Callable[[int], int]
"""Filters of a level, 0 being that of the whole image."""


def doubled(config: NetworkConfig) -> Width:
    """Twice as many filters at each halving, as Ronneberger, Fischer and Brox (2015) have them."""
    return lambda level: config.filters * 2**level


def image_of(config: NetworkConfig, *, any_size: bool) -> Any:
    """The input of a network: (batch, rows, columns, planes), with slices before the rows if it reads volumes."""
    from imaging.keras import keras

    lengths = (config.slices, config.size, config.size) if config.volumetric else (config.size, config.size)
    return keras.Input((*(None if any_size else length for length in lengths), config.planes))


def encoder(found: Any, config: NetworkConfig, width: Width) -> tuple[Any, list[Any]]:
    """Down to the lowest level.

    Returns
    -------
    tuple
        The lowest level, and what each level above it passes on, the first level first.
    """
    skipped = []
    for level in range(config.depth):
        found = block(found, config, level, "down", [width(level)] * 2)
        skipped.append(found)
        found = _layer(config, "MaxPooling")(name=f"down{level}_half")(found)
    return block(found, config, config.depth, "bottom", [width(config.depth)] * 2), skipped


def decoder(found: Any, skipped: Sequence[Any], config: NetworkConfig, width: Width) -> Any:
    """Up again to the resolution of the image, each level joined with what was passed on."""
    from imaging.keras import keras

    for level in reversed(range(config.depth)):
        found = _layer(config, "Conv", "Transpose")(width(level), 2, strides=2, name=f"up{level}_double")(found)
        found = keras.layers.Concatenate(name=f"up{level}_join")([found, skipped[level]])
        found = block(found, config, level, "up", [width(level)] * 2)
    return found


def probability(found: Any, config: NetworkConfig) -> Any:
    """Of each class at each voxel: a sigmoid for one class, a softmax for several.

    In single precision whatever the layers before it compute in: half of it cannot tell a loss from zero.
    """
    activation = "sigmoid" if config.classes == 1 else "softmax"
    convolution = _layer(config, "Conv")
    return convolution(config.classes, 1, activation=activation, name="probability", dtype="float32")(found)


def block(found: Any, config: NetworkConfig, level: int, part: str, filters: Sequence[int]) -> Any:
    """Convolutions 3 wide, one for each number of filters, then dropout in the two lowest levels."""
    from imaging.keras import keras

    layers, name = keras.layers, f"{part}{level}"
    for number, count in enumerate(filters, 1):
        found = _layer(config, "Conv")(
            count, 3, padding="same", use_bias=not config.batch_norm, name=f"{name}_conv{number}"
        )(found)
        if config.batch_norm:
            found = layers.BatchNormalization(name=f"{name}_norm{number}", momentum=0.9)(found)
        found = layers.ReLU(name=f"{name}_relu{number}")(found)
    if config.dropout and level >= config.depth - 1:
        # a generator of its own, so that training can be taken up again where it was
        found = layers.Dropout(config.dropout, name=f"{name}_drop", rng_type="stateful", seed=level)(found)
    return found


def _layer(config: NetworkConfig, kind: str, suffix: str = "") -> Any:
    """The layer of a kind for as many dimensions as the network reads."""
    from imaging.keras import keras

    return getattr(keras.layers, f"{kind}{3 if config.volumetric else 2}D{suffix}")
