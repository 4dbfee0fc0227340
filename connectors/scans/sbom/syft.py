"""Syft's own JSON (https://github.com/anchore/syft, ``schema/json``): from schema 1 to the present.

What changed over the years and is read in every form: licences and CPEs became objects, the target of the scan moved
from ``source.target`` to ``source.metadata``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from connectors.json_object import JsonObject
from connectors.reading import parse_instant
from connectors.scans.cpe import to_cpe23
from connectors.scans.sbom.assembly import connected, objects, optional_object, optional_text, place, sentence
from connectors.scans.sbom.relationships import SYFT
from connectors.scans.sbom.statements import capped, hash_text, read_day, read_support
from meddojo.sbom import Component, Dependency, DependencyKind, Sbom

_KINDS = {"image": "container", "directory": "file", "dir": "file", "file": "file"}
"""Type of the source in the words of CycloneDX, as Syft itself translates it; others stay."""
_TARGETS = ("userInput", "path", "name")
_MAKERS = ("vendor", "maintainer", "author")
_MAIL = re.compile(r"<([^<>\s]{1,254})>")
_MOST_PLACES = 10


def read_syft(document: JsonObject) -> Sbom:
    """Read what Syft found: its packages are the components, files are left out.

    What was scanned is the root, and the Linux distribution a part of it.
    """
    problems: list[str] = []
    placed: dict[str, Component] = {}
    source = optional_object(document, "source", problems)
    root = _source(source, problems)
    main = place(root, placed, problems) if root else ""
    for node in objects(document, "artifacts", problems):
        component = _package(node, problems)
        if component:
            place(component, placed, problems)
    distribution = _distribution(optional_object(document, "distro", problems), problems)
    edges = list(_edges(document, problems))
    if distribution:
        ref = place(distribution, placed, problems)
        edges += [Dependency(main, ref, DependencyKind.CONTAINS)] if main else []
    dependencies, unresolved = connected(edges, placed, _files(document))
    descriptor = optional_object(document, "descriptor", problems)
    tool = f"{optional_text(descriptor, 'name', problems)} {optional_text(descriptor, 'version', problems)}"
    schema = optional_text(optional_object(document, "schema", problems), "version", problems)
    return Sbom(
        format=f"Syft {schema}".strip(),
        components=tuple(placed.values()),
        root=main,
        dependencies=dependencies,
        created=parse_instant(optional_text(descriptor, "timestamp", problems)),
        problems=tuple(problems),
        tools=capped([tool.strip()]),
        unresolved=unresolved,
    )


def _source(node: JsonObject, problems: list[str]) -> Component | None:
    target = node.value.get("target")
    about = optional_object(node, "target" if isinstance(target, dict) else "metadata", problems)
    named = (optional_text(about, key, problems) for key in _TARGETS)
    name = (
        optional_text(node, "name", problems)
        or next(filter(None, named), "")
        or (target.strip() if isinstance(target, str) else "")
    )
    if not name:
        return None
    kind = optional_text(node, "type", problems)
    return Component(
        ref=optional_text(node, "id", problems) or f"source:{name}",
        name=name,
        version=optional_text(node, "version", problems),
        supplier=optional_text(node, "supplier", problems),
        kind=_KINDS.get(kind.lower(), kind),
    )


def _distribution(node: JsonObject, problems: list[str]) -> Component | None:
    name = optional_text(node, "id", problems) or optional_text(node, "name", problems)
    if not name:
        return None
    version = optional_text(node, "versionID", problems) or optional_text(node, "version", problems)
    return Component(
        ref=f"distro:{name}@{version}",
        name=name,
        version=version,
        cpe=to_cpe23(optional_text(node, "cpeName", problems)),
        kind="operating-system",
        end_of_support=read_day(optional_text(node, "supportEnd", problems)),
    )


def _package(node: JsonObject, problems: list[str]) -> Component | None:
    name = optional_text(node, "name", problems)
    if not name:
        problems.append(sentence(node.error("name", "is missing, so this package was left out")))
        return None
    version = optional_text(node, "version", problems)
    purl = optional_text(node, "purl", problems)
    about = node.value.get("metadata")  # of another shape for every kind of package
    details = JsonObject(about if isinstance(about, dict) else {}, node.origin, f"{node.pointer}/metadata")
    return Component(
        ref=optional_text(node, "id", problems) or purl or f"{name}@{version}",
        name=name,
        version=version,
        purl=purl,
        cpe=next(filter(None, map(to_cpe23, _values(node, "cpes", "cpe"))), ""),
        supplier=_maker(details),
        kind=optional_text(node, "type", problems),
        licences=capped(_licences(node)),
        hashes=capped(_hashes(details)),
        properties=read_support(_properties(node, problems)).others,
        contacts=capped(_MAIL.findall(_stated_maker(details))),
    )


def _values(node: JsonObject, key: str, inner: str) -> Iterator[str]:
    """Texts of a list that once held them bare and now holds objects."""
    values = node.value.get(key)
    for value in values if isinstance(values, list) else ():
        text = value.get(inner) if isinstance(value, dict) else value
        if isinstance(text, str):
            yield text.strip()


def _licences(node: JsonObject) -> Iterator[str]:
    values = node.value.get("licenses")
    for value in values if isinstance(values, list) else ():
        texts = [value.get("spdxExpression"), value.get("value")] if isinstance(value, dict) else [value]
        yield next((text.strip() for text in texts if isinstance(text, str) and text.strip()), "")


def _maker(details: JsonObject) -> str:
    """``Debian Perl Group <mail>`` -> ``Debian Perl Group``: whom Syft names as the supplier in its other formats."""
    first = _stated_maker(details)
    return first.partition("<")[0].strip() or first.strip(" <>")


def _stated_maker(details: JsonObject) -> str:
    values = (details.value.get(key) for key in _MAKERS)
    return next((value for value in values if isinstance(value, str) and value.strip()), "")


def _hashes(details: JsonObject) -> Iterator[str]:
    digests = details.value.get("digest")  # of Java archives
    for each in digests if isinstance(digests, list) else ():
        if isinstance(each, dict):
            yield hash_text(str(each.get("algorithm", "")), str(each.get("value", "")))


def _properties(node: JsonObject, problems: list[str]) -> Iterator[tuple[str, str]]:
    """The names are those of Syft's CycloneDX output."""
    for key in ("foundBy", "language"):
        value = optional_text(node, key, problems)
        if value:
            yield f"syft:package:{key}", value
    for index, place_ in enumerate(objects(node, "locations", problems)[:_MOST_PLACES]):
        yield f"syft:location:{index}:path", optional_text(place_, "path", problems)


def _edges(document: JsonObject, problems: list[str]) -> Iterator[Dependency]:
    strange: set[str] = set()
    for node in objects(document, "artifactRelationships", problems):
        kind = optional_text(node, "type", problems)
        meaning = SYFT.get(kind)
        if meaning is not None:
            yield meaning.edge(optional_text(node, "parent", problems), optional_text(node, "child", problems))
        elif kind not in SYFT and kind not in strange:
            strange.add(kind)
            problems.append(f"{kind[:40]!r} is no relationship of Syft that is known; those of this kind were left out")


def _files(document: JsonObject) -> frozenset[str]:
    """References of files, which are no components."""
    values = document.value.get("files")
    ids = (value.get("id") for value in values if isinstance(value, dict)) if isinstance(values, list) else ()
    return frozenset({"", *(each for each in ids if isinstance(each, str))})
