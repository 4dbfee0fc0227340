"""The KEV feed."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.feeds.kev import KevFeed, build, parse_row
from connectors.json_object import JsonObject
from meddojo.config import FeedConfig
from meddojo.errors import InputError
from meddojo.interface import Checkpoint, Feed, Skipped
from meddojo.store import Store
from meddojo.vulnerability import KevEntry
from scheduler.console import Console
from scheduler.intake import take_in

ROW = {
    "cveID": "CVE-2020-1938",
    "dateAdded": "2022-03-03",
    "dueDate": "2022-03-17",
    "requiredAction": "Update it.",
    "knownRansomwareCampaignUse": "Known",
}


def _update(source: Path) -> list[Any]:
    return list(build(FeedConfig(source=str(source))).update(None))


def test_row() -> None:
    entry = parse_row(JsonObject.of(ROW, "x"))
    assert entry == KevEntry("CVE-2020-1938", date(2022, 3, 3), date(2022, 3, 17), "Update it.", True)
    assert parse_row(JsonObject.of({"cveID": "CVE-2020-1938", "dateAdded": "2022-03-03"}, "x")).due_date is None


def test_bad_rows_are_skipped(tmp_path: Path) -> None:
    rows = [ROW, {**ROW, "cveID": "1"}, 7, {**ROW, "dateAdded": "soon"}, {**ROW, "dateAdded": None}, ROW]
    path = tmp_path / "kev.json"
    path.write_text(json.dumps({"vulnerabilities": rows}), encoding="utf-8")
    *entries, checkpoint = _update(path)
    assert isinstance(checkpoint, Checkpoint)
    assert not checkpoint.complete, "what cannot be read is not gone"
    assert sum(isinstance(entry, KevEntry) for entry in entries) == 2
    reasons = [entry.reason for entry in entries if isinstance(entry, Skipped)]
    assert [reason.split(":")[0] for reason in reasons] == [
        "/vulnerabilities/1/cveID",
        "/vulnerabilities/2",
        "/vulnerabilities/3/dateAdded",
        "/vulnerabilities/4/dateAdded",
    ]


@pytest.mark.parametrize("text", ['{"vulnerabilities": [', "[]", "{}", '{"vulnerabilities": 3}', "<html></html>"])
def test_no_catalogue(text: str, tmp_path: Path) -> None:
    path = tmp_path / "kev.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        _update(path)


def test_from_the_web(website: Any, session: Any) -> None:
    website.pages["/kev.json"] = json.dumps({"vulnerabilities": [ROW]}).encode()
    feed = KevFeed(f"{website.address}/kev.json", session)
    assert isinstance(feed, Feed)
    entry, checkpoint = feed.update("2020-01-01T00:00:00+00:00")
    assert isinstance(entry, KevEntry)
    assert isinstance(checkpoint, Checkpoint)


@given(data=st.data())
def test_any_value_is_read_or_refused(data: Any, mutated: Callable[[Any], st.SearchStrategy[Any]]) -> None:
    with suppress(InputError):
        assert isinstance(parse_row(JsonObject.of(data.draw(mutated(ROW)), "x")), KevEntry)


def test_a_whole_catalogue_says_what_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "kev.json"
    other = {**ROW, "cveID": "CVE-2020-1939"}
    with Store(f"sqlite:///{tmp_path}/store.db") as store:
        for rows in ([ROW, other], [other, 7], [other]):
            path.write_text(json.dumps({"vulnerabilities": rows}), encoding="utf-8")
            before = set(store.records.kev(["CVE-2020-1938", "CVE-2020-1939"]))
            take_in("kev", str(path), build(FeedConfig(source=str(path))).update(None), store, Console(-1))
        assert before == {"CVE-2020-1938", "CVE-2020-1939"}
        assert set(store.records.kev(before)) == {"CVE-2020-1939"}


def test_real_catalogue(shared_data: Path) -> None:
    *entries, _ = _update(shared_data / "kev_2024-06-30.json.gz")
    assert len(entries) == 1126
    assert all(isinstance(entry, KevEntry) for entry in entries)
    assert sum(entry.ransomware_use for entry in entries) == 278
