"""First stretch of the road: feeds, SBOMs and scan reports into the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from analyzers.matching.index import INDEX_VERSION, advisory_keys, vulnerability_keys
from connectors.reading import parse_json, read_bytes
from connectors.scans.detect import Kind, detect
from connectors.scans.pms_scanner import read_grype
from connectors.scans.sbom import read_sbom
from meddojo.advisory import Advisory
from meddojo.config import Config, FeedConfig, ScanConfig
from meddojo.device import Device
from meddojo.errors import ConfigError, InputError, MeddojoError
from meddojo.interface import Checkpoint, Feed, Record, Skipped, load
from meddojo.sbom import ScanReport
from meddojo.store import Store
from meddojo.vulnerability import Vulnerability
from scheduler.console import Console

_BATCH = 1000
_SHOWN_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Intake:
    """What came in.

    Attributes
    ----------
    skipped
        Documents and records that could not be read.
    failed_feeds
        Feeds that broke off; what they said before stands.
    doubtful_devices
        Device id -> why its evidence of tonight is not all there.
    """

    changed: int
    skipped: tuple[Skipped, ...]
    failed_feeds: tuple[str, ...]
    doubtful_devices: Mapping[str, str]


def pull_feeds(config: Config, store: Store, console: Console) -> Intake:
    """Update every enabled feed; one that fails leaves the others alone."""
    if store.records.reindex(INDEX_VERSION, record_keys):
        console.detail("the matching index was rebuilt")
    changed = 0
    skipped: list[Skipped] = []
    failed: list[str] = []
    for name, section in config.feeds.items():
        if not section.enabled:
            continue
        reading = pull_feed(name, section, store, console)
        changed += reading.changed
        skipped += reading.skipped
        if reading.problem:
            failed.append(name)
            skipped.append(Skipped(f"feed {name}", reading.problem))
    return Intake(changed, tuple(skipped), tuple(failed), {})


@dataclass(frozen=True, slots=True)
class Reading:
    """What one feed or file gave.

    Attributes
    ----------
    changed
        Advisories and vulnerabilities that are new or other than before.
    problem
        Why it broke off; empty if it did not.
    """

    changed: int
    skipped: tuple[Skipped, ...]
    problem: str


def pull_feed(name: str, section: FeedConfig, store: Store, console: Console) -> Reading:
    """Update one feed from its cursor, and remember how that went."""
    attempted = datetime.now(UTC)
    feed: Feed = load("meddojo.feeds", name)(section)
    reading = take_in(name, feed.update(store.records.cursor(name)), store, console)
    if reading.problem:
        console.warn(f"{name}: {reading.problem}; what it said before stands")
    store.records.note_attempt(name, attempted, not reading.problem, reading.problem, len(reading.skipped))
    return reading


def take_in(name: str, items: Iterable[Record | Skipped | Checkpoint], store: Store, console: Console) -> Reading:
    """Commit what a feed yields in batches; the cursor moves only after the records it stands for."""
    changed, read, problem = 0, 0, ""
    skipped: list[Skipped] = []
    batch: list[Record] = []
    with console.track(f"{name}: reading") as advance:
        try:
            for item in _guarded(items):
                match item:
                    case Skipped():
                        skipped.append(item)
                    case Checkpoint(cursor):
                        changed += store.records.commit(name, batch, record_keys, cursor)
                        batch = []
                    case _:
                        batch.append(item)
                        read += 1
                        advance(name)
                if len(batch) >= _BATCH:
                    changed += store.records.commit(name, batch, record_keys)
                    batch = []
        except MeddojoError as error:
            problem = error.message
        changed += store.records.commit(name, batch, record_keys)
    for miss in skipped[:_SHOWN_PROBLEMS]:
        console.warn(f"{name}: skipped {miss.reason}")
    if len(skipped) > _SHOWN_PROBLEMS:
        console.warn(f"{name}: skipped {len(skipped) - _SHOWN_PROBLEMS} more")
    console.say(f"{name}: {read:,} records read" + (f", {len(skipped):,} skipped" if skipped else ""))
    return Reading(changed, tuple(skipped), problem)


def _guarded(items: Iterable[Record | Skipped | Checkpoint]) -> Iterator[Record | Skipped | Checkpoint]:
    """The items of a feed; what it raises by mistake counts as its failure, not as that of the run."""
    try:
        yield from items
    except MeddojoError:
        raise
    except Exception as error:
        raise MeddojoError(
            f"it failed with {type(error).__name__}: {error}", "report it to the feed's authors"
        ) from error


def read_evidence(config: Config, devices: Sequence[Device], store: Store, console: Console) -> Intake:
    """Bring SBOMs and configured scan reports of `devices` into the store; a bad one leaves its forerunner standing."""
    changed = 0
    skipped: list[Skipped] = []
    doubts: dict[str, str] = {}
    by_id = {device.id: device for device in devices}
    for device in devices:
        if device.sbom_file:
            try:
                more, missed = keep_sbom(device, read_bytes(Path(device.sbom_file)), device.sbom_file, store)
                changed += more
                for miss in missed:
                    console.detail(miss.reason)
            except MeddojoError as error:
                skipped.append(_missed(device, device.sbom_file, error, console))
                doubts[device.id] = f"its SBOM could not be read: {error.message}"
    for device_id, scans in _by_device(config.scans, by_id).items():
        reports = []
        for scan in scans:
            try:
                report, unread = read_scan(read_bytes(Path(scan.file)), scan.file)
                reports.append(report)
                skipped += unread
            except MeddojoError as error:
                skipped.append(_missed(by_id[device_id], scan.file, error, console))
                doubts[device_id] = f"its scan report could not be read: {error.message}"
        if device_id not in doubts:
            changed += sum(store.evidence.keep_scan(device_id, report, _now()) for report in combine(reports))
    return Intake(changed, tuple(skipped), (), doubts)


def import_file(path: Path, device: Device | None, store: Store, console: Console) -> tuple[int, list[Skipped]]:
    """Take in one file by hand, whatever it is.

    Returns
    -------
    tuple
        What is new or changed, and what was skipped in it.

    Raises
    ------
    InputError
        If the file cannot be read or is of no known kind.
    ConfigError
        If it is about one device and none is named.
    """
    data = read_bytes(path)
    kind = detect(data, str(path))
    console.detail(f"{path}: {kind}")
    if kind in (Kind.CSAF, Kind.NVD, Kind.KEV, Kind.EPSS):
        feed: Feed = load("meddojo.feeds", kind.value)(FeedConfig(source=str(path)))
        # A file by hand says nothing about how far the feed itself has been read.
        items = (item for item in feed.update(None) if not isinstance(item, Checkpoint))
        reading = take_in(kind.value, items, store, console)
        if reading.problem:
            raise MeddojoError(reading.problem, "correct the file and import it again")
        return reading.changed, list(reading.skipped)
    if device is None:
        raise ConfigError(f"{path}: a {kind} file is about one device", "name it with --device")
    if kind is Kind.GRYPE:
        report, missed = read_scan(data, str(path))
        return int(store.evidence.keep_scan(device.id, report, _now())), list(missed)
    return keep_sbom(device, data, str(path), store)


def record_keys(record: Advisory | Vulnerability) -> frozenset[str]:
    """Keys under which the matching index finds a record."""
    return advisory_keys(record) if isinstance(record, Advisory) else vulnerability_keys(record)


def keep_sbom(device: Device, data: bytes, origin: str, store: Store) -> tuple[int, list[Skipped]]:
    """Read an SBOM and make it the device's.

    Returns
    -------
    tuple
        1 if it is another than before, and what in it was not as it should be.

    Raises
    ------
    InputError
        If it cannot be read, or lists no component: a VEX is no SBOM, and must not replace one.
    """
    sbom = read_sbom(data, origin)
    if not sbom.components:
        raise InputError(origin, "", "lists no component", "a VEX or an empty SBOM says nothing about what is inside")
    changed = store.evidence.keep_sbom(device.id, sbom, _now())
    return int(changed), [Skipped(origin, f"{origin}: {problem}") for problem in sbom.problems]


def read_scan(data: bytes, origin: str) -> tuple[ScanReport, tuple[Skipped, ...]]:
    """Read a scan report."""
    return read_grype(parse_json(data, origin), origin, _now())


def combine(reports: Iterable[ScanReport]) -> tuple[ScanReport, ...]:
    """One report a scanner: several images of one device, scanned separately, count together."""
    combined: dict[str, ScanReport] = {}
    for report in reports:
        other = combined.get(report.scanner)
        if other:
            targets = ", ".join(sorted({other.target, report.target}))
            created = min(other.created, report.created)
            report = replace(report, matches=other.matches + report.matches, target=targets, created=created)
        combined[report.scanner] = report
    return tuple(combined.values())


def _by_device(scans: Iterable[ScanConfig], known: Mapping[str, Device]) -> dict[str, list[ScanConfig]]:
    import difflib

    grouped: dict[str, list[ScanConfig]] = {}
    for scan in scans:
        if scan.device not in known:
            near = difflib.get_close_matches(scan.device, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "use the id of a device of the inventory"
            raise ConfigError(f"[[scans]] names the device {scan.device!r}, which the inventory does not know", hint)
        grouped.setdefault(scan.device, []).append(scan)
    return grouped


def _missed(device: Device, file: str, error: MeddojoError, console: Console) -> Skipped:
    console.warn(f"{device.id}: {error.message}; what was read before stands")
    return Skipped(file, error.message)


def _now() -> datetime:
    return datetime.now(UTC)
