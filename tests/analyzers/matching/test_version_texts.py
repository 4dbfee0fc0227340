"""Readings that people checked, forms of later advisories, the canonical notation, and what holds for every text."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.matching.versions.order import compare, parse_version
from analyzers.matching.versions.reader import (
    Designation,
    Unparsed,
    Verdict,
    contains,
    designations,
    format_versions,
    fully_parsed,
    parse_versions,
)

READINGS = tomllib.loads((Path(__file__).parent / "version_readings.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("text", "means"), [(reading["text"], reading["means"]) for reading in READINGS["reading"]], ids=str
)
def test_a_text_means_what_people_read_in_it(text: str, means: str) -> None:
    assert format_versions(parse_versions(text)) == means


@pytest.mark.xfail(strict=True, reason="the reader lacks the context that a person has")
@pytest.mark.parametrize(
    ("text", "means"), [(reading["text"], reading["means"]) for reading in READINGS["known_wrong"]], ids=str
)
def test_what_is_still_read_otherwise(text: str, means: str) -> None:
    assert format_versions(parse_versions(text)) == means


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("vers:unknown/<=1.2.3", "<= 1.2.3"),
        ("vers:generic/%3E%3D1.0%7C%3C2.0", ">= 1.0 & < 2.0"),
        ("vers:semver/>=1.0.0|<2.0.0|!=1.5.0", ">= 1.0.0 & < 2.0.0 except {1.5.0}"),
        ("vers:maven/[1.0,2.0)", ">= 1.0 & < 2.0"),
        ("(,1.5]", "<= 1.5"),
        ("&lt;= 1.5", "<= 1.5"),
        ("≤ 2.3.1", "<= 2.3.1"),
        ("1.0 – 1.5", ">= 1.0 & <= 1.5"),
        ("2.5 (all subversions)", "2.5.x"),
        ("All 3.x versions", "3.x"),
        ("all versions affected", "all"),
        ("TBD", "all if \"the source states 'TBD'\""),
        ("1.0/1.1/1.2", "1.0 | 1.1 | 1.2"),
        ("Series C, revision 4", '4 if "Series C"'),
        ("14.0.0.0 to (not including) 14.0.1", ">= 14.0.0.0 & < 14.0.1"),
        ("1.00 to 1.05 (both inclusive)", ">= 1.00 & <= 1.05"),
        ("MicroDicom DICOM Viewer versions 2023.3 (Build 9342) and prior", '<= "2023.3 (Build 9342)"'),
        ("pre-2.0", "< 2.0"),
        ("2.0 & earlier", "<= 2.0"),
        ("from version 2.0 onwards", ">= 2.0"),
        ("1.2.3 for Windows", '1.2.3 if "for Windows"'),
        (">= 2.0.0 | 2.6.2", '{>= 2.0.0 & <= 2.6.2; >= 2.0.0 if "no upper end is stated"}'),
        ("v8.x model 35700BAX2", 'v8.x of "model 35700BAX2"'),
        ("1SAP500900R0101 | 1.91 <= 2.8.0.367", '>= 1.91 & <= 2.8.0.367 of "1SAP500900R0101"'),
        ("fixed in 2.0", 'unread "fixed in 2.0"'),
    ],
)
def test_forms_of_later_advisories(text: str, means: str) -> None:
    assert format_versions(parse_versions(text)) == means


@pytest.mark.parametrize("text", ["HEN32204", "Accu-Chek Inform II", "MMT-1711 | MMT-1712", "DHCP", "Q-Series"])
def test_a_model_in_place_of_a_version_is_named_and_never_not_affected(text: str) -> None:
    versions = parse_versions(text)
    assert fully_parsed(versions) and designations(versions)
    assert contains(versions, "1.0") is Verdict.UNKNOWN
    assert contains(versions, "") is Verdict.UNKNOWN


@pytest.mark.parametrize("text", ["R4.1", "M.04", "SP2", "LF", "FW08", "2018 R3", "SE2021MP8", "build 12", "v20D29"])
def test_a_version_is_no_model(text: str) -> None:
    assert not designations(parse_versions(text))


texts = st.one_of(
    st.text(max_size=60),
    st.text(alphabet='<>=|vV0123456789. xXandorpi()SP-,"{}', max_size=40),
    st.lists(
        st.sampled_from(
            "<= < >= > | , and or prior to later 1.0 2.3 v3.1 3.x 8.1x SP1 Update build 7 A-12 HEN32204 all versions"
            " except through up (excluding) with Windows serial * 2024-01-15 model C.01 firmware hardware".split()
        ),
        max_size=9,
    ).map(" ".join),
)
installed_versions = st.sampled_from("|1.0|2.3|2.3.1|v3.1 SP1|C.01|8.15|2024-01-15|3.x|HEN32204".split("|"))


@given(texts, installed_versions)
def test_the_canonical_notation_means_the_same(text: str, installed: str) -> None:
    versions = parse_versions(text)
    again = parse_versions(format_versions(versions))
    assert contains(again, installed) is contains(versions, installed)
    assert fully_parsed(again) == fully_parsed(versions)


@given(st.text(max_size=60))
def test_the_notation_keeps_every_text(text: str) -> None:
    for versions in (Unparsed(text), Designation(text, Unparsed(text))):
        assert parse_versions(format_versions(versions)) == versions


names = st.sampled_from(
    "1|1.0|1.1|1.1a|1.1b|1.1 SP1|1.1 SP2|1.1 build 3|1.2|1.2-rc1|2|2.0.1|10|B.01|C.02|2024-01-15|20240201".split("|")
)


@given(names, names, names)
def test_comparable_versions_have_an_order(one: str, two: str, three: str) -> None:
    first, second, third = map(parse_version, (one, two, three))
    assert first and second and third
    forth, back = compare(first, second), compare(second, first)
    assert (forth is None) == (back is None)
    assert forth is None or back is None or forth == -back
    if forth == 1 and compare(second, third) == 1:
        assert compare(first, third) in (1, None)


@given(st.lists(st.integers(0, 30), min_size=3, max_size=3), st.lists(st.integers(0, 30), min_size=3, max_size=3))
def test_a_wider_range_contains_what_a_narrower_one_does(bound: list[int], own: list[int]) -> None:
    installed = ".".join(map(str, own))
    wider = [bound[0], bound[1] + 1, bound[2]]
    for operator in ("<", "<="):
        narrow, wide = (f"{operator} {'.'.join(map(str, numbers))}" for numbers in (bound, wider))
        if contains(parse_versions(narrow), installed) is Verdict.AFFECTED:
            assert contains(parse_versions(wide), installed) is Verdict.AFFECTED
