"""NVD synchronisation at full size, from a synthetic server on loopback, without the limiter.

Prints wall time, processor time and peak memory of the first synchronisation of all records into an SQLite store and
of one day's changes, and the ratio of their processor time to the floor of the same run: `json.loads` of these bytes.

    python benchmarks/nvd_sync.py --records 340000
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
SERVER = REPOSITORY / "tests" / "connectors" / "feeds" / "nvd_server.py"
CHANGED = 1500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=340_000, help="how many the server has")
    parser.add_argument("--store", default="", help="URL of an empty store; by default an SQLite file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, served(arguments.records) as (address, tell):
        store = arguments.store or f"sqlite:///{folder}/nvd.db"
        floor, size = floor_of(address)
        print(
            f"{arguments.records:,} records, {size / 1e6:,.0f} MB of JSON; json.loads of it: {floor:.1f} s of processor"
        )
        show("first synchronisation", synchronise(store, address), floor)
        # A synchronisation reads up to the second it began in; what changes within that second is the next one's.
        tell(f"change {CHANGED} {(datetime.now(UTC) - timedelta(minutes=1)).isoformat()}")
        show(f"a day of {CHANGED:,} changes", synchronise(store, address), floor * CHANGED / arguments.records)


@contextmanager
def served(records: int) -> Iterator[tuple[str, Any]]:
    """The synthetic server in a process of its own."""
    command = [sys.executable, str(SERVER), str(records)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin and server.stdout

        def tell(order: str) -> None:
            server.stdin.write(order + "\n")
            server.stdin.flush()
            server.stdout.readline()

        try:
            yield server.stdout.readline().strip(), tell
        finally:
            server.stdin.close()


def floor_of(address: str) -> tuple[float, int]:
    """Seconds and bytes of the pages of a whole synchronisation, merely decoded."""
    import connectors.feeds.nvd.api as api
    from connectors.feeds.nvd import build
    from connectors.feeds.nvd.live import update_live
    from meddojo.config import FeedConfig

    seconds, size = 0.0, 0
    parse = api.parse_json

    def measured(data: bytes, origin: str) -> Any:
        nonlocal seconds, size
        began = time.process_time()
        document = json.loads(data)
        seconds += time.process_time() - began
        size += len(data)
        return document

    api.parse_json = measured
    feed = build(FeedConfig(source=address, options={"requests_per_30_seconds": 0}))
    for _ in update_live(feed.api, None, datetime.now(UTC), feed.overlap):
        pass
    api.parse_json = parse
    return seconds, size


def synchronise(store: str, address: str) -> dict[str, float]:
    """One run of the feed in a fresh process."""
    command = [sys.executable, __file__, "--pull", store, address]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def pull(store_url: str, address: str) -> None:
    """The feed into the store, as `meddojo pull` does it, measured."""
    import connectors.feeds.nvd.api as api
    from meddojo.config import FeedConfig
    from meddojo.store import Store
    from scheduler.console import Console
    from scheduler.intake import pull_feed

    waited = 0.0
    send = api.PoliteSession.send

    def timed(self: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal waited
        began, busy = time.perf_counter(), time.process_time()
        try:
            return send(self, *arguments, **options)
        finally:
            waited += time.perf_counter() - began - (time.process_time() - busy)

    api.PoliteSession.send = timed
    began, before = time.perf_counter(), time.process_time()
    with Store(store_url) as store:
        options = {"requests_per_30_seconds": 0}
        reading = pull_feed("nvd", FeedConfig(source=address, options=options), store, Console(-1))
    print(
        json.dumps(
            {
                "wall": time.perf_counter() - began,
                "waited": waited,
                "busy": time.process_time() - before,
                "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "changed": reading.changed,
                "problem": reading.problem,
            }
        )
    )


def show(label: str, result: dict[str, float], floor: float) -> None:
    local = result["wall"] - result["waited"]
    print(
        f"{label}: {result['changed']:,} records changed in {local:.1f} s of local work ({result['wall']:.1f} s "
        f"with waiting, {result['busy']:.1f} s of processor), peak {result['peak']:,.0f} MiB; "
        f"{result['busy'] / floor:.1f} x the floor" + (f"; problem: {result['problem']}" if result["problem"] else "")
    )


if __name__ == "__main__":
    if "--pull" in sys.argv:
        pull(*sys.argv[2:])
    else:
        main()
