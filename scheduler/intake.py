"""First stretch of the road: feeds, SBOMs and scan reports into the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from analyzers.advisory_text import Extraction, extract, read_advisory
from analyzers.advisory_text.suggestions import LONGEST_TEXT, ORDER, add_suggestions, schema
from analyzers.matching.index import INDEX_VERSION, advisory_keys, vulnerability_keys
from connectors.feeds.source import documents
from connectors.llm import ask
from connectors.reading import read_bytes
from connectors.scans.bulletin import read_bulletin
from connectors.scans.detect import Kind, detect, recognise
from connectors.scans.readers import SCANS, VEX, read_contents
from connectors.scans.sbom import read_sbom
from connectors.zipped import is_archive
from meddojo.advisory import Advisory
from meddojo.bulletin import Bulletin
from meddojo.config import Config, FeedConfig
from meddojo.device import Device
from meddojo.errors import ConfigError, InputError, MeddojoError
from meddojo.interface import Checkpoint, Feed, Record, Skipped, load
from meddojo.sbom import Sbom, ScanReport
from meddojo.store import Store
from meddojo.store.records import unstorable
from meddojo.vex import read_device_urn
from meddojo.vulnerability import KevEntry, Vulnerability
from scheduler.console import Console
from scheduler.device_files import files_by_device, keep_vex
from scheduler.imaging_models import keep_files

# A CSAF document with the profile VEX is an advisory as well: what it says is affected may be one of our devices.
_FEEDS = {
    Kind.CSAF: "csaf",
    Kind.CSAF_VEX: "csaf",
    Kind.NVD: "nvd",
    Kind.KEV: "kev",
    Kind.EPSS: "epss",
    Kind.STIX: "taxii",
    Kind.OSV: "osv",
}
_BULLETINS = "bulletin"
"""Under what name the store keeps advisories that were read from texts."""
_SBOMS = (Kind.CYCLONEDX, Kind.SPDX, Kind.SYFT)
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
    feed: Feed = load("meddojo.feeds", section.type or name)(section)
    reading = take_in(name, section.source, feed.update(store.records.cursor(name)), store, console)
    if reading.problem:
        console.warn(f"{name}: {reading.problem}; what it said before stands")
    store.records.note_attempt(name, attempted, not reading.problem, reading.problem, len(reading.skipped))
    return reading


def take_in(
    name: str, source: str, items: Iterable[Record | Skipped | Checkpoint], store: Store, console: Console
) -> Reading:
    """Commit what a feed yields in batches; the cursor moves only after the records it stands for."""
    changed, read, problem = 0, 0, ""
    exploited: set[str] = set()
    skipped: list[Skipped] = []
    batch: list[Record] = []
    with console.track(f"{name}: reading") as advance:
        try:
            for item in _guarded(items):
                match item:
                    case Skipped():
                        skipped.append(item)
                    case Checkpoint(cursor, complete):
                        present = exploited if complete else None
                        changed += store.records.commit(name, batch, record_keys, cursor, present)
                        batch = []
                    case _ if reason := unstorable(item):
                        skipped.append(Skipped(source or name, reason))
                    case _:
                        batch.append(item)
                        if isinstance(item, KevEntry):
                            exploited.add(item.cve)
                        read += 1
                        advance(name)
                if len(batch) >= _BATCH:
                    changed += store.records.commit(name, batch, record_keys)
                    batch = []
        except MeddojoError as error:
            problem = error.message
        changed += store.records.commit(name, batch, record_keys)
    for miss in skipped[:_SHOWN_PROBLEMS]:
        console.warn(f"{name}: skipped {miss.origin}: {miss.reason}")
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
    """Bring SBOMs, configured scan reports and the state of imaging models of `devices` into the store.

    A bad one leaves its forerunner standing. A device with a file that cannot be read keeps all reports it had.
    """
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
                    console.detail(f"{miss.origin}: {miss.reason}")
            except MeddojoError as error:
                skipped.append(_missed(device, device.sbom_file, error, console))
                doubts[device.id] = f"its SBOM could not be read: {error.message}"
    files, strange = files_by_device(config.scans, by_id)
    for miss in strange:
        console.warn(f"{miss.origin}: {miss.reason}")
    skipped += strange
    for device_id, paths in files.items():
        reports = []
        for path in paths:
            try:
                contents = read_contents(read_bytes(Path(path)), path, _now())
                reports += [contents.report] if contents.report else []
                if contents.statements:
                    changed += keep_vex(contents.statements, by_id[device_id], path, store, _now())
                skipped += contents.skipped
            except MeddojoError as error:
                skipped.append(_missed(by_id[device_id], path, error, console))
                doubts[device_id] = f"its scan report could not be read: {error.message}"
        if device_id not in doubts:
            changed += sum(store.evidence.keep_scan(device_id, report, _now()) for report in combine(reports))
    for device in devices:
        if device.imaging_model:
            try:
                changed += keep_files(device, store)
            except MeddojoError as error:
                skipped.append(_missed(device, device.imaging_model, error, console))
                doubt = f"its imaging model could not be read: {error.message}"
                doubts[device.id] = "; ".join(filter(None, (doubts.get(device.id), doubt)))
    return Intake(changed, tuple(skipped), (), doubts)


def import_file(
    path: Path, device: Device | None, store: Store, console: Console, config: Config
) -> tuple[int, list[Skipped]]:
    """Take in one file by hand, whatever it is, or a folder or ZIP archive of advisories.

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
    if path.is_dir() or is_archive(path):
        return _import_folder(path, store, console)
    data = read_bytes(path)
    kind = detect(data, str(path))
    console.detail(f"{path}: {kind}")
    if device is None and (kind in SCANS or kind in _SBOMS):
        raise ConfigError(f"{path}: a {kind} file is about one device", "name it with --device")
    if kind is Kind.BULLETIN:
        return _import_bulletin(data, path, store, console, config)
    changed, missed = _import_feed(_FEEDS[kind], path, store, console) if kind in _FEEDS else (0, [])
    more: int = 0
    unread: list[Skipped] = []
    if kind in SCANS or kind in VEX:
        more, unread = _import_contents(data, str(path), device, store)
    elif kind in _SBOMS and device is not None:
        more, unread = keep_sbom(device, data, str(path), store)
    for miss in unread:
        console.warn(f"{miss.origin}: {miss.reason}")
    return changed + more, [*missed, *unread]


