"""Networks by configuration, one small builder each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from imaging.networks.attention import attention
from imaging.networks.config import NetworkConfig
from imaging.networks.flat import flat
from imaging.networks.multitask import multitask
from imaging.networks.unet import unet

Builder = Callable[..., Any]

BUILDERS: Mapping[str, Builder] = MappingProxyType(
    {"unet": unet, "attention": attention, "flat": flat, "multitask": multitask, "unet3d": unet}
)
"""Those a configuration can name."""


def build(config: NetworkConfig, *, any_size: bool = False) -> Any:
    """Build the network of a configuration, with fresh weights.

    Parameters
    ----------
    any_size
        Take images of any rows and columns that are multiples of `config.multiple`, instead of windows only.

    Returns
    -------
    tf_keras.Model

    Raises
    ------
    ValueError
        On an architecture that nothing builds.
    """
    if config.architecture not in BUILDERS:
        raise ValueError(f"architecture is {config.architecture!r}, none of {', '.join(BUILDERS)}")
    return BUILDERS[config.architecture](config, any_size=any_size)
