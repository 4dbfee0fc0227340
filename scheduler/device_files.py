"""Files about devices: which file belongs to which device, and VEX on its way into the store."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from analyzers.vex import bind, document_keys
from meddojo.config import ScanConfig
from meddojo.device import Device
from meddojo.errors import ConfigError, InputError
from meddojo.interface import Skipped
from meddojo.store import Store
from meddojo.vex import VexDocument

PLACEHOLDER = "{device}"
_NAMED_STRANGERS = 5


def files_by_device(
    scans: Iterable[ScanConfig], known: Mapping[str, Device]
) -> tuple[Mapping[str, tuple[str, ...]], tuple[Skipped, ...]]:
    """Which configured files belong to which device.

    Returns
    -------
    tuple
        Device id -> paths, and what to tell: a folder that cannot be read, or files that name no known device.

    Raises
    ------
    ConfigError
        If a device is named that the inventory does not know.
    """
    grouped: dict[str, list[str]] = {}
    told: list[Skipped] = []
    for scan in scans:
        if scan.folder:
            found, strangers = _files_in(scan, known)
            told += strangers
        else:
            found = [(_known(scan.device, known), scan.file)]
        for device_id, path in found:
            grouped.setdefault(device_id, []).append(path)
    return {device_id: tuple(dict.fromkeys(paths)) for device_id, paths in grouped.items()}, tuple(told)


def _known(name: str, known: Mapping[str, Device]) -> str:
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "use the id of a device of the inventory"
        raise ConfigError(f"[[scans]] names the device {name!r}, which the inventory does not know", hint)
    return name


def _files_in(scan: ScanConfig, known: Mapping[str, Device]) -> tuple[list[tuple[str, str]], list[Skipped]]:
    folder = Path(scan.folder)
    if not folder.is_dir():
        return [], [Skipped(scan.folder, "no such folder; let the scanner write its reports there")]
    shape, named = _shape(scan.pattern), _shape(scan.pattern, known)
    found: list[tuple[str, str]] = []
    strangers: list[str] = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_file() or not shape.fullmatch(name):
            continue
        match = named.fullmatch(name)
        if match:
            found.append((match["device"], str(path)))
        else:
            strangers.append(name)
    if not strangers:
        return found, []
    more = f" and {len(strangers) - _NAMED_STRANGERS:,} more" if len(strangers) > _NAMED_STRANGERS else ""
    names = ", ".join(strangers[:_NAMED_STRANGERS]) + more
    told = f"{len(strangers):,} of {len(strangers) + len(found):,} files match no device of the inventory: {names}"
    return found, [Skipped(scan.folder, told)]


def _shape(pattern: str, known: Mapping[str, Device] | None = None) -> re.Pattern[str]:
    """The pattern as a regular expression, for any device or for those of the inventory, the longest id first."""
    longest_first = sorted(known or (), key=lambda name: (-len(name), name))
    device = "|".join(map(re.escape, longest_first)) if known is not None else "[^/]+?"
    wildcards = {PLACEHOLDER: f"(?P<device>{device or '(?!)'})", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\{device\}|\*|\?)", pattern)
    return re.compile("".join(wildcards.get(part, re.escape(part)) for part in parts))


def keep_vex(document: VexDocument, device: Device | None, origin: str, store: Store, now: datetime) -> int:
    """Keep a VEX document, about the device a person named or about whatever its products are.

    Returns
    -------
    int
        How many statements are new; 0 when the document is there already, or a newer version of it.

    Raises
    ------
    InputError
        If it cannot be told which of its products the named device is.
    """
    if device is not None:
        sbom, scans = store.evidence.sbom(device.id), store.evidence.scans(device.id)
        document = bind(document, device, sbom, scans, origin)
        if not document.statements:
            raise InputError(origin, "", f"states nothing about {device.label}", "is it the right device?")
    return len(document.statements) if store.vex.keep(document, document_keys, now) else 0
