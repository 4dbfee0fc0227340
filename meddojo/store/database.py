"""Opening the store, its transactions and its lock."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from meddojo.errors import ConfigError, TransientError
from meddojo.store import schema
from meddojo.store.evidence import EvidenceShelf
from meddojo.store.findings import FindingShelf
from meddojo.store.ledger import Ledger
from meddojo.store.records import RecordShelf

_ROWS_PER_STATEMENT = 500


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
    findings
        Findings, people's decisions about them, and runs.
    ledger
        What was delivered where.

    Raises
    ------
    ConfigError
        If the URL cannot be used, or the store was written by a newer version.
    """

    def __init__(self, url: str) -> None:
        self._url = _checked(url)
        self._engine = _connect(self._url)
        database = Database(self._engine)
        self._prepare(database)
        self.records = RecordShelf(database)
        self.evidence = EvidenceShelf(database)
        self.findings = FindingShelf(database)
        self.ledger = Ledger(database)

    def close(self) -> None:
        """Give every connection back."""
        self._engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold the right to write, alone among all processes that use this store.

        The operating system (SQLite) or the server (PostgreSQL) frees it when the holder dies.

        Raises
        ------
        TransientError
            If another process holds it.
        """
        holder = _lock_postgresql(self._engine, name) if self._is_postgresql else _lock_file(self._url, name)
        with holder:
            yield

    @property
    def _is_postgresql(self) -> bool:
        return self._engine.dialect.name == "postgresql"

    def _prepare(self, database: Database) -> None:
        try:
            schema.metadata.create_all(self._engine)
            with database.write() as connection:
                rows = connection.execute(select(schema.meta.c.value).where(schema.meta.c.key == "schema_version"))
                found = rows.scalar()
                if found is None:
                    database.upsert(
                        connection, schema.meta, [{"key": "schema_version", "value": str(schema.SCHEMA_VERSION)}]
                    )
        except DBAPIError as error:
            reason = str(error.orig).splitlines()[0]
            raise ConfigError(f"the store {_shown(self._url)} cannot be opened: {reason}", "check store.url") from None
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
        with self.engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for look-ups."""
        with self.engine.connect() as connection:
            yield connection

    def upsert(self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert `rows`, replacing those with the same primary key."""
        keys = [column.name for column in table.primary_key]
        for start in range(0, len(rows), _ROWS_PER_STATEMENT):
            batch = [dict(row) for row in rows[start : start + _ROWS_PER_STATEMENT]]
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
        engine = create_engine(url)
    except (ImportError, NoSuchModuleError):
        raise ConfigError(
            f"no driver for store.url {_shown(url)}", "install it with: pip install 'meddojo[postgres]'"
        ) from None
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
    return engine


def _configure_sqlite(connection: Any, _: object) -> None:
    # WAL: readers never wait for the writer, and a killed process leaves a consistent database.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}").close()


def _shown(url: URL) -> str:
    return url.render_as_string(hide_password=True)


@contextlib.contextmanager
def _lock_file(url: URL, name: str) -> Iterator[None]:
    import fcntl

    if not url.database or url.database == ":memory:":
        yield
        return
    path = Path(f"{url.database}.{name}.lock")
    with path.open("a+", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            holder = handle.read().strip() or "unknown"
            raise _held(name, f"process {holder}") from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield


@contextlib.contextmanager
def _lock_postgresql(engine: Engine, name: str) -> Iterator[None]:
    number = int.from_bytes(hashlib.sha256(f"meddojo:{name}".encode()).digest()[:8], signed=True)
    with engine.connect() as connection:
        if not connection.execute(text("SELECT pg_try_advisory_lock(:number)"), {"number": number}).scalar():
            raise _held(name, "another session of the database")
        connection.commit()
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": number})
            connection.commit()


def _held(name: str, holder: str) -> TransientError:
    return TransientError(
        f"another MedDojo {name} is under way ({holder})", "wait for it to end; the lock frees itself"
    )
