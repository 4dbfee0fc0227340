"""The canonical notation of version sets: written for people, read back without loss.

::

    >= 1.0 & < 2.0          a range                      1.1 | 1.5 | "2.0 SP1"    a list
    all                     every version                unread "<="              not understood
    S if "condition"        under a condition            S of "MMT-1711"          of a model named in the text
    S except T              S without T                  {S; T}                   any of them

A version is quoted unless it is made of numbers and dots alone (with at most a letter or two before them).
"""

from __future__ import annotations

import json
import re

from analyzers.matching.versions.order import Version, parse_version
from analyzers.matching.versions.sets import (
    AllVersions,
    Bound,
    Conditional,
    Designation,
    Exact,
    Except,
    Operator,
    Range,
    Union,
    Unparsed,
    VersionSet,
)

_BARE = re.compile(r"[A-Za-z]{0,2}\d+(?:\.(?:\d+|x))*")
_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[{};|&]|<=|>=|<|>|[\w.]+)')
_KEYWORDS = frozenset({"all", "unread", "if", "of", "except"})


def format_versions(versions: VersionSet) -> str:
    """The set in canonical notation, which `reader.parse_versions` reads back."""
    match versions:
        case AllVersions():
            return "all"
        case Unparsed(text):
            return f"unread {_quoted(text)}"
        case Range(bounds):
            return " & ".join(f"{bound.operator} {_written(bound.version)}" for bound in bounds)
        case Exact(stated):
            return " | ".join(_written(version) for version in stated)
        case Union(parts):
            return "{" + "; ".join(format_versions(part) for part in parts) + "}"
        case Conditional(inner, condition):
            return f"{format_versions(inner)} if {_quoted(condition)}"
        case Designation(text, inner):
            return f"{format_versions(inner)} of {_quoted(text)}"
        case Except(inner, excluded):
            return f"{format_versions(inner)} except {{{format_versions(excluded)}}}"


def read_notation(text: str) -> VersionSet | None:
    """Read canonical notation; None when the text is anything else."""
    tokens: list[str] = []
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            return None
        tokens.append(found[1])
        position = found.end()
    try:
        versions, rest = _read_set(tokens)
    except (IndexError, ValueError, RecursionError):
        return None
    return None if rest else versions


def _read_set(tokens: list[str]) -> tuple[VersionSet, list[str]]:
    versions, tokens = _read_atom(tokens)
    while tokens and tokens[0] in ("if", "of", "except"):
        keyword, tokens = tokens[0], tokens[1:]
        if keyword == "except":
            excluded, tokens = _read_braces(tokens)
            versions = Except(versions, excluded)
            continue
        text, tokens = _unquoted(tokens[0]), tokens[1:]
        versions = Conditional(versions, text) if keyword == "if" else Designation(text, versions)
    return versions, tokens


def _read_atom(tokens: list[str]) -> tuple[VersionSet, list[str]]:
    head = tokens[0]
    if head == "{":
        return _read_braces(tokens)
    if head == "all":
        return AllVersions(), tokens[1:]
    if head == "unread":
        return Unparsed(_unquoted(tokens[1])), tokens[2:]
    if head in set(Operator):
        bounds: list[Bound] = []
        while True:
            bounds.append(Bound(Operator(tokens[0]), _version(tokens[1])))
            tokens = tokens[2:]
            if not tokens or tokens[0] != "&":
                return Range(tuple(bounds)), tokens
            tokens = tokens[1:]
    listed = [_version(head)]
    tokens = tokens[1:]
    while tokens and tokens[0] == "|":
        listed.append(_version(tokens[1]))
        tokens = tokens[2:]
    return Exact(tuple(listed)), tokens


def _read_braces(tokens: list[str]) -> tuple[VersionSet, list[str]]:
    if tokens[0] != "{":
        raise ValueError(tokens[0])
    parts: list[VersionSet] = []
    while tokens[0] in ("{", ";"):
        part, tokens = _read_set(tokens[1:])
        parts.append(part)
    if tokens[0] != "}":
        raise ValueError(tokens[0])
    return parts[0] if len(parts) == 1 else Union(tuple(parts)), tokens[1:]


def _version(token: str) -> Version:
    version = parse_version(_unquoted(token) if token.startswith('"') else token)
    if version is None or token in _KEYWORDS:
        raise ValueError(token)
    return version


def _written(version: Version) -> str:
    return version.text if _BARE.fullmatch(version.text) else _quoted(version.text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _unquoted(token: str) -> str:
    if not token.startswith('"'):
        raise ValueError(token)
    return str(json.loads(token))
