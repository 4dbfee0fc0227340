"""``meddojo sbom quality``: what it prints, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from scheduler.commands import sbom_quality

APP = typer.Typer()
APP.callback()(lambda: None)
sbom_quality.register(APP)


def run(*arguments: str | Path) -> Result:
    done = CliRunner().invoke(APP, ["quality", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


@pytest.fixture
def document(tmp_path: Path) -> Path:
    return written(tmp_path / "pump.cdx.json", 30)


def written(path: Path, parts: int, **changes: Any) -> Path:
    made = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": {
            "timestamp": "2026-01-31T12:00:00Z",
            "component": {"bom-ref": "d", "type": "device", "name": "pump", "version": "2"},
        },
        "components": [{"bom-ref": f"c{each}", "type": "library", "name": f"part-{each}"} for each in range(parts)],
    }
    path.write_text(json.dumps(made | changes), "utf-8")
    return path


def test_what_is_missing_is_named_and_the_rest_counted(document: Path) -> None:
    done = run(document, "--catalogue", "ntia")
    assert done.exit_code == 0
    assert "NTIA minimum elements (July 2021)" in done.stdout
    assert "- ntia-version: Version of every component (1 of 31)" in done.stdout
    assert "part-3: not stated [c3]" in done.stdout and "part-20:" not in done.stdout
    assert "… and 20 more" in done.stdout
    assert "each of the 31: not stated" in done.stdout, "no supplier anywhere is said once"
    assert "fix: CycloneDX component.version; SPDX PackageVersion" in done.stdout
    assert "\x1b[" not in done.stdout, "no colour but on a terminal"
    assert "part-20: not stated [c20]" in run(document, "--catalogue", "ntia", "-v").stdout


def test_colour_on_a_terminal(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[" in run(document).stdout


def test_the_json_has_every_component(document: Path) -> None:
    done = run(document, "--json")
    (file,) = json.loads(done.stdout)
    assert file["components"] == 31 and file["format"] == "CycloneDX 1.6"
    names = [each["catalogue"] for each in file["catalogues"]]
    assert names == ["ntia", "cisa-2025", "cisa-2026", "fda", "bsi"]
    fda = file["catalogues"][3]
    assert fda["sent_back"] is True and fda["grade"] in "CDF" and 0 < fda["score"] < 100
    (support,) = (rule for rule in fda["rules"] if rule["id"] == "fda-support-level")
    assert (support["judged"], support["fulfilled"], support["blocking"]) == (30, 0, True)
    assert support["missing"][29] == {"ref": "c29", "component": "part-29", "fault": "not stated"}


def test_the_gate(document: Path) -> None:
    assert run(document, "--catalogue", "ntia", "--fail-under", "5").exit_code == 0
    done = run(document, "--catalogue", "ntia", "--fail-under", "95")
    assert done.exit_code == 1 and "ntia-supplier" in done.stdout


def test_several_files_of_which_one_is_none(document: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{", "utf-8")
    done = run(document, broken, "--json")
    assert done.exit_code == 3 and len(json.loads(done.stdout)) == 1
    assert "broken.json" in done.stderr
    alone = run(broken)
    assert alone.exit_code == 2 and "broken.json" in alone.stderr and not alone.stdout
    assert run(document, broken, "--fail-under", "99").exit_code == 1, "the gate goes first"
    assert run(tmp_path / "nowhere.json").exit_code == 2


def test_an_unknown_catalogue_is_refused_with_those_there_are(document: Path) -> None:
    done = run(document, "--catalogue", "mdr")
    assert done.exit_code == 2 and "known: ntia, cisa, fda, bsi" in done.stderr


def test_hostile_names_do_nothing_to_a_terminal(tmp_path: Path) -> None:
    part = {"bom-ref": "\x1b]0;owned\x07", "type": "library", "name": "[bold]x[/bold]\x1b[2J\nfix: nothing"}
    done = run(written(tmp_path / "x.json", 0, components=[part]), "--catalogue", "ntia")
    assert done.exit_code == 0
    assert "\x1b" not in done.stdout and "\x07" not in done.stdout
    assert "[bold]x[/bold] [2J fix: nothing: not stated" in done.stdout
