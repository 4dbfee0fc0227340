"""Everything a feed said, out of one store and into another, as lines of JSON by kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from sqlalchemy import Table, func, select

from meddojo.advisory import Advisory
from meddojo.errors import InputError
from meddojo.interface import Record
from meddojo.serialise import from_json, to_json
from meddojo.store import schema
from meddojo.store.exploitation import retire_kev
from meddojo.store.records import KeysOf, RecordShelf, unstorable
from meddojo.threat import Threat, ThreatRelation
from meddojo.vulnerability import EpssScore, KevEntry, Vulnerability

if TYPE_CHECKING:
    from meddojo.store.database import Database

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class EpssPoint:
    """A past EPSS score that the store remembers."""

    cve: str
    day: date
    probability: float


@dataclass(frozen=True, slots=True)
class FeedState:
    """How a feed stood in the store it comes from.

    Attributes
    ----------
    notes
        What else belongs to it: the EPSS model, and since when.
    """

    name: str
    cursor: str | None
    last_attempt: datetime | None
    last_success: datetime | None
    problem: str = ""
    skipped: int = 0
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Kind:
    """Where records of one kind are kept, and in which order they are handed out."""

    record: type
    table: Table
    order: tuple[str, ...]


_KINDS: Mapping[str, _Kind] = {
    "advisory": _Kind(Advisory, schema.advisory, ("namespace", "id")),
    "vulnerability": _Kind(Vulnerability, schema.vulnerability, ("id",)),
    "kev": _Kind(KevEntry, schema.kev, ("cve",)),
    "epss": _Kind(EpssScore, schema.epss, ("cve",)),
    "threat": _Kind(Threat, schema.threat, ("id",)),
    "threat_relation": _Kind(ThreatRelation, schema.threat_relation, ("id",)),
}
_HISTORY = "epss_point"
_MODEL = "epss_model"
KINDS = (*_KINDS, _HISTORY)


class TransferShelf:
    """Feeds as a whole."""

    def __init__(self, database: Database, records: RecordShelf) -> None:
        self._database = database
        self._records = records

    def feeds(self) -> tuple[FeedState, ...]:
        """Every feed the store knows, by name."""
        with self._database.read() as connection:
            rows = connection.execute(select(schema.source).order_by(schema.source.c.name)).all()
            holders = set(connection.execute(select(schema.epss.c.source).distinct()).scalars())
            of_model = select(schema.meta.c.value).where(schema.meta.c.key == _MODEL)
            model = connection.execute(of_model).scalar()
        return tuple(
            FeedState(
                row.name,
                row.cursor,
                row.last_attempt,
                row.last_success,
                row.problem or "",
                row.skipped or 0,
                {_MODEL: model} if model and row.name in holders else {},
            )
            for row in rows
        )

    def kinds_of(self, feed: str) -> tuple[str, ...]:
        """The kinds of records the feed has."""
        with self._database.read() as connection:
            found = [
                name
                for name, kind in _KINDS.items()
                if connection.execute(select(func.count()).where(kind.table.c.source == feed)).scalar()
            ]
        return (*found, _HISTORY) if "epss" in found else tuple(found)

    def lines(self, feed: str, kind: str) -> Iterator[str]:
        """The feed's records of one kind as JSON, always in the same order."""
        place = _KINDS.get(kind)
        table = place.table if place else schema.epss_point
        order = [table.c[name] for name in (place.order if place else ("cve", "day"))]
        statement = select(table).order_by(*order)
        if place:
            statement = statement.where(table.c.source == feed)
        with self._database.read() as connection:
            for row in connection.execution_options(yield_per=_BATCH).execute(statement):
                yield row.body if "body" in table.c else to_json(_without_body(kind, row))

    def restore(self, state: FeedState, members: Iterable[tuple[str, Iterable[str]]], keys_of: KeysOf) -> int:
        """Take in all records of a feed and how it stood, in one transaction.

        Parameters
        ----------
        members
            Pairs of kind and lines, as `lines` gave them.

        Returns
        -------
        int
            How many advisories, vulnerabilities and threats are new or changed.

        Raises
        ------
        InputError
            If a line is no record of its kind; nothing of the feed is kept then.
        """
        changed = 0
        with self._database.write() as connection:
            for kind, lines in members:
                present: set[str] = set()
                remaining = iter(lines)
                while batch := list(islice(remaining, _BATCH)):
                    records = [_read(state.name, kind, line) for line in batch]
                    if kind == _HISTORY:
                        self._database.upsert(connection, schema.epss_point, [_point_row(each) for each in records])
                    else:
                        changed += self._records.keep(connection, state.name, records, keys_of)
                    present |= {entry.cve for entry in records if isinstance(entry, KevEntry)}
                if present:
                    retire_kev(connection, state.name, present)
            row = {
                "name": state.name,
                "cursor": state.cursor,
                "last_attempt": state.last_attempt,
                "last_success": state.last_success,
                "problem": state.problem,
                "skipped": state.skipped,
            }
            self._database.upsert(connection, schema.source, [row])
            if _MODEL in state.notes:
                note = {"key": _MODEL, "value": state.notes[_MODEL]}
                self._database.upsert(connection, schema.meta, [note])
        return changed


def _without_body(kind: str, row: Any) -> EpssScore | EpssPoint:
    if kind == _HISTORY:
        return EpssPoint(row.cve, row.day, row.probability)
    return EpssScore(row.cve, row.probability, row.percentile, row.day)


def _point_row(point: EpssPoint) -> dict[str, Any]:
    return {"cve": point.cve, "day": point.day, "probability": point.probability}


def _read(feed: str, kind: str, line: str) -> Any:
    place = _KINDS.get(kind)
    try:
        record: Record | EpssPoint = from_json(place.record if place else EpssPoint, line)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = "/".join(str(part) for part in first["loc"])
        raise InputError(f"{feed}/{kind}", where, first["msg"], "the bundle was made by another version") from None
    reason = "" if isinstance(record, EpssPoint) else unstorable(record)
    if reason:
        raise InputError(f"{feed}/{kind}", "", reason, "make the bundle anew with `meddojo bundle export`")
    return record
