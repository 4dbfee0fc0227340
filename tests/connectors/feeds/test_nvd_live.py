"""NVD live: windows, pages, cursors and patience, against a synthetic server on loopback."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from connectors.feeds.nvd import NvdFeed, build
from connectors.feeds.nvd.api import NvdApi, Patience
from connectors.feeds.nvd.limiter import RequestLimiter
from connectors.feeds.nvd.live import EARLIEST, LONGEST_WINDOW, Window, planned
from connectors.feeds.nvd.options import NvdOptions, read_options
from connectors.http import PoliteSession
from meddojo.config import FeedConfig, NetworkConfig
from meddojo.errors import ConfigError, InputError, RemoteError, TransientError
from meddojo.interface import Checkpoint, Skipped
from meddojo.vulnerability import Vulnerability
from tests.connectors.feeds.nvd_server import MASS_CHANGE, NOW, SyntheticNvd, Trouble, cve, most_within, serving

OVERLAP = timedelta(hours=2)
PAGE = 100


class Clock:
    """Time that passes only while somebody sleeps, or is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.pauses.append(seconds)
        self.seconds += seconds


@pytest.fixture
def nvd() -> Iterator[SyntheticNvd]:
    with serving(SyntheticNvd(1000)) as server:
        yield server


def feed_of(
    nvd: SyntheticNvd, clock: Clock | None = None, *, attempts: int = 3, outage: float = 0.0, now: datetime = NOW
) -> NvdFeed:
    clock = clock or Clock()
    session = PoliteSession(NetworkConfig(timeout_seconds=5))
    limiter = RequestLimiter(0, clock=clock, sleep=clock.sleep)
    api = NvdApi(nvd.url, session, limiter, Patience(attempts, outage, clock, clock.sleep), PAGE)
    return NvdFeed(nvd.url, api, OVERLAP, clock=lambda: now)


def cursor_after(items: list[Any], cursor: str | None = None) -> str | None:
    return next((item.cursor for item in reversed(items) if isinstance(item, Checkpoint)), cursor)


def ids(items: list[Any]) -> set[str]:
    return {item.id for item in items if isinstance(item, Vulnerability)}


def everything(nvd: SyntheticNvd) -> set[str]:
    return {cve(number) for number in range(nvd.total)}


def recent(moment: datetime = NOW) -> str:
    """A cursor one window before the present: of some 550 records, in six pages."""
    return (moment - timedelta(days=60)).isoformat()


def test_first_synchronisation_is_complete(nvd: SyntheticNvd) -> None:
    items = list(feed_of(nvd).update(None))
    assert ids(items) == everything(nvd)
    assert not [item for item in items if isinstance(item, Skipped)]
    assert items[-1] == Checkpoint("2024-12-01T00:00:00+00:00")
    windows = list(dict.fromkeys((query["lastModStartDate"], query["lastModEndDate"]) for query in nvd.queries))
    assert windows[0][0] == "1988-10-01T00:00:00.000+00:00"
    bounds = [(datetime.fromisoformat(begin), datetime.fromisoformat(end)) for begin, end in windows]
    assert all(end - begin <= LONGEST_WINDOW for begin, end in bounds)
    assert all(query["resultsPerPage"] == str(PAGE) for query in nvd.queries)
    modified = {item.id: item.modified for item in items if isinstance(item, Vulnerability)}
    assert all(abs(modified[cve(number)] - nvd.modified(number)) < timedelta(seconds=1) for number in range(nvd.total))


@given(
    st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001
)
def test_windows_leave_no_gap(cursor: datetime | None, started: datetime) -> None:
    since, started = cursor and cursor.replace(tzinfo=UTC), started.replace(tzinfo=UTC)
    windows = list(planned(since and since.isoformat(), started, OVERLAP))
    assert windows
    assert windows[0].begin <= (min(since, started) - OVERLAP if since else EARLIEST)
    assert windows[-1].end == started.replace(microsecond=0)
    assert all(timedelta(0) < window.end - window.begin <= LONGEST_WINDOW for window in windows)
    assert all(earlier.end == later.begin for earlier, later in pairwise(windows))


def test_cursor_names_window_and_place() -> None:
    window = Window(MASS_CHANGE, NOW, 300, 550)
    assert window.cursor == "2024-11-20T20:00:00+00:00/2024-12-01T00:00:00+00:00 startIndex=300 totalResults=550"
    first, *rest = planned(window.cursor, NOW + timedelta(days=3), OVERLAP)
    assert first == window
    assert rest == [Window(NOW - OVERLAP, NOW + timedelta(days=3))]


@pytest.mark.parametrize("cursor", ["tomorrow", "a/b startIndex=1 totalResults=2", "2024-12-01 startIndex=1"])
def test_foreign_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(ConfigError, match="cursor"):
        list(planned(cursor, NOW, OVERLAP))


