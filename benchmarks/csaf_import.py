"""All real CSAF documents of ../shared/data: parsed, stored, and their signatures verified.

The floor is `json.loads` of the same bytes, timed in the same run: what no reader of JSON can undercut.

    python benchmarks/csaf_import.py
"""

from __future__ import annotations

import hashlib
import json
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pysequoia

from connectors.feeds.csaf import build
from connectors.feeds.csaf.integrity import fault_of
from connectors.feeds.csaf.openpgp import KeyRing, read_keys
from connectors.feeds.csaf.policy import PROVIDER_POLICY
from connectors.reading import read_lines
from meddojo.advisory import Advisory
from meddojo.config import FeedConfig
from meddojo.interface import Skipped
from meddojo.store import Store
from scheduler.intake import record_keys

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
FILES = [SHARED / f"cisa_csaf_{name}.jsonl.zst" for name in ("icsma", "icsa")]
BATCH = 1000


def main() -> None:
    if not all(file.is_file() for file in FILES):
        print("skipped: the real data folder ../shared/data is not on this machine")
        return
    seconds, peak, before = _import()
    lines = [line[1] for file in FILES for line in read_lines(file) if not isinstance(line, Skipped)]
    print(f"{len(lines):,} documents, {sum(map(len, lines)) / 1e6:,.1f} MB of JSON")
    with _timed() as floor:
        for line in lines:
            json.loads(line)
    print(f"floor: json.loads         {floor[0]:6.2f} s")
    for name, spent in seconds.items():
        print(f"{name:<25} {spent:6.2f} s   {spent / floor[0]:5.1f} x the floor")
    print(f"peak memory of the import {peak:6,.0f} MiB, {before:,.0f} MiB of them before it began")
    _verify(lines, floor[0])


def _import() -> tuple[dict[str, float], float, float]:
    """Read everything as the feed does and store it as a run does; seconds, peak memory and that of the start."""
    before = _peak()
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, Store(f"sqlite:///{folder}/store.db") as store:
        with _timed() as reading:
            read = sum(isinstance(item, Advisory) for item in _documents())
        seconds["parsed"] = reading[0]
        with _timed() as whole:
            stored = _store(store)
        seconds["parsed, indexed, stored"] = whole[0]
        with _timed() as again:
            unchanged = _store(store)
        seconds["the same once more"] = again[0]
        assert (read, stored, unchanged) == (2025, 2025, 0)
    return seconds, _peak(), before


def _store(store: Store) -> int:
    """How many advisories were new to the store."""
    new, batch = 0, []
    for item in _documents():
        batch.append(item)
        if len(batch) == BATCH:
            new += store.records.commit("csaf", batch, record_keys)
            batch = []
    return new + store.records.commit("csaf", batch, record_keys)


def _verify(lines: list[bytes], floor: float) -> None:
    """What SHA-512 and an RSA signature of 4,096 bits cost for every document, the network left out."""
    key = pysequoia.Tsk.generate("Benchmark", cipher_suite=pysequoia.CipherSuite.RSA4k)
    ring = KeyRing(read_keys(str(key.extract_certificate()).encode(), "key"))
    beside = {}
    for number, line in enumerate(lines):
        beside[f"{number}.sha512"] = hashlib.sha512(line).hexdigest().encode()
        beside[f"{number}.asc"] = pysequoia.sign(key.signer(), line, mode=pysequoia.SignatureMode.DETACHED)
    now = datetime.now(UTC)
    with _timed() as spent:
        for number, line in enumerate(lines):
            fault = fault_of(line, (f"{number}.sha512",), f"{number}.asc", beside.get, PROVIDER_POLICY, ring, now)
            assert not fault, fault
    print(f"hashes and signatures     {spent[0]:6.2f} s   {spent[0] / floor:5.1f} x the floor, on top")


def _documents() -> Iterator[Advisory]:
    for file in FILES:
        for item in build(FeedConfig(source=str(file))).update(None):
            if isinstance(item, Advisory):
                yield item


@contextmanager
def _timed() -> Iterator[list[float]]:
    """A list that holds the seconds of the block after it."""
    spent: list[float] = []
    start = time.perf_counter()
    yield spent
    spent.append(time.perf_counter() - start)


def _peak() -> float:
    """Peak memory of this process in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
