"""The whole imaging road on synthetic cases: wall time and peak memory of each command, one after the other.

synthesize, train 30 epochs on about 220 slices of 256 x 256, evaluate, uncertainty, compress, benchmark. Beside it, in
the same run, the ratio to the issue's bound of 30 minutes on two cores.

    python benchmarks/imaging_road.py --keep road
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
BOUND_MINUTES = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=80, help="patients of four slices; a fifth is the test")
    parser.add_argument("--size", type=int, default=256, help="rows and columns")
    parser.add_argument("--filters", type=int, default=8, help="of the first level")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--keep", type=Path, help="folder to work in, kept afterwards")
    arguments = parser.parse_args()
    if importlib.util.find_spec("tf_keras") is None:
        print("not measured, missing: tf_keras (pip install 'meddojo[imaging]')")
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        cases, run, small = (str(folder / name) for name in ("cases", "run", "compressed"))
        size = ["--size", str(arguments.size)]
        network = ["--filters", str(arguments.filters), "--batch", "8", "--changes", "mild"]
        network += ["--epochs", str(arguments.epochs), "--patience", str(arguments.epochs)]
        road = [
            ["synthesize", "--out", cases, "--cases", str(arguments.cases), *size],
            ["train", "--data", cases, "--out", run, *size, *network],
            ["evaluate", run, "--data", cases],
            ["uncertainty", run, "--data", cases, "--out", str(folder / "uncertainty")],
            ["compress", run, "--data", cases, "--prune", "0.7", "--int8", "--out", small],
            ["benchmark", small, "--data", cases, "--threads", "1,2"],
        ]
        spent = [measured(command, folder / f"{command[0]}.txt") for command in road]
    print(f"\n{arguments.cases} cases, {arguments.size} x {arguments.size}, {os.cpu_count()} cores")
    for command, (seconds, mebibytes) in zip(road, spent, strict=True):
        print(f"{command[0]:<12}{seconds:8.1f} s{mebibytes:8.0f} MiB at its peak")
    total = sum(seconds for seconds, _ in spent) / 60
    peak = max(mebibytes for _, mebibytes in spent)
    print(
        f"{'together':<12}{total:8.1f} min, {total / BOUND_MINUTES:.2f} of the bound of {BOUND_MINUTES}; {peak:.0f} MiB"
    )


def measured(command: list[str], told: Path) -> tuple[float, float]:
    """Run a command of ``meddojo imaging``, show what it says, and return its seconds and peak memory in MiB."""
    begun = time.perf_counter()
    with told.open("w") as file:
        process = os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "scheduler.cli", "imaging", *command],
            os.environ | {"PYTHONPATH": str(REPOSITORY)},
            file_actions=[(os.POSIX_SPAWN_DUP2, file.fileno(), descriptor) for descriptor in (1, 2)],
        )
        _, status, used = os.wait4(process, 0)
    seconds = time.perf_counter() - begun
    print(f"== meddojo imaging {' '.join(command)}\n{told.read_text()[-3000:]}", flush=True)
    assert os.waitstatus_to_exitcode(status) == 0, f"{command[0]} failed"
    return seconds, used.ru_maxrss / 1024


if __name__ == "__main__":
    main()
