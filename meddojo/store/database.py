"""Opening the store, its transactions and its lock."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, inspect, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from meddojo.errors import ConfigError, TransientError
from meddojo.store import schema
from meddojo.store.evidence import EvidenceShelf
from meddojo.store.findings import FindingShelf
from meddojo.store.imaging_models import ImagingModelShelf
from meddojo.store.ledger import Ledger
from meddojo.store.records import RecordShelf
from meddojo.store.schedule import ScheduleShelf
from meddojo.store.threats import ThreatShelf
from meddojo.store.transfer import TransferShelf
from meddojo.store.vex import VexShelf

_ROWS_PER_STATEMENT = 500
# A server out of reach is noticed within half a minute, not within the two hours of the operating system.
_LOST_IN_SECONDS = {
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
# The same seen from the server: a machine that lost its power keeps no lock.
_FREED_IN_SECONDS = "SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"


class Store:
    """The database of one MedDojo installation.

    Parameters
    ----------
    url
        SQLAlchemy URL, ``sqlite:///path`` or ``postgresql+psycopg://user@host/name``.

    Attributes
    ----------
    records
        What feeds said: advisories, vulnerabilities, KEV, EPSS, and how each source stands.
    evidence
        SBOMs and scan reports of devices.
    imaging_models
        Files and measured properties of the models in devices.
    findings
        Findings, people's decisions about them, and runs.
    ledger
        What was delivered where.
    vex
        What others state about products, and versions of what we state.
    schedule
        Which job was due when, and who ran it.
    transfer
        All that a feed said, out of one store and into another.
    threats
        Threat intelligence that concerns a device.

    Raises
    ------
    ConfigError
        If the URL cannot be used, or the store was written by a newer version.
    """

    def __init__(self, url: str) -> None:
        self._url = _checked(url)
        self._engine = _connect(self._url)
        database = Database(self._engine)
        try:
            self._prepare(database)
        except ConfigError:
            self.close()
            raise
        self.records = RecordShelf(database)
        self.evidence = EvidenceShelf(database)
        self.imaging_models = ImagingModelShelf(database)
        self.findings = FindingShelf(database)
        self.ledger = Ledger(database)
        self.vex = VexShelf(database)
        self.schedule = ScheduleShelf(database)
        self.transfer = TransferShelf(database, self.records)
        self.threats = ThreatShelf(database)

    @property
    def engine(self) -> Engine:
        """For libraries that keep something of their own in the same database."""
        return self._engine

    def close(self) -> None:
        """Give every connection back."""
        self._engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[Callable[[], bool]]:
        """Hold the right to write, alone among all processes that use this store.

        The operating system (SQLite) or the server (PostgreSQL) frees it when the holder dies.

        Yields
        ------
        callable
            Whether it is still held: a server that was restarted, or is out of reach, has given it to others.

        Raises
        ------
        TransientError
            If another process holds it.
        """
        holder = _lock_postgresql(self._engine, name) if self._is_postgresql else _lock_file(self._url, name)
        with holder as still_held:
            yield still_held

    @property
    def _is_postgresql(self) -> bool:
        return self._engine.dialect.name == "postgresql"

    def _prepare(self, database: Database) -> None:
        try:
            _create_tables(self._engine)
            with self._engine.begin() as connection:
                rows = connection.execute(select(schema.meta.c.value).where(schema.meta.c.key == "schema_version"))
                found = rows.scalar()
                if found is None:
                    database.upsert(
                        connection, schema.meta, [{"key": "schema_version", "value": str(schema.SCHEMA_VERSION)}]
                    )
        except DBAPIError as error:
            raise ConfigError(
                f"the store {_shown(self._url)} cannot be opened: {_reason(error)}", "check store.url"
            ) from None
        if found is not None and int(found) > schema.SCHEMA_VERSION:
            raise ConfigError(
                f"the store {_shown(self._url)} was written by a newer MedDojo (schema {found})",
                "update MedDojo, or point store.url elsewhere",
            )


class Database:
    """Transactions and upserts that work alike on both databases."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: all or nothing."""
        with _failures_told(self.engine.url), self.engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for look-ups."""
        with _failures_told(self.engine.url), self.engine.connect() as connection:
            yield connection

    def insert_new(self, connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
        """Insert `row`; False if there is one with the same primary key."""
        dialect = postgresql if self.engine.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(table).values(dict(row)).on_conflict_do_nothing()
        return connection.execute(statement.returning(*table.primary_key)).first() is not None

    def upsert(self, connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        """Insert `rows`, replacing those with the same primary key."""
        keys = [column.name for column in table.primary_key]
        for start in range(0, len(rows), _ROWS_PER_STATEMENT):
            batch = list(rows[start : start + _ROWS_PER_STATEMENT])
            dialect = postgresql if self.engine.dialect.name == "postgresql" else sqlite
            statement = dialect.insert(table)
            changes = {name: statement.excluded[name] for name in batch[0] if name not in keys}
            if changes:
                connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes), batch)
            else:
                connection.execute(statement.on_conflict_do_nothing(index_elements=keys), batch)


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError(
            "store.url is not a database URL", "write sqlite:///meddojo.db or postgresql+psycopg://…"
        ) from None
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise ConfigError(f"store.url names {parsed.get_backend_name()!r}", "SQLite and PostgreSQL are supported")
    return parsed


def _connect(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite" and url.database:
        folder = Path(url.database).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"the store's folder {folder} cannot be made: {error.strerror}", "check store.url"
            ) from None
    try:
        is_server = url.get_backend_name() == "postgresql"
        engine = create_engine(url, connect_args=_LOST_IN_SECONDS if is_server else {}, pool_pre_ping=is_server)
    except (ImportError, NoSuchModuleError):
        raise ConfigError(
            f"no driver for store.url {_shown(url)}", "install it with: pip install 'meddojo[postgres]'"
        ) from None
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
    return engine


def _create_tables(engine: Engine) -> None:
    """Make the tables that are missing; what another process makes at the same moment is no error."""
    for _ in range(5):
        try:
            schema.metadata.create_all(engine)
            return
        except DBAPIError:
            if not inspect(engine).has_table(schema.meta.name):
                raise
            time.sleep(0.1)
    schema.metadata.create_all(engine)


@contextlib.contextmanager
def _failures_told(url: URL) -> Iterator[None]:
    """A full disk or a lost connection as one clear error; the transaction under way leaves nothing behind."""
    try:
        yield
    except DBAPIError as error:
        raise TransientError(
            f"the store {_shown(url)} failed: {_reason(error)}",
            "look at its disk space or its server; what was committed stays, the next run goes on from there",
        ) from None


def _reason(error: DBAPIError) -> str:
    return (str(error.orig).splitlines() or [type(error.orig).__name__])[0]


def _configure_sqlite(connection: Any, _: object) -> None:
    # 64 MiB of cache: the matching index is written to all over.
    for pragma in ("busy_timeout=30000", "synchronous=NORMAL", "cache_size=-65536"):
        connection.execute(f"PRAGMA {pragma}").close()
    # WAL: readers never wait for the writer, and a killed process leaves a consistent database.
    # The time-out does not hold here: of two that switch a new database to it at once, one fails.
    for attempt in range(50):
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or attempt == 49:
                raise
            time.sleep(0.1)


def _shown(url: URL) -> str:
    return url.render_as_string(hide_password=True)


@contextlib.contextmanager
def _lock_file(url: URL, name: str) -> Iterator[Callable[[], bool]]:
    import fcntl

    if not url.database or url.database == ":memory:":
        yield lambda: True
        return
    path = Path(f"{url.database}.{name}.lock")
    with path.open("a+", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _held(name, f"process {_holder(handle)}") from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        # Whoever finds no file makes another one, and locks that.
        yield lambda: path.exists() and path.stat().st_ino == os.fstat(handle.fileno()).st_ino


def _holder(handle: IO[str]) -> str:
    """Number of the process that has the lock: it is written a moment after the lock is taken."""
    for _ in range(20):
        handle.seek(0)
        if number := handle.read().strip():
            return number
        time.sleep(0.01)
    return "unknown"


@contextlib.contextmanager
def _lock_postgresql(engine: Engine, name: str) -> Iterator[Callable[[], bool]]:
    number = int.from_bytes(hashlib.sha256(f"meddojo:{name}".encode()).digest()[:8], signed=True)
    with _failures_told(engine.url), engine.connect() as connection:
        if not connection.execute(text("SELECT pg_try_advisory_lock(:number)"), {"number": number}).scalar():
            raise _held(name, "another session of the database")
        connection.execute(text(_FREED_IN_SECONDS))
        connection.commit()
        try:
            yield lambda: _answers(connection)
        finally:
            if _answers(connection):
                connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": number})
                connection.commit()


def _answers(connection: Connection) -> bool:
    """Whether a connection is alive, and with it the locks it holds."""
    try:
        connection.execute(text("SELECT 1"))
        connection.commit()
    except SQLAlchemyError:
        return False
    return not connection.invalidated


def _held(name: str, holder: str) -> TransientError:
    return TransientError(
        f"another MedDojo {name} is under way ({holder})", "wait for it to end; the lock frees itself"
    )
