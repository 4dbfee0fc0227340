"""Feeds carried into a network without internet, and everything that may be wrong with what was carried."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard

from connectors import bundle as format_of
from connectors.bundle import open_bundle
from meddojo.advisory import Advisory
from meddojo.config import load_config
from meddojo.errors import ConfigError, InputError, TransientError
from meddojo.signature import generate, sign
from meddojo.store import Store
from meddojo.store.transfer import KINDS
from meddojo.threat import Threat, ThreatRelation
from meddojo.vulnerability import EpssScore, KevEntry, Vulnerability
from scheduler import pipeline
from scheduler.bundle import export_bundle, import_bundle
from scheduler.console import Console
from scheduler.intake import record_keys

LAST_NIGHT = datetime(2026, 11, 25, 2, 30, tzinfo=UTC)
TODAY = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
QUIET = Console(-1)


def fill(store: Store, night: datetime = LAST_NIGHT, kevs: int = 3) -> None:
    """A feed of every kind of record."""
    advisory = Advisory("A-1", "Pump \u2028 ø", "Vendor", "https://vendor.example", "1", night, night, (), ())
    vulnerabilities = [Vulnerability(f"CVE-2026-{number}", "nvd", "words " * 20) for number in range(1000, 3500)]
    scores = [EpssScore(f"CVE-2026-{number}", number / 1e4, 0.5, night.date()) for number in range(1000, 1100)]
    older = [EpssScore(f"CVE-2026-{number}", 0.5, 0.5, date(2026, 10, 1)) for number in range(1000, 1010)]
    threat = Threat("malware--1", "malware", "Worm", night, cves=("CVE-2026-1000",))
    relation = ThreatRelation("relationship--1", "exploits", "malware--1", "vulnerability--1", night)
    for name, records in {
        "csaf": [advisory],
        "nvd": vulnerabilities,
        "kev": [KevEntry(f"CVE-2026-{number}", date(2026, 1, 1)) for number in range(1000, 1000 + kevs)],
        "epss": [*older, *scores],
        "taxii": [threat, relation],
    }.items():
        store.records.commit(name, records, record_keys, cursor=f"{name} {night:%d}")
        store.records.note_attempt(name, night, True)
    store.records.note_attempt("nvd", night + timedelta(hours=1), False, "HTTP 503", 4)


def content(store: Store) -> Any:
    """All that a bundle is to carry."""
    feeds = store.transfer.feeds()
    return feeds, {feed.name: {kind: list(store.transfer.lines(feed.name, kind)) for kind in KINDS} for feed in feeds}


@dataclass(frozen=True)
class Carrier:
    """A bundle on its way from one store to another."""

    folder: Path
    outside: Store
    hospital: Store

    @property
    def file(self) -> Path:
        return self.folder / "feeds.tar"

    @property
    def key(self) -> Path:
        return self.folder / "psirt.key"

    @property
    def trusted(self) -> Path:
        return self.folder / "psirt.pub"

    def export(self, now: datetime = TODAY, signed: bool = True) -> None:
        export_bundle(self.outside, self.file, self.key if signed else None, QUIET, now)

    def take_in(self, **options: Any) -> None:
        options = {"now": TODAY} | options
        import_bundle(self.hospital, self.file, [self.trusted], QUIET, **options)

    def refused(self, words: str, **options: Any) -> InputError:
        before = content(self.hospital)
        with pytest.raises(InputError, match=words) as refused:
            self.take_in(**options)
        assert content(self.hospital) == before
        assert "hint:" in str(refused.value)
        return refused.value

    def rewrite(self, change: Callable[[dict[str, Any], dict[str, bytes]], None], signed: bool = True) -> None:
        """Change manifest and members as somebody may who has the key, or who has not."""
        with tarfile.open(self.file) as archive:
            parts = {entry.name: archive.extractfile(entry).read() for entry in archive}  # type: ignore[union-attr]
        manifest = json.loads(parts.pop("manifest.json"))
        signature = parts.pop("manifest.json.asc", None)
        change(manifest, parts)
        text = json.dumps(manifest).encode()
        parts = {"manifest.json": text, "manifest.json.asc": sign(text, self.key) if signed else signature} | parts
        with tarfile.open(self.file, "w", format=tarfile.USTAR_FORMAT) as archive:
            for name, data in parts.items():
                if data is not None:
                    entry = tarfile.TarInfo(name)
                    entry.size = len(data)
                    archive.addfile(entry, io.BytesIO(data))


@pytest.fixture(scope="session")
def examples() -> Path:
    return Path(__file__).parents[2] / "examples" / "hospital"


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    for name in ("psirt", "stranger"):
        generate(folder / name, name)
    return folder


@pytest.fixture
def carrier(tmp_path: Path, keys: Path) -> Iterator[Carrier]:
    for file in keys.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with Store(f"sqlite:///{tmp_path}/out.db") as outside, Store(f"sqlite:///{tmp_path}/in.db") as hospital:
        fill(outside)
        yield Carrier(tmp_path, outside, hospital)


def member_of(manifest: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for feed in manifest["feeds"] for each in feed["members"] if each["name"] == name)
    return found


def replace(manifest: dict[str, Any], parts: dict[str, bytes], name: str, lines: bytes) -> None:
    """Exchange a member for another with sound checksums."""
    data = zstandard.compress(lines)
    parts[name] = data
    member_of(manifest, name).update(
        records=lines.count(b"\n"), bytes=len(lines), packed_bytes=len(data), sha256=hashlib.sha256(data).hexdigest()
    )


def test_everything_arrives_and_a_second_time_changes_nothing(carrier: Carrier) -> None:
    carrier.export()
    carrier.take_in()
    assert content(carrier.hospital) == content(carrier.outside)
    assert {state.name: state.last_success for state in carrier.hospital.records.states()}["nvd"] == LAST_NIGHT
    assert carrier.hospital.records.epss(["CVE-2026-1000"], LAST_NIGHT.date())["CVE-2026-1000"].before is not None
    before = content(carrier.hospital)
    carrier.take_in()
    assert content(carrier.hospital) == before


def test_the_next_bundle_brings_what_is_new_and_takes_what_left_the_catalogue(carrier: Carrier) -> None:
    carrier.export()
    carrier.take_in()
    fill(carrier.outside, LAST_NIGHT + timedelta(days=1), kevs=2)
    carrier.outside.records.commit("kev", [], record_keys, present={"CVE-2026-1000", "CVE-2026-1001"})
    carrier.export(TODAY + timedelta(days=1))
    carrier.take_in(now=TODAY + timedelta(days=1))
    assert carrier.hospital.records.kev(["CVE-2026-1001", "CVE-2026-1002"]).keys() == {"CVE-2026-1001"}
    assert content(carrier.hospital)[0] == content(carrier.outside)[0]


def test_the_same_store_gives_the_same_octets_but_for_the_time(carrier: Carrier) -> None:
    carrier.export(signed=False)
    first = carrier.file.read_bytes()
    os.utime(carrier.file, (0, 0))
    carrier.export(signed=False)
    assert carrier.file.read_bytes() == first
    carrier.export(TODAY + timedelta(hours=1), signed=False)
    later = carrier.file.read_bytes()
    assert later != first
    assert later.replace(b"2026-11-25T09:00:00Z", b"2026-11-25T08:00:00Z") == first


def test_the_hospital_judges_last_nights_bundle_without_network(
    carrier: Carrier, tmp_path: Path, examples: Path
) -> None:
    folders = {name: tmp_path / name for name in ("connected", "isolated")}
    for folder in folders.values():
        shutil.copytree(examples, folder, ignore=shutil.ignore_patterns(".meddojo", "report"))
    isolated = folders["isolated"] / "meddojo.toml"
    isolated.write_text(re.sub(r"(?m)^(\[feeds\.\w+\]|source = .*)\n", "", isolated.read_text()))
    shutil.rmtree(folders["isolated"] / "feeds")
    results = {}
    for name, folder in folders.items():
        config = load_config(folder / "meddojo.toml", {})
        with Store(config.store.url) as store:
            if name == "isolated":
                import_bundle(store, carrier.file, [carrier.trusted], QUIET)
            outcome = pipeline.run(config, store, QUIET, pull=name == "connected")
            results[name] = sorted((finding.identity, finding.severity) for finding in outcome.findings)
            ages = {state.name: state.last_success for state in store.records.states()}
            if name == "connected":
                export_bundle(store, carrier.file, carrier.key, QUIET)
                read = ages
    assert ages == read
    assert len(results["connected"]) > 50
    assert results["isolated"] == results["connected"]


def test_the_secret_key_is_for_its_owner_only_and_never_replaced(tmp_path: Path) -> None:
    said = generate(tmp_path / "psirt", "PSIRT")
    assert (tmp_path / "psirt.key").stat().st_mode & 0o777 == 0o600
    assert "PRIVATE" not in (tmp_path / "psirt.pub").read_text()
    assert re.search(r"fingerprint: [0-9A-F]{40}", said)
    with pytest.raises(ConfigError, match="is there already"):
        generate(tmp_path / "psirt", "PSIRT")


def test_who_did_not_sign_is_not_trusted(carrier: Carrier) -> None:
    carrier.export(signed=False)
    carrier.refused("is not signed")
    export_bundle(carrier.outside, carrier.file, carrier.folder / "stranger.key", QUIET, TODAY)
    carrier.refused("its signature does not hold for the trusted key")
    with pytest.raises(ConfigError, match="no key was named to verify it with"):
        import_bundle(carrier.hospital, carrier.file, [], QUIET, now=TODAY)
    with pytest.raises(ConfigError, match="no secret key that can sign"):
        export_bundle(carrier.outside, carrier.file, carrier.trusted, QUIET, TODAY)
    with pytest.raises(ConfigError, match="no public key"):
        import_bundle(carrier.hospital, carrier.file, [carrier.folder / "out.db"], QUIET, now=TODAY)
    # A signature that is wrong is no better than none, even where none is asked for.
    carrier.refused("its signature does not hold", allow_unsigned=True)
    carrier.export(signed=False)
    carrier.take_in(allow_unsigned=True)
    assert content(carrier.hospital) == content(carrier.outside)


def test_one_changed_octet_anywhere_is_noticed(carrier: Carrier) -> None:
    carrier.export()
    original = carrier.file.read_bytes()
    # One in the middle of the manifest, the signature and each member.
    with open_bundle(carrier.file) as bundle:
        starts = {name: bundle.places[name] for name in (member.name for member in bundle.manifest.members)}
    for name, start in {"manifest": 700, **starts}.items():
        damaged = bytearray(original)
        damaged[start + 20] ^= 1
        carrier.file.write_bytes(damaged)
        error = carrier.refused("signature does not hold|is not what the manifest says|is no JSON")
        assert name in str(error) or name == "manifest"


def test_a_bundle_that_ends_too_early_is_refused_wherever_it_ends(carrier: Carrier) -> None:
    carrier.export()
    whole = carrier.file.read_bytes()
    for size in (0, 1, 511, 600, 5000, len(whole) // 2, whole.rindex(b"ustar") + 400):
        carrier.file.write_bytes(whole[:size])
        carrier.refused("ends too early|not a bundle|no manifest.json|is missing")
    carrier.file.unlink()
    carrier.refused("No such file")


def test_what_is_no_bundle_is_refused(carrier: Carrier) -> None:
    for data in (b"PK\x03\x04" + bytes(2000), os.urandom(4096), bytes(1024), b"{}"):
        carrier.file.write_bytes(data)
        carrier.refused("not a bundle|holds no manifest.json|ends too early")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda manifest, _: manifest.update(version=2), "/version: is 2, this MedDojo reads 1"),
        (lambda manifest, _: manifest.update(format="zip"), "/format: is not"),
        (lambda manifest, _: manifest.update(created="yesterday"), "/created"),
        (lambda manifest, _: manifest.update(created="2026-11-25T02:00:00"), "a time without its zone"),
        (lambda manifest, _: manifest.update(created="2027-01-01T00:00:00Z"), "still to come"),
        (lambda manifest, _: manifest["feeds"].pop(), "files that its manifest does not name"),
        (lambda manifest, _: manifest["feeds"].append(manifest["feeds"][0]), "names one twice"),
        (lambda manifest, _: manifest["feeds"][0].update(name="../../etc"), "cannot be part of a bundle"),
        (lambda manifest, _: manifest["feeds"][0].update(name="other"), "calls a member"),
        (lambda _, parts: parts.update({"../../etc/cron.d/x": b"x"}), "which no bundle holds"),
        (lambda _, parts: parts.update({"/etc/passwd": b"x"}), "which no bundle holds"),
        (lambda _, parts: parts.update({"nvd/notes.txt": b"x"}), "which no bundle holds"),
        (lambda _, parts: parts.update({"nvd/extra.jsonl.zst": b"x"}), "files that its manifest does not name"),
        (lambda _, parts: parts.pop("kev/kev.jsonl.zst"), "kev/kev.jsonl.zst: is missing"),
        (lambda m, _: member_of(m, "kev/kev.jsonl.zst").update(bytes=2**50), "says more than"),
        (lambda m, _: member_of(m, "kev/kev.jsonl.zst").update(sha256="0" * 64), "its SHA-256 differs"),
    ],
)
def test_a_signed_bundle_that_is_not_sound_is_refused(carrier: Carrier, change: Any, words: str) -> None:
    carrier.export()
    carrier.rewrite(change)
    carrier.refused(words)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (b'{"cve": "CVE-2026-1", "date_added": "never"}\n', "kev/kev: date_added"),
        (b"not json\n", "kev/kev"),
        (b'{"cve": "' + b"9" * 60 + b'", "date_added": "2026-01-01"}\n', "longer than 50 bytes"),
        (b'{"cve": "CVE-2026-1", "date_added": "2026-01-01"}', "has 0 records, the manifest says 0"),
        (b"\xff\n", "is damaged"),
    ],
)
def test_a_feed_with_a_bad_record_is_kept_out_as_a_whole(carrier: Carrier, lines: bytes, words: str) -> None:
    carrier.export()
    carrier.rewrite(lambda manifest, parts: replace(manifest, parts, "kev/kev.jsonl.zst", lines))
    with pytest.raises(InputError, match=words):
        carrier.take_in()
    kept = {state.name for state in carrier.hospital.records.states()}
    assert kept == {"csaf", "epss"}
    assert list(carrier.hospital.transfer.lines("kev", "kev")) == []


def test_a_member_that_unpacks_to_more_than_it_says_is_stopped(carrier: Carrier) -> None:
    def change(manifest: dict[str, Any], parts: dict[str, bytes]) -> None:
        replace(manifest, parts, "kev/kev.jsonl.zst", bytes(200_000_000))
        member_of(manifest, "kev/kev.jsonl.zst").update(bytes=1000)

    carrier.export()
    carrier.rewrite(change)
    with pytest.raises(InputError, match="larger than the manifest says"):
        carrier.take_in()


def test_a_link_in_the_archive_is_refused(carrier: Carrier) -> None:
    carrier.export()
    with tarfile.open(carrier.file, "a", format=tarfile.USTAR_FORMAT) as archive:
        link = tarfile.TarInfo("nvd/link.jsonl.zst")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    carrier.refused("which no bundle holds")


def test_too_large_a_file_is_not_even_looked_at(carrier: Carrier, monkeypatch: pytest.MonkeyPatch) -> None:
    carrier.export()
    monkeypatch.setattr(format_of, "MAX_FILE_BYTES", 1000)
    carrier.refused("larger than 0 MiB")


def test_an_older_bundle_is_taken_only_if_that_is_meant(carrier: Carrier) -> None:
    carrier.export()
    fill(carrier.hospital, LAST_NIGHT + timedelta(days=1))
    later = TODAY + timedelta(days=1)
    carrier.refused("its feed csaf was read 2026-11-25 02:30 UTC, the store's at 2026-11-26 02:30 UTC", now=later)
    carrier.take_in(allow_older=True, now=later)
    assert {state.last_success for state in carrier.hospital.transfer.feeds()} == {LAST_NIGHT}


def test_neither_export_nor_import_while_a_run_is_under_way(carrier: Carrier) -> None:
    carrier.export()
    with carrier.outside.lock("run"), pytest.raises(TransientError, match="another MedDojo run"):
        carrier.export()
    with carrier.hospital.lock("run"), pytest.raises(TransientError, match="another MedDojo run"):
        carrier.take_in()


def test_an_empty_store_and_a_full_folder_say_so(carrier: Carrier) -> None:
    with pytest.raises(ConfigError, match="the store holds no feed"):
        export_bundle(carrier.hospital, carrier.file, None, QUIET)
    with pytest.raises(ConfigError, match="No such file or directory"):
        export_bundle(carrier.outside, carrier.folder / "missing" / "feeds.tar", None, QUIET)
    assert not list(carrier.folder.glob(".*"))
