"""What a CycloneDX document says about itself: who made it, with what, at which stage, how complete."""

from __future__ import annotations

from collections.abc import Collection

from connectors.reading import JsonObject
from connectors.scans.sbom.assembly import names, objects, optional_object, optional_text
from connectors.scans.sbom.statements import capped


def read_authors(metadata: JsonObject, problems: list[str]) -> tuple[str, ...]:
    """People, and the organisation that created the document (1.6; ``manufacture`` made the product it describes)."""
    people = [
        optional_text(each, "name", problems) or optional_text(each, "email", problems)
        for each in objects(metadata, "authors", problems)
    ]
    maker = optional_object(metadata, "manufacturer", problems)
    return capped([*people, optional_text(maker, "name", problems)])


def read_tools(metadata: JsonObject, problems: list[str]) -> tuple[str, ...]:
    """Tools with their versions: entries of a list up to 1.4, components and services from 1.5 on."""
    if isinstance(metadata.value.get("tools"), list):
        entries = objects(metadata, "tools", problems)
    else:
        tools = optional_object(metadata, "tools", problems)
        entries = [*objects(tools, "components", problems), *objects(tools, "services", problems)]
    labels = (
        f"{optional_text(each, 'name', problems)} {optional_text(each, 'version', problems)}".strip()
        for each in entries
    )
    return capped(labels)


def read_lifecycle(metadata: JsonObject, problems: list[str]) -> str:
    """Phases in document order: those of the standard, or by name."""
    phases = [
        optional_text(each, "phase", problems) or optional_text(each, "name", problems)
        for each in objects(metadata, "lifecycles", problems)
    ]
    return ", ".join(capped(phases))


def read_complete(document: JsonObject, root: str, known: Collection[str], problems: list[str]) -> tuple[str, ...]:
    """References that a composition calls complete and none calls otherwise; one without references is the root's."""
    complete: dict[str, None] = {}
    doubtful: set[str] = set()
    for node in objects(document, "compositions", problems):
        refs = [*names(node, "assemblies", problems), *names(node, "dependencies", problems)]
        if not refs and not names(node, "vulnerabilities", problems):
            refs = [root]
        if optional_text(node, "aggregate", problems) == "complete":
            complete.update(dict.fromkeys(refs))
        else:
            doubtful.update(refs)
    return tuple(ref for ref in complete if ref in known and ref not in doubtful)
