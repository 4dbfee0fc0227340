"""The flat U-Net: as many filters at each level, a baseline that pruned networks have to beat."""

from __future__ import annotations

from typing import Any

from imaging.networks.blocks import decoder, encoder, image_of, probability
from imaging.networks.config import NetworkConfig


def flat(config: NetworkConfig, *, any_size: bool = False) -> Any:
    """A U-Net whose filters are not doubled (Hassler et al. 2025, Lean Unet, arXiv 2512.03834), with fresh weights.

    At depth 4 it has some thirtieth of the parameters of a `unet` with the same filters at the first level.

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

    image = image_of(config, any_size=any_size)
    bottom, skipped = encoder(image, config, lambda _: config.filters)
    return keras.Model(image, probability(decoder(bottom, skipped, config, lambda _: config.filters), config))
