"""A network on disk: arrays and settings, nothing that is executed."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from imaging.networks import build
from imaging.networks.config import NetworkConfig
from imaging.networks.multitask import MULTITASK, without_risk
from imaging.networks.seal import HINT, check
from meddojo.errors import InputError

CONFIG, WEIGHTS = "network.json", "weights.npz"
_MAX_CONFIG_BYTES = 2**16
_MAX_WEIGHT_BYTES = 2**31


def save(folder: Path, config: NetworkConfig, weights: Sequence[np.ndarray[Any, Any]]) -> None:
    """Write configuration and weights into a folder."""
    write_whole(folder / CONFIG, (json.dumps(asdict(config), indent=1) + "\n").encode())
    write_whole(folder / WEIGHTS, packed({str(number): each for number, each in enumerate(weights)}))


def load(folder: Path, require_signature: Sequence[Path] = ()) -> tuple[NetworkConfig, Any]:
    """Rebuild the network `save` wrote, for images of any size.

    Of a `multitask` network this is the part that finds lesions, which is a `unet` and told as one, so that all that
    measures, explains or compresses a segmentation takes it; ``load_whole`` gives both heads.

    Parameters
    ----------
    require_signature
        Files of OpenPGP certificates, one of which has to have signed the folder's manifest; without any, a manifest
        is still obeyed where there is one.

    Raises
    ------
    InputError
        If a file is missing or damaged, or the weights are not those of the configuration.
    """
    config, network = load_whole(folder, require_signature)
    if config.architecture != MULTITASK:
        return config, network
    plain = replace(config, architecture="unet")
    found = build(plain, any_size=True)
    found.set_weights(without_risk(network).get_weights())
    return plain, found


def load_whole(folder: Path, require_signature: Sequence[Path] = ()) -> tuple[NetworkConfig, Any]:
    """Rebuild the network `save` wrote with all its heads, for images of any size.

    Raises
    ------
    InputError
        If a file is missing, damaged or not the one the manifest names, or the weights are not those of the
        configuration.
    """
    sealed = check(folder, (CONFIG, WEIGHTS), require_signature)
    path = folder / CONFIG
    try:
        config = NetworkConfig.of(json.loads(read_whole(path, _MAX_CONFIG_BYTES, sealed[CONFIG])))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(str(path), "", f"is no configuration of a network: {error}") from error
    arrays = unpacked(folder / WEIGHTS, sealed[WEIGHTS])
    network = build(config, any_size=True)
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


def unpacked(path: Path, sha256: str = "") -> dict[str, np.ndarray[Any, Any]]:
    """Arrays of an ``.npz`` file; pickled objects are refused.

    Raises
    ------
    InputError
        If the file is missing, damaged, too large, or has another SHA-256 than the one given.
    """
    content = read_whole(path, _MAX_WEIGHT_BYTES, sha256)
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


def read_whole(path: Path, max_bytes: int, sha256: str = "") -> bytes:
    """Read a file within a bound.

    Raises
    ------
    InputError
        If it is missing, unreadable, too large, or has another SHA-256 than the one given.
    """
    try:
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise InputError(str(path), "", error.strerror or str(error)) from error
    if len(content) > max_bytes:
        raise InputError(str(path), "", f"is larger than {max_bytes} bytes")
    if sha256 and hashlib.sha256(content).hexdigest() != sha256:
        raise InputError(str(path), "", "is not the file its manifest names", HINT)
    return content


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a kill leaves the old one or the new one, never half of one."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
