"""``meddojo schedule``, ``pull`` and ``metrics``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scheduler.gate import ExitCode
from scheduler.session import ConfigOption, QuietOption, VerboseOption, open_session

MetricsFileOption = Annotated[
    Path | None,
    typer.Option("--metrics-file", metavar="FILE", help="Keep Prometheus metrics in this file, for node_exporter"),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: `meddojo schedule --metrics-port 9095`")(schedule)
    app.command(epilog="Examples: `meddojo pull`  ·  `meddojo pull kev epss`")(pull)
    app.command(epilog="Example: `meddojo metrics --file /var/lib/node_exporter/meddojo.prom`")(metrics)


def schedule(
    config: ConfigOption = None,
    metrics_file: MetricsFileOption = None,
    metrics_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Serve Prometheus metrics on this port")
    ] = None,
    metrics_host: Annotated[str, typer.Option(help="Address of that port")] = "127.0.0.1",
    stop_grace: Annotated[
        float, typer.Option(min=0.0, metavar="SECONDS", help="How long a running job may finish after SIGTERM")
    ] = 20.0,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Run the [[jobs]] of meddojo.toml at their times; start it on two machines, and one stands by for the other."""
    import contextlib
    import signal
    from datetime import UTC, datetime

    with open_session(config, verbose, quiet) as session:
        from scheduler import jobs
        from scheduler import metrics as prometheus

        exporter = prometheus.Exporter()

        def observe(leads: bool) -> None:
            if metrics_file is None and metrics_port is None:
                return
            now = datetime.now(UTC)
            exporter.text = prometheus.render(prometheus.collect(session.config, session.store, now, leads))
            if metrics_file is not None:
                prometheus.write_file(metrics_file, exporter.text)

        service = jobs.Schedule(
            session.config,
            session.store,
            session.console,
            ["--config", str(config)] if config else [],
            timing=jobs.Timing(stop_grace=stop_grace),
            observe=observe,
        )
        with contextlib.ExitStack() as stack:
            if metrics_port is not None:
                port = stack.enter_context(prometheus.serve(exporter, metrics_host, metrics_port))
                session.console.say(f"metrics: http://{metrics_host}:{port}/metrics")
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, service.stop)
            code = service.serve()
    raise typer.Exit(int(code))


def pull(
    feeds: Annotated[list[str] | None, typer.Argument(help="Feeds to update [default: all that are enabled]")] = None,
    config: ConfigOption = None,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Update feeds, and judge nothing yet; needs no inventory."""
    with open_session(config, verbose, quiet) as session:
        from scheduler.pipeline import pull as pull_only

        complete = pull_only(session.config, session.store, session.console, feeds or [])
    raise typer.Exit(int(ExitCode.CLEAN if complete else ExitCode.INCOMPLETE))


def metrics(
    file: Annotated[
        Path | None, typer.Option("--file", help="Replace this file in one step, instead of printing")
    ] = None,
    config: ConfigOption = None,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """How feeds, jobs and the last run stand, as Prometheus text."""
    from datetime import UTC, datetime

    with open_session(config, verbose, quiet) as session:
        from scheduler import metrics as prometheus

        text = prometheus.render(prometheus.collect(session.config, session.store, datetime.now(UTC)))
        prometheus.write_file(file, text) if file else typer.echo(text, nl=False)
