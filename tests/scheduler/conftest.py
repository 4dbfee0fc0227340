"""The example hospital, whole and cut down to a few devices: run once, copied for each test that goes on from there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from meddojo.config import load_config
from meddojo.finding import Finding, Stream
from meddojo.store import Store
from scheduler import pipeline
from scheduler.cli import app
from scheduler.console import Console
from scheduler.pipeline import Outcome

REPOSITORY = Path(__file__).parents[2]
GATEWAY = "infusion-gateway"
# A few devices tell as much as all, and are judged in a quarter of the time.
CHOSEN = (GATEWAY, "dicom-router", "telemetry-mx40", "petct-windows7", "ultrasound-logiq-100")
LEFT_OUT = shutil.ignore_patterns(".meddojo", "report")


@dataclass(frozen=True)
class Done:
    code: int
    stdout: str
    stderr: str

    @property
    def result(self) -> Any:
        return json.loads(self.stdout)

    @property
    def errors(self) -> list[str]:
        """Lines that tell of something that went wrong."""
        return [line for line in self.stderr.splitlines() if line.startswith(("error:", "warning:"))]


@dataclass(frozen=True)
class Hospital:
    """A copy of the example, with its store and report."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "meddojo.toml"

    @property
    def scan(self) -> Path:
        return self.folder / "scans" / "infusion-gateway.grype.json"

    def run(self, **options: bool) -> Outcome:
        config = load_config(self.config, {})
        with Store(config.store.url) as store:
            return pipeline.run(config, store, Console(-1), **options)

    def cli(self, command: str, *arguments: str | Path) -> Done:
        """The command in this process: what it prints and returns."""
        words = [command, *map(str, arguments), "--config", str(self.config)]
        done = CliRunner().invoke(app, words)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        assert not _a_fault_of_ours(done.stderr), done.stderr
        return Done(done.exit_code, done.stdout, done.stderr)

    def command(self, *arguments: str | Path, **variables: str) -> Done:
        """The command as a process of its own, in the folder of the example."""
        words = [sys.executable, "-m", "scheduler.cli", *map(str, arguments)]
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY)} | variables
        done = subprocess.run(words, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        assert not _a_fault_of_ours(done.stderr), done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def store(self) -> Store:
        return Store(load_config(self.config, {}).store.url)

    def findings(self, device: str = GATEWAY, stream: Stream = Stream.VULNERABILITIES) -> dict[str, Finding]:
        """Present findings of one device and stream, by check."""
        with self.store() as store:
            found = store.findings.of_device(device)
        return {finding.check: finding for finding in found if finding.stream is stream}

    def rewrite(self, file: str | Path, change: Callable[[Any], Any]) -> None:
        """Replace a JSON document of the example by what `change` makes of it."""
        path = self.folder / file
        path.write_text(json.dumps(change(json.loads(path.read_text("utf-8")))), "utf-8")

    def replace(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text("utf-8")
        assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new), "utf-8")

    def contents(self) -> dict[str, Any]:
        """The store without its clock: what two runs that did the same have in common."""
        from sqlalchemy import create_engine, select

        from meddojo.store import schema

        clock = ("first_seen", "last_changed", "received", "delivered", "last_attempt", "last_success")
        engine = create_engine(load_config(self.config, {}).store.url)
        dump: dict[str, Any] = {}
        with engine.connect() as connection:
            for name, table in schema.metadata.tables.items():
                if name == "run":
                    continue
                rows = [dict(row._mapping) for row in connection.execute(select(table))]
                for row in rows:
                    row.update({key: row[key] is not None for key in clock if key in row})
                    if "cursor" in row:
                        row["cursor"] = without_times(row["cursor"] or "")
                dump[name] = sorted(rows, key=repr)
        engine.dispose()
        return dump

    def report(self) -> dict[str, str]:
        """The files of the report without the time they were written."""
        folder = self.folder / "report"
        return {file.name: without_times(file.read_text("utf-8")) for file in sorted(folder.iterdir())}


def _a_fault_of_ours(text: str) -> bool:
    return "Traceback" in text or "error: unexpected" in text


def without_times(text: str) -> str:
    """Text with today's date and everything behind it taken out."""
    from datetime import UTC, datetime

    today = datetime.now(UTC).strftime("%Y-%m-%d")
    return re.sub(rf"{today}(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|\+00:00)?)?", "NOW", text)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of the shell the tests are started from stay out."""
    for name in list(os.environ):
        is_setting = name.startswith(("MEDDOJO_", "DEFECTDOJO_")) and name != "MEDDOJO_TEST_POSTGRES_URL"
        if is_setting or name in ("CI", "FORCE_COLOR", "NO_COLOR"):
            monkeypatch.delenv(name)


def _copy(folder: Path, devices: tuple[str, ...] = ()) -> Hospital:
    shutil.copytree(REPOSITORY / "examples" / "hospital", folder, ignore=LEFT_OUT)
    if devices:
        _, *tables = (folder / "inventory.toml").read_text("utf-8").split("[[device]]")
        kept = [table for table in tables if table.split('"')[1] in devices]
        assert len(kept) == len(devices)
        (folder / "inventory.toml").write_text("".join(f"[[device]]{table}" for table in kept), "utf-8")
    return Hospital(folder)


@pytest.fixture(scope="session")
def whole_first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    whole = _copy(tmp_path_factory.mktemp("whole") / "copy")
    return whole.folder, whole.run()


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    few = _copy(tmp_path_factory.mktemp("few") / "copy", CHOSEN)
    return few.folder, few.run()


@pytest.fixture
def fresh(tmp_path: Path) -> Hospital:
    """A few devices of the example before their first run."""
    return _copy(tmp_path / "hospital", CHOSEN)


@pytest.fixture
def fresh_whole(tmp_path: Path) -> Hospital:
    """The whole example before its first run."""
    return _copy(tmp_path / "whole")


@pytest.fixture
def whole(tmp_path: Path, whole_first_run: tuple[Path, Outcome]) -> Hospital:
    """The whole example after its first run."""
    shutil.copytree(whole_first_run[0], tmp_path / "whole")
    return Hospital(tmp_path / "whole")


@pytest.fixture
def hospital(tmp_path: Path, first_run: tuple[Path, Outcome]) -> Hospital:
    """A few devices of the example after their first run."""
    shutil.copytree(first_run[0], tmp_path / "hospital")
    return Hospital(tmp_path / "hospital")
