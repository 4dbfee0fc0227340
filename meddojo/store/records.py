"""What feeds said, and how each of them stands."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Table, bindparam, delete, func, select, tuple_

from meddojo.advisory import Advisory
from meddojo.interface import Record, SourceState
from meddojo.serialise import from_json, to_json
from meddojo.store import schema
from meddojo.store.chunks import chunks as _chunks
from meddojo.store.exploitation import keep_epss, keep_kev, prune_epss, read_epss, retire_kev
from meddojo.store.threats import keep_threats
from meddojo.threat import Threat, ThreatRelation
from meddojo.vulnerability import EpssScore, KevEntry, Vulnerability

if TYPE_CHECKING:
    from meddojo.store.database import Database

KeysOf = Callable[[Advisory | Vulnerability], Collection[str]]
"""Keys under which a record's products are found in the matching index."""

T = TypeVar("T")

_LONGEST_KEY = 300
_LONGEST_NAMES = {"id": 300, "namespace": 500, "cve": 50}
_PARSED_KEPT = 8192


def unstorable(record: Record) -> str:
    """Why the store cannot keep a record: a name too long for its index, or holding a NUL; empty if it can."""
    for field, limit in _LONGEST_NAMES.items():
        name = getattr(record, field, "")
        if len(name.encode("utf-8", "replace")) > limit:
            return f"{field} {name[:40]!r}… is longer than {limit} bytes"
        if "\0" in name:
            return f"{field} {name[:40]!r} holds a NUL character"
    return ""


@dataclass(frozen=True, slots=True)
class _Indexed:
    """Where records that name products live: their table, their kind in the index, and their scope column."""

    table: Table
    record: type
    kind: str
    scope: str


_ADVISORIES = _Indexed(schema.advisory, Advisory, "advisory", "namespace")
_VULNERABILITIES = _Indexed(schema.vulnerability, Vulnerability, "vulnerability", "source")
_COUNTED = (
    schema.advisory,
    schema.vulnerability,
    schema.kev,
    schema.epss,
    schema.threat,
    schema.threat_relation,
)


