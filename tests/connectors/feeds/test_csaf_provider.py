"""CSAF from a provider on the web, against a server on loopback."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.feeds.csaf import CsafFeed
from meddojo.advisory import Advisory
from meddojo.errors import InputError, TransientError
from meddojo.interface import Checkpoint, Skipped


def _advisory(name: str) -> bytes:
    moment = "2024-01-01T00:00:00Z"
    tracking = {"id": name, "version": "1", "initial_release_date": moment, "current_release_date": moment}
    return json.dumps({"document": {"csaf_version": "2.0", "title": name, "tracking": tracking}}).encode()


def _rolie(website: Any, days: dict[str, str]) -> None:
    entries = [
        {"id": name, "updated": f"{day}T00:00:00Z", "content": {"src": f"{website.address}/{name}.json"}}
        for name, day in days.items()
    ]
    feeds = [
        {"tlp_label": "WHITE", "url": f"{website.address}/feed.json"},
        {"tlp_label": "RED", "url": f"{website.address}/secret.json"},
    ]
    website.pages["/provider-metadata.json"] = json.dumps({"distributions": [{"rolie": {"feeds": feeds}}]}).encode()
    website.pages["/feed.json"] = json.dumps({"feed": {"entry": entries}}).encode()
    website.pages |= {f"/{name}.json": _advisory(name) for name in days}


def _update(website: Any, session: Any, cursor: str | None = None, path: str = "provider-metadata.json") -> list[Any]:
    return list(CsafFeed(f"{website.address}/{path}", session).update(cursor))


def _ids(items: list[Any]) -> list[str]:
    return [item.id for item in items if isinstance(item, Advisory)]


def test_rolie_feed_oldest_first_then_only_changes(website: Any, session: Any) -> None:
    days = {"b": "2024-05-01", "a": "2023-01-01", "c": "2024-06-01"}
    _rolie(website, days)
    items = _update(website, session)
    assert _ids(items) == ["a", "b", "c"]
    assert "/secret.json" not in website.paths
    cursor = items[-1].cursor
    assert _ids(_update(website, session, cursor)) == []
    _rolie(website, {**days, "a": "2024-07-01", "late": "2019-01-01"})
    assert _ids(_update(website, session, cursor)) == ["late", "a"]


def test_what_changed_today_is_fetched_once_more(website: Any, session: Any) -> None:
    _rolie(website, {"a": "2023-01-01", "b": datetime.now(UTC).date().isoformat()})
    items = _update(website, session)
    assert _ids(items) == ["a", "b"]
    assert _ids(_update(website, session, items[-1].cursor)) == ["b"]


@pytest.mark.parametrize("cursor", ["files read 2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00+00:00", "", "csaf1 "])
def test_another_cursor_means_everything(cursor: str, website: Any, session: Any) -> None:
    _rolie(website, {"a": "2023-01-01"})
    assert _ids(_update(website, session, cursor)) == ["a"]


def test_refused_and_broken_documents_are_tried_again(website: Any, session: Any) -> None:
    _rolie(website, {"a": "2023-01-01", "b": "2023-01-02", "c": "2023-01-03"})
    website.pages["/a.json"] = (404, {}, b"gone")
    website.pages["/b.json"] = _advisory("b")[:-5]
    items = _update(website, session)
    assert [type(item) for item in items] == [Skipped, Skipped, Advisory, Checkpoint]
    website.pages["/a.json"] = _advisory("a")
    items = _update(website, session, items[-1].cursor)
    assert [type(item) for item in items] == [Advisory, Skipped, Checkpoint]
    website.pages["/b.json"] = _advisory("b")
    items = _update(website, session, items[-1].cursor)
    assert _ids(items) == ["b"]
    assert _ids(_update(website, session, items[-1].cursor)) == []


def test_an_outage_keeps_the_last_checkpoint(website: Any, session: Any) -> None:
    first = datetime(2020, 1, 1, tzinfo=UTC)
    days = {f"n{number:03d}": (first + timedelta(days=number)).date().isoformat() for number in range(250)}
    _rolie(website, days)
    website.pages["/n007.json"] = (404, {}, b"gone")
    website.pages["/n230.json"] = (503, {}, b"busy")
    seen: list[Any] = []
    with pytest.raises(TransientError):
        seen.extend(CsafFeed(f"{website.address}/feed.json", session).update(None))
    checkpoints = [item for item in seen if isinstance(item, Checkpoint)]
    assert len(checkpoints) == 2
    website.pages["/n230.json"] = _advisory("n230")
    website.pages["/n007.json"] = _advisory("n007")
    rest = _ids(_update(website, session, checkpoints[-1].cursor, "feed.json"))
    assert set(_ids(seen)) | set(rest) == set(days)
    assert len(rest) < 70


def test_directory_with_index_and_changes(website: Any, session: Any) -> None:
    base = "/csaf/white"
    distributions = [{"directory_url": website.address + base}]
    website.pages["/provider-metadata.json"] = json.dumps({"distributions": distributions}).encode()
    index = ("2023/a.json\r", "2024/b.json", "2024/b.json.asc", "../../etc/secret.json", "/x.json")
    website.pages[f"{base}/index.txt"] = "\n".join(index).encode()
    website.pages[f"{base}/2023/a.json"] = _advisory("a")
    website.pages[f"{base}/2024/b.json"] = _advisory("b")

    def change(day: str) -> None:
        rows = f'"2024/b.json","{day}T00:00:00Z"\n"2023/a.json","2023-01-01T00:00:00Z"\n'
        website.pages[f"{base}/changes.csv"] = rows.encode()

    change("2024-05-01")
    items = _update(website, session)
    assert _ids(items) == ["a", "b"]
    assert [item.reason for item in items if isinstance(item, Skipped)] == [
        "'../../etc/secret.json' lies outside the directory",
        "'/x.json' lies outside the directory",
    ]
    cursor = items[-1].cursor
    assert _ids(_update(website, session, cursor)) == []
    change("2024-06-01")
    assert _ids(_update(website, session, cursor)) == ["b"]
    del website.pages[f"{base}/changes.csv"]
    assert _ids(_update(website, session, cursor)) == ["a", "b"]


def test_single_document(website: Any, session: Any) -> None:
    website.pages["/a.json"] = _advisory("a")
    assert _ids(_update(website, session, path="a.json")) == ["a"]


def test_links_to_other_places_are_not_followed(website: Any, session: Any) -> None:
    _rolie(website, {"a": "2023-01-01"})
    addresses = ["http://127.0.0.2/x.json", "file:///etc/passwd", "ftp://x/y.json", "http://[", "https://h:port/", ""]
    entries = [{"updated": "2023-01-01T00:00:00Z", "content": {"src": address}} for address in addresses]
    good = {"updated": "2023-01-01T00:00:00Z", "link": [{"rel": "self", "href": "a.json"}]}
    website.pages["/feed.json"] = json.dumps({"feed": {"entry": [*entries, 7, good]}}).encode()
    items = _update(website, session)
    assert sum(isinstance(item, Skipped) for item in items) == 7
    assert _ids(items) == ["a"]


@pytest.mark.parametrize("body", [b"<html>login</html>", b"[]", b'{"distributions": []}', b'{"distributions": 1}'])
def test_no_provider_metadata(body: bytes, website: Any, session: Any) -> None:
    website.pages["/provider-metadata.json"] = body
    with pytest.raises(InputError):
        _update(website, session)
