from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from meddojo.case import Case
from meddojo.device import Device
from meddojo.errors import ConfigError, MeddojoError, TransientError
from meddojo.finding import Decision, Finding, Stream, Verdict
from meddojo.interface import Delivery, RunContext, StreamResult
from meddojo.severity import Severity
from meddojo.store.findings import Change, StreamState
from scheduler import casework, delivery
from scheduler.casework import _state, _states
from scheduler.gate import ExitCode
from scheduler.pipeline import Outcome, find_device
from tests.scheduler.conftest import GATEWAY, Hospital

NOTHING = Change(0, 0, 0)


def of(outcome: Outcome, device: str = GATEWAY) -> StreamResult:
    """The stream of vulnerabilities of one device, as the sinks were given it."""
    (result,) = (each for each in outcome.results if each.device.id == device and each.stream is Stream.VULNERABILITIES)
    return result


def emptied(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"matches": []}


def identities(outcome: Outcome) -> set[str]:
    return {finding.identity for finding in outcome.findings}


def test_the_first_run_finds_everything_new_and_delivers_it(whole_first_run: tuple[Path, Outcome]) -> None:
    folder, outcome = whole_first_run
    assert outcome.code is ExitCode.CLEAN
    assert outcome.change == Change(new=len(outcome.findings)) and len(outcome.findings) > 70
    assert outcome.devices == 31 and not outcome.skipped and not outcome.doubts
    assert all(result.complete for result in outcome.results)
    delivered = json.loads((folder / "report" / "findings.json").read_text("utf-8"))["findings"]
    assert {each["unique_id_from_tool"] for each in delivered} == identities(outcome)


def test_a_second_run_changes_nothing(whole: Hospital, whole_first_run: tuple[Path, Outcome]) -> None:
    before, report = whole.contents(), whole.report()
    outcome = whole.run()
    assert outcome.code is ExitCode.CLEAN and outcome.change == NOTHING
    assert identities(outcome) == identities(whole_first_run[1])
    assert whole.contents() == before
    assert whole.report() == report


def test_every_device_is_told_to_the_sinks_even_one_without_findings(first_run: tuple[Path, Outcome]) -> None:
    assert of(first_run[1], "telemetry-mx40") == StreamResult(
        of(first_run[1], "telemetry-mx40").device, Stream.VULNERABILITIES, ()
    )


@pytest.mark.parametrize(
    ("feed", "source"),
    [("csaf", "feeds/csaf"), ("nvd", "feeds/nvd"), ("kev", "feeds/kev.json"), ("epss", "feeds/epss.csv")],
)
def test_a_feed_that_is_down_changes_no_finding_and_closes_nothing(hospital: Hospital, feed: str, source: str) -> None:
    before = hospital.contents()
    path = hospital.folder / source
    path.rename(path.with_name("gone"))
    outcome = hospital.run()
    assert outcome.code is ExitCode.INCOMPLETE and outcome.change == NOTHING
    assert [skipped.origin for skipped in outcome.skipped] == [f"feed {feed}"]
    assert path.name in outcome.skipped[0].reason
    assert all(not result.complete and f"could not be read: {feed}" in result.doubt for result in outcome.results)
    after = hospital.contents()
    assert after["finding"] == before["finding"] and after["vulnerability"] == before["vulnerability"]

    path.with_name("gone").rename(path)
    outcome = hospital.run()
    assert outcome.code is ExitCode.CLEAN and outcome.change == NOTHING, "and all is well again the next night"
    assert hospital.contents() == before


def test_how_a_failed_feed_stands_is_remembered_with_its_last_success(hospital: Hospital) -> None:
    with hospital.store() as store:
        (before,) = (state for state in store.records.states() if state.name == "kev")
    (hospital.folder / "feeds" / "kev.json").unlink()
    hospital.run()
    with hospital.store() as store:
        (after,) = (state for state in store.records.states() if state.name == "kev")
    assert after.last_success == before.last_success and after.records == before.records == 6
    assert after.last_attempt and before.last_attempt and after.last_attempt > before.last_attempt
    assert "kev.json" in after.problem


def test_an_emptied_scan_report_is_doubted_until_somebody_accepts_it(hospital: Hospital) -> None:
    known = len(hospital.findings())
    hospital.rewrite(hospital.scan, emptied)
    for _ in range(2):
        outcome = hospital.run()
        result = of(outcome)
        assert outcome.code is ExitCode.INCOMPLETE and not result.complete
        assert result.doubt == (
            f"{known} findings before, {len(result.findings)} now; if that is right, run again with --accept-shrink"
        )
        assert all(each.complete for each in outcome.results if each.device.id != GATEWAY), "the others may close"
    accepted = hospital.run(accept_shrink=True)
    assert accepted.code is ExitCode.CLEAN and of(accepted).complete and not of(accepted).doubt
    again = hospital.run()
    assert again.code is ExitCode.CLEAN and of(again).complete and again.change == NOTHING


