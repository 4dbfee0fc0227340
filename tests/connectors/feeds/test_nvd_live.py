"""NVD live, against a server on loopback that pages and windows as the API does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.feeds.nvd import NvdFeed, build
from connectors.feeds.nvd.live import LONGEST_WINDOW, OVERLAP, PAGE_SIZE
from meddojo.config import FeedConfig
from meddojo.errors import InputError, RemoteError, TransientError
from meddojo.interface import Checkpoint, Skipped
from meddojo.vulnerability import Vulnerability

NOW = datetime(2024, 12, 1, 12, tzinfo=UTC)


class Api:
    """Serves `total` records; `trouble` replaces the answer to the request of that number."""

    def __init__(self, website: Any, total: int) -> None:
        self.total = total
        self.queries: list[dict[str, str]] = []
        self.trouble: dict[int, Any] = {}
        website.pages["/cves"] = self.answer

    def answer(self, query: dict[str, str]) -> Any:
        self.queries.append(query)
        if len(self.queries) in self.trouble:
            return self.trouble[len(self.queries)]
        index = int(query["startIndex"])
        numbers = range(index, min(index + int(query["resultsPerPage"]), self.total))
        records = [{"cve": {"id": f"CVE-2024-{number + 10000}"}} for number in numbers]
        return json.dumps({"totalResults": self.total, "startIndex": index, "vulnerabilities": records}).encode()


def _feed(website: Any, session: Any, pauses: list[float] | None = None) -> NvdFeed:
    sleep = (pauses if pauses is not None else []).append
    return NvdFeed(f"{website.address}/cves", session, 6.0, sleep=sleep, clock=lambda: NOW)


def _ids(items: list[Any]) -> list[str]:
    return [item.id for item in items if isinstance(item, Vulnerability)]


def test_first_synchronisation_pages_without_dates(website: Any, session: Any) -> None:
    api = Api(website, 2 * PAGE_SIZE + 5)
    pauses: list[float] = []
    items = list(_feed(website, session, pauses).update(None))
    assert len(set(_ids(items))) == api.total
    assert [query["startIndex"] for query in api.queries] == ["0", "2000", "4000"]
    assert all("lastModStartDate" not in query for query in api.queries)
    assert pauses == [6.0, 6.0]
    assert items[-1] == Checkpoint("2024-12-01T12:00:00+00:00")


def test_interrupted_first_synchronisation_goes_on(website: Any, session: Any) -> None:
    api = Api(website, 3 * PAGE_SIZE)
    api.trouble = {2: (503, {}, b"busy"), 3: (503, {}, b"busy")}
    items: list[Any] = []
    with pytest.raises(TransientError):
        items.extend(_feed(website, session).update(None))
    (checkpoint,) = [item for item in items if isinstance(item, Checkpoint)]
    rest = list(_feed(website, session).update(checkpoint.cursor))
    assert len(set(_ids(items)) | set(_ids(rest))) == api.total
    assert len(_ids(rest)) == 2 * PAGE_SIZE
    assert rest[-1] == Checkpoint("2024-12-01T12:00:00+00:00")


def test_windows_of_at_most_120_days_without_a_gap(website: Any, session: Any) -> None:
    api = Api(website, PAGE_SIZE + 1)
    cursor = NOW - timedelta(days=300)
    items = list(_feed(website, session).update(cursor.isoformat()))
    checkpoints = [datetime.fromisoformat(item.cursor) for item in items if isinstance(item, Checkpoint)]
    assert len(checkpoints) == 3
    assert checkpoints[-1] == NOW
    windows = list(dict.fromkeys((query["lastModStartDate"], query["lastModEndDate"]) for query in api.queries))
    bounds = [(datetime.fromisoformat(begin), datetime.fromisoformat(end)) for begin, end in windows]
    assert bounds[0][0] == cursor - OVERLAP
    assert bounds[-1][1] == NOW
    assert all(end - begin <= LONGEST_WINDOW for begin, end in bounds)
    assert all(earlier[1] == later[0] for earlier, later in pairwise(bounds))
    assert len(api.queries) == 6


def test_nothing_new(website: Any, session: Any) -> None:
    api = Api(website, 0)
    assert list(_feed(website, session).update(NOW.isoformat())) == [Checkpoint("2024-12-01T12:00:00+00:00")]
    assert len(api.queries) == 1
    assert list(_feed(website, session).update((NOW + timedelta(days=9)).isoformat())) == [
        Checkpoint("2024-12-01T12:00:00+00:00")
    ]


def test_a_cursor_of_files_means_everything(website: Any, session: Any) -> None:
    api = Api(website, 3)
    assert len(list(_feed(website, session).update("files read 2024-11-30T00:00:00+00:00"))) == 4
    assert "lastModStartDate" not in api.queries[0]


def test_refusal_of_haste_is_waited_out(website: Any, session: Any) -> None:
    api = Api(website, 3)
    api.trouble = {1: (403, {}, b"slow down")}
    pauses: list[float] = []
    assert len(list(_feed(website, session, pauses).update(None))) == 4
    assert pauses == [30.0]
    api.trouble = {number: (403, {}, b"slow down") for number in range(3, 9)}
    with pytest.raises(TransientError, match="403"):
        list(_feed(website, session).update(None))


def test_wrong_key_is_said(website: Any, session: Any) -> None:
    Api(website, 3).trouble = {1: (404, {"message": "Invalid apiKey."}, b"")}
    with pytest.raises(RemoteError, match="API key"):
        list(_feed(website, session).update(None))


def test_page_that_ends_early_is_not_the_end(website: Any, session: Any) -> None:
    api = Api(website, 10)
    api.trouble = {1: b'{"totalResults": 10, "vulnerabilities": []}'}
    with pytest.raises(TransientError, match="0 of 10"):
        list(_feed(website, session).update(None))


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"[]", b'{"totalResults": "1", "vulnerabilities": []}'])
def test_answer_of_another_kind(body: bytes, website: Any, session: Any) -> None:
    Api(website, 3).trouble = {1: body}
    with pytest.raises(InputError):
        list(_feed(website, session).update(None))


def test_bad_record_is_skipped(website: Any, session: Any) -> None:
    Api(website, 2).trouble = {
        1: b'{"totalResults": 2, "vulnerabilities": [{"cve": {"id": 1}}, {"cve": {"id": "CVE-2024-1000"}}]}'
    }
    items = list(_feed(website, session).update(None))
    assert [type(item) for item in items] == [Skipped, Vulnerability, Checkpoint]


def test_key_is_sent_but_never_shown(website: Any) -> None:
    Api(website, 1)
    feed = build(FeedConfig(source=f"{website.address}/cves", api_key=SecretStr("planted-key")))
    assert feed.pause_seconds < 1
    assert len(list(feed.update(None))) == 2
    assert website.headers[0]["apikey"] == "planted-key"
    assert "planted-key" not in repr(feed)
