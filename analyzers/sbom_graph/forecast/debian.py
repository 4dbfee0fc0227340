"""The labelled graph to learn from: source packages of a Debian release and what they depend on.

Read from the two indices of a mirror, ``main/source/Sources.xz`` and ``main/binary-amd64/Packages.xz``; their fields
are those of Debian Policy, sections 5 and 7. An index of a point release carries the versions of later security
updates: no version, size or date is read, only names, home pages and dependencies.
"""

from __future__ import annotations

import lzma
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from meddojo.errors import InputError

SOURCES = Path("source", "Sources.xz")
PACKAGES = Path("binary-amd64", "Packages.xz")
LARGEST = 500_000_000
"""Bytes an index may unpack to; bookworm's have 80 million."""
_HINT = "fetch it anew from a Debian mirror: dists/RELEASE/main/"
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]*")
_FIELDS = frozenset(
    "Package Homepage Source Section Depends Pre-Depends Provides Built-Using Static-Built-Using"
    " Extra-Source-Only".split()
)
_RUNTIME = ("Depends", "Pre-Depends")
_LINKED = ("Built-Using", "Static-Built-Using")
_NOT_AT_WORK = frozenset({"libdevel", "doc", "debug"})
"""Sections of packages to build, read or debug with; of a source with no others (a library of Go) they count."""


@dataclass(frozen=True, slots=True)
class SourcePackage:
    """A source package.

    Attributes
    ----------
    needs
        Names of other source packages that its binary packages depend on or are statically linked with.
    """

    name: str
    homepage: str
    needs: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Binary:
    source: str
    at_work: bool
    needs: tuple[tuple[str, ...], ...]
    provides: tuple[str, ...]
    linked: tuple[str, ...]


def read_release(folder: Path) -> tuple[SourcePackage, ...]:
    """Source packages of a release that build something for amd64, by name.

    Raises
    ------
    InputError
        If an index is missing, damaged or unreasonably large.
    """
    homepages = {
        paragraph["Package"]: paragraph.get("Homepage", "")
        for paragraph in _paragraphs(folder / SOURCES)
        if "Extra-Source-Only" not in paragraph and "Package" in paragraph
    }
    archive = _Archive(folder)
    others = {binary.source for binary in archive.binaries.values() if binary.at_work}
    counted = [name for name, each in archive.binaries.items() if each.at_work or each.source not in others]
    return archive.grouped(counted, homepages)


def read_installations(folder: Path, seed: int) -> Iterator[tuple[SourcePackage, ...]]:
    """What is installed with a package that nobody needs, for every such package, in random order.

    Grouped by source only then, so that a part of a source brings in what that part needs and no more: these are as
    large as a device's SBOM. Whole sources need each other in a circle of some hundreds.

    Raises
    ------
    InputError
        If the index is missing, damaged or unreasonably large.
    """
    archive = _Archive(folder)
    at_work = {name for name, each in archive.binaries.items() if each.at_work}
    needed = {name for each in at_work for name in archive.needs(each)}
    starts = sorted(at_work - needed)
    random.Random(seed).shuffle(starts)  # noqa: S311 - a sample, no secret
    sources = {binary.source: "" for binary in archive.binaries.values()}
    for start in starts:
        yield archive.grouped(archive.closure(start), sources)


class _Archive:
    """Binary packages of a release and who provides what."""

    def __init__(self, folder: Path) -> None:
        paragraphs = _paragraphs(folder / PACKAGES)
        self.binaries = {each["Package"]: _binary(each) for each in paragraphs if "Package" in each}
        self._providers: dict[str, set[str]] = defaultdict(set)
        for name, binary in self.binaries.items():
            for provided in binary.provides:
                self._providers[provided].add(name)

    def needs(self, name: str) -> Iterator[str]:
        """Binary packages that one needs: of alternatives the first that exists, as apt takes it."""
        found = (self._resolved(alternatives) for alternatives in self.binaries[name].needs)
        return (each for each in found if each)

    def closure(self, start: str) -> set[str]:
        """A binary package and all it needs, directly or not."""
        found, waiting = {start}, [start]
        while waiting:
            new = set(self.needs(waiting.pop())) - found
            found |= new
            waiting += new
        return found

    def grouped(self, names: Iterable[str], homepages: Mapping[str, str]) -> tuple[SourcePackage, ...]:
        """Their sources, with what they need among themselves."""
        needs: dict[str, set[str]] = defaultdict(set)
        for name in names:
            binary = self.binaries[name]
            needs[binary.source].update(binary.linked)
            needs[binary.source].update(self.binaries[each].source for each in self.needs(name))
        known = homepages.keys() & needs.keys()
        return tuple(
            SourcePackage(name, homepages[name], frozenset((needs[name] & known) - {name})) for name in sorted(known)
        )

    def _resolved(self, alternatives: Iterable[str]) -> str:
        """Empty when any of several sources would do."""
        for name in alternatives:
            if name in self.binaries:
                return name
            providers = self._providers.get(name, set())
            if len({self.binaries[each].source for each in providers}) == 1:
                return min(providers)
        return ""


def _binary(paragraph: Mapping[str, str]) -> _Binary:
    source = paragraph.get("Source", paragraph["Package"]).split()[0]
    return _Binary(
        source=source,
        at_work=paragraph.get("Section", "") not in _NOT_AT_WORK,
        needs=tuple(names for field in _RUNTIME for names in _relations(paragraph.get(field, ""))),
        provides=tuple(name for names in _relations(paragraph.get("Provides", "")) for name in names),
        linked=tuple(name for field in _LINKED for names in _relations(paragraph.get(field, "")) for name in names),
    )


def _relations(text: str) -> Iterator[tuple[str, ...]]:
    """Names of a relationship field: ``a (>= 1) | b:any, c`` is (a, b), (c)."""
    for part in text.split(","):
        names = (_NAME.match(each.strip()) for each in part.split("|"))
        found = tuple(name[0] for name in names if name)
        if found:
            yield found


def _paragraphs(path: Path) -> Iterator[dict[str, str]]:
    """Paragraphs of a control file with the fields that count; a continued line belongs to the field above it."""
    size = 0
    found: dict[str, str] = {}
    field = ""
    try:
        with lzma.open(path, "rt", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                size += len(line)
                if size > LARGEST:
                    raise InputError(str(path), "", f"unpacks to more than {LARGEST:,} bytes", _HINT)
                if not line.strip():
                    if found:
                        yield found
                    found, field = {}, ""
                elif line[0] in " \t":
                    if field in found:
                        found[field] += " " + line.strip()
                else:
                    field, _, value = line.partition(":")
                    if field in _FIELDS:
                        found[field] = value.strip()
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise InputError(str(path), "", f"is no Debian index: {error}", _HINT) from error
    if found:
        yield found
