"""The order of package versions in Linux distributions, and what their advisories say about packages."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.matching.index import component_keys
from analyzers.matching.records.packages import by_key, match_packages
from analyzers.matching.versions.distributions import judge_range, version_key
from analyzers.matching.versions.sets import Verdict
from meddojo.advisory import AffectedProduct
from meddojo.sbom import Component, Sbom
from meddojo.vulnerability import Vulnerability

# From deb-version(7), RPM's own tests of rpmvercmp and apk-tools' test of versions, in words of our own choice.
ASCENDING = {
    "deb": "0.9 1.0~~ 1.0~rc1 1.0~rc1-2 1.0 1.0-1~deb11u1 1.0-1 1.0-1+deb12u2 1.0-1+deb12u10 1.0a 1.0+dfsg 1.0.1"
    " 1.10 1:0.1",
    "rpm": "0.9 1.0~rc1-1 1.0-1.el9 1.0-2.el9 1.0-10.el9 1.0^git1-1 1.0.1-1 1.1a-1 1.1.1-1 1.10-1 1:0.1-1",
    "apk": "0.9 1.0_alpha 1.0_beta2 1.0_rc1 1.0 1.0-r1 1.0-r10 1.0_git2 1.0_p1 1.0_p1-r1 1.0a 1.0b 1.0.1 1.10",
}


@pytest.mark.parametrize("kind", ASCENDING)
def test_versions_ascend(kind: str) -> None:
    keys = [version_key(kind, version) for version in ASCENDING[kind].split()]
    assert all(one is not None and other is not None and one < other for one, other in pairwise(keys))


@pytest.mark.parametrize("kind", ["deb", "rpm", "apk"])
@given(st.lists(st.text(alphabet="0129.abz~^+-_:r", max_size=12), min_size=3, max_size=3))
def test_any_versions_are_in_one_order(kind: str, texts: list[str]) -> None:
    one, two, three = sorted(key for text in texts if (key := version_key(kind, text) or version_key(kind, "0")))
    assert one <= two <= three and one <= three


@pytest.mark.parametrize(
    ("text", "installed", "verdict"),
    [
        ("< 1:2.36-9+deb12u4", "1:2.36-9+deb12u3", Verdict.AFFECTED),
        ("< 1:2.36-9+deb12u4", "1:2.36-9+deb12u10", Verdict.NOT_AFFECTED),
        (">= 2.0-1 | < 2.0-5", "1.9-9", Verdict.NOT_AFFECTED),
        (">= 2.0-1 | <= 2.0-5", "2.0-5", Verdict.AFFECTED),
        ("1.0-1 | 1.0-2", "1.0-2", Verdict.AFFECTED),
        ("1.0-1 | 1.0-2", "1.0-3", Verdict.NOT_AFFECTED),
        ("", "anything", Verdict.AFFECTED),
        ("< 1.0", "", Verdict.UNKNOWN),
        ("vers:deb/<1.0", "2.0", Verdict.UNKNOWN),
        ("events out of order: fixed 1", "1.0", Verdict.UNKNOWN),
    ],
)
def test_ranges(text: str, installed: str, verdict: Verdict) -> None:
    assert judge_range("deb", text, installed) is verdict


def stated(purl: str, text: str) -> Vulnerability:
    return Vulnerability("DSA-1", "OSV", affected=(AffectedProduct("p", "Debian:12", "x", text, purl=purl),))


def claims(record: Vulnerability, name: str, version: str, purl: str) -> list[float]:
    inventory = by_key(Sbom("x", (Component("c", name, version, purl),)))
    return [claim.citation.probability for claim in match_packages(record, inventory)]


GLIBC = stated("pkg:deb/debian/glibc?distro=debian-12", "< 2.36-9+deb12u4")


@pytest.mark.parametrize(
    ("version", "qualifiers", "found"),
    [
        ("2.36-9+deb12u3", "?distro=debian-12", [0.95]),
        ("2.36-9+deb12u3", "?arch=amd64&distro=debian-12.5", [0.95]),
        ("2.36-9+deb12u4", "?distro=debian-12", []),
        ("2.31-13+deb11u8", "?distro=debian-11", []),  # another release
        ("2.36-9+deb12u3", "", [0.7125]),  # of which release?
        ("2.36-9+deb12u3", "?distro=bookworm", [0.7125]),
    ],
)
def test_a_distribution_speaks_of_its_own_packages(version: str, qualifiers: str, found: list[float]) -> None:
    assert claims(GLIBC, "glibc", version, f"pkg:deb/debian/glibc@{version}{qualifiers}") == found


def test_a_binary_package_is_found_by_its_source() -> None:
    purl = "pkg:deb/debian/libc6@2.36-9+deb12u3?arch=amd64&distro=debian-12&upstream=glibc"
    assert claims(GLIBC, "libc6", "2.36-9+deb12u3", purl) == [0.95]
    assert "purl:deb/debian/glibc" in component_keys(Component("c", "libc6", "1", purl))
    assert claims(GLIBC, "glibc", "2.36-9", "pkg:deb/ubuntu/glibc@2.36-9?distro=ubuntu-12") == []
    rpm = "pkg:rpm/redhat/bash@5.1.8-6.el9?upstream=bash-5.1.8-6.el9.src.rpm"
    assert component_keys(Component("c", "bash", "1", rpm)) == {"purl:rpm/redhat/bash", "package:bash"}
