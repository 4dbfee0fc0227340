"""Tables of the store."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Boolean, Column, Date, DateTime, Float, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

SCHEMA_VERSION = 1

metadata = MetaData()


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC timestamps on both databases; SQLite itself forgets the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database."""
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """From the database."""
        if value is None:
            return None
        moment: datetime = value
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


# Facts about the store itself: schema version, version of the matching index.
meta = Table("meta", metadata, Column("key", String(50), primary_key=True), Column("value", Text, nullable=False))

# One row a feed: where it stands.
source = Table(
    "source",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("cursor", Text),
    Column("last_attempt", UtcDateTime),
    Column("last_success", UtcDateTime),
    Column("problem", Text, nullable=False, default=""),
    Column("skipped", Integer, nullable=False, default=0),
)

advisory = Table(
    "advisory",
    metadata,
    Column("namespace", String(500), primary_key=True),
    Column("id", String(300), primary_key=True),
    Column("source", String(100), nullable=False, index=True),
    Column("dated", UtcDateTime),
    Column("digest", String(64), nullable=False),
    Column("body", Text, nullable=False),
)

vulnerability = Table(
    "vulnerability",
    metadata,
    Column("source", String(100), primary_key=True),
    Column("id", String(300), primary_key=True, index=True),
    Column("dated", UtcDateTime),
    Column("digest", String(64), nullable=False),
    Column("body", Text, nullable=False),
)