def test_a_scan_report_that_comes_back_ends_the_doubt(hospital: Hospital, first_run: tuple[Path, Outcome]) -> None:
    good = hospital.scan.read_text()
    hospital.rewrite(hospital.scan, emptied)
    gone = hospital.run().change.gone
    assert gone > 0
    hospital.scan.write_text(good)
    outcome = hospital.run()
    assert outcome.code is ExitCode.CLEAN and outcome.change == Change(new=gone, changed=outcome.change.changed)
    assert identities(outcome) == identities(first_run[1])


@pytest.mark.parametrize("content", [b"", b'{"matches": [', b"\x1f\x8bgarbage", b"{}"])
def test_a_failed_scan_leaves_yesterdays_truth_standing(hospital: Hospital, content: bytes) -> None:
    before = hospital.findings()
    hospital.scan.write_bytes(content)
    outcome = hospital.run()
    assert outcome.code is ExitCode.INCOMPLETE and outcome.change == NOTHING
    assert [skipped.origin for skipped in outcome.skipped] == [str(hospital.scan)]
    assert not of(outcome).complete and "its scan report could not be read" in of(outcome).doubt
    assert of(outcome, "dicom-router").complete
    assert hospital.findings() == before


def test_a_scan_report_that_is_missing_is_a_failed_one(hospital: Hospital) -> None:
    before = hospital.findings()
    hospital.scan.unlink()
    outcome = hospital.run()
    assert outcome.code is ExitCode.INCOMPLETE and outcome.change == NOTHING
    assert not of(outcome).complete and hospital.findings() == before


NOTHING_INSIDE = '{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": []}'
ONLY_ITSELF = """{"bomFormat": "CycloneDX", "specVersion": "1.5",
    "metadata": {"component": {"bom-ref": "1", "type": "device", "name": "gateway"}}}"""


@pytest.mark.parametrize("content", [NOTHING_INSIDE, ONLY_ITSELF])
def test_an_sbom_that_lists_nothing_leaves_its_forerunner_standing(hospital: Hospital, content: str) -> None:
    before = hospital.contents()
    sbom = hospital.folder / "sboms" / "infusion-gateway.cdx.json"
    sbom.write_text(content)
    outcome = hospital.run()
    assert outcome.code is ExitCode.INCOMPLETE and outcome.change == NOTHING
    assert "its SBOM could not be read" in of(outcome).doubt and "lists no component" in of(outcome).doubt
    assert hospital.contents()["sbom"] == before["sbom"] and hospital.contents()["finding"] == before["finding"]


def drop_vulnerabilities(hospital: Hospital, share: float, monkeypatch: pytest.MonkeyPatch) -> int:
    """Let tonight's judgement lose this share of the gateway's findings; returns how many there were."""
    known = sorted(hospital.findings())
    lost = set(known[: round(len(known) * share)])

    class Forgetful:
        name = "forgetful"

        def judge(self, case: Case, findings: Sequence[Finding]) -> Sequence[Finding]:
            return [each for each in findings if case.device.id != GATEWAY or each.check not in lost]

    original = casework.analyzers
    monkeypatch.setattr(casework, "analyzers", lambda config: (*original(config), Forgetful()))
    return len(known)


