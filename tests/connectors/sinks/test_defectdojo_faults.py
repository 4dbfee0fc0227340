"""What goes wrong between us and the server: what the user sees, what is tried again, and that nothing is doubled."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connectors.http import HttpRefusedError
from connectors.sinks.defectdojo.plan import CLOSING_NOTE
from meddojo.errors import ConfigError, MeddojoError, RemoteError, TransientError
from meddojo.finding import Stream
from meddojo.severity import Severity
from meddojo.store import Store
from meddojo.store.findings import StreamState
from scheduler.cli import app
from tests.connectors.sinks.defectdojo_ward import Ward, counts, finding
from tests.standin import DefectDojoStandin

REIMPORT = ("POST", "/api/v2/reimport-scan/")
CLOSE = ("POST", "/api/v2/findings/")
PATCH = ("PATCH", "/api/v2/findings/")
ANY = ("*", "/api/v2/")
FIRST_DAY = (finding(1), finding(2, Severity.MEDIUM), finding(3, Severity.LOW), finding(5))
SECOND_DAY = (finding(1), finding(2, Severity.CRITICAL, epss=0.8), finding(4), finding(5))
BROKEN = "the server is busy or broken; look at its log. The next run tries again"


@pytest.fixture
def dojo() -> Iterator[DefectDojoStandin]:
    with DefectDojoStandin() as server:
        yield server
        assert server.overlaps == 0
        assert not server.internal_errors


@pytest.fixture
def ward(tmp_path: Path, dojo: DefectDojoStandin) -> Iterator[Ward]:
    made = Ward(tmp_path, dojo.url, dojo.token)
    yield made
    made.close()


TRANSIENT: dict[str, dict[str, Any]] = {
    "500": {"kind": "status", "status": 500},
    "502": {"kind": "status", "status": 502, "body": "<html>Bad gateway</html>"},
    "503": {"kind": "status", "status": 503},
    "504": {"kind": "status", "status": 504},
    "429": {"kind": "status", "status": 429, "headers": {"Retry-After": "7"}},
    "dropped before": {"kind": "drop"},
    "dropped after": {"kind": "drop_after"},
}


@pytest.mark.parametrize(
    ("fault", "request_"),
    [
        *((fault, REIMPORT) for fault in TRANSIENT),
        *((fault, request) for fault in ("500", "429", "dropped after") for request in (CLOSE, PATCH)),
    ],
)
def test_a_fault_that_passes_is_got_over_in_the_same_run(
    ward: Ward, dojo: DefectDojoStandin, fault: str, request_: tuple[str, str]
) -> None:
    ward.push(*FIRST_DAY)
    dojo.faults.add(request_, **TRANSIENT[fault], times=2)
    assert ward.push(*SECOND_DAY).created == 1
    assert dojo.faults.pending() == 0 or fault == "dropped after"
    assert ward.paused
    assert ward.open() == {1, 2, 4, 5}
    assert (ward.row(2)["severity"], ward.row(2)["epss_score"]) == ("Critical", 0.8)
    assert ward.notes(3) == [CLOSING_NOTE]
    if fault == "429":
        assert ward.paused == [7.0, 7.0]
    dojo.faults.clear()
    assert counts(ward.push(*SECOND_DAY)) == (0, 0, 0, 0)


@pytest.mark.parametrize("fault", [*TRANSIENT, "half-way"])
def test_a_first_upload_that_fails_once(ward: Ward, dojo: DefectDojoStandin, fault: str) -> None:
    dojo.faults.add(REIMPORT, **TRANSIENT.get(fault, {"kind": "break_half_way"}))
    assert counts(ward.push(*FIRST_DAY)) == (4, 0, 0, 0)
    assert ward.open() == {1, 2, 3, 5}
    assert len(ward.tests()) == 1
    assert ward.tests()[0]["percent_complete"] == 100
    assert counts(ward.push(*FIRST_DAY)) == (0, 0, 0, 0)


def test_retry_after_is_honoured_when_reading_too(ward: Ward, dojo: DefectDojoStandin) -> None:
    dojo.faults.add(("GET", "/api/v2/"), "status", status=429, headers={"Retry-After": "11"})
    ward.push(*FIRST_DAY)
    assert ward.paused == [11.0]


def test_a_server_that_wants_an_hour_of_rest_gets_it(ward: Ward, dojo: DefectDojoStandin) -> None:
    dojo.faults.add(REIMPORT, "status", status=429, headers={"Retry-After": "3600"}, times=99)
    with pytest.raises(TransientError, match="answered HTTP 429") as caught:
        ward.run(FIRST_DAY)
    assert caught.value.hint == BROKEN
    assert dojo.count(*REIMPORT) == 1
    assert ward.paused == []


LASTING: dict[str, tuple[dict[str, Any], type[MeddojoError], str, str, int]] = {
    # fault, error, words of the message, words of the hint, uploads
    "500": ({"kind": "status", "status": 500}, TransientError, "answered HTTP 500 .*Internal server error", BROKEN, 4),
    "502": (
        {"kind": "status", "status": 502, "body": "<html></html>"},
        TransientError,
        "answered HTTP 502 .an HTML page",
        BROKEN,
        4,
    ),
    "HTML": (
        {"kind": "html"},
        RemoteError,
        "answered HTTP 200 with text/html where JSON was expected",
        "check the URL; a proxy or a login page may stand in between",
        1,
    ),
    "400": (
        {"kind": "status", "status": 400, "body": '["product_name parameter missing"]'},
        HttpRefusedError,
        "answered HTTP 400 to POST reimport-scan/: .*product_name parameter missing",
        "refuses the request as it is",
        1,
    ),
    "403": (
        {"kind": "status", "status": 403, "body": '{"detail": "No permission to create products"}'},
        HttpRefusedError,
        "answered HTTP 403 to POST reimport-scan/: .*No permission",
        "its user lacks the right",
        1,
    ),
    "413": (
        {"kind": "status", "status": 413, "body": "<html>"},
        HttpRefusedError,
        "HTTP 413",
        "raise its body size",
        1,
    ),
    "dropped": ({"kind": "drop"}, TransientError, "could not be reached", "check address, proxy and firewall", 4),
    "half-way": ({"kind": "break_half_way"}, TransientError, "answered HTTP 500", BROKEN, 4),
}


@pytest.mark.parametrize("fault", LASTING)
def test_a_fault_that_lasts_is_told_and_the_next_run_delivers_all(
    ward: Ward, dojo: DefectDojoStandin, fault: str
) -> None:
    script, kind, message, hint, uploads = LASTING[fault]
    dojo.faults.add(REIMPORT, **script, times=99)
    if fault == "half-way":
        # Each time half of what is left is kept; the test stays half-filled.
        dojo.faults.clear()
        dojo.faults.add(REIMPORT, **script)
        dojo.faults.add(REIMPORT, "status", status=500, times=99)
    with pytest.raises(kind, match=message) as caught:
        ward.run(FIRST_DAY)
    assert hint in caught.value.hint
    assert dojo.count(*REIMPORT) == uploads
    # Only after a lost answer is there a reason to wait until the server has certainly finished.
    assert (sum(ward.paused) > 90) == (fault in ("502", "dropped"))
    dojo.faults.clear()
    ward.paused.clear()
    ward.push(*FIRST_DAY)
    assert ward.paused == []
    assert ward.open() == {1, 2, 3, 5}
    assert len(ward.tests()) == 1
    assert counts(ward.push(*FIRST_DAY)) == (0, 0, 0, 0)


def test_a_hung_server(tmp_path: Path, dojo: DefectDojoStandin) -> None:
    ward = Ward(tmp_path, dojo.url, dojo.token, timeout_seconds=0.2, attempts=2)
    dojo.faults.add(REIMPORT, "hang", seconds=0.5, times=99)
    with pytest.raises(TransientError, match="no answer within the time-out") as caught:
        ward.run(FIRST_DAY)
    assert "the next run tries again" in caught.value.hint
    assert dojo.faults.struck == [(*REIMPORT, "hang")] * 2
    dojo.faults.clear()
    ward.push(*FIRST_DAY)
    assert ward.open() == {1, 2, 3, 5}
    ward.close()


@pytest.mark.parametrize("known", [False, True], ids=["first import", "later import"])
@pytest.mark.parametrize("killed", [False, True], ids=["in the same run", "in the next run"])
def test_the_server_goes_on_after_we_hung_up(
    tmp_path: Path, dojo: DefectDojoStandin, known: bool, killed: bool
) -> None:
    """Another upload at the same time would double findings; a server says nothing of a later import."""
    ward = Ward(tmp_path, dojo.url, dojo.token, timeout_seconds=0.6)
    ward.pause = lambda seconds: time.sleep(min(seconds, 0.15))
    if known:
        ward.push(*FIRST_DAY)
    dojo.upload_seconds = 0.9
    if killed:
        sink = ward.sink()

        def die(_: float) -> None:
            raise KeyboardInterrupt

        sink._pause = die
        sink_of, ward.sink = ward.sink, lambda: sink  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            ward.run(SECOND_DAY)
        ward.sink = sink_of  # type: ignore[method-assign]
    ward.push(*SECOND_DAY)
    assert ward.open() == {1, 2, 4, 5}
    assert len(dojo.uploads) == 1 + known
    assert ward.row(2)["severity"] == "Critical"
    ward.close()


def test_a_finding_the_server_cannot_change_does_not_stop_the_others(ward: Ward, dojo: DefectDojoStandin) -> None:
    ward.push(*FIRST_DAY)
    stuck = ward.row(1)["id"]
    dojo.faults.add(("PATCH", f"/api/v2/findings/{stuck}/"), "status", status=400, body='{"epss_score": ["odd"]}')
    with pytest.raises(HttpRefusedError, match=f"HTTP 400 to PATCH findings/{stuck}/"):
        ward.run([replace(each, epss=finding(1, epss=0.7).epss) for each in FIRST_DAY])
    assert [ward.row(number)["epss_score"] for number in (1, 2, 3, 5)] == [0.1, 0.7, 0.7, 0.7]


# The command line.


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dojo: DefectDojoStandin) -> Path:
    """A folder where findings of two streams wait for `meddojo push`."""
    inventory = '[[device]]\nid = "pump-1"\nvendor = "Acme"\nmodel = "Infuser 3000"\nversion = "1.0"\n'
    (tmp_path / "inventory.toml").write_text(inventory, encoding="utf-8")
    (tmp_path / "meddojo.toml").write_text('[inventory]\nfile = "inventory.toml"\n', encoding="utf-8")
    findings = (finding(1), finding(2), replace(finding(3), stream=Stream.SUPPLY_CHAIN))
    states = {stream: StreamState(1, "1.0") for stream in (Stream.VULNERABILITIES, Stream.SUPPLY_CHAIN)}
    with Store(f"sqlite:///{tmp_path / 'meddojo.db'}") as store:
        store.findings.replace("pump-1", findings, states, datetime.now(UTC))
    monkeypatch.setenv("DEFECTDOJO_URL", dojo.url)
    monkeypatch.setenv("DEFECTDOJO_TOKEN", dojo.token)
    monkeypatch.setenv("MEDDOJO_NETWORK__ATTEMPTS", "1")
    monkeypatch.setenv("MEDDOJO_STORE__URL", f"sqlite:///{tmp_path / 'meddojo.db'}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def push() -> tuple[int, str]:
    done = CliRunner().invoke(app, ["push"], env={"COLUMNS": "500"})
    return done.exit_code, " ".join(done.output.split())


def test_a_push_that_goes_well(command: Path, dojo: DefectDojoStandin) -> None:
    code, said = push()
    assert code == 0
    assert "defectdojo: 3 created, 0 closed, 0 reactivated, 0 patched, 0 untouched" in said
    code, said = push()
    assert code == 0
    assert "defectdojo: 0 created, 0 closed, 0 reactivated, 0 patched, 3 untouched in 3 requests" in said
    dojo.decide(dojo.findings[0]["id"], "false_p")
    assert "defectdojo: 1 decisions read back" in push()[1]


FAILING: dict[str, tuple[dict[str, Any], int, str]] = {
    "one stream": ({"match": REIMPORT, "kind": "status", "status": 500, "skip": 1}, 3, "warning: defectdojo: pump-1 ("),
    "every upload": ({"match": REIMPORT, "kind": "status", "status": 500, "times": 9}, 4, "nothing was delivered"),
    "everything": ({"match": ANY, "kind": "status", "status": 502, "times": 99}, 4, "HTTP 502"),
    "a proxy's page": ({"match": ANY, "kind": "html", "times": 99}, 4, "a proxy or a login page may stand in between"),
    "dropped": ({"match": ANY, "kind": "drop", "times": 99}, 4, "check address, proxy and firewall"),
    "listening only": ({"match": ("GET", "/api/v2/test_types/"), "kind": "html"}, 3, "decisions could not be read"),
}


@pytest.mark.parametrize("fault", FAILING)
def test_a_push_that_fails(command: Path, dojo: DefectDojoStandin, fault: str) -> None:
    script, expected, words = FAILING[fault]
    dojo.faults.add(**script)
    code, said = push()
    assert code == expected
    assert words in said
    assert "Traceback" not in said
    dojo.faults.clear()
    assert push()[0] == 0
    assert len(dojo.findings) == 3
    assert "0 created, 0 closed, 0 reactivated, 0 patched, 3 untouched" in push()[1]


def test_a_wrong_token(command: Path, dojo: DefectDojoStandin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEFECTDOJO_TOKEN", "0123456789abcdef")
    code, said = push()
    assert code == 4
    assert "DefectDojo answered HTTP 403 to GET test_types/" in said
    assert "Invalid token." in said
    assert "hint: the API token is wrong or its user lacks the right; check DEFECTDOJO_TOKEN" in said
    assert "0123456789abcdef" not in said


def test_a_user_without_the_right(command: Path, dojo: DefectDojoStandin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEFECTDOJO_TOKEN", dojo.add_user("nurse"))
    code, said = push()
    assert code == 4
    assert "HTTP 403 to POST reimport-scan/" in said
    assert "may create products in the product type" in said
    monkeypatch.setenv("DEFECTDOJO_TOKEN", dojo.token)
    assert push()[0] == 0
    assert len(dojo.findings) == 3


@pytest.mark.parametrize(
    ("token", "words"),
    [("", "DefectDojo needs an API token"), ("two words", "holds blanks or odd characters")],
)
def test_no_usable_token(command: Path, monkeypatch: pytest.MonkeyPatch, token: str, words: str) -> None:
    monkeypatch.setenv("DEFECTDOJO_TOKEN", token)
    code, said = push()
    assert code == 2
    assert words in said


def test_a_server_that_is_not_there(command: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEFECTDOJO_URL", "http://127.0.0.1:9")
    code, said = push()
    assert code == 4
    assert "could not be reached (Connection refused)" in said


def test_an_address_that_is_none(ward: Ward) -> None:
    dojo = ward.config.defectdojo.model_copy(update={"url": "dojo.example.org"})
    ward.config = ward.config.model_copy(update={"defectdojo": dojo})
    with pytest.raises(ConfigError, match="not an address"):
        ward.sink()


def test_an_api_of_another_kind(ward: Ward, dojo: DefectDojoStandin) -> None:
    dojo.faults.add(("GET", "/api/v2/test_types/"), "status", status=200, body='["not", "DefectDojo"]')
    with pytest.raises(RemoteError, match="answers, but not like DefectDojo's API v2"):
        ward.run(FIRST_DAY)
