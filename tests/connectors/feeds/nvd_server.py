"""A synthetic NVD: the answers of its API 2.0 on loopback, any number of records, and trouble by script.

Records are made from their number when they are asked for; only their modification times are held. As a program it
serves until its standard input ends:

    python tests/connectors/feeds/nvd_server.py 340000
"""

from __future__ import annotations

import bisect
import json
import random
import sys
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PATH = "/rest/json/cves/2.0"
NOW = datetime(2024, 12, 1, tzinfo=UTC)
MASS_CHANGE = datetime(2024, 11, 20, 20, tzinfo=UTC)
"""NVD touches most of its records within hours now and then."""
_FIRST = datetime(2004, 1, 1, tzinfo=UTC)
_STATES = ("Deferred", "Deferred", "Deferred", "Modified", "Analyzed", "Awaiting Analysis", "Deferred", "Rejected")
_WORDS = (
    "a flaw in the of firmware allows remote attackers to execute arbitrary code via crafted request when parsing "
    "headers improper validation of input buffer overflow in component leads denial service local user may escalate "
    "privileges because memory is freed twice cross-site scripting parameter SQL injection administrator session "
    "before version affected by this issue has been fixed upstream vendor was contacted early about disclosure"
).split()
_V31 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:{0}/I:{1}/A:{2}"


@dataclass(frozen=True)
class Trouble:
    """What goes wrong with one request.

    `kind` is ``status`` (with `status` and `headers`), ``truncated``, ``dropped``, ``html`` or ``total``
    (`status` more records than there are); ``change`` answers well after record `status` was modified.
    """

    kind: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)


class SyntheticNvd:
    """`total` records, the same for the same seed; lean ones hold little beside their id and one product."""

    def __init__(self, total: int, seed: int = 2026, lean: bool = False) -> None:
        dice = random.Random(seed)
        self.seed = seed
        self.lean = lean
        self.trouble: dict[int, Trouble] = {}
        self.before_answer: Callable[[int], None] = lambda number: None
        self.queries: list[dict[str, str]] = []
        self.arrivals: list[float] = []
        self.url = ""
        self._lock = threading.Lock()
        self._selected: tuple[tuple[str, str], list[int]] | None = None
        # Half were modified in the mass change, the others at any time.
        span, burst = (NOW - _FIRST).total_seconds(), MASS_CHANGE.timestamp()
        self._modified = array(
            "d",
            (
                round(burst + dice.random() * 14_400, 3)
                if dice.random() < 0.5
                else round(_FIRST.timestamp() + dice.random() * span, 3)
                for _ in range(total)
            ),
        )

    @property
    def total(self) -> int:
        """How many records there are."""
        return len(self._modified)

    def modified(self, number: int) -> datetime:
        """When a record was modified last."""
        return datetime.fromtimestamp(self._modified[number], UTC)

    def change(self, number: int, moment: datetime) -> None:
        """Modify a record."""
        with self._lock:
            self._modified[number] = moment.timestamp()
            self._selected = None

    def answer(self, query: dict[str, str]) -> bytes:
        """A page, as NVD writes it."""
        window = query.get("lastModStartDate", ""), query.get("lastModEndDate", "")
        begin, end = (datetime.fromisoformat(text) for text in window)
        assert end - begin <= timedelta(days=120) and begin.tzinfo and end.tzinfo
        size, index = int(query["resultsPerPage"]), int(query["startIndex"])
        assert size <= 2000
        with self._lock:
            if self._selected is None or self._selected[0] != window:
                first, last = begin.timestamp(), end.timestamp()
                chosen = [number for number, moment in enumerate(self._modified) if first <= moment <= last]
                self._selected = (window, chosen)
            chosen = self._selected[1]
        numbers = chosen[index : index + size]
        head = {
            "resultsPerPage": len(numbers),
            "startIndex": index,
            "totalResults": len(chosen),
            "format": "NVD_CVE",
            "version": "2.0",
            "timestamp": "2024-12-01T00:00:00.000",
        }
        records = b",".join(b'{"cve":' + self.record(number) + b"}" for number in numbers)
        return json.dumps(head)[:-1].encode() + b',"vulnerabilities":[' + records + b"]}"

    def record(self, number: int) -> bytes:
        """The text of one record."""
        modified = self.modified(number).isoformat(timespec="milliseconds")[:-6]
        if self.lean:
            body = (
                f'"vulnStatus":"Deferred","configurations":{_configurations("acme", f"pump{number % 50}", 1, number)}}}'
            )
        else:
            body = _body(number, self.seed)
        return f'{{"id":"{cve(number)}","lastModified":"{modified}",{body}'.encode()


