"""What of a provider's documents is stored, what is quarantined, and what the messages say."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.feeds.csaf import CsafFeed
from connectors.feeds.csaf.openpgp import KeyRing, read_keys, signature_fault
from connectors.feeds.csaf.policy import FOLDER_POLICY, PROVIDER_POLICY, Check, Policy
from connectors.http import PoliteSession
from meddojo.advisory import Advisory
from meddojo.errors import InputError, MeddojoError, TransientError
from meddojo.interface import Checkpoint, Skipped
from meddojo.store import Store
from tests.connectors.feeds.csaf_provider import (
    LocalProvider,
    document,
    expired,
    fingerprint,
    new_key,
    public,
    revoked,
    signature,
)

LENIENT = Policy(Check.WHEN_PRESENT, Check.WHEN_PRESENT)


@pytest.fixture
def provider(website: Any) -> LocalProvider:
    return LocalProvider(website)


def _update(provider: LocalProvider, session: PoliteSession, policy: Policy = PROVIDER_POLICY) -> list[Any]:
    return list(CsafFeed(provider.metadata_url, session, policy).update(None))


def _ids(items: list[Any]) -> list[str]:
    return [item.id for item in items if isinstance(item, Advisory)]


def _reasons(items: list[Any]) -> dict[str, str]:
    return {Path(item.origin).stem: item.reason for item in items if isinstance(item, Skipped)}


def _only_reason(provider: LocalProvider, session: PoliteSession, policy: Policy = PROVIDER_POLICY) -> str:
    """Why the one document "bad" is quarantined, while a good one after it is read."""
    provider.publish("good", day="2024-09-09")
    items = _update(provider, session, policy)
    assert _ids(items) == ["good"]
    (reason,) = _reasons(items).values()
    assert reason.startswith("quarantined: ")
    return reason.removeprefix("quarantined: ")


def test_only_what_is_proven_is_stored(provider: LocalProvider, session: Any, tmp_path: Path) -> None:
    pages, stranger = provider.website.pages, new_key("Somebody Else")
    provider.publish("ok-first", day="2024-02-01")
    path = provider.publish("tampered", day="2024-02-02")
    pages[path] = pages[path].replace(b"weak", b"fine")
    pages[f"{path}.sha512"] = hashlib.sha512(pages[path]).hexdigest().encode()
    path = provider.publish("unsigned", day="2024-02-03")
    del pages[f"{path}.asc"]
    provider.publish("wrongly-signed", day="2024-02-04", key=stranger)
    path = provider.publish("wrong-hash", day="2024-02-05")
    pages[f"{path}.sha512"] = b"0" * 128 + b"  wrong-hash.json\n"
    late = new_key("Acme PSIRT 2023")
    provider.announce(late, expired(late))
    provider.publish("expired-key", day="2024-02-06", key=late)
    provider.publish("ok-last", day="2024-02-07")

    items = _update(provider, session)
    with Store(f"sqlite:///{tmp_path}/store.db") as store:
        advisories = [item for item in items if isinstance(item, Advisory)]
        store.records.commit("acme", advisories, lambda _: {"all"}, items[-1].cursor)
        assert [advisory.id for advisory in store.records.advisories_naming([{"all"}])[0]] == ["ok-first", "ok-last"]
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    own = fingerprint(provider.key)
    assert _reasons(items) == {
        "tampered": f"quarantined: its signature with the key {own} (SHA512, of {today}) does not hold: "
        "the document was changed after it was signed, or key or hash are too weak or were not valid then",
        "unsigned": "quarantined: it is not signed: there is no unsigned.json.asc",
        "wrongly-signed": f"quarantined: it is signed with the key {_signing(stranger)}, which is none of those the "
        f"provider publishes: {own}, {fingerprint(late)}",
        "wrong-hash": f"quarantined: its SHA-512 begins with {_digest(pages, 'wrong-hash')}, but "
        "wrong-hash.json.sha512 states 0000000000000000: it was changed or damaged after that was computed",
        "expired-key": f"quarantined: it is signed with the key {fingerprint(late)}, which expired on {today}",
    }


def _signing(key: Any) -> str:
    import pysequoia

    issuer = pysequoia.Sig.from_bytes(signature(key, b"")).issuer_fingerprint
    assert issuer
    return issuer.upper()


def _digest(pages: Any, name: str) -> str:
    return hashlib.sha512(pages[f"/white/2024/{name}.json"]).hexdigest()[:16]


def test_quarantined_documents_are_tried_again_until_they_are_right(provider: LocalProvider, session: Any) -> None:
    path = provider.publish("late")
    pages = provider.website.pages
    proof = pages.pop(f"{path}.asc")
    feed = CsafFeed(provider.metadata_url, session)
    for _ in range(2):
        *items, checkpoint = feed.update(None)
        assert "not signed" in items[0].reason
    pages[f"{path}.asc"] = proof
    *items, checkpoint = feed.update(checkpoint.cursor)
    assert _ids(items) == ["late"]
    asked = len(provider.website.asked)
    assert [type(item) for item in feed.update(checkpoint.cursor)] == [Checkpoint]
    assert provider.website.paths[asked:] == [
        "/provider-metadata.json",
        f"/openpgp/{fingerprint(provider.key)}.asc",
        "/feed-white.json",
    ]


def test_revoked_key(provider: LocalProvider, session: Any) -> None:
    other = new_key()
    provider.announce(other, revoked(other))
    provider.publish("bad", key=other)
    assert _only_reason(provider, session) == f"it is signed with the key {fingerprint(other)}, which was revoked"


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"<html>404</html>", "its signature file cannot be read: it is no OpenPGP data"),
        (b"", "its signature file holds no signature"),
        (b"-----BEGIN PGP SIGNATURE-----\n\n!!!!\n-----END PGP SIGNATURE-----\n", "the PGP SIGNATURE block is damaged"),
        (b"-----BEGIN PGP SIGNATURE-----\n\nwsA", "the PGP SIGNATURE block is damaged"),
        (b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n", "it is no PGP SIGNATURE block"),
    ],
)
def test_something_else_in_place_of_a_signature(
    content: bytes, cause: str, provider: LocalProvider, session: Any
) -> None:
    path = provider.publish("bad")
    provider.website.pages[f"{path}.asc"] = content
    assert cause in _only_reason(provider, session)


def test_a_signature_of_another_document_does_not_count(provider: LocalProvider, session: Any) -> None:
    path = provider.publish("bad")
    provider.website.pages[f"{path}.asc"] = signature(provider.key, document("other"))
    assert "does not hold" in _only_reason(provider, session)


def test_one_good_signature_of_several_is_enough(provider: LocalProvider, session: Any) -> None:
    import pysequoia

    path = provider.publish("good")
    data = provider.website.pages[path]
    both = b"".join(bytes(pysequoia.Sig.from_bytes(signature(key, data))) for key in (new_key(), provider.key))
    lines = base64.encodebytes(both)
    armored = b"-----BEGIN PGP SIGNATURE-----\nComment: two\n\n" + lines + b"=AAAA\n-----END PGP SIGNATURE-----\n"
    for content in (both, armored, armored.replace(b"\n", b"\r\n")):
        provider.website.pages[f"{path}.asc"] = content
        assert _ids(_update(provider, session)) == ["good"]


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "bad.json.sha512 states no SHA-512"),
        (b"SHA512 (bad.json) = 00", "bad.json.sha512 states no SHA-512"),
        (b"ab" * 32 + b"  bad.json", "bad.json.sha512 states no SHA-512"),
        (b"ab" * 64 + b"  bad.json", "bad.json.sha512 states abababababababab"),
    ],
)
def test_wrong_hashes(content: bytes, cause: str, provider: LocalProvider, session: Any) -> None:
    path = provider.publish("bad")
    provider.website.pages[f"{path}.sha512"] = content
    assert cause in _only_reason(provider, session)


def test_missing_hashes(provider: LocalProvider, session: Any) -> None:
    path = provider.publish("bad")
    del provider.website.pages[f"{path}.sha512"]
    assert _only_reason(provider, session) == "it has no hash: there is no bad.json.sha512"
    provider.entries["bad"]["link"] = []
    del provider.website.pages[f"{path}.sha256"]
    assert _only_reason(provider, session) == "it has no hash: there is no bad.json.sha512 or bad.json.sha256"


def test_sha256_alone_is_enough(provider: LocalProvider, session: Any) -> None:
    path = provider.publish("a")
    link = provider.entries["a"]["link"]
    link[1]["href"] = link[1]["href"].replace("sha512", "sha256")
    del provider.website.pages[f"{path}.sha512"]
    provider.write_feeds()
    assert _ids(_update(provider, session)) == ["a"]


def test_when_present_and_off(provider: LocalProvider, session: Any) -> None:
    pages = provider.website.pages
    bare, path = provider.publish("bare"), provider.publish("changed")
    for extension in (".sha256", ".sha512", ".asc"):
        del pages[bare + extension]
    pages[path] += b" "
    assert _ids(_update(provider, session, LENIENT)) == ["bare"]
    assert _ids(_update(provider, session, Policy(Check.WHEN_PRESENT, Check.OFF))) == ["bare"]
    asked = len(provider.website.asked)
    assert _ids(_update(provider, session, Policy(Check.OFF, Check.OFF))) == ["bare", "changed"]
    assert not any(path.endswith((".asc", ".sha512")) for path in provider.website.paths[asked:])


def test_a_provider_without_keys(provider: LocalProvider, session: Any) -> None:
    provider.keys.clear()
    provider.publish("a")
    with pytest.raises(InputError, match="names no OpenPGP key") as caught:
        _update(provider, session)
    assert 'options.signature and options.hash to "when-present"' in caught.value.message
    assert "csaf_trusted_provider" in caught.value.message
    assert _ids(_update(provider, session, LENIENT)) == ["a"]
    with pytest.raises(InputError, match="names no OpenPGP key"):
        list(CsafFeed(f"{provider.address}/feed-white.json", session).update(None))


def test_a_key_with_another_fingerprint_is_not_used(provider: LocalProvider, session: Any) -> None:
    stranger = new_key()
    page = f"/openpgp/{fingerprint(provider.key)}.asc"
    provider.website.pages[page] = public(stranger)
    provider.publish("bad", key=stranger)
    with pytest.raises(InputError) as caught:
        _update(provider, session)
    assert f"holds the key {fingerprint(stranger)}, where {fingerprint(provider.key)} is announced" in str(caught.value)
    second = new_key()
    provider.announce(second)
    provider.publish("bad")
    provider.publish("good", day="2024-09-09", key=second)
    items = _update(provider, session)
    assert _ids(items) == ["good"]
    provider.website.pages[page] = public(provider.key)
    assert _ids(_update(provider, session)) == ["bad", "good"]


def test_fingerprints_are_compared_however_they_are_written(provider: LocalProvider, session: Any) -> None:
    provider.keys[0]["fingerprint"] = "0x" + " ".join(fingerprint(provider.key).lower())
    provider.publish("a")
    assert _ids(_update(provider, session)) == ["a"]


def test_a_key_server_out_of_order_fails_the_provider_for_now(provider: LocalProvider, session: Any) -> None:
    provider.publish("a")
    provider.website.pages[f"/openpgp/{fingerprint(provider.key)}.asc"] = (503, {}, b"busy")
    for policy in (PROVIDER_POLICY, LENIENT):
        with pytest.raises(TransientError):
            _update(provider, session, policy)


@pytest.mark.parametrize("content", [b"", b"<html>", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n"])
def test_no_key_in_a_key_file(content: bytes, provider: LocalProvider, session: Any) -> None:
    provider.publish("a")
    provider.website.pages[f"/openpgp/{fingerprint(provider.key)}.asc"] = content
    with pytest.raises(InputError, match="none of its OpenPGP keys can be used"):
        _update(provider, session, LENIENT)


def _packet(tag: int, body: bytes) -> bytes:
    return bytes([0xC0 | tag, 0xFF]) + struct.pack(">I", len(body)) + body


def test_compressed_data_is_never_unpacked() -> None:
    bomb = _packet(11, b"b\0\0\0\0\0" + bytes(200_000_000))
    for _ in range(2):
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        bomb = _packet(8, b"\x01" + packer.compress(bomb) + packer.flush())
    assert len(bomb) < 2000
    key = new_key()
    ring = KeyRing(read_keys(public(key), "key"))
    now = datetime.now(UTC)
    assert "something other than a detached signature" in signature_fault(b"x", bomb, ring, now)
    with pytest.raises(InputError):
        read_keys(bomb, "key")


KEY = new_key()
RING = KeyRing(read_keys(public(KEY), "key"))
PROOF = signature(KEY, b"data")


@given(cut=st.integers(0, len(PROOF)), noise=st.binary(max_size=8), junk=st.binary(max_size=80))
def test_no_mutilated_signature_proves_another_document(cut: int, noise: bytes, junk: bytes) -> None:
    now = datetime.now(UTC) + timedelta(minutes=1)
    assert signature_fault(b"data", PROOF, RING, now) == ""
    assert signature_fault(b"Data", PROOF[:cut] + noise + PROOF[cut:], RING, now)
    assert signature_fault(b"data", junk, RING, now)


Copy = Callable[..., Path]


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """A provider's files in a folder."""

    def write(name: str, signed_by: Any = KEY, key: bytes | None = None, proof: bool = True) -> Path:
        data = document(name)
        (tmp_path / f"{name}.json").write_bytes(data)
        (tmp_path / f"{name}.json.sha512").write_text(hashlib.sha512(data).hexdigest(), encoding="ascii")
        if proof:
            (tmp_path / f"{name}.json.asc").write_bytes(signature(signed_by, data))
        if key:
            (tmp_path / "openpgp").mkdir(exist_ok=True)
            (tmp_path / "openpgp" / "key.asc").write_bytes(key)
        return tmp_path

    return write


