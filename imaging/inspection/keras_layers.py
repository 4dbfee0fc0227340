"""Saved Keras models: code and foreign modules in their configuration, which is read and never built.

A ``Lambda`` layer holds Python bytecode. Since Keras 3, every object of a configuration names the module and class it
is made of; those of other modules are imported where the model is opened.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Any

_HDF5 = b"\x89HDF\r\n\x1a\n"
_HDF5_PLACES = (0, 512, 1024, 2048, 4096, 8192)
"""Where the signature may stand (HDF5 File Format Specification, II.A)."""
_ATTRIBUTE = b"model_config"
_LAMBDAS = frozenset({"Lambda", "__lambda__"})
_KNOWN_MODULES = frozenset({"keras", "tf_keras", "tensorflow", "builtins"})
_WRITTEN_LAMBDA = re.compile(rb'"class_name"\s*:\s*"(Lambda|__lambda__)"')
_DEEPEST = 500


def is_hdf5(content: bytes) -> bool:
    """Whether it is an HDF5 file."""
    return any(content.startswith(_HDF5, place) for place in _HDF5_PLACES)


def holds_model(content: bytes) -> bool:
    """Whether an HDF5 file holds a whole model, and not weights alone."""
    return _ATTRIBUTE in content


def configuration(content: bytes) -> Any:
    """Configuration of the model in an HDF5 file; None where it cannot be read.

    With h5py, which comes with TensorFlow, as it is stored; else as the first JSON object behind the name of the
    attribute. Attributes are never compressed.
    """
    text = _attribute(content)
    if text is None:
        start = content.find(b"{", content.find(_ATTRIBUTE))
        text = content[start : start + 2**24].decode("utf-8", "replace") if start >= 0 else ""
    try:
        return json.JSONDecoder().raw_decode(text)[0]
    except (ValueError, RecursionError):
        return None


def _attribute(content: bytes) -> str | None:
    try:
        import h5py
    except ImportError:
        return None
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            value = file.attrs.get(_ATTRIBUTE.decode())
    except Exception:  # what h5py raises on damaged files is not limited to anything
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else None


def lambdas(config: Any) -> Iterator[tuple[str, str]]:
    """Position and name of every ``Lambda`` layer and serialised function of a configuration."""
    for place, each in _objects(config):
        if each.get("class_name") in _LAMBDAS:
            inner = each.get("config")
            name = inner.get("name") if isinstance(inner, dict) else None
            yield place, str(name or each["class_name"])[:100]


def foreign_modules(config: Any) -> Iterator[tuple[str, str]]:
    """Position and full name of every object that a module other than Keras' own is imported for."""
    for place, each in _objects(config):
        module, name = each.get("module"), each.get("class_name")
        known = isinstance(module, str) and module.partition(".")[0] in _KNOWN_MODULES
        if isinstance(module, str) and module and isinstance(name, str) and not known:
            yield place, f"{module}.{name}"[:200]


def written_lambdas(content: bytes) -> Iterator[int]:
    """Where bytes spell a ``Lambda`` layer, for configurations that cannot be read."""
    return (match.start() for match in _WRITTEN_LAMBDA.finditer(content))


def _objects(config: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object below a JSON value with its JSON pointer, without recursion."""
    left: list[tuple[str, Any, int]] = [("", config, 0)]
    while left:
        place, value, depth = left.pop()
        if depth > _DEEPEST:
            continue
        if isinstance(value, dict):
            if "class_name" in value:
                yield place or "/", value
            left += [(f"{place}/{key[:60]}", each, depth + 1) for key, each in reversed(value.items())]
        elif isinstance(value, list):
            left += [(f"{place}/{number}", each, depth + 1) for number, each in reversed(list(enumerate(value)))]
