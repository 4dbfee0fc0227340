"""The Gitea workflow: right by the schema of workflow files, and its steps run as a runner's shell would run them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from scheduler import markdown
from scheduler.cli import app
from scheduler.gitea import WORKFLOW

REPOSITORY = Path(__file__).parents[2]
DEVICES = ("infusion-gateway", "dicom-router", "petct-windows7")
EXPRESSION = re.compile(r"\$\{\{ (\w+)\.(\w+) \}\}")
GIT = ("git", "-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")


def write_workflow(folder: Path) -> Path:
    done = CliRunner().invoke(app, ["init", "gitea", str(folder)])
    assert done.exit_code == 0, done.output
    assert f"wrote {folder / WORKFLOW}" in done.output
    return folder / WORKFLOW


@pytest.fixture(scope="module")
def workflow(tmp_path_factory: pytest.TempPathFactory) -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load(write_workflow(tmp_path_factory.mktemp("workflow")).read_text())
    return loaded


@dataclass(frozen=True)
class Runner:
    """A clean clone of a hospital's repository, and what the runner tells the steps."""

    clone: Path
    workflow: Mapping[Any, Any]
    environment: Mapping[str, str]

    def value(self, text: str, given: Mapping[str, str]) -> str:
        """A setting with the expressions in it; what nobody set is empty."""
        return EXPRESSION.sub(lambda match: given.get(f"{match[1]}.{match[2]}", ""), str(text))

    def step(self, name: str, **given: str) -> subprocess.CompletedProcess[str]:
        """Run one step: `bash -e {file}`, as act runs it."""
        job = self.workflow["jobs"]["surveillance"]
        step = next(step for step in job["steps"] if step.get("name") == name)
        contexts = {key.replace("_", ".", 1): value for key, value in given.items()}
        settings = {key: self.value(text, contexts) for key, text in {**job["env"], **step.get("env", {})}.items()}
        script = self.clone.parent / "script.sh"
        script.write_text(step["run"])
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
            cwd=self.clone,
            env={**self.environment, **settings},
            capture_output=True,
            text=True,
            timeout=100,
        )


@pytest.fixture
def runner(tmp_path: Path, workflow: dict[Any, Any]) -> Runner:
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    shutil.copytree(REPOSITORY / "examples" / "hospital", origin, ignore=shutil.ignore_patterns(".meddojo", "report"))
    _, *tables = (origin / "inventory.toml").read_text("utf-8").split("[[device]]")
    kept = [table for table in tables if table.split('"')[1] in DEVICES]
    (origin / "inventory.toml").write_text("".join(f"[[device]]{table}" for table in kept), "utf-8")
    write_workflow(origin)
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "hospital"]):
        subprocess.run([*GIT, *words], cwd=origin, check=True)
    subprocess.run(["git", "clone", "-q", str(origin), str(clone)], check=True)
    assert (clone / WORKFLOW).is_file()
    path = tmp_path / "bin"
    path.mkdir()
    command = path / "meddojo"
    command.write_text(f'#!/bin/sh\nPYTHONPATH={REPOSITORY} exec {sys.executable} -m scheduler.cli "$@"\n')
    command.chmod(0o755)
    environment = {
        "PATH": f"{path}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "CI": "true",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "step_summary.md"),
        "GITHUB_PATH": str(tmp_path / "path"),
    }
    return Runner(clone, workflow, environment)


def test_the_workflow_is_right_by_the_schema_of_workflow_files(tmp_path: Path) -> None:
    file = write_workflow(tmp_path)
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(file)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    file.write_text(file.read_text().replace("runs-on:", "run-on:"))
    assert subprocess.run(command, capture_output=True).returncode == 1


def test_the_workflow_asks_for_nothing_gitea_ignores_and_pastes_nothing_into_a_shell(workflow: dict[Any, Any]) -> None:
    text = json.dumps(workflow, default=str)
    assert not re.search(
        r'"(concurrency|timeout-minutes|permissions|continue-on-error)"|::(error|warning|notice)', text
    )
    steps = workflow["jobs"]["surveillance"]["steps"]
    assert not [step for step in steps if "${{" in step.get("run", "")]
    used = {step["uses"].partition("@")[0]: step for step in steps if "uses" in step}
    assert used["actions/upload-artifact"]["uses"] == "actions/upload-artifact@v3"
    # A job whose gate tripped keeps store, report and summary as well.
    kept = [step for step in steps if step.get("if") == "always()"]
    assert [step["name"] for step in kept] == ["Summary", "Keep the store", "Keep the report"]
    assert used["actions/cache/save"]["with"]["key"] == used["actions/cache/restore"]["with"]["key"]
    assert set(workflow[True]) == {"schedule", "workflow_dispatch"}
    assert set(workflow[True]["workflow_dispatch"]["inputs"]) == {"fail_on", "accept_shrink", "import_file", "device"}


