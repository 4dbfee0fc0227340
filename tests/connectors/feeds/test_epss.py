"""The EPSS feed."""

from __future__ import annotations

import gzip
import time
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.feeds.epss import EpssFeed, build, parse_rows
from connectors.reading import split_lines
from meddojo.config import FeedConfig
from meddojo.errors import InputError
from meddojo.interface import Checkpoint, Feed, Skipped
from meddojo.vulnerability import EpssScore

COMMENT = "#model_version:v2023.03.01,score_date:2024-09-01T00:00:00+0000\n"
HEADER = "cve,epss,percentile\n"
TABLE = COMMENT + HEADER + "CVE-2020-1938,0.97385,0.99937\nCVE-2019-11687,0.00201,0.58\n"


def _update(source: Path) -> list[Any]:
    return list(build(FeedConfig(source=str(source))).update(None))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_table(pack: Any, tmp_path: Path) -> None:
    path = tmp_path / "scores"
    path.write_bytes(pack(TABLE.encode()))
    first, second, checkpoint = _update(path)
    assert first == EpssScore("CVE-2020-1938", 0.97385, 0.99937, date(2024, 9, 1), "v2023.03.01")
    assert second.cve == "CVE-2019-11687"
    assert isinstance(checkpoint, Checkpoint)


def test_a_table_read_before_is_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text(TABLE, encoding="utf-8")
    feed = build(FeedConfig(source=str(path)))
    *_, checkpoint = feed.update(None)
    (again,) = feed.update(checkpoint.cursor)
    assert isinstance(again, Checkpoint)
    assert len(list(feed.update(again.cursor))) == 1
    path.write_text(TABLE.replace("0.97385", "0.97386"), encoding="utf-8")
    assert len(list(feed.update(again.cursor))) == 3


def test_day_from_the_name_of_an_old_file(tmp_path: Path) -> None:
    path = tmp_path / "epss_scores-2021-04-14.csv"
    path.write_text("\ufeff" + HEADER + "CVE-2020-1938,1,1\r\n", encoding="utf-8")
    assert _update(path)[0].day == date(2021, 4, 14)


@pytest.mark.parametrize(
    "row",
    ["CVE-2020-1938,0.5", "CVE-2020-1938,1.5,0.5", "CVE-2020-1938,nan,0.5", "CVE-2020-1938,x,0.5", "\xfc,0,0", "a,0,0"],
)
def test_bad_row_is_skipped_naming_its_line(row: str, tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text(TABLE + row + "\nCVE-2021-44228,0.9,0.9\n", encoding="utf-8")
    _, _, bad, good, _ = _update(path)
    assert isinstance(bad, Skipped)
    assert bad.origin == f"{path}: line 5"
    assert good.cve == "CVE-2021-44228"


@pytest.mark.parametrize("text", ["", COMMENT, COMMENT + HEADER, HEADER + "CVE-2020-1938,1,1\n", "<html>", "a,b,c\n"])
def test_no_table(text: str, tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        _update(path)
    assert caught.value.hint


def test_truncated_gzip(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv.gz"
    path.write_bytes(gzip.compress(TABLE.encode())[:-9])
    with pytest.raises(InputError, match="ends too early"):
        _update(path)


def test_from_the_web(website: Any, session: Any) -> None:
    website.pages["/epss.csv.gz"] = gzip.compress(TABLE.encode())
    feed = EpssFeed(f"{website.address}/epss.csv.gz", session)
    assert isinstance(feed, Feed)
    assert [type(item) for item in feed.update(None)] == [EpssScore, EpssScore, Checkpoint]


@given(st.binary(max_size=120) | st.text(max_size=120).map(lambda text: (COMMENT + HEADER + text).encode()))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(InputError):
        assert all(isinstance(item, EpssScore | Skipped) for item in parse_rows(split_lines(data, "x"), "x"))


def test_scale_of_a_real_day(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    rows = "".join(
        f"CVE-2020-{number + 1000},0.{number % 99999:05d},0.{number % 9999:05d}\n" for number in range(258_085)
    )
    path.write_text(COMMENT + HEADER + rows, encoding="utf-8")
    begun = time.perf_counter()
    count = sum(isinstance(item, EpssScore) for item in build(FeedConfig(source=str(path))).update(None))
    assert count == 258_085
    assert time.perf_counter() - begun < 20  # measured: about 1.2 s on one idle core
