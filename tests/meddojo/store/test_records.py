from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from meddojo.advisory import Advisory
from meddojo.errors import TransientError
from meddojo.interface import Record
from meddojo.store import Store
from meddojo.store.records import unstorable
from meddojo.vulnerability import EpssScore, KevEntry, Vulnerability

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 12, tzinfo=UTC)


def advisory(name: str = "A-1", title: str = "Infusion pump", namespace: str = "https://example.org") -> Advisory:
    return Advisory(name, title, "Publisher", namespace, "1", NOW, NOW, (), ())


def words(record: Advisory | Vulnerability) -> set[str]:
    """The words of the title or description serve as keys here."""
    return set((record.title if isinstance(record, Advisory) else record.description).lower().split())


def failing(_: Advisory | Vulnerability) -> set[str]:
    raise TransientError("killed in the middle")


def test_records_are_found_by_their_keys(store: Store) -> None:
    pump, monitor = advisory("A-1", "pump station"), advisory("A-2", "monitor")
    flaw = Vulnerability("CVE-2021-1111", "nvd", "pump")
    assert store.records.commit("csaf", [pump, monitor, flaw], words) == 3
    assert store.records.advisories_naming([["pump", "station", "nothing"]])[0] == (pump,)
    assert store.records.advisories_naming([["pump", "monitor"]])[0] == (pump, monitor)
    assert store.records.vulnerabilities_naming([["pump"]])[0] == (flaw,)
    assert store.records.vulnerabilities_naming([["monitor"]])[0] == ()


def test_unchanged_records_do_not_count_and_changed_ones_do(store: Store) -> None:
    assert store.records.commit("csaf", [advisory(), advisory("A-2")], words) == 2
    assert store.records.commit("csaf", [advisory(), advisory("A-2")], words) == 0
    assert store.records.commit("csaf", [advisory(), advisory("A-2", "revised")], words) == 1


def test_of_a_record_that_comes_twice_the_last_counts(store: Store) -> None:
    assert store.records.commit("csaf", [advisory(title="old"), advisory(title="new")], words) == 1
    assert store.records.advisories_naming([["old", "new"]])[0] == (advisory(title="new"),)


def test_index_keys_of_a_changed_record_are_replaced(store: Store) -> None:
    store.records.commit("csaf", [advisory(title="pump station"), advisory("A-2", "pump")], words)
    store.records.commit("csaf", [advisory(title="station monitor")], words)
    assert [each.id for each in store.records.advisories_naming([["pump"]])[0]] == ["A-2"]
    assert [each.id for each in store.records.advisories_naming([["station"]])[0]] == ["A-1"]
    assert [each.id for each in store.records.advisories_naming([["monitor"]])[0]] == ["A-1"]


def test_one_id_of_two_publishers_or_sources_is_two_records(store: Store) -> None:
    one, other = advisory(namespace="https://one", title="pump"), advisory(namespace="https://other", title="pump")
    store.records.commit("csaf", [one, other], words)
    store.records.commit("csaf", [advisory(namespace="https://other", title="monitor")], words)
    assert store.records.advisories_naming([["pump"]])[0] == (one,)
    store.records.commit("nvd", [Vulnerability("CVE-2021-1111", "nvd", "pump")], words)
    store.records.commit("vendor", [Vulnerability("CVE-2021-1111", "vendor", "monitor")], words)
    assert [each.source for each in store.records.vulnerabilities_called(["CVE-2021-1111"])] == ["nvd", "vendor"]
    assert [each.source for each in store.records.vulnerabilities_naming([["pump"]])[0]] == ["nvd"]


def test_the_cursor_moves_with_the_batch(store: Store) -> None:
    assert store.records.cursor("csaf") is None
    store.records.commit("csaf", [advisory()], words)
    assert store.records.cursor("csaf") is None
    store.records.commit("csaf", [], words, "monday")
    assert store.records.cursor("csaf") == "monday"
    assert store.records.cursor("nvd") is None
    store.records.note_attempt("csaf", NOW, succeeded=False, problem="down")
    assert store.records.cursor("csaf") == "monday"


def test_the_cursor_stays_when_the_batch_is_not_committed(store: Store) -> None:
    store.records.commit("csaf", [advisory()], words, "monday")
    score = EpssScore("CVE-2021-1111", 0.5, 0.9, date(2026, 3, 1))
    with pytest.raises(TransientError, match="killed"):
        store.records.commit("csaf", [advisory("A-2"), score], failing, "tuesday")
    assert store.records.cursor("csaf") == "monday"
    assert store.records.epss([score.cve]) == {}
    assert store.records.commit("csaf", [advisory("A-2")], words) == 1, "it was not there yet"


