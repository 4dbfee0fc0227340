"""Version texts of advisories: what they mean for an installed version."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from analyzers.matching.versions.reader import (
    AllVersions,
    Exact,
    Range,
    Unparsed,
    Verdict,
    contains,
    format_versions,
    fully_parsed,
    parse_versions,
)

IN, OUT, OPEN = Verdict.AFFECTED, Verdict.NOT_AFFECTED, Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("text", "affected", "not_affected"),
    [
        ("vers:all/<V7.0.3", ["V7.0.2", "6"], ["7.0.3", "V8"]),
        ("vers:all/>=V2.9.2<V2.9.4", ["2.9.3"], ["2.9.4", "2.9.1"]),
        ("vers:generic/1.1|1.5|1.6", ["1.5"], ["1.4"]),
        ("vers:npm/>=1.0.0|<2.0.0|>=3.0.0|<3.1.0", ["1.4", "3.0.9"], ["2.5.0", "3.1.0"]),
        ("<=12.1.3", ["12.1.3", "11"], ["12.1.4"]),
        ("< 3.2 SP1", ["3.2"], ["3.2 SP1", "3.3"]),
        ("< V4.1.0", ["4.0.9"], ["V4.1"]),
        (">= 4.01 | <= 4.34", ["4.07"], ["4.35", "3.9"]),
        (">= V6.2 < V7.1", ["6.2", "7.0"], ["7.1", "6.1"]),
        (">= V2.0 and < V2.1.6", ["2.1.5"], ["2.1.6"]),
        ("All versions < V7.4 SP1 Upd1", ["7.4 SP1"], ["7.4 SP1 Upd1"]),
        ("All firmware versions < V6.00.320", ["6.00.319"], ["6.00.320"]),
        ("BIOS < V22.01.04", ["21"], ["22.01.04"]),
        ("prior to 3.2", ["3.1"], ["3.2"]),
        ("versions prior to v1.52", ["1.51"], ["1.52"]),
        ("All versions prior to and including 4.2", ["4.2"], ["4.3"]),
        ("3.2 and prior", ["3.2", "1"], ["3.3"]),
        ("2.3.6 and  below", ["2.3.6"], ["2.3.7"]),
        ("Version 3.2 and all prior versions", ["3.2"], ["3.3"]),
        ("V2.0 or later", ["2.0", "9"], ["1.9"]),
        ("up to 4.5", ["4.5"], ["4.6"]),
        (">FW19_up_to_and_including_FW26", ["FW26", "20"], ["FW19", "27"]),
        ("2.0 through 2.4", ["2.2"], ["2.5"]),
        ("V1.81.01 - V1.81.03", ["1.81.02"], ["1.81.04"]),
        ("between V3.0 (including) and V3.0.2 (excluding)", ["3.0", "3.0.1"], ["3.0.2"]),
        (">= 9.3.0 -  but not including 9.3.8", ["9.3.0", "9.3.7"], ["9.3.8"]),
        ("3.x", ["3.0", "3.9.9"], ["4.0"]),
        ("14.1.x", ["14.1.2"], ["14.2"]),
        ("v9.x", ["9.02"], ["8.00"]),
        ("<= V5.x", ["5.9", "4"], ["6.0"]),
        ("< 3.x", ["2.9"], ["3.2"]),
        ("<= 12.2.x.x", ["12.2.5.0"], ["12.3"]),
        ("3.36 | 3.40", ["3.40"], ["3.38"]),
        ("V8.0, V8.1, and V8.2", ["8.1"], ["8.3"]),
        ("4.20 | 4.20 SR1 | 4.30", ["4.20 SR1"], ["4.10"]),
        ("R4.1", ["R4.1", "4.1"], ["R4.2"]),
        ("Rev. C", ["C"], ["D"]),
        ("Rev B-M", ["L.00", "M.03"], ["N.00"]),
        ("<= N.00", ["M.01"], ["N.01"]),
        ("<=N", ["N.05", "L.1"], ["P.00"]),
        ("<= R4.1L1", ["R4.1L1"], ["R4.1L2"]),
        ("< 02.07.07(10)", ["02.07.07(9)"], ["02.07.07(10)"]),
        ("<= 3.4.4 Build 16102416", ["3.4.4", "3.4.4 build 1"], ["3.4.4 Build 16102417"]),
        ("<=8.00-20140730", ["8.00-20140729"], ["8.00-20140731"]),
        ("<April/17/2023", ["2023-04-16"], ["2023-04-17"]),
        ("NMC2 <= 6.9.6", ["6.9.6"], ["7.0"]),
        ("< CPC80 V16.30", ["16.29"], ["16.30"]),
        ("<= PI SDK 2018 SP1 Version 1.4.7.602", ["1.4.7.602"], ["1.4.7.603"]),
        ("<= 1.597X", ["1.597W", "1.597X"], ["1.597Y"]),
        ("<=9.4 FP1 | >= 10.2.1", ["9.4", "10.3"], ["10.1"]),
        ("< 1.1 | < 2.3", ["1.0", "2.2"], ["2.3", "3.0"]),
        ("<= 1.54 (integrated into GE MobileLink)", ["1.54"], ["1.55"]),
        ("8.0 (Standard DC HC Buildings Editions)", ["8.0"], ["8.1"]),
    ],
)
def test_forms_of_the_feeds(text: str, affected: list[str], not_affected: list[str]) -> None:
    versions = parse_versions(text)
    assert fully_parsed(versions)
    assert {version: contains(versions, version) for version in affected} == dict.fromkeys(affected, IN)
    assert {version: contains(versions, version) for version in not_affected} == dict.fromkeys(not_affected, OUT)


@pytest.mark.parametrize(
    "text", ["vers:all/*", "vers:generic/*", "*", "All versions", "all", "", " All Versions ", "any"]
)
def test_every_version(text: str) -> None:
    assert parse_versions(text) == AllVersions()
    assert contains(parse_versions(text), "") is IN


@pytest.mark.parametrize(
    "text",
    [
        "see the manual",
        "fixed in 2.0",
        "not affected",
        "3.0 and",
        "< 17.0 ?.10",
        "<=",
        "x" * 900,
    ],
)
def test_what_cannot_be_read_is_unparsed_and_never_not_affected(text: str) -> None:
    versions = parse_versions(text)
    assert not fully_parsed(versions)
    assert contains(versions, "1.0") is OPEN
    assert contains(versions, "") is OPEN


@pytest.mark.parametrize(
    ("text", "installed"),
    [
        ("<=11.2 on Windows 8.1 with IIS 7.5", "11.2"),
        ("All versions with Ethernet interface", "1.0"),
        ("< V8.1 with WinCC V7.3 Upd 13", "8.0"),
        ("<=the_first_5_digits_of_serial_number_24031", "1.0"),
        ("distributed  < april 1, 2018", "1.0"),
        ("n/a", "1.0"),
        ("v6.x (with Wireless Battery Modules v9 | v11)", "6.02"),
        ("20-33", "25"),
        ("3.0 and <", "2.9"),
        ("< 1.99 | 2.20 | 2.40", "2.10"),
        ("A10 < A11", "A11"),
        ("<= 4.2.21 | <= 5.0.27 | <= 5.1.19", "5.0.28"),
        ("4.1.1.7662 (and possibly prior versions)", "4.0"),
        ("<= 9.6 (excluding 9.4.2.6 and 9.5.3.2)", "9.5"),
    ],
)
def test_conditions_and_ambiguities_stay_open(text: str, installed: str) -> None:
    assert contains(parse_versions(text), installed) is OPEN


def test_a_condition_does_not_hide_what_lies_outside_its_range() -> None:
    assert contains(parse_versions("<=11.2 on Windows 8.1 with IIS 7.5"), "12.0") is OUT


@pytest.mark.parametrize("installed", ["", "?", "A.01", "unknown"])
def test_a_missing_or_incomparable_version_stays_open(installed: str) -> None:
    assert contains(parse_versions("< 3.2"), installed) is OPEN


def test_a_bare_number_may_be_a_model() -> None:
    assert contains(parse_versions("7100 | 7900"), "2.1") is OPEN
    assert contains(parse_versions("7100 | 7900"), "7900") is IN


def test_a_text_that_cannot_be_read_still_equals_itself() -> None:
    assert contains(Unparsed("HEN32204"), "hen32204 ") is IN


numbers = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40)).map(lambda t: ".".join(map(str, t)))


@given(numbers, numbers)
def test_a_range_contains_its_bounds(one: str, two: str) -> None:
    low, high = sorted((one, two), key=lambda text: [int(part) for part in text.split(".")])
    versions = parse_versions(f">= {low} | <= {high}")
    assert contains(versions, low) is IN
    assert contains(versions, high) is IN
    again = parse_versions(format_versions(versions))
    assert contains(again, low) is IN and contains(again, high) is IN


@given(numbers, numbers, numbers)
def test_operators_agree_with_the_order_of_numbers(low: str, high: str, installed: str) -> None:
    keys = [[int(part) for part in text.split(".")] for text in (low, high, installed)]
    if keys[0] >= keys[1]:
        return
    expected = IN if keys[0] <= keys[2] < keys[1] else OUT
    for text in (
        f">= {low} | < {high}",
        f"vers:generic/>={low}|<{high}",
        f">= V{low} < V{high}",
        f"All versions >= {low} and < {high}",
    ):
        assert contains(parse_versions(text), installed) is expected


@given(st.text(max_size=60), st.text(max_size=20))
def test_any_text_gives_a_verdict(text: str, installed: str) -> None:
    assert contains(parse_versions(text), installed) in Verdict


@given(st.text(alphabet="<>=|vV0123456789. xXandorpi()SP-", max_size=40), numbers)
def test_formatting_loses_nothing(text: str, installed: str) -> None:
    versions = parse_versions(text)
    if isinstance(versions, Range | Exact):
        assert contains(parse_versions(format_versions(versions)), installed) is contains(versions, installed)


@pytest.mark.parametrize("piece", ["1.", "1-", "(1", "(", "1 sp1 ", "1 to ", "prior to ", "version ", ">="])
def test_a_hostile_text_takes_no_time(piece: str) -> None:
    started = time.perf_counter()
    parse_versions((piece * 500)[:500])
    assert time.perf_counter() - started < 1


def leaves(shared_data: Path) -> list[str]:
    found: list[str] = []
    for name in ("cisa_csaf_icsma.jsonl.zst", "cisa_csaf_icsa.jsonl.zst"):
        with (shared_data / name).open("rb") as handle, zstandard.ZstdDecompressor().stream_reader(handle) as reader:
            for line in reader.read().splitlines():
                walk(json.loads(line).get("product_tree", {}).get("branches", []), found)
    return found


def walk(branches: list[dict[str, object]], found: list[str]) -> None:
    for branch in branches:
        if "product" in branch and str(branch["category"]).startswith("product_version"):
            found.append(str(branch["name"]))
        below = branch.get("branches", [])
        assert isinstance(below, list)
        walk(below, found)


def test_real_leaves_are_read(shared_data: Path) -> None:
    texts = leaves(shared_data)
    assert len(texts) == 13_512
    unread = [text for text in texts if not fully_parsed(parse_versions(text))]
    assert len(unread) / len(texts) < 0.005


def test_real_leaves_written_with_one_operator_mean_what_they_say(shared_data: Path) -> None:
    """An independent reading of the plainest forms: dotted numbers behind one operator."""
    import re

    pattern = re.compile(r"(?:vers:all/)?(<=|<)\s*[vV]?(\d+(?:\.\d+)+)")
    plain = sorted({text for text in leaves(shared_data) if pattern.fullmatch(text)})
    assert len(plain) > 500
    generator = random.Random(1)
    for text in plain:
        found = pattern.fullmatch(text)
        assert found
        bound = tuple(int(part) for part in found[2].split("."))
        nearby = tuple(max(0, part + generator.choice((-1, 0, 0, 1))) for part in bound)
        trimmed = [list(numbers) for numbers in (nearby, bound)]
        for numbers_ in trimmed:
            while len(numbers_) > 1 and numbers_[-1] == 0:
                numbers_.pop()
        inside = trimmed[0] < trimmed[1] or (found[1] == "<=" and trimmed[0] == trimmed[1])
        verdict = contains(parse_versions(text), ".".join(map(str, nearby)))
        assert verdict is (IN if inside else OUT) or verdict is OPEN, (text, nearby)
