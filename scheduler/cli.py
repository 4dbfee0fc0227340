"""The command ``meddojo``."""

from __future__ import annotations

import gc
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meddojo import __version__
from meddojo.errors import ConfigError
from scheduler.commands import bundle, imaging, lookup, match, sbom, schedule, train, vex
from scheduler.console import Console
from scheduler.gate import ExitCode
from scheduler.session import (
    ConfigOption,
    FailOnOption,
    JsonOption,
    QuietOption,
    Session,
    ShrinkOption,
    SummaryOption,
    TimeLimitOption,
    VerboseOption,
    errors_told,
    open_session,
)

if TYPE_CHECKING:
    from scheduler.pipeline import Outcome

EXIT_CODES = """
Exit codes: 0 clean; 1 the gate tripped (--fail-on); 2 wrong usage or configuration; 3 finished, but a source or a
device was skipped or a stream is in doubt; 4 a destination could not be delivered to.
"""

app = typer.Typer(
    help="Which new vulnerabilities touch your medical devices, and what people already decided about them.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def _main(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit")] = False,
) -> None:
    if version:
        typer.echo(f"meddojo {__version__}")
        raise typer.Exit


@app.command(
    epilog="Examples: `meddojo run`  ·  `meddojo run --config hospital.toml --fail-on critical --json > run.json`"
)
def run(
    context: typer.Context,
    config: ConfigOption = None,
    fail_on: FailOnOption = "",
    accept_shrink: ShrinkOption = False,
    offline: Annotated[bool, typer.Option("--offline", help="Judge what the store holds; ask no feed")] = False,
    time_limit: TimeLimitOption = None,
    summary: SummaryOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Update the feeds, judge every device, deliver findings to the report and to DefectDojo."""
    if time_limit is not None:
        from scheduler.limit import limited

        raise typer.Exit(limited(context, time_limit, summary, quiet))
    from scheduler import pipeline

    with open_session(config, verbose, quiet, fail_on) as session:
        outcome = pipeline.run(
            session.config, session.store, session.console, pull=not offline, accept_shrink=accept_shrink
        )
        _report(outcome, session, as_json, summary)
    raise typer.Exit(int(outcome.code))


@app.command(
    "import",
    epilog="Examples: `meddojo import advisory.json`  ·  `meddojo import report.grype.json --device infusion-gateway`",
)
def import_(
    context: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(help="Advisories, bulletins, vulnerabilities, scan reports, SBOMs, VEX")
    ],
    device: Annotated[str, typer.Option("--device", "-d", help="Device an SBOM or scan report belongs to")] = "",
    config: ConfigOption = None,
    store_only: Annotated[bool, typer.Option("--store-only", help="Keep the data; judge and deliver later")] = False,
    fail_on: FailOnOption = "",
    accept_shrink: ShrinkOption = False,
    time_limit: TimeLimitOption = None,
    summary: SummaryOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Take in files by hand, whatever their kind, then judge and deliver."""
    if time_limit is not None:
        from scheduler.limit import limited

        raise typer.Exit(limited(context, time_limit, summary, quiet))
    from scheduler import pipeline

    with open_session(config, verbose, quiet, fail_on) as session:
        problems = pipeline.import_files(session.config, session.store, session.console, files, device)
        code = ExitCode.INCOMPLETE if problems else ExitCode.CLEAN
        if not store_only:
            outcome = pipeline.run(
                session.config,
                session.store,
                session.console,
                pull=False,
                accept_shrink=accept_shrink,
                unread=problems,
            )
            _report(outcome, session, as_json, summary)
            code = outcome.code
        elif as_json:
            typer.echo(json.dumps({"exit_code": int(code), "skipped": [asdict(each) for each in problems]}, indent=2))
    raise typer.Exit(int(code))


@app.command(epilog="Example: `DEFECTDOJO_URL=https://dojo.example.org DEFECTDOJO_TOKEN=… meddojo push`")
def push(
    config: ConfigOption = None,
    fail_on: FailOnOption = "",
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Deliver the findings of the last run again; what is there already stays untouched."""
    from scheduler import pipeline

    with open_session(config, verbose, quiet, fail_on) as session:
        outcome = pipeline.push(session.config, session.store, session.console)
        _report(outcome, session, as_json)
    raise typer.Exit(int(outcome.code))


@app.command(epilog="Examples: `meddojo status`  ·  `meddojo status --json`")
def status(
    config: ConfigOption = None,
    check: Annotated[bool, typer.Option("--check", help="Exit with 3 if a feed is stale or a job went wrong")] = False,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """How each feed stands and is read next, how jobs and the last runs ended."""
    from datetime import UTC, datetime

    with open_session(config, verbose, quiet) as session:
        from scheduler import status as standing

        state = standing.status(session.config, session.store, datetime.now(UTC))
        typer.echo(json.dumps(state, indent=2)) if as_json else standing.print_status(state)
    raise typer.Exit(int(ExitCode.INCOMPLETE if check and state["alarms"] else ExitCode.CLEAN))


@app.command(epilog="Example: `meddojo doctor --config hospital.toml`")
def doctor(
    config: ConfigOption = None, as_json: JsonOption = False, verbose: VerboseOption = 0, quiet: QuietOption = False
) -> None:
    """Check configuration, feeds, store and DefectDojo, and say what to do."""
    from meddojo.config import load_config
    from scheduler import summary
    from scheduler.doctor import checks

    with errors_told(Console(-1 if quiet else verbose)):
        found = list(checks(load_config(config)))
        typer.echo(json.dumps([asdict(check) for check in found], indent=2)) if as_json else summary.print_checks(found)
    raise typer.Exit(int(ExitCode.CLEAN if all(check.works for check in found) else ExitCode.USAGE))


@app.command(epilog="Examples: `meddojo init && $EDITOR inventory.toml && meddojo doctor`  ·  `meddojo init gitea`")
def init(
    folder: Annotated[Path, typer.Argument(help="Where to write; `gitea` writes the workflow of a Gitea job")] = Path(),
    workflow_folder: Annotated[Path, typer.Argument(hidden=True)] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there")] = False,
) -> None:
    """Write a commented meddojo.toml and a first inventory.toml, or `.gitea/workflows/meddojo.yml`."""
    from importlib.resources import files

    if str(folder) == "gitea":
        from scheduler import gitea

        with errors_told(Console()):
            typer.echo(gitea.write_workflow(workflow_folder, force))
        return
    with errors_told(Console()):
        if workflow_folder != Path():
            raise ConfigError("init takes one folder", "or write: meddojo init gitea FOLDER")
        for name in ("meddojo.toml", "inventory.toml"):
            target = folder / name
            if target.exists() and not force:
                raise ConfigError(f"{target} is there already", "use --force to replace it")
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("meddojo.toml", "inventory.toml"):
            (folder / name).write_text(files("templates").joinpath(name).read_text("utf-8"), "utf-8")
            typer.echo(f"wrote {folder / name}")
        typer.echo("next: write your devices into inventory.toml, then: meddojo doctor; meddojo run")


def _report(outcome: Outcome, session: Session, as_json: bool, file: Path | None = None) -> None:
    from scheduler import markdown, summary

    markdown.write(markdown.of_outcome(outcome), file)
    if as_json:
        typer.echo(json.dumps(outcome.as_dict(), indent=2))
    else:
        summary.print_outcome(outcome, quiet=session.console.verbosity < 0)


schedule.register(app)
bundle.register(app)
vex.register(app)
lookup.register(app)
match.register(app)
sbom.register(app)
train.register(app)
imaging.register(app)


def main() -> None:
    """Entry point of the console script."""
    # Feeds make millions of small objects without cycles; looking for cycles less often saves a fifth of the time.
    gc.set_threshold(20_000, 20, 20)
    app()


if __name__ == "__main__":
    main()
