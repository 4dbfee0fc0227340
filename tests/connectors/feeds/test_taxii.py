"""STIX objects, options, bundles, and servers that misbehave."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.feeds.taxii import TaxiiFeed, build, parse_object
from connectors.feeds.taxii.options import TaxiiOptions, authorization, read_options
from connectors.json_object import JsonObject
from meddojo.config import FeedConfig, NetworkConfig
from meddojo.errors import ConfigError, InputError, MeddojoError, RemoteError, TransientError
from meddojo.interface import Checkpoint, Feed, Skipped
from meddojo.threat import Threat, ThreatRelation
from tests.connectors.feeds.stix_samples import BUNDLE, CVE, EXPLOITATION, FLAW, LINKS, OBJECTS, WORM, stix

TAXII = {"Content-Type": "application/taxii+json;version=2.1"}
NAME = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
PLACE = f"/shelf/collections/{NAME}/objects/"
Collection = dict[str, Any]


def read(item: dict[str, Any]) -> Any:
    return parse_object(JsonObject.of(item, "bundle"))


def from_file(path: Path) -> list[Any]:
    return list(build(FeedConfig(source=str(path))).update(None))


def test_malware() -> None:
    threat = read(WORM | {"aliases": ["Bandage"]})
    assert (threat.kind, threat.name, threat.source) == ("malware", "Gauze", "ATT&CK")
    assert (threat.external_ids, threat.aliases) == (("S9001",), ("Bandage",))
    assert (threat.label, threat.url) == ("Gauze (S9001)", "https://example.org/S9001")


def test_technique_of_att_and_ck_for_ics() -> None:
    assert read(EXPLOITATION).label == "ATT&CK for ICS T0866 Exploitation of Remote Services"


def test_cves_are_found_in_ids_and_texts() -> None:
    assert read(FLAW).cves == (CVE,)
    assert read(LINKS[3]).cves == (CVE,)
    assert read(WORM | {"description": "cve-2020-1472 and CVE-2020-1472"}).cves == ("CVE-2020-1472",)


@pytest.mark.parametrize(
    ("properties", "sectors"),
    [
        ({"sectors": ["Healthcare"]}, ("healthcare",)),
        ({"sectors": ["hospital"]}, ("healthcare", "hospital")),
        ({"sectors": ["energy"], "description": "It hit two hospitals."}, ("energy", "healthcare")),
        ({"description": "The hospitality sector."}, ()),
        ({"x_mitre_sectors": ["General"]}, ("general",)),
        ({"sectors": "healthcare"}, ()),
    ],
)
def test_sectors(properties: dict[str, Any], sectors: tuple[str, ...]) -> None:
    assert read(stix("intrusion-set", 1, "Crew", **properties)).sectors == sectors


def test_withdrawn_objects() -> None:
    assert read(WORM | {"revoked": True}).revoked
    assert read(WORM | {"x_mitre_deprecated": True}).revoked
    assert not read(WORM).revoked


def test_objects_without_history_tell_no_story() -> None:
    address = {"type": "ipv4-addr", "id": "ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd", "value": "198.51.100.3"}
    assert read(address) is None


@pytest.mark.parametrize(
    "change",
    [
        {"id": "malware--1"},
        {"id": FLAW["id"]},
        {"id": None},
        {"type": 7},
        {"modified": "yesterday"},
        {"revoked": "yes"},
        {"name": ["Gauze"]},
    ],
)
def test_a_bad_object_is_named(change: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps({"type": "bundle", "objects": [WORM | change, FLAW]}), "utf-8")
    bad, good, checkpoint = from_file(path)
    assert isinstance(bad, Skipped) and "/objects/0/" in bad.reason
    assert good == read(FLAW)
    assert isinstance(checkpoint, Checkpoint)


def test_what_only_decorates_an_object_does_not_cost_it() -> None:
    odd = {"aliases": "x", "external_references": [7, {"external_id": 5}, {"source_name": "a", "external_id": "A-1"}]}
    assert read(stix("tool", 1, "Lancet", **odd)).external_ids == ("A-1",)


def test_bundle(tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(BUNDLE), "utf-8")
    *items, _ = from_file(path)
    assert len(items) == len(OBJECTS)
    assert sum(isinstance(item, ThreatRelation) for item in items) == len(LINKS)


@pytest.mark.parametrize("text", ["{", "[]", '{"vulnerabilities": []}', '{"type": "bundle", "objects": {}}'])
def test_no_bundle(text: str, tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        from_file(path)
    assert caught.value.hint


def test_the_real_bundle(shared_data: Path) -> None:
    *items, _ = from_file(shared_data / "attack_ics_v18.1_stix.json.zst")
    assert len(items) == len({item.id for item in items}) == 1825
    assert sum(isinstance(item, ThreatRelation) for item in items) == 1373
    assert sum(item.revoked for item in items) == 39
    named = {item.label for item in items if isinstance(item, Threat)}
    assert {"Industroyer (S0604)", "ATT&CK for ICS T0866 Exploitation of Remote Services"} <= named


@given(st.data())
def test_any_object_is_read_or_refused(mutated: Any, data: Any) -> None:
    with suppress(InputError):
        found = read(data.draw(mutated(OBJECTS[data.draw(st.integers(0, len(OBJECTS) - 1))])))
        assert found is None or isinstance(found, Threat | ThreatRelation)


def test_options() -> None:
    assert read_options({}) == TaxiiOptions()
    assert read_options({"collections": "a, b", "page_size": "50"}) == TaxiiOptions(("a", "b"), 50)


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"colections": []}, "'collections'"),
        ({"collections": 5}, "titles or ids"),
        ({"page_size": 0}, "from 1 to"),
        ({"page_size": True}, "from 1 to"),
    ],
)
def test_a_wrong_option_is_explained(options: dict[str, Any], hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_options(options)
    assert hint in caught.value.hint


def test_kinds_of_authentication() -> None:
    basic = base64.b64encode(b"ward:s3cret-w\xc3\xb6rd").decode()
    assert authorization({"user": "ward"}, "s3cret-wörd") == {"Authorization": f"Basic {basic}"}
    assert authorization({}, "abcdef") == {"Authorization": "Token abcdef"}
    assert authorization({"authentication": "bearer"}, "abcdef") == {"Authorization": "Bearer abcdef"}
    assert authorization({}, "") == {}


@pytest.mark.parametrize(
    ("options", "secret"),
    [
        ({"authentication": "digest"}, "x"),
        ({"authentication": "basic"}, "x"),
        ({"authentication": "token", "user": "ward"}, "x"),
        ({"user": "ward"}, ""),
        ({"user": 5}, "x"),
        ({}, "two words"),
        ({}, "line\nbreak"),
        ({}, "schlüssel"),
    ],
)
def test_credentials_that_cannot_work(options: dict[str, Any], secret: str) -> None:
    with pytest.raises(ConfigError) as caught:
        authorization(options, secret)
    assert caught.value.hint
    assert not secret or secret not in str(caught.value) or len(secret) == 1


def test_a_feed_needs_a_source() -> None:
    with pytest.raises(ConfigError, match="names no source"):
        build(FeedConfig())


@pytest.fixture
def taxii(website: Any) -> Any:
    """A server with one collection; its pages are for the test to write."""
    website.pages["/taxii2/"] = answer({"title": "Server", "api_roots": ["/shelf/"]})
    website.pages["/shelf/collections/"] = answer({"collections": [collection()]})
    return website


def answer(document: Any, last: str = "", kind: str = TAXII["Content-Type"]) -> Any:
    added = {"X-TAXII-Date-Added-Last": last} if last else {}
    return 200, {"Content-Type": kind, **added}, json.dumps(document).encode()


def collection(**properties: Any) -> Collection:
    return {"id": NAME, "title": "All", "can_read": True, "can_write": False} | properties


def feed(website: Any, session: Any, *collections: str) -> TaxiiFeed:
    return TaxiiFeed(f"{website.address}/taxii2/", session, TaxiiOptions(collections, 2))


def at(day: int) -> str:
    return f"2024-01-{day:02d}T00:00:00.000000Z"


def cursors(items: list[Any]) -> list[str]:
    return [next(iter(json.loads(item.cursor).values())) for item in items if isinstance(item, Checkpoint)]


def test_a_server_that_pages_without_tokens(taxii: Any, session: Any) -> None:
    """Section 3.4.1: then the client goes on from the last addition; several may bear the same time."""
    added = [(1, 1), (2, 2), (2, 3), (2, 4), (3, 5)]

    def page(query: dict[str, str]) -> Any:
        after = query.get("added_after", "")
        rest = [(day, number) for day, number in added if at(day) > after]
        size = 4
        envelope = {"objects": [stix("tool", number) for _, number in rest[:size]], "more": len(rest) > size}
        return answer(envelope, at(rest[:size][-1][0]) if rest else "")

    taxii.pages[PLACE] = page
    items = list(feed(taxii, session).update(None))
    assert {item.id[-1] for item in items if isinstance(item, Threat)} == set("12345")
    assert cursors(items) == ["2024-01-01T23:59:59.999999Z", at(3)]


def test_the_cursor_is_the_servers_time_and_the_next_update_asks_from_there(taxii: Any, session: Any) -> None:
    taxii.pages[PLACE] = answer({"objects": [WORM]}, "2031-05-05T01:02:03.456Z")
    subject = feed(taxii, session)
    assert isinstance(subject, Feed)
    *_, checkpoint = subject.update(None)
    assert cursors([checkpoint]) == ["2031-05-05T01:02:03.456000Z"]
    taxii.pages[PLACE] = answer({})
    assert list(subject.update(checkpoint.cursor)) == [checkpoint]
    assert taxii.asked[-1][1]["added_after"] == "2031-05-05T01:02:03.456000Z"


def test_without_the_header_the_cursor_stays(taxii: Any, session: Any) -> None:
    taxii.pages[PLACE] = answer({"objects": [WORM]})
    *_, checkpoint = feed(taxii, session).update(None)
    assert checkpoint.cursor == "{}"


@pytest.mark.parametrize("cursor", ["files read 2024-01-01T00:00:00+00:00", "nonsense", "[]", "7", "{}"])
def test_a_cursor_of_something_else_starts_afresh(cursor: str, taxii: Any, session: Any) -> None:
    taxii.pages[PLACE] = answer({"objects": [WORM]}, at(1))
    assert read(WORM) in list(feed(taxii, session).update(cursor))
    assert "added_after" not in taxii.asked[-1][1]


def test_a_token_is_sent_and_never_told(taxii: Any) -> None:
    network = NetworkConfig(attempts=1, timeout_seconds=5)
    secret = "tok-3c5f8a91d2"
    config = FeedConfig(source=f"{taxii.address}/taxii2/", api_key=secret, network=network)
    taxii.pages[PLACE] = answer({"objects": []})
    list(build(config).update(None))
    assert {each["authorization"] for each in taxii.headers} == {f"Token {secret}"}
    assert {each["accept"] for each in taxii.headers} == {TAXII["Content-Type"]}
    taxii.pages["/taxii2/"] = (400, {}, f"bad header Token {secret}".encode())
    with pytest.raises(RemoteError) as caught:
        list(build(config).update(None))
    assert secret not in str(caught.value) + repr(config)


def test_our_password_is_not_carried_to_another_server(taxii: Any, session: Any) -> None:
    taxii.pages["/taxii2/"] = answer({"title": "Server", "api_roots": ["https://other.example.org/shelf/", "/shelf/"]})
    taxii.pages[PLACE] = answer({"objects": [WORM]}, at(1))
    missed, worm, _ = feed(taxii, session).update(None)
    assert "another server" in missed.reason and worm == read(WORM)
    assert len(list(feed(taxii, session, "All").update(None))) == 2


def test_an_api_root_can_be_named_itself(taxii: Any, session: Any) -> None:
    taxii.pages["/shelf/"] = answer({"title": "Root", "versions": ["application/taxii+json;version=2.1"]})
    taxii.pages[PLACE] = answer({"objects": [WORM]}, at(1))
    subject = TaxiiFeed(f"{taxii.address}/shelf/", session, TaxiiOptions())
    assert read(WORM) in list(subject.update(None))


def test_one_refused_collection_does_not_keep_the_others_from_being_read(taxii: Any, session: Any) -> None:
    other = "b1a7b528-80eb-42ed-a74d-c6fbd5a26116"
    taxii.pages["/shelf/collections/"] = answer({"collections": [collection(), collection(id=other, title="Other")]})
    taxii.pages[PLACE] = (403, TAXII, b"{}")
    taxii.pages[f"/shelf/collections/{other}/objects/"] = answer({"objects": [WORM]}, at(1))
    items = []
    with pytest.raises(RemoteError, match="refused the credentials"):
        for item in feed(taxii, session).update(None):
            items.append(item)
    assert read(WORM) in items


def test_a_page_that_is_no_longer_kept(taxii: Any, session: Any) -> None:
    def page(query: dict[str, str]) -> Any:
        gone = (404, TAXII, b'{"title": "no such page"}')
        return gone if "next" in query else answer({"objects": [WORM], "more": True, "next": "p2"}, at(1))

    taxii.pages[PLACE] = page
    items = []
    with pytest.raises(TransientError, match="no such page"):
        for item in feed(taxii, session).update(None):
            items.append(item)
    assert cursors(items) == ["2023-12-31T23:59:59.999999Z"]


def endless(_: dict[str, str]) -> Any:
    return answer({"objects": [], "more": True, "next": "again"})


def standing(_: dict[str, str]) -> Any:
    return answer({"objects": [WORM], "more": True}, at(1))


@pytest.mark.parametrize("page", [endless, standing])
def test_pages_that_lead_nowhere(page: Callable[[dict[str, str]], Any], taxii: Any, session: Any) -> None:
    taxii.pages[PLACE] = page
    with pytest.raises(RemoteError, match="lead nowhere"):
        list(feed(taxii, session).update(None))


@pytest.mark.parametrize(
    ("path", "page", "words"),
    [
        ("/taxii2/", answer("x", kind="text/html"), "text/html where TAXII 2.1"),
        ("/taxii2/", (200, {}, b"{}"), "no content type"),
        ("/taxii2/", (200, TAXII, b"{"), "ends too early"),
        ("/taxii2/", answer([]), "a list where an object belongs"),
        ("/taxii2/", answer({"api_roots": []}), "No 'title'"),
        ("/taxii2/", answer({"title": "x", "api_roots": [5]}), "does not answer as"),
        ("/taxii2/", answer({"title": "x"}), "no collection may be read"),
        ("/taxii2/", (406, {}, b""), "406"),
        ("/taxii2/", (401, {}, b""), "refused the credentials"),
        ("/shelf/collections/", answer({"collections": [{"title": "x"}]}), "does not answer as"),
        ("/shelf/collections/", answer({"collections": [5]}), "does not answer as"),
        ("/shelf/collections/", answer({"collections": [collection(can_read=False)]}), "no collection may be read"),
        ("/shelf/collections/", answer({}), "no collection may be read"),
        (PLACE, answer({"objects": 5}), "where a list belongs"),
        (PLACE, answer({"objects": [], "more": "yes"}), "where true or false belongs"),
    ],
)
def test_a_server_that_is_none(path: str, page: Any, words: str, taxii: Any, session: Any) -> None:
    taxii.pages[PLACE] = answer({"objects": []})
    taxii.pages[path] = page
    with pytest.raises(MeddojoError, match=words) as caught:
        list(feed(taxii, session).update(None))
    assert caught.value.hint


@given(st.data())
def test_any_discovery_and_page_is_read_or_refused(mutated: Any, data: Any) -> None:
    from connectors.feeds.taxii.server import Connection, collections, pages

    class Fixed(Connection):
        def get(self, url: str, headers: Any = None, params: Any = None) -> Any:
            return JsonObject.of(
                documents["page" if "objects" in url else "list" if "coll" in url else "root"], url
            ).value

    documents = {
        "root": {"title": "Server", "api_roots": ["/shelf/"]},
        "list": {"collections": [collection()]},
        "page": {"objects": [WORM], "more": False},
    }
    which = data.draw(st.sampled_from(sorted(documents)))
    documents[which] = data.draw(mutated(documents[which]))
    with pytest.MonkeyPatch.context() as patch, suppress(MeddojoError):
        patch.setattr("connectors.feeds.taxii.server.Connection", Fixed)
        for each in collections("https://taxii.test/taxii2/", None, ()):  # type: ignore[arg-type]
            if not isinstance(each, Skipped):
                list(pages(each, "", 10))