class RecordShelf:
    """Advisories, vulnerabilities, KEV and EPSS, by source."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # One advisory is part of the cases of many devices; by digest.
        self._parsed: dict[str, Any] = {}

    def commit(
        self,
        source: str,
        records: Sequence[Record],
        keys_of: KeysOf,
        cursor: str | None = None,
        present: Collection[str] | None = None,
    ) -> int:
        """Keep a batch of records and, in the same transaction, move the source's cursor.

        Parameters
        ----------
        present
            CVE ids of all KEV entries the source has: those not among them go. None when it did not say.

        Returns
        -------
        int
            How many advisories, vulnerabilities and threats are new or changed.
        """
        with self._database.write() as connection:
            changed = self.keep(connection, source, records, keys_of)
            if present is not None:
                retire_kev(connection, source, present)
            if cursor is not None:
                if any(_of(records, EpssScore)):
                    prune_epss(connection)
                self._database.upsert(connection, schema.source, [{"name": source, "cursor": cursor}])
        return changed

    def keep(self, connection: Connection, source: str, records: Sequence[Record], keys_of: KeysOf) -> int:
        """Keep records within a transaction of the caller; how many are new or changed, as of `commit`."""
        changed = self._keep(connection, source, _ADVISORIES, _of(records, Advisory), keys_of)
        changed += self._keep(connection, source, _VULNERABILITIES, _of(records, Vulnerability), keys_of)
        threats = (record for record in records if isinstance(record, Threat | ThreatRelation))
        changed += keep_threats(self._database, connection, source, threats)
        keep_kev(self._database, connection, source, _of(records, KevEntry))
        keep_epss(self._database, connection, source, _of(records, EpssScore))
        return changed

    def cursor(self, source: str) -> str | None:
        """Where the source's next update starts; None before the first."""
        with self._database.read() as connection:
            statement = select(schema.source.c.cursor).where(schema.source.c.name == source)
            return connection.execute(statement).scalar()

    def note_attempt(
        self, source: str, attempted: datetime, succeeded: bool, problem: str = "", skipped: int = 0
    ) -> None:
        """Remember how an update ended."""
        row: dict[str, Any] = {"name": source, "last_attempt": attempted, "problem": problem, "skipped": skipped}
        if succeeded:
            row["last_success"] = attempted
        with self._database.write() as connection:
            self._database.upsert(connection, schema.source, [row])

    def states(self) -> tuple[SourceState, ...]:
        """How every source stands, by name."""
        with self._database.read() as connection:
            counts: dict[str, int] = {}
            for table in _COUNTED:
                statement = select(table.c.source, func.count()).group_by(table.c.source)
                for name, number in connection.execute(statement):
                    counts[name] = counts.get(name, 0) + number
            rows = connection.execute(select(schema.source).order_by(schema.source.c.name)).all()
        return tuple(
            SourceState(
                row.name,
                counts.get(row.name, 0),
                row.last_attempt,
                row.last_success,
                row.problem or "",
                row.skipped or 0,
            )
            for row in rows
        )

    def reindex(self, version: int, keys_of: KeysOf) -> bool:
        """Rebuild the matching index if it was made by another `version` of the keys; True if it was."""
        with self._database.write() as connection:
            statement = select(schema.meta.c.value).where(schema.meta.c.key == "index_version")
            if connection.execute(statement).scalar() == str(version):
                return False
            connection.execute(delete(schema.product_key))
            for place in (_ADVISORIES, _VULNERABILITIES):
                for row in connection.execute(select(place.table)).all():
                    record: Any = from_json(place.record, row.body)
                    rows = _key_rows(place, getattr(row, place.scope), row.id, keys_of(record))
                    self._database.upsert(connection, schema.product_key, rows)
            self._database.upsert(connection, schema.meta, [{"key": "index_version", "value": str(version)}])
        return True

    def advisories_naming(self, wanted: Sequence[Collection[str]]) -> list[tuple[Advisory, ...]]:
        """Advisories that name a product known under one of the keys, for each of several sets of keys."""
        return self._naming(_ADVISORIES, wanted)

    def vulnerabilities_naming(self, wanted: Sequence[Collection[str]]) -> list[tuple[Vulnerability, ...]]:
        """Vulnerabilities that name a product known under one of the keys, for each of several sets of keys."""
        return self._naming(_VULNERABILITIES, wanted)

    def vulnerabilities_called(self, identifiers: Collection[str]) -> tuple[Vulnerability, ...]:
        """Vulnerabilities by their own identifiers, of every source, in order of source and id."""
        table = schema.vulnerability
        records: dict[tuple[str, str], Vulnerability] = {}
        with self._database.read() as connection:
            for chunk in _chunks(identifiers):
                for row in connection.execute(select(table).where(table.c.id.in_(chunk))):
                    records[row.source, row.id] = self._parse(Vulnerability, row.digest, row.body)
        return tuple(records[name] for name in sorted(records))

    def vulnerabilities_modified(self, since: datetime, limit: int) -> tuple[Vulnerability, ...]:
        """At most `limit` vulnerabilities their source changed at or after `since`, the latest first."""
        table = schema.vulnerability
        statement = (
            select(table.c.body).where(table.c.dated >= since).order_by(table.c.dated.desc(), table.c.id).limit(limit)
        )
        with self._database.read() as connection:
            return tuple(from_json(Vulnerability, body) for body in connection.execute(statement).scalars())

    def kev(self, cves: Collection[str]) -> dict[str, KevEntry]:
        """KEV entries of those `cves` that have one."""
        table = schema.kev
        with self._database.read() as connection:
            return {
                row.cve: from_json(KevEntry, row.body)
                for chunk in _chunks(cves)
                for row in connection.execute(select(table).where(table.c.cve.in_(chunk)))
            }

    def epss(self, cves: Collection[str], as_of: date | None = None) -> dict[str, EpssScore]:
        """EPSS scores of those `cves` that have one, with what they were `EPSS_WINDOW` before `as_of`."""
        with self._database.read() as connection:
            return read_epss(connection, cves, as_of)

    def _keep(
        self,
        connection: Connection,
        source: str,
        place: _Indexed,
        records: Iterable[Advisory | Vulnerability],
        keys_of: KeysOf,
    ) -> int:
        scope = place.table.c[place.scope]
        rows = {}
        for record in records:
            owner = record.namespace if isinstance(record, Advisory) else source
            body = to_json(record)
            row: dict[str, Any] = {place.scope: owner, "id": record.id, "source": source, "body": body}
            row["digest"] = _digest(body)
            row["dated"] = record.updated if isinstance(record, Advisory) else record.modified
            rows[owner, record.id] = (row, record)
        known: dict[tuple[str, str], tuple[str, datetime | None]] = {}
        for names in _chunks([name for _, name in rows]):
            statement = select(scope, place.table.c.id, place.table.c.digest, place.table.c.dated)
            found = connection.execute(statement.where(place.table.c.id.in_(names)))
            known |= {(row[0], row[1]): (row[2], row[3]) for row in found}
        changed = {key: value for key, value in rows.items() if _replaces(value[0], known.get(key))}
        self._database.upsert(connection, place.table, [row for row, _ in changed.values()])
        replaced = [{"its_scope": key[0], "its_id": key[1]} for key in changed if key in known]
        if replaced:
            # One by one: SQLite does not use the index for a list of pairs.
            keys = schema.product_key.c
            owned = (keys.kind == place.kind, keys.scope == bindparam("its_scope"), keys.id == bindparam("its_id"))
            connection.execute(delete(schema.product_key).where(*owned), replaced)
        index = [
            row for key, (_, record) in changed.items() for row in _key_rows(place, key[0], key[1], keys_of(record))
        ]
        self._database.upsert(connection, schema.product_key, index)
        return len(changed)

    def _naming(self, place: _Indexed, wanted: Sequence[Collection[str]]) -> list[tuple[Any, ...]]:
        """For each set of keys the records that name a product known under one of them, in order of scope and id."""
        index, table = schema.product_key.c, place.table.c
        clipped = [{key[:_LONGEST_KEY] for key in keys} for keys in wanted]
        named: dict[str, list[tuple[str, str]]] = {}
        digests: dict[tuple[str, str], str] = {}
        with self._database.read() as connection:
            for chunk in _chunks(set().union(*clipped)):
                statement = (
                    select(index.key, index.scope, index.id, table.digest)
                    .where(index.kind == place.kind, index.key.in_(chunk))
                    .where(table[place.scope] == index.scope, table.id == index.id)
                )
                for row in connection.execute(statement):
                    named.setdefault(row.key, []).append((row.scope, row.id))
                    digests[row.scope, row.id] = row.digest
            records = self._read(connection, place, digests)
        names = [{name for key in keys for name in named.get(key, ())} for keys in clipped]
        return [tuple(records[name] for name in sorted(each & records.keys())) for each in names]

    def _read(
        self, connection: Connection, place: _Indexed, digests: Mapping[tuple[str, str], str]
    ) -> dict[tuple[str, str], Any]:
        """The records of these scopes and ids, as far as they are still there."""
        table = place.table.c
        scope = table[place.scope]
        found = {name: self._parsed[digest] for name, digest in digests.items() if digest in self._parsed}
        for names in _chunks([name for name in digests if name not in found]):
            statement = select(scope, table.id, table.digest, table.body).where(tuple_(scope, table.id).in_(names))
            for row in connection.execute(statement):
                found[row[0], row.id] = self._parse(place.record, row.digest, row.body)
        return found

    def _parse(self, kind: type, digest: str, body: str) -> Any:
        """Parse a record once for all devices it may concern."""
        if digest not in self._parsed:
            if len(self._parsed) >= _PARSED_KEPT:
                self._parsed.clear()
            self._parsed[digest] = from_json(kind, body)
        return self._parsed[digest]


def _replaces(row: Mapping[str, Any], known: tuple[str, datetime | None] | None) -> bool:
    """Whether a record is new, or other than the one known and not an older revision of it."""
    if known is None:
        return True
    digest, dated = known
    older = dated is not None and row["dated"] is not None and row["dated"] < dated
    return row["digest"] != digest and not older


def _of(records: Iterable[Record], kind: type[T]) -> Iterator[T]:
    return (record for record in records if isinstance(record, kind))


def _key_rows(place: _Indexed, scope: str, name: str, keys: Collection[str]) -> list[dict[str, str]]:
    clipped = {key[:_LONGEST_KEY] for key in keys}
    return [{"key": key, "kind": place.kind, "scope": scope, "id": name} for key in sorted(clipped)]


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
