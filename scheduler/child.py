"""The command ``meddojo`` as a child process that does not outlive its parent.

Standard input is a pipe whose other end only the parent holds: when the parent dies, however it dies, it is closed.
Without that, a run whose scheduler was killed would go on beside the run of the scheduler that took over.
"""

from __future__ import annotations

import os
import signal
import threading

_STDIN = 0


def main() -> None:
    """Walk the command line as ``meddojo`` does, for as long as the parent lives."""
    die_with_parent()
    from scheduler.cli import main as meddojo

    meddojo()


def die_with_parent() -> None:
    """End this process, and the group it leads, as soon as standard input is closed."""
    threading.Thread(target=_end_with_parent, name="lifeline", daemon=True).start()


def _end_with_parent() -> None:
    while os.read(_STDIN, 1):
        pass
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
