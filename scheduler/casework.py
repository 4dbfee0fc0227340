"""Second stretch: the case of each device, judged by the analyzers in their fixed order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from meddojo.config import Config
from meddojo.device import Device
from meddojo.finding import Finding, Stream
from meddojo.interface import Skipped, StreamResult
from meddojo.store import Store
from meddojo.store.findings import Change, StreamState
from scheduler.console import Console
from scheduler.engine import choose_engine
from scheduler.judging import analyzers

_DRAWN_FROM: Mapping[Stream, Stream] = {Stream.SUPPLY_CHAIN: Stream.VULNERABILITIES}
"""Streams that sum another one up: the one finding about a device's components goes when the last risk has gone."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of all cases."""

    results: tuple[StreamResult, ...]
    change: Change
    skipped: tuple[Skipped, ...]


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
    engine = choose_engine(config, len(devices), store, analyzers(config.analyzers), now)
    results: list[StreamResult] = []
    skipped: list[Skipped] = []
    change = Change()
    with console.track("judging", len(devices)) as advance:
        for device, findings in zip(devices, engine.judge(devices), strict=True):
            advance(device.id)
            if isinstance(findings, Skipped):
                console.warn(f"{device.id}: {findings.reason}; its findings stay as they were")
                skipped.append(findings)
                results += stored_results(device, store, "it could not be judged")
                continue
            before = store.findings.stream_states(device.id)
            limit = 1.0 if accept_shrink else config.delivery.shrink_limit
            given = "; ".join(filter(None, (doubts.get(device.id, ""), general_doubt)))
            states = _states(device, findings, before, given, limit)
            change += store.findings.replace(device.id, findings, states, now)
            results += _results(device, findings, states)
    return Judgement(tuple(results), change, tuple(skipped))


def stored_results(device: Device, store: Store, doubt: str = "") -> list[StreamResult]:
    """The device's findings as the store has them from the last run."""
    states = {
        stream: StreamState(state.trusted_findings, state.trusted_version, doubt or state.doubt)
        for stream, state in store.findings.stream_states(device.id).items()
    }
    return _results(device, store.findings.of_device(device.id), states)


def _states(
    device: Device, findings: Sequence[Finding], before: Mapping[Stream, StreamState], doubt: str, limit: float
) -> Mapping[Stream, StreamState]:
    """How each stream stands; one that is drawn from another may vanish with it, and is in doubt when that is."""
    states: dict[Stream, StreamState] = {}
    for stream in _streams(findings, before):
        count = len(_of(findings, stream))
        source = states.get(_DRAWN_FROM[stream]) if stream in _DRAWN_FROM else None
        if source is None:
            states[stream] = _state(device, count, before.get(stream), doubt, limit)
        else:
            states[stream] = _state(device, count, before.get(stream), source.doubt, 1.0)
    return states


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
