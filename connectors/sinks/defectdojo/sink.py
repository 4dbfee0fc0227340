"""Bringing DefectDojo up to date, one test at a time, until it shows what it should."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from connectors.http import HttpRefusedError, HttpUnavailableError
from connectors.sinks.defectdojo.client import DefectDojoClient, Policy, RemoteTest, shape
from connectors.sinks.defectdojo.plan import Plan, RemoteFinding, make_plan, settle
from connectors.sinks.generic_findings import clean, row
from meddojo.config import Config
from meddojo.device import Device
from meddojo.errors import ConfigError, MeddojoError, TransientError
from meddojo.finding import Decision, Stream
from meddojo.interface import Delivery, RunContext, Skipped, StreamResult
from meddojo.store import Store

NAME = "defectdojo"

_FRESH_SECONDS = 60.0
_POLL_SECONDS = 5.0
# An import that adds no finding for this long has died on the server.
_STALLED_SECONDS = 90.0
_GIVE_UP_AFTER = 3


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A test and its findings as they were at `taken` (seconds of the monotonic clock)."""

    test: RemoteTest | None
    findings: tuple[RemoteFinding, ...]
    taken: float


class DefectDojoSink:
    """Delivers each stream of each device as one DefectDojo test.

    Product per device, one long-lived engagement, one test per stream. The caller holds the store's ``push`` lock:
    the server is not safe against two imports into one test.
    """

    name = NAME

    def __init__(
        self, config: Config, store: Store, client: DefectDojoClient, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._config = config.defectdojo
        self._store = store
        self._client = client
        self._pause = pause
        self._snapshots: dict[str, Snapshot] | None = None

    def listen(self, devices: Sequence[Device]) -> Iterable[Decision]:
        """What people decided about findings of `devices`, read in a few large pages."""
        self._snapshots = shape(self._read_all, self._client.url)
        for device in devices:
            for stream in Stream:
                snapshot = self._snapshots.get(_title(device.id, stream))
                if snapshot:
                    yield from self._decisions(device, stream, snapshot)

    def deliver(self, results: Sequence[StreamResult], context: RunContext) -> Delivery:
        """Bring every stream up to date; a stream that fails is reported, the others go on."""
        if self._snapshots is None:
            self._snapshots = shape(self._read_all, self._client.url)
        total, problems, unreachable = Delivery(NAME, self._client.url), [], 0
        for position, result in enumerate(results):
            context.advance(f"{result.device.id} {result.stream}")
            try:
                done = self._bring_up_to_date(result)
                unreachable = 0
            except MeddojoError as error:
                problems.append(Skipped(f"{result.device.id} ({result.stream})", error.message))
                unreachable = unreachable + 1 if isinstance(error, TransientError) else 0
                if len(problems) == len(results) or (unreachable >= _GIVE_UP_AFTER and position + 1 == len(problems)):
                    raise
                if unreachable >= _GIVE_UP_AFTER:
                    left = len(results) - position - 1
                    problems.append(Skipped(NAME, f"gave up after {unreachable} streams in a row; {left} not tried"))
                    break
            else:
                total = _add(total, done)
        return replace(total, requests=self._client.requests_sent, problems=tuple(problems))

    def _bring_up_to_date(self, result: StreamResult) -> Delivery:
        """Read, plan, act, and read again, until there is nothing left to do."""
        device, stream = result.device, result.stream
        rows = [row(finding, device) for finding in result.findings]
        snapshot = self._snapshot(device, stream)
        before, patched = snapshot, 0
        failure: HttpUnavailableError | None = None
        for attempt in range(1, self._config.network.attempts + 1):
            memory = self._store.ledger.delivered(NAME, device.id, stream)
            policy = snapshot.test.policy if snapshot.test else Policy()
            plan = make_plan(rows, snapshot.findings, memory, policy, complete=result.complete)
            if plan.empty:
                self._store.ledger.keep(NAME, device.id, stream, settle(rows, snapshot.findings, memory))
                if snapshot.test:
                    self._store.ledger.keep_stream(NAME, device.id, stream, snapshot.test.id, datetime.now(UTC))
                return _difference(before, snapshot, patched)
            if time.monotonic() - snapshot.taken > _FRESH_SECONDS:
                snapshot = self._read_one(device, stream)
                continue
            self._store.ledger.keep(NAME, device.id, stream, plan.memories)
            try:
                patched += self._act(plan, snapshot, device, stream)
                failure = None
            except HttpUnavailableError as error:
                failure = error
                if attempt < self._config.network.attempts:
                    self._pause(min(60.0, 2.0**attempt))
            snapshot = self._read_when_idle(device, stream, must_wait=failure is not None and not failure.answered)
        if failure:
            raise failure
        raise TransientError(
            f"DefectDojo does not keep what it is given for {device.id} ({stream})",
            "compare its findings with findings.json; the server's dedupe settings may be in the way",
        )

    def _act(self, plan: Plan, snapshot: Snapshot, device: Device, stream: Stream) -> int:
        for number in plan.reopen:
            self._client.patch(number, {"active": True, "is_mitigated": False})
        if plan.upload:
            target = self._target(snapshot.test, device, stream)
            version = clean(device.version, 100, one_line=True)
            self._client.reimport(list(plan.upload), target, close_old=plan.close_old, version=version)
        for number in plan.close_one_by_one:
            self._client.close(number, "MedDojo: no source reports this any more.")
        refused = None
        for patch in plan.patches:
            try:
                self._client.patch(patch.id, patch.changes)
            except HttpRefusedError as error:
                refused = error
        if refused:
            raise refused
        return len(plan.patches)

    def _target(self, test: RemoteTest | None, device: Device, stream: Stream) -> dict[str, str]:
        if test:
            return {"test": str(test.id)}
        return {
            "auto_create_context": "true",
            "product_type_name": self._config.product_type,
            "product_name": clean(f"{device.label} ({device.id})", 255, one_line=True),
            "engagement_name": self._config.engagement,
            "test_title": _title(device.id, stream),
        }

    def _snapshot(self, device: Device, stream: Stream) -> Snapshot:
        known = (self._snapshots or {}).get(_title(device.id, stream))
        if known:
            return known
        # An import cut off before its test type was stored is found by title alone.
        remembered = (device.id, stream) in self._store.ledger.streams(NAME)
        return self._read_one(device, stream) if remembered else Snapshot(None, (), time.monotonic())

    def _read_all(self) -> dict[str, Snapshot]:
        """Every test of ours, in as few requests as the server allows."""
        kind = self._client.test_type_id()
        if kind is None:
            return {}
        tests = {test.id: test for test in self._client.tests(test_type=kind)}
        findings: dict[int, list[RemoteFinding]] = {number: [] for number in tests}
        for raw in self._client.findings(test__test_type=kind):
            findings.setdefault(int(raw["test"]), []).append(RemoteFinding.read(raw))
        now = time.monotonic()
        # The server itself takes the newest of several tests with one title.
        return {test.title: Snapshot(test, tuple(findings[test.id]), now) for _, test in sorted(tests.items())}

    def _read_one(self, device: Device, stream: Stream) -> Snapshot:
        return shape(lambda: self._read_test(self._find(device, stream)), self._client.url)

    def _read_test(self, test: RemoteTest | None) -> Snapshot:
        findings = tuple(RemoteFinding.read(raw) for raw in self._client.findings(test=test.id)) if test else ()
        return Snapshot(test, findings, time.monotonic())

    def _find(self, device: Device, stream: Stream) -> RemoteTest | None:
        number = self._store.ledger.stream_remote_id(NAME, device.id, stream)
        known = self._client.test(number) if number is not None else None
        titled = _title(device.id, stream)
        return known or max(self._client.tests(title=titled), key=lambda test: test.id, default=None)

    def _read_when_idle(self, device: Device, stream: Stream, *, must_wait: bool) -> Snapshot:
        """Read the test back; after a lost answer, only when the server has finished with it."""
        if must_wait:
            self._wait(device, stream)
        return self._read_one(device, stream)

    def _wait(self, device: Device, stream: Stream) -> None:
        seen, quiet = -1, 0.0
        while quiet < _STALLED_SECONDS:
            test = shape(lambda: self._find(device, stream), self._client.url)
            if test is None or test.percent_complete >= 100:
                return
            count = self._client.finding_count(test.id)
            quiet = 0.0 if count != seen else quiet + _POLL_SECONDS
            seen = count
            self._pause(_POLL_SECONDS)

    def _decisions(self, device: Device, stream: Stream, snapshot: Snapshot) -> Iterator[Decision]:
        memory = self._store.ledger.delivered(NAME, device.id, stream)
        for finding in snapshot.findings:
            verdict = finding.verdict(memory.get(finding.identity))
            if finding.identity and verdict:
                page = f"{self._client.url}/finding/{finding.id}"
                yield Decision(finding.identity, verdict, NAME, page, finding.decided, finding.justification)


def build(config: Config, store: Store) -> DefectDojoSink:
    """Entry point.

    Raises
    ------
    ConfigError
        Without an address and a token.
    """
    if not config.defectdojo.url:
        raise ConfigError("no DefectDojo is configured", "set DEFECTDOJO_URL and DEFECTDOJO_TOKEN")
    return DefectDojoSink(config, store, DefectDojoClient(config.defectdojo))


def _title(device_id: str, stream: Stream) -> str:
    """Title of the test, unique on the server: a reimport finds its test by it."""
    return clean(f"MedDojo {stream}: {device_id}", 250, one_line=True)


def _difference(before: Snapshot, after: Snapshot, patched: int) -> Delivery:
    """What changed on the server, counted from what it showed before and after."""
    old = {finding.id: finding for finding in before.findings}
    known = [(old[finding.id], finding) for finding in after.findings if finding.id in old]
    closed = sum(not was.mitigated and now.mitigated for was, now in known)
    reactivated = sum(was.mitigated and not now.mitigated for was, now in known)
    created = len(after.findings) - len(known)
    return Delivery(
        NAME,
        "",
        created=created,
        closed=closed,
        reactivated=reactivated,
        patched=patched,
        untouched=len(known) - closed - reactivated,
    )


def _add(total: Delivery, done: Delivery) -> Delivery:
    return replace(
        total,
        created=total.created + done.created,
        closed=total.closed + done.closed,
        reactivated=total.reactivated + done.reactivated,
        patched=total.patched + done.patched,
        untouched=total.untouched + done.untouched,
    )
