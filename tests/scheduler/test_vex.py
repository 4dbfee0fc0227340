"""VEX in and out, end to end: what is stated is no work, and what we state suppresses exactly what it should."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from meddojo.finding import Decision, Finding, Stream, Verdict
from tests.scheduler.conftest import GATEWAY, Hospital

DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)
FORMATS = ("csaf", "openvex", "cyclonedx")
NOTES = (
    (Verdict.FALSE_POSITIVE, "component_not_present: removed from our image"),
    (Verdict.FALSE_POSITIVE, "the scanner took another library for it"),
    (Verdict.MITIGATED, "hotfix 7 installed"),
    (Verdict.MITIGATED, "firewall rule 12; no patch exists"),
    (Verdict.RISK_ACCEPTED, "isolated network"),
    (Verdict.OUT_OF_SCOPE, "belongs to IT"),
)


def decide(hospital: Hospital, notes: tuple[tuple[Verdict, str], ...] = NOTES) -> dict[str, Finding]:
    """Decide about the first findings of the gateway; return them by note."""
    findings = [each for each in hospital.findings().values() if not each.needs_review][: len(notes)]
    decisions = [
        Decision(finding.identity, verdict, "defectdojo", "https://dojo.example.org/1", DAY + timedelta(days=day), note)
        for day, (finding, (verdict, note)) in enumerate(zip(findings, notes, strict=True))
    ]
    with hospital.store() as store:
        store.findings.keep_decisions("defectdojo", [GATEWAY], decisions)
    return {note: finding for finding, (_, note) in zip(findings, notes, strict=True)}


@pytest.fixture
def speaking(hospital: Hospital) -> Hospital:
    """The example, with somebody who speaks."""
    text = hospital.config.read_text("utf-8")
    section = '\n[vex]\nauthor = "Example Hospital"\nnamespace = "https://hospital.example.org"\n'
    hospital.config.write_text(text + section, "utf-8")
    return hospital


def written(hospital: Hospital, form: str, device: str = GATEWAY) -> Any:
    done = hospital.cli("vex", "--device", device, "--format", form, "--quiet")
    assert done.code == 0, done.stderr
    return done.result


@pytest.mark.parametrize("form", FORMATS)
def test_round_trip(speaking: Hospital, form: str) -> None:
    decided = decide(speaking)
    before = {
        finding.check for device in ("dicom-router", "telemetry-mx40") for finding in speaking.findings(device).values()
    }
    file = speaking.folder / "own.vex.json"
    assert speaking.cli("vex", "-d", GATEWAY, "-f", form, "-o", file).code == 0
    assert speaking.cli("import", file, "--store-only").code == 0
    outcome = speaking.run(pull=False)
    cleared = {check for check, finding in speaking.findings().items() if finding.suppressed}
    notes = [NOTES[0][1], NOTES[1][1], NOTES[2][1]]
    assert cleared == {decided[note].check for note in notes}
    delivered = {
        finding.check
        for finding in outcome.findings
        if finding.device_id == GATEWAY and finding.stream is Stream.VULNERABILITIES
    }
    assert delivered == set(speaking.findings()) - cleared and outcome.answered == 3
    assert not outcome.doubts
    for device in ("dicom-router", "telemetry-mx40"):
        assert not any(finding.suppressed for finding in speaking.findings(device).values())
        assert {finding.check for finding in speaking.findings(device).values()} <= before
    reason = speaking.findings()[decided[notes[0]].check].suppressed
    assert "Example Hospital" in reason and "removed from our image" in reason
    assert "2026-03-01" in reason or form == "csaf"
    # read back, it states the same as before: the version does not move
    assert written(speaking, form) == json.loads(file.read_text("utf-8"))


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_else_changes_with_our_own_statement(speaking: Hospital, form: str) -> None:
    """A device of the same vendor and model is another device."""
    decide(speaking)
    file = speaking.folder / "own.json"
    file.write_text(json.dumps(written(speaking, form)), "utf-8")
    speaking.replace("inventory.toml", f'id = "{GATEWAY}"', 'id = "other-gateway"')
    speaking.replace("meddojo.toml", f'device = "{GATEWAY}"', 'device = "other-gateway"')
    speaking.run(pull=False)
    before = speaking.findings("other-gateway")
    assert before
    assert speaking.cli("import", file, "--store-only").code == 0
    speaking.run(pull=False)
    assert speaking.findings("other-gateway") == before


def test_all_findings_of_a_stream_may_be_answered_without_doubt(hospital: Hospital) -> None:
    """The guard against shrunken streams takes answered findings for explained."""
    checks = sorted(hospital.findings())
    statements = [
        {"vulnerability": {"name": check}, "status": "not_affected", "justification": "component_not_present"}
        for check in checks
    ]
    document = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://vendor.example.org/vex/1",
        "author": "Vendor",
        "timestamp": "2026-01-01T00:00:00Z",
        "version": 1,
        "statements": [each | {"products": [{"@id": "pkg:oci/gateway-image"}]} for each in statements],
    }
    file = hospital.folder / "all.json"
    file.write_text(json.dumps(document), "utf-8")
    done = hospital.cli("import", file, "--device", GATEWAY, "--json")
    assert done.result["answered"] == len(checks) and not done.result["doubts"]
    # What sums them up goes with them.
    assert done.result["changes"]["gone"] == 1 and not hospital.findings(stream=Stream.SUPPLY_CHAIN)
    page = (hospital.folder / "report" / "report.html").read_text("utf-8")
    assert "Stated not affected or fixed" in page and "Vendor states" in page
    sent = json.loads((hospital.folder / "report" / "findings.json").read_text("utf-8"))
    assert not any(
        row["unique_id_from_tool"] in {f.identity for f in hospital.findings().values()} for row in sent["findings"]
    )
    # withdrawn, they are work again
    statements = [
        each | {"status": "under_investigation", "products": [{"@id": "pkg:oci/gateway-image"}]} for each in statements
    ]
    file.write_text(json.dumps(document | {"statements": statements, "timestamp": "2026-01-02T00:00:00Z"}), "utf-8")
    assert hospital.cli("import", file, "--device", GATEWAY, "--json").result["answered"] == 0
    assert all("vex-under-investigation" in finding.tags for finding in hospital.findings().values())


def test_an_updated_device_is_no_longer_what_a_person_named(hospital: Hospital) -> None:
    check = min(hospital.findings())
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": "2026-01-01T00:00:00Z",
            "component": {"type": "device", "bom-ref": "x", "name": "Box"},
        },
        "vulnerabilities": [{"id": check, "analysis": {"state": "false_positive"}, "affects": [{"ref": "x"}]}],
    }
    file = hospital.folder / "one.json"
    file.write_text(json.dumps(document), "utf-8")
    assert hospital.cli("import", file, "--device", GATEWAY, "--json").result["answered"] == 1
    hospital.replace("inventory.toml", 'version = "4.2.0"', 'version = "4.2.1"')
    assert hospital.run(pull=False).answered == 0


def test_versions_move_with_the_content_only(speaking: Hospital) -> None:
    decide(speaking)
    first = written(speaking, "csaf")
    assert first["document"]["tracking"]["version"] == "1"
    assert written(speaking, "csaf") == first
    assert written(speaking, "openvex")["version"] == written(speaking, "cyclonedx")["version"] == 1
    decide(speaking, (*NOTES[:5], (Verdict.RISK_ACCEPTED, "after all")))
    second = written(speaking, "csaf")["document"]["tracking"]
    assert second["version"] == "2" and second["id"] == first["document"]["tracking"]["id"]
    assert [each["number"] for each in second["revision_history"]] == ["1", "2"]
    assert second["initial_release_date"] == first["document"]["tracking"]["initial_release_date"]
    assert second["current_release_date"] > second["initial_release_date"]


def test_what_the_command_refuses(hospital: Hospital, speaking: Hospital) -> None:
    for words, said in (
        (("--device", GATEWAY, "--format", "csav"), "did you mean csaf"),
        (("--device", "infusion-gatewya"), "did you mean 'infusion-gateway'"),
        (("--device", "ultrasound-logiq-100"), None),
        (("--device", GATEWAY, "--output", hospital.folder / "no" / "such" / "folder.json"), "--output"),
    ):
        done = speaking.cli("vex", *words)
        if said:
            assert done.code == 2 and said in done.stderr
    text = speaking.config.read_text("utf-8")
    speaking.config.write_text(text.replace('author = "Example Hospital"', 'author = ""'), "utf-8")
    done = speaking.cli("vex", "--device", GATEWAY)
    assert done.code == 2 and "vex.author is not set" in done.stderr
    speaking.config.write_text(text.replace("https://hospital.example.org", "hospital"), "utf-8")
    done = speaking.cli("vex", "--device", GATEWAY)
    assert done.code == 2 and "not a web address" in done.stderr


def test_reports_of_a_whole_folder(fresh: Hospital) -> None:
    scans = fresh.folder / "many"
    scans.mkdir()
    report = fresh.scan.read_bytes()
    (scans / f"{GATEWAY}.grype.json").write_bytes(report)
    (scans / f"{GATEWAY}.image2.grype.json").write_bytes(report)
    (scans / "unknown-device.grype.json").write_bytes(report)
    (scans / "README.md").write_text("not a report", "utf-8")
    rule = f'device = "{GATEWAY}"\nfile = "scans/infusion-gateway.grype.json"'
    fresh.replace("meddojo.toml", rule, 'folder = "many"\npattern = "{device}.grype.json"')
    outcome = fresh.run()
    told = [each for each in outcome.skipped if each.origin.endswith("many")]
    assert len(told) == 1 and told[0].reason.startswith("2 of 3 files match no device of the inventory: ")
    assert "unknown-device.grype.json" in told[0].reason and "image2" in told[0].reason
    with fresh.store() as store:
        (kept,) = store.evidence.scans(GATEWAY)
        assert kept.matches
    assert fresh.findings()


def test_a_folder_that_is_gone_is_told_and_reports_stand(hospital: Hospital) -> None:
    rule = f'device = "{GATEWAY}"\nfile = "scans/infusion-gateway.grype.json"'
    hospital.replace("meddojo.toml", rule, 'folder = "gone"\npattern = "{device}.grype.json"')
    before = set(hospital.findings())
    outcome = hospital.run(pull=False)
    assert any("no such folder" in each.reason for each in outcome.skipped)
    assert set(hospital.findings()) == before


def test_a_configured_vex_counts_every_night(hospital: Hospital) -> None:
    check = min(hospital.findings())
    document = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://vendor.example.org/vex/2",
        "author": "Vendor",
        "timestamp": "2026-01-01T00:00:00Z",
        "version": 1,
        "statements": [{"vulnerability": {"name": check}, "status": "fixed", "products": [{"@id": "pkg:oci/x"}]}],
    }
    (hospital.folder / "scans" / f"{GATEWAY}.openvex.json").write_text(json.dumps(document), "utf-8")
    text = hospital.config.read_text("utf-8")
    hospital.config.write_text(text + '\n[[scans]]\nfolder = "scans"\npattern = "{device}.openvex.json"\n', "utf-8")
    assert hospital.run(pull=False).answered == 1
    assert hospital.run(pull=False).change.changed == 0


def test_csaf_vex_is_an_advisory_too(speaking: Hospital, tmp_path: Path) -> None:
    """What it says is affected may be one of our devices."""
    decide(speaking)
    text = json.dumps(written(speaking, "csaf")).replace("urn:meddojo:device:", "CSAFPID-")
    file = tmp_path / "other.json"
    file.write_text(text, "utf-8")
    before = {state.name: state.records for state in states_of(speaking)}
    assert speaking.cli("import", file, "--store-only").code == 0
    after = {state.name: state.records for state in states_of(speaking)}
    assert after["csaf"] == before["csaf"] + 1
    with speaking.store() as store:
        assert [each.id for each in store.vex.documents()] == [f"MEDDOJO-VEX-{GATEWAY}"]


def states_of(hospital: Hospital) -> Any:
    with hospital.store() as store:
        return store.records.states()


def test_doctor_looks_for_the_folder(hospital: Hospital) -> None:
    text = hospital.config.read_text("utf-8")
    hospital.config.write_text(text + '\n[[scans]]\nfolder = "nowhere"\npattern = "{device}.json"\n', "utf-8")
    done = hospital.cli("doctor")
    assert done.code == 2 and "no such folder" in done.stdout
