"""What a person sees: progress bars on a terminal, plain lines in CI, nothing but the result with ``--json``."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

_LINE_EVERY_SECONDS = 15.0


class Console:
    """Messages on standard error, so that standard output holds results only.

    Parameters
    ----------
    verbosity
        -1 errors only, 0 normal, 1 and more with details.
    """

    def __init__(self, verbosity: int = 0) -> None:
        self.verbosity = verbosity
        self._rich: RichConsole | None = None

    @property
    def rich(self) -> RichConsole:
        """The terminal, with colour if it is one."""
        if self._rich is None:
            from rich.console import Console as RichConsole

            self._rich = RichConsole(stderr=True, highlight=False, soft_wrap=True)
        return self._rich

    @property
    def interactive(self) -> bool:
        """True on a terminal that is not a CI log."""
        return sys.stderr.isatty() and not os.environ.get("CI") and self.verbosity >= 0

    def say(self, text: str) -> None:
        """A step done, or its result."""
        if self.verbosity >= 0:
            self.rich.print(text, markup=False)

    def detail(self, text: str) -> None:
        """Something only ``-v`` shows."""
        if self.verbosity > 0:
            self.rich.print(text, markup=False, style="dim")

    def warn(self, text: str) -> None:
        """Something a person should look at."""
        self.rich.print(f"warning: {text}", markup=False, style="yellow")

    def error(self, text: str) -> None:
        """Why the command failed."""
        self.rich.print(f"error: {text}", markup=False, style="bold red")

    @contextmanager
    def track(self, label: str, total: int | None = None) -> Iterator[Callable[[str], None]]:
        """Show the progress of `total` steps; the yielded function is called at each, with its name."""
        if self.verbosity < 0:
            yield lambda _: None
        elif self.interactive:
            with self._bar(label, total) as advance:
                yield advance
        else:
            yield self._lines(label, total)

    @contextmanager
    def _bar(self, label: str, total: int | None) -> Iterator[Callable[[str], None]]:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.rich, transient=True) as progress:
            task = progress.add_task(label, total=total)
            yield lambda _: progress.advance(task)

    def _lines(self, label: str, total: int | None) -> Callable[[str], None]:
        done, last = 0, time.monotonic()

        def advance(name: str) -> None:
            nonlocal done, last
            done += 1
            if time.monotonic() - last >= _LINE_EVERY_SECONDS:
                last = time.monotonic()
                self.say(f"{label}: {done:,}{f' of {total:,}' if total else ''} ({name})")

        return advance
