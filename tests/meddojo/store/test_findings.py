from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import create_engine, text

from meddojo.finding import Decision, Finding, Stream, Verdict
from meddojo.severity import Severity
from meddojo.store import Store
from meddojo.store.findings import Change, StreamState

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def finding(check: str = "CVE-2021-44228", device: str = "pump", **values: object) -> Finding:
    base = Finding(Stream.VULNERABILITIES, device, check, check, Severity.HIGH, "NVD", 0.9)
    return replace(base, **values)  # type: ignore[arg-type]


def save(store: Store, *findings: Finding, device: str = "pump", now: datetime = NOW) -> Change:
    return store.findings.replace(device, findings, {}, now)


def history(url: str) -> dict[str, tuple[str, bool]]:
    """Day first seen, and whether it is gone, of each finding, as the table has them."""
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT body, first_seen, gone_since FROM finding")).all()
    engine.dispose()
    return {
        row.body.split('"check":"')[1].split('"')[0]: (str(row.first_seen)[:10], row.gone_since is not None)
        for row in rows
    }


def test_new_changed_unchanged_and_gone_are_told_apart(store: Store) -> None:
    assert save(store, finding("A"), finding("B")) == Change(new=2)
    assert save(store, finding("B"), finding("A")) == Change()
    assert save(store, finding("A", title="other"), finding("C")) == Change(new=1, changed=1, gone=1)
    assert [each.check for each in store.findings.of_device("pump")] == ["A", "C"]
    assert [each.check for each in store.findings.of_device("pump", with_gone=True)] == ["A", "B", "C"]
    assert save(store, finding("A", title="other"), finding("C")) == Change(), "B is not gone once more"


def test_a_finding_that_returns_is_new_but_remembers_when_it_was_first_seen(url: str, store: Store) -> None:
    save(store, finding("A"), finding("B"))
    assert save(store, finding("B"), now=NOW + DAY) == Change(gone=1)
    assert history(url) == {"A": ("2026-03-01", True), "B": ("2026-03-01", False)}
    assert save(store, finding("A"), finding("B"), now=NOW + 2 * DAY) == Change(new=1)
    assert history(url) == {"A": ("2026-03-01", False), "B": ("2026-03-01", False)}
    assert save(store, finding("A", title="x"), finding("B"), finding("C"), now=NOW + 3 * DAY) == Change(1, 1, 0)
    assert history(url)["A"] == ("2026-03-01", False) and history(url)["C"] == ("2026-03-04", False)


def test_devices_do_not_touch_one_another(store: Store) -> None:
    save(store, finding("A"))
    save(store, finding("A", "monitor"), device="monitor")
    assert save(store, device="monitor") == Change(gone=1)
    assert len(store.findings.of_device("pump")) == 1


def test_many_findings_come_and_go_at_once(store: Store) -> None:
    many = [finding(f"CVE-2021-{10000 + number}") for number in range(1201)]
    assert save(store, *many) == Change(new=1201)
    assert save(store, many[0]) == Change(gone=1200)
    assert store.findings.of_device("pump") == (many[0],)


def test_changes_add_up() -> None:
    assert Change(1, 2, 3) + Change(10, 20, 30) == Change(11, 22, 33)


def test_aliases_lead_to_the_name_a_finding_was_found_under_even_when_it_is_gone(store: Store) -> None:
    save(store, finding("GHSA-1", aliases=("GHSA-1", "PYSEC-1")), finding("CVE-2021-1111"))
    save(store, finding("CVE-2021-1111"))
    expected = {"GHSA-1": "GHSA-1", "PYSEC-1": "GHSA-1", "CVE-2021-1111": "CVE-2021-1111"}
    assert store.findings.known_as("pump") == expected
    assert store.findings.known_as("monitor") == {}


def test_how_streams_stand_is_kept_with_their_findings(store: Store) -> None:
    doubtful = {Stream.VULNERABILITIES: StreamState(7, "1.0", "its scan failed"), Stream.COMPLIANCE: StreamState(0, "")}
    store.findings.replace("pump", [], doubtful, NOW)
    assert store.findings.stream_states("pump") == doubtful
    store.findings.replace("pump", [], {Stream.VULNERABILITIES: StreamState(3, "1.1")}, NOW)
    assert store.findings.stream_states("pump")[Stream.VULNERABILITIES] == StreamState(3, "1.1")
    assert store.findings.stream_states("monitor") == {}


def decision(of: Finding, verdict: Verdict = Verdict.FALSE_POSITIVE, sink: str = "defectdojo") -> Decision:
    return Decision(of.identity, verdict, sink, "https://dojo/finding/1", NOW, "not reachable")


def test_decisions_come_back_as_they_were(store: Store) -> None:
    save(store, finding("A"))
    made = [decision(finding("A"), Verdict.RISK_ACCEPTED)]
    store.findings.keep_decisions("defectdojo", ["pump"], made)
    assert store.findings.decisions() == store.findings.decisions("pump") == tuple(made)
    assert store.findings.decisions("monitor") == ()


def test_decisions_are_replaced_only_for_the_devices_that_were_read(store: Store) -> None:
    pump, monitor = finding("A"), finding("A", "monitor")
    save(store, pump)
    save(store, monitor, device="monitor")
    store.findings.keep_decisions("defectdojo", ["pump", "monitor"], [decision(pump), decision(monitor)])
    store.findings.keep_decisions("defectdojo", ["pump"], [])
    assert store.findings.decisions() == (decision(monitor),), "what was taken back is forgotten, the rest stays"
    store.findings.keep_decisions("defectdojo", [], [])
    assert store.findings.decisions() == (decision(monitor),)
    store.findings.keep_decisions("defectdojo", ["monitor"], [decision(monitor, Verdict.MITIGATED)])
    assert store.findings.decisions() == (decision(monitor, Verdict.MITIGATED),)


def test_decisions_of_another_sink_stay(store: Store) -> None:
    save(store, finding("A"))
    store.findings.keep_decisions("defectdojo", ["pump"], [decision(finding("A"))])
    store.findings.keep_decisions("other", ["pump"], [decision(finding("A"), sink="other")])
    store.findings.keep_decisions("defectdojo", ["pump"], [])
    assert [each.sink for each in store.findings.decisions()] == ["other"]


def test_a_decision_outlives_its_finding(store: Store) -> None:
    save(store, finding("A"))
    store.findings.keep_decisions("defectdojo", ["pump"], [decision(finding("A"))])
    save(store)
    assert store.findings.decisions("pump") == (decision(finding("A")),)


def test_runs_newest_first_and_one_that_was_killed_has_no_end(store: Store) -> None:
    for day in range(3):
        store.findings.begin_run(NOW + day * DAY)
    store.findings.end_run(NOW, NOW + DAY, 3, '{"findings": 1}')
    runs = store.findings.runs()
    assert [run.started for run in runs] == [NOW + 2 * DAY, NOW + DAY, NOW]
    assert [run.exit_code for run in runs] == [None, None, 3]
    assert runs[2].summary == '{"findings": 1}' and runs[2].finished == NOW + DAY
    assert len(store.findings.runs(1)) == 1