def test_a_scheduled_job_and_one_whose_gate_trips(runner: Runner) -> None:
    assert runner.step("Install MedDojo").returncode == 0
    clean = runner.step("Look, judge, deliver")
    assert clean.returncode == 0, clean.stdout + clean.stderr
    assert (runner.clone / "report" / "report.html").is_file()
    assert list((runner.clone / ".meddojo").glob("*.db"))
    shown = runner.step("Summary").stdout
    assert "**Exit code 0**: clean" in shown and "| Critical | High |" in shown
    page = Path(runner.environment["GITHUB_STEP_SUMMARY"])
    assert page.read_text() == shown

    tripped = runner.step("Look, judge, deliver", inputs_fail_on="critical", inputs_accept_shrink="true")
    assert tripped.returncode == 1, tripped.stderr
    assert "**Exit code 1**: the gate tripped" in runner.step("Summary").stdout
    assert page.read_text().count("## MedDojo") == 2


def test_a_single_file_is_imported_for_its_device(runner: Runner) -> None:
    given = {"inputs_import_file": "scans/infusion-gateway.grype.json", "inputs_device": "infusion-gateway"}
    done = runner.step("Look, judge, deliver", **given)
    # No feed was ever read here, and the run says so.
    assert done.returncode in (0, 3), done.stdout + done.stderr
    assert "scans/infusion-gateway.grype.json: 1 new or changed" in done.stderr
    hostile = runner.step("Look, judge, deliver", inputs_import_file='x"; touch owned; echo "--help')
    assert hostile.returncode in (2, 3)
    assert not (runner.clone / "owned").exists()


def test_a_wrong_secret_is_told_and_kept_secret(runner: Runner) -> None:
    secrets = {"secrets_DEFECTDOJO_URL": "http://127.0.0.1:9", "secrets_DEFECTDOJO_TOKEN": "planted-token"}
    quick = Runner(runner.clone, runner.workflow, {**runner.environment, "MEDDOJO_NETWORK__ATTEMPTS": "1"})
    done = quick.step("Look, judge, deliver", **secrets)
    assert done.returncode in (3, 4), done.stdout + done.stderr
    assert "planted-token" not in done.stdout + done.stderr + (runner.clone / "summary.md").read_text()


def test_a_job_that_takes_too_long_is_stopped_and_says_so(runner: Runner) -> None:
    step = next(
        step for step in runner.workflow["jobs"]["surveillance"]["steps"] if step.get("name", "").startswith("Look")
    )
    impatient = step | {"run": step["run"].replace("--time-limit 110", "--time-limit 0.01")}
    job = {"env": runner.workflow["jobs"]["surveillance"]["env"], "steps": [impatient]}
    done = Runner(runner.clone, {"jobs": {"surveillance": job}}, runner.environment).step("Look, judge, deliver")
    assert done.returncode == 4
    assert "stopped after its time limit of 0.01 minutes" in done.stderr
    assert "**Exit code 4**" in (runner.clone / "summary.md").read_text()


def test_the_workflow_is_replaced_only_by_force(tmp_path: Path) -> None:
    file = write_workflow(tmp_path)
    file.write_text("mine")
    refused = CliRunner().invoke(app, ["init", "gitea", str(tmp_path)])
    assert refused.exit_code == 2
    assert file.read_text() == "mine"
    assert CliRunner().invoke(app, ["init", "gitea", str(tmp_path), "--force"]).exit_code == 0
    assert file.read_text().startswith("# Gitea Actions")
    assert CliRunner().invoke(app, ["init", "one", "two"]).exit_code == 2


def test_the_environment_of_the_tests_is_not_the_runners(runner: Runner) -> None:
    assert not set(runner.environment) & {name for name in os.environ if name.startswith(("MEDDOJO_", "DEFECTDOJO_"))}


@pytest.mark.parametrize("text", ["<script>", "a|b", "**x**", "[l](http://x)", "a\nb", "`c`", "# h", "&lt;"])
def test_texts_of_strangers_mean_nothing_in_markdown(text: str) -> None:
    escaped = markdown._escaped(text)
    assert "\n" not in escaped
    assert not re.search(r"(?<!\\)[|<>`*#\[\]()&]", escaped)
    assert re.sub(r"\\(.)", r"\1", escaped) == " ".join(text.split())


def test_a_summary_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    from meddojo.errors import ConfigError

    with pytest.raises(ConfigError, match=r"summary .*: No such file"):
        markdown.write("x", tmp_path / "missing" / "summary.md", {})
