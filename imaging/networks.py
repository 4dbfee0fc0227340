"""Networks by configuration, and their weights on disk: arrays and settings, nothing that is executed."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from meddojo.errors import InputError

CONFIG, WEIGHTS = "network.json", "weights.npz"
_MAX_CONFIG_BYTES = 2**16
_MAX_WEIGHT_BYTES = 2**31


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """A U-Net (Ronneberger, Fischer and Brox 2015).

    Attributes
    ----------
    size
        Rows and columns of the windows it is trained on, a multiple of 2 to the power of `depth`.
    channels
        Of the image: 1 PET, 2 PET and CT.
    classes
        1 for a lesion or none (sigmoid), more for classes that exclude each other (softmax).
    filters
        Of the first level; each level below has twice as many.
    depth
        How often the image is halved.
    batch_norm
        Normalise after each convolution.
    dropout
        Share of what the two lowest levels compute that is dropped in training.
    """

    size: int = 64
    channels: int = 2
    classes: int = 1
    filters: int = 16
    depth: int = 3
    batch_norm: bool = True
    dropout: float = 0.1

    def __post_init__(self) -> None:
        bounds = {"size": 1024, "channels": 16, "classes": 64, "filters": 256, "depth": 6}
        for name, largest in bounds.items():
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= largest:
                raise ValueError(f"{name} is {value!r}, no whole number from 1 to {largest}")
        if not isinstance(self.batch_norm, bool):
            raise ValueError(f"batch_norm is {self.batch_norm!r}, neither true nor false")
        if not isinstance(self.dropout, int | float) or not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"dropout is {self.dropout!r}, no share from 0 to below 1")
        if self.size % self.multiple:
            raise ValueError(
                f"size {self.size} cannot be halved {self.depth} times; it must be a multiple of {self.multiple}"
            )

    @property
    def multiple(self) -> int:
        """What rows and columns of any image must be a multiple of."""
        return 1 << self.depth

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


def unet(config: NetworkConfig, *, any_size: bool = False) -> Any:
    """Build the network, with fresh weights.

    Parameters
    ----------
    any_size
        Take images of any rows and columns that are multiples of `config.multiple`, instead of windows only.

    Returns
    -------
    tf_keras.Model
        From (batch, rows, columns, channels) to probabilities (batch, rows, columns, classes).
    """
    from imaging.keras import keras

    layers = keras.layers
    length = None if any_size else config.size
    image = keras.Input((length, length, config.channels))
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


def save(folder: Path, config: NetworkConfig, weights: Sequence[np.ndarray[Any, Any]]) -> None:
    """Write configuration and weights into a folder."""
    write_whole(folder / CONFIG, (json.dumps(asdict(config), indent=1) + "\n").encode())
    write_whole(folder / WEIGHTS, packed({str(number): each for number, each in enumerate(weights)}))


def load(folder: Path) -> tuple[NetworkConfig, Any]:
    """Rebuild the network `save` wrote, for images of any size.

    Raises
    ------
    InputError
        If a file is missing or damaged, or the weights are not those of the configuration.
    """
    path = folder / CONFIG
    try:
        config = NetworkConfig.of(json.loads(read_whole(path, _MAX_CONFIG_BYTES)))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(str(path), "", f"is no configuration of a network: {error}") from error
    arrays = unpacked(folder / WEIGHTS)
    network = unet(config, any_size=True)
    expected = [tuple(each.shape) for each in network.weights]
    weights = [arrays.get(str(number)) for number in range(len(expected))]
    for number, (array, shape) in enumerate(zip(weights, expected, strict=True)):
        if array is None or array.shape != shape or array.dtype != np.float32 or not np.isfinite(array).all():
            raise InputError(str(folder / WEIGHTS), f"array {number}", f"is no finite float32 array of shape {shape}")
    network.set_weights(weights)
    return config, network


def packed(arrays: Mapping[str, np.ndarray[Any, Any]]) -> bytes:
    """Arrays as the bytes of an ``.npz`` file."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def unpacked(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Arrays of an ``.npz`` file; pickled objects are refused.

    Raises
    ------
    InputError
        If the file is missing, damaged or too large.
    """
    content = read_whole(path, _MAX_WEIGHT_BYTES)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(each.file_size for each in archive.infolist()) > _MAX_WEIGHT_BYTES:
                raise InputError(str(path), "", f"unpacks to more than {_MAX_WEIGHT_BYTES} bytes")
            return {
                each.filename.removesuffix(".npy"): np.load(io.BytesIO(archive.read(each)), allow_pickle=False)
                for each in archive.infolist()
            }
    except (ValueError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
        raise InputError(str(path), "", f"is no archive of arrays: {error}") from error


def read_whole(path: Path, max_bytes: int) -> bytes:
    """Read a file within a bound.

    Raises
    ------
    InputError
        If it is missing, unreadable or too large.
    """
    try:
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise InputError(str(path), "", error.strerror or str(error)) from error
    if len(content) > max_bytes:
        raise InputError(str(path), "", f"is larger than {max_bytes} bytes")
    return content


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a kill leaves the old one or the new one, never half of one."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
