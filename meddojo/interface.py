"""The three plugin protocols and their discovery.

A feed, analyzer or sink is a callable registered under an entry-point group, so a third party adds one by
installing a package::

    [options.entry_points]
    meddojo.feeds =
        philips = acme_feeds.philips:build

`build` receives its section of ``meddojo.toml`` and returns an object that fulfils the protocol.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from meddojo.advisory import Advisory
from meddojo.case import Case
from meddojo.device import Device
from meddojo.errors import ConfigError
from meddojo.finding import Decision, Finding, Stream
from meddojo.threat import Threat, ThreatRelation
from meddojo.vulnerability import EpssScore, KevEntry, Vulnerability

if TYPE_CHECKING:
    from meddojo.config import AnalyzerConfig, Config, FeedConfig
    from meddojo.store import Store

Record = Advisory | Vulnerability | KevEntry | EpssScore | Threat | ThreatRelation
"""What a feed yields and the store keeps."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something a feed or reader could not take in; the rest goes on.

    Attributes
    ----------
    origin
        File, URL or record.
    reason
        One sentence with position and cause.
    """

    origin: str
    reason: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything yielded so far, once committed, need not be fetched again.

    Attributes
    ----------
    cursor
        Opaque to all but the feed; stamped *before* the fetch it stands for.
    complete
        The source has no other KEV entries than those yielded in this update: what it no longer lists, goes.
    """

    cursor: str
    complete: bool = False


@runtime_checkable
class Feed(Protocol):
    """A source of advisories, vulnerabilities, KEV or EPSS rows, or threat intelligence."""

    name: str

    def update(self, cursor: str | None) -> Iterator[Record | Skipped | Checkpoint]:
        """Yield what changed since `cursor` (everything when None).

        Raises
        ------
        MeddojoError
            When the feed as a whole cannot be read; what was yielded before stays.
        """
        ...


@runtime_checkable
class Analyzer(Protocol):
    """A judge. Pure: the same case and findings give the same result."""

    name: str

    def judge(self, case: Case, findings: Sequence[Finding]) -> Sequence[Finding]:
        """Return the findings after this step: `findings`, added to, enriched or narrowed."""
        ...


@dataclass(frozen=True, slots=True)
class StreamResult:
    """The present truth of one stream of one device, as it is handed to the sinks.

    Attributes
    ----------
    findings
        What is delivered.
    complete
        True when the sink may close what is missing.
    doubt
        Why not, in one sentence; empty when complete.
    suppressed
        Findings that are explained by what somebody states (VEX): counted and shown, not delivered.
    """

    device: Device
    stream: Stream
    findings: tuple[Finding, ...]
    complete: bool = True
    doubt: str = ""
    suppressed: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceState:
    """How one source stands, for reports and ``meddojo status``.

    Attributes
    ----------
    problem
        Why the last attempt failed or skipped something; empty when it went well.
    skipped
        How many documents or records of the last attempt could not be read.
    """

    name: str
    records: int
    last_attempt: datetime | None
    last_success: datetime | None
    problem: str = ""
    skipped: int = 0


def _silent(_: str) -> None:
    """Show no progress."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """What a sink may say about the run as a whole.

    Attributes
    ----------
    skipped
        Inputs of this run that could not be taken in.
    decisions
        What people decided, in every sink.
    advance
        Called with the name of each device as it is delivered, to show progress.
    """

    started: datetime
    sources: tuple[SourceState, ...]
    skipped: tuple[Skipped, ...] = ()
    decisions: tuple[Decision, ...] = ()
    advance: Callable[[str], None] = _silent


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a sink did.

    Attributes
    ----------
    destination
        Path or URL a person can open.
    requests
        HTTP requests sent; 0 for files.
    problems
        What could not be delivered; the next run tries again.
    """

    sink: str
    destination: str
    created: int = 0
    closed: int = 0
    reactivated: int = 0
    patched: int = 0
    untouched: int = 0
    requests: int = 0
    problems: tuple[Skipped, ...] = ()


@runtime_checkable
class Sink(Protocol):
    """A place findings are delivered to, and decisions come back from."""

    name: str

    def listen(self, devices: Sequence[Device]) -> Iterable[Decision]:
        """Read back what people decided; empty for sinks nobody answers in."""
        ...

    def deliver(self, results: Sequence[StreamResult], context: RunContext) -> Delivery:
        """Bring the destination up to date with `results`.

        Raises
        ------
        MeddojoError
            When nothing at all could be delivered.
        """
        ...


FeedFactory = Callable[["FeedConfig"], Feed]
AnalyzerFactory = Callable[["AnalyzerConfig"], Analyzer]
SinkFactory = Callable[["Config", "Store"], Sink]

GROUPS = ("meddojo.feeds", "meddojo.analyzers", "meddojo.sinks")


def plugins(group: str) -> dict[str, EntryPoint]:
    """Entry points registered under `group`, by name, in alphabetical order."""
    return {point.name: point for point in sorted(entry_points(group=group), key=lambda point: point.name)}


def load(group: str, name: str) -> Any:
    """Load the factory registered as `name`.

    Raises
    ------
    ConfigError
        If nothing is registered under that name, naming the nearest one, or it cannot be imported.
    """
    known = plugins(group)
    kind = group.removeprefix("meddojo.").removesuffix("s")
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known) or 'none; is meddojo installed?'}"
        raise ConfigError(f"no {kind} is called {name!r}", hint)
    try:
        return known[name].load()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise ConfigError(f"the {kind} {name!r} cannot be loaded: {reason}", "install its package again") from error
