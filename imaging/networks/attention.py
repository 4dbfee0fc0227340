"""The attention U-Net: what a level passes on is weighed by what the level below has seen."""

from __future__ import annotations

from typing import Any

from imaging.networks.blocks import block, doubled, encoder, image_of, probability
from imaging.networks.config import NetworkConfig


def attention(config: NetworkConfig, *, any_size: bool = False) -> Any:
    """A U-Net with additive attention gates (Oktay et al. 2018, arXiv 1804.03999), with fresh weights.

    Parameters
    ----------
    any_size
        Take images of any rows and columns that are multiples of `config.multiple`, instead of windows only.

    Returns
    -------
    tf_keras.Model
        From (batch, rows, columns, planes) to probabilities (batch, rows, columns, classes). The layers
        ``up<level>_attention`` give the weights, (batch, rows, columns, 1) of half the level's resolution.
    """
    from imaging.keras import keras

    layers, width = keras.layers, doubled(config)
    image = image_of(config, any_size=any_size)
    found, skipped = encoder(image, config, width)
    for level in reversed(range(config.depth)):
        kept = _gated(skipped[level], found, level, width(level))
        found = layers.Conv2DTranspose(width(level), 2, strides=2, name=f"up{level}_double")(found)
        found = layers.Concatenate(name=f"up{level}_join")([found, kept])
        found = block(found, config, level, "up", [width(level)] * 2)
    return keras.Model(image, probability(found, config))


def _gated(skipped: Any, gating: Any, level: int, filters: int) -> Any:
    """Weigh each place of a level: sigmoid(psi . relu(theta x + phi g)) at the resolution below, then enlarged."""
    from imaging.keras import keras

    layers, name = keras.layers, f"up{level}"
    theta = layers.Conv2D(filters, 2, strides=2, use_bias=False, name=f"{name}_theta")(skipped)
    phi = layers.Conv2D(filters, 1, name=f"{name}_phi")(gating)
    joined = layers.ReLU(name=f"{name}_gate_relu")(layers.Add(name=f"{name}_gate_add")([theta, phi]))
    weight = layers.Conv2D(1, 1, activation="sigmoid", name=f"{name}_attention")(joined)
    weight = layers.UpSampling2D(2, interpolation="bilinear", name=f"{name}_gate_double")(weight)
    return layers.Multiply(name=f"{name}_gated")([skipped, weight])
