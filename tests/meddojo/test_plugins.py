"""A third party adds a feed, an analyzer and a sink by installing a package."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from meddojo.errors import ConfigError
from meddojo.interface import load

REPOSITORY = Path(__file__).parents[2]

INVENTORY = """
[[device]]
id = "pump"
vendor = "Acme"
model = "Pump 3"
version = "1.0"
cpe = "cpe:2.3:o:acme:pump_3_firmware:1.0:*:*:*:*:*:*:*"

[[device]]
id = "monitor"
vendor = "Acme"
model = "Monitor"
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder the example package is installed into."""
    folder = tmp_path_factory.mktemp("third-party")
    source = folder / "source"
    shutil.copytree(REPOSITORY / "tests" / "plugin_example", source, ignore=shutil.ignore_patterns("__pycache__"))
    options = "--quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index --target".split()
    command = [sys.executable, "-m", "pip", "install", *options, str(folder / "site"), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "site"


@pytest.fixture
def ward(tmp_path: Path) -> Path:
    (tmp_path / "inventory.toml").write_text(INVENTORY)
    (tmp_path / "meddojo.toml").write_text('[feeds.ward_bulletin]\nsource = "bulletin.txt"\n')
    (tmp_path / "bulletin.txt").write_text(
        "CVE-2026-1111 | cpe:2.3:o:acme:pump_3_firmware:1.0:*:*:*:*:*:*:* | runs dry\nnonsense\n"
    )
    return tmp_path


def run(ward: Path, site: Path) -> tuple[int, dict[str, Any], str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MEDDOJO_", "DEFECTDOJO_"))}
    environment["PYTHONPATH"] = os.pathsep.join([str(site), str(REPOSITORY)])
    command = [sys.executable, "-m", "scheduler.cli", "run", "--json"]
    done = subprocess.run(command, cwd=ward, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def test_an_installed_package_takes_part_in_the_run(ward: Path, site: Path) -> None:
    code, outcome, log = run(ward, site)
    assert code == 3, log
    assert [skipped["reason"] for skipped in outcome["skipped"]] == ["is not: CVE | CPE | description"]
    assert outcome["findings"] == 2
    wall = (ward / "report" / "ward-list.txt").read_text().splitlines()
    assert sorted(line.split()[2:] for line in wall) == [["monitor", "WARD-1"], ["pump", "CVE-2026-1111"]]
    assert {delivery["sink"] for delivery in outcome["deliveries"]} == {"report", "ward_list"}
    assert "CVE-2026-1111" in (ward / "report" / "report.html").read_text()
    assert "Software version unknown" in (ward / "report" / "findings.json").read_text()

    (ward / "report" / "ward-list.txt").write_text("\n".join(f"x{line[1:]}" for line in wall))
    code, outcome, log = run(ward, site)
    assert (code, outcome["decided"]) == (0, 2), "the cursor is past the bad line, and both lines are crossed out"
    assert outcome["changes"] == {"new": 0, "changed": 0, "gone": 0}
    assert all(line.startswith("x ") for line in (ward / "report" / "ward-list.txt").read_text().splitlines())


def test_without_the_package_its_feed_is_not_known() -> None:
    with pytest.raises(ConfigError, match="no feed is called 'ward_bulletin'"):
        load("meddojo.feeds", "ward_bulletin")
