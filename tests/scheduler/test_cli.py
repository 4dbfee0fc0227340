from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from meddojo.finding import Decision, Verdict
from meddojo.severity import Severity
from scheduler import console as console_module
from scheduler.cli import app
from scheduler.console import Console
from scheduler.pipeline import Outcome
from tests.scheduler.conftest import GATEWAY, REPOSITORY, Hospital

COMMANDS = ("run", "import", "push", "status", "doctor", "init")
HELP = """
import sys
from scheduler.cli import app
try:
    app(["--help"])
finally:
    print(*sys.modules, file=sys.stderr)
"""
SLOW_TO_IMPORT = {"sqlalchemy", "requests", "pydantic", "jinja2", "cvss", "zstandard", "packageurl"}


def test_help_lists_the_commands_without_loading_what_is_slow() -> None:
    done = subprocess.run([sys.executable, "-c", HELP], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert all(f" {command} " in done.stdout for command in COMMANDS)
    assert "Exit codes" in done.stdout
    assert not SLOW_TO_IMPORT & set(done.stderr.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command: str) -> None:
    done = CliRunner().invoke(app, [command, "--help"])
    assert done.exit_code == 0 and "Example" in done.stdout and "meddojo " in done.stdout


@pytest.mark.parametrize(
    "arguments", [("--nonsense",), ("run", "--nonsense"), ("rum",), ("import",), ("run", "--fail-on")]
)
def test_wrong_usage_exits_with_2(fresh: Hospital, arguments: tuple[str, ...]) -> None:

    assert CliRunner().invoke(app, list(arguments)).exit_code == 2


def test_json_alone_goes_to_standard_output_and_no_colour_anywhere(fresh: Hospital) -> None:
    done = fresh.command("run", "--json", "-c", "meddojo.toml", CI="1")
    assert done.code == 0 == done.result["exit_code"]
    assert done.result["devices"] == 5 and done.result["findings"] == sum(done.result["by_severity"].values()) > 10
    assert done.result["changes"]["new"] == done.result["findings"]
    assert "csaf: 40 records read" in done.stderr and "epss: 111 records read" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_plain_output_for_people_has_no_colour_when_it_is_no_terminal(hospital: Hospital) -> None:
    done = hospital.cli("run")
    assert done.code == 0
    assert "5 devices, 3 with findings" in done.stdout and "look at these first" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


def test_a_terminal_gets_a_moving_bar(hospital: Hospital) -> None:
    master, terminal = pty.openpty()
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "TERM": "xterm-256color"}
    command = [sys.executable, "-m", "scheduler.cli", "push"]
    with subprocess.Popen(
        command, cwd=hospital.folder, env=environment, stdout=subprocess.DEVNULL, stderr=terminal
    ) as process:
        os.close(terminal)
        shown = b""
        while chunk := _read(master):
            shown += chunk
    os.close(master)
    assert process.returncode == 0
    assert b"\x1b[?25l" in shown, "a bar hides the cursor"


