"""Real scheduler processes on one store: every job once, whoever dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from meddojo.config import Config, JobConfig
from meddojo.errors import ConfigError
from meddojo.store import Store
from meddojo.store.schedule import JobState, Occurrence
from scheduler.console import Console
from scheduler.jobs import Schedule
from tests.meddojo.store.conftest import postgresql_url, sqlite_url, url  # noqa: F401
from tests.scheduler import quick_schedule

REPOSITORY = Path(__file__).parents[2]
PATIENCE = 20.0


@dataclass
class Ward:
    """A store, a log the job writes, and the schedulers that were started."""

    url: str
    folder: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.folder / "jobs.log"

    def words(self) -> Counter[str]:
        return Counter(self.log.read_text().split()) if self.log.exists() else Counter()

    def start(self, **changes: Any) -> subprocess.Popen[str]:
        order = {
            "url": self.url,
            "log": str(self.log),
            "jobs": ["tick"],
            "job": {},
            "timing": {},
            "second": "*",
            "seconds": 0.1,
            "stubborn": False,
        } | changes
        messages = (self.folder / f"scheduler{len(self.started)}.log").open("w")
        process = subprocess.Popen(
            [sys.executable, quick_schedule.__file__, json.dumps(order)],
            stderr=messages,
            stdout=messages,
            text=True,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        )
        messages.close()
        self.started.append(process)
        return process

    def said(self, number: int) -> str:
        return (self.folder / f"scheduler{number}.log").read_text()

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, "\n---\n".join(map(self.said, range(len(self.started))))
            time.sleep(0.05)

    def leads(self, number: int) -> bool:
        return "leading with" in self.said(number)

    def ledger(self, job: str = "tick") -> tuple[Occurrence, ...]:
        with Store(self.url) as store:
            return tuple(row for row in store.schedule.recent(job, 100) if row.state is not JobState.REGISTERED)


def _ward(url: str, folder: Path) -> Iterator[Ward]:  # noqa: F811
    with Store(url):
        pass
    place = Ward(url, folder)
    yield place
    for process in place.started:
        process.kill()
        process.wait()


@pytest.fixture
def ward(url: str, tmp_path: Path) -> Iterator[Ward]:  # noqa: F811
    """On each of the databases."""
    yield from _ward(url, tmp_path)


@pytest.fixture
def sqlite_ward(sqlite_url: str, tmp_path: Path) -> Iterator[Ward]:  # noqa: F811
    """What does not depend on the database, on the quicker one."""
    yield from _ward(sqlite_url, tmp_path)


def stop(*processes: subprocess.Popen[str]) -> list[int]:
    for process in processes:
        process.terminate()
    return [process.wait(PATIENCE) for process in processes]


def test_of_two_schedulers_each_occurrence_is_run_by_one(ward: Ward) -> None:
    first, second = ward.start(jobs=["tick", "tock"]), ward.start(jobs=["tick", "tock"])
    ward.until(lambda: ward.words()["end"] >= 6)
    codes = stop(first, second)
    rows = [*ward.ledger("tick"), *ward.ledger("tock")]
    assert {row.state for row in rows} == {JobState.DONE}
    assert {row.attempts for row in rows} == {1}
    assert ward.words() == {"begin": len(rows), "end": len(rows)}
    assert sorted([ward.leads(0), ward.leads(1)]) == [False, True]
    waiting = ward.said(0 if ward.leads(1) else 1)
    assert waiting.count("standing by: another MedDojo schedule is under way") == 1
    assert codes == [0, 0]
    # APScheduler's job store, in the same database, holds no pickle.
    with Store(ward.url) as store, store.engine.connect() as connection:
        states = connection.execute(text("SELECT job_state FROM scheduled_job ORDER BY id")).scalars().all()
    assert [json.loads(bytes(state))["id"] for state in states] == ["tick", "tock"]


def test_when_the_leader_is_killed_in_mid_run_the_other_begins_that_run_again(ward: Ward) -> None:
    first = ward.start(seconds=0.6)
    ward.until(lambda: ward.leads(0))
    second = ward.start(seconds=0.6)
    ward.until(lambda: "standing by" in ward.said(1) and ward.words()["begin"] > ward.words()["end"])
    ended_before = ward.words()["end"]
    first.send_signal(signal.SIGKILL)
    first.wait()
    ward.until(lambda: ward.words()["end"] >= ended_before + 1)
    stop(second)
    rows = ward.ledger()
    again = [row for row in rows if row.attempts == 2]
    assert len(again) == 1
    assert "it is begun again" in ward.said(1)
    # The killed one began and, with its child, ended nothing; all others are done exactly once.
    assert {row.state for row in rows} <= {JobState.DONE, JobState.STOPPED}
    done = [row for row in rows if row.state is JobState.DONE]
    assert ward.words()["end"] == len(done)
    assert ward.words()["begin"] == sum(row.attempts for row in rows)


@pytest.mark.slow
def test_a_run_that_takes_too_long_is_stopped_even_if_it_ignores_that(sqlite_ward: Ward) -> None:
    process = sqlite_ward.start(seconds=60, stubborn=True, job={"time_limit_minutes": 0.02}, timing={"stop_grace": 0.1})
    sqlite_ward.until(lambda: "alarm: job tick" in sqlite_ward.said(0))
    assert stop(process) == [3]
    row = sqlite_ward.ledger()[-1]
    assert row.exit_code == -signal.SIGKILL
    assert row.note == "stopped after its time limit of 0.02 minutes"
    assert sqlite_ward.words()["end"] == 0


@pytest.mark.slow
def test_what_is_due_while_a_run_goes_on_is_run_once_afterwards(sqlite_ward: Ward) -> None:
    process = sqlite_ward.start(seconds=2.4)
    sqlite_ward.until(lambda: sqlite_ward.words()["begin"] == 2)
    process.kill()
    later, earlier = sqlite_ward.ledger()
    passed = round((later.scheduled - earlier.scheduled).total_seconds())
    assert passed >= 2
    assert later.note == f"stands for {passed} times it was due"
    assert "earlier times were missed; one run now stands for all" in sqlite_ward.said(0)


def test_a_stop_lets_a_short_run_finish_and_breaks_a_long_one_off(sqlite_ward: Ward) -> None:
    short = sqlite_ward.start(seconds=1.0)
    sqlite_ward.until(lambda: sqlite_ward.words()["begin"] == 1)
    assert stop(short) == [0]
    assert sqlite_ward.words() == {"begin": 1, "end": 1}
    assert [row.state for row in sqlite_ward.ledger()] == [JobState.DONE]

    long = sqlite_ward.start(seconds=60, timing={"stop_grace": 0.2})
    sqlite_ward.until(lambda: sqlite_ward.words()["begin"] == 2)
    long.send_signal(signal.SIGINT)
    assert long.wait(PATIENCE) == 0
    assert [row.state for row in sqlite_ward.ledger()] == [JobState.STOPPED, JobState.DONE]

    resumed = sqlite_ward.start(seconds=0.1, second="0")
    sqlite_ward.until(lambda: sqlite_ward.words()["end"] == 2)
    stop(resumed)
    assert [(row.state, row.attempts) for row in sqlite_ward.ledger()] == [(JobState.DONE, 2), (JobState.DONE, 1)]


def test_a_lost_lock_stops_the_run_and_the_lead(ward: Ward) -> None:
    process = ward.start(seconds=60)
    ward.until(lambda: ward.words()["begin"] == 1)
    if ward.url.startswith("sqlite"):
        Path(f"{ward.url.removeprefix('sqlite:///')}.schedule.lock").unlink()
    else:
        _end_sessions_with_locks(ward.url)
    ward.until(lambda: "the schedule's lock was lost" in ward.said(0))
    # It leads again, as nobody else took the lock, and begins the run again.
    ward.until(lambda: ward.words()["begin"] == 2)
    process.kill()


def _end_sessions_with_locks(address: str) -> None:
    engine = create_engine(address)
    with engine.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
                "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        )
    engine.dispose()


def test_a_schedule_without_jobs_or_with_a_wrong_cron_says_so(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path}/store.db") as store:
        with pytest.raises(ConfigError, match="no job is configured"):
            Schedule(Config(), store, Console())
        wrong = Config(jobs=(JobConfig(name="nightly", cron="30 2 * *"),))
        with pytest.raises(ConfigError, match="it has 4 fields"):
            Schedule(wrong, store, Console())
