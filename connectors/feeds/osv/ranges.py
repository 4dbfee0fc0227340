"""Version ranges of OSV (schema, section on affected[].ranges) as range texts.

A range is a row of events: it opens with ``introduced`` and closes with ``fixed`` or ``last_affected``; ``0`` is before
all versions. Each opened stretch becomes one text, ``>= 1.0 | < 2.0``: both hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from connectors.json_object import JsonObject
from meddojo.advisory import VersionKind

_START = "0"
_LONGEST = 400
"""Versions are listed in texts of about this many characters."""


def version_texts(affected: JsonObject) -> Iterator[tuple[str, VersionKind]]:
    """What an entry of ``affected`` says about versions, as texts any of which may hold.

    The list of versions is read where no range can be compared: databases that give both list what is in the ranges.
    Ranges of commits, which no SBOM can be compared with, are left as a text that is not understood.
    """
    ranges = list(affected.objects("ranges"))
    known_end = affected.object("database_specific").text("last_known_affected_version_range").strip()
    stretches = [
        text for each in ranges if each.text("type") != "GIT" for text in _stretches(list(_events(each)), known_end)
    ]
    versions = [version.strip() for version in affected.texts("versions") if version.strip()]
    if stretches:
        yield from ((text, VersionKind.RANGE if text else VersionKind.UNSTATED) for text in dict.fromkeys(stretches))
    elif versions:
        yield from ((text, VersionKind.EXACT) for text in _listed(versions))
    elif ranges:
        commits = (f"{name} in commit {value[:12]}" for each in ranges for name, value in _events(each))
        yield ", ".join(commits)[:_LONGEST] or "a range without events", VersionKind.RANGE
    else:
        yield "", VersionKind.UNSTATED


def _events(each: JsonObject) -> Iterator[tuple[str, str]]:
    for event in each.objects("events"):
        for name in ("introduced", "fixed", "last_affected", "limit"):
            value = event.text(name).strip()
            if value:
                yield name, value


def _stretches(events: list[tuple[str, str]], known_end: str) -> Iterator[str]:
    """Texts of the stretches between events, which have to come in order."""
    start: str | None = None
    for name, value in events:
        if name == "introduced" and start is None:
            start = value
        elif name in ("fixed", "last_affected") and start is not None:
            yield _between(start, f"{'<' if name == 'fixed' else '<='} {value}")
            start = None
        elif name != "limit":  # where a branch ends; says nothing about versions
            yield f"events out of order: {', '.join(f'{event} {at}' for event, at in events)}"[:_LONGEST]
            return
    if start is not None:
        yield _between(start, known_end)


def _between(start: str, end: str) -> str:
    """``>= 1.0 | < 2.0``; empty for all versions."""
    return " | ".join(text for text in ("" if start == _START else f">= {start}", end) if text)


def _listed(versions: Iterable[str]) -> Iterator[str]:
    text = ""
    for version in dict.fromkeys(versions):
        if text and len(text) + len(version) > _LONGEST:
            yield text
            text = ""
        text = f"{text} | {version}" if text else version
    yield text
