"""What a network is built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """What a network is built from.

    Attributes
    ----------
    architecture
        A name of `imaging.networks.BUILDERS`.
    size
        Rows and columns of the windows it is trained on, a multiple of 2 to the power of `depth`.
    channels
        Of the image: 1 PET, 2 PET and CT.
    context
        Slices above, and as many below, that are shown beside each slice as further channels.
    classes
        1 for a lesion or none (sigmoid), more for classes that exclude each other (softmax).
    filters
        Of the first level; each level below has twice as many.
    depth
        How often the image is halved.
    slices
        Of the windows a network of three dimensions is trained on, a multiple of 2 to the power of `depth`.
    batch_norm
        Normalise after each convolution.
    dropout
        Share of what the two lowest levels compute that is dropped in training.
    """

    architecture: str = "unet"
    size: int = 64
    channels: int = 2
    context: int = 0
    classes: int = 1
    filters: int = 16
    depth: int = 3
    slices: int = 8
    batch_norm: bool = True
    dropout: float = 0.1

    def __post_init__(self) -> None:
        bounds = {"size": 1024, "channels": 16, "classes": 64, "filters": 256, "depth": 6, "slices": 256}
        for name, largest in bounds.items():
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= largest:
                raise ValueError(f"{name} is {value!r}, no whole number from 1 to {largest}")
        if not isinstance(self.context, int) or isinstance(self.context, bool) or not 0 <= self.context <= 8:
            raise ValueError(f"context is {self.context!r}, no whole number from 0 to 8")
        if not isinstance(self.batch_norm, bool):
            raise ValueError(f"batch_norm is {self.batch_norm!r}, neither true nor false")
        if not isinstance(self.dropout, int | float) or not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"dropout is {self.dropout!r}, no share from 0 to below 1")
        halved = {"size": self.size} | ({"slices": self.slices} if self.volumetric else {})
        for name, length in halved.items():
            if length % self.multiple:
                raise ValueError(
                    f"{name} {length} cannot be halved {self.depth} times; it must be a multiple of {self.multiple}"
                )
        if self.volumetric and self.context:
            raise ValueError(f"context is {self.context}, but {self.architecture} reads all slices as they lie")

    @property
    def volumetric(self) -> bool:
        """Whether the network reads volumes (slices, rows, columns, channels) instead of slices."""
        return self.architecture == "unet3d"

    @property
    def multiple(self) -> int:
        """What rows and columns of any image must be a multiple of, and slices of a volume."""
        return 1 << self.depth

    @property
    def planes(self) -> int:
        """Channels of the input: those of the image, of each slice that is shown."""
        return self.channels * (2 * self.context + 1)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> NetworkConfig:
        """From plain values.

        Raises
        ------
        ValueError
            On an unknown name or a value that is none.
        """
        unknown = set(values) - {each.name for each in fields(cls)}
        if unknown:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        return cls(**values)
