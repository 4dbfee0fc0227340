"""Objects of JSON documents that are not trusted, read by type, with errors that name the place."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, NoReturn

from connectors.reading import parse_instant
from meddojo.errors import InputError
from meddojo.interface import Skipped


class JsonObject:
    """An object of an untrusted JSON document, read by type; a value of another type is an `InputError`.

    A key that is absent or null counts as empty. Values are never converted: a number is not a text.

    Attributes
    ----------
    value
        The object itself.
    origin
        File, line or URL it comes from.
    """

    __slots__ = ("_index", "_parent", "_pointer", "origin", "value")

    def __init__(
        self,
        value: Mapping[str, Any],
        origin: str,
        pointer: str = "",
        parent: JsonObject | None = None,
        index: int | None = None,
    ) -> None:
        self.value = value
        self.origin = origin
        # The pointer is put together when an error needs it: hardly ever.
        self._pointer = pointer
        self._parent = parent
        self._index = index

    @property
    def pointer(self) -> str:
        """Where in the document it is (JSON pointer, RFC 6901)."""
        pointer = self._pointer if self._parent is None else f"{self._parent.pointer}/{self._pointer}"
        return pointer if self._index is None else f"{pointer}/{self._index}"

    @classmethod
    def of(cls, value: Any, origin: str, pointer: str = "") -> JsonObject:
        """Wrap `value`, which has to be an object."""
        if not isinstance(value, dict):
            raise InputError(
                origin, pointer, f"{_kind(value)} where an object belongs", "is this the right kind of file?"
            )
        return cls(value, origin, pointer)

    def text(self, key: str) -> str:
        """Text, verbatim; empty when absent."""
        value = self.value.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            self._wrong(key, value, "a text")
        return value

    def required_text(self, key: str) -> str:
        """Text that must not be absent or blank."""
        text = self.text(key)
        if not text.strip():
            raise self.error(key, "is missing")
        return text

    def texts(self, key: str) -> tuple[str, ...]:
        """List of texts."""
        values = self._list(key)
        for index, value in enumerate(values):
            if not isinstance(value, str):
                self._wrong(f"{key}/{index}", value, "a text")
        return tuple(values)

    def number(self, key: str) -> float | None:
        """A finite number; None when absent."""
        value = self.value.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._wrong(key, value, "a number")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise self.error(key, "is out of range")
        return number

    def flag(self, key: str, default: bool = False) -> bool:
        """True or false; `default` when absent."""
        value = self.value.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self._wrong(key, value, "true or false")
        return value

    def instant(self, key: str) -> datetime | None:
        """ISO 8601 time as aware UTC (a time without a zone is UTC); None when absent or blank."""
        text = self.text(key)
        if not text.strip():
            return None
        instant = parse_instant(text)
        if instant is None:
            raise self.error(key, f"{text[:40]!r} is not an ISO 8601 time")
        return instant

    def day(self, key: str) -> date | None:
        """ISO 8601 date; None when absent or blank."""
        text = self.text(key)
        if not text.strip():
            return None
        try:
            return date.fromisoformat(text.strip())
        except ValueError:
            raise self.error(key, f"{text[:40]!r} is not an ISO 8601 date") from None

    def object(self, key: str) -> JsonObject:
        """The object at `key`; an empty one when absent."""
        value = self.value.get(key)
        if value is None:
            value = {}
        if not isinstance(value, dict):
            self._wrong(key, value, "an object")
        return JsonObject(value, self.origin, key, self)

    def objects(self, key: str) -> Iterator[JsonObject]:
        """The objects of the list at `key`."""
        for index, value in enumerate(self._list(key)):
            if not isinstance(value, dict):
                self._wrong(f"{key}/{index}", value, "an object")
            yield JsonObject(value, self.origin, key, self, index)

    def entries(self, key: str) -> Iterator[JsonObject | Skipped]:
        """Like `objects`, for a list of records: one that is not an object is skipped."""
        for index, value in enumerate(self._list(key)):
            if isinstance(value, dict):
                yield JsonObject(value, self.origin, key, self, index)
            else:
                yield Skipped(self.origin, f"{self.pointer}/{key}/{index}: {_kind(value)} where an object belongs")

    def error(self, key: str, cause: str) -> InputError:
        """The error to raise about the value at `key`."""
        return InputError(
            self.origin, f"{self.pointer}/{key}", cause, "report it to whoever wrote this document; all others are read"
        )

    def _list(self, key: str) -> list[Any]:
        values = self.value.get(key)
        if values is None:
            return []
        if not isinstance(values, list):
            self._wrong(key, values, "a list")
        return values

    def _wrong(self, key: str, value: Any, expected: str) -> NoReturn:
        raise self.error(key, f"{_kind(value)} where {expected} belongs")


def _kind(value: Any) -> str:
    """What a JSON value is, in words."""
    if value is None:
        return "null"
    names = {
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "an object",
    }
    return names.get(type(value), type(value).__name__)
