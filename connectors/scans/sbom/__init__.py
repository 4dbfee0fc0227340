"""Software bills of materials: CycloneDX 1.2 to 1.6, SPDX 2.2, 2.3 and 3.0, Syft.

Reading takes two steps, one table each: the serialisation (JSON, XML, YAML, tag-value) is turned into the JSON form of
its format, and the reader of that format turns it into a `meddojo.sbom.Sbom`. The same document in two serialisations
gives the same `Sbom`.

The JSON is read as plain mappings. ``cyclonedx-python-lib`` was measured as a reader: it takes 0.6 s to import and
10 to 50 times as long, and gives up the whole document over one unknown component type, hash algorithm or kind of
reference, a malformed PURL, serial number or time, or a version written as a number. An SBOM of a device is worth
reading in spite of all these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from connectors.json_object import JsonObject
from connectors.reading import MAX_JSON_BYTES, collector_paused, parse_json, unpack
from connectors.scans.safe_xml import root_tag
from connectors.scans.sbom.cyclonedx import read_cyclonedx
from connectors.scans.sbom.cyclonedx_xml import cyclonedx_xml_to_mapping
from connectors.scans.sbom.formats import UNDERSTOOD
from connectors.scans.sbom.spdx import read_spdx
from connectors.scans.sbom.spdx3 import read_spdx3
from connectors.scans.sbom.spdx_tag_value import spdx_tag_value_to_mapping
from connectors.scans.sbom.spdx_xml import ROOT as SPDX_XML_ROOT
from connectors.scans.sbom.spdx_xml import spdx_xml_to_mapping
from connectors.scans.sbom.spdx_yaml import is_spdx_yaml, spdx_yaml_to_mapping
from connectors.scans.sbom.syft import read_syft
from meddojo.errors import InputError
from meddojo.sbom import Sbom


def _parse_xml(data: bytes, origin: str) -> Any:
    read = spdx_xml_to_mapping if root_tag(data, origin) == SPDX_XML_ROOT else cyclonedx_xml_to_mapping
    return read(data, origin)


def _parse_text(data: bytes, origin: str) -> Any:
    return spdx_yaml_to_mapping(data, origin) if is_spdx_yaml(data) else spdx_tag_value_to_mapping(data, origin)


SERIALISATIONS: Mapping[bytes, Callable[[bytes, str], Any]] = {b"{": parse_json, b"[": parse_json, b"<": _parse_xml}
"""First byte of the document -> how to bring it into JSON form; any other is a text of SPDX."""

FORMATS: Mapping[tuple[str, ...], Callable[[JsonObject], Sbom]] = {
    ("bomFormat",): read_cyclonedx,
    ("spdxVersion",): read_spdx,
    ("@context", "@graph"): read_spdx3,
    ("artifacts", "artifactRelationships"): read_syft,
    ("artifacts", "source", "descriptor"): read_syft,
}
"""Telltale keys of the JSON form -> its reader."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read_sbom(data: bytes, origin: str) -> Sbom:
    """Read a software bill of materials of any known format.

    What the document describes (``metadata.component``, ``documentDescribes``) is one of the components, and the root.
    A part nested in or contained by another counts as a dependency of it. References to nothing are left out; of
    components that claim the same reference, the later ones are renamed, and `Sbom.problems` tells.

    Parameters
    ----------
    data
        Content of the file; gzip and Zstandard are unpacked.
    origin
        File or URL, for messages.

    Raises
    ------
    InputError
        If this is no SBOM of a known format, or a damaged one.
    """
    document = _to_mapping(unpack(data, origin, MAX_JSON_BYTES), origin)
    if isinstance(document, dict) and isinstance(document.get("sbom"), dict):
        document = document["sbom"]  # GitHub wraps what its dependency graph exports
    if not isinstance(document, dict):
        raise _not_an_sbom(origin)
    for keys, read in FORMATS.items():
        if all(key in document for key in keys):
            with collector_paused():
                return _warned(read(JsonObject.of(document, origin)))
    raise _not_an_sbom(origin)


def _warned(sbom: Sbom) -> Sbom:
    """With a problem noted when there is nothing in it but the root: nothing listed is not nothing there."""
    if any(component.ref != sbom.root for component in sbom.components):
        return sbom
    return replace(
        sbom, problems=(*sbom.problems, "no component is listed; is this a VEX document or an empty export?")
    )


def _to_mapping(data: bytes, origin: str) -> Any:
    start = data.removeprefix(_BYTE_ORDER_MARK).lstrip()[:1]
    if data.startswith(_UTF16_MARKS):
        start = data[2:200].replace(b"\0", b"").lstrip()[:1]
    read: Callable[[bytes, str], Any] = SERIALISATIONS.get(start, _parse_text)
    return read(data, origin)


def _not_an_sbom(origin: str) -> InputError:
    return InputError(origin, "", "not an SBOM of a known format", f"export {UNDERSTOOD}")
