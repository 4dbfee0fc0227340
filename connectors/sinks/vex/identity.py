"""Identifiers that formats are strict about."""

from __future__ import annotations


def canonical_purl(text: str) -> str:
    """A package URL in its canonical, escaped form; empty for anything that is none."""
    from packageurl import PackageURL

    try:
        return PackageURL.from_string(text).to_string() if text else ""
    except ValueError:
        return ""
