"""Last stretch: people's decisions in, findings out to every sink."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from meddojo.config import Config
from meddojo.device import Device
from meddojo.errors import ConfigError, MeddojoError
from meddojo.interface import Delivery, RunContext, Sink, Skipped, StreamResult, load, plugins
from meddojo.store import Store
from scheduler.console import Console


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What became of the findings.

    Attributes
    ----------
    failed
        Sinks that took nothing at all, with the reason.
    """

    done: tuple[Delivery, ...]
    failed: tuple[Skipped, ...]

    @property
    def problems(self) -> tuple[Skipped, ...]:
        """Everything that was not delivered."""
        return (*self.failed, *(problem for delivery in self.done for problem in delivery.problems))


def active_sinks(config: Config, store: Store) -> tuple[Sink, ...]:
    """Every installed sink; DefectDojo only if it is configured."""
    names = [name for name in plugins("meddojo.sinks") if name != "defectdojo" or config.defectdojo.url]
    return tuple(load("meddojo.sinks", name)(config, store) for name in names)


def listen(sinks: Sequence[Sink], devices: Sequence[Device], store: Store, console: Console) -> tuple[Skipped, ...]:
    """Read back what people decided; a sink that is down leaves yesterday's decisions standing."""
    deaf = []
    for sink in sinks:
        try:
            decisions = tuple(sink.listen(devices))
        except ConfigError:
            raise
        except MeddojoError as error:
            console.warn(f"{sink.name}: decisions could not be read: {error}")
            deaf.append(Skipped(sink.name, f"decisions could not be read: {error.message}"))
        else:
            store.findings.keep_decisions(sink.name, [device.id for device in devices], decisions)
            if decisions:
                console.say(f"{sink.name}: {len(decisions):,} decisions read back")
    return tuple(deaf)


def deliver(
    sinks: Sequence[Sink], results: Sequence[StreamResult], context: RunContext, console: Console
) -> Deliveries:
    """Hand the results to every sink; one that fails leaves the others alone."""
    done, failed = [], []
    for sink in sinks:
        with console.track(f"{sink.name}: delivering", len(results)) as advance:
            try:
                delivery = sink.deliver(results, replace(context, advance=advance))
            except Exception as error:
                # Whatever happens to one sink, the others are served.
                reason = error.message if isinstance(error, MeddojoError) else f"{type(error).__name__}: {error}"
                console.error(
                    f"{sink.name}: nothing was delivered: {error if isinstance(error, MeddojoError) else reason}"
                )
                failed.append(Skipped(sink.name, reason))
                continue
        done.append(delivery)
        console.say(_told(delivery))
        for problem in delivery.problems:
            console.warn(f"{sink.name}: {problem.origin}: {problem.reason}")
    return Deliveries(tuple(done), tuple(failed))


def _told(delivery: Delivery) -> str:
    if not delivery.requests:
        return f"{delivery.sink}: {delivery.destination}"
    counts = ", ".join(
        f"{getattr(delivery, name):,} {name}" for name in ("created", "closed", "reactivated", "patched", "untouched")
    )
    return f"{delivery.sink}: {counts} in {delivery.requests:,} requests ({delivery.destination})"
