"""Where cases are judged: in this process, in several of this machine, or on a Dask cluster.

Judgement is pure and cases are independent of each other, so every engine gives the same findings in the same order. A
process that dies under a device costs this device only.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from multiprocessing import get_context, parent_process
from typing import TYPE_CHECKING, Any, Protocol

from meddojo.case import Case
from meddojo.config import AnalyzerConfig, Config
from meddojo.device import Device
from meddojo.errors import ConfigError, MeddojoError, TransientError
from meddojo.finding import Finding
from meddojo.interface import Analyzer, Skipped
from meddojo.store import Store
from scheduler.cases import build_cases
from scheduler.judging import analyzers, judge

if TYPE_CHECKING:
    from distributed import Client

Judged = tuple[Finding, ...] | Skipped
"""Findings of a device, or why there are none."""

BATCH = 50
"""Devices whose cases are built together."""

DEVICES_PER_PROCESS = 250
"""A process has to start and to read the names of the advisories for itself: fewer devices are not worth it."""

_AHEAD = 2
_DIED = "the process that judged it died; see the system's log, it may have run out of memory"


class Engine(Protocol):
    """Judges devices."""

    def judge(self, devices: Sequence[Device]) -> Iterator[Judged]:
        """What came of each device, in their order."""
        ...


def choose_engine(config: Config, devices: int, store: Store, steps: Sequence[Analyzer], now: datetime) -> Engine:
    """The engine that ``[engine]`` asks for, or that suits the number of devices."""
    order = Order(config.store.url, config.analyzers.model_dump_json(), now)
    if config.engine.cluster:
        return Cluster(config.engine.cluster, order, store)
    processes = config.engine.processes or max(1, min(_processors(), devices // DEVICES_PER_PROCESS))
    return Processes(processes, order) if processes > 1 and _is_shared(order.store) else InProcess(store, steps, now)


@dataclass(frozen=True, slots=True)
class Order:
    """All that a worker has to know beside the devices; it makes the analyzers from their configuration.

    Attributes
    ----------
    store
        URL.
    analyzers
        `meddojo.config.AnalyzerConfig` as JSON.
    now
        The clock of all cases.
    """

    store: str = field(repr=False)  # it may hold a password
    analyzers: str
    now: datetime


@dataclass(frozen=True, slots=True)
class InProcess:
    """One device after the other, here."""

    store: Store
    steps: Sequence[Analyzer]
    now: datetime

    def judge(self, devices: Sequence[Device]) -> Iterator[Judged]:
        """What came of each device, in their order."""
        for batch in _batches(devices):
            yield from _judge_batch(batch, self.store, self.steps, self.now)


@dataclass(frozen=True, slots=True)
class Processes:
    """Several processes of this machine, each with a connection to the store of its own."""

    number: int
    order: Order

    def judge(self, devices: Sequence[Device]) -> Iterator[Judged]:
        """What came of each device, in their order.

        Raises
        ------
        TransientError
            If this machine starts no process.
        """
        waiting = deque(_batches(devices))
        while waiting:
            try:
                yield from self._judge_together(waiting)
            except BrokenProcessPool:
                # Nobody knows which device it was: the first batch in doubt is judged one by one.
                yield from self._judge_singly(deque(waiting.popleft()))

    def _judge_together(self, waiting: deque[Sequence[Device]]) -> Iterator[Judged]:
        """Judge batch by batch, taking each from `waiting` when it is done."""
        ahead = iter(tuple(waiting))
        running: deque[Future[list[Judged]]] = deque()
        with _pool(self.number) as pool:
            while waiting:
                while len(running) < self.number * _AHEAD and (batch := next(ahead, None)) is not None:
                    running.append(pool.submit(_work, self.order, batch))
                judged = running.popleft().result()
                waiting.popleft()
                yield from judged

    def _judge_singly(self, waiting: deque[Device]) -> Iterator[Judged]:
        """Judge one device at a time, so that the one under which the process dies is known."""
        while waiting:
            try:
                with _pool(1) as pool:
                    _check(pool)
                    while waiting:
                        judged = pool.submit(_work, self.order, [waiting[0]]).result()
                        waiting.popleft()
                        yield from judged
            except BrokenProcessPool:
                yield Skipped(waiting.popleft().id, _DIED)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Workers of a Dask scheduler, which need no store: cases travel there as JSON."""

    address: str
    order: Order
    store: Store

    def judge(self, devices: Sequence[Device]) -> Iterator[Judged]:
        """What came of each device, in their order.

        Raises
        ------
        ConfigError
            If the cluster cannot be reached, or its libraries are not installed.
        """
        sent: deque[tuple[str, Any]] = deque()
        with _client(self.address) as client:
            for batch in _batches(devices):
                for case in _cases(batch, self.store, self.order.now):
                    if isinstance(case, Case):
                        work = client.submit(_judge_json, self.order.analyzers, case.to_json(), pure=False)
                        sent.append((case.device.id, work))
                    else:
                        sent.append((case.origin, case))
                while len(sent) > BATCH * _AHEAD:
                    yield _received(*sent.popleft())
            while sent:
                yield _received(*sent.popleft())


