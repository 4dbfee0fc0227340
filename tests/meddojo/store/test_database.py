from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from meddojo.errors import ConfigError, TransientError
from meddojo.store import Store
from meddojo.store.database import _holder
from meddojo.vulnerability import Vulnerability

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

HOLD = """
import sys, time
from meddojo.store import Store
from meddojo.store.database import _holder
with Store(sys.argv[1]) as store, store.lock("run"):
    print("held", flush=True)
    time.sleep(60)
"""

OPEN = """
import sys, time
from meddojo.store import Store
from meddojo.store.database import _holder
print("ready", flush=True)
sys.stdin.readline()
Store(sys.argv[1]).close()
"""


def python(code: str, url: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", code, url], stdin=pipe, stdout=pipe, stderr=pipe, text=True)


@contextmanager
def held_elsewhere(url: str) -> Iterator[subprocess.Popen[str]]:
    with python(HOLD, url) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        try:
            yield holder
        finally:
            holder.kill()


def test_what_is_written_is_there_after_opening_again(url: str) -> None:
    with Store(url) as store:
        store.findings.begin_run(NOW)
    with Store(url) as store:
        assert [run.started for run in store.findings.runs()] == [NOW]


def test_a_store_of_a_newer_version_is_refused_and_left_alone(url: str) -> None:
    with Store(url) as store:
        store.findings.begin_run(NOW)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE meta SET value = '999' WHERE key = 'schema_version'"))
    with pytest.raises(ConfigError, match=r"newer MedDojo \(schema 999\)") as caught:
        Store(url)
    assert "update MedDojo" in caught.value.hint
    with engine.connect() as connection:
        assert connection.execute(text("SELECT value FROM meta WHERE key = 'schema_version'")).scalar() == "999"
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "not a database URL"),
        ("meddojo.db", "not a database URL"),
        ("mysql://u:planted-password@h/x", "names 'mysql'"),
        ("postgresql+psycopg://u:planted-password@127.0.0.1:1/x", "cannot be opened: .*refused"),
        ("postgresql+nodriver://u:planted-password@h/x", "no driver"),
    ],
)
def test_an_address_that_leads_nowhere_is_told_without_its_password(url: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        Store(url)
    assert caught.value.hint and "planted-password" not in str(caught.value)


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"this is a letter, not a database\n" * 100)
    with pytest.raises(ConfigError, match="cannot be opened: file is not a database"):
        Store(f"sqlite:///{tmp_path}/store.db")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"folder .* cannot be made"):
        Store(f"sqlite:///{tmp_path}/file/store.db")


def test_several_processes_may_open_a_new_store_at_once(url: str) -> None:
    openers = [python(OPEN, url) for _ in range(2)]
    for opener in openers:
        assert opener.stdout
        assert opener.stdout.readline() == "ready\n"
    for opener in openers:
        assert opener.stdin
        opener.stdin.write("\n")
        opener.stdin.flush()
    assert [(opener.communicate()[1], opener.returncode) for opener in openers] == [("", 0)] * 2


def test_a_failing_database_is_one_clear_error_and_leaves_nothing_half_done(url: str, store: Store) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE product_key RENAME TO lost"))
    with pytest.raises(TransientError, match=r"the store .* failed: .*product_key") as caught:
        store.records.commit("nvd", [Vulnerability("CVE-2021-44228", "nvd")], lambda _: ["log4j"], "tomorrow")
    assert "disk space" in caught.value.hint
    assert store.records.cursor("nvd") is None
    assert store.records.vulnerabilities_called(["CVE-2021-44228"]) == ()
    engine.dispose()


def test_a_lock_keeps_a_second_holder_out_and_is_free_afterwards(url: str, store: Store) -> None:
    with Store(url) as other:
        with store.lock("run"):
            with pytest.raises(TransientError, match="another MedDojo run is under way"), other.lock("run"):
                pytest.fail("two at once")
            with other.lock("something else"):
                pass
        with other.lock("run"):
            pass


def test_a_lock_is_free_after_an_exception(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.lock("run"):
        _ = 1 / 0
    with store.lock("run"):
        pass


def test_a_lock_keeps_another_process_out_until_that_is_killed(url: str, store: Store) -> None:
    with held_elsewhere(url) as holder:
        with pytest.raises(TransientError, match="another MedDojo run is under way") as caught, store.lock("run"):
            pytest.fail("two at once")
        if url.startswith("sqlite"):
            assert f"(process {holder.pid})" in caught.value.message
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    for _ in range(100):  # the server needs a moment to see that its client is gone
        try:
            with store.lock("run"):
                return
        except TransientError:
            threading.Event().wait(0.05)
    pytest.fail("the lock of a dead process is still held")


def test_readers_see_whole_transactions_while_somebody_writes(url: str, store: Store) -> None:
    def revision(number: int) -> list[Vulnerability]:
        return [Vulnerability(f"CVE-2021-{10000 + index}", "nvd", str(number)) for index in range(20)]

    names = [record.id for record in revision(0)]
    store.records.commit("nvd", revision(0), lambda _: ["key"])
    seen: list[set[str]] = []
    done = threading.Event()

    def read() -> None:
        with Store(url) as other:
            while not done.is_set():
                seen.append({record.description for record in other.records.vulnerabilities_called(names)})

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(1, 26):
        store.records.commit("nvd", revision(number), lambda _: ["key"])
    done.set()
    for reader in readers:
        reader.join()
    assert len(seen) >= 3, "the readers did not get to read"
    assert all(len(descriptions) == 1 for descriptions in seen)


def test_the_tables_are_the_same_on_both_databases(url: str, store: Store) -> None:
    from meddojo.store import schema

    engine = create_engine(url)
    assert set(inspect(engine).get_table_names()) == set(schema.metadata.tables)
    engine.dispose()


def test_the_holder_of_a_lock_is_named_even_if_it_just_took_it(tmp_path: Path) -> None:
    path = tmp_path / "held"
    path.write_text("")
    with path.open("a+", encoding="utf-8") as handle:
        writing = threading.Timer(0.05, path.write_text, ["4711"])
        writing.start()
        assert _holder(handle) == "4711"
        writing.join()
