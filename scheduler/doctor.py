"""``meddojo doctor``: does everything a run needs work, and if not, what is to be done."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from meddojo.config import Config, FeedConfig, JobConfig
from meddojo.errors import ConfigError, MeddojoError
from meddojo.interface import Checkpoint, Skipped, load, plugins

if TYPE_CHECKING:
    from connectors.sinks.defectdojo.client import DefectDojoClient

_TRIED_RECORDS = 3


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes
    ----------
    hint
        What to do, if it does not work.
    """

    name: str
    works: bool
    found: str
    hint: str = ""


def checks(config: Config) -> Iterator[Check]:
    """Look at everything in turn; none of the checks changes anything but an empty store."""
    from connectors.inventory import read_inventory

    def inventory() -> str:
        read = read_inventory(Path(config.inventory.file))
        return f"{len(read.devices):,} devices" + (f", {len(read.skipped)} rows skipped" if read.skipped else "")

    yield _try("inventory", inventory)
    yield _try("store", lambda: _store(config))
    yield _try("report", lambda: _writable(Path(config.report.directory)))
    for group in ("feeds", "analyzers", "sinks"):
        names = plugins(f"meddojo.{group}")
        yield Check(group, bool(names), ", ".join(names) or "none installed", "install the meddojo package again")
    if not config.feeds:
        yield Check("feeds", False, "none is configured", "add [feeds.csaf] to meddojo.toml, see: meddojo init")
    for name, section in config.feeds.items():
        if section.enabled:
            yield _try(f"feed {name}", lambda name=name, section=section: _feed(name, section))  # type: ignore[misc]
    for scan in config.scans:
        name = f"scan of {scan.device}" if scan.device else f"scans {scan.pattern}"
        exists = Path(scan.file).is_file() if scan.device else Path(scan.folder).is_dir()
        hint = f"no such {'file' if scan.device else 'folder'}: let the scanner write it there"
        yield Check(name, exists, scan.file or scan.folder, hint)
    for job in config.jobs:
        yield _try(f"job {job.name}", lambda job=job: _job(job))  # type: ignore[misc]
    yield from _defectdojo(config)


def _try(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except MeddojoError as error:
        return Check(name, False, error.message, error.hint)


def _store(config: Config) -> str:
    from meddojo.store import Store

    with Store(config.store.url) as store:
        runs = store.findings.runs(1)
    return f"opened; last run {runs[0].started:%Y-%m-%d %H:%M} UTC" if runs else "opened; no run yet"


def _job(job: JobConfig) -> str:
    from datetime import UTC, datetime

    from scheduler.cron import next_due, parse_cron

    due = next_due(parse_cron(job.cron), datetime.now(UTC))
    if due is None:
        raise ConfigError(f"{job.cron!r} is never due", "correct its cron expression")
    return f"`meddojo {job.action}` next at {due:%Y-%m-%d %H:%M} UTC, if `meddojo schedule` runs"


def _writable(folder: Path) -> str:
    parent = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if not os.access(parent, os.W_OK):
        raise MeddojoError(f"{parent} is not writable", "change report.directory or its permissions")
    return str(folder)


def _feed(name: str, section: FeedConfig) -> str:
    impatient = section.model_copy(update={"network": section.network.model_copy(update={"attempts": 1})})
    feed = load("meddojo.feeds", section.type or name)(impatient)
    records = [item for item in islice(feed.update(None), _TRIED_RECORDS) if not isinstance(item, Checkpoint)]
    if records and all(isinstance(item, Skipped) for item in records):
        raise MeddojoError(f"its first records cannot be read: {records[0].reason}", "look at the source")
    return f"readable ({section.source or 'the publisher'})"


def _defectdojo(config: Config) -> Iterator[Check]:
    if not config.defectdojo.url:
        yield Check("DefectDojo", True, "not configured; findings go to the local report only")
        return
    try:
        client = _client(config)
        user = client.user_id()
    except MeddojoError as error:
        yield Check("DefectDojo", False, error.message, error.hint)
        return
    yield Check("DefectDojo", True, f"{client.url}, the token belongs to user {user}")
    yield _try("DefectDojo rights", lambda: _rights(client, config))
    yield _try("DefectDojo dedupe", lambda: _policy(client))


def _client(config: Config) -> DefectDojoClient:
    from connectors.sinks.defectdojo.client import DefectDojoClient

    impatient = config.network.model_copy(update={"attempts": 1})
    return DefectDojoClient(config.defectdojo.model_copy(update={"network": impatient}))


def _rights(client: DefectDojoClient, config: Config) -> str:
    kind = config.defectdojo.product_type
    if client.sees_product_type():
        return f"sees the product type {kind!r}"
    return f"the product type {kind!r} does not exist yet or is not visible; creating it takes a staff user"


def _policy(client: DefectDojoClient) -> str:
    kind = client.test_type_id()
    test = next(client.tests(test_type=kind), None) if kind is not None else None
    if test is None:
        return "known after the first push"
    hashed = ", ".join(sorted(test.policy.hashed)) or "nothing"
    return f"{test.policy.algorithm}; the server recognises a finding by {hashed}"