def test_a_stream_shrunken_by_60_percent_is_doubted_and_accepted_on_demand(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = drop_vulnerabilities(hospital, 0.6, monkeypatch)
    outcome = hospital.run()
    assert outcome.code is ExitCode.INCOMPLETE and not of(outcome).complete
    assert f"{known} findings before, {known - round(known * 0.6)} now" in of(outcome).doubt
    assert hospital.run(accept_shrink=True).code is ExitCode.CLEAN


def test_a_stream_shrunken_by_40_percent_is_believed(hospital: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    drop_vulnerabilities(hospital, 0.4, monkeypatch)
    outcome = hospital.run()
    assert outcome.code is ExitCode.CLEAN and of(outcome).complete and outcome.change.gone > 0


def test_the_limit_of_shrinking_is_configurable(hospital: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    drop_vulnerabilities(hospital, 0.4, monkeypatch)
    hospital.config.write_text(hospital.config.read_text() + "[delivery]\nshrink_limit = 0.3\n")
    assert hospital.run().code is ExitCode.INCOMPLETE


def test_the_supply_chain_is_in_doubt_when_the_vulnerabilities_are_and_goes_when_they_go() -> None:
    def stands(count: int, known: int, doubt: str = "") -> Mapping[Stream, StreamState]:
        finding = Finding(Stream.VULNERABILITIES, DEVICE.id, "CVE-1", "", Severity.HIGH, "", 1.0)
        before = {Stream.VULNERABILITIES: StreamState(known, "2.0"), Stream.SUPPLY_CHAIN: StreamState(1, "2.0")}
        return _states(DEVICE, [finding] * count, before, doubt, 0.5)

    believed = stands(3, 5)
    assert not believed[Stream.SUPPLY_CHAIN].doubt and believed[Stream.SUPPLY_CHAIN].trusted_findings == 0
    doubted = stands(2, 5)
    assert doubted[Stream.SUPPLY_CHAIN].doubt == doubted[Stream.VULNERABILITIES].doubt != ""
    assert doubted[Stream.SUPPLY_CHAIN].trusted_findings == 1
    assert stands(5, 5, "a feed failed")[Stream.SUPPLY_CHAIN].doubt == "a feed failed"


def test_an_update_of_the_device_explains_a_shrink(hospital: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    drop_vulnerabilities(hospital, 0.6, monkeypatch)
    hospital.replace("inventory.toml", 'version = "4.2.0"', 'version = "5.0.0"')
    outcome = hospital.run()
    assert outcome.code is ExitCode.CLEAN and of(outcome).complete and outcome.change.gone > 0


def test_a_real_update_closes_what_it_fixes(hospital: Hospital) -> None:
    assert len(hospital.findings("dicom-router")) == 6
    hospital.replace("inventory.toml", 'version = "3.6.6"', 'version = "3.9.9"')
    hospital.replace("inventory.toml", "dcmtk:3.6.6:", "dcmtk:3.9.9:")
    hospital.replace("inventory.toml", "dcmtk@3.6.6", "dcmtk@3.9.9")
    outcome = hospital.run()
    assert of(outcome, "dicom-router").complete and outcome.change.gone >= 4
    assert outcome.code is ExitCode.CLEAN


DEVICE = Device("d", "v", "m", "2.0")


@pytest.mark.parametrize(
    ("count", "before", "doubt", "limit", "expected"),
    [
        (5, None, "", 0.5, StreamState(5, "2.0")),
        (5, None, "down", 0.5, StreamState(5, "2.0", "down")),
        (5, StreamState(10, "2.0"), "", 0.5, StreamState(5, "2.0")),
        (0, StreamState(0, "2.0"), "", 0.5, StreamState(0, "2.0")),
        (0, StreamState(1, "2.0"), "", 1.0, StreamState(0, "2.0")),
        (4, StreamState(10, "1.0"), "", 0.5, StreamState(4, "2.0")),
        (30, StreamState(10, "2.0", "down"), "", 0.5, StreamState(30, "2.0")),
        (30, StreamState(10, "2.0"), "down", 0.5, StreamState(10, "2.0", "down")),
        (0, StreamState(10, "2.0"), "down", 1.0, StreamState(10, "2.0", "down")),
    ],
)
def test_how_a_stream_stands(
    count: int, before: StreamState | None, doubt: str, limit: float, expected: StreamState
) -> None:
    assert _state(DEVICE, count, before, doubt, limit) == expected


def test_a_doubted_stream_is_held_against_its_last_trusted_size() -> None:
    shrunken = _state(DEVICE, 4, StreamState(10, "2.0"), "", 0.5)
    assert shrunken.trusted_findings == 10 and "10 findings before, 4 now" in shrunken.doubt
    assert _state(DEVICE, 2, shrunken, "", 0.5).trusted_findings == 10


class Stumbling:
    name = "stumbling"

    def __init__(self, error: Exception) -> None:
        self.error = error

    def judge(self, case: Case, findings: Sequence[Finding]) -> Sequence[Finding]:
        if case.device.id == GATEWAY:
            raise self.error
        return findings


@pytest.mark.parametrize("error", [MeddojoError("the graph has no root"), KeyError("purl")])
def test_a_device_that_cannot_be_judged_keeps_its_findings(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    before = hospital.contents()["finding"]
    original = casework.analyzers
    monkeypatch.setattr(casework, "analyzers", lambda config: (*original(config), Stumbling(error)))
    outcome = hospital.run()
    assert outcome.code is ExitCode.INCOMPLETE and outcome.change == NOTHING
    (skipped,) = outcome.skipped
    assert skipped.origin == GATEWAY and str(error.args[0]).split("\n")[0] in skipped.reason
    assert not of(outcome).complete and of(outcome).doubt == "it could not be judged"
    assert of(outcome).findings == tuple(hospital.findings().values())
    assert all(each.complete for each in outcome.results if each.device.id != GATEWAY)
    assert hospital.contents()["finding"] == before


def test_nothing_scanned_is_not_clean(fresh: Hospital) -> None:
    fresh.config.write_text('[inventory]\nfile = "inventory.toml"\n')
    outcome = fresh.run()
    assert outcome.code is ExitCode.INCOMPLETE
    assert not any(result.findings for result in outcome.results if result.stream is Stream.VULNERABILITIES)
    assert "nothing was compared" in outcome.skipped[0].reason


def test_feeds_that_are_all_empty_are_not_clean(fresh: Hospital) -> None:
    shutil.rmtree(fresh.folder / "feeds")
    outcome = fresh.run()
    assert outcome.code is ExitCode.INCOMPLETE
    assert {skipped.origin for skipped in outcome.skipped} >= {"feed csaf", "feed nvd", "feed kev", "feed epss"}


def test_a_disabled_feed_is_not_asked_and_what_it_said_stands(hospital: Hospital) -> None:
    hospital.config.write_text(hospital.config.read_text().replace("[feeds.nvd]", "[feeds.nvd]\nenabled = false"))
    shutil.rmtree(hospital.folder / "feeds" / "nvd")
    outcome = hospital.run()
    assert outcome.code is ExitCode.CLEAN and outcome.change == NOTHING


def test_offline_asks_no_feed(hospital: Hospital) -> None:
    shutil.rmtree(hospital.folder / "feeds")
    outcome = hospital.run(pull=False)
    assert outcome.code is ExitCode.CLEAN and outcome.change == NOTHING


def test_an_alias_that_is_published_later_keeps_the_identity(hospital: Hospital) -> None:
    ghsa = "GHSA-5cpq-8wj7-hf2v"
    before = hospital.findings()[ghsa]
    with hospital.store() as store:
        decision = Decision(before.identity, Verdict.FALSE_POSITIVE, "defectdojo", "1")
        store.findings.keep_decisions("defectdojo", [GATEWAY], [decision])

    def publish(document: dict[str, Any]) -> dict[str, Any]:
        for match in document["matches"]:
            if match["vulnerability"]["id"] == ghsa:
                match["relatedVulnerabilities"] = [{"id": "CVE-2023-99999", "dataSource": "https://example.org"}]
        return document

    hospital.rewrite(hospital.scan, publish)
    outcome = hospital.run()
    assert outcome.code is ExitCode.CLEAN
    assert (outcome.change.new, outcome.change.gone) == (0, 0)
    after = hospital.findings()[ghsa]
    assert after.identity == before.identity and "CVE-2023-99999" in after.aliases
    assert "CVE-2023-99999" not in hospital.findings()
    assert outcome.decisions == 1


def test_what_people_decided_is_handed_to_the_sinks_and_survives_runs(hospital: Hospital) -> None:
    chosen = next(iter(hospital.findings().values()))
    with hospital.store() as store:
        decision = Decision(chosen.identity, Verdict.RISK_ACCEPTED, "defectdojo", "1", datetime.now(UTC), "isolated")
        store.findings.keep_decisions("defectdojo", [GATEWAY], [decision])
    for _ in range(2):
        assert hospital.run().decisions == 1
    assert "isolated" in (hospital.folder / "report" / "report.html").read_text("utf-8")


class Wall:
    """A sink that can be told to fail."""

    name = "wall"

    def __init__(self, listening: Exception | None = None, delivering: Exception | None = None) -> None:
        self.listening, self.delivering = listening, delivering
        self.results: tuple[StreamResult, ...] = ()

    def listen(self, devices: Sequence[Device]) -> tuple[Decision, ...]:
        if self.listening:
            raise self.listening
        return ()

    def deliver(self, results: Sequence[StreamResult], context: RunContext) -> Delivery:
        if self.delivering:
            raise self.delivering
        self.results = tuple(results)
        return Delivery(self.name, "the wall", created=len(results))


def with_sink(monkeypatch: pytest.MonkeyPatch, sink: Wall) -> None:
    from scheduler import pipeline

    monkeypatch.setattr(pipeline, "active_sinks", lambda config, store: (sink, *delivery.active_sinks(config, store)))


@pytest.mark.parametrize("error", [TransientError("it is down"), ValueError("it is down")])
def test_a_sink_that_is_down_leaves_the_others_alone_and_the_run_exits_with_4(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    with_sink(monkeypatch, Wall(delivering=error))
    page = hospital.folder / "report" / "report.html"
    page.unlink()
    outcome = hospital.run()
    assert outcome.code is ExitCode.UNDELIVERED and page.exists()
    assert [failed.origin for failed in outcome.deliveries.failed] == ["wall"]
    assert "it is down" in outcome.deliveries.failed[0].reason


def test_a_sink_that_cannot_be_heard_leaves_yesterdays_decisions_standing(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = next(iter(hospital.findings().values()))
    with hospital.store() as store:
        decision = Decision(chosen.identity, Verdict.FALSE_POSITIVE, "wall", "1")
        store.findings.keep_decisions("wall", [GATEWAY], [decision])
    sink = Wall(listening=TransientError("it is down"))
    with_sink(monkeypatch, sink)
    outcome = hospital.run()
    assert outcome.code is ExitCode.INCOMPLETE and outcome.decisions == 1
    assert [skipped.origin for skipped in outcome.skipped] == ["wall"]
    assert sink.results, "it was delivered to all the same"
    sink.listening = None
    assert hospital.run().decisions == 0, "taken back in the sink, forgotten here"


def test_a_sink_configured_wrongly_ends_the_run(hospital: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    with_sink(monkeypatch, Wall(listening=ConfigError("no such user")))
    with pytest.raises(ConfigError, match="no such user"):
        hospital.run()


def test_push_delivers_the_last_judgement_again_doubts_included(hospital: Hospital) -> None:
    hospital.rewrite(hospital.scan, emptied)
    doubted = of(hospital.run())
    shutil.rmtree(hospital.folder / "report")
    from meddojo.config import load_config
    from scheduler import pipeline
    from scheduler.console import Console

    with hospital.store() as store:
        outcome = pipeline.push(load_config(hospital.config, {}), store, Console(-1))
    assert outcome.code is ExitCode.INCOMPLETE and outcome.change == NOTHING
    assert of(outcome) == doubted and not of(outcome).complete
    assert (hospital.folder / "report" / "report.html").exists()


def test_a_scan_of_an_unknown_device_names_the_nearest(fresh: Hospital) -> None:
    fresh.replace("meddojo.toml", 'device = "infusion-gateway"', 'device = "infusion-gatway"')
    with pytest.raises(ConfigError, match="did you mean 'infusion-gateway'"):
        fresh.run()


def test_an_analyzer_disabled_by_a_wrong_name_is_an_error(fresh: Hospital) -> None:
    fresh.config.write_text(fresh.config.read_text() + '[analyzers]\ndisabled = ["enrichmnt"]\n')
    with pytest.raises(ConfigError, match="disabled names 'enrichmnt'"):
        fresh.run()


def test_two_reports_of_one_scanner_on_one_device_count_together(hospital: Hospital) -> None:
    document = json.loads(hospital.scan.read_text())
    half = len(document["matches"]) // 2
    for name, matches in (("one", document["matches"][:half]), ("two", document["matches"][half:])):
        (hospital.folder / "scans" / f"{name}.json").write_text(json.dumps(document | {"matches": matches}))
    hospital.config.write_text(
        hospital.config.read_text()
        .replace("scans/infusion-gateway.grype.json", "scans/one.json")
        .replace("[report]", f'[[scans]]\ndevice = "{GATEWAY}"\nfile = "scans/two.json"\n\n[report]')
    )
    outcome = hospital.run()
    assert (outcome.change.new, outcome.change.gone) == (0, 0) and outcome.code is ExitCode.CLEAN


DEVICES = (
    Device("pump-1", "Acme", "Pump"),
    Device("monitor", "Acme", "Monitor"),
    replace(Device("pump-2", "Acme", "Pump"), version="2"),
)


def test_a_device_is_found_by_id_or_by_a_name_that_only_it_has() -> None:
    assert find_device(DEVICES, "pump-2").id == "pump-2"
    assert find_device(DEVICES, "acme monitor").id == find_device(DEVICES, "MONITOR").id == "monitor"
    with pytest.raises(ConfigError, match="several devices are called 'Pump'") as caught:
        find_device(DEVICES, "Pump")
    assert "pump-1, pump-2" in caught.value.hint
    with pytest.raises(ConfigError, match="did you mean 'pump-1'"):
        find_device(DEVICES, "pmp-1")
    with pytest.raises(ConfigError) as caught:
        find_device(DEVICES, "xyz")
    assert "pump-1, monitor, pump-2" in caught.value.hint
