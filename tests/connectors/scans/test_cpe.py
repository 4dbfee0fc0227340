"""CPE names, new and old."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.scans.cpe import cpe23_from_parts, is_cpe23, to_cpe23


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cpe:2.3:o:microsoft:windows_7:-:sp1:*:*:*:*:*:*", "cpe:2.3:o:microsoft:windows_7:-:sp1:*:*:*:*:*:*"),
        ("cpe:2.3:a:a\\:b:c:1\\+2:*:*:*:*:*:*:*", "cpe:2.3:a:a\\:b:c:1\\+2:*:*:*:*:*:*:*"),
        ("cpe:/a:philips:mx800:1.0", "cpe:2.3:a:philips:mx800:1.0:*:*:*:*:*:*:*"),
        ("cpe:/a:a:b%2bc:1.%01::~~pro~linux~~:en", "cpe:2.3:a:a:b\\+c:1.?:*:*:en:pro:linux:*:*"),
        ("cpe:/h:a:b:-", "cpe:2.3:h:a:b:-:*:*:*:*:*:*:*"),
        ("cpe:2.3:x:a:b:1:*:*:*:*:*:*:*", ""),
        ("cpe:2.3:a:a:b:1:*:*:*:*:*:*", ""),
        ("cpe:2.3:a:a b:b:1:*:*:*:*:*:*:*", ""),
        ("cpe:/", ""),
        ("cpe:/a:vendor", ""),
        ("cpe:/::product", ""),
        ("", ""),
    ],
)
def test_to_cpe23(text: str, expected: str) -> None:
    assert to_cpe23(text) == expected


@given(st.text() | st.text(alphabet="cpe:/2.3ao*-~%\\", max_size=40))
def test_any_text_gives_a_name_or_nothing(text: str) -> None:
    name = to_cpe23(text)
    assert name == "" or is_cpe23(name)


@given(st.lists(st.text(alphabet="ab:\\*?-+.", max_size=4), max_size=10))
def test_parts_are_quoted(parts: list[str]) -> None:
    name = cpe23_from_parts(["a", *parts])
    assert is_cpe23(name) if len(parts) > 1 and parts[1] not in ("", "*") else name == ""
