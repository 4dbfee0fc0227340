"""The U-Net in three dimensions."""

from __future__ import annotations

from typing import Any

from imaging.networks.blocks import block, doubled, probability
from imaging.networks.config import NetworkConfig


def unet3d(config: NetworkConfig, *, any_size: bool = False) -> Any:
    """A 3D U-Net (Çiçek et al. 2016, arXiv 1606.06650), with fresh weights.

    As in the paper the filters are doubled before the image is halved, by the second convolution of each level.

    Parameters
    ----------
    any_size
        Take images of any slices, rows and columns that are multiples of `config.multiple`, instead of windows of
        `config.slices` slices only.

    Returns
    -------
    tf_keras.Model
        From (batch, slices, rows, columns, channels) to probabilities (batch, slices, rows, columns, classes).
    """
    from imaging.keras import keras

    layers, width = keras.layers, doubled(config)
    sizes = (None,) * 3 if any_size else (config.slices, config.size, config.size)
    found = image = keras.Input((*sizes, config.planes))
    skipped = []
    for level in range(config.depth):
        found = block(found, config, level, "down", [width(level), width(level + 1)], "Conv3D")
        skipped.append(found)
        found = layers.MaxPooling3D(name=f"down{level}_half")(found)
    found = block(found, config, config.depth, "bottom", [width(config.depth), width(config.depth + 1)], "Conv3D")
    for level in reversed(range(config.depth)):
        found = layers.Conv3DTranspose(width(level + 2), 2, strides=2, name=f"up{level}_double")(found)
        found = layers.Concatenate(name=f"up{level}_join")([found, skipped[level]])
        found = block(found, config, level, "up", [width(level + 1)] * 2, "Conv3D")
    return keras.Model(image, probability(found, config, "Conv3D"))
