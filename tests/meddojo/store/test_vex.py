"""VEX documents of others, and the versions of our own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from meddojo.advisory import AffectedProduct
from meddojo.device import Device
from meddojo.store import Store
from meddojo.vex import VexDocument, VexStatement, VexStatus, bound

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PUMP = Device("pump", "Acme", "Infusor", version="4.2")


def document(version: str = "1", days: int = 0, names: tuple[str, ...] = ("CVE-2023-0001",)) -> VexDocument:
    moment = NOW + timedelta(days=days)
    product = (AffectedProduct("P", vendor="Acme", product="Infusor"),)
    statements = tuple(
        VexStatement(name, VexStatus.NOT_AFFECTED, product, "Acme", "A-1", version, moment) for name in names
    )
    return VexDocument("OpenVEX", "A-1", "Acme", version, moment, statements)


def keys(_: VexDocument) -> tuple[str, ...]:
    return ("acme|infusor", "x" * 400)


def names(store: Store, device: Device = PUMP, wanted: tuple[str, ...] = ("acme|infusor",)) -> list[str]:
    return sorted(each.vulnerability for each in store.vex.statements(device, wanted))


def test_a_later_version_replaces_the_earlier_one(store: Store) -> None:
    assert store.vex.keep(document(names=("CVE-2023-0001", "CVE-2023-0002")), keys, NOW)
    assert names(store) == ["CVE-2023-0001", "CVE-2023-0002"]
    assert names(store, wanted=("other",)) == []
    assert names(store, wanted=("x" * 400,)) == ["CVE-2023-0001", "CVE-2023-0002"]
    later = document("2", 1, ("CVE-2023-0002",))
    assert store.vex.keep(later, keys, NOW) and not store.vex.keep(later, keys, NOW)
    assert names(store) == ["CVE-2023-0002"]
    assert not store.vex.keep(document("1"), keys, NOW)
    assert names(store) == ["CVE-2023-0002"] and store.vex.documents() == (later,)


def test_a_named_device_at_its_version_only(store: Store) -> None:
    named = bound(document(), PUMP, document().statements)
    assert store.vex.keep(named, keys, NOW)
    assert names(store, wanted=()) == ["CVE-2023-0001"]
    assert store.vex.statements(PUMP, ()) == named.statements
    assert names(store, replace(PUMP, version="4.3")) == []
    assert names(store, replace(PUMP, id="other")) == []


def test_the_same_document_for_several_devices(store: Store) -> None:
    other = replace(PUMP, id="other")
    for device in (PUMP, other):
        assert store.vex.keep(bound(document(), device, document().statements), keys, NOW)
    assert names(store) == names(store, other) == ["CVE-2023-0001"]
    assert len(store.vex.documents()) == 2


def test_issues_move_with_the_content_only(store: Store) -> None:
    (first,) = store.vex.issue("pump", "a", NOW, NOW + timedelta(days=9), "one")
    assert (first.version, first.issued, first.summary) == (1, NOW, "one")
    assert store.vex.issue("pump", "a", NOW, NOW + timedelta(days=10), "one") == (first,)
    # dated by its content, where that is later
    both = store.vex.issue("pump", "b", NOW + timedelta(days=1), NOW + timedelta(days=10), "two")
    assert both == (first, replace(first, version=2, issued=NOW + timedelta(days=1), summary="two"))
    # else by the clock, and never before what was issued already
    third = store.vex.issue("pump", "a", NOW, NOW - timedelta(days=30), "one")[-1]
    assert third.version == 3 and third.issued > both[-1].issued
    assert store.vex.issue("other", "a", NOW, NOW, "one")[-1].version == 1
