"""How feeds, jobs, runs and findings stand, as Prometheus text (exposition format 0.0.4).

Written here rather than with prometheus_client: its registries count what happens inside one process, whereas all of
this is read from the store, whichever process wrote it.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from meddojo import __version__
from meddojo.config import Config
from meddojo.errors import ConfigError
from meddojo.severity import Severity
from meddojo.store import Store
from meddojo.store.schedule import JobState
from scheduler.standing import feed_standings, job_standings

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SILENT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Gauge:
    """One metric with its samples.

    Attributes
    ----------
    samples
        Pairs of labels and value.
    """

    name: str
    help: str
    samples: tuple[tuple[Mapping[str, str], float], ...]


def collect(config: Config, store: Store, now: datetime, leads: bool | None = None) -> Iterator[Gauge]:
    """Read every metric from the store.

    Parameters
    ----------
    leads
        Whether the scheduler that asks is the leading one; None if no scheduler asks.
    """
    yield Gauge("meddojo_build_info", "Version of MedDojo", (({"version": __version__}, 1),))
    if leads is not None:
        yield Gauge("meddojo_schedule_leads", "1 for the scheduler that runs the jobs, 0 in standby", (({}, leads),))
    yield from _feeds(config, store, now)
    yield from _jobs(config, store, now)
    yield from _runs(store)


def render(gauges: Iterable[Gauge]) -> str:
    """Metrics as text; those without a sample are left out."""
    lines = []
    for gauge in gauges:
        if gauge.samples:
            lines += [f"# HELP {gauge.name} {_escaped(gauge.help)}", f"# TYPE {gauge.name} gauge"]
            lines += [f"{gauge.name}{_labels(labels)} {float(value)!r}" for labels, value in gauge.samples]
    return "\n".join([*lines, ""])


def write_file(path: Path, text: str) -> None:
    """Replace a file for node_exporter's textfile collector in one step: it never reads half of it.

    Raises
    ------
    ConfigError
        If it cannot be written.
    """
    try:
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, prefix=f".{path.name}.", encoding="utf-8", delete=False
        ) as handle:
            handle.write(text)
            handle.flush()
            os.fchmod(handle.fileno(), 0o644)
        Path(handle.name).replace(path)
    except OSError as error:
        raise ConfigError(f"metrics file {path}: {error.strerror}", "check the folder and its permissions") from None


class Exporter:
    """The latest metrics, for whoever asks over HTTP."""

    def __init__(self) -> None:
        self.text = ""


@contextlib.contextmanager
def serve(exporter: Exporter, host: str, port: int) -> Iterator[int]:
    """Answer ``GET /metrics`` in a thread of its own; the answer is made beforehand, so asking often costs nothing.

    Yields
    ------
    int
        The port; 0 asks for any that is free.

    Raises
    ------
    ConfigError
        If the port cannot be had.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = _SILENT_SECONDS

        def do_GET(self) -> None:
            known = self.path.partition("?")[0] == "/metrics"
            body = (exporter.text if known else "see /metrics\n").encode()
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", CONTENT_TYPE if known else "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nobody needs a line every fifteen seconds."""

    try:
        server = ThreadingHTTPServer((host, port), Handler)
    except OSError as error:
        raise ConfigError(
            f"metrics cannot be served at {host}:{port}: {error.strerror}", "choose another --metrics-port"
        ) from None
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def _feeds(config: Config, store: Store, now: datetime) -> Iterator[Gauge]:
    feeds = feed_standings(config, store, now)
    yield _of(
        "feed_age_seconds",
        "Since the feed's last success",
        {feed.name: feed.age.total_seconds() for feed in feeds if feed.age is not None},
    )
    yield _of(
        "feed_last_success_timestamp_seconds",
        "When the feed was last read",
        {feed.name: feed.state.last_success.timestamp() for feed in feeds if feed.state.last_success},
    )
    yield _of(
        "feed_stale", "1 if the feed is older than its stale_after_hours", {feed.name: feed.stale for feed in feeds}
    )
    yield _of("feed_records", "Records of the feed in the store", {feed.name: feed.state.records for feed in feeds})
    yield _of(
        "feed_skipped", "Documents the last update could not read", {feed.name: feed.state.skipped for feed in feeds}
    )


def _jobs(config: Config, store: Store, now: datetime) -> Iterator[Gauge]:
    jobs = job_standings(config, store, now)
    lasts = {job.config.name: job.last for job in jobs if job.last}
    yield _of(
        "job_next_run_timestamp_seconds",
        "When the job is due next",
        {job.config.name: job.next_run.timestamp() for job in jobs if job.next_run},
        "job",
    )
    yield _of(
        "job_last_exit_code",
        "Exit code of the job's last run",
        {name: last.exit_code for name, last in lasts.items() if last.exit_code is not None},
        "job",
    )
    yield _of(
        "job_last_run_timestamp_seconds",
        "When the job's last run ended",
        {name: last.finished.timestamp() for name, last in lasts.items() if last.finished},
        "job",
    )
    counts = store.schedule.counts()
    samples = tuple(
        ({"job": job.config.name, "state": state.value}, float(counts.get((job.config.name, state), 0)))
        for job in jobs
        for state in JobState
        if state is not JobState.REGISTERED
    )
    yield Gauge("meddojo_job_runs", "Runs of the job that the ledger holds (the last 500)", samples)


def _runs(store: Store) -> Iterator[Gauge]:
    last = next((run for run in store.findings.runs() if run.finished), None)
    if last is None or last.finished is None:
        return
    told = json.loads(last.summary) if last.summary else {}
    severities = {severity.value: told.get("by_severity", {}).get(severity.value, 0) for severity in Severity}
    yield Gauge("meddojo_last_run_timestamp_seconds", "When the last run ended", (({}, last.finished.timestamp()),))
    yield Gauge("meddojo_last_run_exit_code", "How the last run ended", (({}, float(last.exit_code or 0)),))
    seconds = (last.finished - last.started).total_seconds()
    yield Gauge("meddojo_run_seconds", "How long the last run took", (({}, seconds),))
    yield _of("findings", "Present findings", severities, "severity")
    yield Gauge("meddojo_findings_known_exploited", "Findings in KEV", (({}, float(told.get("known_exploited", 0))),))
    yield Gauge("meddojo_devices", "Devices of the inventory", (({}, float(told.get("devices", 0))),))


def _of(name: str, help_text: str, values: Mapping[str, float], label: str = "feed") -> Gauge:
    return Gauge(f"meddojo_{name}", help_text, tuple(({label: key}, value) for key, value in values.items()))


def _labels(labels: Mapping[str, str]) -> str:
    quoted = (f'{name}="{_escaped(value, quotes=True)}"' for name, value in labels.items())
    return f"{{{','.join(quoted)}}}" if labels else ""


def _escaped(text: str, *, quotes: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quotes else text
