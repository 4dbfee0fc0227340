"""Second stretch: the case of each device, judged by the analyzers in their fixed order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from analyzers.matching.index import device_keys, sbom_keys
from analyzers.vex import concerning, evidence_keys
from meddojo.case import Case
from meddojo.config import AnalyzerConfig, Config
from meddojo.device import Device
from meddojo.errors import ConfigError, MeddojoError
from meddojo.finding import Finding, Stream
from meddojo.interface import Analyzer, Skipped, StreamResult, load, plugins
from meddojo.store import Store
from meddojo.store.findings import Change, StreamState
from scheduler.console import Console

# match, narrowing -> enrich -> score -> scan; analyzers of third parties follow, by name.
ORDER = ("matching", "vex", "enrichment", "vuln_classifier")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of all cases."""

    results: tuple[StreamResult, ...]
    change: Change
    skipped: tuple[Skipped, ...]


def analyzers(config: AnalyzerConfig) -> tuple[Analyzer, ...]:
    """Every analyzer that is installed and not disabled, in the order they judge.

    Raises
    ------
    ConfigError
        If a disabled analyzer does not exist.
    """
    known = list(plugins("meddojo.analyzers"))
    for name in config.disabled:
        if name not in known:
            raise ConfigError(f"analyzers.disabled names {name!r}", f"installed are: {', '.join(known)}")
    ordered = [name for name in ORDER if name in known] + [name for name in known if name not in ORDER]
    return tuple(load("meddojo.analyzers", name)(config) for name in ordered if name not in config.disabled)


def build_case(device: Device, store: Store, as_of: datetime) -> Case:
    """Gather everything the store holds that may concern `device`."""
    keys = device_keys(device)
    sbom = store.evidence.sbom(device.id)
    scans = store.evidence.scans(device.id)
    advisories = store.records.advisories_naming(keys)
    nominated = store.records.vulnerabilities_naming(keys | sbom_keys(sbom) if sbom else keys)
    mentioned = {each.id for advisory in advisories for each in advisory.vulnerabilities}
    found = [match.vulnerability for scan in scans for match in scan.matches]
    mentioned |= {name for vulnerability in found for name in (vulnerability.id, *vulnerability.aliases)}
    records = {(item.source, item.id): item for item in nominated}
    records |= {(item.source, item.id): item for item in store.records.vulnerabilities_called(mentioned)}
    stated_about = evidence_keys(device, sbom, scans)
    cves = sorted(mentioned | {item.id for item in nominated})
    threats, relations = store.threats.concerning(device, cves)
    return Case(
        device=device,
        as_of=as_of,
        sbom=sbom,
        scans=scans,
        advisories=advisories,
        vulnerabilities=tuple(records.values()),
        kev=store.records.kev(cves),
        epss=store.records.epss(cves, as_of.date()),
        known_as=store.findings.known_as(device.id),
        decisions=store.findings.decisions(device.id),
        threats=threats,
        threat_relations=relations,
        vex=concerning(store.vex.statements(device, stated_about), stated_about),
    )


def judge(case: Case, steps: Iterable[Analyzer]) -> tuple[Finding, ...]:
    """Let every analyzer judge the case in turn.

    Raises
    ------
    MeddojoError
        If one of them fails, whoever wrote it.
    """
    findings: Sequence[Finding] = ()
    for analyzer in steps:
        try:
            findings = analyzer.judge(case, findings)
        except MeddojoError:
            raise
        except Exception as error:
            # A plugin's fault must not cost the other devices their night.
            raise MeddojoError(
                f"the analyzer {analyzer.name!r} failed with {type(error).__name__}: {error}",
                "report it to its authors, or name it in analyzers.disabled",
            ) from error
    return tuple(findings)


def judge_all(
    config: Config,
    devices: Sequence[Device],
    store: Store,
    console: Console,
    *,
    now: datetime,
    doubts: Mapping[str, str],
    general_doubt: str,
    accept_shrink: bool,
) -> Judgement:
    """Judge every device and keep its findings.

    Parameters
    ----------
    doubts
        Device id -> why its evidence of tonight is not all there.
    general_doubt
        The same for all devices: a feed that failed.
    accept_shrink
        Take shrunken streams for true.
    """
    steps = analyzers(config.analyzers)
    results: list[StreamResult] = []
    skipped: list[Skipped] = []
    change = Change()
    with console.track("judging", len(devices)) as advance:
        for device in devices:
            try:
                findings = judge(build_case(device, store, now), steps)
            except MeddojoError as error:
                console.warn(f"{device.id}: {error.message}; its findings stay as they were")
                skipped.append(Skipped(device.id, error.message))
                results += stored_results(device, store, "it could not be judged")
                continue
            before = store.findings.stream_states(device.id)
            limit = 1.0 if accept_shrink else config.delivery.shrink_limit
            given = "; ".join(filter(None, (doubts.get(device.id, ""), general_doubt)))
            states = {
                stream: _state(device, len(_of(findings, stream)), before.get(stream), given, limit)
                for stream in _streams(findings, before)
            }
            change += store.findings.replace(device.id, findings, states, now)
            results += _results(device, findings, states)
            advance(device.id)
    return Judgement(tuple(results), change, tuple(skipped))


def stored_results(device: Device, store: Store, doubt: str = "") -> list[StreamResult]:
    """The device's findings as the store has them from the last run."""
    states = {
        stream: StreamState(state.trusted_findings, state.trusted_version, doubt or state.doubt)
        for stream, state in store.findings.stream_states(device.id).items()
    }
    return _results(device, store.findings.of_device(device.id), states)


def _state(device: Device, count: int, before: StreamState | None, doubt: str, limit: float) -> StreamState:
    """How the stream stands with `count` findings, those counted too that a statement (VEX) has answered.

    A stream that lost more than `limit` of what it had is doubted, unless the device itself was updated since.
    """
    if before is None:
        return StreamState(count, device.version, doubt)
    if not doubt and before.trusted_version == device.version and count < before.trusted_findings * (1.0 - limit):
        doubt = (
            f"{before.trusted_findings} findings before, {count} now; if that is right, run again with --accept-shrink"
        )
    return (
        StreamState(before.trusted_findings, before.trusted_version, doubt)
        if doubt
        else StreamState(count, device.version)
    )


def _streams(findings: Iterable[Finding], before: Mapping[Stream, StreamState]) -> list[Stream]:
    seen = {finding.stream for finding in findings} | set(before) | {Stream.VULNERABILITIES}
    return [stream for stream in Stream if stream in seen]


def _results(device: Device, findings: Sequence[Finding], states: Mapping[Stream, StreamState]) -> list[StreamResult]:
    return [
        StreamResult(
            device,
            stream,
            tuple(finding for finding in _of(findings, stream) if not finding.suppressed),
            not state.doubt,
            state.doubt,
            tuple(finding for finding in _of(findings, stream) if finding.suppressed),
        )
        for stream, state in states.items()
    ]


def _of(findings: Iterable[Finding], stream: Stream) -> tuple[Finding, ...]:
    return tuple(finding for finding in findings if finding.stream is stream)
