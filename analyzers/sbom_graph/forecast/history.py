"""What was known of a component's CVEs on a day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class History:
    """CVEs of one component, of whatever version, known on a day.

    Attributes
    ----------
    total
        All of them.
    last_year, last_two_years
        Those published in the 365 and 730 days before the day.
    days_since_last
        From the last publication; None when there was none.
    """

    total: int = 0
    last_year: int = 0
    last_two_years: int = 0
    days_since_last: int | None = None

    @classmethod
    def of(cls, published: Iterable[date], now: date, undated: int = 0) -> History:
        """Count the days of publication up to and on the day `now`; later ones are not known yet.

        Parameters
        ----------
        undated
            CVEs known on that day whose days of publication are not.
        """
        days = [day for day in published if day <= now]
        return cls(
            total=len(days) + undated,
            last_year=sum(day > now - _YEAR for day in days),
            last_two_years=sum(day > now - 2 * _YEAR for day in days),
            days_since_last=(now - max(days)).days if days else None,
        )


NONE = History()
