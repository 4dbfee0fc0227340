"""Prometheus text, its file and its port; and the standing of feeds it tells of."""

from __future__ import annotations

import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meddojo.config import Config, FeedConfig, JobConfig
from meddojo.errors import ConfigError
from meddojo.store import Store
from meddojo.store.schedule import JobState, Occurrence
from scheduler import metrics
from scheduler.metrics import Exporter, Gauge, collect, render, serve, write_file
from scheduler.standing import alarms, feed_standings
from scheduler.status import print_status, status

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
LINE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)')


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path}/store.db") as opened:
        yield opened


def config(**feeds: Any) -> Config:
    jobs = (JobConfig(name="nightly", cron="30 2 * * *"), JobConfig(name="often", cron="0 * * * *", action="pull kev"))
    return Config(feeds={name: FeedConfig(**values) for name, values in feeds.items()}, jobs=jobs)


def samples(text: str) -> dict[tuple[str, str], float]:
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            match = LINE.fullmatch(line)
            assert match, line
            found[match[1], match[2] or ""] = float(match[3])
    return found


def test_feeds_jobs_and_runs_are_told(store: Store) -> None:
    store.records.note_attempt("nvd", NOW - timedelta(hours=40), True)
    store.records.note_attempt("nvd", NOW - timedelta(hours=2), False, "503", 2)
    store.records.note_attempt("kev", NOW - timedelta(hours=1), True)
    store.findings.begin_run(NOW - timedelta(minutes=5))
    summary = '{"by_severity": {"Critical": 2, "Low": 1}, "known_exploited": 1, "devices": 31}'
    store.findings.end_run(NOW - timedelta(minutes=5), NOW - timedelta(minutes=1), 1, summary)
    due = NOW.replace(hour=2, minute=30)
    store.schedule.write_down(
        Occurrence("nightly", due, "30 2 * * *", JobState.DONE, "x", 1, due, due + timedelta(hours=1), 3)
    )
    text = render(collect(config(nvd={}, kev={}, epss={}), store, NOW, True))
    told = samples(text)
    assert told["meddojo_feed_age_seconds", 'feed="nvd"'] == 40 * 3600
    assert told["meddojo_feed_age_seconds", 'feed="kev"'] == 3600
    assert ("meddojo_feed_age_seconds", 'feed="epss"') not in told
    assert [told["meddojo_feed_stale", f'feed="{name}"'] for name in ("nvd", "kev", "epss")] == [1, 0, 1]
    assert told["meddojo_feed_skipped", 'feed="nvd"'] == 2
    assert told["meddojo_findings", 'severity="Critical"'] == 2
    assert told["meddojo_findings", 'severity="High"'] == 0
    assert told["meddojo_last_run_exit_code", ""] == 1
    assert told["meddojo_run_seconds", ""] == 240
    assert told["meddojo_last_run_timestamp_seconds", ""] == (NOW - timedelta(minutes=1)).timestamp()
    assert told["meddojo_job_last_exit_code", 'job="nightly"'] == 3
    assert told["meddojo_job_runs", 'job="nightly",state="done"'] == 1
    assert told["meddojo_job_next_run_timestamp_seconds", 'job="nightly"'] == (due + timedelta(days=1)).timestamp()
    assert told["meddojo_schedule_leads", ""] == 1
    assert text.count("# TYPE meddojo_feed_age_seconds gauge") == 1


@given(st.text())
def test_every_label_value_survives(value: str) -> None:
    text = render([Gauge("meddojo_x", "a\nb\\c", (({"feed": value}, 1.5),))])
    head, rest = text.split("\n# TYPE meddojo_x gauge\n")
    assert head == "# HELP meddojo_x a\\nb\\\\c"
    quoted = rest.removeprefix('meddojo_x{feed="').removesuffix('"} 1.5\n')
    assert "\n" not in quoted
    plain = re.sub(r"\\(.)", lambda match: {"n": "\n"}.get(match[1], match[1]), quoted)
    assert plain == value


def test_the_file_is_replaced_as_a_whole_and_readable(tmp_path: Path) -> None:
    target = tmp_path / "meddojo.prom"
    target.write_text("old")
    reader = target.open()
    write_file(target, "new\n")
    assert reader.read() == "old"
    reader.close()
    assert target.read_text() == "new\n"
    assert target.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in tmp_path.iterdir()] == ["meddojo.prom"]
    with pytest.raises(ConfigError, match="No such file"):
        write_file(tmp_path / "missing" / "x.prom", "")


def test_the_port_answers_with_what_was_rendered_last() -> None:
    exporter = Exporter()
    with serve(exporter, "127.0.0.1", 0) as port:
        exporter.text = "meddojo_devices 3\n"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            assert answer.read() == b"meddojo_devices 3\n"
            assert answer.headers["Content-Type"] == metrics.CONTENT_TYPE
        with pytest.raises(urllib.error.HTTPError, match="404") as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/../etc/passwd")
        refused.value.close()
        with pytest.raises(ConfigError, match="choose another --metrics-port"), serve(exporter, "127.0.0.1", port):
            pass
    assert all(thread.name != "metrics" for thread in threading.enumerate())


def test_a_feed_is_stale_after_its_own_hours(store: Store) -> None:
    store.records.note_attempt("kev", NOW - timedelta(hours=20), True)
    store.records.note_attempt("bundled", NOW - timedelta(hours=50), True)
    strict, patient = config(kev={"stale_after_hours": 12}), config(kev={})
    assert [(feed.name, feed.enabled, feed.stale) for feed in feed_standings(strict, store, NOW)] == [
        ("bundled", False, True),
        ("kev", True, True),
    ]
    assert alarms(strict, store, NOW)[1] == (
        "feed kev is stale: no success since 2026-11-24 16:00 UTC (more than 12 hours)"
    )
    kev = feed_standings(patient, store, NOW)[1]
    assert not kev.stale
    # Both the hourly pull and the nightly run read it.
    assert kev.next_run == NOW + timedelta(hours=1)


def test_status_tells_ages_results_and_next_runs(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store.records.note_attempt("nvd", NOW - timedelta(hours=40), True)
    store.records.note_attempt("nvd", NOW - timedelta(hours=2), False, "HTTP 503")
    store.schedule.write_down(Occurrence("nightly", NOW - timedelta(hours=9), "", JobState.MISSED, note="too late"))
    state = status(config(nvd={}, kev={}), store, NOW)
    nvd, kev = state["sources"][1], state["sources"][0]
    assert (nvd["age_hours"], nvd["result"], nvd["stale"]) == (40.0, "failed", True)
    assert (kev["age_hours"], kev["result"]) == (None, "never read")
    assert nvd["next_run"] == "2026-11-26T02:30:00+00:00"
    assert state["jobs"][0]["last_state"] == "missed"
    assert state["alarms"] == [
        "feed kev was never read",
        "feed nvd is stale: no success since 2026-11-23 20:00 UTC (more than 36 hours): HTTP 503",
        "job nightly: the run of 2026-11-25 03:00 UTC was missed: too late",
    ]
    print_status(state)
    shown = capsys.readouterr().out
    assert "40.0 h" in shown and "2026-11-26 02:30" in shown and "alarm: feed kev was never read" in shown
