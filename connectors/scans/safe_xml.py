"""Safe parsing of untrusted XML: no document type, no entities, capped size and depth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

from connectors.reading import MAX_DEPTH
from connectors.unpacking import MEBIBYTE
from meddojo.errors import InputError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_XML_BYTES = 256 * MEBIBYTE
"""Largest XML document."""


Build = Callable[[str, Mapping[str, str], str, list[tuple[str, Any]]], Any]
"""Makes a value of an element: its tag, attributes, text, and the tags and values of its children in order.

What it makes None of is left out of the element above.
"""


def fold_xml(data: bytes, origin: str, build: Build, max_bytes: int = MAX_XML_BYTES) -> tuple[str, Any]:
    """Tag and value of the root element, values made from the leaves up and every element forgotten after that.

    Raises
    ------
    InputError
        If it is not well-formed, too large, nested too deep, or brings a document type or entities.
    """
    found = ("", None)
    children: list[list[tuple[str, Any]]] = [[]]
    for event, element in _events(data, origin, max_bytes):
        if event == "start":
            children.append([])
            continue
        value = build(element.tag, element.attrib, element.text or "", children.pop())
        found = (element.tag, value)
        if value is not None:
            children[-1].append(found)
        element.clear()
    if not found[0]:
        raise InputError(origin, "", "the document is empty", "fetch or export it again")
    return found


def root_tag(data: bytes, origin: str) -> str:
    """Tag of the root element, as ``{namespace}name``, without reading further.

    Raises
    ------
    InputError
        As `fold_xml`, for what comes before the root element.
    """
    return next((element.tag for _, element in _events(data, origin, len(data))), "")


def _events(data: bytes, origin: str, max_bytes: int) -> Iterator[tuple[str, Element]]:
    """Every element as it opens and as it closes; its text and attributes are there when it closes."""
    from defusedxml.ElementTree import iterparse

    if len(data) > max_bytes:
        raise InputError(origin, "", f"larger than {max_bytes // MEBIBYTE} MiB", "export it as JSON instead")
    depth = 0
    with _errors_named(origin):
        for event, element in iterparse(BytesIO(data), events=("start", "end"), forbid_dtd=True):
            depth += 1 if event == "start" else -1
            if depth > MAX_DEPTH:
                raise InputError(origin, "", f"nested deeper than {MAX_DEPTH} levels", "no real report is")
            yield event, element


@contextmanager
def _errors_named(origin: str) -> Iterator[None]:
    """Turn what the parser raises into an `InputError`."""
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException

    try:
        yield
    except ParseError as error:
        line, column = error.position
        raise InputError(
            origin,
            f"line {line}, column {column + 1}",
            f"not well-formed XML: {str(error).partition(':')[0]}",
            "correct that place, or export it again",
        ) from None
    except DefusedXmlException:
        raise InputError(
            origin, "", "the XML declares a document type or entities", "such XML is never read; export it without"
        ) from None
    except (ValueError, LookupError) as error:
        raise InputError(origin, "", f"XML in an encoding that cannot be read: {error}", "save it as UTF-8") from None
