"""Objects of JSON documents: values by type, or an error that names the place."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.json_object import JsonObject
from meddojo.errors import InputError


def test_values_are_read_by_type() -> None:
    value = {"t": " x ", "n": 3, "f": True, "l": ["a"], "o": {"k": None}, "d": "2024-06-30", "none": None}
    item = JsonObject.of(value, "x")
    assert (item.text("t"), item.number("n"), item.flag("f"), item.texts("l")) == (" x ", 3.0, True, ("a",))
    assert (item.text("none"), item.number("none"), item.texts("absent"), item.flag("absent", True)) == (
        "",
        None,
        (),
        True,
    )
    assert item.object("o").text("k") == ""
    assert item.day("d") == date(2024, 6, 30)
    assert item.instant("d") == datetime(2024, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("read", "position"),
    [
        (lambda item: item.text("n"), "/a/n"),
        (lambda item: item.number("t"), "/a/t"),
        (lambda item: item.number("f"), "/a/f"),
        (lambda item: item.number("huge"), "/a/huge"),
        (lambda item: item.number("inf"), "/a/inf"),
        (lambda item: item.flag("n"), "/a/n"),
        (lambda item: item.texts("l"), "/a/l/1"),
        (lambda item: item.texts("t"), "/a/t"),
        (lambda item: item.object("l"), "/a/l"),
        (lambda item: list(item.objects("l")), "/a/l/0"),
        (lambda item: item.day("t"), "/a/t"),
        (lambda item: item.instant("t"), "/a/t"),
        (lambda item: item.required_text("absent"), "/a/absent"),
    ],
)
def test_wrong_type_names_the_place(read: Any, position: str) -> None:
    value = {"a": {"t": "x", "n": 3, "f": True, "l": ["a", 1], "huge": 10**400, "inf": float("inf")}}
    with pytest.raises(InputError) as caught:
        read(JsonObject.of(value, "x.json").object("a"))
    assert (caught.value.origin, caught.value.position) == ("x.json", position)
