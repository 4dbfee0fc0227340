"""SBOMs and scan reports of devices: they count until newer ones replace them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from meddojo.sbom import Sbom, ScanReport
from meddojo.serialise import from_json, to_json
from meddojo.store import schema
from meddojo.store.chunks import chunks

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
        return self.sboms([device_id]).get(device_id)

    def sboms(self, device_ids: Collection[str]) -> dict[str, Sbom]:
        """The SBOMs of those devices that have one."""
        table = schema.sbom
        with self._database.read() as connection:
            return {
                row.device_id: from_json(Sbom, row.body)
                for chunk in chunks(device_ids)
                for row in connection.execute(select(table).where(table.c.device_id.in_(chunk)))
            }

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
        return self.scans_of([device_id]).get(device_id, ())

    def scans_of(self, device_ids: Collection[str]) -> dict[str, tuple[ScanReport, ...]]:
        """The same for each of several devices that have any."""
        table = schema.scan
        found: dict[str, tuple[ScanReport, ...]] = {}
        with self._database.read() as connection:
            for chunk in chunks(device_ids):
                statement = select(table).where(table.c.device_id.in_(chunk)).order_by(table.c.scanner)
                for row in connection.execute(statement):
                    found[row.device_id] = (*found.get(row.device_id, ()), from_json(ScanReport, row.body))
        return found
