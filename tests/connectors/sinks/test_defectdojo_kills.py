"""The process is killed at random moments; the next run leaves the server as if nothing had happened."""

from __future__ import annotations

import multiprocessing
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.connectors.sinks.defectdojo_ward import run_command, write_day, write_hospital
from tests.standin import DefectDojoStandin

KILLS = int(os.environ.get("MEDDOJO_KILLS", "10"))
SEED = 20260
REPOSITORY = Path(__file__).resolve().parents[3]
UPLOAD_SECONDS = 0.05


class Running(Protocol):
    """A `meddojo run` that can be killed."""

    def kill(self) -> None: ...


Start = Callable[[Path, DefectDojoStandin], Running]
PROCESSES = multiprocessing.get_context("forkserver")


@pytest.fixture(scope="module", autouse=True)
def _preloaded() -> Iterator[None]:
    PROCESSES.set_forkserver_preload(["scheduler.pipeline", "scheduler.summary", "requests", "cvss", "jinja2"])
    yield
    # Private, but nothing public stops the server that forks.
    multiprocessing.forkserver._forkserver._stop()  # type: ignore[attr-defined]


def forked(folder: Path, dojo: DefectDojoStandin) -> Any:
    """The command in a forked process, which starts at once."""
    process = PROCESSES.Process(target=run_command, args=(["run", "-q"], str(folder), environment(dojo)))
    process.start()
    return process


def spawned(folder: Path, dojo: DefectDojoStandin) -> Any:
    """The command as a user starts it."""
    foreign = ("MEDDOJO_", "DEFECTDOJO_")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    variables |= {"PYTHONPATH": str(REPOSITORY), **environment(dojo)}
    command = [sys.executable, "-m", "scheduler.cli", "run", "-q"]
    return subprocess.Popen(command, cwd=folder, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def environment(dojo: DefectDojoStandin) -> dict[str, str]:
    return {"DEFECTDOJO_URL": dojo.url, "DEFECTDOJO_TOKEN": dojo.token}


def finish(process: Any) -> float:
    """Let it run to its end; how long that took, in seconds."""
    began = time.perf_counter()
    if isinstance(process, subprocess.Popen):
        code = process.wait(60)
    else:
        process.join(60)
        code = process.exitcode
    assert code == 0
    return time.perf_counter() - began


def await_end(process: Any) -> None:
    process.wait(60) if isinstance(process, subprocess.Popen) else process.join(60)


def history(folder: Path, dojo: DefectDojoStandin, start: Start, kills: int) -> list[dict[str, Any]]:
    """What the server shows after each of two days, each with half of the kills and then one run left alone."""
    dice = random.Random(SEED)
    dojo.upload_seconds = UPLOAD_SECONDS
    write_hospital(folder)
    snapshots, lasted = [], [0.5]
    for day in (1, 2):
        write_day(folder, day)
        for _ in range(kills // 2):
            process: Any = start(folder, dojo)
            time.sleep(dice.uniform(0.0, 1.1) * max(lasted))
            process.kill()
            await_end(process)
        lasted.append(finish(start(folder, dojo)))
        snapshots.append(dojo.snapshot())
        assert dojo.overlaps == 0
        assert not dojo.internal_errors
    return snapshots


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the server shows after each of two days on which nothing went wrong."""
    with DefectDojoStandin() as dojo:
        snapshots = history(tmp_path_factory.mktemp("undisturbed"), dojo, forked, 0)
        assert len(dojo.findings) == 11
        assert sum(not row["is_mitigated"] for row in dojo.findings) == 10
    return snapshots


def test_killed_at_random_moments(tmp_path: Path, undisturbed: list[dict[str, Any]]) -> None:
    with DefectDojoStandin() as dojo:
        found = history(tmp_path, dojo, forked, KILLS)
    assert found == undisturbed


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_at_thirty_random_moments(tmp_path: Path, undisturbed: list[dict[str, Any]]) -> None:
    with DefectDojoStandin() as dojo:
        found = history(tmp_path, dojo, spawned, max(KILLS, 30))
    assert found == undisturbed


# The import and the closing; every other request only reads, or may be sent twice.
@pytest.mark.parametrize("request_", [3, 6])
def test_killed_while_the_server_works(tmp_path: Path, undisturbed: list[dict[str, Any]], request_: int) -> None:
    """The server finishes what it was asked, and nobody is there to hear it."""
    write_hospital(tmp_path)
    with DefectDojoStandin() as dojo:
        finish(forked(tmp_path, dojo))
        write_day(tmp_path, 2)
        dojo.faults.add(("*", "/api/v2/"), "hang_after", seconds=0.3, skip=request_)
        process = forked(tmp_path, dojo)
        deadline = time.monotonic() + 30
        while dojo.faults.pending() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not dojo.faults.pending()
        time.sleep(0.05)
        process.kill()
        process.join()
        finish(forked(tmp_path, dojo))
        assert dojo.snapshot() == undisturbed[1]
        assert dojo.overlaps == 0
