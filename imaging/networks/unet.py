"""The U-Net, in two dimensions or in three."""

from __future__ import annotations

from typing import Any

from imaging.networks.blocks import decoder, doubled, encoder, image_of, probability
from imaging.networks.config import NetworkConfig


def unet(config: NetworkConfig, *, any_size: bool = False) -> Any:
    """A U-Net (Ronneberger, Fischer and Brox 2015), with fresh weights; of volumes if the configuration reads them.

    That of volumes has the same layers with one dimension more. Çiçek et al. (2016, arXiv 1606.06650) double the
    filters before the image is halved, which costs twice the time for the same first level.

    Parameters
    ----------
    any_size
        Take images of any lengths that are multiples of `config.multiple`, instead of windows only.

    Returns
    -------
    tf_keras.Model
        From (batch, rows, columns, planes) to probabilities (batch, rows, columns, classes), with slices before the
        rows if it reads volumes.
    """
    from imaging.keras import keras

    image, width = image_of(config, any_size=any_size), doubled(config)
    bottom, skipped = encoder(image, config, width)
    return keras.Model(image, probability(decoder(bottom, skipped, config, width), config))
