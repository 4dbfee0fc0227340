"""Findings, how their streams stand, and people's decisions about them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, delete, select, update

from meddojo.finding import Decision, Finding, Stream, Verdict
from meddojo.serialise import from_json, to_json
from meddojo.store import schema
from meddojo.store.chunks import chunks

if TYPE_CHECKING:
    from meddojo.store.database import Database


@dataclass(frozen=True, slots=True)
class Change:
    """What saving a stream's findings changed."""

    new: int = 0
    changed: int = 0
    gone: int = 0

    def __add__(self, other: Change) -> Change:
        return Change(self.new + other.new, self.changed + other.changed, self.gone + other.gone)


@dataclass(frozen=True, slots=True)
class StreamState:
    """How one stream of a device stands.

    Attributes
    ----------
    trusted_findings, trusted_version
        Size of the stream, and version of the device, when it was last judged without doubt.
    doubt
        Why its present findings may be too few; empty when they are trusted.
    """

    trusted_findings: int
    trusted_version: str
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the road; `finished` and `exit_code` are None until it ended."""

    started: datetime
    finished: datetime | None
    exit_code: int | None
    summary: str


class FindingShelf:
    """The present findings of every device, with those that have gone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def replace(
        self, device_id: str, findings: Sequence[Finding], states: Mapping[Stream, StreamState], now: datetime
    ) -> Change:
        """Make `findings` the device's present ones; those no longer among them are marked gone, not deleted."""
        table = schema.finding
        new = {finding.identity: finding for finding in findings}
        with self._database.write() as connection:
            statement = select(table.c.identity, table.c.digest, table.c.gone_since, table.c.first_seen)
            known = {row.identity: row for row in connection.execute(statement.where(table.c.device_id == device_id))}
            rows, added, changed = [], 0, 0
            for identity, finding in new.items():
                body = to_json(finding)
                digest = hashlib.sha256(body.encode()).hexdigest()
                before = known.get(identity)
                if before is not None and before.digest == digest and before.gone_since is None:
                    continue
                added += before is None or before.gone_since is not None
                changed += before is not None and before.gone_since is None
                rows.append(
                    {
                        "identity": identity,
                        "device_id": device_id,
                        "stream": finding.stream.value,
                        "first_seen": before.first_seen if before is not None else now,
                        "last_changed": now,
                        "gone_since": None,
                        "digest": digest,
                        "body": body,
                    }
                )
            self._database.upsert(connection, table, rows)
            gone = [name for name, row in known.items() if name not in new and row.gone_since is None]
            for start in range(0, len(gone), 400):
                chosen = table.c.identity.in_(gone[start : start + 400])
                connection.execute(update(table).where(chosen).values(gone_since=now))
            self._database.upsert(
                connection,
                schema.stream_state,
                [{"device_id": device_id, "stream": stream.value, **asdict(state)} for stream, state in states.items()],
            )
        return Change(added, changed, len(gone))

    def of_device(self, device_id: str, *, with_gone: bool = False) -> tuple[Finding, ...]:
        """The device's findings, by stream and check."""
        table = schema.finding
        statement = select(table.c.body).where(table.c.device_id == device_id)
        if not with_gone:
            statement = statement.where(table.c.gone_since.is_(None))
        with self._database.read() as connection:
            bodies = connection.execute(statement).scalars().all()
        findings = (from_json(Finding, body) for body in bodies)
        return tuple(sorted(findings, key=_order))

    def first_seen(self, device_id: str) -> Mapping[str, datetime]:
        """When each of the device's findings was first seen, by identity."""
        table = schema.finding
        statement = select(table.c.identity, table.c.first_seen).where(table.c.device_id == device_id)
        with self._database.read() as connection:
            return {row.identity: row.first_seen for row in connection.execute(statement)}

    def known_as(self, device_id: str) -> Mapping[str, str]:
        """Every alias ever used on the device -> the check it was found under."""
        return self.known_as_each([device_id])[device_id]

    def known_as_each(self, device_ids: Collection[str]) -> Mapping[str, Mapping[str, str]]:
        """The same for each of several devices."""
        table = schema.finding
        found: dict[str, list[Finding]] = {device_id: [] for device_id in device_ids}
        with self._database.read() as connection:
            for chunk in chunks(device_ids):
                statement = select(table.c.device_id, table.c.body).where(table.c.device_id.in_(chunk))
                for row in connection.execute(statement):
                    found[row.device_id].append(from_json(Finding, row.body))
        return {device_id: _names(sorted(findings, key=_order)) for device_id, findings in found.items()}

    def stream_states(self, device_id: str) -> Mapping[Stream, StreamState]:
        """How each stream of the device stood when it was last judged."""
        table = schema.stream_state
        with self._database.read() as connection:
            rows = connection.execute(select(table).where(table.c.device_id == device_id)).all()
        return {Stream(row.stream): StreamState(row.trusted_findings, row.trusted_version, row.doubt) for row in rows}

    def keep_decisions(self, sink: str, device_ids: Iterable[str], decisions: Iterable[Decision]) -> None:
        """Replace what people decided in `sink` about the findings of `device_ids`."""
        rows = [
            {
                "sink": sink,
                "identity": decision.identity,
                "verdict": decision.verdict.value,
                "reference": decision.reference,
                "decided": decision.decided,
                "justification": decision.justification,
            }
            for decision in decisions
        ]
        table, finding = schema.decision, schema.finding
        devices = list(device_ids)
        with self._database.write() as connection:
            for start in range(0, len(devices), 400):
                chosen = finding.c.device_id.in_(devices[start : start + 400])
                about = select(finding.c.identity).where(chosen)
                connection.execute(delete(table).where(table.c.sink == sink, table.c.identity.in_(about)))
            self._database.upsert(connection, table, rows)

    def decisions(self, device_id: str | None = None) -> tuple[Decision, ...]:
        """What people decided, about one device's findings or all."""
        if device_id is not None:
            return self.decisions_each([device_id])[device_id]
        table = schema.decision
        with self._database.read() as connection:
            rows = connection.execute(select(table).order_by(table.c.identity, table.c.sink)).all()
        return tuple(_decision(row) for row in rows)

    def decisions_each(self, device_ids: Collection[str]) -> Mapping[str, tuple[Decision, ...]]:
        """What people decided, about the findings of each of several devices."""
        table, finding = schema.decision, schema.finding
        found: dict[str, list[Decision]] = {device_id: [] for device_id in device_ids}
        with self._database.read() as connection:
            for chunk in chunks(device_ids):
                statement = select(table, finding.c.device_id).order_by(table.c.identity, table.c.sink)
                statement = statement.join(finding, finding.c.identity == table.c.identity)
                for row in connection.execute(statement.where(finding.c.device_id.in_(chunk))):
                    found[row.device_id].append(_decision(row))
        return {device_id: tuple(decisions) for device_id, decisions in found.items()}

    def begin_run(self, started: datetime) -> None:
        """Write down that a run is under way."""
        with self._database.write() as connection:
            self._database.upsert(connection, schema.run, [{"started": started, "summary": ""}])

    def end_run(self, started: datetime, finished: datetime, exit_code: int, summary: str) -> None:
        """Write down how a run ended."""
        row = {"started": started, "finished": finished, "exit_code": exit_code, "summary": summary}
        with self._database.write() as connection:
            self._database.upsert(connection, schema.run, [row])

    def runs(self, limit: int = 10) -> tuple[Run, ...]:
        """The last runs, newest first; one without an end was killed or is under way."""
        table = schema.run
        statement = select(table).order_by(table.c.started.desc()).limit(limit)
        with self._database.read() as connection:
            return tuple(
                Run(row.started, row.finished, row.exit_code, row.summary) for row in connection.execute(statement)
            )


def _order(finding: Finding) -> tuple[str, str, str]:
    return finding.stream, finding.check, finding.component_key


def _names(findings: Sequence[Finding]) -> Mapping[str, str]:
    names = {alias: finding.check for finding in findings for alias in finding.aliases}
    return names | {finding.check: finding.check for finding in findings}


def _decision(row: Row[Any]) -> Decision:
    return Decision(row.identity, Verdict(row.verdict), row.sink, row.reference, row.decided, row.justification)