def test_kev_and_epss_are_kept_by_cve_and_replaced(store: Store) -> None:
    listed = KevEntry("CVE-2021-44228", date(2021, 12, 10), date(2021, 12, 24), "update", True)
    old, new = (EpssScore("CVE-2021-44228", value, 0.99, date(2026, 3, 1)) for value in (0.5, 0.975))
    store.records.commit("kev", [listed, old], words)
    store.records.commit("epss", [new], words)
    wanted = ["CVE-2021-44228", "CVE-1999-0001"]
    assert store.records.kev(wanted) == {listed.cve: listed}
    assert store.records.epss(wanted) == {new.cve: new}


def test_look_ups_of_many_names_at_once(store: Store) -> None:
    names = [f"CVE-2021-{10000 + number}" for number in range(1001)]
    store.records.commit("nvd", [Vulnerability(name, "nvd", f"key{name}") for name in names], words)
    assert len(store.records.vulnerabilities_called(names)) == 1001
    assert len(store.records.vulnerabilities_naming([[f"key{name.lower()}" for name in names]])[0]) == 1001


def test_reindexing_happens_once_per_version_of_the_keys(store: Store) -> None:
    store.records.commit("csaf", [advisory(title="pump"), Vulnerability("CVE-1", "nvd", "valve")], words)
    assert store.records.reindex(7, lambda record: {f"new-{word}" for word in words(record)})
    assert store.records.advisories_naming([["pump"]])[0] == ()
    assert store.records.advisories_naming([["new-pump"]])[0] == (advisory(title="pump"),)
    assert [each.id for each in store.records.vulnerabilities_naming([["new-valve"]])[0]] == ["CVE-1"]
    assert not store.records.reindex(7, failing), "nothing to do"
    assert store.records.reindex(8, words)


def test_a_reindexing_that_breaks_off_leaves_the_old_index(store: Store) -> None:
    store.records.commit("csaf", [advisory(title="pump")], words)
    with pytest.raises(TransientError, match="killed"):
        store.records.reindex(7, failing)
    assert store.records.advisories_naming([["pump"]])[0] == (advisory(title="pump"),)
    assert store.records.reindex(7, words), "still to be done"


def test_how_sources_stand(store: Store) -> None:
    score = EpssScore("CVE-2021-44228", 0.5, 0.9, date(2026, 3, 1))
    store.records.commit("csaf", [advisory(), advisory("A-2"), score], words, "monday")
    store.records.note_attempt("csaf", NOW, succeeded=True, skipped=2)
    store.records.note_attempt("nvd", NOW, succeeded=True)
    store.records.note_attempt("nvd", LATER, succeeded=False, problem="down")
    csaf, nvd = store.records.states()
    assert (csaf.name, csaf.records, csaf.last_attempt, csaf.last_success, csaf.skipped) == ("csaf", 3, NOW, NOW, 2)
    assert (nvd.name, nvd.records, nvd.last_attempt, nvd.last_success, nvd.problem) == ("nvd", 0, LATER, NOW, "down")
    store.records.note_attempt("nvd", LATER, succeeded=True)
    assert store.records.states()[1].problem == ""


def test_long_keys_are_clipped_on_both_sides(store: Store) -> None:
    long = advisory(title="x" * 5000)
    store.records.commit("csaf", [long], words)
    assert store.records.advisories_naming([["x" * 5000]])[0] == (long,)
    assert store.records.advisories_naming([["x" * 200]])[0] == ()


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (advisory(), ""),
        (advisory("A" * 300), ""),
        (advisory("A" * 301), "id .* longer than 300"),
        (advisory("ä" * 151), "id .* longer than 300"),
        (advisory(namespace="n" * 501), "namespace .* longer than 500"),
        (Vulnerability("CVE-\0", "nvd"), "id .* NUL"),
        (EpssScore("C" * 51, 0.5, 0.5, date(2026, 3, 1)), "cve .* longer than 50"),
        (KevEntry("C" * 50, date(2026, 3, 1)), ""),
    ],
)
def test_what_the_tables_cannot_hold_is_known_beforehand(store: Store, record: Record, reason: str) -> None:
    import re

    told = unstorable(record)
    assert bool(told) == bool(reason) and re.match(reason, told)
    if not reason:
        store.records.commit("feed", [record], words)
        assert store.records.states() == () or store.records.states()[0].records == 1


def test_an_older_revision_never_replaces_a_newer_one(store: Store) -> None:
    newer = Vulnerability("CVE-2024-1", "nvd", description="new", modified=datetime(2024, 6, 2, tzinfo=UTC))
    older = Vulnerability("CVE-2024-1", "nvd", description="old", modified=datetime(2024, 6, 1, tzinfo=UTC))
    assert store.records.commit("nvd", [newer], lambda _: ["key"]) == 1
    assert store.records.commit("nvd", [older], lambda _: ["key"]) == 0
    (kept,) = store.records.vulnerabilities_called(["CVE-2024-1"])
    assert kept.description == "new"
