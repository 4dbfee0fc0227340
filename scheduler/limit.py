"""``--time-limit``: the same command again in a child process, and stopped when its time is over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from scheduler import markdown
from scheduler.console import Console
from scheduler.gate import ExitCode
from scheduler.session import errors_told
from scheduler.supervise import Ending, command, supervise


def limited(context: typer.Context, minutes: float, summary: Path | None, quiet: bool) -> int:
    """Run the command of `context` as a child without its ``--time-limit``, and end with its exit code."""
    console = Console(-1 if quiet else 0)
    with errors_told(console):
        ended = supervise(command(list(_words(context))), limit_seconds=minutes * 60.0)
        if ended.why is Ending.TIME_LIMIT:
            console.error(
                f"stopped after its time limit of {minutes:g} minutes\n"
                "  hint: what was committed stays, the next run goes on from there; or raise --time-limit"
            )
            markdown.write(markdown.of_stopped_run(minutes), summary)
            return int(ExitCode.UNDELIVERED)
    return ended.code if ended.code >= 0 else 128 - ended.code


def _words(context: typer.Context) -> Iterator[str]:
    """The command as it was given, without its time limit."""
    yield context.info_name or ""
    arguments: list[str] = []
    for parameter in context.command.params:
        value: Any = context.params.get(parameter.name or "")
        if parameter.name == "time_limit" or not value or value == parameter.default:
            continue
        if parameter.param_type_name == "argument":
            arguments += map(str, value)
        elif value is True:
            yield parameter.opts[0]
        elif parameter.name == "verbose":
            yield from [parameter.opts[0]] * int(value)
        else:
            yield from (parameter.opts[0], str(value))
    if arguments:
        yield from ("--", *arguments)
