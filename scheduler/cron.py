"""Cron expressions as crontab(5) means them, in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger

from meddojo.errors import ConfigError

_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_WEEKDAY_PART = re.compile(r"(?P<first>\d|\*|[a-z]{3})(?:-(?P<last>\d|[a-z]{3}))?(?:/(?P<step>\d))?")
# Looked back in growing windows, so that neither a minutely nor a yearly job needs many steps.
_WINDOWS = tuple(timedelta(days=days) for days in (0.05, 1, 32, 367, 1500))
_MOST_COUNTED = 1000


def parse_cron(expression: str) -> Any:
    """Make an APScheduler trigger of five fields: minute, hour, day of month, month, day of week.

    Weekdays count from Sunday, 0 or 7, and a job that restricts both the day of the month and the weekday is due on
    either, both as in crontab(5); `CronTrigger.from_crontab` does neither.

    Raises
    ------
    ConfigError
        If it is no cron expression.
    """
    fields = expression.lower().split()
    if len(fields) != 5:
        raise _wrong(expression, f"it has {len(fields)} fields")
    minute, hour, day, month, weekday = fields
    try:
        times = {"minute": minute, "hour": hour, "month": month, "timezone": UTC}
        if day.startswith("*") or weekday.startswith("*"):
            return CronTrigger(day=day, day_of_week=_weekdays(weekday), **times)
        by_date, by_weekday = CronTrigger(day=day, **times), CronTrigger(day_of_week=_weekdays(weekday), **times)
        return OrTrigger([by_date, by_weekday])
    except ValueError as error:
        raise _wrong(expression, str(error)) from None


def latest_due(trigger: Any, now: datetime) -> datetime | None:
    """The last moment up to `now` at which the trigger fires; None if there was none in four years."""
    for window in _WINDOWS:
        due: datetime | None = None
        moment = trigger.get_next_fire_time(None, now - window)
        while moment is not None and moment <= now:
            due, moment = moment, _following(trigger, moment)
        if due is not None:
            return due.astimezone(UTC)
    return None


def next_due(trigger: Any, now: datetime) -> datetime | None:
    """The first moment after `now` at which the trigger fires."""
    moment: datetime | None = _following(trigger, now)
    return moment.astimezone(UTC) if moment else None


def count_between(trigger: Any, after: datetime, before: datetime) -> int:
    """How often the trigger fires strictly between two moments; counting ends at 1000."""
    number, moment = 0, _following(trigger, after)
    while moment is not None and moment < before and number < _MOST_COUNTED:
        number, moment = number + 1, _following(trigger, moment)
    return number


def _following(trigger: Any, moment: datetime) -> Any:
    return trigger.get_next_fire_time(None, moment + timedelta(microseconds=1))


def _weekdays(field: str) -> str:
    """``1-5`` -> ``mon,tue,wed,thu,fri``; APScheduler's own numbers count from Monday."""
    if field == "*":
        return field
    chosen: set[int] = set()
    for part in field.split(","):
        match = _WEEKDAY_PART.fullmatch(part)
        if not match:
            raise ValueError(f"{part!r} is no weekday")
        first, last, step = match["first"], match["last"], int(match["step"] or 1)
        begin = 0 if first == "*" else _number(first)
        end = 6 if first == "*" or (match["step"] and not last) else _number(last or first)
        if begin > end or step == 0:
            raise ValueError(f"{part!r} is no range of weekdays")
        chosen |= {day % 7 for day in range(begin, end + 1, step)}
    return ",".join(_WEEKDAYS[day] for day in sorted(chosen))


def _number(weekday: str) -> int:
    if weekday.isdigit() and int(weekday) <= 7:
        return int(weekday)
    if weekday in _WEEKDAYS:
        return _WEEKDAYS.index(weekday)
    raise ValueError(f"{weekday!r} is no weekday")


def _wrong(expression: str, cause: str) -> ConfigError:
    return ConfigError(
        f"{expression!r} is no cron expression: {cause}",
        "write minute, hour, day of month, month, day of week (UTC), for example '30 2 * * *'",
    )
