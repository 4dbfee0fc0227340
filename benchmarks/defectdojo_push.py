"""Pushing one device with 1,000 findings to DefectDojo: requests, seconds and findings per second.

Runs against the stand-in of the tests and, where DEFECTDOJO_PARITY_URL and DEFECTDOJO_PARITY_TOKEN name one, against a
real server, under a product type and test type of its own. The plain alternative, measured in the same run, is a
script that imports each finding by a request of its own and remembers nothing.

    python benchmarks/defectdojo_push.py --findings 1000
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from connectors.sinks.defectdojo.client import SCAN_TYPE
from connectors.sinks.generic_findings import row
from meddojo.finding import Finding
from meddojo.severity import Severity
from tests.connectors.sinks.defectdojo_ward import Ward, finding
from tests.standin import DefectDojoStandin

ALTERNATIVE = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--findings", type=int, default=1000, help="size of the stream")
    count = parser.parse_args().findings
    with DefectDojoStandin() as dojo:
        measure("stand-in", dojo.url, dojo.token, count)
    url, token = os.environ.get("DEFECTDOJO_PARITY_URL"), os.environ.get("DEFECTDOJO_PARITY_TOKEN")
    if url and token:
        measure("real server", url, token, count)
    else:
        print("real server: not measured; set DEFECTDOJO_PARITY_URL and DEFECTDOJO_PARITY_TOKEN")


def measure(name: str, url: str, token: str, count: int) -> None:
    """Four days of one device, then the alternative."""
    with tempfile.TemporaryDirectory() as folder:
        ward = Ward(Path(folder), url, token, f" {uuid.uuid4().hex[:8]}", timeout_seconds=1800.0)
        first = [finding(number) for number in range(count)]
        share = max(1, count // 100)
        changed = [finding(number, Severity.CRITICAL) for number in range(share, 6 * share)]
        changed += [finding(number) for number in range(6 * share, count + share)]
        print(f"{name}, {count:,} findings of one device")
        seconds = push(ward, "first push", first)
        push(ward, "unchanged", first)
        push(ward, f"{share} gone, {share} new, {5 * share} re-scored", changed)
        push(ward, "every EPSS moved", [replace(each, epss=finding(1, epss=0.2).epss) for each in changed])
        one_by_one(ward, first, seconds)
        ward.close()


def push(ward: Ward, label: str, findings: Sequence[Finding]) -> float:
    """One run of the sink: listen and deliver."""
    began = time.perf_counter()
    done = ward.push(*findings)
    seconds = time.perf_counter() - began
    counts = f"{done.created} created, {done.closed} closed, {done.patched} patched, {done.untouched} untouched"
    print(f"{told(label, done.requests, seconds, len(findings))}  ({counts})")
    return seconds


def one_by_one(ward: Ward, findings: Sequence[Finding], first_push: float) -> None:
    """The alternative: import-scan with one finding per request."""
    settings = ward.config.defectdojo
    chosen = findings[:ALTERNATIVE]
    form = {
        "scan_type": SCAN_TYPE,
        "auto_create_context": "true",
        "product_type_name": settings.product_type,
        "product_name": f"one by one {ward.device.id}",
        "engagement_name": settings.engagement,
    }
    began = time.perf_counter()
    for each in chosen:
        report = json.dumps({"findings": [row(each, ward.device)]}).encode()
        ward.api("POST", "import-scan/", data=form, files={"file": ("one.json", report)})
    seconds = time.perf_counter() - began
    whole = seconds * len(findings) / len(chosen)
    print(
        f"{told('one import per finding', len(chosen), seconds, len(chosen))}  (of {len(chosen)}; extrapolated "
        f"to {len(findings):,}: {whole:.0f} s, {whole / first_push:.1f} times the first push; a repetition doubles all)"
    )


def told(label: str, requests: int, seconds: float, findings: int) -> str:
    return f"  {label:32} {requests:5,} requests {seconds:7.1f} s {findings / seconds:8,.0f} findings/s"


if __name__ == "__main__":
    main()
