"""APScheduler's SQLAlchemy job store, in the database of the store and without pickle.

APScheduler keeps its jobs as pickles: whoever may write into the database could run code in the scheduler. What a job
is stands in the configuration anyway, so that only its name and next run time are kept here, as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from apscheduler.job import Job
from apscheduler.jobstores.base import ConflictingIdError, JobLookupError
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.util import datetime_to_utc_timestamp
from sqlalchemy import Engine, delete, insert, update
from sqlalchemy.exc import IntegrityError

_OF_THE_CONFIGURATION = (
    "id",
    "func",
    "func_ref",
    "trigger",
    "executor",
    "args",
    "kwargs",
    "name",
    "misfire_grace_time",
    "coalesce",
    "max_instances",
)


class JsonJobStore(SQLAlchemyJobStore):  # type: ignore[misc]
    """Jobs of one scheduler: their next run times in the database, all else in memory.

    Parameters
    ----------
    names
        The configured jobs; others of the table are forgotten.
    """

    def __init__(self, engine: Engine, names: Collection[str]) -> None:
        super().__init__(engine=engine, tablename="scheduled_job")
        self._names = names
        self._known: dict[str, Any] = {}
        self.closed = False

    def start(self, scheduler: Any, alias: str) -> None:
        """Make the table, and forget jobs that are no longer configured."""
        super().start(scheduler, alias)
        with self.engine.begin() as connection:
            connection.execute(delete(self.jobs_t).where(self.jobs_t.c.id.not_in(self._names)))

    def get_due_jobs(self, now: datetime) -> list[Any]:
        """Jobs to begin; none once it is closed, as APScheduler looks once more while it stops."""
        return [] if self.closed else list(super().get_due_jobs(now))

    def add_job(self, job: Any) -> None:
        """Keep a new job.

        Raises
        ------
        ConflictingIdError
            If there is one of that name.
        """
        self._known[job.id] = job
        try:
            with self.engine.begin() as connection:
                connection.execute(insert(self.jobs_t).values(id=job.id, **_row(job)))
        except IntegrityError:
            raise ConflictingIdError(job.id) from None

    def update_job(self, job: Any) -> None:
        """Keep when the job is due next.

        Raises
        ------
        JobLookupError
            If there is none of that name.
        """
        self._known[job.id] = job
        statement = update(self.jobs_t).where(self.jobs_t.c.id == job.id).values(**_row(job))
        with self.engine.begin() as connection:
            if not connection.execute(statement).rowcount:
                raise JobLookupError(job.id)

    def shutdown(self) -> None:
        """Leave the connections to the store, whose they are."""

    def _reconstitute_job(self, job_state: bytes) -> Any:
        state = json.loads(job_state)
        known = self._known[state["id"]]
        job = Job.__new__(Job)
        for name in _OF_THE_CONFIGURATION:
            setattr(job, name, getattr(known, name))
        due = state["next_run_time"]
        job.next_run_time = datetime.fromisoformat(due) if due else None
        job._scheduler = self._scheduler
        job._jobstore_alias = self._alias
        return job


def _row(job: Any) -> dict[str, Any]:
    due = job.next_run_time.astimezone(UTC) if job.next_run_time else None
    state = {"id": job.id, "next_run_time": due.isoformat() if due else None}
    return {"next_run_time": datetime_to_utc_timestamp(due), "job_state": json.dumps(state).encode()}
