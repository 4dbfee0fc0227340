"""Errors as types: terminal ones need a person, transient ones need patience.

Every message says what happened and what to do next.
"""

from __future__ import annotations


class MeddojoError(Exception):
    """Base of every error the suite raises on purpose.

    Parameters
    ----------
    message
        What happened, in one sentence.
    hint
        What the reader can do about it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\n  hint: {hint}" if hint else message)
        self.message = message
        self.hint = hint


class TerminalError(MeddojoError):
    """Trying again changes nothing: a person has to act first."""


class ConfigError(TerminalError):
    """The configuration or the command line is wrong (exit code 2)."""


class InputError(TerminalError):
    """A file, document or record cannot be read.

    Parameters
    ----------
    origin
        The file, member of an archive, or URL.
    position
        Where in it: ``line 3, column 7``, ``record 12``, ``/vulnerabilities/0/cve``. May be empty.
    cause
        What is wrong there.
    """

    def __init__(self, origin: str, position: str, cause: str, hint: str = "") -> None:
        where = f"{origin}: {position}" if position else origin
        super().__init__(f"{where}: {cause}", hint)
        self.origin = origin
        self.position = position
        self.cause = cause


class RemoteError(TerminalError):
    """A server refused the request, and would refuse it again."""


class TransientError(MeddojoError):
    """The same call may succeed later: a time-out, a 429, a 5xx, a lock held elsewhere."""
