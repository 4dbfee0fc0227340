"""``meddojo status``: feeds with their ages, jobs with their next runs, the last runs of the road."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from meddojo.config import Config
from meddojo.store import Store
from scheduler.model_watch import model_state
from scheduler.standing import FeedStanding, JobStanding, alarms, feed_standings, job_standings

_RUNS = 5


def status(config: Config, store: Store, now: datetime) -> dict[str, Any]:
    """How feeds, jobs and runs stand, ready for JSON."""
    model = model_state(store, now)
    return {
        "sources": [_feed(feed) for feed in feed_standings(config, store, now)],
        "jobs": [_job(job) for job in job_standings(config, store, now)],
        "runs": [
            {
                "started": run.started.isoformat(),
                "finished": _iso(run.finished),
                "exit_code": run.exit_code,
                "findings": (json.loads(run.summary) if run.summary else {}).get("findings"),
            }
            for run in store.findings.runs(_RUNS)
        ],
        "decisions": len(store.findings.decisions()),
        "model": model,
        "alarms": [*alarms(config, store, now), *model.get("alarms", ())],
    }


def print_status(state: Mapping[str, Any]) -> None:
    """`status` as tables."""
    console = Console(highlight=False, soft_wrap=True)
    if any(feed["last_attempt"] for feed in state["sources"]):
        console.print(_feeds_table(state["sources"]))
    else:
        console.print("no feed was read yet; start with: meddojo run")
    for table, rows in ((_jobs_table, state["jobs"]), (_runs_table, state["runs"])):
        if rows:
            console.print()
            console.print(table(rows))
    console.print(f"\n{state['decisions']:,} decisions by people are known")
    if state["model"]:
        console.print(_model_line(state["model"]))
    for alarm in state["alarms"]:
        console.print(f"alarm: {alarm}", markup=False, style="bold red")


def _model_line(model: Mapping[str, Any]) -> str:
    right = (
        f"; {model['bands_right']:,} of {model['rated_since']:,} later ratings foretold" if model["rated_since"] else ""
    )
    return f"vulnerability classifier {model['version']}: {model['records']:,} new records{right}"


def _feed(feed: FeedStanding) -> dict[str, Any]:
    return {
        "name": feed.name,
        "enabled": feed.enabled,
        "records": feed.state.records,
        "last_attempt": _iso(feed.state.last_attempt),
        "last_success": _iso(feed.state.last_success),
        "age_hours": round(feed.age / timedelta(hours=1), 2) if feed.age is not None else None,
        "stale": feed.stale,
        "next_run": _iso(feed.next_run),
        "result": _result(feed),
        "problem": feed.state.problem,
        "skipped": feed.state.skipped,
    }


def _result(feed: FeedStanding) -> str:
    """How the last attempt ended."""
    if feed.state.last_attempt is None:
        return "never read"
    if feed.state.problem:
        return "failed"
    return f"ok, {feed.state.skipped:,} skipped" if feed.state.skipped else "ok"


def _job(job: JobStanding) -> dict[str, Any]:
    last = job.last
    return {
        "name": job.config.name,
        "action": job.config.action,
        "cron": job.config.cron,
        "next_run": _iso(job.next_run),
        "last_due": _iso(last.scheduled) if last else None,
        "last_state": last.state.value if last else None,
        "last_exit_code": last.exit_code if last else None,
        "attempts": last.attempts if last else 0,
        "note": last.note if last else "",
    }


def _feeds_table(feeds: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("feed", "records", "age", _time("last success"), "last result", _time("next run"), _whole("problem"))
    for feed in feeds:
        age = Text(_age(feed["age_hours"]), style="bold red" if feed["stale"] else "")
        table.add_row(
            Text(feed["name"]),
            f"{feed['records']:,}",
            age,
            _minute(feed["last_success"]),
            feed["result"],
            _minute(feed["next_run"]) if feed["enabled"] else "not pulled here",
            Text(feed["problem"]),
        )
    return table


def _jobs_table(jobs: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("job", "action", _time("next run"), _time("last due"), "ended", "exit code", _whole("note"))
    for job in jobs:
        code = "" if job["last_exit_code"] is None else str(job["last_exit_code"])
        table.add_row(
            job["name"],
            Text(job["action"]),
            _minute(job["next_run"]),
            _minute(job["last_due"]),
            job["last_state"] or "",
            code,
            Text(job["note"]),
        )
    return table


def _runs_table(runs: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("run (UTC)", "ended", "exit code", "findings")
    for run in runs:
        code = "killed or under way" if run["exit_code"] is None else str(run["exit_code"])
        table.add_row(_minute(run["started"]), _minute(run["finished"]), code, str(run["findings"] or 0))
    return table


def _table(*columns: str | Column) -> Table:
    return Table(*columns, box=None, pad_edge=False)


def _time(heading: str) -> Column:
    return Column(f"{heading} (UTC)", no_wrap=True)


def _whole(heading: str) -> Column:
    """A column whose values are never cut, however narrow the log is."""
    return Column(heading, overflow="fold")


def _age(hours: float | None) -> str:
    if hours is None:
        return "never"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} d"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _minute(moment: str | None) -> str:
    return moment[:16].replace("T", " ") if moment else ""
