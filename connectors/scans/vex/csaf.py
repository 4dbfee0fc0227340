"""CSAF 2.0 with the profile ``csaf_vex`` (OASIS CSAF 2.0, section 4.5)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from connectors.feeds.csaf.document import parse_document
from meddojo.interface import Skipped
from meddojo.vex import VexDocument, statements_of

FORMAT = "CSAF VEX"


def read_csaf_vex(document: Any, origin: str, received: datetime) -> tuple[VexDocument, tuple[Skipped, ...]]:
    """Read one document; CSAF always says when it was released, so `received` is not needed.

    Raises
    ------
    InputError
        As `parse_document`.
    """
    advisory = parse_document(document, origin)
    author = advisory.publisher or advisory.namespace
    statements = tuple(statements_of(advisory))
    return VexDocument(FORMAT, advisory.id, author, advisory.revision, advisory.updated, statements), ()
