"""What the commands share: their common options, an open store, and errors as messages and exit codes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from meddojo.errors import ConfigError, InputError, MeddojoError, TransientError
from meddojo.severity import Severity
from scheduler.console import Console
from scheduler.gate import ExitCode

if TYPE_CHECKING:
    from meddojo.config import Config
    from meddojo.store import Store

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
TimeLimitOption = Annotated[
    float | None,
    typer.Option("--time-limit", metavar="MINUTES", min=0.01, help="Stop, with exit code 4, after so long"),
]
SummaryOption = Annotated[
    Path | None, typer.Option("--summary", metavar="FILE", help="Write a summary as Markdown into this file")
]


@dataclass(frozen=True, slots=True)
class Session:
    """What every command works with."""

    config: Config
    store: Store
    console: Console


@contextmanager
def open_session(
    path: Path | None, verbose: int, quiet: bool, fail_on: str = "", *, may_be_unconfigured: bool = False
) -> Iterator[Session]:
    """Read the configuration and open the store.

    Parameters
    ----------
    may_be_unconfigured
        Where nothing is configured, work with an empty store in memory instead of making one on disk.
    """
    from meddojo.config import Config, load_config
    from meddojo.store import Store

    console = Console(-1 if quiet else verbose)
    with errors_told(console):
        config = load_config(path)
        if fail_on:
            severity = Severity.parse(fail_on)
            if severity is None:
                names = ", ".join(each.value for each in Severity)
                raise ConfigError(f"--fail-on {fail_on!r} is no severity", f"use one of {names}")
            delivery = config.delivery.model_copy(update={"fail_on": severity})
            config = config.model_copy(update={"delivery": delivery})
        bare = may_be_unconfigured and config.store == Config().store
        with Store("sqlite://" if bare else config.store.url) as store:
            yield Session(config, store, console)


@contextmanager
def errors_told(console: Console) -> Iterator[None]:
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
