"""``meddojo imaging uncertainty`` and ``explain``: figures, table, and what is said where something is wrong."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from imaging.networks.config import NetworkConfig
from imaging.segmentation.record import read_run
from imaging.segmentation.settings import TrainingConfig
from imaging.segmentation.training import train
from imaging.uncertainty.regions import Region
from imaging.uncertainty.review import Score
from scheduler.cli import app
from scheduler.commands.imaging.uncertainty import RegionName, ScoreName

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

TINY = TrainingConfig(
    NetworkConfig(size=16, filters=2, depth=2, dropout=0.3), epochs=2, patience=9, batch=2, steps=3, folds=3
)


def _run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["imaging", *map(str, arguments)])


@pytest.fixture(scope="module")
def runs(keras: Any, tiny_cases: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two trainings on the same patients."""
    pytest.importorskip("matplotlib")
    folder = tmp_path_factory.mktemp("runs")
    train(tiny_cases, folder / "first", TINY)
    train(tiny_cases, folder / "second", replace(TINY, member=1, seed=2))
    return folder / "first", folder / "second"


@pytest.mark.parametrize("command", ["uncertainty", "explain"])
def test_each_explains_itself_with_an_example(command: str) -> None:
    done = _run(command, "--help")
    assert done.exit_code == 0 and f"meddojo imaging {command}" in done.stdout


def test_names_are_those_there_are() -> None:
    assert [each.value for each in RegionName] == list(Region)
    assert [each.value for each in ScoreName] == list(Score)


def test_one_run_has_a_table_figures_and_a_list_of_cases(
    runs: tuple[Path, Path], tiny_cases: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = _run("uncertainty", runs[0], "--data", tiny_cases, "--out", out, "--passes", 3, "--pictures", 1)
    assert done.exit_code == 0, done.stderr
    assert "monte_carlo" in done.stdout and "ensemble" in done.stdout
    tested = read_run(runs[0]).division.test
    assert all(name in done.stdout for name in tested)
    found = json.loads((out / "uncertainty.json").read_text())
    assert set(found) == {"network", "monte_carlo", "ensemble"} and set(found["network"]["cases"]) == set(tested)
    pictures = {path.name for path in out.glob("*.png")}
    assert len(pictures) == 7 and {"reliability-network.png", "risk-coverage-monte_carlo.png"} < pictures
    assert (runs[0] / "calibration.json").exists() and (runs[0] / "calibration-monte_carlo.json").exists()
    again = _run("uncertainty", runs[0], "--data", tiny_cases, "--out", out)
    assert again.exit_code == 2 and "is not empty" in again.stderr


def test_several_runs_are_an_ensemble(runs: tuple[Path, Path], tiny_cases: Path, tmp_path: Path) -> None:
    settings = "--passes 2 --pictures 0 --region whole --score disagreement --json".split()
    done = _run("uncertainty", *runs, "--data", tiny_cases, "--out", tmp_path / "out", *settings)
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found) == {"network", "monte_carlo", "ensemble"}
    (fitted,) = found["ensemble"]["fitted"]
    assert fitted["score"] == "disagreement" and fitted["region"] == "whole" and len(fitted["weights"]) == 2


def test_a_case_is_explained_in_a_picture(runs: tuple[Path, Path], tiny_cases: Path, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    done = _run("explain", runs[0], "--data", tiny_cases, "--case", "SYN_0002", "--out", picture)
    assert done.exit_code == 0, done.stderr
    assert "SYN_0002" in done.stdout and picture.read_bytes().startswith(b"\x89PNG")


def test_what_is_not_there_is_said(runs: tuple[Path, Path], tiny_cases: Path, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    done = _run("explain", runs[0], "--data", tiny_cases, "--case", "SYN_9999", "--out", picture)
    assert done.exit_code != 0 and "SYN_9999" in done.stderr
    done = _run("explain", runs[0], "--data", tiny_cases, "--case", "SYN_0002", "--out", picture, "--layer", "top")
    assert done.exit_code == 2 and "no layer top" in done.stderr
    assert not picture.exists()


def test_without_matplotlib_the_extra_is_named(
    runs: tuple[Path, Path], tiny_cases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "matplotlib" else find(name))
    done = _run("uncertainty", runs[0], "--data", tiny_cases, "--out", tmp_path / "out")
    assert done.exit_code == 2 and "meddojo[imaging]" in done.stderr


def test_without_test_patients_the_calibration_is_fitted_and_kept(runs: Any, tiny_cases: Path, tmp_path: Path) -> None:
    train(tiny_cases, tmp_path / "run", replace(TINY, folds=1, epochs=1))
    done = _run("uncertainty", tmp_path / "run", "--data", tiny_cases, "--out", tmp_path / "out", "--passes", 2)
    assert done.exit_code == 0 and "nothing was measured" in done.stdout
    found = json.loads((tmp_path / "run" / "calibration.json").read_text())
    assert found["patients"] == len(read_run(tmp_path / "run").division.validation)


def test_a_cross_validation_calibrates_the_network_of_all_patients(
    keras: Any, tiny_cases: Path, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    everybody = replace(TINY, validation_share=0.0, epochs=1)
    for fold in (0, 1):
        train(tiny_cases, tmp_path / "runs" / f"fold{fold}", replace(everybody, fold=fold))
    train(tiny_cases, tmp_path / "final", replace(everybody, folds=1))
    asked = ("uncertainty", tmp_path / "runs", "--data", tiny_cases, "--passes", 2, "--pictures", 0)
    done = _run(*asked, "--out", tmp_path / "out", "--final", tmp_path / "final")
    assert done.exit_code == 0, done.stderr
    tested = [read_run(tmp_path / "runs" / f"fold{fold}").division.test for fold in (0, 1)]
    found = json.loads((tmp_path / "final" / "calibration.json").read_text())
    assert found["patients"] == len(tested[0]) + len(tested[1])
    last = _run(*asked, "--out", tmp_path / "again", "--final", tmp_path / "runs")
    assert last.exit_code == 2 and "several folds" in last.stderr
