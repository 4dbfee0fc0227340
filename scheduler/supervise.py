"""A command of MedDojo in a child process: watched, limited in time, stopped for certain."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

_POLL_SECONDS = 0.1
_LAST_LINES = 20


class Ending(StrEnum):
    """Why a child process ended."""

    FINISHED = "finished"
    TIME_LIMIT = "time limit"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child process ended.

    Attributes
    ----------
    code
        Its exit code; negative is the number of the signal that ended it.
    last_words
        Its last error message, or else its last line; empty where its output was not read.
    """

    code: int
    why: Ending
    seconds: float
    last_words: str = ""


def command(words: Sequence[str]) -> list[str]:
    """The program and its arguments, for `supervise`."""
    return [sys.executable, "-m", "scheduler.child", *words]


def supervise(
    words: Sequence[str],
    *,
    limit_seconds: float,
    kill_grace_seconds: float = 10.0,
    stop: Callable[[], bool] = lambda: False,
    relay: Callable[[str], None] | None = None,
) -> Ended:
    """Run a command to its end, to its time limit or until it is told to stop.

    Parameters
    ----------
    words
        What `command` made.
    kill_grace_seconds
        Between asking it to end (SIGTERM) and ending it (SIGKILL).
    stop
        Asked ten times a second.
    relay
        Takes each line the command prints; None lets it print on its own.
    """
    started = time.monotonic()
    output = subprocess.PIPE if relay else None
    child = subprocess.Popen(  # noqa: S603
        list(words),
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT if relay else None,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        encoding="utf-8",
        errors="replace",
        # A Ctrl-C on the terminal is the parent's to handle.
        start_new_session=True,
    )
    lines: deque[str] = deque(maxlen=_LAST_LINES)
    reader = threading.Thread(target=_read, args=(child, lines, relay), name="reader", daemon=True)
    if relay:
        reader.start()
    try:
        why = _wait(child, started + limit_seconds, stop)
    finally:
        _end(child, kill_grace_seconds)
        if child.stdin:
            child.stdin.close()
    if relay:
        reader.join(kill_grace_seconds)
    if child.stdout:
        child.stdout.close()
    return Ended(child.returncode, why, time.monotonic() - started, _last_words(lines))


def _wait(child: subprocess.Popen[str], deadline: float, stop: Callable[[], bool]) -> Ending:
    while True:
        try:
            child.wait(_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            if time.monotonic() >= deadline:
                return Ending.TIME_LIMIT
            if stop():
                return Ending.STOPPED
        else:
            return Ending.FINISHED


def _end(child: subprocess.Popen[str], grace_seconds: float) -> None:
    """Ask the child to end, then end it and whatever it started."""
    if child.poll() is None:
        _signal(child, signal.SIGTERM)
        try:
            child.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            _signal(child, signal.SIGKILL)
    child.wait()
    _signal(child, signal.SIGKILL)


def _signal(child: subprocess.Popen[str], number: signal.Signals) -> None:
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        return


def _read(child: subprocess.Popen[str], lines: deque[str], relay: Callable[[str], None]) -> None:
    for line in child.stdout or ():
        text = line.rstrip()
        if text:
            lines.append(text)
            relay(text)


def _last_words(lines: Sequence[str]) -> str:
    errors = [line for line in lines if line.startswith("error:")]
    return (errors or list(lines) or [""])[-1]