def test_break_off_in_mid_window_goes_on_there(nvd: SyntheticNvd) -> None:
    nvd.trouble = {number: Trouble("status", 503) for number in (4, 5, 6)}
    items: list[Any] = []
    with pytest.raises(TransientError, match=r"2024-10-01 22:00 to 2024-12-01 00:00, from 300 on; tried 3 time"):
        items.extend(feed_of(nvd).update(recent()))
    cursor = cursor_after(items)
    assert cursor and "startIndex=300" in cursor
    asked = len(nvd.queries)
    rest = list(feed_of(nvd).update(cursor))
    assert nvd.queries[asked]["startIndex"] == "300"
    assert not ids(items) & ids(rest)
    assert len(ids(items) | ids(rest)) == int(cursor.rpartition("=")[2])
    assert cursor_after(rest) == "2024-12-01T00:00:00+00:00"


def test_record_that_leaves_the_window_takes_nothing_with_it(nvd: SyntheticNvd) -> None:
    early = next(number for number in range(nvd.total) if nvd.modified(number) > MASS_CHANGE)
    # It is modified a day later than the window ends: the third page begins one record further than it should.
    window_end = NOW - timedelta(days=1)
    nvd.before_answer = lambda number: nvd.change(early, NOW) if number == 3 else None
    items = list(feed_of(nvd, now=window_end).update(recent()))
    inside = {cve(n) for n in range(nvd.total) if window_end - timedelta(days=61) < nvd.modified(n) <= window_end}
    assert ids(items) >= inside
    windows = [(query["lastModStartDate"], query["startIndex"]) for query in nvd.queries]
    assert len({begin for begin, _ in windows}) > 1
    assert cursor_after(items) == window_end.isoformat()


def test_shift_while_nobody_reads_is_noticed(nvd: SyntheticNvd) -> None:
    nvd.trouble = {number: Trouble("dropped") for number in (4, 5, 6)}
    items: list[Any] = []
    with pytest.raises(TransientError):
        items.extend(feed_of(nvd).update(recent()))
    first = next(number for number in range(nvd.total) if nvd.modified(number) > MASS_CHANGE)
    nvd.change(first, NOW + timedelta(hours=1))
    items += feed_of(nvd, now=NOW + timedelta(days=1)).update(cursor_after(items))
    assert ids(items) == {cve(n) for n in range(nvd.total) if nvd.modified(n) > NOW - timedelta(days=60, hours=2)}


def test_window_that_never_holds_still_is_given_up_for_now(nvd: SyntheticNvd) -> None:
    def shift(number: int) -> None:
        if len(nvd.queries) % 2 == 0:
            nvd.trouble[number] = Trouble("total", number)

    nvd.before_answer = shift
    for number in range(300):
        nvd.change(number, MASS_CHANGE)
    with pytest.raises(TransientError, match="keeps changing while they are read"):
        list(feed_of(nvd).update((MASS_CHANGE + timedelta(hours=1)).isoformat()))


def test_large_window_is_split_before_it_is_read(nvd: SyntheticNvd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.feeds.nvd.live._MOST_PAGES", 2)
    items = list(feed_of(nvd).update(recent()))
    assert ids(items) == {cve(n) for n in range(nvd.total) if nvd.modified(n) >= NOW - timedelta(days=60, hours=2)}
    assert max(int(query["startIndex"]) for query in nvd.queries) <= PAGE


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble("status", 429, {"Retry-After": "17"}),
        Trouble("status", 403),
        Trouble("status", 503),
        Trouble("status", 520),
        Trouble("truncated"),
        Trouble("dropped"),
        Trouble("html"),
        Trouble("total", -1000),
    ],
    ids=lambda trouble: f"{trouble.kind} {trouble.status}",
)
def test_passing_trouble_costs_a_pause(nvd: SyntheticNvd, trouble: Trouble) -> None:
    clock = Clock()
    nvd.trouble = {1: trouble, 3: trouble, 4: trouble}
    items = list(feed_of(nvd, clock).update(recent()))
    assert ids(items) == {cve(n) for n in range(nvd.total) if nvd.modified(n) >= NOW - timedelta(days=60, hours=2)}
    assert len(clock.pauses) == 3
    if trouble.status in (403, 429):
        assert clock.pauses == [30.0 if trouble.status == 403 else 17.0] * 3
    else:
        assert all(pause <= 4.0 for pause in clock.pauses)


def test_too_large_a_total_is_noticed(nvd: SyntheticNvd) -> None:
    nvd.trouble = {1: Trouble("total", 5000)}
    items = list(feed_of(nvd).update(recent()))
    assert ids(items) == {cve(n) for n in range(nvd.total) if nvd.modified(n) >= NOW - timedelta(days=60, hours=2)}


