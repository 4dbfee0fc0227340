"""``meddojo schedule``: the configured jobs, at their times, each once, whatever dies.

Any number of schedulers may be started on one store. The one that holds the lock "schedule" leads and runs jobs, one
after another, each in a child process; the others stand by and ask for the lock every few seconds, because a job store
of APScheduler must not be shared by two running schedulers. The operating system or PostgreSQL frees the lock when the
leader dies, and its child dies with it; the next leader finds what it began in the ledger.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.exc import SQLAlchemyError

from meddojo.config import Config, JobConfig
from meddojo.errors import ConfigError, MeddojoError, TransientError
from meddojo.store import Store
from meddojo.store.schedule import JobState, Occurrence
from scheduler.console import Console
from scheduler.cron import next_due, parse_cron
from scheduler.gate import ExitCode
from scheduler.job_store import JsonJobStore
from scheduler.standing import alarms
from scheduler.supervise import Ended, Ending, command, supervise
from scheduler.turns import Job, register, take_turn

_FINISHED_WELL = {int(code) for code in (ExitCode.CLEAN, ExitCode.GATE, ExitCode.INCOMPLETE)}
_PAUSES = (1.0, 5.0, 15.0, 30.0, 60.0)


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: between two looks at lock and alarms, between two tries for the lock, and what a stop may take.

    Attributes
    ----------
    stop_grace
        For a running job to finish after SIGTERM; then it is stopped.
    kill_grace
        Between stopping a job and ending it for certain.
    """

    beat: float = 5.0
    observe: float = 60.0
    standby: float = 5.0
    stop_grace: float = 20.0
    kill_grace: float = 5.0


