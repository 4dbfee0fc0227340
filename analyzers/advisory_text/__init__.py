"""Advisories out of prose: what a vendor's bulletin says about products, versions and vulnerabilities."""

from __future__ import annotations

from analyzers.advisory_text.build import READ_FROM_TEXT, read_advisory
from analyzers.advisory_text.extraction import Extraction, extract

__all__ = ["READ_FROM_TEXT", "Extraction", "extract", "read_advisory"]