# The matching index: which advisory or vulnerability names a product known under `key`.
product_key = Table(
    "product_key",
    metadata,
    Column("key", String(300), primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("scope", String(500), primary_key=True),
    Column("id", String(300), primary_key=True),
    Index("product_key_owner", "kind", "scope", "id"),
    sqlite_with_rowid=False,
)

kev = Table(
    "kev",
    metadata,
    Column("cve", String(50), primary_key=True),
    Column("source", String(100), nullable=False),
    Column("body", Text, nullable=False),
)

epss = Table(
    "epss",
    metadata,
    Column("cve", String(50), primary_key=True),
    Column("source", String(100), nullable=False),
    Column("probability", Float, nullable=False),
    Column("percentile", Float, nullable=False),
    Column("day", Date, nullable=False),
)

# Moves of EPSS scores, see `meddojo.store.exploitation`.
epss_point = Table(
    "epss_point",
    metadata,
    Column("cve", String(50), primary_key=True),
    Column("day", Date, primary_key=True, index=True),
    Column("probability", Float, nullable=False),
    sqlite_with_rowid=False,
)

threat = Table(
    "threat",
    metadata,
    Column("id", String(300), primary_key=True),
    Column("source", String(100), nullable=False, index=True),
    Column("kind", String(300), nullable=False),
    Column("modified", UtcDateTime, nullable=False),
    # A revoked object stays, so that an older version of it does not come back.
    Column("revoked", Boolean, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("body", Text, nullable=False),
)

threat_relation = Table(
    "threat_relation",
    metadata,
    Column("id", String(300), primary_key=True),
    Column("source", String(100), nullable=False, index=True),
    Column("kind", String(300), nullable=False),
    Column("source_id", String(300), nullable=False, index=True),
    Column("target_id", String(300), nullable=False, index=True),
    Column("modified", UtcDateTime, nullable=False),
    Column("revoked", Boolean, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("body", Text, nullable=False),
)

# What threats and relations are found under: CVE ids and sectors.
threat_key = Table(
    "threat_key",
    metadata,
    Column("key", String(300), primary_key=True),
    Column("id", String(300), primary_key=True, index=True),
    sqlite_with_rowid=False,
)

# Evidence about one device: the newest SBOM, and the newest report of each scanner.
sbom = Table(
    "sbom",
    metadata,
    Column("device_id", String(500), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("received", UtcDateTime, nullable=False),
    Column("body", Text, nullable=False),
)

scan = Table(
    "scan",
    metadata,
    Column("device_id", String(500), primary_key=True),
    Column("scanner", String(100), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("received", UtcDateTime, nullable=False),
    Column("body", Text, nullable=False),
)

# What is known of a device's imaging model: one look at its files, and the newest figure of each property.
imaging_model = Table(
    "imaging_model",
    metadata,
    Column("device_id", String(500), primary_key=True),
    Column("part", String(40), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("dated", UtcDateTime, nullable=False),
    Column("body", Text, nullable=False),
)

finding = Table(
    "finding",
    metadata,
    Column("identity", String(40), primary_key=True),
    Column("device_id", String(500), nullable=False),
    Column("stream", String(40), nullable=False),
    Column("first_seen", UtcDateTime, nullable=False),
    Column("last_changed", UtcDateTime, nullable=False),
    # Set when the finding no longer follows from the evidence; the row stays, so that its history does.
    Column("gone_since", UtcDateTime),
    Column("digest", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Index("finding_of_stream", "device_id", "stream"),
)

decision = Table(
    "decision",
    metadata,
    Column("sink", String(50), primary_key=True),
    Column("identity", String(40), primary_key=True),
    Column("verdict", String(40), nullable=False),
    Column("reference", Text, nullable=False),
    Column("decided", UtcDateTime),
    Column("justification", Text, nullable=False, default=""),
)

# The delivery ledger: one row a finding and sink, one row a stream of a device and sink.
delivered_finding = Table(
    "delivered_finding",
    metadata,
    Column("sink", String(50), primary_key=True),
    Column("identity", String(40), primary_key=True),
    Column("device_id", String(500), nullable=False),
    Column("stream", String(40), nullable=False),
    Column("state", String(20), nullable=False),
    Column("remote_id", Integer),
    Column("row", Text, nullable=False),
    Index("delivered_finding_of_stream", "sink", "device_id", "stream"),
)

delivered_stream = Table(
    "delivered_stream",
    metadata,
    Column("sink", String(50), primary_key=True),
    Column("device_id", String(500), primary_key=True),
    Column("stream", String(40), primary_key=True),
    Column("remote_id", Integer),
    Column("delivered", UtcDateTime, nullable=False),
)

# How each stream of a device stands: its last trusted size, against which a shrunken one is held, and any doubt.
stream_state = Table(
    "stream_state",
    metadata,
    Column("device_id", String(500), primary_key=True),
    Column("stream", String(40), primary_key=True),
    Column("trusted_findings", Integer, nullable=False),
    Column("trusted_version", Text, nullable=False),
    Column("doubt", Text, nullable=False),
)

# What others state (VEX), and which products their documents name; device_id is set where a person named it.
vex_document = Table(
    "vex_document",
    metadata,
    Column("identity", String(64), primary_key=True),
    Column("device_id", String(500), nullable=False, index=True),
    Column("device_version", Text, nullable=False),
    Column("author", String(500), nullable=False),
    Column("name", String(500), nullable=False),
    Column("timestamp", UtcDateTime, nullable=False),
    Column("received", UtcDateTime, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("body", Text, nullable=False),
)

vex_key = Table(
    "vex_key",
    metadata,
    Column("key", String(300), primary_key=True),
    Column("identity", String(64), primary_key=True, index=True),
)

# The versions of what we state ourselves, device by device.
vex_issue = Table(
    "vex_issue",
    metadata,
    Column("device_id", String(500), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("issued", UtcDateTime, nullable=False),
    Column("summary", Text, nullable=False),
)

run = Table(
    "run",
    metadata,
    Column("started", UtcDateTime, primary_key=True),
    Column("finished", UtcDateTime),
    Column("exit_code", Integer),
    Column("summary", Text, nullable=False, default=""),
)

# The schedule's ledger: one row a job and time it was due; the process that writes the row runs the job.
occurrence = Table(
    "occurrence",
    metadata,
    Column("job", String(100), primary_key=True),
    Column("scheduled", UtcDateTime, primary_key=True),
    Column("cron", String(200), nullable=False),
    Column("state", String(20), nullable=False),
    Column("holder", String(200), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("started", UtcDateTime),
    Column("finished", UtcDateTime),
    Column("exit_code", Integer),
    Column("note", Text, nullable=False),
)
