"""Safe parsing of untrusted XML: no document type, no entities, capped size and depth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING

from connectors.reading import MAX_DEPTH
from connectors.unpacking import MEBIBYTE
from meddojo.errors import InputError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_XML_BYTES = 64 * MEBIBYTE
"""Largest XML document; its tree takes several times as much memory."""


def parse_xml(data: bytes, origin: str) -> Element:
    """Parse a document and return its root element.

    Raises
    ------
    InputError
        If it is not well-formed, too large, nested too deep, or brings a document type or entities.
    """
    root = None
    for element in _starts(data, origin):
        root = element if root is None else root
    if root is None:
        raise InputError(origin, "", "the document is empty", "fetch or export it again")
    return root


def root_tag(data: bytes, origin: str) -> str:
    """Tag of the root element, as ``{namespace}name``, without reading further.

    Raises
    ------
    InputError
        As `parse_xml`, for what comes before the root element.
    """
    return next((element.tag for element in _starts(data, origin)), "")


def _starts(data: bytes, origin: str) -> Iterator[Element]:
    """Every element as it opens; the tree is complete when the iterator ends."""
    from defusedxml.ElementTree import iterparse

    if len(data) > MAX_XML_BYTES:
        raise InputError(origin, "", f"larger than {MAX_XML_BYTES // MEBIBYTE} MiB", "export it as JSON instead")
    depth = 0
    with _errors_named(origin):
        for event, element in iterparse(BytesIO(data), events=("start", "end"), forbid_dtd=True):
            depth += 1 if event == "start" else -1
            if depth > MAX_DEPTH:
                raise InputError(origin, "", f"nested deeper than {MAX_DEPTH} levels", "no real report is")
            if event == "start":
                yield element


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