def _import_folder(path: Path, store: Store, console: Console) -> tuple[int, list[Skipped]]:
    """Take in a folder or archive of records of one kind, told by the first that can be read."""
    read = (item for item in documents(path) if not isinstance(item, Skipped))
    kind = next((found for _, document in read if (found := recognise(document)) in _FEEDS), None)
    if kind is None:
        understood = ", ".join(_FEEDS)
        raise InputError(str(path), "", "no record of a kind that is understood in it", f"understood are: {understood}")
    console.detail(f"{path}: {kind} records")
    return _import_feed(_FEEDS[kind], path, store, console)


def _import_feed(feed_name: str, path: Path, store: Store, console: Console) -> tuple[int, list[Skipped]]:
    feed: Feed = load("meddojo.feeds", feed_name)(FeedConfig(source=str(path)))
    # A file by hand says nothing about how far the feed itself has been read.
    items = (item for item in feed.update(None) if not isinstance(item, Checkpoint) and not _is_our_own(item))
    reading = take_in(feed_name, str(path), items, store, console)
    if reading.problem:
        raise MeddojoError(reading.problem, "correct the file and import it again")
    return reading.changed, list(reading.skipped)


def _import_bulletin(
    data: bytes, path: Path, store: Store, console: Console, config: Config
) -> tuple[int, list[Skipped]]:
    """Read the text of a bulletin as an advisory."""
    bulletin = read_bulletin(data, str(path))
    read = extract(bulletin.text)
    if config.advisory_text.llm_url:
        read = _with_suggestions(bulletin, read, config, console)
    advisory = read_advisory(bulletin, read, str(path), _now())
    reading = take_in(_BULLETINS, str(path), [advisory], store, console)
    return reading.changed, list(reading.skipped)


def _with_suggestions(bulletin: Bulletin, read: Extraction, config: Config, console: Console) -> Extraction:
    """Ask the language model that is configured; what goes wrong with it leaves the rules' reading as it is."""
    text = bulletin.text[:LONGEST_TEXT]
    try:
        answer = ask(config.advisory_text, config.network, ORDER, text, schema())
    except MeddojoError as error:
        console.warn(f"{error.message}; the bulletin is read without it")
        return read
    grounded = add_suggestions(bulletin.text, read, answer)
    if grounded.problem:
        console.warn(f"language model: {grounded.problem}; the bulletin is read without it")
    else:
        console.say(f"language model: {grounded.added} products added, {grounded.dropped} dropped as not in the text")
    return grounded.extraction


def _import_contents(data: bytes, origin: str, device: Device | None, store: Store) -> tuple[int, list[Skipped]]:
    """Keep the scan report and the statements of a file, and its components where it lists them all."""
    contents = read_contents(data, origin, _now())
    changed, missed = 0, list(contents.skipped)
    if device is not None and contents.report is not None:
        if contents.kind is Kind.CYCLONEDX_VDR and _lists_more_than(contents.report, read_sbom(data, origin)):
            changed, problems = keep_sbom(device, data, origin, store)
            missed += problems
        changed += store.evidence.keep_scan(device.id, contents.report, _now())
    if contents.statements is not None:
        changed += keep_vex(contents.statements, device, origin, store, _now())
    return changed, missed


def _is_our_own(item: Record | Skipped) -> bool:
    """Whether this is the VEX of one device of an inventory, which is no advisory about others of its model."""
    return isinstance(item, Advisory) and any(read_device_urn(product.product_id) for product in item.products)


def _lists_more_than(report: ScanReport, sbom: Sbom) -> bool:
    """Whether a document is a bill of materials, too: it lists components that no vulnerability affects."""
    affected = {sbom.root, *(match.component.ref for match in report.matches)}
    return any(component.ref not in affected for component in sbom.components)


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
        If it cannot be read, or lists no component but the device itself: a VEX is no SBOM, and must not replace one.
    """
    sbom = read_sbom(data, origin)
    if all(component.ref == sbom.root for component in sbom.components):
        raise InputError(origin, "", "lists no component", "a VEX or an empty SBOM says nothing about what is inside")
    changed = store.evidence.keep_sbom(device.id, sbom, _now())
    return int(changed), [Skipped(origin, problem) for problem in sbom.problems]


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


def _missed(device: Device, file: str, error: MeddojoError, console: Console) -> Skipped:
    console.warn(f"{device.id}: {error.message}; what was read before stands")
    return without_origin(file, error)


def without_origin(origin: str, error: MeddojoError) -> Skipped:
    """What an error took out; most of them begin with the file already."""
    return Skipped(origin, error.message.removeprefix(f"{origin}: "))


def _now() -> datetime:
    return datetime.now(UTC)