def cve(number: int) -> str:
    """The CVE id of a record."""
    return f"CVE-{1999 + number // 15_000}-{1000 + number % 15_000}"


def _body(number: int, seed: int) -> str:
    """A record without id and modification date, shaped and sized like NVD's: 3 kB on average, a few of 30."""
    dice = random.Random(number * 1_000_003 + seed)
    state = _STATES[int(dice.random() * len(_STATES))]
    if state == "Rejected":
        said = _texts(number % 997)
        return f'"vulnStatus":"Rejected","published":"2020-01-01T00:00:00.000","descriptions":{said},"metrics":{{}}}}'
    product = int(30_000 * dice.random() ** 3)
    vendor = f"vendor{product % 4001}"
    name = f"{_WORDS[product % len(_WORDS)]}_{_WORDS[product // 7 % len(_WORDS)]}_{product}".lower()
    parts = [
        f'"sourceIdentifier":"security@{vendor}.example","published":"{2000 + number % 26}-03-01T10:15:08.107",'
        f'"vulnStatus":"{state}","cveTags":[],"descriptions":{_texts(number % 997)}',
        f'"metrics":{_metrics(number % 108).replace("VENDOR", vendor)}',
        '"weaknesses":[{"source":"nvd@nist.gov","type":"Primary","description":[{"lang":"en","value":"CWE-'
        f'{20 + number % 900}"}}]}}]',
        f'"affected":{_affected(vendor, name, number % 40)}' if number % 3 else '"affected":[]',
        f'"references":{_references(number, vendor)}',
    ]
    if state in ("Analyzed", "Modified") or number % 2:
        matches = 60 if number % 211 == 0 else 1 + number % 7
        parts.append(f'"configurations":{_configurations(vendor, name, matches, number)}')
    if number % 230 == 7:
        parts.append(
            '"cisaExploitAdd":"2022-03-03","cisaActionDue":"2022-03-24","cisaRequiredAction":"Apply updates.",'
            f'"cisaVulnerabilityName":"{name} flaw"'
        )
    return ",".join(parts) + "}"


@cache
def _texts(number: int) -> str:
    dice = random.Random(number)
    english = " ".join(dice.choice(_WORDS) for _ in range(20 + number % 60))
    spanish = " ".join(dice.choice(_WORDS) for _ in range(20 + number % 60))
    return json.dumps(
        [{"lang": "en", "value": english}, {"lang": "es", "value": f"{spanish} ñ"}], separators=(",", ":")
    )