def test_outage_of_hours_is_sat_out_if_wanted(nvd: SyntheticNvd) -> None:
    clock = Clock()
    nvd.trouble = {number: Trouble("status", 503) for number in range(3, 28)}
    items = list(feed_of(nvd, clock, outage=5 * 3600).update(recent()))
    assert ids(items) == {cve(n) for n in range(nvd.total) if nvd.modified(n) >= NOW - timedelta(days=60, hours=2)}
    assert len(clock.pauses) == 25
    assert 3600 < sum(clock.pauses) < 5 * 3600
    assert max(clock.pauses) <= 600


def test_outage_longer_than_wanted_names_the_window(nvd: SyntheticNvd) -> None:
    clock = Clock()
    nvd.before_answer = lambda number: nvd.trouble.update({number: Trouble("status", 403)})
    with pytest.raises(TransientError, match=r"HTTP 403.*records modified from 2024-10-01.*tried \d+") as caught:
        list(feed_of(nvd, clock, outage=3600).update(recent()))
    assert "max_outage_minutes" in caught.value.hint
    assert 3500 < sum(clock.pauses) <= 3600


@pytest.mark.parametrize(("outage", "pauses"), [(0.0, []), (7200.0, [7000.0])])
def test_long_retry_after_is_obeyed_only_with_patience(nvd: SyntheticNvd, outage: float, pauses: list[float]) -> None:
    clock = Clock()
    nvd.trouble = {1: Trouble("status", 503, {"Retry-After": "7000"})}
    if pauses:
        assert list(feed_of(nvd, clock, outage=outage).update(recent()))
    else:
        with pytest.raises(TransientError):
            list(feed_of(nvd, clock, outage=outage).update(recent()))
    assert clock.pauses == pauses


def test_a_day_of_changes(nvd: SyntheticNvd) -> None:
    tomorrow = NOW + timedelta(days=1)
    cursor = cursor_after(list(feed_of(nvd).update(None)))
    for number in range(0, 150):
        nvd.change(number, NOW + timedelta(minutes=number))
    asked = len(nvd.queries)
    items = list(feed_of(nvd, now=tomorrow).update(cursor))
    assert ids(items) >= {cve(number) for number in range(150)}
    assert len(ids(items)) < 160
    assert len(nvd.queries) - asked == 2
    assert cursor_after(items) == tomorrow.isoformat()


def test_empty_answer_does_not_move_the_cursor(nvd: SyntheticNvd) -> None:
    later = NOW + timedelta(days=300)
    assert list(feed_of(nvd, now=later).update((NOW + timedelta(days=2)).isoformat())) == []
    nvd.change(0, NOW + timedelta(days=290))
    items = list(feed_of(nvd, now=later).update((NOW + timedelta(days=2)).isoformat()))
    assert ids(items) == {cve(0)}
    assert items[-1] == Checkpoint(later.isoformat())


def test_cursor_of_a_clock_that_ran_ahead_loses_nothing_known(nvd: SyntheticNvd) -> None:
    nvd.change(0, NOW - timedelta(minutes=30))
    items = list(feed_of(nvd).update((NOW + timedelta(days=9)).isoformat()))
    assert cve(0) in ids(items)


def test_a_cursor_of_files_means_everything(nvd: SyntheticNvd) -> None:
    assert ids(list(feed_of(nvd).update("files read 2024-11-30T00:00:00+00:00"))) == everything(nvd)


def test_page_that_ends_early_is_not_the_end(website: Any) -> None:
    website.pages["/cves"] = b'{"totalResults": 10, "vulnerabilities": []}'
    with pytest.raises(TransientError, match="0 records from 0 on of 10: they disagree"):
        list(mirror(website).update(recent()))


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"[]", b'{"totalResults": "1", "vulnerabilities": []}'])
def test_answer_of_another_kind(body: bytes, website: Any) -> None:
    website.pages["/cves"] = body
    with pytest.raises(InputError, match=r"records modified from .*tried 3 time"):
        list(mirror(website).update(recent()))
    assert len(website.asked) == 3


def test_wrong_key_is_said_at_once(website: Any) -> None:
    website.pages["/cves"] = (404, {"message": "Invalid apiKey."}, b"")
    with pytest.raises(RemoteError, match="does not know the API key"):
        list(mirror(website).update(recent()))
    assert len(website.asked) == 1


def test_wrong_request_is_said_in_nvds_words(website: Any) -> None:
    website.pages["/cves"] = (404, {"message": "Invalid lastModStartDate parameter."}, b"")
    with pytest.raises(RemoteError, match=r"HTTP 404 \(Invalid lastModStartDate"):
        list(mirror(website).update(recent()))


