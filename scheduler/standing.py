"""How feeds and jobs stand now: for ``meddojo status``, the alarms of the schedule, and metrics."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime, timedelta

from meddojo.config import Config, FeedConfig, JobConfig
from meddojo.interface import SourceState
from meddojo.store import Store
from meddojo.store.schedule import JobState, Occurrence

_BAD = {JobState.FAILED, JobState.TIMED_OUT, JobState.MISSED, JobState.INTERRUPTED}


@dataclass(frozen=True, slots=True)
class FeedStanding:
    """How old a feed's data is, and when it is read next.

    Attributes
    ----------
    age
        Since its last success, wherever that was: a bundle brings its feeds' own ages. None if it never had one.
    stale
        True if that is longer than its ``stale_after_hours``, or it was never read.
    next_run
        When a job reads it next; None if no job does.
    """

    name: str
    enabled: bool
    state: SourceState
    age: timedelta | None
    stale_after: timedelta
    next_run: datetime | None

    @property
    def stale(self) -> bool:
        """Whether findings rest on old data."""
        return (self.age is None and self.enabled) or (self.age is not None and self.age > self.stale_after)


@dataclass(frozen=True, slots=True)
class JobStanding:
    """When a job runs next, and how it went last.

    Attributes
    ----------
    last
        Its last occurrence, running or ended; None before the first.
    ended
        Its last occurrence that came to an end, good or bad; a stopped one is begun again.
    """

    config: JobConfig
    next_run: datetime | None
    last: Occurrence | None
    ended: Occurrence | None

    @property
    def bad(self) -> bool:
        """Whether its last run was missed or did not come to a good end."""
        return self.ended is not None and self.ended.state in _BAD


def feed_standings(config: Config, store: Store, now: datetime) -> tuple[FeedStanding, ...]:
    """Every feed that is configured, or that left records in the store, by name."""
    states = {state.name: state for state in store.records.states()}
    enabled = {name for name, section in config.feeds.items() if section.enabled}
    standings = []
    for name in sorted(set(states) | enabled):
        state = states.get(name) or SourceState(name, 0, None, None)
        section = config.feeds.get(name, FeedConfig())
        standings.append(
            FeedStanding(
                name,
                name in enabled,
                state,
                max(now - state.last_success, timedelta()) if state.last_success else None,
                timedelta(hours=section.stale_after_hours),
                _next_reading(name, config, now) if name in enabled else None,
            )
        )
    return tuple(standings)


def job_standings(config: Config, store: Store, now: datetime) -> tuple[JobStanding, ...]:
    """Every configured job, in the order of the configuration."""
    standings = []
    for job in config.jobs:
        known = [each for each in store.schedule.recent(job.name, 5) if each.state is not JobState.REGISTERED]
        ended = (each for each in known if not each.unfinished)
        standings.append(JobStanding(job, _next(job, now), next(iter(known), None), next(ended, None)))
    return tuple(standings)


def alarms(config: Config, store: Store, now: datetime) -> tuple[str, ...]:
    """What a person should look at: stale feeds, and jobs that were missed or failed. Stable while nothing changes."""
    found = []
    for feed in feed_standings(config, store, now):
        if feed.stale and feed.state.last_success:
            hours = feed.stale_after / timedelta(hours=1)
            found.append(
                f"feed {feed.name} is stale: no success since {feed.state.last_success:%Y-%m-%d %H:%M} UTC "
                f"(more than {hours:g} hours){_because(feed.state.problem)}"
            )
        elif feed.stale:
            found.append(f"feed {feed.name} was never read{_because(feed.state.problem)}")
    for job in job_standings(config, store, now):
        if job.ended is not None and job.bad:
            found.append(
                f"job {job.config.name}: the run of {job.ended.scheduled:%Y-%m-%d %H:%M} UTC {_ended(job.ended.state)}"
                f"{_because(job.ended.note)}"
            )
    return tuple(found)


def _next_reading(feed: str, config: Config, now: datetime) -> datetime | None:
    times = [_next(job, now) for job in config.jobs if _reads(job, feed)]
    return min((time for time in times if time), default=None)


def _reads(job: JobConfig, feed: str) -> bool:
    action, *words = shlex.split(job.action)
    if action == "run":
        return "--offline" not in words
    named = [word for word in words if not word.startswith("-")]
    return action == "pull" and (not named or feed in named)


def _next(job: JobConfig, now: datetime) -> datetime | None:
    from scheduler.cron import next_due, parse_cron

    return next_due(parse_cron(job.cron), now)


def _ended(state: JobState) -> str:
    return {JobState.MISSED: "was missed", JobState.TIMED_OUT: "took too long"}.get(state, str(state.value))


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""
