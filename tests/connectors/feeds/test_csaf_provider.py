"""Providers on the web, found and read: what is fetched when, and what an outage costs."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.feeds.csaf import CsafFeed, build
from connectors.feeds.csaf.policy import FOLDER_POLICY, PROVIDER_POLICY, Check, Label, Policy
from connectors.http import PoliteSession
from meddojo.advisory import Advisory
from meddojo.config import FeedConfig, NetworkConfig, load_config
from meddojo.errors import ConfigError, InputError, MeddojoError, RemoteError, TransientError
from meddojo.interface import Checkpoint, Skipped
from tests.connectors.feeds.csaf_provider import UNCHECKED, LocalProvider, document

LENIENT = Policy(Check.OFF, Check.WHEN_PRESENT)


def _advisory(name: str) -> bytes:
    moment = "2024-01-01T00:00:00Z"
    tracking = {"id": name, "version": "1", "initial_release_date": moment, "current_release_date": moment}
    return json.dumps({"document": {"csaf_version": "2.0", "title": name, "tracking": tracking}}).encode()


def _rolie(website: Any, days: dict[str, str]) -> None:
    entries = [
        {"id": name, "updated": f"{day}T00:00:00Z", "content": {"src": f"{website.address}/{name}.json"}}
        for name, day in days.items()
    ]
    feeds = [
        {"tlp_label": "WHITE", "url": f"{website.address}/feed.json"},
        {"tlp_label": "RED", "url": f"{website.address}/secret.json"},
    ]
    website.pages["/provider-metadata.json"] = json.dumps({"distributions": [{"rolie": {"feeds": feeds}}]}).encode()
    website.pages["/feed.json"] = json.dumps({"feed": {"entry": entries}}).encode()
    website.pages |= {f"/{name}.json": _advisory(name) for name in days}


def _update(website: Any, session: Any, cursor: str | None = None, path: str = "provider-metadata.json") -> list[Any]:
    return list(CsafFeed(f"{website.address}/{path}", session, UNCHECKED).update(cursor))


def _ids(items: list[Any]) -> list[str]:
    return [item.id for item in items if isinstance(item, Advisory)]


def test_rolie_feed_oldest_first_then_only_changes(website: Any, session: Any) -> None:
    days = {"b": "2024-05-01", "a": "2023-01-01", "c": "2024-06-01"}
    _rolie(website, days)
    items = _update(website, session)
    assert _ids(items) == ["a", "b", "c"]
    assert "/secret.json" not in website.paths
    cursor = items[-1].cursor
    assert _ids(_update(website, session, cursor)) == []
    _rolie(website, {**days, "a": "2024-07-01", "late": "2019-01-01"})
    assert _ids(_update(website, session, cursor)) == ["late", "a"]


def test_what_changed_today_is_fetched_once_more(website: Any, session: Any) -> None:
    _rolie(website, {"a": "2023-01-01", "b": datetime.now(UTC).date().isoformat()})
    items = _update(website, session)
    assert _ids(items) == ["a", "b"]
    assert _ids(_update(website, session, items[-1].cursor)) == ["b"]


@pytest.mark.parametrize("cursor", ["files read 2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00+00:00", "", "csaf1 "])
def test_another_cursor_means_everything(cursor: str, website: Any, session: Any) -> None:
    _rolie(website, {"a": "2023-01-01"})
    assert _ids(_update(website, session, cursor)) == ["a"]


def test_refused_and_broken_documents_are_tried_again(website: Any, session: Any) -> None:
    _rolie(website, {"a": "2023-01-01", "b": "2023-01-02", "c": "2023-01-03"})
    website.pages["/a.json"] = (404, {}, b"gone")
    website.pages["/b.json"] = _advisory("b")[:-5]
    items = _update(website, session)
    assert [type(item) for item in items] == [Skipped, Skipped, Advisory, Checkpoint]
    website.pages["/a.json"] = _advisory("a")
    items = _update(website, session, items[-1].cursor)
    assert [type(item) for item in items] == [Advisory, Skipped, Checkpoint]
    website.pages["/b.json"] = _advisory("b")
    items = _update(website, session, items[-1].cursor)
    assert _ids(items) == ["b"]
    assert _ids(_update(website, session, items[-1].cursor)) == []


def test_an_outage_keeps_the_last_checkpoint(website: Any, session: Any) -> None:
    first = datetime(2020, 1, 1, tzinfo=UTC)
    days = {f"n{number:03d}": (first + timedelta(days=number)).date().isoformat() for number in range(250)}
    _rolie(website, days)
    website.pages["/n007.json"] = (404, {}, b"gone")
    website.pages["/n100.json"] = (503, {}, b"only this one is broken")
    website.pages |= {f"/n{number}.json": (503, {}, b"busy") for number in range(230, 250)}
    seen: list[Any] = []
    with pytest.raises(TransientError):
        seen.extend(CsafFeed(f"{website.address}/feed.json", session, UNCHECKED).update(None))
    checkpoints = [item for item in seen if isinstance(item, Checkpoint)]
    assert len(checkpoints) == 2
    assert "/n232.json" in website.paths
    assert "/n233.json" not in website.paths
    website.pages |= {f"/{name}.json": _advisory(name) for name in days}
    rest = _ids(_update(website, session, checkpoints[-1].cursor, "feed.json"))
    assert set(_ids(seen)) | set(rest) == set(days)
    assert len(rest) < 70


def test_directory_with_index_and_changes(website: Any, session: Any) -> None:
    base = "/csaf/white"
    distributions = [{"directory_url": website.address + base}]
    website.pages["/provider-metadata.json"] = json.dumps({"distributions": distributions}).encode()
    index = ("2023/a.json\r", "2024/b.json", "2024/b.json.asc", "../../etc/secret.json", "/x.json")
    website.pages[f"{base}/index.txt"] = "\n".join(index).encode()
    website.pages[f"{base}/2023/a.json"] = _advisory("a")
    website.pages[f"{base}/2024/b.json"] = _advisory("b")

    def change(day: str) -> None:
        rows = f'"2024/b.json","{day}T00:00:00Z"\n"2023/a.json","2023-01-01T00:00:00Z"\n'
        website.pages[f"{base}/changes.csv"] = rows.encode()

    change("2024-05-01")
    items = _update(website, session)
    assert _ids(items) == ["a", "b"]
    assert [item.reason for item in items if isinstance(item, Skipped)] == [
        "'../../etc/secret.json' lies outside the directory",
        "'/x.json' lies outside the directory",
    ]
    cursor = items[-1].cursor
    assert _ids(_update(website, session, cursor)) == []
    change("2024-06-01")
    assert _ids(_update(website, session, cursor)) == ["b"]
    del website.pages[f"{base}/changes.csv"]
    assert _ids(_update(website, session, cursor)) == ["a", "b"]


def test_single_document(website: Any, session: Any) -> None:
    website.pages["/a.json"] = _advisory("a")
    assert _ids(_update(website, session, path="a.json")) == ["a"]


def test_links_to_other_places_are_not_followed(website: Any, session: Any) -> None:
    _rolie(website, {"a": "2023-01-01"})
    addresses = ["http://127.0.0.2/x.json", "file:///etc/passwd", "ftp://x/y.json", "http://[", "https://h:port/", ""]
    entries = [{"updated": "2023-01-01T00:00:00Z", "content": {"src": address}} for address in addresses]
    good = {"updated": "2023-01-01T00:00:00Z", "link": [{"rel": "self", "href": "a.json"}]}
    website.pages["/feed.json"] = json.dumps({"feed": {"entry": [*entries, 7, good]}}).encode()
    items = _update(website, session)
    assert sum(isinstance(item, Skipped) for item in items) == 7
    assert _ids(items) == ["a"]


@pytest.mark.parametrize("body", [b"<html>login</html>", b"[]", b'{"distributions": []}', b'{"distributions": 1}'])
def test_no_provider_metadata(body: bytes, website: Any, session: Any) -> None:
    website.pages["/provider-metadata.json"] = body
    with pytest.raises(InputError):
        _update(website, session)


@pytest.fixture
def provider(website: Any) -> LocalProvider:
    return LocalProvider(website)


def _read(source: str, session: PoliteSession, cursor: str | None = None, policy: Policy = PROVIDER_POLICY) -> Any:
    return list(CsafFeed(source, session, policy).update(cursor))


def test_a_domain_is_asked_for_its_provider(provider: LocalProvider, session: Any) -> None:
    provider.publish("a")
    website = provider.website
    website.pages["/.well-known/csaf/provider-metadata.json"] = website.pages.pop("/provider-metadata.json")
    for source in (website.address, f"{website.address}/"):
        assert _ids(_read(source, session)) == ["a"]
    assert website.paths[0] == "/.well-known/csaf/provider-metadata.json"
    assert "/security.txt" not in website.paths


@pytest.mark.parametrize("place", ["/.well-known/security.txt", "/security.txt"])
def test_security_txt_leads_to_the_providers(place: str, website: Any, session: Any) -> None:
    website.pages["/.well-known/csaf/provider-metadata.json"] = b"<html>an error page with status 200</html>"
    first, second = LocalProvider(website, "/one"), LocalProvider(website, "/two")
    first.publish("a")
    second.publish("b")
    lines = ("Contact: mailto:psirt@acme.example", f"CSAF: {first.metadata_url}", f"csaf:{second.metadata_url} ")
    website.pages[place] = "\r\n".join((*lines, "CSAF: http://127.0.0.2/x.json", "CSAF:")).encode()
    assert _ids(_read(website.address, session)) == ["a", "b"]


def test_a_domain_without_a_provider(website: Any, session: Any, monkeypatch: Any) -> None:
    asked: list[str] = []
    get = PoliteSession.get

    def ask(self: PoliteSession, url: str, **options: Any) -> bytes:
        asked.append(url)
        if url.startswith(website.address):
            return get(self, url, **options)
        raise RemoteError(f"{url} answered HTTP 404")

    monkeypatch.setattr(PoliteSession, "get", ask)
    with pytest.raises(InputError, match="shows no CSAF provider") as caught:
        _read(website.address, session)
    assert asked[-1] == "https://csaf.data.security.127.0.0.1"
    assert all(address in str(caught.value) for address in asked)


@pytest.mark.parametrize("source", ["https://www.acme.example", "https://csaf.data.security.acme.example/"])
def test_the_dns_path_serves_the_metadata_itself(
    source: str, provider: LocalProvider, session: Any, monkeypatch: Any
) -> None:
    provider.publish("a", b"{}")
    provider.publish("b")
    own, shown = provider.website.address, "https://files.acme.example"
    get = PoliteSession.get

    def ask(self: PoliteSession, url: str, **options: Any) -> bytes:
        if url == "https://csaf.data.security.acme.example":
            url = f"{shown}/provider-metadata.json"
        if not url.startswith(shown):
            raise TransientError(f"{url} could not be reached")
        return get(self, url.replace(shown, own), **options).replace(own.encode(), shown.encode())

    monkeypatch.setattr(PoliteSession, "get", ask)
    items = _read(source, session)
    assert _ids(items) == ["b"]
    assert items[0].reason.startswith("/document/csaf_version")


def _aggregate(website: Any, providers: list[Any], publishers: list[Any]) -> str:
    website.pages["/aggregator.json"] = json.dumps(
        {
            "aggregator": {"category": "aggregator", "name": "All", "namespace": "https://all.example"},
            "csaf_providers": [{"metadata": {"url": own}, "mirrors": mirrors} for own, mirrors in providers],
            "csaf_publishers": [{"metadata": {"url": own}, "mirrors": mirrors} for own, mirrors in publishers],
        }
    ).encode()
    return f"{website.address}/aggregator.json"


def test_an_aggregator_leads_to_every_provider(website: Any, session: Any) -> None:
    parties = {name: LocalProvider(website, f"/{name}") for name in ("one", "two", "three", "four")}
    for name, party in parties.items():
        party.publish(name, day="2023-03-03")
    parties["two"].keys.clear()
    parties["two"].write_feeds()
    gone = f"{website.address}/gone/provider-metadata.json"
    source = _aggregate(
        website,
        [
            (parties["one"].metadata_url, []),
            (parties["two"].metadata_url, []),
            (gone, [f"{parties['three'].address}/"]),
            (gone, []),
        ],
        [(gone, [parties["four"].metadata_url])],
    )
    items = _read(source, session)
    assert _ids(items) == ["one", "three", "four"]
    skipped = {item.origin: item.reason for item in items if isinstance(item, Skipped)}
    assert "names no OpenPGP key" in skipped[parties["two"].metadata_url]
    assert "HTTP 404" in skipped[gone]
    assert len(skipped) == 2


def test_an_aggregator_that_leads_nowhere_is_a_failure(website: Any, session: Any) -> None:
    with pytest.raises(InputError, match="leads to no provider: it lists none"):
        _read(_aggregate(website, [], []), session)
    gone = f"{website.address}/gone/provider-metadata.json"
    with pytest.raises(InputError, match=r"leads to no provider: .*HTTP 404"):
        _read(_aggregate(website, [(gone, []), ("ftp://x", []), ("", [])], []), session)
    parties = [LocalProvider(website, f"/{number}") for number in range(2)]
    for party in parties:
        party.publish("a")
        party.keys.clear()
        party.write_feeds()
    with pytest.raises(InputError, match="names no OpenPGP key"):
        _read(_aggregate(website, [(party.metadata_url, []) for party in parties], []), session)


def test_a_provider_of_several_that_is_down_tonight_is_not_read_anew_tomorrow(website: Any, session: Any) -> None:
    one, two = LocalProvider(website, "/one"), LocalProvider(website, "/two")
    for number in range(5):
        one.publish(f"one-{number}", day="2023-03-03")
    two.publish("two", day="2023-03-03")
    source = _aggregate(website, [(one.metadata_url, []), (two.metadata_url, [])], [])
    *items, checkpoint = _read(source, session)
    assert len(_ids(items)) == 6
    feed = website.pages["/one/feed-white.json"]
    two.publish("two-b", day="2023-03-04")
    for page, answer in (("/one/feed-white.json", (503, {}, b"")), ("/one/provider-metadata.json", (403, {}, b""))):
        kept = website.pages[page]
        website.pages[page] = answer
        *items, later = _read(source, session, checkpoint.cursor)
        assert _ids(items) == ["two-b"]
        assert [item.origin for item in items if isinstance(item, Skipped)] == [one.metadata_url]
        website.pages[page] = kept
    website.pages["/one/feed-white.json"] = feed
    assert _ids(_read(source, session, later.cursor)) == []


def test_a_provider_that_vanishes_in_the_middle_leaves_the_others(website: Any, session: Any) -> None:
    one, two = LocalProvider(website, "/one"), LocalProvider(website, "/two")
    paths = [one.publish(f"one-{number}") for number in range(9)]
    two.publish("two")
    website.pages |= {path: (502, {}, b"") for path in paths[2:]}
    items = _read(_aggregate(website, [(one.metadata_url, []), (two.metadata_url, [])], []), session)
    assert _ids(items) == ["one-0", "one-1", "two"]
    assert paths[4] in website.paths
    assert paths[5] not in website.paths


def test_feeds_by_label(provider: LocalProvider, session: Any) -> None:
    provider.publish("open")
    provider.publish("green", document("green", label="GREEN"), feed="green")
    provider.publish("strict", document("strict", label="AMBER+STRICT"), feed="amber+strict")
    provider.write_feeds(["white", "green", "amber+strict"])
    assert _ids(_read(provider.metadata_url, session)) == ["open"]
    both = Policy(tlp=frozenset({Label.CLEAR, Label.GREEN}))
    items = _read(provider.metadata_url, session, policy=both)
    assert [(item.id, item.tlp) for item in items if isinstance(item, Advisory)] == [
        ("green", "GREEN"),
        ("open", "WHITE"),
    ]
    with pytest.raises(InputError, match=r"has only feeds labelled TLP:AMBER\+STRICT, GREEN, WHITE"):
        _read(provider.metadata_url, session, policy=Policy(tlp=frozenset({Label.RED})))


def test_a_feed_that_is_refused_leaves_the_others(provider: LocalProvider, session: Any) -> None:
    provider.publish("open")
    provider.publish("green", document("green", label="GREEN"), feed="green")
    provider.write_feeds(["white", "green"])
    provider.website.pages["/feed-green.json"] = (401, {}, b"who are you?")
    both = Policy(tlp=frozenset({Label.CLEAR, Label.GREEN}))
    items = _read(provider.metadata_url, session, policy=both)
    assert _ids(items) == ["open"]
    assert "HTTP 401" in items[0].reason
    provider.write_feeds(["green"])
    provider.website.pages["/feed-green.json"] = (401, {}, b"who are you?")
    with pytest.raises(RemoteError, match="401"):
        _read(provider.metadata_url, session, policy=both)


def test_a_signed_directory(provider: LocalProvider, session: Any) -> None:
    website = provider.website
    path = provider.publish("a")
    provider.publish("b")
    provider.describe([{"directory_url": f"{provider.address}/white/"}])
    website.pages["/white/index.txt"] = b"2024/a.json\n2024/b.json\n"
    website.pages["/white/changes.csv"] = (
        b'"2024/a.json","2024-01-02T00:00:00Z"\n"2024/b.json","2024-01-01T00:00:00Z"\n'
    )
    assert _ids(_read(provider.metadata_url, session)) == ["b", "a"]
    del website.pages[f"{path}.asc"]
    items = _read(provider.metadata_url, session)
    assert _ids(items) == ["b"]
    assert items[1].reason == "quarantined: it is not signed: there is no a.json.asc"


def test_options_of_a_section() -> None:
    options = {"signature": "when-present", "hash": "off", "tlp": ["WHITE", "green"]}
    feed = build(FeedConfig(source="https://acme.example", options=options))
    assert feed.policy == Policy(Check.WHEN_PRESENT, Check.OFF, frozenset({Label.CLEAR, Label.GREEN}))
    assert build(FeedConfig(source="https://acme.example")).policy == PROVIDER_POLICY
    assert build(FeedConfig()).policy == PROVIDER_POLICY
    assert build(FeedConfig(source="folder")).policy == FOLDER_POLICY
    assert build(FeedConfig(options={"tlp": "TLP:AMBER, clear"})).policy.tlp == {Label.AMBER, Label.CLEAR}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"signatures": "off"}, "options.signatures is no option of a CSAF feed\n  hint: did you mean 'signature'?"),
        ({"colour": "red"}, "options.colour is no option of a CSAF feed\n  hint: valid: signature, hash, tlp"),
        ({"signature": "requird"}, "options.signature is 'requird'\n  hint: did you mean 'required'?"),
        ({"hash": True}, "options.hash is True\n  hint: valid: required, when-present, off"),
        ({"tlp": ["GREN"]}, "options.tlp lists 'GREN'\n  hint: did you mean 'GREEN'?"),
        ({"tlp": [""]}, "options.tlp lists ''"),
        ({"tlp": []}, "options.tlp is no list of labels"),
        ({"tlp": 7}, "options.tlp is no list of labels"),
    ],
)
def test_unknown_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(FeedConfig(options=options))
    assert str(caught.value).startswith(message)


def test_several_providers_in_one_configuration(tmp_path: Any) -> None:
    file = tmp_path / "meddojo.toml"
    file.write_text('[feeds.siemens]\ntype = "csaf"\nsource = "https://www.siemens.com"\n[feeds.csaf]\n', "utf-8")
    environment = {"MEDDOJO_FEEDS__CSAF__OPTIONS__SIGNATURE": "off"}
    feeds = load_config(file, environment).feeds
    assert [(name, section.type or name) for name, section in feeds.items()] == [("siemens", "csaf"), ("csaf", "csaf")]
    assert build(feeds["siemens"]).source == "https://www.siemens.com"
    assert build(feeds["csaf"]).policy.signature is Check.OFF


@pytest.mark.parametrize("kind", ["provider-metadata.json", "aggregator.json", "feed.json"])
@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_whatever_a_provider_says_is_read_or_refused(kind: str, data: Any, mutated: Any, anything: Any) -> None:
    pages = {
        "provider-metadata.json": {
            "distributions": [{"rolie": {"feeds": [{"tlp_label": "WHITE", "url": "https://a.example/feed.json"}]}}],
            "public_openpgp_keys": [{"fingerprint": "AB" * 20, "url": "https://a.example/key.asc"}],
            "role": "csaf_provider",
        },
        "aggregator.json": {
            "csaf_providers": [
                {"metadata": {"url": "https://a.example/provider-metadata.json"}, "mirrors": ["https://m.example"]}
            ],
        },
        "feed.json": {
            "feed": {
                "entry": [
                    {
                        "updated": "2024-01-01T00:00:00Z",
                        "content": {"src": "https://a.example/a.json"},
                        "link": [{"rel": "hash", "href": "https://a.example/a.json.sha512"}],
                    }
                ]
            }
        },
    }
    pages[kind] = data.draw(mutated(pages[kind]) | anything)

    def answer(url: str, **_: Any) -> bytes:
        name = url.rpartition("/")[2]
        if name in pages:
            return json.dumps(pages[name]).encode()
        if name == "a.json":
            return _advisory("a")
        raise RemoteError(f"{url} answered HTTP 404")

    session = PoliteSession(NetworkConfig())
    session.get = answer  # type: ignore[method-assign, assignment]
    source = (
        "https://a.example/aggregator.json" if kind == "aggregator.json" else "https://a.example/provider-metadata.json"
    )
    with suppress(MeddojoError):
        for item in CsafFeed(source, session, LENIENT).update(None):
            assert isinstance(item, Advisory | Skipped | Checkpoint)
