"""Pickles, told by their opcodes; they are read one by one and never executed."""

from __future__ import annotations

import io
import pickletools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_MOST_OPCODES = 2_000_000
_MOST_STREAMS = 32
"""Pickles one after the other, as PyTorch wrote before version 1.6."""
_IDENTIFIER = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_CALLS = frozenset({"REDUCE", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD"})
_PUT = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_GET = frozenset({"GET", "BINGET", "LONG_BINGET"})

DANGEROUS = frozenset(
    "__builtin__ asyncio bdb builtins code codeop commands cProfile ctypes doctest ensurepip http idlelib importlib "
    "logging multiprocessing nt operator os pdb pip pkgutil platform posix profile pty pydoc requests runpy "
    "setuptools shutil site smtplib socket ssl subprocess sys tempfile timeit trace types urllib uuid venv webbrowser "
    "zipimport".split()
)
"""Top-level modules whose functions start programs, read and write files, or reach the network."""
_HARMLESS_BUILTINS = frozenset(
    "set frozenset list dict tuple int float bool str bytes bytearray complex slice range object".split()
)


@dataclass(frozen=True, slots=True)
class Pickle:
    """What a pickle would do.

    Attributes
    ----------
    imports
        ``module.name`` of all it would import, once each, in order.
    calls
        Whether it would call anything.
    """

    protocol: int
    imports: tuple[str, ...]
    calls: bool

    @property
    def dangerous(self) -> tuple[str, ...]:
        """Those of its imports that start programs, reach files or the network."""
        return tuple(name for name in self.imports if _is_dangerous(name))


@dataclass(slots=True)
class _Reading:
    opcodes: int = 0
    protocol: int = -1
    stopped: bool = False
    calls: bool = False
    inst: bool = False
    imports: dict[str, None] = field(default_factory=dict)
    top: str | None = None
    """On the stack, if it is a text."""
    texts: list[str] = field(default_factory=list)
    memo: dict[int, str | None] = field(default_factory=dict)


def find_pickle(content: bytes) -> Pickle | None:
    """The pickle a file begins with, whole or cut off; None if it begins with something else.

    One that breaks off counts, too: what stands before the break would be executed. Protocols 0 and 1 have no mark of
    their own; they are recognised where something is imported and called, or the pickle ends as it should.
    """
    stream = io.BytesIO(content)
    first = _read(stream)
    marked = content[:1] == b"\x80" and 1 <= first.protocol <= 5 and first.opcodes > 1
    if not (first.stopped or first.calls or first.imports if marked else _unmarked(first)):
        return None
    imports, calls, stopped = dict(first.imports), first.calls, first.stopped
    for _ in range(_MOST_STREAMS):
        if not stopped:
            break
        more = _read(stream)
        if more.opcodes < 2:
            break
        imports |= more.imports
        calls, stopped = calls or more.calls, more.stopped
    return Pickle(max(first.protocol, 0), tuple(imports), calls)


def _unmarked(reading: _Reading) -> bool:
    return bool(reading.imports) and (reading.inst or reading.calls or reading.stopped)


def _read(stream: io.BytesIO) -> _Reading:
    reading = _Reading()
    for name, argument in _opcodes(stream):
        reading.opcodes += 1
        _take(reading, name, argument)
    return reading


def _opcodes(stream: io.BytesIO) -> Iterator[tuple[str, object]]:
    """The opcodes up to the one that would fail, for what it needs is not on the stack."""
    depth, marks = 0, list[int]()
    try:
        for number, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
            depth = _moved(depth, marks, opcode)
            if depth < 0 or number > _MOST_OPCODES:
                return
            yield opcode.name, argument
    except (ValueError, IndexError, UnicodeError, OverflowError, MemoryError):
        return  # what is no pickle, or no pickle any more


def _moved(depth: int, marks: list[int], opcode: pickletools.OpcodeInfo) -> int:
    """Depth of the stack after an opcode, as `pickletools.dis` has it; negative if the opcode would fail.

    Parameters
    ----------
    marks
        Depths below the marks on the stack; changed in place.
    """
    mark, taken = pickletools.markobject, opcode.stack_before
    if mark in taken or (opcode.name == "POP" and marks and marks[-1] == depth - 1):
        if not marks:
            return -1
        depth, taken = marks.pop(), taken[: taken.index(mark)] if mark in taken else []
    depth -= len(taken)
    if depth < 0 or (marks and depth <= marks[-1]):
        return -1
    if mark in opcode.stack_after:
        marks.append(depth)
    return depth + len(opcode.stack_after)


def _take(reading: _Reading, name: str, argument: object) -> None:
    text: str | None = None
    if name == "PROTO" and isinstance(argument, int):
        reading.protocol = argument
    elif name == "STOP":
        reading.stopped = True
    elif name in ("GLOBAL", "INST") and isinstance(argument, str):
        module, _, function = argument.partition(" ")
        if _IDENTIFIER.fullmatch(module) and _IDENTIFIER.fullmatch(function):
            reading.imports[f"{module}.{function}"] = None
            reading.inst = reading.inst or name == "INST"
    elif name == "STACK_GLOBAL":
        # Built at run time, if it is not two texts: that is no reason to trust it.
        reading.imports[".".join(reading.texts[-2:]) if len(reading.texts) > 1 else "an unknown function"] = None
    elif name in _PUT:
        reading.memo[int(str(argument))] = reading.top
        return
    elif name == "MEMOIZE":
        reading.memo[len(reading.memo)] = reading.top
        return
    elif name in _GET:
        text = reading.memo.get(int(str(argument)))
    elif isinstance(argument, str):
        text = argument
    reading.calls = reading.calls or name in _CALLS
    reading.top = text
    if text is not None:
        reading.texts = [*reading.texts[-7:], text]


def _is_dangerous(name: str) -> bool:
    module, _, function = name.rpartition(".")
    top = module.partition(".")[0]
    if top in ("builtins", "__builtin__"):
        return function not in _HARMLESS_BUILTINS
    return top in DANGEROUS or not module
