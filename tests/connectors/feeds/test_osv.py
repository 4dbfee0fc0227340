"""OSV records of a folder, an archive or a file."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.matching.records.packages import by_key, match_packages
from connectors.feeds.osv import build, parse_record
from connectors.feeds.osv.packages import package_url
from connectors.scans.detect import Kind, recognise
from meddojo.config import FeedConfig
from meddojo.errors import ConfigError, InputError
from meddojo.interface import Checkpoint, Skipped
from meddojo.sbom import Component, Sbom
from meddojo.vulnerability import Vulnerability

RECORD: dict[str, Any] = {
    "schema_version": "1.6.0",
    "id": "GHSA-aaaa-bbbb-cccc",
    "modified": "2024-05-01T10:00:00Z",
    "published": "2024-04-01T10:00:00.5Z",
    "aliases": ["CVE-2024-1000"],
    "summary": "Short",
    "details": "The parser of pumps crashes.",
    "severity": [
        {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"},
        {"type": "CVSS_V4", "score": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:N"},
        {"type": "CVSS_V3", "score": "nonsense"},
    ],
    "affected": [
        {
            "package": {"ecosystem": "npm", "name": "@acme/pump"},
            "ranges": [
                {
                    "type": "SEMVER",
                    "events": [
                        {"introduced": "0"},
                        {"fixed": "1.2.3"},
                        {"introduced": "2.0.0"},
                        {"last_affected": "2.4.0"},
                    ],
                }
            ],
        },
        {"package": {"ecosystem": "PyPI", "name": "Pump_Tools"}, "versions": ["1.0", "1.1rc1"]},
    ],
    "references": [{"type": "ADVISORY", "url": "https://x.example/1"}, {"type": "WEB", "url": "mailto:x"}],
    "database_specific": {"cwe_ids": ["CWE-400"], "severity": "HIGH"},
}


def affected(**entry: Any) -> dict[str, Any]:
    return {"id": "X-1", "modified": "2024-05-01T10:00:00Z", "affected": [entry]}


def read(document: Any) -> Vulnerability:
    (found,) = parse_record(document, "x")
    return found


def judged(record: Vulnerability, purl: str, version: str) -> bool:
    component = Component("c", "c", version, purl)
    return bool(list(match_packages(record, by_key(Sbom("x", (component,))))))


def test_record() -> None:
    found = read(RECORD)
    assert recognise(RECORD) is Kind.OSV
    assert (found.id, found.aliases, found.source, found.rejected) == (
        "GHSA-aaaa-bbbb-cccc",
        ("CVE-2024-1000",),
        "OSV",
        False,
    )
    assert [(score.version, score.base_score) for score in found.cvss] == [("3.1", 7.5), ("4.0", 8.7)]
    assert found.cwes == (400,) and found.references == ("https://x.example/1",)
    assert [(product.purl, product.version_text) for product in found.affected] == [
        ("pkg:npm/%40acme/pump", "< 1.2.3"),
        ("pkg:npm/%40acme/pump", ">= 2.0.0 | <= 2.4.0"),
        ("pkg:pypi/pump-tools", "1.0 | 1.1rc1"),
    ]


@pytest.mark.parametrize(
    ("purl", "version", "hit"),
    [
        ("pkg:npm/%40acme/pump@1.2.2", "1.2.2", True),
        ("pkg:npm/%40acme/pump@1.2.3", "1.2.3", False),
        ("pkg:npm/%40acme/pump@2.0.0", "2.0.0", True),
        ("pkg:npm/%40acme/pump@2.4.0", "2.4.0", True),
        ("pkg:npm/%40acme/pump@2.4.1", "2.4.1", False),
        ("pkg:npm/%40acme/pump@1.0.0", "", True),
        ("pkg:npm/pump@1.0.0", "1.0.0", False),
        ("pkg:pypi/pump-tools@1.1rc1", "1.1rc1", True),
        ("pkg:pypi/pump-tools@1.1", "1.1", False),
        ("pkg:gem/pump-tools@1.0", "1.0", False),
    ],
)
def test_components_are_matched_by_package_url(purl: str, version: str, hit: bool) -> None:
    assert judged(read(RECORD), purl, version) is hit


@pytest.mark.parametrize(
    ("entry", "texts"),
    [
        ({"ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}]}, [""]),
        ({"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "1.0"}]}]}, [">= 1.0"]),
        (
            {
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "1.0"}]}],
                "database_specific": {"last_known_affected_version_range": "<= 1.9"},
            },
            [">= 1.0 | <= 1.9"],
        ),
        ({"ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"limit": "2"}, {"fixed": "1"}]}]}, ["< 1"]),
        (
            {"ranges": [{"type": "SEMVER", "events": [{"fixed": "1"}, {"introduced": "0"}]}]},
            ["events out of order: fixed 1, introduced 0"],
        ),
        ({"ranges": [{"type": "GIT", "repo": "r", "events": [{"introduced": "0"}]}], "versions": ["v1"]}, ["v1"]),
        (
            {"ranges": [{"type": "GIT", "repo": "r", "events": [{"introduced": "0"}, {"fixed": "0123456789abcdef"}]}]},
            ["introduced in commit 0, fixed in commit 0123456789ab"],
        ),
        ({}, [""]),
    ],
)
def test_ranges(entry: dict[str, Any], texts: list[str]) -> None:
    found = read(affected(package={"ecosystem": "npm", "name": "a"}, **entry))
    assert [product.version_text for product in found.affected] == texts


def test_commits_are_compared_with_nothing() -> None:
    git = {"type": "GIT", "repo": "r", "events": [{"introduced": "0"}, {"fixed": "0123456789abcdef"}]}
    record = read(affected(package={"ecosystem": "npm", "name": "a"}, ranges=[git]))
    (claim,) = match_packages(record, by_key(Sbom("x", (Component("c", "a", "1", "pkg:npm/a@1"),))))
    assert claim.citation.probability < 0.7, "known to be unknown"


def test_many_versions_are_divided() -> None:
    versions = [f"1.0.{number}" for number in range(1000)]
    found = read(affected(package={"ecosystem": "npm", "name": "a"}, versions=versions))
    texts = [product.version_text for product in found.affected]
    assert len(texts) > 5 and all(len(text) <= 420 for text in texts)
    assert [version for text in texts for version in text.split(" | ")] == versions
    assert judged(found, "pkg:npm/a@1.0.999", "1.0.999") and not judged(found, "pkg:npm/a@1.1", "1.1")


@pytest.mark.parametrize(
    ("ecosystem", "name", "purl"),
    [
        ("npm", "left-pad", "pkg:npm/left-pad"),
        ("Maven", "org.apache.logging.log4j:log4j-core", "pkg:maven/org.apache.logging.log4j/log4j-core"),
        ("Go", "github.com/acme/pump/v2", "pkg:golang/github.com/acme/pump/v2"),
        ("Go", "stdlib", "pkg:golang/stdlib"),
        ("Packagist", "acme/pump", "pkg:composer/acme/pump"),
        ("crates.io", "serde", "pkg:cargo/serde"),
        ("NuGet", "NLog", "pkg:nuget/NLog"),
        ("Debian:12", "glibc", "pkg:deb/debian/glibc?distro=debian-12"),
        ("Alpine:v3.18", "busybox", "pkg:apk/alpine/busybox?distro=alpine-3.18"),
        ("Ubuntu:22.04:LTS", "openssl", "pkg:deb/ubuntu/openssl?distro=ubuntu-22.04"),
        ("Red Hat:enterprise_linux:9::baseos", "vim", "pkg:rpm/redhat/vim?distro=redhat-9"),
        ("Linux", "Kernel", ""),
        ("npm", "", ""),
    ],
)
def test_names_as_package_urls(ecosystem: str, name: str, purl: str) -> None:
    assert package_url(ecosystem, name) == purl


def test_an_advisory_of_a_distribution_stands_for_its_cves() -> None:
    document = {**RECORD, "id": "DSA-1-1", "aliases": [], "upstream": ["CVE-2024-1", "CVE-2024-0002", "CVE-2024-0003"]}
    found = list(parse_record(document, "x"))
    assert [(each.id, each.source, each.aliases) for each in found] == [
        ("CVE-2024-0002", "OSV DSA-1-1", ()),
        ("CVE-2024-0003", "OSV DSA-1-1", ()),
    ]
    one = read({**document, "upstream": ["CVE-2024-0002"]})
    assert (one.id, one.aliases) == ("DSA-1-1", ("CVE-2024-0002",))


def test_a_withdrawn_record_says_nothing() -> None:
    found = read({**RECORD, "withdrawn": "2024-06-01T00:00:00Z"})
    assert found.rejected and not judged(found, "pkg:npm/%40acme/pump@1.0", "1.0")


def test_folder_archive_and_file_say_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "osv" / "npm"
    folder.mkdir(parents=True)
    other = {**RECORD, "id": "GHSA-dddd", "aliases": []}
    (folder / "a.json").write_text(json.dumps(RECORD))
    (folder / "b.json").write_text(json.dumps(other))
    (folder / "c.json").write_text('{"id": "GHSA-broken"}')
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
        archive.writestr("readme.txt", "no record")
    (tmp_path / "all.jsonl").write_text("\n".join(file.read_text() for file in sorted(folder.iterdir())))
    for source in (tmp_path / "osv", tmp_path / "all.zip", tmp_path / "all.jsonl"):
        first, second, bad, end = build(FeedConfig(source=str(source))).update(None)
        assert (first, second) == (read(RECORD), read(other))
        assert isinstance(bad, Skipped) and "/modified: is missing" in bad.reason and isinstance(end, Checkpoint)


@pytest.mark.parametrize("source", ["", "https://osv.example/all.zip"])
def test_a_source_is_needed(source: str) -> None:
    with pytest.raises(ConfigError):
        build(FeedConfig(source=source))


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from("package ecosystem name ranges events introduced fixed type versions score".split()),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)


@given(
    st.dictionaries(
        st.sampled_from("aliases upstream severity affected references withdrawn database_specific".split()), _ANY
    )
)
def test_any_record_is_read_or_refused(more: dict[str, Any]) -> None:
    try:
        list(parse_record({"id": "X", "modified": "2024-01-01", **more}, "x"))
    except InputError as error:
        assert error.origin == "x"
