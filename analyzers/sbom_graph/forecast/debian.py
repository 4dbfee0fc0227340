"""The labelled graph to learn from: source packages of a Debian release and what they depend on.

Read from the two indices of a mirror, ``main/source/Sources.xz`` and ``main/binary-amd64/Packages.xz``; their fields
are those of Debian Policy, sections 5 and 7. An index of a point release carries the versions of later security
updates: no version, size or date is read, only names, home pages and dependencies.
"""

from __future__ import annotations

import lzma
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
    "Package Homepage Source Depends Pre-Depends Provides Built-Using Static-Built-Using Extra-Source-Only".split()
)
_RUNTIME = ("Depends", "Pre-Depends")
_LINKED = ("Built-Using", "Static-Built-Using")


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
    binaries = {
        paragraph["Package"]: _binary(paragraph)
        for paragraph in _paragraphs(folder / PACKAGES)
        if "Package" in paragraph
    }
    needs = _source_needs(binaries)
    names = homepages.keys() & needs.keys()
    return tuple(
        SourcePackage(name, homepages[name], frozenset((needs[name] & names) - {name})) for name in sorted(names)
    )


def _source_needs(binaries: Mapping[str, _Binary]) -> Mapping[str, set[str]]:
    providers: dict[str, set[str]] = defaultdict(set)
    for binary in binaries.values():
        for name in binary.provides:
            providers[name].add(binary.source)
    needs: dict[str, set[str]] = defaultdict(set)
    for binary in binaries.values():
        needs[binary.source].update(binary.linked)
        found = (_resolved(choice, binaries, providers) for choice in binary.needs)
        needs[binary.source].update(name for name in found if name)
    return needs


def _resolved(alternatives: Iterable[str], binaries: Mapping[str, _Binary], providers: Mapping[str, set[str]]) -> str:
    """Source of the first alternative that exists, as apt takes it; empty when any of several would do."""
    for name in alternatives:
        if name in binaries:
            return binaries[name].source
        sources = providers.get(name, set())
        if len(sources) == 1:
            return next(iter(sources))
    return ""


def _binary(paragraph: Mapping[str, str]) -> _Binary:
    source = paragraph.get("Source", paragraph["Package"]).split()[0]
    return _Binary(
        source=source,
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