def _folder(path: Path, session: PoliteSession, policy: Policy = FOLDER_POLICY) -> tuple[list[str], dict[str, str]]:
    items = list(CsafFeed(str(path), session, policy).update(None))
    return _ids(items), _reasons(items)


def test_a_folder_is_checked_against_what_lies_beside(copy: Copy, session: Any) -> None:
    copy("a", key=public(KEY))
    copy("b", signed_by=new_key())
    copy("c")
    folder = copy("d", proof=False)
    (folder / "c.json").write_bytes(document("c", version="2"))
    (folder / "e.json").write_bytes(document("e", label="AMBER"))
    read, reasons = _folder(folder, session)
    assert read == ["a", "d", "e"]
    assert "none of those the provider publishes" in reasons["b"]
    assert "SHA-512 begins with" in reasons["c"]
    read, reasons = _folder(folder, session, PROVIDER_POLICY)
    assert read == ["a"]
    assert reasons["d"] == "quarantined: it is not signed: there is no d.json.asc"
    assert reasons["e"] == "quarantined: it has no hash: there is no e.json.sha512 or e.json.sha256"


def test_a_folder_without_keys_is_checked_against_its_hashes(copy: Copy, session: Any) -> None:
    folder = copy("a")
    assert _folder(folder, session) == (["a"], {})
    (folder / "a.json.sha512").write_text("ab" * 64, encoding="ascii")
    assert "ababab" in _folder(folder, session)[1]["a"]
    assert "ababab" in _folder(folder / "a.json", session)[1]["a"]


