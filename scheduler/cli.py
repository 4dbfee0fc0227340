"""The command ``meddojo``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from meddojo import __version__
from meddojo.errors import ConfigError, InputError, MeddojoError, TransientError
from meddojo.severity import Severity
from scheduler.console import Console
from scheduler.gate import ExitCode

if TYPE_CHECKING:
    from meddojo.config import Config
    from meddojo.store import Store
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

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", envvar="MEDDOJO_CONFIG", help="Configuration file [default: meddojo.toml]"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output")]
VerboseOption = Annotated[int, typer.Option("--verbose", "-v", count=True, help="Say more")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Say only what went wrong")]
FailOnOption = Annotated[
    str, typer.Option("--fail-on", metavar="SEVERITY", help="Exit with 1 on an undecided finding at least this severe")
]
ShrinkOption = Annotated[
    bool, typer.Option("--accept-shrink", help="Take shrunken streams for true, and close what is gone")
]


@dataclass(frozen=True, slots=True)
class Session:
    """What every command works with."""

    config: Config
    store: Store
    console: Console


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
    config: ConfigOption = None,
    fail_on: FailOnOption = "",
    accept_shrink: ShrinkOption = False,
    offline: Annotated[bool, typer.Option("--offline", help="Judge what the store holds; ask no feed")] = False,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Update the feeds, judge every device, deliver findings to the report and to DefectDojo."""
    from scheduler import pipeline

    with _session(config, verbose, quiet, fail_on) as session:
        outcome = pipeline.run(
            session.config, session.store, session.console, pull=not offline, accept_shrink=accept_shrink
        )
        _report(outcome, session, as_json)
    raise typer.Exit(int(outcome.code))


@app.command(
    "import",
    epilog="Examples: `meddojo import advisory.json`  ·  `meddojo import report.grype.json --device infusion-gateway`",
)
def import_(
    files: Annotated[list[Path], typer.Argument(help="CSAF, NVD, KEV, EPSS, Grype, CycloneDX or SPDX files")],
    device: Annotated[str, typer.Option("--device", "-d", help="Device an SBOM or scan report belongs to")] = "",
    config: ConfigOption = None,
    store_only: Annotated[bool, typer.Option("--store-only", help="Keep the data; judge and deliver later")] = False,
    fail_on: FailOnOption = "",
    accept_shrink: ShrinkOption = False,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Take in files by hand, whatever their kind, then judge and deliver."""
    from scheduler import pipeline

    with _session(config, verbose, quiet, fail_on) as session:
        problems = pipeline.import_files(session.config, session.store, session.console, files, device)
        code = ExitCode.INCOMPLETE if problems else ExitCode.CLEAN
        if not store_only:
            outcome = pipeline.run(
                session.config, session.store, session.console, pull=False, accept_shrink=accept_shrink
            )
            _report(outcome, session, as_json)
            code = outcome.code or code
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

    with _session(config, verbose, quiet, fail_on) as session:
        outcome = pipeline.push(session.config, session.store, session.console)
        _report(outcome, session, as_json)
    raise typer.Exit(int(outcome.code))


@app.command(epilog="Examples: `meddojo status`  ·  `meddojo status --json`")
def status(
    config: ConfigOption = None, as_json: JsonOption = False, verbose: VerboseOption = 0, quiet: QuietOption = False
) -> None:
    """How each feed stands, when the last run was and how it ended."""
    from scheduler import summary

    with _session(config, verbose, quiet) as session:
        state = summary.status(session.store)
        typer.echo(json.dumps(state, indent=2)) if as_json else summary.print_status(state)


@app.command(epilog="Example: `meddojo doctor --config hospital.toml`")
def doctor(
    config: ConfigOption = None, as_json: JsonOption = False, verbose: VerboseOption = 0, quiet: QuietOption = False
) -> None:
    """Check configuration, feeds, store and DefectDojo, and say what to do."""
    from dataclasses import asdict

    from meddojo.config import load_config
    from scheduler import summary
    from scheduler.doctor import checks

    with _errors(Console(-1 if quiet else verbose)):
        found = list(checks(load_config(config)))
        typer.echo(json.dumps([asdict(check) for check in found], indent=2)) if as_json else summary.print_checks(found)
    raise typer.Exit(int(ExitCode.CLEAN if all(check.works for check in found) else ExitCode.USAGE))


@app.command(epilog="Example: `meddojo init && $EDITOR inventory.toml && meddojo doctor`")
def init(
    folder: Annotated[Path, typer.Argument(help="Where to write")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there")] = False,
) -> None:
    """Write a commented meddojo.toml and a first inventory.toml."""
    from importlib.resources import files

    with _errors(Console()):
        for name in ("meddojo.toml", "inventory.toml"):
            target = folder / name
            if target.exists() and not force:
                raise ConfigError(f"{target} is there already", "use --force to replace it")
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("meddojo.toml", "inventory.toml"):
            (folder / name).write_text(files("templates").joinpath(name).read_text("utf-8"), "utf-8")
            typer.echo(f"wrote {folder / name}")
        typer.echo("next: write your devices into inventory.toml, then: meddojo doctor; meddojo run")


@contextmanager
def _session(path: Path | None, verbose: int, quiet: bool, fail_on: str = "") -> Iterator[Session]:
    from meddojo.config import load_config
    from meddojo.store import Store

    console = Console(-1 if quiet else verbose)
    with _errors(console):
        config = load_config(path)
        if fail_on:
            severity = Severity.parse(fail_on)
            if severity is None:
                names = ", ".join(each.value for each in Severity)
                raise ConfigError(f"--fail-on {fail_on!r} is no severity", f"use one of {names}")
            delivery = config.delivery.model_copy(update={"fail_on": severity})
            config = config.model_copy(update={"delivery": delivery})
        with Store(config.store.url) as store:
            yield Session(config, store, console)


@contextmanager
def _errors(console: Console) -> Iterator[None]:
    """Turn errors into one clear message and the exit code that belongs to them."""
    try:
        yield
    except (ConfigError, InputError) as error:
        _fail(console, error, ExitCode.USAGE)
    except TransientError as error:
        _fail(console, error, ExitCode.INCOMPLETE)
    except MeddojoError as error:
        _fail(console, error, ExitCode.UNDELIVERED)
    except KeyboardInterrupt:
        console.error("interrupted; what was committed stays, the next run goes on from there")
        sys.exit(130)
    except Exception as error:
        # Left alone, it would exit with 1, which means that the gate tripped.
        if console.verbosity > 0:
            console.rich.print_exception(show_locals=False)
        console.error(
            f"unexpected {type(error).__name__}: {error}\n  hint: a fault of MedDojo; -v shows where, please report it"
        )
        sys.exit(int(ExitCode.UNDELIVERED))


def _fail(console: Console, error: MeddojoError, code: ExitCode) -> NoReturn:
    console.error(str(error))
    sys.exit(int(code))


def _report(outcome: Outcome, session: Session, as_json: bool) -> None:
    from scheduler import summary

    if as_json:
        typer.echo(json.dumps(outcome.as_dict(), indent=2))
    else:
        summary.print_outcome(outcome, quiet=session.console.verbosity < 0)


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
