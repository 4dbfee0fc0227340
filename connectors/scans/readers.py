"""One reader a format, for files that are configured (``[[scans]]``) and files that are imported alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.reading import parse_json
from connectors.scans.detect import Kind, recognise
from connectors.scans.pms_scanner import read_grype
from connectors.scans.sarif import read_sarif
from connectors.scans.sbom.cyclonedx_xml import cyclonedx_xml_to_mapping
from connectors.scans.trivy import read_trivy
from connectors.scans.vdr import read_vdr
from connectors.scans.vex import read_csaf_vex, read_cyclonedx_vex, read_openvex
from meddojo.errors import InputError
from meddojo.interface import Skipped
from meddojo.sbom import ScanReport
from meddojo.vex import VexDocument

ScanReader = Callable[[Any, str, datetime], tuple[ScanReport, tuple[Skipped, ...]]]
VexReader = Callable[[Any, str, datetime], tuple[VexDocument, tuple[Skipped, ...]]]

SCANS: Mapping[Kind, ScanReader] = {
    Kind.GRYPE: read_grype,
    Kind.TRIVY: read_trivy,
    Kind.SARIF: read_sarif,
    Kind.CYCLONEDX_VDR: read_vdr,
}
"""What reports vulnerabilities of a device."""

VEX: Mapping[Kind, VexReader] = {
    Kind.CSAF_VEX: read_csaf_vex,
    Kind.OPENVEX: read_openvex,
    Kind.CYCLONEDX_VEX: read_cyclonedx_vex,
    Kind.CYCLONEDX_VDR: read_cyclonedx_vex,
}
"""What states whether a product has them; a VDR may do both."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a file.

    Attributes
    ----------
    report, statements
        None where files of this kind hold none.
    skipped
        What of it could not be read.
    """

    kind: Kind
    report: ScanReport | None
    statements: VexDocument | None
    skipped: tuple[Skipped, ...]


def read_contents(data: bytes, origin: str, received: datetime) -> Contents:
    """Read a scan report or a VEX document of any known format.

    Parameters
    ----------
    data
        Content of the file, unpacked.
    received
        Stands in for its time where the file does not say it; aware.

    Raises
    ------
    InputError
        If it is damaged, or neither of the two.
    """
    document = parse_document(data, origin)
    kind = recognise(document)
    if kind is Kind.UNKNOWN and isinstance(document, dict) and "matches" in document:
        kind = Kind.GRYPE  # its reader says best what is missing
    if kind not in SCANS and kind not in VEX:
        found = "not a kind of file that is understood" if kind is Kind.UNKNOWN else f"a {kind} file, no scan report"
        understood = ", ".join(dict.fromkeys([*SCANS, *VEX]))
        raise InputError(origin, "", found, f"understood as scan reports and VEX are: {understood}")
    report, missed = SCANS[kind](document, origin, received) if kind in SCANS else (None, ())
    statements, unstated = VEX[kind](document, origin, received) if kind in VEX else (None, ())
    if statements is not None and not statements.statements:
        statements = None
    return Contents(kind, report, statements, tuple(dict.fromkeys((*missed, *unstated))))


def parse_document(data: bytes, origin: str) -> Any:
    """JSON as it is, CycloneDX XML in the form of its JSON.

    Raises
    ------
    InputError
        If it is neither.
    """
    xml = data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")
    return cyclonedx_xml_to_mapping(data, origin) if xml else parse_json(data, origin)
