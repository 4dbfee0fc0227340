"""``meddojo imaging demo``, ``card``, ``predict`` and ``compare``, on tiny networks trained here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import imaging.models
from imaging.data.cases import read_cases
from imaging.networks.config import NetworkConfig
from imaging.segmentation.settings import TrainingConfig
from imaging.segmentation.training import train
from imaging.synthetic.synthesize import synthesize
from scheduler.cli import app

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

TINY = TrainingConfig(
    NetworkConfig("multitask", size=16, channels=3, context=1, filters=2, depth=2, dropout=0.3),
    epochs=2,
    batch=4,
    steps=4,
    folds=3,
    risk_cases=6,
)


def _run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["imaging", *map(str, arguments)])


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("showing") / "cases"
    synthesize(folder, 12, 32, 4, 3)
    return folder


@pytest.fixture(scope="module")
def run(keras: Any, cases: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("showing") / "run"
    train(cases, folder, TINY)
    return folder


@pytest.mark.parametrize("command", ["demo", "card", "predict", "compare"])
def test_each_explains_itself_with_an_example(command: str) -> None:
    done = _run(command, "--help")
    assert done.exit_code == 0 and f"meddojo imaging {command}" in done.stdout


def test_a_demonstration_draws_a_case_and_tells_risk_and_doubt(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(imaging.models, "SYNTHETIC", run)
    found = _run("demo", "--out", tmp_path / "demo.png", "--size", 32, "--seed", 4, "--json")
    assert found.exit_code == 0, found.stderr
    shown = json.loads(found.stdout)
    assert (tmp_path / "demo.png").read_bytes().startswith(b"\x89PNG")
    assert 0 <= shown["dice"] <= 1 and shown["low"] <= shown["high"] and 0 <= shown["higher_than"] <= 1
    again = json.loads(_run("demo", "--out", tmp_path / "demo.png", "--size", 32, "--seed", 4, "--json").stdout)
    assert again == shown
    # the cases it was trained on are made of seed 3
    refused = _run("demo", "--out", tmp_path / "demo.png", "--size", 32, "--seed", 3)
    assert refused.exit_code == 2 and "trained on" in refused.stderr


def test_outlines_are_written_with_what_they_hold(run: Path, cases: Path, tmp_path: Path) -> None:
    done = _run("predict", run, "--data", cases, "--out", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert json.loads((tmp_path / "out" / "predictions.json").read_text()) == told
    for case in read_cases(cases):
        with np.load(tmp_path / "out" / f"{case.name}.npz") as arrays:
            mask, probability = arrays["mask"], arrays["probability"]
        assert mask.shape == probability.shape == case.mask.shape[::-1]
        assert not mask[probability < 0.499].any()
        volume = sum(each["volume_ml"] for each in told[case.name])
        assert volume == pytest.approx(float(mask.sum()) * case.voxel_ml)
    again = _run("predict", run, "--data", cases, "--out", tmp_path / "out")
    assert again.exit_code == 2 and "is not empty" in again.stderr


def test_a_run_compared_with_itself_differs_in_nothing(run: Path, cases: Path) -> None:
    done = _run("compare", run, run, "--data", cases)
    assert done.exit_code == 0, done.stderr
    assert "first less second: +0.000" in done.stdout and "p = 1" in done.stdout


def test_a_card_holds_the_figures_that_were_measured(run: Path, cases: Path, tmp_path: Path) -> None:
    evaluation = _run("evaluate", run, "--data", cases, "--json").stdout
    survival = _run("survival", run, "--data", cases, "--json").stdout
    (tmp_path / "evaluation.json").write_text(evaluation)
    (tmp_path / "survival.json").write_text(survival)
    figures = ["--evaluation", tmp_path / "evaluation.json", "--survival", tmp_path / "survival.json"]
    words = ["--name", "tiny", "--about", "For a test.", "--limit", "Nothing else.", "--measured-on", "Four patients."]
    done = _run("card", run, *words, *figures)
    assert done.exit_code == 0, done.stderr
    text = (run / "MODEL_CARD.md").read_text()
    (run / "MODEL_CARD.md").unlink()
    assert text.startswith("# Model card: tiny") and "Nothing else." in text and "Four patients." in text
    assert f"| network | {json.loads(evaluation)['methods']['network']['dice_mean']:.3f} |" in text
    assert f"{json.loads(survival)['reachable']:.3f}" in text
    (tmp_path / "evaluation.json").write_text('{"methods": 3}')
    wrong = _run("card", run, "--name", "tiny", "--evaluation", tmp_path / "evaluation.json")
    assert wrong.exit_code == 2 and "not those a command printed" in wrong.stderr
    assert not (run / "MODEL_CARD.md").exists()
