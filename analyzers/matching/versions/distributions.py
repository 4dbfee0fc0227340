"""The order of package versions in Linux distributions: deb-version(7), rpmvercmp of RPM, and apk.

Advisories of a distribution name its own versions, revision included: a fix that was backported shows in nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from analyzers.matching.versions.sets import Verdict

_LONGEST = 200
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+~^:_-]*")
_EPOCH = re.compile(r"(\d+):(.*)", re.DOTALL)
_DEB_PIECE = re.compile(r"(\D*)(\d*)")
_RPM_PIECE = re.compile(r"\d+|[A-Za-z]+|[~^]")
_APK = re.compile(r"\d+(?:\.\d+)*[a-z]?(?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)\d*)*(?:-r\d+)?")
_APK_PIECE = re.compile(r"([._-]?)([a-z]*)(\d*)")
_APK_RANKS = {"alpha": -4, "beta": -3, "pre": -2, "rc": -1, "r": 1, "cvs": 2, "svn": 3, "git": 4, "hg": 5, "p": 6}
_LETTER, _NUMBER = 7, 8
_BOUND = re.compile(r"(<=|>=|<|>)?\s*(\S+)")

Key = tuple[object, ...]


def judge_range(kind: str, text: str, installed: str) -> Verdict:
    """Whether an installed version is in a range of its own distribution.

    Parameters
    ----------
    kind
        Type of the package URL: ``deb``, ``apk``, or one that orders like RPM (``rpm``, ``alpm``).
    text
        ``>= 1.0-1 | < 1.0-3``, all of which have to hold, or a list of versions, of which one has to be it; an empty
        text means all versions.
    """
    if not text.strip():
        return Verdict.AFFECTED
    own = version_key(kind, installed)
    if own is None:
        return Verdict.UNKNOWN
    listed, held = [], []
    for part in text.split("|"):
        bound = _BOUND.fullmatch(part.strip())
        other = version_key(kind, bound[2]) if bound else None
        if bound is None or other is None:
            return Verdict.UNKNOWN
        if bound[1]:
            held.append(_HOLDS[bound[1]](own, other))
        else:
            listed.append(own == other)
    inside = all(held) and (any(listed) if listed else bool(held))
    return Verdict.AFFECTED if inside else Verdict.NOT_AFFECTED


_HOLDS: Mapping[str, Callable[[Key, Key], bool]] = {
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}


@lru_cache(maxsize=65536)
def version_key(kind: str, version: str) -> Key | None:
    """A key by which versions of one kind of package sort; None for what is no version of it."""
    version = version.strip()
    if len(version) > _LONGEST or not _VERSION.fullmatch(version):
        return None
    if kind == "apk":
        return _apk(version) if _APK.fullmatch(version) else None
    found = _EPOCH.fullmatch(version)
    epoch, rest = (int(found[1]), found[2]) if found else (0, version)
    upstream, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "")
    if not upstream:
        return None
    order = _deb if kind == "deb" else _rpm
    return (epoch, order(upstream), order(revision))


def _deb(text: str) -> Key:
    """Letters before other marks, a tilde before the end, numbers as numbers."""
    pieces = [(_marks(marks), int(digits or 0)) for marks, digits in _DEB_PIECE.findall(text) if marks or digits]
    return (*pieces, ((0,), 0))


def _marks(text: str) -> tuple[int, ...]:
    return (*(-1 if mark == "~" else ord(mark) if mark.isalpha() else ord(mark) + 0x110000 for mark in text), 0)


def _rpm(text: str) -> Key:
    """A tilde before the end, a caret behind it; a number is newer than letters, and more is newer than less."""
    ranks: list[tuple[int, int | str]] = []
    for piece in _RPM_PIECE.findall(text):
        if piece.isdigit():
            ranks.append((2, int(piece)))
        else:
            ranks.append({"~": (-2, 0), "^": (0, 0)}.get(piece, (1, piece)))
    return (*ranks, (-1, 0))


def _apk(text: str) -> Key:
    """Numbers, a letter, suffixes (those of pre-releases before the end), and the revision ``-r1``."""
    ranks: list[tuple[int, int]] = []
    for divider, word, digits in _APK_PIECE.findall(text):
        if divider and word in _APK_RANKS:
            ranks.append((_APK_RANKS[word], int(digits or 0)))
        elif word:
            ranks.append((_LETTER, ord(word)))
        elif digits:
            ranks.append((_NUMBER, int(digits)))
    return (*ranks, (0, 0))
