"""A run that is killed at any moment is mended by the next: nothing lost, nothing doubled."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scheduler.pipeline import Outcome
from tests.scheduler.conftest import CHOSEN, REPOSITORY, Hospital, _copy

# Runs `meddojo run` in a child of its own for each line read, and kills it after so many seconds. One run beforehand
# loads the programs, so that a random moment falls into the run and not into the loading.
RUNNER = """
import json, os, signal, sys, time
from scheduler.cli import app
try:
    app(["run", "--quiet", "--config", sys.argv[1]])
except SystemExit as end:
    assert end.code == 0
for line in sys.stdin:
    config, delay = json.loads(line)
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        app(["run", "--quiet", "--config", config])
    if delay is not None:
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)  # it may have ended, but nobody has waited for it yet
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(json.dumps([code, time.monotonic() - started]), flush=True)
"""


class Runner:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def run(self, config: Path, kill_after: float | None = None) -> tuple[int, float]:
        """Exit code (negative: the signal) and duration in seconds of one run."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps([str(config), kill_after]) + "\n")
        self.process.stdin.flush()
        code, seconds = json.loads(self.process.stdout.readline())
        return code, seconds


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    warm = _copy(tmp_path_factory.mktemp("warm") / "hospital", CHOSEN)
    pipe = subprocess.PIPE
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MEDDOJO_", "DEFECTDOJO_"))}
    environment["OMP_NUM_THREADS"] = (
        "1"  # threads of a library do not survive the fork, and their lock is never released
    )
    with subprocess.Popen(
        [sys.executable, "-c", RUNNER, str(warm.config)],
        cwd=REPOSITORY,
        env=environment,
        stdin=pipe,
        stdout=pipe,
        text=True,
        start_new_session=True,
    ) as process:
        yield Runner(process)
        assert process.stdin
        process.stdin.close()


Remains = tuple[dict[str, Any], dict[str, str]]
"""Contents of the store and of the report after a run from beginning to end."""


@pytest.fixture
def undisturbed(first_run: tuple[Path, Outcome]) -> Remains:
    calm = Hospital(first_run[0])
    return calm.contents(), calm.report()


@pytest.fixture
def undisturbed_whole(whole_first_run: tuple[Path, Outcome]) -> Remains:
    calm = Hospital(whole_first_run[0])
    return calm.contents(), calm.report()


def killed_again_and_again(hospital: Hospital, runner: Runner, kills: int, seed: int, undisturbed: Remains) -> None:
    """Start from nothing, kill `kills` runs, let one end, and compare."""
    moments = random.Random(seed)
    _, duration = runner.run(hospital.config)
    for folder in (".meddojo", "report"):
        shutil.rmtree(hospital.folder / folder)
    landed = 0
    for _ in range(kills * 20):
        code, took = runner.run(hospital.config, moments.uniform(0.0, duration))
        assert code in (0, -signal.SIGKILL)
        landed += code == -signal.SIGKILL
        duration = duration if code else took * 0.8  # what is done already makes a run shorter
        if landed == kills:
            break
    assert landed == kills
    assert runner.run(hospital.config)[0] == 0
    contents, report = undisturbed
    found = hospital.contents()
    for table in contents:
        assert found[table] == contents[table], table
    assert hospital.report() == report
    with hospital.store() as store:
        runs = store.findings.runs(100)
    assert runs[0].exit_code == 0 and len({run.started for run in runs}) == len(runs)


def test_ten_kills_leave_no_trace(fresh: Hospital, runner: Runner, undisturbed: Remains) -> None:
    killed_again_and_again(fresh, runner, 10, 1, undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 20))
def test_thirty_kills_in_ten_nights_leave_no_trace(
    fresh_whole: Hospital, runner: Runner, seed: int, undisturbed_whole: Remains
) -> None:
    killed_again_and_again(fresh_whole, runner, 3, seed, undisturbed_whole)


def test_the_report_is_whole_after_every_kill(hospital: Hospital, runner: Runner, undisturbed: Remains) -> None:
    moments = random.Random(3)
    _, duration = runner.run(hospital.config)
    for _ in range(3):
        runner.run(hospital.config, moments.uniform(duration * 0.5, duration))
        files = {name: text for name, text in hospital.report().items() if not name.startswith(".")}
        assert files == undisturbed[1]
