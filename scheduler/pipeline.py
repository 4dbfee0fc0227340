"""The road: feeds and scans -> store -> case -> analyzers -> findings -> store -> sinks."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.inventory import Inventory, read_inventory
from meddojo.config import Config
from meddojo.device import Device
from meddojo.errors import ConfigError, MeddojoError
from meddojo.finding import Finding
from meddojo.interface import RunContext, Skipped, StreamResult
from meddojo.severity import Severity
from meddojo.store import Store
from meddojo.store.findings import Change
from scheduler.casework import Judgement, judge_all, stored_results
from scheduler.console import Console
from scheduler.delivery import Deliveries, active_sinks, deliver, listen
from scheduler.gate import ExitCode, exit_code, tripping
from scheduler.intake import import_file, pull_feeds, read_evidence, without_origin


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended, for the summary, ``--json`` and the exit code."""

    started: datetime
    finished: datetime
    devices: int
    results: tuple[StreamResult, ...]
    change: Change
    skipped: tuple[Skipped, ...]
    doubts: tuple[str, ...]
    deliveries: Deliveries
    decisions: int
    tripped: tuple[Finding, ...]
    code: ExitCode

    @property
    def answered(self) -> int:
        """Findings that are no work, because somebody states (VEX) that the device is not affected or fixed."""
        return sum(len(result.suppressed) for result in self.results)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All present findings."""
        return tuple(finding for result in self.results for finding in result.findings)

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        findings = self.findings
        return {
            "started": self.started.isoformat(),
            "finished": self.finished.isoformat(),
            "exit_code": int(self.code),
            "devices": self.devices,
            "devices_with_findings": len({finding.device_id for finding in findings}),
            "findings": len(findings),
            "by_severity": {severity.value: count for severity, count in count_by_severity(findings).items()},
            "needs_review": sum(finding.needs_review for finding in findings),
            "known_exploited": sum(finding.kev is not None for finding in findings),
            "decided": self.decisions,
            "answered": self.answered,
            "changes": asdict(self.change),
            "deliveries": [
                {key: value for key, value in asdict(delivery).items() if key != "problems"}
                for delivery in self.deliveries.done
            ],
            "skipped": [asdict(each) for each in self.skipped],
            "undelivered": [asdict(each) for each in self.deliveries.problems],
            "doubts": list(self.doubts),
            "gate": [finding.identity for finding in self.tripped],
        }


def count_by_severity(findings: Sequence[Finding]) -> Mapping[Severity, int]:
    """Number of findings of each severity, the worst first."""
    counts = Counter(finding.severity for finding in findings)
    return {severity: counts[severity] for severity in reversed(Severity)}


def run(
    config: Config,
    store: Store,
    console: Console,
    *,
    pull: bool = True,
    accept_shrink: bool = False,
    unread: Sequence[Skipped] = (),
) -> Outcome:
    """Walk the whole road once.

    Parameters
    ----------
    pull
        False judges what the store holds, without asking the feeds.
    accept_shrink
        Take shrunken streams for true, and close what is gone.
    unread
        What an import just before could not take in, for the report and the exit code.

    Raises
    ------
    ConfigError
        If the inventory, a feed or a sink is configured wrongly.
    TransientError
        If another run is under way.
    """
    with store.lock("run"):
        started = datetime.now(UTC)
        store.findings.begin_run(started)
        inventory = _inventory(config, console)
        skipped = [*unread, *inventory.skipped]
        failed_feeds: tuple[str, ...] = ()
        if pull:
            feeds = pull_feeds(config, store, console)
            skipped += feeds.skipped
            failed_feeds = feeds.failed_feeds
        evidence = read_evidence(config, inventory.devices, store, console)
        skipped += evidence.skipped
        if not any(state.records for state in store.records.states()) and not config.scans:
            skipped.append(Skipped("feeds", "no feed has any record yet: nothing was compared with the inventory"))
        general = f"feeds that could not be read: {', '.join(failed_feeds)}" if failed_feeds else ""
        sinks = active_sinks(config, store)
        deaf = listen(sinks, inventory.devices, store, console)
        judgement = judge_all(
            config,
            inventory.devices,
            store,
            console,
            now=started,
            doubts=evidence.doubtful_devices,
            general_doubt=general,
            accept_shrink=accept_shrink,
        )
        skipped += (*judgement.skipped, *deaf)
        context = RunContext(started, store.records.states(), tuple(skipped), store.findings.decisions())
        deliveries = deliver(sinks, judgement.results, context, console)
        return _finish(config, store, inventory.devices, judgement, tuple(skipped), deliveries, started)


def pull(config: Config, store: Store, console: Console, names: Sequence[str]) -> bool:
    """Update the feeds called `names`, or all that are enabled.

    Returns
    -------
    bool
        True if all of them could be read, and nothing in them was skipped.

    Raises
    ------
    ConfigError
        If one of the names is not a configured feed, or a feed is configured wrongly.
    TransientError
        If another run is under way.
    """
    for name in names:
        if name not in config.feeds:
            near = difflib.get_close_matches(name, config.feeds, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"configured are: {', '.join(config.feeds) or 'none'}"
            raise ConfigError(f"no feed is called {name!r}", hint)
    chosen = {name: config.feeds[name].model_copy(update={"enabled": True}) for name in names} or config.feeds
    with store.lock("run"):
        return not pull_feeds(config.model_copy(update={"feeds": chosen}), store, console).skipped


def push(config: Config, store: Store, console: Console) -> Outcome:
    """Deliver what the store holds, as it was judged in the last run.

    Raises
    ------
    ConfigError
        If the inventory or a sink is configured wrongly.
    TransientError
        If another run is under way.
    """
    with store.lock("run"):
        started = datetime.now(UTC)
        devices = _inventory(config, console).devices
        results = tuple(result for device in devices for result in stored_results(device, store))
        sinks = active_sinks(config, store)
        deaf = listen(sinks, devices, store, console)
        context = RunContext(started, store.records.states(), deaf, store.findings.decisions())
        deliveries = deliver(sinks, results, context, console)
        return _finish(config, store, devices, Judgement(results, Change(), ()), deaf, deliveries, started)


def import_files(config: Config, store: Store, console: Console, files: Sequence[Path], device: str) -> list[Skipped]:
    """Take files in by hand; what cannot be read is returned, the rest is kept.

    Raises
    ------
    ConfigError
        If `device` is not in the inventory.
    """
    with store.lock("run"):
        chosen = find_device(_inventory(config, console).devices, device) if device else None
        problems: list[Skipped] = []
        for file in files:
            try:
                changed, skipped = import_file(file, chosen, store, console, config)
            except ConfigError:
                raise
            except MeddojoError as error:
                console.error(str(error))
                problems.append(without_origin(str(file), error))
            else:
                problems += skipped
                console.say(f"{file}: {changed:,} new or changed")
        return problems


def find_device(devices: Sequence[Device], name: str) -> Device:
    """A device by its id, or by vendor and model where only one is called so.

    Raises
    ------
    ConfigError
        If there is none, or more than one.
    """
    by_id = {device.id: device for device in devices}
    if name in by_id:
        return by_id[name]
    alike = [device for device in devices if name.casefold() in (device.label.casefold(), device.model.casefold())]
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise ConfigError(f"several devices are called {name!r}", f"use an id: {', '.join(each.id for each in alike)}")
    near = difflib.get_close_matches(name, by_id, n=1)
    raise ConfigError(
        f"the inventory has no device {name!r}",
        f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(list(by_id)[:20])}",
    )


def _inventory(config: Config, console: Console) -> Inventory:
    inventory = read_inventory(Path(config.inventory.file))
    for note in inventory.notes:
        console.detail(note)
    for miss in inventory.skipped:
        console.warn(f"inventory: skipped {miss.origin}: {miss.reason}")
    return inventory


def _finish(
    config: Config,
    store: Store,
    devices: Sequence[Device],
    judgement: Judgement,
    skipped: tuple[Skipped, ...],
    deliveries: Deliveries,
    started: datetime,
) -> Outcome:
    decisions = store.findings.decisions()
    tripped = tripping(judgement.results, decisions, config.delivery.fail_on)
    doubts = tuple(
        f"{result.device.id} ({result.stream}): {result.doubt}" for result in judgement.results if result.doubt
    )
    present = {finding.identity for result in judgement.results for finding in result.findings}
    code = exit_code(
        undelivered=bool(deliveries.failed),
        tripped=bool(tripped),
        incomplete=bool(skipped or doubts or deliveries.problems),
    )
    outcome = Outcome(
        started,
        datetime.now(UTC),
        len(devices),
        judgement.results,
        judgement.change,
        skipped,
        doubts,
        deliveries,
        sum(decision.identity in present for decision in decisions),
        tripped,
        code,
    )
    store.findings.end_run(started, outcome.finished, int(code), json.dumps(outcome.as_dict() | {"gate": len(tripped)}))
    return outcome
