"""``meddojo imaging survival``: the C-index of a run, and what is said where there is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from imaging.synthetic.synthesize import synthesize
from scheduler.cli import app

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

TINY = "--size 16 --channels 1 --context 0 --filters 2 --depth 2 --epochs 1 --steps 1 --batch 2 --folds 2".split()


def _run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["imaging", *map(str, arguments)])


def test_it_explains_itself_with_an_example() -> None:
    done = _run("survival", "--help")
    assert done.exit_code == 0 and "meddojo imaging survival" in done.stdout


def test_from_cases_to_a_c_index(keras: Any, tmp_path: Path) -> None:
    data, out = tmp_path / "cases", tmp_path / "run"
    synthesize(data, 16, 32, 1, 2)
    done = _run("train", "--data", data, "--out", out, "--architecture", "multitask", *TINY)
    assert done.exit_code == 0, done.stderr
    table = _run("survival", out, "--data", data)
    assert table.exit_code == 0, table.stderr
    assert "C-index" in table.stdout and "network" in table.stdout and "best to be expected" in table.stdout
    found = json.loads(_run("survival", out, "--data", data, "--json").stdout)
    assert found["cases"] == 8 and 0 <= found["rows"]["network"]["index"] <= 1
    nothing = _run("survival", tmp_path, "--data", data)
    assert nothing.exit_code == 2 and "run.json" in nothing.stderr
