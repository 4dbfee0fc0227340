"""Pushes day after day, against the stand-in and, where one is named, a real server."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment, StrictUndefined

from connectors.sinks import generic_findings
from connectors.sinks.defectdojo.plan import CLOSING_NOTE
from meddojo.errors import TransientError
from meddojo.finding import Stream
from meddojo.severity import Severity
from tests.connectors.sinks.defectdojo_ward import PERSONS_NOTE, Ward, counts, finding, listed
from tests.standin import DefectDojoStandin

UNCHANGED = (0, 0, 0, 0)
FIRST_DAY = (finding(1), finding(2, Severity.MEDIUM), finding(3, Severity.LOW))
# One gone, one new, one re-scored.
SECOND_DAY = (finding(1), finding(2, Severity.CRITICAL, epss=0.8), finding(4))
POLICIES = {
    "default": {},
    "legacy": {"algorithm": "legacy"},
    "hash of text": {"algorithm": "hash_code", "fields": ["title", "description"]},
    "hash of volatile fields": {"algorithm": "hash_code", "fields": ["severity", "component_version"]},
    "unique id": {"algorithm": "unique_id_from_tool"},
    "either": {"algorithm": "unique_id_from_tool_or_hash_code", "fields": ["severity", "component_version"]},
}


def standin_ward(folder: Path, dojo: DefectDojoStandin) -> Ward:
    return Ward(folder, dojo.url, dojo.token)


@pytest.fixture(params=["stand-in", "real server"])
def ward(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ward]:
    if request.param == "stand-in":
        with DefectDojoStandin() as dojo:
            made = standin_ward(tmp_path, dojo)
            yield made
            assert dojo.overlaps == 0
            assert not dojo.internal_errors
    else:
        url, token = os.environ.get("DEFECTDOJO_PARITY_URL"), os.environ.get("DEFECTDOJO_PARITY_TOKEN")
        if not url or not token:
            pytest.skip("no real server: set DEFECTDOJO_PARITY_URL and DEFECTDOJO_PARITY_TOKEN")
        made = Ward(tmp_path, url, token, f" {uuid.uuid4().hex[:8]}")
        yield made
    made.close()


@pytest.fixture
def dojo() -> Iterator[DefectDojoStandin]:
    with DefectDojoStandin() as server:
        yield server
        assert server.overlaps == 0
        assert not server.internal_errors


def test_three_pushes(ward: Ward) -> None:
    first = ward.push(*FIRST_DAY)
    assert counts(first) == (3, 0, 0, 0)
    second = ward.push(*FIRST_DAY)
    assert counts(second) == UNCHANGED
    assert second.untouched == 3
    third = ward.push(*SECOND_DAY)
    assert counts(third) == (1, 1, 0, 1)
    assert ward.open() == {1, 2, 4}
    assert ward.row(2)["severity"] == "Critical"
    assert ward.row(2)["epss_score"] == 0.8
    assert ward.notes(3) == [CLOSING_NOTE]
    # Reading takes three requests (type, tests, findings); acting one each, and two to see that it worked.
    assert (first.requests, second.requests, third.requests) == (first.requests, 3, 8)
    assert first.requests <= 6
    assert counts(ward.push(*SECOND_DAY)) == UNCHANGED


def test_the_ledger_lost_in_between(ward: Ward) -> None:
    ward.push(*FIRST_DAY)
    ward.lose_ledger()
    assert counts(ward.push(*FIRST_DAY)) == UNCHANGED
    ward.lose_ledger()
    # Without a memory nobody knows whose severity it is, so it stays; every fact is brought up to date.
    assert counts(ward.push(*SECOND_DAY)) == (1, 1, 0, 1)
    assert ward.row(2)["severity"] == "Medium"
    assert ward.row(2)["epss_score"] == 0.8
    assert counts(ward.push(*SECOND_DAY)) == UNCHANGED
    ward.lose_ledger()
    assert counts(ward.push(*FIRST_DAY)) == (0, 1, 1, 1)
    assert ward.open() == {1, 2, 3}


def test_the_device_spelled_anew(ward: Ward) -> None:
    ward.push(*FIRST_DAY)
    before = {row["id"] for row in ward.findings()}
    name = ward.product(ward.row(1))["name"]
    ward.device = replace(ward.device, vendor="ACME Medical Inc.", model="Infuser-3000 Plus", version="2.0")
    renamed = ward.push(*FIRST_DAY)
    # The impact names the device, and is brought up to date.
    assert counts(renamed) == (0, 0, 0, 3)
    assert {row["id"] for row in ward.findings()} == before
    # A stream that is new keeps to the product of the device, however that is called by now.
    ward.push(finding(7), stream=Stream.SUPPLY_CHAIN)
    products = {ward.product(row)["name"] for row in ward.findings()}
    assert products == {name}


def test_changed_texts_recreate_nothing(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    ward.push(*FIRST_DAY)
    before = {row["id"]: row["description"] for row in ward.findings()}
    fields = ("description", "impact", "mitigation", "steps_to_reproduce", "severity_justification")
    texts = {f"finding/{field}.md.j2": f"{field}: {{{{ finding.check }}}}, told otherwise" for field in fields}
    environment = Environment(loader=DictLoader(texts), undefined=StrictUndefined)  # noqa: S701
    monkeypatch.setattr(generic_findings, "_template", environment.get_template)
    changed = [replace(each, title=f"Told otherwise: {each.check}") for each in FIRST_DAY]
    assert counts(ward.push(*changed)) == (0, 0, 0, 3)
    assert counts(ward.push(*changed)) == UNCHANGED
    assert {row["id"]: row["description"] for row in ward.findings()} == before
    assert ward.row(1)["impact"].startswith("impact: CVE-2024-0001")
    # With one new and one gone an upload takes place; the others are still themselves.
    assert counts(ward.push(*changed[1:], finding(4))) == (1, 1, 0, 0)
    assert ward.open() == {2, 3, 4}


def test_a_stranger_edits_title_and_description_and_the_ledger_is_lost(ward: Ward) -> None:
    ward.push(*FIRST_DAY)
    ward.edit(1, title="Our own words", description="Our own description")
    ward.decide(2, "risk_accepted")
    ward.lose_ledger()
    assert counts(ward.push(finding(1), finding(4))) == (1, 1, 0, 0)
    assert ward.open() == {1, 4}
    assert ward.row(2)["risk_accepted"]
    assert ward.row(1)["description"] == "Our own description"


@pytest.mark.parametrize("policy", POLICIES)
def test_every_dedupe_policy(tmp_path: Path, dojo: DefectDojoStandin, policy: str) -> None:
    if POLICIES[policy]:
        dojo.policy = {"MedDojo Scan (Generic Findings Import)": POLICIES[policy]}
    ward = standin_ward(tmp_path, dojo)
    assert counts(ward.push(*FIRST_DAY)) == (3, 0, 0, 0)
    assert counts(ward.push(*FIRST_DAY)) == UNCHANGED
    assert counts(ward.push(*SECOND_DAY)) == (1, 1, 0, 1)
    assert counts(ward.push(*SECOND_DAY)) == UNCHANGED
    ward.decide(1, "risk_accepted")
    ward.lose_ledger()
    assert counts(ward.push(finding(4), finding(5))) == (1, 1, 0, 0)
    assert ward.row(1)["risk_accepted"]
    assert ward.open() == {4, 5}
    ward.close()


def test_fields_that_cannot_tell_findings_apart(tmp_path: Path, dojo: DefectDojoStandin) -> None:
    """With such a policy a reimport of all findings would close all but one of those that look alike."""
    dojo.policy = {"MedDojo Scan (Generic Findings Import)": {"algorithm": "hash_code", "fields": ["severity"]}}
    ward = standin_ward(tmp_path, dojo)
    ward.push(finding(1), finding(2), finding(3))
    assert counts(ward.push(finding(1), finding(2), finding(4, Severity.LOW))) == (1, 1, 0, 0)
    assert ward.open() == {1, 2, 4}
    # One that looks like another cannot be created, and whoever set the policy is told.
    with pytest.raises(TransientError, match="does not keep what it is given") as caught:
        ward.run((finding(1), finding(2), finding(4, Severity.LOW), finding(5)))
    assert "hash_code over severity" in caught.value.hint
    assert ward.open() == {1, 2, 4}
    ward.close()


@pytest.mark.parametrize("decision", ["false_p", "out_of_scope", "risk_accepted", "mitigated"])
def test_a_decision_survives_five_runs(ward: Ward, decision: str) -> None:
    ward.push(*FIRST_DAY)
    ward.write(1, "Ask the vendor.")
    ward.edit(1, tags=["ward-7", "meddojo"])
    ward.decide(1, decision)
    decided = ward.row(1)
    for day in range(5):
        told = finding(1, epss=0.2 + day / 10)
        ward.push(told if day != 3 else listed(told), finding(2, Severity.MEDIUM, epss=day / 10), finding(10 + day))
        assert ward.verdicts()[1] == {"false_p": "false positive"}.get(decision, decision.replace("_", " "))
    after = ward.row(1)
    kept = ("is_mitigated", "mitigated", "false_p", "out_of_scope", "risk_accepted", "active", "verified", "tags")
    assert {name: after[name] for name in kept} == {name: decided[name] for name in kept}
    assert "Ask the vendor." in ward.notes(1)
    assert ward.notes(1) == sorted(note["entry"] for note in decided["notes"])
    assert ward.open() == {2, 14}
    if decision == "mitigated":
        (heard,) = [each for each in ward.decisions if each.identity == ward.identity(1)]
        assert heard.justification == PERSONS_NOTE


def test_a_severity_set_by_a_person_survives(ward: Ward) -> None:
    ward.push(finding(1, Severity.MEDIUM), finding(2))
    ward.edit(1, severity="Critical")
    for day, ours in enumerate((Severity.LOW, Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)):
        ward.push(finding(1, ours, epss=day / 10), finding(10 + day))
        assert ward.row(1)["severity"] == "Critical"
    assert ward.row(1)["epss_score"] == 0.4
    ward.lose_ledger()
    for day in range(3):
        ward.push(finding(1, Severity.LOW, epss=0.5 + day / 10))
        assert ward.row(1)["severity"] == "Critical"


def test_an_accepted_risk_that_is_gone_stays_accepted(ward: Ward) -> None:
    ward.push(*FIRST_DAY)
    ward.decide(1, "risk_accepted")
    assert counts(ward.push(finding(2, Severity.MEDIUM))) == (0, 1, 0, 0)
    accepted = ward.row(1)
    assert accepted["risk_accepted"]
    assert not accepted["is_mitigated"]
    assert counts(ward.push(finding(2, Severity.MEDIUM))) == UNCHANGED


@pytest.mark.parametrize("lost", [False, True])
def test_what_a_person_reopened_is_not_closed_again(ward: Ward, lost: bool) -> None:
    ward.push(*FIRST_DAY)
    ward.push(*FIRST_DAY[1:])
    ward.edit(1, active=True)
    if lost:
        ward.lose_ledger()
    for _ in range(2):
        assert counts(ward.push(*FIRST_DAY[1:])) == UNCHANGED
    assert ward.open() == {1, 2, 3}
    # Reported again and gone again, it is ours to close.
    ward.push(*FIRST_DAY)
    assert counts(ward.push(*FIRST_DAY[1:])) == (0, 1, 0, 0)
    assert ward.open() == {2, 3}


@pytest.mark.parametrize("lost", [False, True])
def test_what_we_closed_is_reactivated_when_it_returns(ward: Ward, lost: bool) -> None:
    ward.push(*FIRST_DAY)
    ward.push(*FIRST_DAY[1:])
    if lost:
        ward.lose_ledger()
    assert not ward.push(*FIRST_DAY[1:]).closed
    assert 1 not in ward.verdicts()
    assert counts(ward.push(*FIRST_DAY)) == (0, 0, 1, 0)
    assert ward.row(1)["active"]
    assert ward.open() == {1, 2, 3}
    # A person who then closes it has the last word, whatever the older note says.
    ward.decide(1, "mitigated")
    if lost:
        ward.lose_ledger()
    assert counts(ward.push(*FIRST_DAY)) == UNCHANGED
    assert ward.verdicts() == {1: "mitigated"}


@pytest.mark.parametrize("decision", ["false_p", "out_of_scope"])
def test_what_a_person_judged_after_our_closing_is_not_reopened(ward: Ward, decision: str) -> None:
    ward.push(*FIRST_DAY)
    ward.push(*FIRST_DAY[1:])
    ward.decide(1, decision)
    for _ in range(2):
        assert counts(ward.push(*FIRST_DAY)) == UNCHANGED
    assert ward.row(1)[decision]


def test_findings_of_others_are_left_alone(ward: Ward) -> None:
    ward.push(*FIRST_DAY)
    ward.add_foreign("Cable torn")
    assert counts(ward.push(*FIRST_DAY)) == UNCHANGED
    assert counts(ward.push(finding(1))) == (0, 2, 0, 0)
    (foreign,) = [row for row in ward.findings() if row["title"] == "Cable Torn"]
    assert foreign["active"]
    assert not foreign["is_mitigated"]
    ward.lose_ledger()
    ward.push()
    (foreign,) = [row for row in ward.findings() if row["title"] == "Cable Torn"]
    assert foreign["active"]


def test_nothing_is_closed_while_the_stream_is_in_doubt(ward: Ward) -> None:
    ward.push(*FIRST_DAY)
    assert counts(ward.push(complete=False)) == UNCHANGED
    assert counts(ward.push(finding(1), finding(4), complete=False)) == (1, 0, 0, 0)
    assert ward.open() == {1, 2, 3, 4}
    assert counts(ward.push(finding(1), finding(4))) == (0, 2, 0, 0)
    assert ward.open() == {1, 4}


def test_the_server_is_never_asked_to_close_by_itself(tmp_path: Path, dojo: DefectDojoStandin) -> None:
    """What is not in an upload is not gone; only findings that are gone are closed, by their number."""
    ward = standin_ward(tmp_path, dojo)
    for complete in (True, False):
        ward.push(*FIRST_DAY, complete=complete)
        ward.push(*SECOND_DAY, complete=complete)
    assert [upload["close_old_findings"] for upload in dojo.uploads] == ["false"] * len(dojo.uploads)
    assert dojo.count("POST", "/api/v2/findings/") == 1
    ward.close()


def test_a_copy_of_a_finding_is_closed_with_it(tmp_path: Path, dojo: DefectDojoStandin) -> None:
    ward = standin_ward(tmp_path, dojo)
    ward.push(*FIRST_DAY)
    copy = dict(dojo.findings[0], notes=[])
    dojo.state.insert("findings", copy)
    assert counts(ward.push(*FIRST_DAY)) == UNCHANGED
    assert counts(ward.push(*FIRST_DAY[1:])) == (0, 2, 0, 0)
    assert copy["is_mitigated"]
    ward.close()


def test_a_renamed_test_is_found_by_its_number(tmp_path: Path, dojo: DefectDojoStandin) -> None:
    ward = standin_ward(tmp_path, dojo)
    ward.push(*FIRST_DAY)
    ward.api("PATCH", f"tests/{ward.tests()[0]['id']}/", json={"title": "Pump, ward 7"})
    ward.decide(1, "false_p")
    assert counts(ward.push(*SECOND_DAY)) == (1, 1, 0, 1)
    assert ward.verdicts() == {1: "false positive"}
    assert len(ward.tests()) == 1
    ward.close()


@pytest.mark.parametrize("attempts", [1, 2])
def test_few_attempts_are_enough_when_nothing_fails(tmp_path: Path, dojo: DefectDojoStandin, attempts: int) -> None:
    ward = Ward(tmp_path, dojo.url, dojo.token, attempts=attempts)
    assert counts(ward.push(*FIRST_DAY)) == (3, 0, 0, 0)
    assert counts(ward.push(*SECOND_DAY)) == (1, 1, 0, 1)
    ward.close()


def test_a_finding_a_person_deleted_meanwhile(tmp_path: Path, dojo: DefectDojoStandin) -> None:
    ward = standin_ward(tmp_path, dojo)
    ward.push(*FIRST_DAY)
    sink = ward.sink()
    list(sink.listen([ward.device]))
    del dojo.state.tables["findings"][ward.row(2)["id"]]
    ward.sink = lambda: sink  # type: ignore[method-assign]
    assert ward.push(*SECOND_DAY).created == 2
    assert ward.open() == {1, 2, 4}
    ward.close()
