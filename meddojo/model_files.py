"""Files of a trained model: written with the SHA-256 of each in ``manifest.json``, and checked against it when read.

Nothing here can run code when it is loaded: no pickle, and arrays are read with ``allow_pickle=False``.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np

from meddojo.errors import InputError

MANIFEST = "manifest.json"
MOST_BYTES = 16 * 2**20
_DIGEST = re.compile(r"[0-9a-f]{64}")
_HINT = "install meddojo again, or train anew: meddojo train --help"


def write_model(folder: Path, written: Mapping[str, bytes], about: Mapping[str, Any]) -> int:
    """Write the files and a manifest that names them, and says `about` besides.

    Returns
    -------
    int
        Size of all of them in bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(written.items())}
    content = {**written, MANIFEST: as_text({**about, "files": sums})}
    for name, each in content.items():
        (folder / name).write_bytes(each)
    return sum(map(len, content.values()))


def manifest(folder: Traversable) -> dict[str, Any]:
    """What the manifest says of the model.

    Raises
    ------
    InputError
        If there is none, or `parse_manifest` refuses it.
    """
    try:
        with folder.joinpath(MANIFEST).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(str(folder), MANIFEST, f"is no manifest of a model: {error}", _HINT) from error
    return parse_manifest(content, str(folder))


def parse_manifest(content: bytes, origin: str, hint: str = _HINT) -> dict[str, Any]:
    """Read a manifest; ``files`` in it maps paths below the folder, with ``/`` between their parts, to their SHA-256.

    Raises
    ------
    InputError
        If it is no JSON object, lists no files, or names a file elsewhere or something that is no digest.
    """
    try:
        if len(content) > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES} bytes")
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(origin, MANIFEST, f"is no manifest of a model: {error}", hint) from error
    if not isinstance(found, dict) or not isinstance(found.get("files"), dict):
        raise InputError(origin, MANIFEST, "lists no files", hint)
    for name, digest in found["files"].items():
        parts = name.split("/")
        if "\\" in name or ":" in name or "\0" in name or any(not part or part.startswith(".") for part in parts):
            raise InputError(origin, MANIFEST, f"names a file elsewhere: {name[:200]!r}", hint)
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            raise InputError(origin, MANIFEST, f"has no SHA-256 of {name[:200]!r}", hint)
    return found


def read_model(folder: Traversable) -> dict[str, bytes]:
    """Content of every file the manifest names.

    Raises
    ------
    InputError
        If a file is missing, or is not the one the manifest names.
    """
    content = {}
    for name, expected in manifest(folder)["files"].items():
        try:
            content[name] = folder.joinpath(*name.split("/")).read_bytes()
        except OSError as error:
            raise InputError(str(folder), name, f"cannot be read: {error}", _HINT) from error
        if hashlib.sha256(content[name]).hexdigest() != expected:
            raise InputError(str(folder), name, "is not the file its manifest names", _HINT)
    return content


def read_arrays(content: bytes) -> Mapping[str, np.ndarray[Any, Any]]:
    """What `write_arrays` wrote."""
    found: Mapping[str, np.ndarray[Any, Any]] = np.load(io.BytesIO(content), allow_pickle=False)
    return found


def write_arrays(arrays: Mapping[str, Any]) -> bytes:
    """An ``.npz`` whose bytes depend on nothing but the arrays: numpy's own writer stamps no time either."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def as_text(value: Mapping[str, Any]) -> bytes:
    """JSON that is the same for the same value."""
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()
