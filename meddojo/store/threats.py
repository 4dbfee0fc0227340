"""Threat intelligence, and which of it concerns a device."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Table, delete, select

from meddojo.serialise import from_json, to_json
from meddojo.store import schema
from meddojo.store.chunks import chunks
from meddojo.threat import HEALTHCARE, Threat, ThreatRelation

if TYPE_CHECKING:
    from meddojo.device import Device
    from meddojo.store.database import Database

_MOST_RELATIONS = 2000
_SHORTEST_NAME = 3
_WORD = re.compile(r"[a-z0-9]+")
# Too many, and their texts are hashes and addresses.
_NAMELESS = ("indicator", "marking-definition")
_TELLING = ("uses", "attributed-to")

Context = tuple[tuple[Threat, ...], tuple[ThreatRelation, ...]]


def keep_threats(
    database: Database, connection: Connection, source: str, records: Iterable[Threat | ThreatRelation]
) -> int:
    """Keep the newest version of each object.

    A version that was revoked stays, so that no older one comes back; it is never handed out.

    Returns
    -------
    int
        How many are new or changed.
    """
    kept: dict[type, dict[str, Threat | ThreatRelation]] = {Threat: {}, ThreatRelation: {}}
    for record in records:
        other = kept[type(record)].get(record.id)
        if other is None or record.modified >= other.modified:
            kept[type(record)][record.id] = record
    threats = _keep(database, connection, schema.threat, source, kept[Threat])
    return threats + _keep(database, connection, schema.threat_relation, source, kept[ThreatRelation])


class ThreatShelf:
    """Threats and how they relate, of all sources."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # Texts that may name products, as words with blanks between them, while nothing newer is stored.
        self._texts: tuple[int, Mapping[str, str]] = (-1, {})

    def concerning(self, device: Device, cves: Collection[str]) -> Context:
        """Threats that name one of `cves`, healthcare or the device, with what they are said to do and to use.

        Two steps from the CVE or the sector: the malware that exploits it, and the techniques of that malware.
        """
        with self._database.read() as connection:
            if _version(connection) == 0:
                return (), ()
            about = _under(connection, cves)
            sector = _under(connection, [HEALTHCARE])
            named = self._naming(connection, device)
            ends = schema.threat_relation.c
            direct = _relations(connection, ends.id, about)
            direct |= _relations(connection, ends.source_id, about) | _relations(connection, ends.target_id, about)
            direct |= _relations(connection, ends.target_id, sector, ("targets",))
            actors = {each.source_id for each in direct.values()} | about | named
            further = _relations(connection, ends.source_id, actors, _TELLING)
            relations = direct | further
            wanted = about | sector | named | {end for each in relations.values() for end in _ends(each)}
            threats = _read(connection, schema.threat, Threat, schema.threat.c.id, wanted)
        present = {name: each for name, each in relations.items() if set(_ends(each)) <= threats.keys()}
        return tuple(threats[name] for name in sorted(threats)), tuple(present[name] for name in sorted(present))

    def _naming(self, connection: Connection, device: Device) -> set[str]:
        """Threats whose name or description names vendor and model of the device, each as whole words."""
        names = [" ".join(_WORD.findall(text.lower())) for text in (device.vendor, device.model)]
        if any(len(name) < _SHORTEST_NAME for name in names):
            return set()
        return {key for key, text in self._searchable(connection).items() if all(f" {name} " in text for name in names)}

    def _searchable(self, connection: Connection) -> Mapping[str, str]:
        table = schema.threat
        number = _version(connection)
        if self._texts[0] != number:
            statement = select(table.c.body).where(table.c.revoked.is_(False), table.c.kind.not_in(_NAMELESS))
            threats = (from_json(Threat, body) for body in connection.execute(statement).scalars())
            texts = {each.id: " ".join(_WORD.findall(f"{each.name} {each.description}".lower())) for each in threats}
            self._texts = (number, {key: f" {text} " for key, text in texts.items()})
        return self._texts[1]


def _keep(
    database: Database,
    connection: Connection,
    table: Table,
    source: str,
    records: Mapping[str, Threat | ThreatRelation],
) -> int:
    known = {
        row.id: (row.modified, row.digest)
        for names in chunks(records)
        for row in connection.execute(select(table.c.id, table.c.modified, table.c.digest).where(table.c.id.in_(names)))
    }
    rows = []
    for name, record in records.items():
        row = _row(source, record)
        if name not in known or (record.modified >= known[name][0] and row["digest"] != known[name][1]):
            rows.append(row)
    if not rows:
        return 0
    database.upsert(connection, table, rows)
    changed = [row["id"] for row in rows]
    key = schema.threat_key
    for names in chunks(changed):
        connection.execute(delete(key).where(key.c.id.in_(names)))
    pairs = [{"key": word, "id": name} for name in changed for word in _keys(records[name])]
    database.upsert(connection, key, pairs)
    database.upsert(connection, schema.meta, [{"key": "threat_version", "value": str(_version(connection) + 1)}])
    return len(rows)


def _version(connection: Connection) -> int:
    """How often threats were changed; 0 when there were never any."""
    version = connection.execute(select(schema.meta.c.value).where(schema.meta.c.key == "threat_version")).scalar()
    return int(version or 0)


def _row(source: str, record: Threat | ThreatRelation) -> dict[str, Any]:
    body = to_json(record)
    row = {
        "id": record.id,
        "source": source,
        "modified": record.modified,
        "revoked": record.revoked,
        "kind": record.kind,
        "digest": hashlib.sha256(body.encode()).hexdigest(),
        "body": body,
    }
    if isinstance(record, ThreatRelation):
        row |= {"source_id": record.source_id, "target_id": record.target_id}
    return row


def _keys(record: Threat | ThreatRelation) -> set[str]:
    """What a threat is found under: CVE ids, and the sector of hospitals."""
    sectors = record.sectors if isinstance(record, Threat) else ()
    return {*record.cves, *({HEALTHCARE} & set(sectors))}


def _under(connection: Connection, keys: Collection[str]) -> set[str]:
    table = schema.threat_key
    return {
        name
        for words in chunks(keys)
        for name in connection.execute(select(table.c.id).where(table.c.key.in_(words))).scalars()
    }


def _relations(
    connection: Connection, column: ColumnElement[Any], names: Collection[str], kinds: Collection[str] = ()
) -> dict[str, ThreatRelation]:
    return _read(connection, schema.threat_relation, ThreatRelation, column, names, kinds)


def _read(
    connection: Connection,
    table: Table,
    record: type[Any],
    column: ColumnElement[Any],
    names: Collection[str],
    kinds: Collection[str] = (),
) -> dict[str, Any]:
    """Objects that are not revoked, by id; a popular target has thousands of indicators, `_MOST_RELATIONS` suffice."""
    found: dict[str, Any] = {}
    for portion in chunks(sorted(names)):
        statement = select(table.c.id, table.c.body).where(column.in_(portion), table.c.revoked.is_(False))
        if kinds:
            statement = statement.where(table.c.kind.in_(kinds))
        for row in connection.execute(statement.order_by(table.c.id).limit(_MOST_RELATIONS)):
            found[row.id] = from_json(record, row.body)
    return found


def _ends(relation: ThreatRelation) -> tuple[str, str]:
    return relation.source_id, relation.target_id
