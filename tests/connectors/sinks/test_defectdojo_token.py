"""The token is planted as a canary and looked for everywhere but on the wire."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.sinks.defectdojo.client import DefectDojoClient
from meddojo.config import load_config
from meddojo.errors import MeddojoError
from tests.connectors.sinks.defectdojo_ward import Ward, finding, write_hospital
from tests.standin import DefectDojoStandin

CANARY = "c0ffee5ecre7c0ffee5ecre7c0ffee5ecre7c0ff"
# As it is, and as logs of requests or headers might encode it.
TRACES = (CANARY.encode(), base64.b64encode(CANARY.encode()), CANARY[:20].encode(), CANARY[20:].encode())
REPOSITORY = Path(__file__).resolve().parents[3]
# A careless server or proxy that sends back what it was sent.
ECHO = json.dumps({"detail": f"Invalid token. You sent: Authorization: Token {CANARY}"})

FAULTS: dict[str, dict[str, Any]] = {
    "well": {},
    "refused": {"kind": "status", "status": 403, "body": ECHO, "times": 99},
    "broken": {"kind": "status", "status": 500, "body": ECHO, "times": 99},
    "HTML": {"kind": "html", "times": 99},
    "redirected": {
        "kind": "status",
        "status": 302,
        "headers": {"Location": f"https://elsewhere.example/?token={CANARY}"},
        "times": 99,
    },
    "dropped": {"kind": "drop", "times": 99},
}


@pytest.fixture
def dojo() -> Iterator[DefectDojoStandin]:
    with DefectDojoStandin(token=CANARY) as server:
        yield server


def environment(dojo: DefectDojoStandin, folder: Path, *, in_file: bool) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MEDDOJO_", "DEFECTDOJO_"))}
    kept |= {"PYTHONPATH": str(REPOSITORY), "DEFECTDOJO_URL": dojo.url, "MEDDOJO_NETWORK__ATTEMPTS": "1"}
    if not in_file:
        return kept | {"DEFECTDOJO_TOKEN": CANARY}
    secret = folder.parent / f"{folder.name}.secret"
    secret.write_text(CANARY + "\n", encoding="utf-8")
    return kept | {"DEFECTDOJO_TOKEN_FILE": str(secret)}


def told(content: bytes) -> bool:
    return any(trace in content for trace in TRACES)


def command_lines() -> list[bytes]:
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(file.read_bytes())
        except OSError:
            # The process has ended meanwhile.
            continue
    return lines


@pytest.mark.parametrize(("fault", "in_file"), [("well", True), ("refused", False)])
def test_a_run_tells_nobody(tmp_path: Path, dojo: DefectDojoStandin, fault: str, in_file: bool) -> None:
    folder = tmp_path / "ward"
    folder.mkdir()
    write_hospital(folder)
    if FAULTS[fault]:
        dojo.faults.add(("*", "/api/v2/"), **FAULTS[fault])
    dojo.upload_seconds = 0.2
    command = [sys.executable, "-m", "scheduler.cli", "run", "-vv"]
    variables = environment(dojo, folder, in_file=in_file)
    process = subprocess.Popen(command, cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    seen: list[bytes] = []
    while not dojo.requests and process.poll() is None:
        time.sleep(0.02)
    seen += command_lines()
    out, err = process.communicate(timeout=60)
    assert process.returncode == (0 if fault == "well" else 4), err.decode()
    assert not told(out)
    assert not told(err)
    assert b"Traceback" not in err
    assert seen
    assert not any(told(line) for line in seen)
    written = [file for file in folder.rglob("*") if file.is_file()]
    assert {"report.html", "meddojo.db"} <= {file.name for file in written}
    assert [file.name for file in written if told(file.read_bytes())] == []
    if fault == "well":
        assert len(dojo.findings) == 10


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "well"])
def test_no_exception_tells(tmp_path: Path, dojo: DefectDojoStandin, fault: str) -> None:
    ward = Ward(tmp_path, dojo.url, CANARY)
    for request in (("GET", "/api/v2/"), ("POST", "/api/v2/")):
        dojo.faults.clear()
        dojo.faults.add(request, **FAULTS[fault])
        with pytest.raises(MeddojoError) as caught:
            ward.run([finding(1)])
        error = caught.value
        assert not told("".join(traceback.format_exception(error)).encode())
        assert not told(f"{error!r} {error} {error.message} {error.hint} {error.args!r}".encode())
    ward.close()


def test_no_representation_tells(dojo: DefectDojoStandin, tmp_path: Path) -> None:
    config = load_config(None, {"DEFECTDOJO_URL": dojo.url, "DEFECTDOJO_TOKEN": CANARY})
    client = DefectDojoClient(config.defectdojo)
    assert not told(f"{config!r} {config} {config.model_dump_json()} {client!r} {vars(client)!r}".encode())


@pytest.mark.parametrize("odd", [f"{CANARY} {CANARY}", f"{CANARY}ä", f"{CANARY}\n{CANARY}"])
def test_an_unusable_token_is_not_repeated(dojo: DefectDojoStandin, odd: str) -> None:
    config = load_config(None, {"DEFECTDOJO_URL": dojo.url, "DEFECTDOJO_TOKEN": odd})
    with pytest.raises(MeddojoError) as caught:
        DefectDojoClient(config.defectdojo)
    assert not told(str(caught.value).encode())
