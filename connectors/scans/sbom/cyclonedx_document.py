"""What a CycloneDX document says about itself: who made it, with what, at which stage, how complete."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from connectors.json_object import JsonObject
from connectors.scans.sbom.assembly import names, objects, optional_object, optional_text
from connectors.scans.sbom.statements import capped


class Organisation(NamedTuple):
    """Who supplies or makes something, and how to reach them; empty when nobody is named."""

    name: str = ""
    contacts: tuple[str, ...] = ()


def read_organisation(node: JsonObject, key: str, problems: list[str]) -> Organisation:
    """Name, e-mail addresses of the contacts, and URLs of the organisation at `key`."""
    if key not in node.value:
        return NOBODY
    entity = optional_object(node, key, problems)
    if "contact" not in entity.value and "url" not in entity.value:
        return Organisation(optional_text(entity, "name", problems))
    mails = read_mails(entity, "contact", problems)
    return Organisation(optional_text(entity, "name", problems), capped([*mails, *names(entity, "url", problems)]))


NOBODY = Organisation()


def read_mails(node: JsonObject, key: str, problems: list[str]) -> list[str]:
    """E-mail addresses of the people listed at `key`."""
    return [optional_text(each, "email", problems) for each in objects(node, key, problems)]


def read_authors(metadata: JsonObject, problems: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Who made the document, and how to reach them: people, and the organisation behind it.

    That is ``manufacturer`` of 1.6; ``manufacture`` made the product that the document describes.
    """
    people = [
        (optional_text(each, "name", problems), optional_text(each, "email", problems))
        for each in objects(metadata, "authors", problems)
    ]
    maker = read_organisation(metadata, "manufacturer", problems)
    contacts = capped([*(mail for _, mail in people), *maker.contacts])
    return capped([*(name or mail for name, mail in people), maker.name]), contacts


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


def read_revision(document: JsonObject) -> str:
    """Version of the document: a number, which some write as a text."""
    value = document.value.get("version")
    text = str(value).strip() if isinstance(value, int | str) else ""
    return text if text.isascii() and text.isdigit() else ""


def is_signed(document: JsonObject) -> bool:
    """Whether it holds a signature (JSON Signature Format, or XML Signature); that is not verified."""
    return isinstance(document.value.get("signature"), dict) and bool(document.value["signature"])


def read_completeness(
    document: JsonObject, root: str, known: Collection[str], problems: list[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """References that a composition calls complete and none calls otherwise; and those called incomplete or unknown.

    A composition without references is about the whole: complete, it is the root's; incomplete, everybody's.
    ``not_specified`` says nothing, though it casts doubt.
    """
    complete: dict[str, None] = {}
    incomplete: dict[str, None] = {}
    doubtful: set[str] = set()
    for node in objects(document, "compositions", problems):
        refs = [*names(node, "assemblies", problems), *names(node, "dependencies", problems)]
        whole = not refs and not names(node, "vulnerabilities", problems)
        refs = [root] if whole else refs
        aggregate = optional_text(node, "aggregate", problems)
        if aggregate == "complete":
            complete.update(dict.fromkeys(refs))
            continue
        doubtful.update(refs)
        if aggregate == "unknown" or aggregate.startswith("incomplete"):
            incomplete.update(dict.fromkeys(known if whole else refs))
    return (
        tuple(ref for ref in complete if ref in known and ref not in doubtful),
        tuple(ref for ref in incomplete if ref in known),
    )
