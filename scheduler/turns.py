"""Whose turn it is: from cron expression and ledger to at most one occurrence to run.

APScheduler only wakes us. What counts is the ledger of the store: an occurrence that has a row there was taken, an
occurrence without one was not. Everything here is called by the one scheduler that holds the schedule's lock, so that a
row that is still "running" belongs to a scheduler that died.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from meddojo.config import JobConfig
from meddojo.store.schedule import JobState, Occurrence, ScheduleShelf
from scheduler.cron import count_between, latest_due

MOST_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Job:
    """A configured job and its trigger."""

    config: JobConfig
    trigger: Any

    @property
    def name(self) -> str:
        """What the ledger calls it."""
        return self.config.name

    @property
    def grace(self) -> timedelta:
        """How late it may begin."""
        return timedelta(minutes=self.config.misfire_grace_minutes)

    @property
    def limit(self) -> timedelta:
        """How long it may take."""
        return timedelta(minutes=self.config.time_limit_minutes)


def register(job: Job, ledger: ScheduleShelf, holder: str, now: datetime) -> None:
    """Let the job count from now on, if it is new or due at other times than before: nothing earlier was missed."""
    last = ledger.latest(job.name)
    if last is None or last.cron != job.config.cron:
        if last is not None and last.unfinished:
            ledger.end(last, JobState.INTERRUPTED, now, note="its cron expression was changed")
        ledger.write_down(Occurrence(job.name, now, job.config.cron, JobState.REGISTERED, holder))


def take_turn(
    job: Job, ledger: ScheduleShelf, holder: str, now: datetime, alarm: Callable[[str], None]
) -> Occurrence | None:
    """The occurrence to run now, written into the ledger; None if there is nothing to do.

    Occurrences that passed meanwhile are coalesced into the last one. One that is later than the job's grace is missed.
    One that a dead scheduler began, or a stopped one broke off, is begun again, at most three times in all.
    """
    last = ledger.latest(job.name)
    due = latest_due(job.trigger, now)
    if last is not None and last.unfinished and (due is None or due <= last.scheduled):
        return _begin_again(job, last, ledger, holder, now, alarm)
    if due is None or (last is not None and due <= last.scheduled):
        return None
    if last is not None and last.unfinished:
        ledger.end(last, JobState.INTERRUPTED, now, note=f"not begun again: the next was due at {_minute(due)}")
    skipped = count_between(job.trigger, last.scheduled, due) if last is not None else 0
    note = f"stands for {skipped + 1:,} times it was due" if skipped else ""
    if now - due > job.grace:
        note = f"not begun within {job.config.misfire_grace_minutes:g} minutes"
        missed = Occurrence(job.name, due, job.config.cron, JobState.MISSED, holder, finished=now, note=note)
        if ledger.write_down(missed):
            alarm(f"{job.name}: the run of {_minute(due)} was missed: {note}")
        return None
    if skipped:
        alarm(f"{job.name}: {skipped:,} earlier times were missed; one run now stands for all")
    taken = Occurrence(job.name, due, job.config.cron, JobState.RUNNING, holder, 1, now, note=note)
    return taken if ledger.write_down(taken) else None


def _begin_again(
    job: Job, last: Occurrence, ledger: ScheduleShelf, holder: str, now: datetime, alarm: Callable[[str], None]
) -> Occurrence | None:
    if last.attempts >= MOST_ATTEMPTS:
        note = f"given up after {last.attempts} attempts that did not come to their end"
    elif now - last.scheduled > job.grace + job.limit:
        note = "interrupted, and too late to begin again"
    elif ledger.take_over(last, holder, now):
        alarm(f"{job.name}: the run of {_minute(last.scheduled)} was {_how(last)}; it is begun again")
        return ledger.latest(job.name)
    else:
        return None
    if ledger.end(last, JobState.INTERRUPTED, now, note=note):
        alarm(f"{job.name}: the run of {_minute(last.scheduled)} did not come to its end: {note}")
    return None


def _how(last: Occurrence) -> str:
    return "stopped" if last.state is JobState.STOPPED else f"interrupted with its scheduler ({last.holder})"


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
