"""Long lists in portions a statement can take."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TypeVar

T = TypeVar("T")

VALUES_PER_QUERY = 400


def chunks(values: Collection[T]) -> Iterator[list[T]]:
    """The values in order, at most `VALUES_PER_QUERY` at a time."""
    ordered = list(values)
    for start in range(0, len(ordered), VALUES_PER_QUERY):
        yield ordered[start : start + VALUES_PER_QUERY]
