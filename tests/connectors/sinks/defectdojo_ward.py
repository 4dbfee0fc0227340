"""One device whose findings are pushed to a DefectDojo, and the people who work there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import requests
from pydantic import SecretStr

from connectors.sinks.defectdojo.client import SCAN_TYPE, DefectDojoClient
from connectors.sinks.defectdojo.sink import DefectDojoSink
from meddojo.config import Config, DefectDojoConfig, NetworkConfig
from meddojo.device import Device
from meddojo.finding import Decision, Finding, Stream, finding_identity
from meddojo.interface import Delivery, RunContext, StreamResult
from meddojo.sbom import Component
from meddojo.severity import CvssScore, Severity
from meddojo.store import Store
from meddojo.vulnerability import EpssScore, KevEntry

CVSS = {
    Severity.LOW: "CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N",
    Severity.MEDIUM: "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:L/A:N",
    Severity.HIGH: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
    Severity.CRITICAL: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
}
PERSONS_NOTE = "Looked at it on the ward."


def finding(number: int, severity: Severity = Severity.HIGH, epss: float = 0.1, **changes: Any) -> Finding:
    """A finding of the device `pump-1`, with something in every field."""
    check = f"CVE-2024-{number:04d}"
    made = Finding(
        Stream.VULNERABILITIES,
        "pump-1",
        check,
        f"{check}: buffer overflow in the parser",
        severity,
        f"CVSS says {severity.value}",
        0.97,
        aliases=(check, f"GHSA-aaaa-bbbb-{number:04d}"),
        summary="The parser writes past its buffer.",
        cvss=(CvssScore(CVSS[severity], 7.5, "3.1", "NVD"),),
        cwes=(787, 20),
        epss=EpssScore(check, epss, 0.9, date(2024, 9, 1)),
        components=(Component(f"c{number}", "libparse", f"1.{number}"),),
        fix_versions=("2.0",),
        references=(f"https://vendor.example/{check}",),
        tags=("known",),
    )
    return replace(made, **changes)


def listed(kev_of: Finding) -> Finding:
    """The same finding once it is known to be exploited."""
    return replace(kev_of, kev=KevEntry(kev_of.check, date(2024, 8, 1), ransomware_use=True))


class Ward:
    """A device, its store and its server.

    Parameters
    ----------
    folder
        Where stores are made.
    mark
        Keeps what this ward writes apart from everything else on a shared server.
    """

    def __init__(self, folder: Path, url: str, token: str, mark: str = "", **settings: Any) -> None:
        network = NetworkConfig(
            timeout_seconds=settings.get("timeout_seconds", 60.0), attempts=settings.pop("attempts", 4)
        )
        dojo = DefectDojoConfig(
            url=url,
            token=SecretStr(token),
            product_type=f"Medical devices{mark}",
            test_type=f"MedDojo{mark}",
            network=network,
            **settings,
        )
        self.config = Config(defectdojo=dojo)
        self.device = Device(f"pump-1{mark}", "Acme", "Infuser 3000", "1.0")
        self.paused: list[float] = []
        self.pause: Callable[[float], None] = self.paused.append
        self._folder = folder
        self._stores = 0
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.headers["Authorization"] = f"Token {token}"
        self.lose_ledger()

    def close(self) -> None:
        self.store.close()
        self._http.close()

    def lose_ledger(self) -> None:
        """Go on with an empty store."""
        if self._stores:
            self.store.close()
        self._stores += 1
        self.store = Store(f"sqlite:///{self._folder / f'store-{self._stores}.db'}")

    def sink(self) -> DefectDojoSink:
        client = DefectDojoClient(self.config.defectdojo)
        client._session._pause = self.pause
        return DefectDojoSink(self.config, self.store, client, self.pause)

    def push(self, *findings: Finding, complete: bool = True, stream: Stream = Stream.VULNERABILITIES) -> Delivery:
        """One run: listen, then deliver."""
        delivery, self.decisions = self.run(findings, complete, stream)
        assert not delivery.problems, delivery.problems
        return delivery

    def run(
        self, findings: Iterable[Finding], complete: bool = True, stream: Stream = Stream.VULNERABILITIES
    ) -> tuple[Delivery, tuple[Decision, ...]]:
        sink = self.sink()
        decisions = tuple(sink.listen([self.device]))
        mine = tuple(replace(each, device_id=self.device.id, stream=stream) for each in findings)
        result = StreamResult(self.device, stream, mine, complete, "" if complete else "a feed failed")
        return sink.deliver([result], RunContext(datetime.now(UTC), ())), decisions

    def identity(self, number: int, stream: Stream = Stream.VULNERABILITIES) -> str:
        return finding_identity(stream, self.device.id, f"CVE-2024-{number:04d}")

    def verdicts(self) -> dict[int, str]:
        """What `listen` heard in the last push, by number of the finding."""
        numbers = {self.identity(number): number for number in range(100)}
        return {numbers[decision.identity]: decision.verdict.value for decision in self.decisions}

    # What people see and do.

    def api(self, method: str, path: str, **request: Any) -> Any:
        answer = self._http.request(method, f"{self.config.defectdojo.url}/api/v2/{path}", timeout=60, **request)
        assert answer.status_code < 400, answer.text
        return answer.json() if answer.content else None

    def tests(self) -> list[dict[str, Any]]:
        kinds = self.api(
            "GET", "test_types/", params={"name": f"{self.config.defectdojo.test_type} Scan ({SCAN_TYPE})"}
        )
        found = (
            self.api("GET", "tests/", params={"test_type": kind["id"], "limit": 100})["results"]
            for kind in kinds["results"]
        )
        return [test for tests in found for test in tests]

    def findings(self) -> list[dict[str, Any]]:
        pages = (self.api("GET", "findings/", params={"test": test["id"], "limit": 1000}) for test in self.tests())
        return [row for page in pages for row in page["results"]]

    def row(self, number: int) -> dict[str, Any]:
        """The finding as people see it; there must be exactly one."""
        (row,) = [row for row in self.findings() if row["unique_id_from_tool"] == self.identity(number)]
        return row

    def open(self) -> set[int]:
        """Numbers of the findings that are open."""
        numbers = {self.identity(number): number for number in range(100)}
        rows = [row for row in self.findings() if row["unique_id_from_tool"] in numbers]
        names = [row["unique_id_from_tool"] for row in rows]
        assert len(names) == len(set(names)), "a finding was doubled"
        return {
            numbers[row["unique_id_from_tool"]] for row in rows if not (row["is_mitigated"] or row["risk_accepted"])
        }

    def decide(self, number: int, decision: str) -> None:
        found = self.row(number)
        if decision == "mitigated":
            self.api("POST", f"findings/{found['id']}/close/", json={"is_mitigated": True, "note": PERSONS_NOTE})
            return
        if decision == "risk_accepted":
            product = self.product(found)
            self.api("PATCH", f"products/{product['id']}/", json={"enable_simple_risk_acceptance": True})
        self.api("PATCH", f"findings/{found['id']}/", json={decision: True, "active": False, "verified": False})

    def product(self, row: dict[str, Any]) -> dict[str, Any]:
        test = self.api("GET", f"tests/{row['test']}/")
        engagement = self.api("GET", f"engagements/{test['engagement']}/")
        found: dict[str, Any] = self.api("GET", f"products/{engagement['product']}/")
        return found

    def edit(self, number: int, **fields: Any) -> None:
        self.api("PATCH", f"findings/{self.row(number)['id']}/", json=fields)

    def write(self, number: int, note: str) -> None:
        self.api("POST", f"findings/{self.row(number)['id']}/notes/", json={"entry": note})

    def add_foreign(self, title: str) -> None:
        """A finding that is not ours, in our test."""
        (test,) = self.tests()
        row = {"title": title, "severity": "Low", "description": "Seen by a person."}
        report = json.dumps({"type": self.config.defectdojo.test_type, "findings": [row]})
        form = {"scan_type": SCAN_TYPE, "test": str(test["id"]), "close_old_findings": "false"}
        self.api("POST", "reimport-scan/", data=form, files={"file": ("seen.json", report.encode())})

    def notes(self, number: int) -> list[str]:
        return sorted(note["entry"] for note in self.row(number)["notes"])


def counts(delivery: Delivery) -> tuple[int, int, int, int]:
    """Created, closed, reactivated, patched."""
    return delivery.created, delivery.closed, delivery.reactivated, delivery.patched


def run_command(arguments: list[str], folder: str, environment: dict[str, str]) -> None:
    """``meddojo`` in a process of its own, in `folder`, quietly."""
    import os

    from scheduler.cli import app

    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    for name in [name for name in os.environ if name.startswith(("MEDDOJO_", "DEFECTDOJO_"))]:
        del os.environ[name]
    os.environ.update(environment)
    os.chdir(folder)
    app(arguments)


def write_hospital(folder: Path) -> None:
    """Inventory, configuration and the first day's scan of one device."""
    inventory = '[[device]]\nid = "pump-1"\nvendor = "Acme"\nmodel = "Infuser 3000"\nversion = "1.0"\n'
    settings = (
        '[inventory]\nfile = "inventory.toml"\n[[scans]]\ndevice = "pump-1"\nfile = "scan.json"\n'
        '[feeds.epss]\nsource = "epss.csv"\n[feeds.csaf]\nenabled = false\n[feeds.nvd]\nenabled = false\n'
        "[feeds.kev]\nenabled = false\n[defectdojo]\ntimeout_seconds = 2.0\n"
    )
    (folder / "inventory.toml").write_text(inventory, encoding="utf-8")
    (folder / "meddojo.toml").write_text(settings, encoding="utf-8")
    write_day(folder, 1)


