"""What the readers of all SBOM formats share: unique references, and edges that lead somewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from itertools import islice

from connectors.json_object import JsonObject
from meddojo.errors import InputError
from meddojo.sbom import Component, Dependency, DependencyKind

_STRENGTH = {
    DependencyKind.DEVELOPMENT: 0,
    DependencyKind.OPTIONAL: 1,
    DependencyKind.CONTAINS: 2,
    DependencyKind.RUNTIME: 3,
}
MAX_UNRESOLVED = 1000
"""Most references to nothing that are kept."""


def place(component: Component, placed: dict[str, Component], problems: list[str]) -> str:
    """Add `component` to `placed` and return the reference it goes by there.

    The same component a second time is the same component. A different one under a taken reference is kept, because a
    lost component is a missed vulnerability, and renamed; edges mean the first.
    """
    known = placed.setdefault(component.ref, component)
    if known == component:
        return component.ref
    ref = f"{component.ref}#{len(placed) + 1}"
    while ref in placed:
        ref += "'"
    placed[ref] = replace(component, ref=ref)
    problems.append(
        f"{component.label} has the reference {component.ref!r} of {known.label}; it was read as {ref!r},"
        " and dependencies count for the first"
    )
    return ref


def connected(
    edges: Iterable[Dependency], placed: Mapping[str, Component], elsewhere: Collection[str] = frozenset()
) -> tuple[tuple[Dependency, ...], tuple[str, ...]]:
    """Edges between known components, in order, and the references that lead nowhere.

    Of several edges between the same two, the strongest counts.

    Parameters
    ----------
    elsewhere
        References that mean something, but no component: files, services, the document itself.
    """
    found: dict[tuple[str, str], DependencyKind] = {}
    lost: dict[str, None] = {}
    for source, target, kind in edges:
        if source in placed and target in placed:
            known = found.get((source, target))
            if known is None or _STRENGTH[kind] > _STRENGTH[known]:
                found[source, target] = kind
        else:
            lost.update({ref: None for ref in (source, target) if ref not in placed and ref not in elsewhere})
    joined = tuple(Dependency(source, target, kind) for (source, target), kind in found.items())
    return joined, tuple(islice(lost, MAX_UNRESOLVED))


def sentence(error: InputError) -> str:
    """Position and cause, without the file, which the reader of an SBOM knows."""
    return f"{error.position}: {error.cause}"


def optional_text(node: JsonObject, key: str, problems: list[str]) -> str:
    """Text without blanks around it; what is not a text is left out and noted."""
    value = node.value.get(key)
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    try:
        return node.text(key)
    except InputError as error:
        problems.append(sentence(error))
        return ""


def objects(node: JsonObject, key: str, problems: list[str]) -> list[JsonObject]:
    """The objects of the list at `key`; what is no object is left out and noted."""
    values = node.value.get(key)
    if values is None:
        return []
    if not isinstance(values, list):
        problems.append(sentence(node.error(key, "is not a list")))
        return []
    found = []
    for index, value in enumerate(values):
        if isinstance(value, dict):
            found.append(JsonObject(value, node.origin, key, node, index))
            continue
        try:
            JsonObject.of(value, node.origin, f"{node.pointer}/{key}/{index}")
        except InputError as error:
            problems.append(sentence(error))
    return found


def optional_object(node: JsonObject, key: str, problems: list[str]) -> JsonObject:
    """The object at `key`; an empty one, noted, when something else is there."""
    try:
        return node.object(key)
    except InputError as error:
        problems.append(sentence(error))
        return JsonObject({}, node.origin, f"{node.pointer}/{key}")


def names(node: JsonObject, key: str, problems: list[str]) -> list[str]:
    """The texts of the list at `key`, one alone counting as a list; what is no text is left out and noted."""
    value = node.value.get(key)
    values = value if isinstance(value, list) else [] if value is None else [value]
    problems += [
        sentence(node.error(f"{key}/{index}", "is not a text"))
        for index, each in enumerate(values)
        if not isinstance(each, str)
    ]
    return [each.strip() for each in values if isinstance(each, str) and each.strip()]
