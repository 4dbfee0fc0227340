"""Reading in a process of its own: what a hostile file can do there ends with that process."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from meddojo.bulletin import BulletinFormat
from meddojo.errors import InputError

TIME_LIMIT_SECONDS = 90.0
_MODULE = "connectors.scans.bulletin.child"


def read_confined(
    kind: BulletinFormat, data: bytes, origin: str, seconds: float = TIME_LIMIT_SECONDS
) -> tuple[str, str]:
    """Title and text of an HTML page or a PDF.

    Parameters
    ----------
    seconds
        How long the reading may take.

    Raises
    ------
    InputError
        If the file cannot be read, or not within the limits on time and memory (`child.MEMORY_BYTES`).
    """
    # -P: nothing is imported from the working directory. The environment may hold secrets: it is not handed on.
    command = [sys.executable, "-P", "-m", _MODULE, kind.value]
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        ended = subprocess.run(  # noqa: S603 - our own interpreter and module
            command, input=data, capture_output=True, env=environment, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise InputError(
            origin, "", f"takes longer than {seconds:g} s to read", "print it to a new PDF, or save its text"
        ) from None
    try:
        answer = json.loads(ended.stdout)
    except ValueError:
        cause = f"reading the {kind.value} ended with {_end(ended.returncode)}"
        raise InputError(origin, "", cause, "print it to a new PDF, or save its text") from None
    if "cause" in answer:
        hint = answer.get("hint", "print it to a new PDF, or save its text")
        raise InputError(origin, answer.get("position", ""), answer["cause"], hint)
    return answer["title"], answer["text"]


def _end(code: int) -> str:
    return f"signal {-code} (too much time or memory)" if code < 0 else f"exit code {code}"
