"""The vocabulary to JSON and back, by its own type hints."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")

_adapters: dict[type, TypeAdapter[Any]] = {}


def _adapter(kind: type) -> TypeAdapter[Any]:
    # Building an adapter costs a thousand times more than using it.
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def to_json(value: Any) -> str:
    """Serialise a dataclass of the vocabulary."""
    return _adapter(type(value)).dump_json(value, exclude_defaults=True).decode()


def from_json(kind: type[T], text: str | bytes) -> T:
    """Read what `to_json` wrote.

    Raises
    ------
    pydantic.ValidationError
        If the text is not a serialised `kind`.
    """
    result: T = _adapter(kind).validate_json(text)
    return result
