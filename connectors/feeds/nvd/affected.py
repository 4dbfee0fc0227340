"""Products named by the assigner of a CVE (``affected``; CVE record format 5, ``versions``), as range texts."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.json_object import JsonObject
from meddojo.advisory import AffectedProduct, VersionKind

_NOT_NAMED = frozenset({"", "n/a", "na", "-", "unknown", "unspecified", "not applicable"})
_FROM_THE_START = frozenset({"", "0", "*", "n/a", "unspecified", "-"})
_NO_END = frozenset({"", "*"})


def parse_affected(record: JsonObject) -> Iterator[AffectedProduct]:
    """One product for each affected version or range.

    A range is written ``>= 1.0 | < 2.0``: all constraints hold. Entries without a product name say nothing
    and are left out; a product whose versions are not stated has an empty `version_text`.
    """
    for block_number, block in enumerate(record.objects("affected")):
        for number, entry in enumerate(block.objects("affectedData")):
            product = entry.text("product").strip() or entry.text("packageName").strip()
            if product.lower() in _NOT_NAMED:
                continue
            vendor = entry.text("vendor").strip()
            for version_number, (text, kind) in enumerate(_version_texts(entry)):
                yield AffectedProduct(
                    product_id=f"{block_number}.{number}.{version_number}",
                    vendor="" if vendor.lower() in _NOT_NAMED else vendor,
                    product=product,
                    version_text=text,
                    version_kind=kind,
                    cpe=next(iter(entry.texts("cpes")), ""),
                    purl=entry.text("packageURL").strip(),
                )


def _version_texts(entry: JsonObject) -> list[tuple[str, VersionKind]]:
    versions = list(entry.objects("versions"))
    found = [text for version in versions for text in _intervals(version)]
    if found:
        return list(dict.fromkeys(found))
    if entry.text("defaultStatus") == "affected" or not versions:
        # Affected except for what is listed: said exactly where that is "from here on", else left open.
        ends = [version for version in versions if _is_open_end(version)]
        if len(versions) == 1 and ends:
            return [(f"< {ends[0].text('version').strip()}", VersionKind.RANGE)]
        return [("", VersionKind.UNSTATED)]
    return []


def _is_open_end(version: JsonObject) -> bool:
    bounds = version.text("lessThan").strip(), version.text("lessThanOrEqual").strip()
    return "*" in bounds and version.text("version").strip() not in _FROM_THE_START


def _intervals(version: JsonObject) -> Iterator[tuple[str, VersionKind]]:
    """The affected parts of one entry, whose status may change on the way up (``changes``)."""
    name = version.text("version").strip()
    below = version.text("lessThan").strip()
    up_to = version.text("lessThanOrEqual").strip()
    affected = version.text("status") == "affected"
    if not below and not up_to:
        if affected:
            stated = name.lower() not in _NOT_NAMED
            yield (name, VersionKind.EXACT) if stated else ("", VersionKind.UNSTATED)
        return
    start = name
    for change in version.objects("changes"):
        at = change.text("at").strip()
        becomes_affected = change.text("status") == "affected"
        if affected and not becomes_affected and at:
            yield _range(start, f"< {at}")
        elif becomes_affected and not affected:
            start = at
        affected = becomes_affected
    if affected:
        yield _range(start, _upper_bound(below, up_to))


def _upper_bound(below: str, up_to: str) -> str:
    if below not in _NO_END:
        return f"< {below}"
    return f"<= {up_to}" if up_to not in _NO_END else ""


def _range(start: str, end: str) -> tuple[str, VersionKind]:
    lower = "" if start.lower() in _FROM_THE_START else f">= {start}"
    return " | ".join(filter(None, (lower, end))) or "*", VersionKind.RANGE
