"""What people decided about the findings of a device, as VEX for others to read.

`triage` turns decisions into statements; each format writes the same `Outgoing`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectors.sinks.vex import csaf, cyclonedx, openvex
from connectors.sinks.vex.triage import Entry, Outgoing, Triage, triage

FORMATS: Mapping[str, Callable[[Outgoing], dict[str, Any]]] = {
    "csaf": csaf.document,
    "openvex": openvex.document,
    "cyclonedx": cyclonedx.document,
}
"""Name of the format -> what writes it as a JSON-serialisable object."""

__all__ = ["FORMATS", "Entry", "Outgoing", "Triage", "triage"]
