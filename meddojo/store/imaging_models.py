"""What is known of imaging models, device by device: each part counts until a newer one replaces it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from meddojo.imaging_model import Figure, FileCheck, ModelInspection
from meddojo.serialise import from_json, to_json
from meddojo.store import schema
from meddojo.store.chunks import chunks

if TYPE_CHECKING:
    from meddojo.store.database import Database

_FILES = "files"


class ImagingModelShelf:
    """The newest look at the files of each device's model, and the newest figure of each of its properties.

    They are kept apart: a property that could not be measured this time keeps what was measured before.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep_files(self, device_id: str, check: FileCheck, checked: datetime) -> bool:
        """Replace what is known of the files; False if it is the same as before."""
        return self._keep(device_id, _FILES, to_json(check), checked)

    def keep_figure(self, device_id: str, figure: Figure) -> bool:
        """Replace the figure of a property; False if the one there is the same or newer."""
        return self._keep(device_id, figure.property.value, to_json(figure), figure.measured)

    def inspections(self, device_ids: Collection[str]) -> dict[str, ModelInspection]:
        """What is known of each of those devices whose model was ever looked at."""
        table = schema.imaging_model
        checks: dict[str, tuple[FileCheck, datetime]] = {}
        figures: dict[str, list[Figure]] = {}
        with self._database.read() as connection:
            for chunk in chunks(device_ids):
                statement = select(table).where(table.c.device_id.in_(chunk)).order_by(table.c.part)
                for row in connection.execute(statement):
                    if row.part == _FILES:
                        checks[row.device_id] = from_json(FileCheck, row.body), row.dated
                    else:
                        figures.setdefault(row.device_id, []).append(from_json(Figure, row.body))
        return {
            device_id: ModelInspection(check, checked, tuple(figures.get(device_id, ())))
            for device_id, (check, checked) in checks.items()
        }

    def _keep(self, device_id: str, part: str, body: str, dated: datetime) -> bool:
        digest = hashlib.sha256(body.encode()).hexdigest()
        table = schema.imaging_model
        with self._database.write() as connection:
            statement = select(table.c.digest, table.c.dated)
            known = connection.execute(statement.where(table.c.device_id == device_id, table.c.part == part)).first()
            if known and known.dated > dated:
                return False
            row = {"device_id": device_id, "part": part, "digest": digest, "dated": dated, "body": body}
            self._database.upsert(connection, table, [row])
        return known is None or known.digest != digest
