"""``meddojo imaging sign``, ``verify``, ``reference`` and ``inspect``: what they print, write and return."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from imaging.inspection import opening
from meddojo.signature import generate
from scheduler.cli import app

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


def _run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["imaging", *map(str, arguments)])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights.npz").write_bytes(b"weights")
    generate(tmp_path / "maker", "Maker")
    return folder


@pytest.mark.parametrize("command", ["sign", "verify", "reference", "inspect"])
def test_each_explains_itself_with_an_example(command: str) -> None:
    done = _run(command, "--help")
    assert done.exit_code == 0 and f"meddojo imaging {command}" in done.stdout


def test_signed_verified_changed_and_found_out(model: Path) -> None:
    key, public = model.parent / "maker.key", model.parent / "maker.pub"
    before = _run("verify", model)
    assert before.exit_code == 1 and "manifest absent" in before.stdout
    done = _run("sign", model, "--key", key, "--name", "petct", "--version", "1.0", "--least-dice", "0.7")
    assert done.exit_code == 0 and "1 files, signed" in done.stdout
    good = _run("verify", model, "--trusted", public)
    assert good.exit_code == 0 and "petct 1.0: 1 files, manifest intact, signature trusted" in good.stdout
    assert _run("verify", model).exit_code == 0, "a signature nobody asked for"
    assert _run("sign", model, "--greatest-ece", "0.05").exit_code == 0
    unsigned = _run("verify", model, "--trusted", public, "--json")
    plain = json.loads(unsigned.stdout)
    assert unsigned.exit_code == 1 and plain["signature"] == "unsigned" and plain["manifest"] == "intact"
    assert plain["bounds"]["least_dice"] == 0.7 and plain["bounds"]["greatest_ece"] == 0.05, "earlier bounds stay"
    (model / "weights.npz").write_bytes(b"others")
    (model / "more.bin").write_bytes(pickle.dumps([1]))
    bad = _run("verify", model)
    assert bad.exit_code == 1
    assert "changed: weights.npz" in bad.stdout and "extra: more.bin" in bad.stdout
    assert "unsafe (High): more.bin (byte 0): is a pickle" in bad.stdout


def test_what_is_asked_wrongly(model: Path, tmp_path: Path) -> None:
    assert _run("sign", model, "--key", model / "weights.npz").exit_code == 2
    assert _run("sign", model, "--least-dice", "2").exit_code == 2
    assert _run("verify", model, "--trusted", model / "weights.npz").exit_code == 1, "nothing to verify: no manifest"
    assert _run("verify", tmp_path / "nowhere").exit_code == 2
    missing = _run("inspect", "--model", model, "--incoming", tmp_path)
    assert missing.exit_code == 2 and "reference.json" in missing.stderr


def test_the_reference_is_written_and_the_seal_has_to_be_renewed(model: Path, tiny_cases: Path) -> None:
    done = _run("reference", model, "--data", tiny_cases)
    assert done.exit_code == 0 and "of 8 cases" in done.stdout and (model / "reference.json").exists()
    _run("sign", model)
    again = _run("reference", model, "--data", tiny_cases)
    assert "has to be made again" in again.stderr
    same = _run("inspect", "--model", model, "--incoming", tiny_cases)
    assert same.exit_code == 0 and "drift: 0.0000 on 8 cases" in same.stdout, "the same bytes, so the seal holds"


def test_a_trained_model_is_measured_on_new_cases_alone(keras: Any, tiny_cases: Path, tmp_path: Path) -> None:
    from imaging.synthetic.synthesize import synthesize

    run, new = tmp_path / "run", tmp_path / "new"
    settings = "--size 16 --filters 2 --depth 2 --epochs 1 --steps 1 --batch 2 --folds 3".split()
    assert _run("train", "--data", tiny_cases, "--out", run, *settings).exit_code == 0
    assert _run("sign", run, "--least-dice", "0.99", "--greatest-ece", "0.5").exit_code == 0
    synthesize(new, 6, 32, 2, 77)
    done = _run("inspect", "--model", run, "--reference", new, "--json")
    assert done.exit_code == 0, done.stderr
    found = {each["property"]: each for each in json.loads(done.stdout)["figures"]}
    assert set(found) == {"accuracy", "calibration"}
    assert found["accuracy"]["cases"] == 6 and found["accuracy"]["bound"] == 0.99
    assert 0 <= found["accuracy"]["low"] <= found["accuracy"]["value"] <= found["accuracy"]["high"] < 0.99
    assert {name for name, _ in found["accuracy"]["files"]} == {"network.json", "weights.npz"}
    seen = _run("inspect", "--model", run, "--reference", tiny_cases)
    assert seen.exit_code == 2 and "an image the model was trained on" in seen.stderr


def test_what_cannot_be_measured_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    assert opening._int8_file(tmp_path, {"a_int8.tflite": "", "b.int8.tflite": ""}, told.append) == ""
    assert "several INT8 files" in told[0]
    assert opening._int8_file(tmp_path, {"a_int8.tflite": "", "float.tflite": ""}, told.append) == "a_int8.tflite"
    monkeypatch.setattr(opening, "_importable", lambda _: False)
    scaled = opening._calibration(tmp_path, True, told.append)
    assert scaled(3) == 3 and "not applied" in told[1]  # type: ignore[arg-type, comparison-overlap]
