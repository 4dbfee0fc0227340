"""VEX: what others stated, and the versions of what we state ourselves."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from meddojo.device import Device
from meddojo.serialise import from_json, to_json
from meddojo.store import schema
from meddojo.vex import VexDocument, VexStatement

if TYPE_CHECKING:
    from meddojo.store.database import Database

KeysOf = Callable[[VexDocument], Collection[str]]

_VALUES_PER_QUERY = 400
_LONGEST_KEY = 300
_LONGEST_NAME = 500


@dataclass(frozen=True, slots=True)
class VexIssue:
    """One version of the VEX of a device, counted from 1."""

    version: int
    issued: datetime
    summary: str


class VexShelf:
    """Documents of others, the newest of each, and the history of our own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # One document speaks about many devices; by digest.
        self._parsed: dict[str, VexDocument] = {}

    def keep(self, document: VexDocument, keys_of: KeysOf, received: datetime) -> bool:
        """Keep a document, in place of an earlier version; False if the one there is the same or newer."""
        body = to_json(document)
        digest = hashlib.sha256(body.encode()).hexdigest()
        parts = "\x1f".join((document.author, document.id, document.device_id))
        identity = hashlib.sha256(parts.encode()).hexdigest()
        table, keys = schema.vex_document, schema.vex_key
        with self._database.write() as connection:
            statement = select(table.c.digest, table.c.timestamp).where(table.c.identity == identity)
            known = connection.execute(statement).first()
            if known and (known.digest == digest or known.timestamp > document.timestamp):
                return False
            row = {
                "identity": identity,
                "device_id": document.device_id,
                "device_version": document.device_version,
                "author": document.author[:_LONGEST_NAME],
                "name": document.id[:_LONGEST_NAME],
                "timestamp": document.timestamp,
                "received": received,
                "digest": digest,
                "body": body,
            }
            self._database.upsert(connection, table, [row])
            connection.execute(delete(keys).where(keys.c.identity == identity))
            wanted = () if document.device_id else {key[:_LONGEST_KEY] for key in keys_of(document)}
            self._database.upsert(connection, keys, [{"key": key, "identity": identity} for key in sorted(wanted)])
        return True

    def statements(self, device: Device, keys: Collection[str]) -> tuple[VexStatement, ...]:
        """What may concern a device: documents a person named it for, at its version, and those that name `keys`."""
        table, index = schema.vex_document, schema.vex_key
        bodies: dict[str, str] = {}
        with self._database.read() as connection:
            own = select(table.c.digest, table.c.body).where(
                table.c.device_id == device.id, table.c.device_version == device.version
            )
            bodies |= {row.digest: row.body for row in connection.execute(own)} if device.id else {}
            clipped = sorted({key[:_LONGEST_KEY] for key in keys})
            for start in range(0, len(clipped), _VALUES_PER_QUERY):
                chunk = clipped[start : start + _VALUES_PER_QUERY]
                named = select(index.c.identity).where(index.c.key.in_(chunk))
                found = select(table.c.digest, table.c.body).where(table.c.identity.in_(named))
                bodies |= {row.digest: row.body for row in connection.execute(found)}
        return tuple(statement for digest in sorted(bodies) for statement in self._parse(digest, bodies[digest]))

    def documents(self) -> tuple[VexDocument, ...]:
        """Every document, by author and name."""
        table = schema.vex_document
        statement = select(table.c.digest, table.c.body).order_by(table.c.author, table.c.name, table.c.identity)
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        return tuple(from_json(VexDocument, row.body) for row in rows)

    def issue(self, device_id: str, content: str, dated: datetime, now: datetime, summary: str) -> tuple[VexIssue, ...]:
        """Versions of the device's own VEX up to the one with this content, which is new only if it differs.

        Parameters
        ----------
        content
            Everything the document says, without its own version and dates.
        dated
            The latest time in the content. A new version bears it if that is later than the one before, else `now`.
        """
        digest = hashlib.sha256(content.encode()).hexdigest()
        table = schema.vex_issue
        with self._database.write() as connection:
            statement = select(table).where(table.c.device_id == device_id).order_by(table.c.version)
            rows = connection.execute(statement).all()
            issues = tuple(VexIssue(row.version, row.issued, row.summary) for row in rows)
            if rows and rows[-1].digest == digest:
                return issues
            before = issues[-1].issued if issues else None
            issued = dated.replace(microsecond=0)
            if before is not None and issued <= before:
                issued = max(now.replace(microsecond=0), before + timedelta(seconds=1))
            new = VexIssue(len(issues) + 1, issued, summary)
            row = {
                "device_id": device_id,
                "version": new.version,
                "digest": digest,
                "issued": new.issued,
                "summary": new.summary,
            }
            self._database.upsert(connection, table, [row])
        return (*issues, new)

    def _parse(self, digest: str, body: str) -> Iterable[VexStatement]:
        if digest not in self._parsed:
            self._parsed[digest] = from_json(VexDocument, body)
        return self._parsed[digest].statements