@cache
def _metrics(number: int) -> str:
    parts = [_V31.format(*("HLN"[number // power % 3] for power in (1, 3, 9)))]
    data = {
        "version": "3.1",
        "vectorString": parts[0],
        "baseScore": 3.0 + number % 7,
        "baseSeverity": "HIGH",
        "attackVector": "NETWORK",
        "attackComplexity": "LOW",
        "privilegesRequired": "NONE",
        "userInteraction": "NONE",
        "scope": "UNCHANGED",
        "confidentialityImpact": "HIGH",
        "integrityImpact": "HIGH",
        "availabilityImpact": "HIGH",
    }
    rated = [{"source": "nvd@nist.gov", "type": "Primary", "cvssData": data, "exploitabilityScore": 3.9}]
    metrics: dict[str, Any] = {"cvssMetricV31": [*rated, {**rated[0], "source": "security@VENDOR.example"}]}
    if number % 2:
        old = {"version": "2.0", "vectorString": "AV:N/AC:L/Au:N/C:P/I:P/A:P", "baseScore": 7.5}
        metrics["cvssMetricV2"] = [{"source": "nvd@nist.gov", "type": "Primary", "cvssData": old}]
    if number % 9 == 0:
        new = {"version": "4.0", "vectorString": "CVSS:4.0/AV:N/AC:L", "baseScore": 9.3, "baseSeverity": "CRITICAL"}
        metrics["cvssMetricV40"] = [{"source": "cna@x.example", "type": "Secondary", "cvssData": new}]
    return json.dumps(metrics, separators=(",", ":"))


def _affected(vendor: str, name: str, version: int) -> str:
    return (
        f'[{{"source":"security@{vendor}.example","affectedData":[{{"vendor":"{vendor}","product":"{name}",'
        f'"defaultStatus":"unaffected","versions":[{{"version":"0","lessThan":"{version}.{version % 10}",'
        '"versionType":"semver","status":"affected"}]}]}]'
    )


def _references(number: int, vendor: str) -> str:
    links = (
        f'{{"url":"https://{vendor}.example/security/advisories/{number}/{step}?product=long-name&lang=en",'
        f'"source":"security@{vendor}.example","tags":["Vendor Advisory","Patch"]}}'
        for step in range(1 + number % 8)
    )
    return f"[{','.join(links)}]"


def _configurations(vendor: str, name: str, matches: int, number: int) -> str:
    names = (
        f'{{"vulnerable":true,"criteria":"cpe:2.3:a:{vendor}:{name}{f"_{step}" if step > 3 else ""}:*:*:*:*:*:*:*:*",'
        f'"versionEndExcluding":"{number % 30}.{step}","matchCriteriaId":"DD46362C-2338-4E63-8076-{number:012X}"}}'
        for step in range(matches)
    )
    return f'[{{"nodes":[{{"operator":"OR","negate":false,"cpeMatch":[{",".join(names)}]}}]}}]'


@contextmanager
def serving(nvd: SyntheticNvd) -> Iterator[SyntheticNvd]:
    """Serve on a free port of loopback; `nvd.url` tells where."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            nvd.arrivals.append(time.monotonic())
            parts = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            nvd.queries.append(query)
            number = len(nvd.queries)
            nvd.before_answer(number)
            self._respond(query, nvd.trouble.get(number))

        def _respond(self, query: dict[str, str], trouble: Trouble | None) -> None:
            kind = trouble.kind if trouble else ""
            if trouble and kind == "change":
                nvd.change(trouble.status, NOW - timedelta(seconds=len(nvd.queries)))
            if trouble and kind == "status":
                self._send(b"trouble by script", trouble.status, trouble.headers)
            elif kind == "dropped":
                self.close_connection = True
                self.connection.close()
            elif kind == "html":
                self._send(b"<html><body>Maintenance</body></html>")
            else:
                body = nvd.answer(query)
                if trouble and kind == "total":
                    answer = json.loads(body)
                    answer["totalResults"] += trouble.status
                    body = json.dumps(answer).encode()
                self._send(body, short=len(body) // 2 if kind == "truncated" else 0)

        def _send(self, body: bytes, status: int = 200, headers: dict[str, str] | None = None, short: int = 0) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: short or None])
            self.close_connection = self.close_connection or bool(short)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that was killed, or a connection dropped by script."""

    server = Server(("127.0.0.1", 0), Handler)
    nvd.url = f"http://127.0.0.1:{server.server_address[1]}{PATH}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield nvd
    finally:
        server.shutdown()
        server.server_close()


def pull_into(store_url: str, address: str, page_size: int) -> None:
    """The feed into a store, as the program does it; to be run, and killed, in a process of its own."""
    from meddojo.config import FeedConfig
    from meddojo.store import Store
    from scheduler.console import Console
    from scheduler.intake import pull_feed

    options = {"requests_per_30_seconds": 0, "page_size": page_size}
    with Store(store_url) as store:
        reading = pull_feed("nvd", FeedConfig(source=address, options=options), store, Console(-1))
    sys.exit(reading.problem or 0)


def most_within(arrivals: list[float], seconds: float) -> int:
    """The most requests in any period of that length."""
    return max((bisect.bisect_left(arrivals, start + seconds) - at for at, start in enumerate(arrivals)), default=0)


if __name__ == "__main__":
    with serving(SyntheticNvd(int(sys.argv[1]))) as served:
        print(served.url, flush=True)
        for line in sys.stdin:
            # "change 1500 2024-12-01T12:00:00+00:00": so many records are modified then.
            _, count, text = line.split()
            for each in random.Random(len(line)).sample(range(served.total), int(count)):
                served.change(each, datetime.fromisoformat(text))
            print("changed", flush=True)