def _batches(devices: Sequence[Device]) -> Iterator[Sequence[Device]]:
    return (devices[start : start + BATCH] for start in range(0, len(devices), BATCH))


def _cases(devices: Sequence[Device], store: Store, now: datetime) -> Iterator[Case | Skipped]:
    """The cases of a batch; one that cannot be built costs no other its own."""
    try:
        yield from build_cases(devices, store, now)
    except MeddojoError as error:
        if len(devices) == 1:
            yield Skipped(devices[0].id, error.message)
            return
        for device in devices:
            yield from _cases([device], store, now)


def _judge_batch(devices: Sequence[Device], store: Store, steps: Sequence[Analyzer], now: datetime) -> Iterator[Judged]:
    return (_judge_case(case, steps) if isinstance(case, Case) else case for case in _cases(devices, store, now))


def _judge_case(case: Case, steps: Sequence[Analyzer]) -> Judged:
    try:
        return judge(case, steps)
    except MeddojoError as error:
        return Skipped(case.device.id, error.message)


# ---- in other processes ----


@contextmanager
def _pool(processes: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that end with the block, however it ends, and with this process."""
    # Not forked: the progress bar has a thread, and connections to the store cannot be shared.
    pool = ProcessPoolExecutor(processes, get_context("spawn"), initializer=_begin)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _check(pool: ProcessPoolExecutor) -> None:
    """Tell a device that ends its process from a machine on which none can be started."""
    try:
        pool.submit(os.getpid).result()
    except BrokenProcessPool:
        raise TransientError("no process to judge in can be started", "set engine.processes = 1") from None


def _begin() -> None:
    """Prepare a worker: it ends at Ctrl-C without a word, and when the process that started it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(order: Order, devices: Sequence[Device]) -> list[Judged]:
    """Judge a batch in a worker."""
    store, steps = _workplace(order)
    return list(_judge_batch(devices, store, steps, order.now))


@lru_cache(maxsize=1)
def _workplace(order: Order) -> tuple[Store, tuple[Analyzer, ...]]:
    return Store(order.store), _steps(order.analyzers)


@lru_cache(maxsize=1)
def _steps(configuration: str) -> tuple[Analyzer, ...]:
    return analyzers(AnalyzerConfig.model_validate_json(configuration))


# ---- on other machines ----


@contextmanager
def _client(address: str) -> Iterator[Client]:
    try:
        from distributed import Client
    except ImportError:
        raise ConfigError(
            "engine.cluster is set, but Dask is not installed", "install it with: pip install 'meddojo[cluster]'"
        ) from None
    try:
        client = Client(address)
    except (OSError, ValueError) as error:
        raise ConfigError(f"the Dask scheduler {address} cannot be reached: {error}", "check engine.cluster") from None
    with client:
        yield client


def _judge_json(configuration: str, case: str) -> Judged:
    """Judge a case that travelled."""
    return _judge_case(Case.from_json(case), _steps(configuration))


def _received(device_id: str, sent: Any) -> Judged:
    """Wait for what was sent; a worker that dies under a case again and again costs this device only."""
    from distributed import KilledWorker

    if isinstance(sent, Skipped):
        return sent
    try:
        judged: Judged = sent.result()
    except KilledWorker:
        return Skipped(device_id, _DIED)
    return judged


def _processors() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _is_shared(url: str) -> bool:
    """Whether other processes can open the store."""
    return url != "sqlite://" and ":memory:" not in url
