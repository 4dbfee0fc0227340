"""What kind of file this is, told by its content and never by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from connectors.reading import decode_text, parse_json, unpack
from connectors.scans.bulletin import bulletin_format
from connectors.scans.safe_xml import root_tag
from connectors.scans.sbom.cyclonedx_xml import cyclonedx_xml_to_mapping
from connectors.scans.sbom.spdx_xml import ROOT as SPDX_XML_ROOT
from connectors.scans.sbom.spdx_yaml import is_spdx_yaml
from meddojo.bulletin import BulletinFormat
from meddojo.errors import InputError

_HEAD_BYTES = 64 * 1024
_CYCLONEDX_SPACE = "cyclonedx.org/schema/bom"


class Kind(StrEnum):
    """What ``meddojo import`` can take in."""

    CSAF = "csaf"
    CSAF_VEX = "csaf-vex"
    NVD = "nvd"
    KEV = "kev"
    EPSS = "epss"
    STIX = "stix"
    GRYPE = "grype"
    TRIVY = "trivy"
    SARIF = "sarif"
    OPENVEX = "openvex"
    CYCLONEDX_VEX = "cyclonedx-vex"
    CYCLONEDX_VDR = "cyclonedx-vdr"
    CYCLONEDX = "cyclonedx"
    SPDX = "spdx"
    SYFT = "syft"
    OSV = "osv"
    BULLETIN = "bulletin"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Telltale:
    """Keys that give a JSON document away.

    Attributes
    ----------
    paths
        Keys, with dots between the levels, that all have to be there.
    value
        What the last of them has to begin with, in any case of letters; empty when the key alone tells.
    """

    kind: Kind
    paths: tuple[str, ...]
    value: str = ""


TELLTALES = (
    Telltale(Kind.CYCLONEDX, ("bomFormat",), "cyclonedx"),
    Telltale(Kind.SPDX, ("spdxVersion",)),
    Telltale(Kind.SPDX, ("sbom.spdxVersion",)),
    Telltale(Kind.SPDX, ("@graph", "@context"), "https://spdx.org/rdf/3"),
    Telltale(Kind.SPDX, ("@graph", "@context"), "['https://spdx.org/rdf/3"),
    Telltale(Kind.SYFT, ("artifacts", "artifactRelationships")),
    Telltale(Kind.SYFT, ("artifacts", "source", "descriptor")),
    Telltale(Kind.GRYPE, ("descriptor.name",), "grype"),
    Telltale(Kind.GRYPE, ("matches", "source", "descriptor")),
    Telltale(Kind.TRIVY, ("SchemaVersion", "ArtifactName")),
    Telltale(Kind.TRIVY, ("SchemaVersion", "Results")),
    Telltale(Kind.TRIVY, ("Target", "Type")),
    Telltale(Kind.SARIF, ("runs", "version"), "2.1."),
    Telltale(Kind.OPENVEX, ("statements", "@context"), "https://openvex.dev/ns"),
    Telltale(Kind.CSAF_VEX, ("document.csaf_version", "document.category"), "csaf_vex"),
    Telltale(Kind.CSAF, ("document.csaf_version",)),
    Telltale(Kind.STIX, ("objects", "type"), "bundle"),
    Telltale(Kind.KEV, ("catalogVersion", "vulnerabilities")),
    Telltale(Kind.NVD, ("format",), "nvd_cve"),
    Telltale(Kind.NVD, ("totalResults", "vulnerabilities")),
    Telltale(Kind.NVD, ("cve.id", "cve.vulnStatus")),
    Telltale(Kind.NVD, ("id", "vulnStatus")),
    Telltale(Kind.OSV, ("id", "modified", "affected")),
    Telltale(Kind.OSV, ("id", "modified", "schema_version")),
)
"""First match wins. NVD and CSAF also come with one record a line, so single records are known too."""

UNDERSTOOD = (
    "CSAF 2.0 advisories, NVD API 2.0 and OSV records, the KEV catalogue, EPSS scores (CSV), STIX bundles,"
    " Grype and Trivy JSON reports, SARIF 2.1.0, VEX (CSAF, OpenVEX, CycloneDX), CycloneDX (JSON, XML),"
    " SPDX (JSON, JSON-LD, YAML, XML, tag-value), Syft JSON, bulletins about vulnerabilities (PDF, HTML, text)"
)


def detect(data: bytes, origin: str) -> Kind:
    """Tell what kind of file this is.

    Parameters
    ----------
    data
        Content of the file: a JSON document, JSON Lines, XML, HTML, PDF or text, or any of them in gzip or Zstandard.
    origin
        File or URL, for messages.

    Raises
    ------
    InputError
        If the content is damaged, or none of the kinds that are understood.
    """
    data = unpack(data, origin)
    text = _head(data)
    if text[:1] in ("{", "["):
        line = _first_line(data, origin)
        kind = recognise(parse_json(data, origin) if line is None else line)
        if kind is Kind.CSAF_VEX and line is not None:
            kind = Kind.CSAF  # many documents, of whatever profile: an archive of advisories
    elif _is_page(data):
        kind = Kind.BULLETIN
    elif text[:1] == "<":
        kind = _recognise_xml(data, origin)
    else:
        kind = Kind.SPDX if is_spdx_yaml(data) else _recognise_text(text)
        if kind is Kind.UNKNOWN and bulletin_format(data):
            kind = Kind.BULLETIN
    if kind is Kind.UNKNOWN:
        decode_text(data, origin)  # a wrong encoding or a damaged file is the better explanation
        raise InputError(origin, "", "not a kind of file that is understood", f"understood are: {UNDERSTOOD}")
    return kind


def recognise(document: Any) -> Kind:
    """Tell what kind of JSON document this is, already parsed; of a list, the first element tells."""
    if isinstance(document, list) and document:
        document = document[0]
    for telltale in TELLTALES:
        values = [_at(document, path) for path in telltale.paths]
        if None in values:
            continue
        if not telltale.value or str(values[-1]).lower().startswith(telltale.value):
            return _cyclonedx(document) if telltale.kind is Kind.CYCLONEDX else telltale.kind
    return Kind.UNKNOWN


def _cyclonedx(document: Mapping[str, Any]) -> Kind:
    """Bill of materials, VEX or VDR.

    A VEX states something about every vulnerability it names. A VDR reports vulnerabilities: some come without an
    analysis, or the document lists the components that have them.
    """
    found = document.get("vulnerabilities")
    vulnerabilities = [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []
    if not vulnerabilities:
        return Kind.CYCLONEDX
    stated = all(_at(each, "analysis.state") for each in vulnerabilities)
    return Kind.CYCLONEDX_VEX if stated and not document.get("components") else Kind.CYCLONEDX_VDR


def _at(document: Any, path: str) -> Any:
    for key in path.split("."):
        document = document.get(key) if isinstance(document, Mapping) else None
    return document


def _is_page(data: bytes) -> bool:
    return bulletin_format(data) in (BulletinFormat.HTML, BulletinFormat.PDF)


def _first_line(data: bytes, origin: str) -> Any:
    """The first line, where it is a document of its own (JSON Lines); None when all of it is one document."""
    data = data.lstrip()
    end = data.find(b"\n")
    if 0 < end < len(data) - 1:
        try:
            return parse_json(data[:end], origin)
        except InputError:
            pass  # one document over several lines; if it is damaged, reading it whole tells where
    return None


def _head(data: bytes) -> str:
    """Beginning of the text, without byte order mark, for looking at only."""
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    return data[:_HEAD_BYTES].decode(encoding, errors="replace").lstrip()


def _recognise_xml(data: bytes, origin: str) -> Kind:
    tag = root_tag(data, origin)
    if _CYCLONEDX_SPACE in tag:
        stated = b"vulnerabilities" in data
        return recognise(cyclonedx_xml_to_mapping(data, origin)) if stated else Kind.CYCLONEDX
    return Kind.SPDX if tag == SPDX_XML_ROOT and b"spdxVersion" in data else Kind.UNKNOWN


def _recognise_text(text: str) -> Kind:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if lines and (lines[0].startswith("#model_version:") or lines[0].replace(" ", "").startswith("cve,epss")):
        return Kind.EPSS
    if any(line.startswith("SPDXVersion:") for line in lines):
        return Kind.SPDX
    return Kind.UNKNOWN
