"""Run the stand-in on its own: ``python -m tests.standin --port 8899 --token secret --state state.json``."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path

from tests.standin.server import DefectDojoStandin


def main() -> None:
    """Serve until SIGTERM or SIGINT, then write the state file."""
    parser = argparse.ArgumentParser(prog="python -m tests.standin", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--token", default="", help="token of the administrator; a random one when left out")
    parser.add_argument("--state", type=Path, default=None, help="file the state is read from and written to")
    parser.add_argument("--upload-seconds", type=float, default=0.0, help="how long an upload takes at least")
    chosen = parser.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with DefectDojoStandin(port=chosen.port, token=chosen.token, state_file=chosen.state) as dojo:
        dojo.upload_seconds = chosen.upload_seconds
        print(f"{dojo.url} {dojo.token}", flush=True)
        stopped.wait()


if __name__ == "__main__":
    main()
