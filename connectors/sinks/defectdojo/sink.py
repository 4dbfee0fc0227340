"""Bringing DefectDojo up to date, one test at a time, until it shows what it should."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from connectors.http import LONGEST_PAUSE_SECONDS, HttpRefusedError, HttpUnavailableError
from connectors.sinks.defectdojo.client import DefectDojoClient, RemoteTest, shape
from connectors.sinks.defectdojo.plan import CLOSING_NOTE, Plan, RemoteFinding, answered, make_plan, settle, under_way
from connectors.sinks.generic_findings import Row, clean, row
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

    Product per device, one long-lived engagement, one test per stream. The caller holds the store's ``run`` lock:
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
                snapshot = self._known(device, stream)
                if snapshot:
                    yield from self._decisions(snapshot)

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
        snapshot = before = self._known(device, stream) or Snapshot(None, (), time.monotonic())
        patched, failure = 0, None
        for attempt in range(1, self._config.network.attempts + 2):
            snapshot = self._landed(snapshot, device, stream)
            memory = self._store.ledger.delivered(NAME, device.id, stream)
            plan = make_plan(rows, snapshot.findings, memory, complete=result.complete)
            if not plan.empty and time.monotonic() - snapshot.taken > _FRESH_SECONDS:
                snapshot = self._read_one(device, stream)
                plan = make_plan(rows, snapshot.findings, memory, complete=result.complete)
            if plan.empty:
                self._store.ledger.keep(NAME, device.id, stream, settle(rows, snapshot.findings, memory))
                if snapshot.test:
                    self._store.ledger.keep_stream(NAME, device.id, stream, snapshot.test.id, datetime.now(UTC))
                return _difference(before, snapshot, patched)
            if attempt > self._config.network.attempts:
                break
            self._store.ledger.keep(NAME, device.id, stream, plan.memories)
            failure = self._act(plan, snapshot.test, device, stream)
            patched += 0 if failure else len(plan.patches)
            if failure and attempt < self._config.network.attempts:
                self._pause(failure.retry_after or min(60.0, 2.0**attempt))
            snapshot = self._read_one(device, stream)
        raise failure or _not_kept(device, stream, snapshot.test)

    def _act(self, plan: Plan, test: RemoteTest | None, device: Device, stream: Stream) -> HttpUnavailableError | None:
        """Take the steps of `plan`; returns what kept the server from taking them all."""
        try:
            if plan.create:
                self._create(plan.create, test, device, stream)
            self._change(plan)
        except HttpUnavailableError as error:
            if error.retry_after > LONGEST_PAUSE_SECONDS:
                raise
            return error
        return None

    def _create(self, rows: Sequence[Row], test: RemoteTest | None, device: Device, stream: Stream) -> None:
        target = self._target(test, device, stream)
        try:
            self._client.reimport(rows, target, version=clean(device.version, 100, one_line=True))
        except MeddojoError as error:
            if not isinstance(error, HttpUnavailableError) or error.answered:
                self._forget_upload(device, stream)
            raise
        self._forget_upload(device, stream)

    def _change(self, plan: Plan) -> None:
        """Reopen, close and patch; a finding the server cannot change does not keep the others from it."""
        steps: list[Callable[[], None]] = [
            *(partial(self._client.patch, number, {"active": True}) for number in plan.reopen),
            *(partial(self._client.close, number, CLOSING_NOTE) for number in plan.close),
            *(partial(self._client.patch, patch.id, patch.changes) for patch in plan.patches),
        ]
        failure: HttpRefusedError | HttpUnavailableError | None = None
        for step in steps:
            try:
                step()
            except HttpRefusedError as error:
                # 404: a person deleted it meanwhile.
                failure = failure if error.status == 404 else error
            except HttpUnavailableError as error:
                if error.status != 500:
                    raise
                failure = error
        if failure:
            raise failure

    def _target(self, test: RemoteTest | None, device: Device, stream: Stream) -> dict[str, str]:
        if test:
            return {"test": str(test.id)}
        title = {"auto_create_context": "true", "test_title": _title(device.id, stream)}
        sibling = self._sibling(device)
        if sibling:
            product, engagement = shape(lambda: self._client.place(sibling.engagement), self._client.url)
            return title | {"product_name": product, "engagement_name": engagement}
        return title | {
            "product_type_name": self._config.product_type,
            "product_name": clean(f"{device.label} ({device.id})", 255, one_line=True),
            "engagement_name": self._config.engagement,
        }

    def _sibling(self, device: Device) -> RemoteTest | None:
        """A test of another stream of the device: its product may be called otherwise by now."""
        snapshots = (self._known(device, stream) for stream in Stream)
        return next((snapshot.test for snapshot in snapshots if snapshot and snapshot.test), None)

    def _known(self, device: Device, stream: Stream) -> Snapshot | None:
        return (self._snapshots or {}).get(_title(device.id, stream))

    def _read_all(self) -> dict[str, Snapshot]:
        """Every test of ours by the title it was given, in as few requests as the server allows."""
        kind = self._client.test_type_id()
        if kind is None:
            return {}
        tests = {test.id: test for test in self._client.tests(test_type=kind)}
        findings: dict[int, list[RemoteFinding]] = {number: [] for number in tests}
        for raw in self._client.findings(test__test_type=kind):
            findings.setdefault(int(raw["test"]), []).append(RemoteFinding.read(raw))
        now = time.monotonic()
        numbered = {number: Snapshot(test, tuple(findings[number]), now) for number, test in sorted(tests.items())}
        # The server itself takes the newest of several tests with one title; people rename tests.
        titled = {snapshot.test.title: snapshot for snapshot in numbered.values() if snapshot.test}
        remembered = self._store.ledger.streams(NAME).items()
        return titled | {_title(*stream): numbered[number] for stream, number in remembered if number in numbered}

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

    def _landed(self, snapshot: Snapshot, device: Device, stream: Stream) -> Snapshot:
        """The test once no upload of ours can be under way in it any more.

        The answer to an upload may have been lost, or this program killed before it came; the server goes on all the
        same, and says so only of the first import into a test.
        """
        memory = self._store.ledger.delivered(NAME, device.id, stream)
        sent = {known.identity for known in under_way(memory)}
        seen, quiet = len(snapshot.findings), 0.0
        while quiet < min(_STALLED_SECONDS, self._config.timeout_seconds):
            # A test the ledger has lost may be another process's first import.
            unfinished = snapshot.test and snapshot.test.percent_complete < 100 and (sent or not memory)
            if not (unfinished or sent - {finding.identity for finding in snapshot.findings}):
                break
            wait = min(_POLL_SECONDS, self._config.timeout_seconds / 4)
            self._pause(wait)
            snapshot = self._read_one(device, stream)
            quiet = quiet + wait if len(snapshot.findings) == seen else 0.0
            seen = len(snapshot.findings)
        if sent:
            self._forget_upload(device, stream)
        return snapshot

    def _forget_upload(self, device: Device, stream: Stream) -> None:
        """Write down that no upload is under way."""
        sent = under_way(self._store.ledger.delivered(NAME, device.id, stream))
        self._store.ledger.keep(NAME, device.id, stream, answered(sent))

    def _decisions(self, snapshot: Snapshot) -> Iterator[Decision]:
        for finding in snapshot.findings:
            if finding.identity and finding.verdict:
                page = f"{self._client.url}/finding/{finding.id}"
                yield Decision(finding.identity, finding.verdict, NAME, page, finding.decided, finding.justification)


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


def _not_kept(device: Device, stream: Stream, test: RemoteTest | None) -> TransientError:
    policy = f"{test.policy.algorithm} over {', '.join(sorted(test.policy.hashed))}" if test else "an unknown policy"
    return TransientError(
        f"DefectDojo does not keep what it is given for {device.id} ({stream})",
        f"compare its findings with findings.json; it recognises a finding by {policy}, which may merge several",
    )


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
