"""The delivery ledger: what a sink was given, and under which names it knows it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from meddojo.finding import Stream
from meddojo.store import schema

if TYPE_CHECKING:
    from meddojo.store.database import Database


class DeliveryState(StrEnum):
    """Where a finding stands with a sink; CLOSED when it was closed because no source reports it any more."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class DeliveredFinding:
    """One finding as a sink has it.

    Attributes
    ----------
    remote_id
        The sink's own number for it; None until it is known.
    row
        The values last delivered: what a person changes shows as a difference from them.
    """

    identity: str
    state: DeliveryState
    remote_id: int | None
    row: Mapping[str, Any]


class Ledger:
    """What was delivered, by sink, device and stream."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def delivered(self, sink: str, device_id: str, stream: Stream) -> dict[str, DeliveredFinding]:
        """Findings of one stream the sink was given, by identity."""
        table = schema.delivered_finding
        statement = select(table).where(
            table.c.sink == sink, table.c.device_id == device_id, table.c.stream == stream.value
        )
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        return {
            row.identity: DeliveredFinding(row.identity, DeliveryState(row.state), row.remote_id, json.loads(row.row))
            for row in rows
        }

    def keep(self, sink: str, device_id: str, stream: Stream, findings: Iterable[DeliveredFinding]) -> None:
        """Write down how `findings` stand; others of the stream stay as they are."""
        rows = [
            {
                "sink": sink,
                "identity": finding.identity,
                "device_id": device_id,
                "stream": stream.value,
                "state": finding.state.value,
                "remote_id": finding.remote_id,
                "row": json.dumps(finding.row, sort_keys=True),
            }
            for finding in findings
        ]
        with self._database.write() as connection:
            self._database.upsert(connection, schema.delivered_finding, rows)

    def stream_remote_id(self, sink: str, device_id: str, stream: Stream) -> int | None:
        """The sink's own number for the stream (a DefectDojo test), if it was ever delivered."""
        table = schema.delivered_stream
        statement = select(table.c.remote_id).where(
            table.c.sink == sink, table.c.device_id == device_id, table.c.stream == stream.value
        )
        with self._database.read() as connection:
            return connection.execute(statement).scalar()

    def keep_stream(self, sink: str, device_id: str, stream: Stream, remote_id: int | None, now: datetime) -> None:
        """Write down under which number the sink keeps the stream."""
        row = {
            "sink": sink,
            "device_id": device_id,
            "stream": stream.value,
            "remote_id": remote_id,
            "delivered": now,
        }
        with self._database.write() as connection:
            self._database.upsert(connection, schema.delivered_stream, [row])

    def streams(self, sink: str) -> dict[tuple[str, Stream], int | None]:
        """Every stream ever delivered to the sink, with the sink's number for it."""
        table = schema.delivered_stream
        statement = select(table.c.device_id, table.c.stream, table.c.remote_id).where(table.c.sink == sink)
        with self._database.read() as connection:
            return {(row.device_id, Stream(row.stream)): row.remote_id for row in connection.execute(statement)}
