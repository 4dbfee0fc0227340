"""SBOMs and scan reports of devices: they count until newer ones replace them."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from meddojo.sbom import Sbom, ScanReport
from meddojo.serialise import from_json, to_json
from meddojo.store import schema

if TYPE_CHECKING:
    from meddojo.store.database import Database


_LONGEST_SCANNER = 100


class EvidenceShelf:
    """The newest SBOM of each device, and the newest report of each scanner on it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep_sbom(self, device_id: str, sbom: Sbom, received: datetime) -> bool:
        """Replace the device's SBOM; False if it is the one already there."""
        body = to_json(sbom)
        digest = hashlib.sha256(body.encode()).hexdigest()
        table = schema.sbom
        with self._database.write() as connection:
            known = connection.execute(select(table.c.digest).where(table.c.device_id == device_id)).scalar()
            if known == digest:
                return False
            row = {"device_id": device_id, "digest": digest, "received": received, "body": body}
            self._database.upsert(connection, table, [row])
        return True

    def sbom(self, device_id: str) -> Sbom | None:
        """The device's SBOM, if one was ever read."""
        table = schema.sbom
        with self._database.read() as connection:
            body = connection.execute(select(table.c.body).where(table.c.device_id == device_id)).scalar()
        return from_json(Sbom, body) if body else None

    def keep_scan(self, device_id: str, report: ScanReport, received: datetime) -> bool:
        """Replace the scanner's report on the device; False if the one there is as new or newer."""
        body = to_json(report)
        scanner = report.scanner[:_LONGEST_SCANNER]
        digest = hashlib.sha256(body.encode()).hexdigest()
        table = schema.scan
        with self._database.write() as connection:
            statement = select(table.c.digest, table.c.created)
            statement = statement.where(table.c.device_id == device_id, table.c.scanner == scanner)
            known = connection.execute(statement).first()
            if known and (known.digest == digest or known.created > report.created):
                return False
            row = {
                "device_id": device_id,
                "scanner": scanner,
                "digest": digest,
                "created": report.created,
                "received": received,
                "body": body,
            }
            self._database.upsert(connection, table, [row])
        return True

    def scans(self, device_id: str) -> tuple[ScanReport, ...]:
        """The newest report of every scanner on the device, by scanner name."""
        table = schema.scan
        statement = select(table.c.body).where(table.c.device_id == device_id).order_by(table.c.scanner)
        with self._database.read() as connection:
            bodies = connection.execute(statement).scalars().all()
        return tuple(from_json(ScanReport, body) for body in bodies)
