"""The order of firmware versions."""

from __future__ import annotations

from functools import cmp_to_key

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.matching.versions.order import compare, parse_version


def order(one: str, two: str) -> int | None:
    first, second = parse_version(one), parse_version(two)
    assert first is not None, one
    assert second is not None, two
    return compare(first, second)


@pytest.mark.parametrize(
    "rising",
    [
        ["3.2", "3.2 SP1", "3.2 SP1 Update 2", "3.2 SP2", "3.2.1", "3.3"],
        ["V7.4 SP1", "V7.4 SP1 Upd1", "V7.4 SP1 Upd 11", "7.5"],
        ["3.4.4", "3.4.4 Build 16102416", "3.4.4 Hotfix 1", "3.4.5"],
        ["1.0 beta 2", "1.0 rc1", "1.0", "1.0a", "1.1"],
        ["M.01", "M.02", "N.00", "N.01"],
        ["012U000040", "012U000050", "012U000061"],
        ["02.07.07(9)", "02.07.07(10)", "02.07.08"],
        ["1.03", "1.03C", "1.03D", "1.04"],
        ["9", "10"],
        ["2.9", "2.10"],
        ["B.06.18", "B.06.57"],
        ["W", "Z", "AA", "LF"],
        ["April/17/2023", "2023-05-01", "20230518"],
        ["8.00", "8.00-20140730", "8.01"],
        ["v20D29", "v22D24", "v22D28"],
        ["2014 R2", "2014 R2 SP1", "2017 Update 2"],
        ["v2.5-GA-01-22261", "V2.5-GA-01-22320"],
        ["VE.10.1", "VF.17.20"],
    ],
)
def test_versions_rise(rising: list[str]) -> None:
    for low, one in enumerate(rising):
        for high, two in enumerate(rising):
            if len(one) == 1 or len(two) == 1:
                continue
            assert order(one, two) == (low > high) - (low < high), (one, two)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("3", "3.0"),
        ("V4.1.0", "4.1"),
        ("R4.1", "4.1"),
        ("Rev. C", "C"),
        ("Firmware 3.2", "3.2"),
        ("version 1.52", "v1.52"),
        ("5.2 Service Pack 1", "5.2 SP1"),
        ("15 Upd4", "15 Update 4"),
        ("10.0a", "10a"),
        ("1.4.0_build221212", "1.4 Build 221212"),
    ],
)
def test_the_same_version_in_two_spellings(one: str, two: str) -> None:
    assert order(one, two) == 0


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("M.01", "3.2"),
        ("2.1", "20190812"),
        ("2.1", "2018-1"),
        ("HEN32204", "CPCI85"),
        ("3.2", "4107600010.23"),
        ("4.0", "C.03"),
        ("2018-05-03", "May 2018"),
    ],
)
def test_different_kinds_are_not_compared(one: str, two: str) -> None:
    assert order(one, two) is None


@pytest.mark.parametrize("text", ["", "  ", "17.0 ?.10", "a" * 101, "6SR32..-…..", "*"])
def test_what_is_no_version(text: str) -> None:
    assert parse_version(text) is None


def test_a_series_stands_for_every_version_that_begins_so() -> None:
    assert order("14.1.7", "14.1.x") == 0
    assert order("14.2", "14.1.x") == 1
    assert order("14", "14.1.x") == -1
    assert order("N.07", "N") == 0
    assert order("5.x", "5.6.0") is None
    assert order("5.x", "4.3") == 1
    assert order("5.x", "V5.x") == 0


def test_an_upper_case_x_after_two_digits_is_a_revision_letter() -> None:
    assert order("1.597W", "1.597X") == -1


tails = st.sampled_from(
    ["", " SP1", " SP2", " SP1 Update 2", " Update 1", " HF3", " Build 7", "a", "b", "-rc1", " beta 2", ".x1"]
)
versions = st.builds(
    lambda numbers, tail, prefix: prefix + ".".join(map(str, numbers)) + tail,
    st.lists(st.integers(0, 3), min_size=1, max_size=4),
    tails,
    st.sampled_from(["", "V", "v", "Rev. "]),
)


def rank(one: str, two: str) -> int:
    found = order(one, two)
    assert found is not None
    return found


@given(versions, versions)
def test_order_is_antisymmetric(one: str, two: str) -> None:
    assert rank(one, two) == -rank(two, one)


@given(st.lists(versions, min_size=3, max_size=5))
def test_order_is_transitive(texts: list[str]) -> None:
    rising = sorted(texts, key=cmp_to_key(rank))
    for low, one in enumerate(rising):
        assert all(rank(one, two) <= 0 for two in rising[low:])


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    version = parse_version(text)
    assert version is None or compare(version, version) in (0, None)
