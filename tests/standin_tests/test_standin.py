"""What only the stand-in can do: faults, people, policies, overlaps, snapshots, running on its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.standin import DefectDojoStandin
from tests.standin_tests.scenarios import FINDING, Talk

ROOT = Path(__file__).resolve().parents[2]
REPORT: dict[str, Any] = {"findings": [FINDING | {"unique_id_from_tool": "one"}]}
EMPTY: dict[str, Any] = {"findings": []}
UPLOAD = ("POST", "/api/v2/reimport-scan/")
UNTOUCHED = {"created": 0, "closed": 0, "reactivated": 0, "untouched": 1}


@pytest.fixture
def dojo() -> Iterator[DefectDojoStandin]:
    with DefectDojoStandin() as running:
        yield running
    assert running.internal_errors == []


@pytest.fixture
def talk(dojo: DefectDojoStandin) -> Iterator[Talk]:
    speaking = Talk(dojo.url, dojo.token, product="P")
    with speaking.session:
        yield speaking


@pytest.mark.parametrize("status", [429, 500, 502])
def test_status_fault_strikes_as_often_as_told(dojo: DefectDojoStandin, talk: Talk, status: int) -> None:
    dojo.faults.add(match=UPLOAD, kind="status", status=status, headers={"Retry-After": "1"}, times=2)
    answers = [talk.upload(REPORT) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 201]
    assert [answer.headers.get("Retry-After") for answer in answers] == ["1", "1", None]
    assert dojo.faults.pending() == 0
    assert [made.status for made in dojo.requests] == [status, status, 201]
    assert dojo.requests[-1] == (*UPLOAD, 201)


def test_faults_leave_other_requests_alone(dojo: DefectDojoStandin, talk: Talk) -> None:
    dojo.faults.add(match=("PATCH", "/api/v2/findings/"), kind="status", status=503, skip=1)
    talk.upload(REPORT)
    statuses = [talk.call("PATCH", "findings/1/", json={"severity": "Low"}).status_code for _ in range(3)]
    assert statuses == [200, 503, 200]


def test_html_fault_is_a_page_with_200(dojo: DefectDojoStandin, talk: Talk) -> None:
    dojo.faults.add(match=("*", "/api/v2/"), kind="html")
    answer = talk.call("GET", "user_profile/")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_dropped_request_has_no_effect(dojo: DefectDojoStandin, talk: Talk) -> None:
    dojo.faults.add(match=UPLOAD, kind="drop")
    with pytest.raises(requests.ConnectionError):
        talk.upload(REPORT)
    assert dojo.findings == []
    assert dojo.requests == [(*UPLOAD, 0)]


def test_request_dropped_after_it_was_done_has_its_effect(dojo: DefectDojoStandin, talk: Talk) -> None:
    dojo.faults.add(match=UPLOAD, kind="drop_after")
    with pytest.raises(requests.ConnectionError):
        talk.upload(REPORT)
    assert [row["unique_id_from_tool"] for row in dojo.findings] == ["one"]
    assert talk.delta(REPORT) == UNTOUCHED


def test_hanging_request_keeps_the_client_waiting(dojo: DefectDojoStandin, talk: Talk) -> None:
    dojo.faults.add(match=("GET", "/api/v2/user_profile/"), kind="hang", seconds=5)
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{dojo.url}/api/v2/user_profile/", timeout=0.2)


def test_upload_breaking_half_way_leaves_half_a_test(dojo: DefectDojoStandin, talk: Talk) -> None:
    dojo.faults.add(match=UPLOAD, kind="break_half_way")
    report = {"findings": [FINDING | {"title": f"n{number}"} for number in range(10)]}
    assert talk.upload(report).status_code == 500
    assert [(test["percent_complete"], len(talk.findings())) for test in talk.tests("T")] == [(50, 5)]
    assert talk.delta(report) == {"created": 5, "closed": 0, "reactivated": 0, "untouched": 5}
    assert talk.tests("T")[0]["percent_complete"] == 100


@pytest.mark.parametrize("decision", ["false_p", "risk_accepted", "out_of_scope"])
def test_decision_of_a_person_survives_reimports(dojo: DefectDojoStandin, talk: Talk, decision: Any) -> None:
    talk.upload(REPORT)
    dojo.decide(1, decision)
    for _ in range(3):
        talk.upload(REPORT)
    row = talk.findings()[0]
    assert row[decision] is True
    assert row["active"] is False


def test_closing_by_a_person_needs_do_not_reactivate(dojo: DefectDojoStandin, talk: Talk) -> None:
    talk.upload(REPORT)
    dojo.decide(1, "mitigated", by="nurse")
    talk.upload(REPORT, do_not_reactivate="true")
    assert dojo.finding(1)["is_mitigated"] is True
    closer = dojo.state.tables["users"][dojo.finding(1)["mitigated_by"]]
    assert closer["username"] == "nurse"
    assert talk.delta(REPORT)["reactivated"] == 1


def test_edit_and_note_of_a_person_survive(dojo: DefectDojoStandin, talk: Talk) -> None:
    talk.upload(REPORT)
    dojo.edit(1, severity="Low", title="another title")
    dojo.add_note(1, "seen on the ward")
    assert talk.delta(REPORT) == UNTOUCHED
    row = talk.findings()[0]
    assert (row["severity"], row["title"]) == ("Low", "Another Title")
    assert row["notes"][0]["entry"] == "seen on the ward"
    assert row["notes"][0]["author"]["username"] == "person"


POLICIES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "title and severity": ({"algorithm": "legacy"}, {"description": "e"}, {"severity": "Low"}),
    "configured hash": (
        {"algorithm": "hash_code", "fields": ["vuln_id_from_tool", "component_name"]},
        {"title": "x", "description": "y", "vuln_id_from_tool": "v"},
        {"component_name": "c", "vuln_id_from_tool": "v"},
    ),
    "unique id": (
        {"algorithm": "unique_id_from_tool"},
        {"title": "x", "description": "y"},
        {"unique_id_from_tool": "two"},
    ),
    "unique id or hash, by id": (
        {"algorithm": "unique_id_from_tool_or_hash_code"},
        {"title": "x"},
        {"title": "x", "unique_id_from_tool": "two"},
    ),
    "unique id or hash, by hash": (
        {"algorithm": "unique_id_from_tool_or_hash_code"},
        {"unique_id_from_tool": "two"},
        {"unique_id_from_tool": "two", "description": "e"},
    ),
}


@pytest.mark.parametrize("case", POLICIES)
def test_policy_decides_what_matches(dojo: DefectDojoStandin, talk: Talk, case: str) -> None:
    policy, same, other = POLICIES[case]
    dojo.policy = {"MedDojo Scan (Generic Findings Import)": policy}
    base = FINDING | {"unique_id_from_tool": "one", "vuln_id_from_tool": "v"}
    for title, changes, created in (("same", same, 0), ("other", other, 1)):
        talk.upload({"type": "MedDojo", "findings": [base]}, title)
        delta = talk.delta({"type": "MedDojo", "findings": [base | changes]}, title)
        assert (delta["created"], delta["closed"]) == (created, created)
    test = talk.tests("same")[0]
    assert (test["deduplication_algorithm"], test["hash_code_fields"]) == (policy["algorithm"], policy.get("fields"))


def test_finding_without_unique_id_is_recreated_each_time(dojo: DefectDojoStandin, talk: Talk) -> None:
    dojo.policy = {"Generic Findings Import": {"algorithm": "unique_id_from_tool"}}
    talk.upload({"findings": [FINDING]})
    for _ in range(2):
        delta = talk.delta({"findings": [FINDING]})
        assert (delta["created"], delta["closed"]) == (1, 1)


def test_duplicates_are_marked_when_deduplication_is_on(dojo: DefectDojoStandin, talk: Talk) -> None:
    dojo.state.settings["enable_deduplication"] = True
    talk.upload({"type": "A", "findings": [FINDING]}, "a")
    talk.upload({"type": "B", "findings": [FINDING]}, "b")
    assert [row["duplicate"] for row in dojo.findings] == [False, True]
    refused = talk.call("PATCH", "findings/2/", json={"active": True})
    assert refused.json()["non_field_errors"] == ["Duplicate findings cannot be verified or active"]


def test_overlapping_uploads_into_one_test_are_counted(dojo: DefectDojoStandin, talk: Talk) -> None:
    talk.upload(REPORT)
    talk.upload(REPORT)
    assert dojo.overlaps == 0
    dojo.upload_seconds = 0.5
    threads = [threading.Thread(target=talk.upload, args=(REPORT, title)) for title in ("T", "T", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert dojo.overlaps == 1


def test_new_test_stands_at_half_while_an_upload_runs(dojo: DefectDojoStandin, talk: Talk) -> None:
    dojo.upload_seconds = 0.5
    thread = threading.Thread(target=talk.upload, args=(REPORT,))
    thread.start()
    seen = set()
    watcher = Talk(dojo.url, dojo.token)
    with watcher.session:
        while thread.is_alive():
            seen |= {test["percent_complete"] for test in watcher.get("tests/")["results"]}
            time.sleep(0.02)
    assert 50 in seen
    assert talk.tests("T")[0]["percent_complete"] == 100


def test_uploads_can_be_looked_at(dojo: DefectDojoStandin, talk: Talk) -> None:
    talk.upload(REPORT, tags=["a", "b"], version="1")
    sent = dojo.uploads[0]
    assert (sent["tags"], sent["version"], sent["test_title"]) == (["a", "b"], "1", "T")
    assert json.loads(sent["report"]) == REPORT


def test_report_arrives_byte_for_byte(dojo: DefectDojoStandin, talk: Talk) -> None:
    content = b'{"findings": [],\r\n "x": "\r\x0b\x0c\x1c\xc3\xa4\xff--\n\r"}'
    talk.upload(content)
    assert dojo.uploads[0]["report"] == content


def test_upload_in_chunks(dojo: DefectDojoStandin, talk: Talk) -> None:
    talk.upload(REPORT)
    prepared = requests.Request("POST", dojo.url, data=dojo.uploads[0], files={"file": ("r.json", b"{}")}).prepare()
    body = prepared.body
    assert isinstance(body, bytes)
    headers = {"Content-Type": prepared.headers["Content-Type"]}
    parts = (body[start : start + 100] for start in range(0, len(body), 100))
    answer = talk.call("POST", "reimport-scan/", data=parts, headers=headers)
    assert answer.json()["statistics"]["delta"]["closed"]["total"]["total"] == 1


def test_snapshots_of_two_servers_with_the_same_past_are_equal(dojo: DefectDojoStandin, talk: Talk) -> None:
    with DefectDojoStandin() as other:
        elsewhere = Talk(other.url, other.token, product="P")
        with elsewhere.session:
            elsewhere.upload(EMPTY, "unrelated", product_name="Q")
            elsewhere.upload(REPORT)
            talk.upload(EMPTY, "unrelated", product_name="Q")
            talk.upload(REPORT)
            assert other.snapshot() == dojo.snapshot()
            elsewhere.call("PATCH", "findings/1/", json={"epss_score": 0.5})
            assert other.snapshot() != dojo.snapshot()
    assert list(dojo.snapshot()["findings"]) == ["P / E / T / one"]


def test_ordinary_user_is_kept_within_authorised_products(dojo: DefectDojoStandin, talk: Talk) -> None:
    talk.upload(REPORT)
    token = dojo.add_user("ward")
    ward = Talk(dojo.url, token, product="P")
    with ward.session:
        assert ward.upload(REPORT).status_code == 403
        assert ward.call("GET", "findings/1/").status_code == 404
        assert ward.get("findings/")["count"] == 0
        dojo.authorise("ward", "P")
        assert ward.delta(REPORT) == UNTOUCHED
        assert ward.call("PATCH", "findings/1/", json={"severity": "Low"}).status_code == 200
        assert ward.call("GET", "system_settings/").status_code == 403
        created = ward.upload(REPORT, product_name="New")
        assert (created.status_code, created.json()) == (
            403,
            {"detail": 'No permission to create products in product_type "Parity"'},
        )


def test_five_thousand_findings_take_less_than_two_seconds(dojo: DefectDojoStandin, talk: Talk) -> None:
    long_text = "An allocation is used after it was freed. " * 20
    report = {
        "findings": [
            FINDING | {"title": f"CVE-2024-{n}", "description": long_text, "vulnerability_ids": [f"CVE-2024-{n}"]}
            for n in range(5000)
        ]
    }
    talk.upload(report)
    before = time.process_time()
    assert talk.delta(report)["untouched"] == 5000
    assert time.process_time() - before < 2


def start(*arguments: str) -> tuple[subprocess.Popen[str], Talk]:
    command = [sys.executable, "-m", "tests.standin", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url, token = process.stdout.readline().split()
    return process, Talk(url, token, product="P")


def test_runs_on_its_own_and_remembers(tmp_path: Path) -> None:
    arguments = ("--token", "planted", "--state", str(tmp_path / "state.json"))
    for outcome in ({"after": {"active": 1, "total": 1}}, UNTOUCHED):
        process, talk = start(*arguments)
        with talk.session, process:
            assert talk.token == "planted"
            assert talk.delta(REPORT) == outcome
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0
