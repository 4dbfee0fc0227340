"""The TAXII feed against medallion, the reference server: everything, only what is new, and when it goes away."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.feeds.taxii import build
from connectors.reading import read_json
from meddojo.config import FeedConfig, NetworkConfig
from meddojo.device import Device
from meddojo.errors import ConfigError, RemoteError, TransientError
from meddojo.interface import Checkpoint
from meddojo.store import Store
from meddojo.threat import Threat, ThreatRelation
from scheduler.console import Console
from scheduler.intake import Reading, take_in
from tests.connectors.feeds.stix_samples import CVE, OBJECTS, WORM, stix
from tests.connectors.feeds.taxii_server import COLLECTION, PASSWORD, USER, Medallion, line_to, medallion

pytest.importorskip("medallion", reason="medallion is not installed: pip install 'meddojo[dev]'")

NIGHT_WATCH = Device("d1", "Acme", "Night watch")
ENOUGH = OBJECTS + [stix("tool", number) for number in range(100, 160)]
LATER, LATEST = "2024-06-01T00:00:00.000Z", "2024-07-01T00:00:00.000Z"


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Medallion]:
    """For tests that change nothing on it."""
    with medallion(tmp_path_factory.mktemp("shared"), ENOUGH, page=10) as server:
        yield server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Medallion]:
    with medallion(tmp_path, ENOUGH, page=10) as started:
        yield started


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path}/store.db") as opened:
        yield opened


def section(address: str, password: str = PASSWORD, **options: Any) -> FeedConfig:
    network = NetworkConfig(attempts=1, timeout_seconds=60)
    return FeedConfig(source=f"{address}/taxii2/", api_key=password, options={"user": USER, **options}, network=network)


def pull(store: Store, address: str, **options: Any) -> Reading:
    """What a night does with the feed."""
    items = build(section(address, **options)).update(store.records.cursor("taxii"))
    return take_in("taxii", address, items, store, Console(-1))


def records(store: Store) -> int:
    return {state.name: state.records for state in store.records.states()}.get("taxii", 0)


def contents(store: Store) -> dict[str, tuple[str, bool]]:
    """Every object of the store, with its version and whether it is revoked."""
    from sqlalchemy import select

    from meddojo.store import schema

    with store.engine.connect() as connection:
        return {
            row.id: (row.modified.strftime("%Y-%m-%d"), row.revoked)
            for table in (schema.threat, schema.threat_relation)
            for row in connection.execute(select(table))
        }


def test_everything_and_then_only_what_is_new(server: Medallion, store: Store) -> None:
    first = pull(store, server.address)
    assert (first.changed, first.skipped, first.problem) == (len(ENOUGH), (), "")
    cursor = store.records.cursor("taxii")
    assert pull(store, server.address).changed == 0
    assert store.records.cursor("taxii") == cursor
    server.add(stix("malware", 500, "Lint", is_family=True))
    items = list(build(section(server.address)).update(cursor))
    assert [item.name for item in items if isinstance(item, Threat)] == ["Lint"]
    assert pull(store, server.address).changed == 1
    assert store.records.cursor("taxii") != cursor


def test_newer_versions_replace_older_ones_and_revocations_withdraw(server: Medallion, store: Store) -> None:
    pull(store, server.address)
    known = store.threats.concerning(NIGHT_WATCH, [CVE])
    assert "Gauze" in {threat.name for threat in known[0]}
    server.add(WORM | {"modified": LATER, "name": "Gauze 2"})
    assert pull(store, server.address).changed == 1
    names = {threat.name for threat in store.threats.concerning(NIGHT_WATCH, [CVE])[0]}
    assert "Gauze 2" in names and "Gauze" not in names
    server.add(WORM | {"modified": LATEST, "name": "Gauze 2", "revoked": True})
    assert pull(store, server.address).changed == 1
    threats, relations = store.threats.concerning(NIGHT_WATCH, [CVE])
    assert WORM["id"] not in {threat.id for threat in threats}
    assert WORM["id"] not in {end for each in relations for end in (each.source_id, each.target_id)}
    store.records.commit("taxii", [next(iter(known[0]))], lambda _: ())
    assert contents(store)[WORM["id"]] == (LATEST[:10], True)
    assert records(store) == len(ENOUGH)


def test_wrong_password(shared_server: Medallion, store: Store) -> None:
    with pytest.raises(RemoteError, match="refused the credentials") as caught:
        list(build(section(shared_server.address, "wrong-password")).update(None))
    assert "api_key" in caught.value.hint
    assert "wrong-password" not in str(caught.value)


def test_collections_by_title_or_id(shared_server: Medallion, store: Store) -> None:
    assert pull(store, shared_server.address, collections=["ATT&CK for ICS"]).changed == len(ENOUGH)
    assert pull(store, shared_server.address, collections=[COLLECTION]).changed == 0
    with pytest.raises(ConfigError, match="no collection") as caught:
        list(build(section(shared_server.address, collections=["ATTACK for ICS"])).update(None))
    assert "'ATT&CK for ICS'" in caught.value.hint
    with pytest.raises(RemoteError, match="may not be read"):
        list(build(section(shared_server.address, collections=["Members only"])).update(None))


def test_the_line_is_cut_in_the_middle_of_a_page(shared_server: Medallion, store: Store) -> None:
    with line_to(shared_server.address) as line:
        # discovery, collections, first page, second page, and 900 bytes of the third
        line.cut_at, line.bytes_let_through = 5, 900
        broken = pull(store, line.address)
        assert "could not be reached" in broken.problem
        assert 20 <= records(store) < len(ENOUGH)
        line.cut_at = 10**9
        again = pull(store, line.address)
        assert again.problem == ""
        assert again.changed == len(ENOUGH) - broken.changed
    assert set(contents(store)) == {each["id"] for each in ENOUGH}


def test_the_server_is_killed_between_pages(tmp_path: Path, store: Store) -> None:
    read: list[Any] = []
    (tmp_path / "first").mkdir()
    with medallion(tmp_path / "first", ENOUGH, page=10) as server, pytest.raises(TransientError) as caught:
        for item in build(section(server.address)).update(None):
            read.append(item)
            if sum(isinstance(each, Checkpoint) for each in read) == 3:
                server.kill()
    assert "the next run tries again" in caught.value.hint
    assert sum(isinstance(each, Threat | ThreatRelation) for each in read) == 30
    cursor = next(each.cursor for each in reversed(read) if isinstance(each, Checkpoint))
    (tmp_path / "second").mkdir()
    with medallion(tmp_path / "second", ENOUGH, page=10) as server:
        moved = json.dumps(
            {server.address + key[key.index("/intelligence") :]: value for key, value in json.loads(cursor).items()}
        )
        rest = list(build(section(server.address)).update(moved))
    got = {each.id for each in (*read, *rest) if not isinstance(each, Checkpoint)}
    assert got == {each["id"] for each in ENOUGH}
    assert len(rest) < len(ENOUGH)


@pytest.mark.slow
def test_att_and_ck_for_ics_whole(tmp_path: Path, store: Store, shared_data: Path) -> None:
    objects = read_json(shared_data / "attack_ics_v18.1_stix.json.zst")["objects"]
    with medallion(tmp_path, copy.deepcopy(objects)) as server:
        first = pull(store, server.address)
        assert (first.changed, first.skipped, first.problem) == (1825, (), "")
        assert records(store) == 1825
        server.add(stix("malware", 500, "Lint", is_family=True))
        items = list(build(section(server.address)).update(store.records.cursor("taxii")))
        assert [item.name for item in items if isinstance(item, Threat)] == ["Lint"]
    names = {threat.name for threat in store.threats.concerning(NIGHT_WATCH, ["CVE-2015-5374"])[0]}
    assert {"Industroyer", "Denial of Service", "EKANS"} <= names
