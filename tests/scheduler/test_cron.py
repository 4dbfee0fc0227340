"""Cron expressions against a plain reading of crontab(5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meddojo.errors import ConfigError
from scheduler.cron import count_between, latest_due, next_due, parse_cron

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)  # a Wednesday


def meant(field: str, low: int, high: int) -> set[int]:
    """Numbers a field stands for."""
    values: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        begin = low if span == "*" else int(first)
        end = high if span == "*" or (step and not last) else int(last or first)
        values |= set(range(begin, end + 1, int(step or 1)))
    return values


def due(expression: str, moment: datetime) -> bool:
    minute, hour, day, month, weekday = expression.split()
    weekdays = {number % 7 for number in meant(weekday, 0, 6)}
    on_day, on_weekday = moment.day in meant(day, 1, 31), moment.isoweekday() % 7 in weekdays
    either = not day.startswith("*") and not weekday.startswith("*")
    return (
        moment.minute in meant(minute, 0, 59)
        and moment.hour in meant(hour, 0, 23)
        and moment.month in meant(month, 1, 12)
        and (on_day or on_weekday if either else on_day and on_weekday)
    )


def fields(low: int, high: int) -> st.SearchStrategy[str]:
    numbers = st.integers(low, high)
    spans = st.tuples(numbers, numbers).map(sorted).map(lambda pair: f"{pair[0]}-{pair[1]}")
    return st.one_of(st.just("*"), st.just("*"), numbers.map(str), spans, st.integers(2, 5).map(lambda n: f"*/{n}"))


EXPRESSIONS = st.tuples(fields(0, 59), fields(0, 23), fields(1, 28), fields(1, 12), fields(0, 7)).map(" ".join)


@settings(max_examples=25, deadline=None)
@given(EXPRESSIONS, st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)))  # noqa: DTZ001
def test_next_and_latest_agree_with_crontab(expression: str, naive: datetime) -> None:
    now = naive.replace(tzinfo=UTC)
    trigger = parse_cron(expression)
    for found, step in ((next_due(trigger, now), 1), (latest_due(trigger, now), -1)):
        assert found is not None and due(expression, found)
        # Nothing in between, as far as a day is looked at.
        begin = now.replace(second=0, microsecond=0)
        nearest = next(
            (
                moment
                for offset in range(24 * 60)
                if due(expression, moment := begin + step * timedelta(minutes=offset))
                and (moment > now if step > 0 else moment <= now)
            ),
            None,
        )
        assert nearest is None or found == nearest


@pytest.mark.parametrize(
    ("expression", "following"),
    [
        ("30 2 * * *", "2026-11-26 02:30"),
        ("0 6 * * 0", "2026-11-29 06:00"),
        ("0 6 * * 7", "2026-11-29 06:00"),
        ("0 6 * * sun", "2026-11-29 06:00"),
        ("0 6 * * 1-5", "2026-11-26 06:00"),
        ("0 6 * * 6-7", "2026-11-28 06:00"),
        ("0 6 1 * mon", "2026-11-30 06:00"),
        ("0 0 29 2 *", "2028-02-29 00:00"),
    ],
)
def test_weekdays_count_from_sunday_and_join_days_by_or(expression: str, following: str) -> None:
    assert f"{next_due(parse_cron(expression), NOON):%Y-%m-%d %H:%M}" == following


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "0 24 * * *",
        "0 0 * * 8",
        "0 0 * * fri-mon",
        "0 0 * * */0",
        "a b c d e",
    ],
)
def test_what_is_no_cron_expression_is_refused(expression: str) -> None:
    with pytest.raises(ConfigError, match="is no cron expression"):
        parse_cron(expression)


def test_a_day_that_never_comes_is_never_due() -> None:
    never = parse_cron("0 0 30 2 *")
    assert latest_due(never, NOON) is None
    assert next_due(never, NOON) is None


def test_counting_leaves_out_both_ends_and_stops_at_a_thousand() -> None:
    hourly = parse_cron("0 * * * *")
    assert count_between(hourly, NOON, NOON + timedelta(hours=3)) == 2
    assert count_between(hourly, NOON - timedelta(days=365), NOON) == 1000
