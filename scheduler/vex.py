"""Our own VEX: from the store to a document."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from connectors.inventory import read_inventory
from connectors.sinks.vex import FORMATS, Outgoing, Triage, triage
from connectors.sinks.vex.triage import content
from meddojo.config import Config, VexConfig
from meddojo.device import Device
from meddojo.errors import ConfigError, InputError
from meddojo.store import Store
from scheduler.console import Console
from scheduler.pipeline import find_device


def write_vex(config: Config, store: Store, console: Console, device_name: str, form: str) -> str:
    """The VEX of one device as text; a new version of it only if it says something else than before.

    Raises
    ------
    ConfigError
        If the format or device is unknown, or ``[vex]`` does not say who speaks.
    InputError
        If there is nothing to state.
    """
    if form not in FORMATS:
        near = difflib.get_close_matches(form, FORMATS, n=1)
        raise ConfigError(
            f"--format {form!r} is not known",
            f"did you mean {near[0]}?" if near else f"use one of {', '.join(FORMATS)}",
        )
    _check(config.vex)
    device = find_device(read_inventory(Path(config.inventory.file)).devices, device_name)
    now = datetime.now(UTC)
    found = triage(
        store.findings.of_device(device.id),
        store.findings.decisions(device.id),
        store.findings.first_seen(device.id),
        now,
    )
    if not found.entries:
        raise InputError(device.id, "", "there is no vulnerability to state anything about", "run first: meddojo run")
    _tell(found, console)
    document = FORMATS[form](_outgoing(config.vex, store, device, found, now))
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def save(text: str, path: Path) -> None:
    """Write a document, whole or not at all.

    Raises
    ------
    ConfigError
        If the file cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, "utf-8")
        part.replace(path)
    except OSError as error:
        raise ConfigError(f"--output {path}: {error.strerror}", "check the path and its permissions") from None


def _outgoing(config: VexConfig, store: Store, device: Device, found: Triage, now: datetime) -> Outgoing:
    said = content(device, found.entries, config.author, config.namespace)
    counts = Counter(entry.status.value.replace("_", " ") for entry in found.entries)
    summary = ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
    dated = max(entry.dated for entry in found.entries)
    with store.lock("vex"):
        issues = store.vex.issue(device.id, said, dated, now, summary)
    return Outgoing(device, found.entries, config.author, config.namespace, config.role, config.tlp, issues)


def _check(config: VexConfig) -> None:
    if not config.author.strip() or not config.namespace.strip():
        missing = "vex.author" if not config.author.strip() else "vex.namespace"
        raise ConfigError(
            f"{missing} is not set: a VEX document names who speaks",
            'write into meddojo.toml: [vex] author = "…" and namespace = "https://…"',
        )
    parts = urlsplit(config.namespace)
    if parts.scheme not in ("http", "https") or not parts.netloc or any(sign.isspace() for sign in config.namespace):
        raise ConfigError(f"vex.namespace {config.namespace!r} is not a web address", "write https://example.org")


def _tell(found: Triage, console: Console) -> None:
    counts = Counter(entry.status.value.replace("_", " ") for entry in found.entries)
    console.say(", ".join(f"{number:,} {status}" for status, number in sorted(counts.items())))
    if found.unstated:
        console.say(
            f"nothing is stated about {found.unstated:,} findings: out of scope, to be reviewed, or answered by others"
        )