def test_keys_of_a_folder_are_those_its_metadata_names(copy: Copy, session: Any) -> None:
    folder = copy("a", key=public(KEY))
    metadata = {"distributions": [{}], "public_openpgp_keys": [{"fingerprint": fingerprint(KEY), "url": "x"}]}
    (folder / "provider-metadata.json").write_text(json.dumps(metadata), encoding="utf-8")
    assert _folder(folder, session) == (["a"], {})
    metadata["public_openpgp_keys"] = [{"fingerprint": "AB" * 20, "url": "x"}]
    (folder / "provider-metadata.json").write_text(json.dumps(metadata), encoding="utf-8")
    assert "provider-metadata.json does not name it" in _folder(folder, session)[1]["a"]
    (folder / "openpgp" / "key.asc").write_bytes(b"no key")
    with pytest.raises(MeddojoError):
        _folder(folder, session)


def test_labels(provider: LocalProvider, session: Any) -> None:
    provider.publish("open", document("open"))
    provider.publish("green", document("green", label="GREEN"), feed="green")
    provider.publish("red", document("red", label="RED"))
    provider.write_feeds(["white", "green"])
    items = _update(provider, session)
    assert _ids(items) == ["open"]
    assert _reasons(items) == {"red": "it is labelled TLP:RED, which options.tlp does not list"}
    assert "/feed-green.json" not in provider.website.paths