def test_bad_record_is_skipped(website: Any) -> None:
    website.pages["/cves"] = (
        b'{"totalResults": 2, "vulnerabilities": [{"cve": {"id": 1}}, {"cve": {"id": "CVE-2024-1000"}}]}'
    )
    items = list(mirror(website).update(recent()))
    assert [type(item) for item in items] == [Skipped, Vulnerability, Checkpoint]


def mirror(website: Any) -> NvdFeed:
    server = SyntheticNvd(0)
    server.url = f"{website.address}/cves"
    return feed_of(server)


def test_key_is_sent_but_never_shown(website: Any) -> None:
    website.pages["/cves"] = b'{"totalResults": 1, "vulnerabilities": [{"cve": {"id": "CVE-2024-1000"}}]}'
    feed = build(FeedConfig(source=f"{website.address}/cves", api_key=SecretStr("planted-key")))
    assert feed.api.limiter.requests == 50
    cursor = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    assert len(list(feed.update(cursor))) == 2
    assert website.headers[0]["apikey"] == "planted-key"
    assert "planted-key" not in repr(feed)


@pytest.mark.parametrize(("requests", "seconds"), [(5, 30.0), (50, 30.0)])
@given(work=st.lists(st.floats(0.0, 40.0), min_size=60, max_size=200))
def test_never_more_requests_than_allowed_in_any_period(requests: int, seconds: float, work: list[float]) -> None:
    clock = Clock()
    limiter = RequestLimiter(requests, clock=clock, sleep=clock.sleep)
    sent = []
    for busy in work:
        limiter.wait()
        sent.append(clock())
        clock.seconds += busy
    assert most_within(sent, seconds) <= requests
    assert most_within(sent, 31.0) <= requests
    # Time spent on the records counts: nobody waits who was slow anyway.
    slow = [pair for pair in pairwise(range(len(work))) if work[pair[0]] > 31.0]
    assert all(math.isclose(sent[later] - sent[earlier], work[earlier]) for earlier, later in slow)


def test_limiter_waits_only_what_is_missing() -> None:
    clock = Clock()
    limiter = RequestLimiter(5, clock=clock, sleep=clock.sleep)
    for _ in range(6):
        limiter.wait()
        clock.seconds += 4.0
    assert clock.pauses == [31.0 - 5 * 4.0]
    assert RequestLimiter(0).wait() is None


def test_every_attempt_counts_for_the_limiter(nvd: SyntheticNvd) -> None:
    clock = Clock()
    feed = feed_of(nvd, clock, attempts=10)
    limiter = RequestLimiter(5, clock=clock, sleep=clock.sleep)
    feed = NvdFeed(nvd.url, NvdApi(nvd.url, feed.api.session, limiter, feed.api.patience, PAGE), OVERLAP, lambda: NOW)
    sent: list[float] = []
    nvd.before_answer = lambda number: sent.append(clock())
    nvd.trouble = {number: Trouble("status", 503) for number in range(2, 7)}
    list(feed.update((NOW - timedelta(days=400)).isoformat()))
    assert len(sent) > 12
    assert most_within(sent, 30.0) <= 5


def test_options() -> None:
    assert read_options({}, has_key=False) == NvdOptions(requests_per_30_seconds=5)
    assert read_options({}, has_key=True).requests_per_30_seconds == 50
    options = read_options({"max_outage_minutes": "90", "page_size": 500, "requests_per_30_seconds": 0}, True)
    assert options == NvdOptions(90.0, 2.0, 500, 0)
    feed = build(FeedConfig(source="https://mirror.example/cves", options={"overlap_hours": 36}))
    assert (feed.source, feed.overlap) == ("https://mirror.example/cves", timedelta(hours=36))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_outage_minute": 3}, "max_outage_minutes"),
        ({"pagesize": 3}, "page_size"),
        ({"xyz": 3}, "known: max_outage_minutes, overlap_hours"),
        ({"page_size": 2001}, "a whole number from 1 to 2000"),
        ({"page_size": 1.5}, "a whole number"),
        ({"page_size": True}, "a whole number"),
        ({"overlap_hours": "soon"}, "a number from 0 to 720"),
        ({"overlap_hours": math.nan}, "a number from 0 to 720"),
        ({"overlap_hours": [1]}, "a number from 0 to 720"),
    ],
)
def test_wrong_options_are_explained(options: dict[str, Any], words: str, tmp_path: Any) -> None:
    with pytest.raises(ConfigError, match=r"feeds\.nvd\.options") as caught:
        build(FeedConfig(source=str(tmp_path), options=options))
    assert words in caught.value.hint
