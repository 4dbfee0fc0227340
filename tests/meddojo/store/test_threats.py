"""Threat intelligence that concerns a device; on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from meddojo.device import Device
from meddojo.store import Store
from meddojo.threat import HEALTHCARE, Threat, ThreatRelation

OLD, NEW = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC)
CVE = "CVE-2024-0001"
DEVICE = Device("d1", "Welch Allyn", "Connex Spot")

FLAW = Threat("vulnerability--1", "vulnerability", CVE, OLD, cves=(CVE,))
WORM = Threat("malware--1", "malware", "Gauze", OLD)
TECHNIQUE = Threat("attack-pattern--1", "attack-pattern", "Exploitation of Remote Services", OLD)
CREW = Threat("intrusion-set--1", "intrusion-set", "Night Shift", OLD)
SECTOR = Threat("identity--1", "identity", "Hospitals", OLD, sectors=(HEALTHCARE,))
BYSTANDER = Threat("malware--2", "malware", "Elsewhere", OLD)
EXPLOITS = ThreatRelation("relationship--1", "exploits", WORM.id, FLAW.id, OLD)
USES = ThreatRelation("relationship--2", "uses", WORM.id, TECHNIQUE.id, OLD)
TARGETS = ThreatRelation("relationship--3", "targets", CREW.id, SECTOR.id, OLD)
ELSEWHERE = ThreatRelation("relationship--4", "uses", BYSTANDER.id, TECHNIQUE.id, OLD)
ALL = [FLAW, WORM, TECHNIQUE, CREW, SECTOR, BYSTANDER, EXPLOITS, USES, TARGETS, ELSEWHERE]


def keep(store: Store, *records: Threat | ThreatRelation, source: str = "taxii") -> int:
    return store.records.commit(source, list(records), lambda _: ())


def names(store: Store, *cves: str, device: Device = DEVICE) -> set[str]:
    return {threat.name for threat in store.threats.concerning(device, cves)[0]}


def test_two_steps_from_the_cve(store: Store) -> None:
    assert keep(store, *ALL) == len(ALL)
    threats, relations = store.threats.concerning(DEVICE, [CVE])
    assert set(threats) == {FLAW, WORM, TECHNIQUE, CREW, SECTOR}
    assert set(relations) == {EXPLOITS, USES, TARGETS}


def test_without_a_cve_only_what_is_aimed_at_healthcare(store: Store) -> None:
    keep(store, *ALL)
    assert names(store) == {"Hospitals", "Night Shift"}
    assert names(store, "CVE-2024-9999") == {"Hospitals", "Night Shift"}


def test_a_relationship_that_names_the_cve(store: Store) -> None:
    keep(store, WORM, TECHNIQUE, replace(USES, cves=(CVE,)))
    assert names(store, CVE) == {"Gauze", "Exploitation of Remote Services"}


def test_threats_that_name_the_device(store: Store) -> None:
    raid = Threat(
        "campaign--1", "campaign", "Ward round", OLD, description="Against WELCH-ALLYN (Connex Spot) monitors."
    )
    other = Threat("campaign--2", "campaign", "Other", OLD, description="Against Welch Allyn Connex Spotlights.")
    trace = Threat("indicator--1", "indicator", "Trace", OLD, description="Welch Allyn Connex Spot")
    keep(store, raid, other, trace)
    assert names(store) == {"Ward round"}
    assert names(store, device=Device("d2", "", "Connex Spot")) == set()
    keep(store, replace(raid, modified=NEW, description="Against nobody."))
    assert names(store) == set()


def test_the_newest_version_counts_in_whatever_order_they_come(store: Store) -> None:
    newer = replace(WORM, modified=NEW, name="Gauze 2")
    assert keep(store, EXPLOITS, FLAW, newer, WORM) == 3
    assert keep(store, WORM) == 0
    assert keep(store, newer) == 0
    assert names(store, CVE) == {CVE, "Gauze 2"}
    assert keep(store, replace(newer, name="Gauze II")) == 1
    assert names(store, CVE) == {CVE, "Gauze II"}


def test_a_revoked_object_is_not_handed_out_nor_brought_back(store: Store) -> None:
    keep(store, *ALL)
    keep(store, replace(WORM, modified=NEW, revoked=True))
    keep(store, WORM)
    threats, relations = store.threats.concerning(DEVICE, [CVE])
    assert WORM not in threats and EXPLOITS not in relations
    keep(store, replace(TARGETS, modified=NEW, revoked=True))
    assert names(store) == {"Hospitals"}


def test_keys_of_an_older_version_no_longer_lead_to_it(store: Store) -> None:
    keep(store, replace(CREW, cves=(CVE,)))
    assert names(store, CVE) == {"Night Shift"}
    keep(store, replace(CREW, modified=NEW))
    assert names(store, CVE) == set()


def test_an_object_of_two_sources_is_one(store: Store) -> None:
    keep(store, *ALL)
    assert keep(store, *ALL, source="mirror") == 0
    store.records.note_attempt("taxii", NEW, succeeded=True)
    assert [state.records for state in store.records.states()] == [len(ALL)]
