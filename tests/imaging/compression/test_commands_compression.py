"""``meddojo imaging compress`` and ``benchmark`` on the command line."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from scheduler.cli import app

pytestmark = [
    pytest.mark.timeout(600),  # the first test of all waits until a network is compressed
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


def _run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["imaging", *map(str, arguments)])


@pytest.mark.parametrize("command", ["compress", "benchmark"])
def test_each_explains_itself_with_an_example(command: str) -> None:
    done = _run(command, "--help")
    assert done.exit_code == 0 and f"meddojo imaging {command}" in done.stdout


def test_from_a_run_to_a_table(tiny_run: Path, tiny_cases: Path, tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    out = tmp_path / "small"
    settings = "--prune 0 --json".split()
    done = _run("compress", tiny_run, "--data", tiny_cases, "--out", out, *settings)
    assert done.exit_code == 0, done.stderr
    assert set(json.loads(done.stdout)) == {"float/weights.npz", "float.tflite", "int8.tflite"}
    files = ("--csv", tmp_path / "t.csv", "--markdown", tmp_path / "t.md")
    table = _run("benchmark", out, "--data", tiny_cases, "--threads", "1", "--rounds", 2, *files)
    assert table.exit_code == 0, table.stderr
    assert "int8.tflite" in table.stdout and "times faster" in table.stdout and "3 test cases" in table.stdout
    assert (tmp_path / "t.csv").read_text().count("\n") == 4
    assert (tmp_path / "t.md").read_text().startswith("| network | file |")
    plain = json.loads(_run("benchmark", out, "--data", tiny_cases, "--rounds", 1, "--json").stdout)
    assert len(plain["rows"]) == 3 and {each["met"] for each in plain["claims"]} <= {True, False}
    together = _run("benchmark", out, "--data", tiny_cases, "--rounds", 1, "--folds")
    assert together.exit_code == 0 and "all, 3 test cases" in together.stdout
    again = _run("compress", tiny_run, "--data", tiny_cases, "--out", out, *settings)
    assert again.exit_code == 2 and "no empty folder" in again.stderr


def test_threads_that_are_none(tmp_path: Path, tiny_cases: Path) -> None:
    for text in ("0", "one", "1,,2", "65", "-1"):
        done = _run("benchmark", tmp_path, "--data", tiny_cases, f"--threads={text}")
        assert done.exit_code == 2 and "no list of numbers" in done.stderr


def test_a_folder_without_a_record_is_told(tmp_path: Path, tiny_cases: Path) -> None:
    done = _run("benchmark", tmp_path, "--data", tiny_cases)
    assert done.exit_code == 2 and "compression.json" in done.stderr


def test_without_tensorflow_the_extra_is_named(
    tiny_cases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "tf_keras" else find(name))
    done = _run("compress", tmp_path, "--data", tiny_cases, "--out", tmp_path / "out")
    assert done.exit_code == 2 and "meddojo[imaging]" in done.stderr
