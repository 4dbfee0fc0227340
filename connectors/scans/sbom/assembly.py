"""What the readers of all SBOM formats share: unique references, and edges that lead somewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from connectors.reading import JsonObject
from meddojo.errors import InputError
from meddojo.sbom import Component, Dependency


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


def connected(edges: Iterable[tuple[str, str]], placed: Mapping[str, Component]) -> tuple[Dependency, ...]:
    """Edges between known components, each once, in order."""
    found = dict.fromkeys(edge for edge in edges if edge[0] in placed and edge[1] in placed)
    return tuple(Dependency(*edge) for edge in found)


def sentence(error: InputError) -> str:
    """Position and cause, without the file, which the reader of an SBOM knows."""
    return f"{error.position}: {error.cause}"


def optional_text(node: JsonObject, key: str, problems: list[str]) -> str:
    """Text without blanks around it; what is not a text is left out and noted."""
    try:
        return node.text(key).strip()
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
        try:
            found.append(JsonObject.of(value, node.origin, f"{node.pointer}/{key}/{index}"))
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
