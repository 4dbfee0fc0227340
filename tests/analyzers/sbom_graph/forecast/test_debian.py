"""Debian's indices: what counts as a dependency between source packages, and what is refused."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest

from analyzers.sbom_graph.forecast import debian
from analyzers.sbom_graph.forecast.debian import read_installations, read_release
from meddojo.errors import InputError

SOURCES = """\
Package: app
Homepage: https://app.example

Package: libfoo
Homepage: https://foo.example

Package: bar

Package: mta-one

Package: mta-two

Package: toolchain
Extra-Source-Only: yes

Package: documented-only

Package: golang-thing
"""
PACKAGES = """\
Package: app
Depends: libfoo1 (>= 1.2), missing | bar-bin:any, mail-server, only-bar (= 1),
 app-data
Pre-Depends: bar-bin
Built-Using: libfoo (= 1.2-1), toolchain (= 9)
Description: Depends: on nothing here

Package: app-data
Source: app (1:2.0)

Package: libfoo1
Source: libfoo

Package: libfoo-dev
Source: libfoo
Section: libdevel
Depends: libfoo1, mta-one

Package: golang-thing-dev
Section: libdevel
Source: golang-thing
Depends: libfoo1

Package: bar-bin
Source: bar
Provides: only-bar (= 1), another

Package: mta-one
Provides: mail-server
Depends: app

Package: mta-two
Provides: mail-server
"""


@pytest.fixture
def release(tmp_path: Path) -> Path:
    for name, text in ((debian.SOURCES, SOURCES), (debian.PACKAGES, PACKAGES)):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(lzma.compress(text.encode()))
    return tmp_path


def test_binary_packages_are_grouped_by_source_and_dependencies_resolved(release: Path) -> None:
    found = {package.name: package for package in read_release(release)}
    assert set(found) == {"app", "libfoo", "bar", "mta-one", "mta-two", "golang-thing"}, (
        "what builds nothing here has no place"
    )
    # the second alternative exists; of two mail servers either would do; its own data is no dependency
    assert found["app"].needs == {"libfoo", "bar"}
    assert found["mta-one"].needs == {"app"}
    assert found["libfoo"].homepage == "https://foo.example" and found["bar"].homepage == ""


def test_what_only_developers_install_needs_nothing_unless_there_is_nothing_else(release: Path) -> None:
    found = {package.name: package.needs for package in read_release(release)}
    assert found["libfoo"] == frozenset() and found["golang-thing"] == {"libfoo"}


def test_an_installation_is_what_one_package_brings_with_it(release: Path) -> None:
    found = {frozenset(package.name for package in each) for each in read_installations(release, 1)}
    # app is needed by mta-one; packages for developers are nowhere a start
    assert found == {frozenset({"mta-one", "app", "libfoo", "bar"}), frozenset({"mta-two"})}


def test_static_linking_counts(release: Path) -> None:
    (release / debian.PACKAGES).write_bytes(
        lzma.compress(b"Package: app\nStatic-Built-Using: bar (= 1)\n\nPackage: bar\n")
    )
    assert {package.name: package.needs for package in read_release(release)} == {"app": {"bar"}, "bar": frozenset()}


def test_a_damaged_or_missing_index_is_one_error_naming_it(release: Path) -> None:
    (release / debian.PACKAGES).write_bytes(lzma.compress(PACKAGES.encode())[:-20])
    with pytest.raises(InputError, match="Packages"):
        read_release(release)
    (release / debian.SOURCES).unlink()
    with pytest.raises(InputError, match="Sources"):
        read_release(release)


def test_an_index_that_unpacks_without_end_is_refused(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "LARGEST", 100)
    with pytest.raises(InputError, match="unpacks to more"):
        read_release(release)
