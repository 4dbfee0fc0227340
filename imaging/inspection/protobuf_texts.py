"""Texts in the bytes of TensorFlow and ONNX models, found by their length prefix; nothing is built of the message.

A text of a protobuf message is its field number, its length and its bytes, and never compressed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath, PureWindowsPath

DANGEROUS_OPS: dict[str, str] = {
    "ReadFile": "reads any file",
    "WriteFile": "writes any file",
    "MatchingFiles": "lists files",
    "PyFunc": "calls Python code",
    "PyFuncStateless": "calls Python code",
    "EagerPyFunc": "calls Python code",
    "NumpyFunction": "calls Python code",
    "PrintV2": "can write to any file",
    "DebugIdentityV3": "can send values to any address",
    "RpcCall": "can send values to any address",
}
"""Operations of a graph that reach beyond its tensors (TensorFlow, Security: running untrusted models)."""

_NODE_OP = 0x12
"""Tag of ``NodeDef.op`` (tensorflow/core/framework/node_def.proto): field 2, a text."""
_LOCATION = b"\x0a\x08location\x12"
"""A ``StringStringEntryProto`` (onnx.proto) with this key, up to the length of its value."""
_LONGEST_PATH = 4096


def dangerous_nodes(content: bytes, *, text: bool = False, prefix: str = "") -> Iterator[tuple[int, str]]:
    """Where a graph uses one of `DANGEROUS_OPS`, each once.

    Parameters
    ----------
    text
        The graph is written as text (``.pbtxt``).
    prefix
        What stands before the names: ``Flex`` in TensorFlow Lite, where they are plain texts.
    """
    for name in DANGEROUS_OPS:
        spelt = (prefix + name).encode()
        if text:
            match = re.search(rb'\bop\s*:\s*["\']' + spelt + rb'["\']', content)
            place = match.start() if match else -1
        elif prefix:
            place = content.find(len(spelt).to_bytes(4, "little") + spelt + b"\0")
        else:
            place = content.find(bytes((_NODE_OP, len(spelt))) + spelt)
        if place >= 0:
            yield place, name


def outside_paths(content: bytes) -> Iterator[tuple[int, str]]:
    """Where an ONNX model names a file of tensors beyond its own folder."""
    place = content.find(_LOCATION)
    while place >= 0:
        start = place + len(_LOCATION)
        length, start = _varint(content, start)
        path = content[start : start + min(length, _LONGEST_PATH)].decode("utf-8", "replace")
        if leaves(path):
            yield place, path[:200]
        place = content.find(_LOCATION, start)


def leaves(path: str) -> bool:
    """Whether a path leads out of the folder it is read in, on any system."""
    windows = PureWindowsPath(path)
    parts = {*PurePosixPath(path).parts, *windows.parts}
    return path.startswith(("/", "\\")) or bool(windows.drive) or ".." in parts


def _varint(content: bytes, start: int) -> tuple[int, int]:
    value = 0
    for shift in range(5):
        if start + shift >= len(content):
            break
        byte = content[start + shift]
        value |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            return value, start + shift + 1
    return 0, start
