"""Files of a model that run code, or reach beyond the model, when it is loaded: one rule each, in `RULES`.

Nothing is loaded to find out: pickles are read opcode by opcode, configurations as JSON, graphs as bytes.
"""

from __future__ import annotations

import ast
import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from imaging.inspection import keras_layers
from imaging.inspection.pickles import Pickle, find_pickle
from imaging.inspection.pieces import Link, Piece, Unread, is_packed, pieces
from imaging.inspection.protobuf_texts import DANGEROUS_OPS, dangerous_nodes, leaves, outside_paths
from meddojo.imaging_model import UnsafeFile
from meddojo.severity import Severity

_LISTED = 5
"""Places of one rule in one file that are told."""
_NUMPY = b"\x93NUMPY"
_LONGEST_HEADER = 10_000
_PICKLE_NAMES = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt", ".p", ".dill")
_PROGRAM_NAMES = (".py", ".pyc", ".so", ".dll", ".dylib", ".exe", ".pyd", ".sh", ".bat", ".ps1", ".jar")
_PROGRAM_MARKS = (b"\x7fELF", b"#!", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\0asm")
_LONGEST_JSON = 64 * 2**20

Fault = tuple[str, str, Severity]
"""Position, cause, and how bad it is."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A way in which a file is unsafe.

    Attributes
    ----------
    name
        Part of the identity of findings: never to be changed.
    faults
        Where a piece breaks the rule.
    """

    name: str
    faults: Callable[[Piece], Iterator[Fault]]


@dataclass(frozen=True, slots=True)
class Scan:
    """What a look at all files found, and what it could not look at."""

    unsafe: tuple[UnsafeFile, ...]
    not_looked_at: tuple[str, ...]


def scan(folder: Path) -> Scan:
    """Look for unsafe files below a model's folder.

    Raises
    ------
    InputError
        If it is no folder, or holds too many files.
    """
    unsafe: dict[tuple[str, str], list[UnsafeFile]] = {}
    unread: list[str] = []
    for found in pieces(folder):
        match found:
            case Unread(file, reason):
                unread.append(f"{file}: {reason}")
            case Link(file, target):
                cause = f"is a link out of the folder, to {target}"
                unsafe[file, LINK] = [UnsafeFile(file, "", LINK, cause, Severity.HIGH)]
            case Piece():
                for each in _faults(found):
                    unsafe.setdefault((each.file, each.rule), []).append(each)
    return Scan(tuple(each for same in unsafe.values() for each in same[:_LISTED]), tuple(unread))


LINK = "link"
"""The rule that is broken by what is no file."""


def _faults(piece: Piece) -> Iterator[UnsafeFile]:
    for rule in RULES:
        for position, cause, severity in islice(rule.faults(piece), _LISTED):
            yield UnsafeFile(piece.file, piece.at(position), rule.name, cause, severity)


def _pickle(piece: Piece) -> Iterator[Fault]:
    found = find_pickle(piece.content)
    if found:
        yield "byte 0", f"is a pickle (protocol {found.protocol}): {_doing(found)}", _badness(found)
    elif piece.name.endswith(_PICKLE_NAMES) and not is_packed(piece.content):
        yield "", "is called like a pickle, and will be loaded as one, though it is none now", Severity.MEDIUM


def _object_array(piece: Piece) -> Iterator[Fault]:
    header = _numpy_header(piece.content)
    if header is None or not _has_objects(header[0]):
        return
    found = find_pickle(piece.content[header[1] :])
    said = f": {_doing(found)}" if found else ""
    yield "byte 0", f"is an array of pickled objects{said}", _badness(found) if found else Severity.HIGH


def _doing(found: Pickle) -> str:
    if not found.imports:
        return "it imports nothing now, but whoever exchanges it can run anything"
    named = ", ".join((*found.dangerous, *(each for each in found.imports if each not in found.dangerous))[:_LISTED])
    more = f" and {len(found.imports) - _LISTED} more" if len(found.imports) > _LISTED else ""
    return f"loading it {'calls' if found.calls else 'imports'} {named[:300]}{more}"


def _badness(found: Pickle) -> Severity:
    return Severity.CRITICAL if found.dangerous else Severity.HIGH


def _numpy_header(content: bytes) -> tuple[object, int] | None:
    """The type of an array as its file states it, and where the data begin (numpy.lib.format)."""
    if not content.startswith(_NUMPY) or len(content) < 12:
        return None
    size, start = (2, 10) if content[6] == 1 else (4, 12)
    (length,) = struct.unpack("<H" if size == 2 else "<I", content[8 : 8 + size])
    try:
        header = ast.literal_eval(content[start : start + min(length, _LONGEST_HEADER)].decode("latin-1").strip())
        return header["descr"], start + length
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        return "O", start  # unreadable, so nobody knows that it holds plain numbers


def _has_objects(descr: object) -> bool:
    if isinstance(descr, str):
        return descr.lstrip("|<>=")[:1] == "O"
    if isinstance(descr, list | tuple):
        return any(_has_objects(each[1]) for each in descr if isinstance(each, tuple | list) and len(each) > 1)
    return True


def _keras_config(piece: Piece) -> object:
    if keras_layers.is_hdf5(piece.content):
        return keras_layers.configuration(piece.content) if keras_layers.holds_model(piece.content) else None
    if piece.content[:64].lstrip()[:1] not in (b"{", b"[") or len(piece.content) > _LONGEST_JSON:
        return None
    try:
        found: object = json.loads(piece.content)
    except (ValueError, RecursionError):
        return None
    return found


def _keras_lambda(piece: Piece) -> Iterator[Fault]:
    config = _keras_config(piece)
    code = "holds Python bytecode that runs when the model does"
    if config is not None:
        for place, name in keras_layers.lambdas(config):
            yield place, f"the Lambda layer {name!r} {code}", Severity.HIGH
    elif keras_layers.is_hdf5(piece.content) or piece.name.endswith(".json"):
        for start in keras_layers.written_lambdas(piece.content):
            yield f"byte {start}", f"a Lambda layer {code}", Severity.HIGH


def _keras_module(piece: Piece) -> Iterator[Fault]:
    for place, name in keras_layers.foreign_modules(_keras_config(piece)):
        yield place, f"{name} is imported when the model is opened", Severity.HIGH


def _keras_h5(piece: Piece) -> Iterator[Fault]:
    if keras_layers.is_hdf5(piece.content) and keras_layers.holds_model(piece.content):
        cause = (
            "is a whole model in HDF5: its configuration may name code, and is not checked by older versions of Keras"
        )
        yield "attribute model_config", cause, Severity.MEDIUM


def _saved_model(piece: Piece) -> Iterator[Fault]:
    graph, text = piece.name.endswith(".pb"), piece.name.endswith(".pbtxt")
    lite = piece.content[4:8] == b"TFL3"
    if not (graph or text or lite):
        return
    for start, name in dangerous_nodes(piece.content, text=text, prefix="Flex" if lite else ""):
        severity = Severity.MEDIUM if name == "PrintV2" else Severity.HIGH
        yield f"byte {start}", f"its graph has the operation {name}, which {DANGEROUS_OPS[name]}", severity


def _torchscript(piece: Piece) -> Iterator[Fault]:
    folders = piece.inside.split("/")[:-1]
    if piece.name.endswith(".py") and "code" in folders:
        yield "", "is TorchScript: a program that runs when the model is loaded", Severity.HIGH


def _onnx(piece: Piece) -> Iterator[Fault]:
    if piece.name.endswith(".onnx"):
        for start, path in outside_paths(piece.content):
            yield f"byte {start}", f"takes tensors from {path!r}, outside its folder", Severity.HIGH


def _archive_path(piece: Piece) -> Iterator[Fault]:
    if piece.inside and leaves(piece.inside):
        yield "", "would be unpacked outside the folder", Severity.HIGH


def _program(piece: Piece) -> Iterator[Fault]:
    windows = piece.content.startswith(b"MZ") and b"PE\0\0" in piece.content[:4096]
    if not piece.inside and (
        piece.name.endswith(_PROGRAM_NAMES) or piece.content.startswith(_PROGRAM_MARKS) or windows
    ):
        yield "", "is a program, which a model needs none of", Severity.MEDIUM


RULES = (
    Rule("pickle", _pickle),
    Rule("object-array", _object_array),
    Rule("keras-lambda", _keras_lambda),
    Rule("keras-module", _keras_module),
    Rule("keras-h5", _keras_h5),
    Rule("tensorflow-op", _saved_model),
    Rule("torchscript", _torchscript),
    Rule("onnx-path", _onnx),
    Rule("archive-path", _archive_path),
    Rule("program", _program),
)
"""A positive and a negative example of each stands in the tests."""
