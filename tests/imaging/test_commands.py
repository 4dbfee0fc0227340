"""``meddojo imaging``: from nothing to a table, and what is said where something is missing."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from scheduler.cli import app
from scheduler.commands.imaging.training import ChangesName, LossName

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


def _run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["imaging", *map(str, arguments)])


@pytest.mark.parametrize("command", ["synthesize", "train", "evaluate"])
def test_each_explains_itself_with_an_example(command: str) -> None:
    done = _run(command, "--help")
    assert done.exit_code == 0 and f"meddojo imaging {command}" in done.stdout


def test_cases_are_made_with_the_reachable_c_index(tmp_path: Path) -> None:
    done = _run("synthesize", "--out", tmp_path / "cases", "--cases", 6, "--size", 32, "--slices", 1, "--json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["cases"] == 6 and 0.5 < found["reachable_c_index"] < 1
    again = _run("synthesize", "--out", tmp_path / "cases")
    assert again.exit_code == 2 and "is not empty" in again.stderr


def test_without_tensorflow_the_extra_is_named(
    tiny_cases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "tf_keras" else find(name))
    for arguments in (("train", "--out", tmp_path / "run"), ("evaluate", tmp_path)):
        done = _run(*arguments, "--data", tiny_cases)
        assert done.exit_code == 2 and "meddojo[imaging]" in done.stderr
    assert not list(tmp_path.iterdir())


def test_losses_are_those_there_are() -> None:
    from imaging.segmentation.losses import LOSSES

    assert {each.value for each in LossName} == set(LOSSES)


def test_changes_of_windows_are_those_there_are() -> None:
    from imaging.data.changes import CHANGES

    assert [each.value for each in ChangesName] == list(CHANGES)


def test_the_whole_road(keras: Any, tiny_cases: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    settings = "--size 16 --filters 2 --depth 2 --epochs 2 --steps 2 --batch 2 --folds 3".split()
    done = _run("train", "--data", tiny_cases, "--out", out, *settings)
    assert done.exit_code == 0, done.stderr
    assert "validation Dice" in done.stdout and "of 2: epoch 2" in done.stderr
    table = _run("evaluate", out, "--data", tiny_cases)
    assert table.exit_code == 0 and "best rule of the training" in table.stdout
    plain = json.loads(_run("evaluate", out, "--data", tiny_cases, "--json").stdout)
    assert plain["cases"] == 3 and plain["rules"][0]["threshold"] > 0


def test_a_network_that_cannot_be_is_wrong_usage(keras: Any, tiny_cases: Path, tmp_path: Path) -> None:
    done = _run("train", "--data", tiny_cases, "--out", tmp_path / "run", "--size", 30)
    assert done.exit_code == 2 and "multiple of 8" in done.stderr
    assert not (tmp_path / "run").exists()
