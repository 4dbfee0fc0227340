"""The U-Net in two dimensions."""

from __future__ import annotations

from typing import Any

from imaging.networks.config import NetworkConfig


def unet(config: NetworkConfig, *, any_size: bool = False) -> Any:
    """A U-Net (Ronneberger, Fischer and Brox 2015), with fresh weights.

    Parameters
    ----------
    any_size
        Take images of any rows and columns that are multiples of `config.multiple`, instead of windows only.

    Returns
    -------
    tf_keras.Model
        From (batch, rows, columns, planes) to probabilities (batch, rows, columns, classes).
    """
    from imaging.keras import keras

    layers = keras.layers
    length = None if any_size else config.size
    image = keras.Input((length, length, config.planes))
    found, skipped = image, []
    for level in range(config.depth):
        found = _block(found, config, level, "down")
        skipped.append(found)
        found = layers.MaxPooling2D(name=f"down{level}_half")(found)
    found = _block(found, config, config.depth, "bottom")
    for level in reversed(range(config.depth)):
        found = layers.Conv2DTranspose(config.filters * 2**level, 2, strides=2, name=f"up{level}_double")(found)
        found = layers.Concatenate(name=f"up{level}_join")([found, skipped[level]])
        found = _block(found, config, level, "up")
    activation = "sigmoid" if config.classes == 1 else "softmax"
    return keras.Model(image, layers.Conv2D(config.classes, 1, activation=activation, name="probability")(found))


def _block(found: Any, config: NetworkConfig, level: int, part: str) -> Any:
    """Two convolutions."""
    from imaging.keras import keras

    layers, name = keras.layers, f"{part}{level}"
    for number in (1, 2):
        found = layers.Conv2D(
            config.filters * 2**level, 3, padding="same", use_bias=not config.batch_norm, name=f"{name}_conv{number}"
        )(found)
        if config.batch_norm:
            found = layers.BatchNormalization(name=f"{name}_norm{number}", momentum=0.9)(found)
        found = layers.ReLU(name=f"{name}_relu{number}")(found)
    if config.dropout and level >= config.depth - 1:
        # a generator of its own, so that training can be taken up again where it was
        found = layers.Dropout(config.dropout, name=f"{name}_drop", rng_type="stateful", seed=level)(found)
    return found
