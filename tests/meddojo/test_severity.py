from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meddojo.severity import CvssScore, Severity


@pytest.mark.parametrize(
    ("score", "band"),
    [
        (0.0, "Info"),
        (0.1, "Low"),
        (3.9, "Low"),
        (4.0, "Medium"),
        (6.9, "Medium"),
        (7.0, "High"),
        (8.9, "High"),
        (9.0, "Critical"),
        (10.0, "Critical"),
    ],
)
def test_bands_begin_where_cvss_says(score: float, band: str) -> None:
    assert Severity.from_score(score) == band
    assert CvssScore("AV:N/AC:L/Au:N/C:C/I:C/A:C", score, "2.0", "nvd@nist.gov").severity == band


@given(st.floats(0.0, 10.0), st.floats(0.0, 10.0))
def test_a_higher_score_is_never_less_severe(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert Severity.from_score(low).rank <= Severity.from_score(high).rank


def test_ranks_rise_from_info_to_critical() -> None:
    names = ("Info", "Low", "Medium", "High", "Critical")
    assert [Severity(name).rank for name in names] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("text", "band"),
    [
        ("High", "High"),
        (" moderate\n", "Medium"),
        ("NEGLIGIBLE", "Info"),
        ("Important", "High"),
        ("critical", "Critical"),
        ("minor", "Low"),
        ("none", "Info"),
        ("severe", None),
        ("unknown", None),
        ("", None),
    ],
)
def test_bands_are_read_as_scanners_write_them(text: str, band: str | None) -> None:
    assert Severity.parse(text) == band


@pytest.mark.parametrize("band", Severity)
def test_every_band_reads_its_own_name(band: Severity) -> None:
    assert Severity.parse(band.value) is Severity.parse(band.value.upper()) is band
