"""The ledger of the schedule: which job was due when, who took it, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, func, select, update

from meddojo.store import schema

if TYPE_CHECKING:
    from meddojo.store.database import Database

_KEPT_PER_JOB = 500


class JobState(StrEnum):
    """How one occurrence of a job stands."""

    REGISTERED = "registered"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A job at one of the times it was due.

    Attributes
    ----------
    scheduled
        When it was due; for REGISTERED, when the schedule first knew the job.
    cron
        The expression that said so.
    holder
        Which process took it last.
    attempts
        How often it was begun.
    exit_code
        Of the command; None while it runs, and where it never ran.
    note
        Why it ended as it did, or how many other times it stands for.
    """

    job: str
    scheduled: datetime
    cron: str
    state: JobState
    holder: str = ""
    attempts: int = 0
    started: datetime | None = None
    finished: datetime | None = None
    exit_code: int | None = None
    note: str = ""

    @property
    def unfinished(self) -> bool:
        """True if it was begun and never came to its end."""
        return self.state in (JobState.RUNNING, JobState.STOPPED)


class ScheduleShelf:
    """One row an occurrence; the first to write it has taken it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def latest(self, job: str) -> Occurrence | None:
        """The job's last known occurrence."""
        return next(iter(self.recent(job, 1)), None)

    def recent(self, job: str, limit: int = 20) -> tuple[Occurrence, ...]:
        """The job's last occurrences, newest first."""
        table = schema.occurrence
        statement = select(table).where(table.c.job == job).order_by(table.c.scheduled.desc()).limit(limit)
        with self._database.read() as connection:
            return tuple(_occurrence(row) for row in connection.execute(statement))

    def counts(self) -> dict[tuple[str, JobState], int]:
        """How many occurrences of each job the ledger holds, by state."""
        table = schema.occurrence
        statement = select(table.c.job, table.c.state, func.count()).group_by(table.c.job, table.c.state)
        with self._database.read() as connection:
            return {(job, JobState(state)): number for job, state, number in connection.execute(statement)}

    def write_down(self, occurrence: Occurrence) -> bool:
        """Add an occurrence; False if it is known already, because somebody else took it."""
        with self._database.write() as connection:
            is_new = self._database.insert_new(connection, schema.occurrence, _row(occurrence))
            _forget_oldest(connection, occurrence.job)
        return is_new

    def take_over(self, abandoned: Occurrence, holder: str, now: datetime) -> bool:
        """Begin again what another process began; False if a third was quicker."""
        changes = {
            "holder": holder,
            "state": JobState.RUNNING.value,
            "attempts": abandoned.attempts + 1,
            "started": now,
            "finished": None,
            "note": "",
        }
        return self._change(abandoned, changes)

    def end(
        self, taken: Occurrence, state: JobState, now: datetime, exit_code: int | None = None, note: str = ""
    ) -> bool:
        """Write down how an occurrence ended; False if it is no longer this holder's."""
        changes = {"state": state.value, "finished": now, "exit_code": exit_code, "note": note}
        return self._change(taken, changes)

    def _change(self, before: Occurrence, changes: dict[str, Any]) -> bool:
        table = schema.occurrence
        statement = update(table).where(
            table.c.job == before.job,
            table.c.scheduled == before.scheduled,
            table.c.holder == before.holder,
            table.c.attempts == before.attempts,
        )
        with self._database.write() as connection:
            return connection.execute(statement.values(changes)).rowcount > 0


def _forget_oldest(connection: Connection, job: str) -> None:
    table = schema.occurrence
    oldest = select(table.c.scheduled).where(table.c.job == job).order_by(table.c.scheduled.desc())
    limit = connection.execute(oldest.offset(_KEPT_PER_JOB).limit(1)).scalar()
    if limit is not None:
        connection.execute(delete(table).where(table.c.job == job, table.c.scheduled <= limit))


def _row(occurrence: Occurrence) -> dict[str, Any]:
    return {
        "job": occurrence.job,
        "scheduled": occurrence.scheduled,
        "cron": occurrence.cron,
        "state": occurrence.state.value,
        "holder": occurrence.holder,
        "attempts": occurrence.attempts,
        "started": occurrence.started,
        "finished": occurrence.finished,
        "exit_code": occurrence.exit_code,
        "note": occurrence.note,
    }


def _occurrence(row: Any) -> Occurrence:
    return Occurrence(
        row.job,
        row.scheduled,
        row.cron,
        JobState(row.state),
        row.holder,
        row.attempts,
        row.started,
        row.finished,
        row.exit_code,
        row.note,
    )
