"""Which claims speak about the same vulnerability."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from analyzers.matching.candidates import Candidate
from meddojo.vulnerability import CVE_PATTERN


def group_by_alias(candidates: Sequence[Candidate], known_as: Mapping[str, str]) -> tuple[tuple[Candidate, ...], ...]:
    """Group candidates that share a name, directly or through others.

    Parameters
    ----------
    known_as
        Alias -> id a vulnerability was found under before; such names belong together as well.

    Notes
    -----
    Two CVE ids are two vulnerabilities unless one source gives both as names of one. An advisory id that is used as
    an alias of several CVEs therefore joins nothing.
    """
    names = [_names(candidate, known_as) for candidate in candidates]
    joined = _Classes()
    for group in names:
        joined.unite(name for name in group if CVE_PATTERN.fullmatch(name))
    cves: dict[str, set[str]] = {}
    for group in names:
        own = {joined.find(name) for name in group if CVE_PATTERN.fullmatch(name)}
        for name in group:
            cves.setdefault(name, set()).update(own)
    for group in names:
        joined.unite(name for name in group if len(cves[name]) < 2)
    grouped: dict[str, list[Candidate]] = {}
    for candidate, group in zip(candidates, names, strict=True):
        unambiguous = [name for name in group if len(cves[name]) < 2]
        grouped.setdefault(joined.find((unambiguous or group)[0]), []).append(candidate)
    return tuple(tuple(grouped[key]) for key in sorted(grouped))


def _names(candidate: Candidate, known_as: Mapping[str, str]) -> tuple[str, ...]:
    names = set(candidate.identifiers)
    return tuple(sorted(names | {known_as[name] for name in names if name in known_as}))


class _Classes:
    """Disjoint sets of names; the smallest name stands for its set, so that input order does not matter."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def find(self, name: str) -> str:
        while (parent := self._parent.get(name, name)) != name:
            name = parent
        return name

    def unite(self, names: Iterable[str]) -> None:
        roots = sorted({self.find(name) for name in names})
        for root in roots[1:]:
            self._parent[root] = roots[0]