@pytest.mark.parametrize(
    ("terminal", "variables", "verbosity", "bars"),
    [(True, {}, 0, True), (True, {"CI": "true"}, 0, False), (False, {}, 0, False), (True, {}, -1, False)],
)
def test_bars_move_on_a_terminal_only_and_not_in_ci(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, variables: dict[str, str], verbosity: int, bars: bool
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Console(verbosity).interactive is bars


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:  # how Linux tells that the other side is closed
        return b""


def test_quiet_says_nothing_when_all_is_well(hospital: Hospital) -> None:
    done = hospital.cli("run", "-q")
    assert (done.code, done.stdout, done.stderr) == (0, "", "")


def test_quiet_still_tells_what_went_wrong(hospital: Hospital) -> None:
    hospital.scan.unlink()
    done = hospital.cli("run", "-q")
    assert (done.code, done.stdout) == (3, "")
    assert len(done.errors) == 1 and str(hospital.scan) in done.errors[0]


def test_long_work_shows_plain_lines_in_a_log(hospital: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console_module, "_LINE_EVERY_SECONDS", 0.0)
    done = hospital.cli("run")
    assert "judging: 5 of 5 (" in done.stderr
    assert "csaf: reading: 40 (csaf)" in done.stderr


def test_no_line_of_progress_before_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    with Console().track("judging", 3) as advance:
        for name in "abc":
            advance(name)
    assert capsys.readouterr() == ("", "")


def test_fail_on_trips_the_gate_until_people_have_decided(hospital: Hospital, first_run: tuple[Path, Outcome]) -> None:
    critical = [each for each in first_run[1].findings if each.severity is Severity.CRITICAL and not each.needs_review]
    done = hospital.cli("run", "--fail-on", "critical", "--json")
    assert done.code == 1 == done.result["exit_code"]
    assert set(done.result["gate"]) == {finding.identity for finding in critical} != set()
    with hospital.store() as store:
        decisions = [Decision(each.identity, Verdict.RISK_ACCEPTED, "defectdojo", "1") for each in critical]
        store.findings.keep_decisions("defectdojo", {each.device_id for each in critical}, decisions)
    done = hospital.cli("run", "--fail-on", "Critical", "--json")
    assert (done.code, done.result["gate"]) == (0, [])
    assert hospital.cli("run", "--fail-on", "low").code == 1, "the others are not decided"


def test_the_gate_of_the_configuration_holds_for_push_too(hospital: Hospital) -> None:
    hospital.config.write_text(hospital.config.read_text() + '[delivery]\nfail_on = "High"\n')
    assert hospital.cli("push").code == 1


def test_a_severity_that_is_none_is_wrong_usage(hospital: Hospital) -> None:
    done = hospital.cli("run", "--fail-on", "severe")
    assert done.code == 2 and "Info, Low, Medium, High, Critical" in done.stderr


KINDS = {
    "feeds/csaf/mde-2021-003.json": "csaf",
    "feeds/nvd/components.json": "nvd",
    "feeds/kev.json": "kev",
    "feeds/epss.csv": "epss",
    "scans/infusion-gateway.grype.json": "grype",
    "sboms/infusion-gateway.cdx.json": "cyclonedx",
    "sboms/nurse-call-console.spdx.json": "spdx",
}


def test_import_takes_in_files_of_every_kind_by_their_content(fresh: Hospital) -> None:
    files = []
    for number, name in enumerate(KINDS):
        files.append(fresh.folder / f"file-{number}")
        files[-1].write_bytes((fresh.folder / name).read_bytes())
    done = fresh.cli("import", *files, "--device", GATEWAY, "--store-only", "-v")
    assert done.code == 0, done.stderr
    for file, kind in zip(files, KINDS.values(), strict=True):
        assert f"{file}: {kind}" in done.stderr
    with fresh.store() as store:
        assert store.evidence.scans(GATEWAY) and store.evidence.sbom(GATEWAY)
        assert store.records.kev(["CVE-2019-0708"]) and store.records.epss(["CVE-2019-0708"])
        assert not any(store.records.cursor(name) for name in KINDS.values()), "an import by hand moves no cursor"
        assert not store.findings.runs()
    contents = fresh.contents()
    assert len(contents["advisory"]) == 1 and len(contents["vulnerability"]) > 5


def test_import_judges_and_delivers_what_it_took_in(hospital: Hospital) -> None:
    before = hospital.findings("dicom-router")
    advisory = hospital.folder / "new.json"
    known = (hospital.folder / "feeds" / "nvd" / "devices.json").read_text()
    assert "CVE-2022-2119" in known
    advisory.write_text(known.replace("CVE-2022-2119", "CVE-2026-2119"))
    done = hospital.cli("import", advisory, "--json")
    assert done.code == 0 and done.result["changes"]["new"] == 1, done.stderr
    assert set(hospital.findings("dicom-router")) - set(before) == {"CVE-2026-2119"}
    assert "CVE-2026-2119" in (hospital.folder / "report" / "report.html").read_text("utf-8")


def test_import_reports_what_it_could_not_read_and_takes_in_the_rest(hospital: Hospital) -> None:
    bad, good = hospital.folder / "bad.json", hospital.folder / "feeds" / "kev.json"
    bad.write_text('{"document": ')
    done = hospital.cli("import", bad, good, "--json")
    assert done.code == 3 == done.result["exit_code"]
    assert [skipped["origin"] for skipped in done.result["skipped"]] == [str(bad)]
    assert f"{good}: 0 new or changed" in done.stderr
    with hospital.store() as store:
        assert store.findings.runs(1)[0].exit_code == 3
    done = hospital.cli("import", bad, good, "--json", "--store-only")
    assert done.code == 3 == done.result["exit_code"]
    assert [skipped["origin"] for skipped in done.result["skipped"]] == [str(bad)]


def test_import_of_a_scan_without_a_device_says_how_to_name_it(hospital: Hospital) -> None:
    done = hospital.cli("import", hospital.scan)
    assert done.code == 2 and "--device" in done.stderr


def test_import_for_a_device_that_is_unknown_names_the_nearest(hospital: Hospital) -> None:
    done = hospital.cli("import", hospital.scan, "--device", "infusion-gatway")
    assert done.code == 2 and "did you mean 'infusion-gateway'" in done.stderr


def test_push_delivers_again_and_changes_nothing(hospital: Hospital, first_run: tuple[Path, Outcome]) -> None:
    before = hospital.contents()
    done = hospital.cli("push", "--json")
    assert done.code == 0 and done.result["findings"] == len(first_run[1].findings)
    assert hospital.contents() == before


def test_status_before_and_after_runs(fresh: Hospital) -> None:
    done = fresh.cli("status")
    assert done.code == 0 and "no feed was read yet" in done.stdout
    state = fresh.cli("status", "--json").result
    assert (state["runs"], state["jobs"], state["decisions"]) == ([], [], 0)
    assert {source["result"] for source in state["sources"]} == {"never read"}
    assert fresh.cli("status", "--check").code == 3
    fresh.run()
    (fresh.folder / "feeds" / "kev.json").unlink()
    fresh.run()
    state = fresh.cli("status", "--json").result
    assert [run["exit_code"] for run in state["runs"]] == [3, 0]
    sources = {source["name"]: source for source in state["sources"]}
    assert sources["csaf"]["records"] == 40 and sources["csaf"]["problem"] == ""
    assert "kev.json" in sources["kev"]["problem"] and sources["kev"]["last_success"]
    done = fresh.cli("status")
    assert done.code == 0 and "feeds/kev.json" in "".join(done.stdout.split())


def test_status_tells_a_run_that_was_killed(hospital: Hospital) -> None:
    from datetime import UTC, datetime

    with hospital.store() as store:
        store.findings.begin_run(datetime.now(UTC))
    assert "killed or under way" in hospital.cli("status").stdout


def test_doctor_finds_nothing_wrong_with_the_example(hospital: Hospital) -> None:
    before = hospital.contents()
    done = hospital.cli("doctor")
    assert done.code == 0 and "FAILS" not in done.stdout
    assert "inventory: 5 devices" in done.stdout and "feed csaf: readable" in done.stdout
    assert hospital.contents() == before


def test_doctor_finds_everything_that_is_broken_and_says_what_to_do(hospital: Hospital) -> None:
    hospital.replace("meddojo.toml", '"inventory.toml"', '"devices.toml"')
    hospital.replace("meddojo.toml", '"sqlite:///.meddojo/hospital.db"', '"sqlite:////proc/none/x.db"')
    hospital.replace("meddojo.toml", '"feeds/kev.json"', '"feeds/nothing.json"')
    hospital.replace("meddojo.toml", "[feeds.epss]", "[feeds.epsss]")
    hospital.scan.unlink()
    (hospital.folder / "feeds" / "csaf").rename(hospital.folder / "feeds" / "advisories")
    done = hospital.cli("doctor", "--json")
    assert done.code == 2
    broken = {check["name"]: check for check in done.result if not check["works"]}
    assert set(broken) == {"inventory", "store", "feed kev", "feed epsss", "feed csaf", f"scan of {GATEWAY}"}
    assert all(check["hint"] for check in broken.values())
    assert "did you mean 'epss'" in broken["feed epsss"]["hint"]
    shown = hospital.cli("doctor")
    assert shown.code == 2 and shown.stdout.count("FAILS") == len(broken) == shown.stdout.count("->")


@pytest.mark.parametrize("command", ["run", "push", "status", "doctor"])
def test_a_wrong_key_in_the_configuration_names_the_nearest(hospital: Hospital, command: str) -> None:
    hospital.replace("meddojo.toml", "[inventory]", "[inventry]")
    done = hospital.cli(command)
    assert done.code == 2 and len(done.errors) == 1 and "did you mean 'inventory'" in done.stderr


def test_a_configuration_that_is_not_there_says_how_to_write_one(tmp_path: Path) -> None:
    done = Hospital(tmp_path).cli("run")
    assert done.code == 2 and "no such file" in done.stderr and "meddojo init" in done.stderr


def test_init_writes_a_configuration_that_works_and_never_replaces_one(tmp_path: Path) -> None:

    from meddojo.config import load_config

    folder = tmp_path / "new"
    done = CliRunner().invoke(app, ["init", str(folder)])
    assert done.exit_code == 0 and "meddojo doctor" in done.stdout
    assert load_config(folder / "meddojo.toml", {}).inventory.file == str(folder / "inventory.toml")
    (folder / "meddojo.toml").unlink()
    (folder / "inventory.toml").write_text("# mine")
    done = CliRunner().invoke(app, ["init", str(folder)])
    assert done.exit_code == 2 and "inventory.toml is there already" in done.stderr
    assert not (folder / "meddojo.toml").exists(), "nothing is written unless everything can be"
    assert CliRunner().invoke(app, ["init", str(folder), "--force"]).exit_code == 0
    assert (folder / "inventory.toml").read_text("utf-8") != "# mine"


def test_a_run_from_what_init_writes_needs_only_feeds(tmp_path: Path) -> None:

    CliRunner().invoke(app, ["init", str(tmp_path)])
    done = Hospital(tmp_path).cli("run", "--offline", "--json")
    assert done.code == 3 and done.result["devices"] == 1
    assert "nothing was compared" in done.result["skipped"][0]["reason"]


def test_a_second_run_at_the_same_time_is_turned_away(hospital: Hospital) -> None:
    with hospital.store() as store, store.lock("run"):
        for command in ("run", "push"):
            done = hospital.cli(command)
            assert done.code == 3 and done.stdout == ""
            assert f"another MedDojo run is under way (process {os.getpid()})" in done.stderr
        assert hospital.cli("import", hospital.scan, "--device", GATEWAY).code == 3
        assert hospital.cli("status").code == 0, "reading waits for nobody"
    assert hospital.cli("run").code == 0


def test_a_store_that_fails_in_the_middle_is_one_clear_error(hospital: Hospital) -> None:
    from sqlalchemy import create_engine, text

    engine = create_engine(f"sqlite:///{hospital.folder}/.meddojo/hospital.db")
    with engine.begin() as connection:
        connection.execute(
            text("CREATE TRIGGER full BEFORE INSERT ON stream_state BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
        )
    engine.dispose()
    done = hospital.cli("run")
    assert done.code in (3, 4) and "disk is full" in done.stderr


def test_the_version() -> None:

    from meddojo import __version__

    assert CliRunner().invoke(app, ["--version"]).stdout == f"meddojo {__version__}\n"
