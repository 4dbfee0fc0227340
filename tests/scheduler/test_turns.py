"""Which occurrence of a job is run, from ledger and clock alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from meddojo.config import JobConfig
from meddojo.store import Store
from meddojo.store.schedule import JobState, Occurrence
from scheduler.cron import parse_cron
from scheduler.turns import Job, register, take_turn
from tests.meddojo.store.conftest import postgresql_url, sqlite_url, store, url  # noqa: F401

MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)


def at(hour: float) -> datetime:
    return MIDNIGHT + timedelta(hours=hour)


def job(cron: str = "0 * * * *", grace: float = 30, limit: float = 20) -> Job:
    config = JobConfig(name="nightly", cron=cron, misfire_grace_minutes=grace, time_limit_minutes=limit)
    return Job(config, parse_cron(cron))


class Clinic:
    """A ledger, and what was said aloud."""

    def __init__(self, store: Store) -> None:  # noqa: F811
        self.ledger = store.schedule
        self.alarms: list[str] = []

    def turn(self, hour: float, of: Job | None = None, holder: str = "one") -> Occurrence | None:
        return take_turn(of or job(), self.ledger, holder, at(hour), self.alarms.append)

    def done(self, hour: float, of: Job | None = None) -> Occurrence:
        taken = self.turn(hour, of)
        assert taken is not None
        assert self.ledger.end(taken, JobState.DONE, at(hour), 0)
        return taken

    def states(self) -> list[tuple[str, int]]:
        return [(row.state.value, row.attempts) for row in self.ledger.recent("nightly")]


@pytest.fixture
def clinic(store: Store) -> Clinic:  # noqa: F811
    clinic = Clinic(store)
    register(job(), clinic.ledger, "one", at(0.5))
    return clinic


def test_a_new_job_begins_with_its_next_time_and_runs_each_once(clinic: Clinic) -> None:
    assert clinic.turn(0.9) is None
    assert clinic.done(1.01).scheduled == at(1)
    assert clinic.turn(1.5) is None
    assert clinic.done(2.0).scheduled == at(2)
    assert clinic.alarms == []


def test_who_asks_second_gets_nothing(clinic: Clinic) -> None:
    taken = clinic.turn(1.0)
    assert taken is not None
    assert clinic.ledger.write_down(taken) is False
    other = Occurrence("nightly", at(1), "0 * * * *", JobState.RUNNING, "two", 1)
    assert clinic.ledger.write_down(other) is False
    assert clinic.ledger.end(other, JobState.DONE, at(1.1), 0) is False


def test_misfires_are_coalesced_into_the_last(clinic: Clinic) -> None:
    clinic.done(1.0)
    taken = clinic.turn(4.2)
    assert taken is not None and taken.scheduled == at(4)
    assert taken.note == "stands for 3 times it was due"
    assert clinic.alarms == ["nightly: 2 earlier times were missed; one run now stands for all"]


def test_what_is_too_late_is_missed_and_told_once(clinic: Clinic) -> None:
    clinic.done(1.0)
    assert clinic.turn(2.75) is None
    assert clinic.turn(2.8) is None
    assert clinic.states()[0] == ("missed", 0)
    assert clinic.alarms == ["nightly: the run of 2026-11-25 02:00 was missed: not begun within 30 minutes"]
    assert clinic.done(3.0).scheduled == at(3)


def test_what_a_dead_scheduler_began_is_begun_again_three_times_at_most(clinic: Clinic) -> None:
    first = clinic.turn(1.0)
    second = clinic.turn(1.1, holder="two")
    assert first is not None and second is not None
    assert (second.scheduled, second.attempts, second.holder) == (at(1), 2, "two")
    # The first one was only thought dead: it can no longer say how its run ended.
    assert clinic.ledger.end(first, JobState.DONE, at(1.2), 0) is False
    assert clinic.turn(1.2, holder="three") is not None
    assert clinic.turn(1.3, holder="four") is None
    assert clinic.states()[0] == ("interrupted", 3)
    assert clinic.alarms[-1].endswith("given up after 3 attempts that did not come to their end")


def test_what_was_stopped_is_begun_again_unless_it_is_too_late(clinic: Clinic) -> None:
    slow = job("0 0 * * *")
    register(slow, clinic.ledger, "one", at(1))
    taken = clinic.turn(24.0, slow)
    assert taken is not None and clinic.ledger.end(taken, JobState.STOPPED, at(24.1))
    again = clinic.turn(24.2, slow, "two")
    assert again is not None and again.attempts == 2
    assert clinic.ledger.end(again, JobState.STOPPED, at(24.3))
    assert clinic.turn(25.0, slow, "three") is None
    assert clinic.states()[0] == ("interrupted", 2)


def test_an_interrupted_run_gives_way_to_the_next_time(clinic: Clinic) -> None:
    assert clinic.turn(1.0) is not None
    taken = clinic.turn(2.0, holder="two")
    assert taken is not None and (taken.scheduled, taken.attempts) == (at(2), 1)
    assert clinic.states()[:2] == [("running", 1), ("interrupted", 1)]


def test_other_times_of_a_job_are_no_missed_runs(clinic: Clinic) -> None:
    clinic.done(1.0)
    changed = job("10 * * * *")
    register(changed, clinic.ledger, "one", at(5.5))
    assert clinic.turn(5.6, changed) is None
    assert clinic.done(6.2, changed).scheduled == at(6) + timedelta(minutes=10)
    assert clinic.alarms == []


def test_the_ledger_keeps_the_last_500_of_each_job(clinic: Clinic) -> None:
    for number in range(505):
        clinic.ledger.write_down(Occurrence("often", at(number), "0 * * * *", JobState.DONE))
    rows = clinic.ledger.recent("often", 1000)
    assert len(rows) == 500
    assert rows[-1].scheduled == at(5)
    assert clinic.ledger.counts()["often", JobState.DONE] == 500