def write_day(folder: Path, day: int) -> None:
    """The device's scan: on the second day one finding is gone, one is new, one is re-scored, all EPSS moved."""
    numbers = range(1, 11) if day == 1 else range(2, 12)
    matches = [_match(number, "Critical" if (day, number) == (2, 5) else "High") for number in numbers]
    scan = {
        "matches": matches,
        "source": {"type": "directory", "target": "/opt/pump"},
        "distro": {"name": "", "version": "", "idLike": None},
        "descriptor": {"name": "grype", "version": "0.79.6", "timestamp": f"2024-09-0{day}T03:15:00Z"},
    }
    rows = [f"CVE-2024-{number:04d},{(number + day) / 50:.5f},0.90000" for number in range(1, 12)]
    head = [f"#model_version:v2023.03.01,score_date:2024-09-0{day}T00:00:00+0000", "cve,epss,percentile"]
    (folder / "scan.json").write_text(json.dumps(scan), encoding="utf-8")
    (folder / "epss.csv").write_text("\n".join([*head, *rows, ""]), encoding="utf-8")


def _match(number: int, severity: str) -> dict[str, Any]:
    band = Severity(severity)
    score = {"version": "3.1", "vector": CVSS[band], "metrics": {"baseScore": 9.8 if severity == "Critical" else 7.5}}
    return {
        "vulnerability": {
            "id": f"CVE-2024-{number:04d}",
            "dataSource": f"https://nvd.nist.gov/vuln/detail/CVE-2024-{number:04d}",
            "namespace": "nvd:cpe",
            "severity": severity,
            "urls": [],
            "description": f"Flaw number {number}.",
            "cvss": [score],
            "fix": {"versions": ["2.0"], "state": "fixed"},
            "advisories": [],
        },
        "relatedVulnerabilities": [],
        "matchDetails": [{"type": "exact-direct-match", "matcher": "python-matcher", "found": {}}],
        "artifact": {
            "id": f"a{number}",
            "name": f"part{number}",
            "version": "1.0",
            "type": "python",
            "locations": [],
            "language": "python",
            "licenses": [],
            "cpes": [],
            "purl": f"pkg:pypi/part{number}@1.0",
            "upstreams": [],
        },
    }