class Schedule:
    """One scheduler process.

    Parameters
    ----------
    arguments
        What every job's command gets besides: ``--config FILE``.
    trigger_of
        Makes the trigger of a job; tests use quicker ones than cron expressions can say.
    observe
        Called with True for a leader, False in standby: now and then, and after each job. For metrics.

    Raises
    ------
    ConfigError
        If no job is configured, or the cron expression of one is wrong.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        console: Console,
        arguments: Sequence[str] = (),
        *,
        timing: Timing | None = None,
        trigger_of: Callable[[JobConfig], Any] = lambda job: parse_cron(job.cron),
        command_of: Callable[[Sequence[str]], list[str]] = command,
        observe: Callable[[bool], None] = lambda _: None,
    ) -> None:
        if not config.jobs:
            raise ConfigError("no job is configured", "add [[jobs]] with name, cron and action to meddojo.toml")
        self._config = config
        self._store = store
        self._console = console
        self._arguments = tuple(arguments)
        self._timing = timing or Timing()
        self._command_of = command_of
        self._observe = observe
        self._jobs = {job.name: Job(job, trigger_of(job)) for job in config.jobs}
        self._holder = f"{socket.gethostname()[:100]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._stop = threading.Event()
        self._abort = threading.Event()
        self._busy = threading.Lock()
        self._alarms: tuple[str, ...] = ()

    def stop(self, *_: object) -> None:
        """Begin no further job, let the running one finish or stop it after a grace; also a signal handler."""
        self._stop.set()

    def serve(self) -> ExitCode:
        """Lead or stand by until told to stop.

        Returns
        -------
        ExitCode
            INCOMPLETE if a job or a feed stands badly at the end, else CLEAN.
        """
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        waiting = ""
        while not self._stop.is_set():
            with self._leadership() as (still_held, reason):
                if still_held:
                    self._lead(still_held)
                    waiting = ""
                elif reason != waiting:
                    self._say(f"standing by: {reason}")
                    waiting = reason
            self._observe_safely(False)
            self._stop.wait(self._timing.standby)
        self._say("stopped")
        return ExitCode.INCOMPLETE if self._alarms else ExitCode.CLEAN

    @contextlib.contextmanager
    def _leadership(self) -> Iterator[tuple[Callable[[], bool] | None, str]]:
        with contextlib.ExitStack() as stack:
            try:
                held = stack.enter_context(self._store.lock("schedule"))
            except TransientError as error:
                yield None, error.message
            else:
                yield held, ""

    def _lead(self, still_held: Callable[[], bool]) -> None:
        self._abort.clear()
        now = datetime.now(UTC)
        try:
            for job in self._jobs.values():
                register(job, self._store.schedule, self._holder, now)
            waking = JsonJobStore(self._store.engine, list(self._jobs))
            engine = self._start_engine(waking, now)
        except (MeddojoError, SQLAlchemyError) as error:
            self._warn(f"the schedule cannot begin yet: {error}")
            return
        self._say(f"leading with {len(self._jobs)} jobs")
        for job in self._jobs.values():
            due = next_due(job.trigger, now)
            self._say(f"{job.name}: `meddojo {job.config.action}` next at {due:%Y-%m-%d %H:%M:%S} UTC" if due else "")
        self._watch(engine, still_held)
        waking.closed = True
        self._wind_up(engine)

    def _start_engine(self, waking: JsonJobStore, now: datetime) -> BackgroundScheduler:
        engine = BackgroundScheduler(
            jobstores={"default": waking},
            # One thread: jobs run one after another, as the lock "run" wants it anyway.
            executors={"default": ThreadPoolExecutor(1)},
            timezone=UTC,
        )
        for job in self._jobs.values():
            engine.add_job(
                self._perform,
                job.trigger,
                args=(job.name,),
                id=job.name,
                replace_existing=True,
                # At once: what is due is looked up in the ledger, and a former leader may have left something.
                next_run_time=now,
                coalesce=True,
                misfire_grace_time=None,
                # One that runs, and one that is due meanwhile and waits for it.
                max_instances=2,
            )
        engine.start()
        return engine

    def _watch(self, engine: BackgroundScheduler, still_held: Callable[[], bool]) -> None:
        observed = 0.0
        while not self._stop.is_set():
            if not still_held():
                self._warn("the schedule's lock was lost; the running job is stopped")
                self._abort.set()
                return
            if not engine._thread.is_alive():
                # A store that fails while the next run time is written ends APScheduler's thread.
                self._warn("the schedule's clock has stopped; it is started anew")
                return
            if time.monotonic() - observed >= self._timing.observe:
                observed = time.monotonic()
                self._raise_alarms()
                self._observe_safely(True)
            self._stop.wait(self._timing.beat)

    def _wind_up(self, engine: BackgroundScheduler) -> None:
        leave = time.monotonic() + (0.0 if self._abort.is_set() else self._timing.stop_grace)
        if self._busy.locked() and not self._abort.is_set():
            self._say(f"stopping; the running job has {self._timing.stop_grace:g} s to finish")
        while self._busy.locked() and time.monotonic() < leave:
            time.sleep(0.05)
        self._abort.set()
        engine.shutdown(wait=True)
        if self._stop.is_set():
            self._raise_alarms()

    def _perform(self, name: str) -> None:
        """Run a job if the ledger says that it is its turn. Called by APScheduler, in its one thread."""
        job = self._jobs[name]
        if self._stop.is_set() or self._abort.is_set():
            return
        with self._busy:
            try:
                taken = take_turn(job, self._store.schedule, self._holder, datetime.now(UTC), self._warn)
                if taken is not None:
                    self._run(job, taken)
            except MeddojoError as error:
                self._warn(f"{name}: {error.message}")
        self._observe_safely(True)

    def _run(self, job: Job, taken: Occurrence) -> None:
        self._say(f"{job.name}: begins, due {taken.scheduled:%Y-%m-%d %H:%M:%S} UTC")
        deadline = time.monotonic() + job.limit.total_seconds()
        self._await_others(job, deadline)
        ended = supervise(
            self._command_of([*shlex.split(job.config.action), *self._arguments]),
            limit_seconds=max(0.0, deadline - time.monotonic()),
            kill_grace_seconds=self._timing.kill_grace,
            stop=self._abort.is_set,
            relay=lambda line: self._say(f"{job.name}: {line}"),
        )
        state, note = _judged(ended, job)
        note = "; ".join(filter(None, (taken.note, note)))
        self._write_end(taken, state, ended.code, note)
        tell = self._say if state is JobState.DONE else self._warn
        remark = f"; {note}" if note else ""
        tell(f"{job.name}: {state} after {timedelta(seconds=round(ended.seconds))}, exit code {ended.code}{remark}")

    def _write_end(self, taken: Occurrence, state: JobState, code: int, note: str) -> None:
        """Patiently: an occurrence that looks unfinished would be run again."""
        for pause in (*_PAUSES, None):
            try:
                if not self._store.schedule.end(taken, state, datetime.now(UTC), code, note):
                    self._warn(f"{taken.job}: another scheduler took this run over meanwhile")
                return
            except TransientError as error:
                self._warn(f"{taken.job}: {error.message}")
                if pause is None or self._abort.wait(pause):
                    return

    def _await_others(self, job: Job, deadline: float) -> None:
        """Wait for a run that a person started."""
        told = False
        while time.monotonic() < deadline and not self._abort.is_set():
            try:
                with self._store.lock("run"):
                    return
            except TransientError as error:
                if not told:
                    self._say(f"{job.name}: waits: {error.message}")
                told = True
                self._abort.wait(0.5)

    def _raise_alarms(self) -> None:
        try:
            found = alarms(self._config, self._store, datetime.now(UTC))
        except MeddojoError as error:
            self._warn(error.message)
            return
        for alarm in found:
            if alarm not in self._alarms:
                self._warn(f"alarm: {alarm}")
        for alarm in self._alarms:
            if alarm not in found:
                self._say(f"alarm over: {alarm}")
        self._alarms = found

    def _observe_safely(self, leads: bool) -> None:
        try:
            self._observe(leads)
        except (MeddojoError, OSError) as error:
            self._warn(f"metrics: {error}")

    def _say(self, text: str) -> None:
        self._console.say(f"{_stamp()} {text}")

    def _warn(self, text: str) -> None:
        self._console.warn(f"{_stamp()} {text}")


def _judged(ended: Ended, job: Job) -> tuple[JobState, str]:
    if ended.why is Ending.TIME_LIMIT:
        return JobState.TIMED_OUT, f"stopped after its time limit of {job.config.time_limit_minutes:g} minutes"
    if ended.why is Ending.STOPPED:
        return JobState.STOPPED, "stopped with the scheduler"
    if ended.code in _FINISHED_WELL:
        return JobState.DONE, ""
    return JobState.FAILED, ended.last_words[:500]


def _stamp() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}"
