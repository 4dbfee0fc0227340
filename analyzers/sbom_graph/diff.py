"""What changed between two versions of an SBOM."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cmp_to_key

from analyzers.matching.names.normalise import squash
from analyzers.matching.versions.order import compare, parse_version
from analyzers.sbom_graph.locate import package_of, version_of
from meddojo.sbom import Component, Sbom


@dataclass(frozen=True, slots=True)
class Move:
    """A component that is there at another version than before."""

    before: Component
    after: Component


@dataclass(frozen=True, slots=True)
class SbomDiff:
    """What changed.

    Attributes
    ----------
    upgraded, downgraded, changed
        Components at a higher and at a lower version, and those whose two versions have no order.
    unchanged
        How many are there as before. The roots are compared with each other and counted nowhere.
    """

    added: tuple[Component, ...]
    removed: tuple[Component, ...]
    upgraded: tuple[Move, ...]
    downgraded: tuple[Move, ...]
    changed: tuple[Move, ...]
    unchanged: int


def compare_sboms(old: Sbom, new: Sbom) -> SbomDiff:
    """Compare two bills of materials of one product.

    Components are matched by package URL without version (else by CPE, else by supplier and name), and what is then
    left by its bare name, as long as that is unambiguous: makers change package URLs and the spelling of suppliers.
    Of several versions of one package on both sides, equal ones go together, the rest in order of their versions.
    """
    before, after = _parts(old), _parts(new)
    same, before, after = _take_equal(before, after)
    moves, before, after = _pair(before, after, package_of, alone=False)
    renamed, before, after = _pair(before, after, lambda component: squash(component.name), alone=True)
    by_order: dict[int | None, list[Move]] = defaultdict(list)
    for move in sorted((*moves, *renamed), key=lambda move: _named(move.after)):
        by_order[_order(move.before, move.after)].append(move)
    return SbomDiff(
        added=tuple(sorted(after, key=_named)),
        removed=tuple(sorted(before, key=_named)),
        upgraded=tuple(by_order[-1]),
        downgraded=tuple(by_order[1]),
        changed=tuple(by_order[None]),
        unchanged=same + len(by_order[0]),
    )


def _parts(sbom: Sbom) -> list[Component]:
    return [component for component in sbom.components if component.ref != sbom.root]


def _take_equal(
    before: Iterable[Component], after: Iterable[Component]
) -> tuple[int, list[Component], list[Component]]:
    """Leave out what is there at the same version on both sides, once for each time it is."""
    waiting: dict[tuple[str, str], list[Component]] = defaultdict(list)
    for component in before:
        waiting[package_of(component), version_of(component)].append(component)
    same, new = 0, []
    for component in after:
        alike = waiting[package_of(component), version_of(component)]
        if alike:
            alike.pop()
            same += 1
        else:
            new.append(component)
    return same, [component for alike in waiting.values() for component in alike], new


def _pair(
    before: Iterable[Component], after: Iterable[Component], key: Callable[[Component], str], alone: bool
) -> tuple[list[Move], list[Component], list[Component]]:
    """Pairs of the same key, and what is left on either side.

    Parameters
    ----------
    alone
        Pair only where there is one on each side.
    """
    sides: dict[str, tuple[list[Component], list[Component]]] = defaultdict(lambda: ([], []))
    for component in before:
        sides[key(component)][0].append(component)
    for component in after:
        sides[key(component)][1].append(component)
    moves: list[Move] = []
    gone: list[Component] = []
    come: list[Component] = []
    for name, (old, new) in sides.items():
        if not name or (alone and (len(old), len(new)) != (1, 1)):
            gone += old
            come += new
            continue
        old, new = _by_version(old), _by_version(new)
        moves += map(Move, old, new)
        gone += old[len(new) :]
        come += new[len(old) :]
    return moves, gone, come


def _by_version(components: Sequence[Component]) -> list[Component]:
    def order(one: Component, other: Component) -> int:
        return _order(one, other) or 0

    return sorted(sorted(components, key=_named), key=cmp_to_key(order))


def _order(one: Component, other: Component) -> int | None:
    """-1, 0 or 1 for older, equal and newer; None where versions have no order."""
    first, second = version_of(one), version_of(other)
    if first == second:
        return 0
    read = parse_version(first), parse_version(second)
    return compare(read[0], read[1]) if read[0] and read[1] else None


def _named(component: Component) -> tuple[str, str, str]:
    return component.name, component.version, component.ref
