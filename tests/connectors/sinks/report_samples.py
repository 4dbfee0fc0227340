"""Results of a believable run, a hostile one, and one of any size, for the tests of the report and of SARIF."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from connectors.sinks.report import ReportSink
from meddojo.advisory import Remediation
from meddojo.clinical import Answer, ClinicalRisk, EnvironmentalScore, SsvcDecision
from meddojo.device import Device
from meddojo.finding import Citation, Decision, Finding, Stream, Verdict
from meddojo.interface import RunContext, Skipped, SourceState, StreamResult
from meddojo.sbom import Component
from meddojo.severity import CvssScore, Severity
from meddojo.vulnerability import EpssScore, KevEntry

Run = tuple[Sequence[StreamResult], RunContext]

STARTED = datetime(2024, 9, 2, 5, 0, tzinfo=UTC)
ATTACK = "<script>alert(1)</script>"

CT = Device(
    "ct-1", "Siemens Healthineers", "SOMATOM Force", "VB20A", 2, "Radiology, room 4", "imaging", sbom_file="ct.json"
)
MONITOR = Device("mon-1", "Philips", "IntelliVue MX800", "N.01", 48, "ICU", "patient monitoring", iec62304_class="C")
PUMP = Device("pump-1", "B. Braun", "Infusomat Space", "012U000061", 120, "Wards 1 to 6", "infusion")
ULTRASOUND = Device("us-1", "GE Healthcare", "Vivid E95", "", 6, "Cardiology", "imaging")
PACS = Device(
    "pacs-1", "Philips", "Vue PACS", "12.1.5", 1, "Data centre", "servers", cpe="cpe:2.3:a:philips:vue_pacs:12.1.5"
)
VENTILATOR = Device("vent-1", "Draeger", "Evita V800", "1.20", 14, "ICU", "patient monitoring")

_ROWS = (
    (
        PACS,
        "CVE-2021-44228",
        "Remote code execution in the logging library",
        10.0,
        0.976,
        True,
        1.0,
        "log4j-core",
        "2.14.1",
    ),
    (
        PACS,
        "CVE-2022-22965",
        "Remote code execution in the web framework",
        9.8,
        0.975,
        True,
        0.97,
        "spring-beans",
        "5.3.4",
    ),
    (
        PACS,
        "CVE-2020-1938",
        "File read through the connector of the servlet container",
        9.8,
        0.974,
        True,
        0.95,
        "tomcat",
        "8.5.30",
    ),
    (PACS, "CVE-2023-44487", "Denial of service by rapid resets of streams", 7.5, 0.72, True, 1.0, "netty", "4.1.60"),
    (PACS, "CVE-2021-33020", "Keys are used past their expiry", 8.2, 0.0012, False, 1.0, "", ""),
    (PACS, "CVE-2021-27497", "A protection mechanism is not used", 9.8, 0.0031, False, 1.0, "", ""),
    (PACS, "CVE-2021-33018", "A broken cryptographic algorithm", 6.5, 0.0009, False, 1.0, "", ""),
    (MONITOR, "CVE-2020-16228", "Certificates are not checked for revocation", 6.4, 0.0006, False, 0.98, "", ""),
    (MONITOR, "CVE-2020-16216", "Malformed input restarts the monitor", 6.5, 0.0011, False, 0.98, "", ""),
    (MONITOR, "CVE-2020-16224", "A wrong length restarts the certificate enrolment", 6.5, 0.0008, False, 0.98, "", ""),
    (PUMP, "CVE-2021-33885", "Unsigned data is accepted by the communication module", 9.0, 0.0043, False, 0.93, "", ""),
    (PUMP, "CVE-2021-33882", "Commands are accepted without authentication", 7.5, 0.0027, False, 0.93, "", ""),
    (PUMP, "CVE-2021-33886", "Format string in the communication module", 7.7, 0.0021, False, 0.62, "", ""),
    (CT, "CVE-2019-0708", "Remote desktop allows code execution before login", 9.8, 0.975, True, 0.9, "", ""),
    (CT, "CVE-2022-37434", "Heap overflow in inflate", 9.8, 0.0034, False, 1.0, "zlib", "1.2.11"),
    (CT, "CVE-2023-0286", "Type confusion of X.400 addresses", 7.4, 0.0027, False, 1.0, "openssl", "1.1.1k"),
    (CT, "CVE-2018-25032", "Memory corruption when deflating", 7.5, 0.0019, False, 1.0, "zlib", "1.2.11"),
    (CT, "CVE-2022-0778", "An endless loop in a square root", 7.5, 0.013, False, 1.0, "openssl", "1.1.1k"),
    (CT, "CVE-2023-5678", "Slow checks of long keys", 5.3, 0.0007, False, 1.0, "openssl", "1.1.1k"),
    (CT, "CVE-2021-3541", "Exponential entity expansion", 3.3, 0.0005, False, 1.0, "libxml2", "2.9.10"),
    (ULTRASOUND, "CVE-2020-6977", "The kiosk of the system can be left", 6.8, 0.0006, False, 0.71, "", ""),
    (ULTRASOUND, "CVE-2019-0708", "Remote desktop allows code execution before login", 9.8, 0.975, True, 0.55, "", ""),
)


def write(folder: Path, run: Run) -> Path:
    """Write the report of a run; returns the page."""
    return Path(ReportSink(folder).deliver(*run).destination)


def finding(
    device: Device,
    check: str,
    title: str = "",
    score: float = 5.0,
    epss: float | None = None,
    exploited: bool = False,
    probability: float = 1.0,
    component: str = "",
    version: str = "",
) -> Finding:
    """A finding with every field a source could fill."""
    parts = (Component(component, component, version, purl=f"pkg:generic/{component}@{version}"),) if component else ()
    source = "grype" if component else "CISA ICSMA-20-254-01"
    document = "" if component else "https://www.cisa.gov/news-events/ics-medical-advisories/icsma-20-254-01"
    kev = KevEntry(check, date(2022, 3, 3), date(2022, 3, 24), "Apply updates as the vendor says.", score >= 10)
    return Finding(
        stream=Stream.VULNERABILITIES,
        device_id=device.id,
        check=check,
        title=title or f"{check} in {device.model}",
        severity=Severity.from_score(score),
        severity_reason=f"CVSS 3.1 base score {score} by nvd@nist.gov",
        probability=probability,
        needs_review=probability < 0.8,
        aliases=(check, "GHSA-jfh8-c2jp-5v3q") if component else (check,),
        summary=f"{title or check}. An attacker on the network of the device can use this without user interaction.",
        cvss=(CvssScore("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", score, "3.1", "nvd@nist.gov"),),
        cwes=(20, 502),
        kev=kev if exploited else None,
        epss=None if epss is None else EpssScore(check, epss, min(1.0, epss + 0.02), date(2024, 9, 1)),
        components=parts,
        remediations=(
            Remediation("vendor_fix", f"{device.vendor} offers an update.", "https://www.philips.com/security"),
        ),
        fix_versions=(f"{version}.1",) if component else (),
        citations=(
            Citation(source, document, probability, f"names {device.label} and a range that holds {device.version}"),
            Citation(
                "NVD", f"https://nvd.nist.gov/vuln/detail/{check}", min(probability, 0.9), "its CPE fits the model"
            ),
        ),
        references=(f"https://nvd.nist.gov/vuln/detail/{check}", "javascript:alert(2)"),
    )


def hospital() -> tuple[list[StreamResult], RunContext]:
    """Five devices with findings, one without, an unsafe source and two decisions."""
    grouped: dict[Device, list[Finding]] = {device: [] for device in (CT, MONITOR, PUMP, ULTRASOUND, PACS, VENTILATOR)}
    for device, *rest in _ROWS:
        grouped[device].append(finding(device, *rest))
    results = [
        StreamResult(
            device, Stream.VULNERABILITIES, tuple(findings), device is not PUMP, _DOUBT if device is PUMP else ""
        )
        for device, findings in grouped.items()
    ]
    results.append(StreamResult(CT, Stream.COMPLIANCE, (_compliance(),)))
    return results, RunContext(STARTED, _SOURCES, _SKIPPED, decisions())


def decisions() -> tuple[Decision, ...]:
    """What people said about two of the hospital's findings."""
    expired, loop = finding(PACS, "CVE-2021-33020").identity, finding(CT, "CVE-2022-0778").identity
    address = "https://dojo.hospital.example/finding/812"
    return (
        Decision(
            expired, Verdict.RISK_ACCEPTED, "defectdojo", address, STARTED - timedelta(days=40), "Behind a gateway."
        ),
        Decision(loop, Verdict.FALSE_POSITIVE, "defectdojo", "finding 77", None, "The parser is not reachable."),
    )


_DOUBT = "60 % fewer findings than at the last delivery; old ones stay open"
_SKIPPED = (
    Skipped("advisories/icsma-21-999.json", "line 1, column 8: not valid JSON: the document ends early"),
    Skipped("scans/ct.json, match 14", "the artifact has no name"),
)
_SOURCES = (
    SourceState("csaf", 2025, STARTED, STARTED, "", 1),
    SourceState("nvd", 84, STARTED, STARTED - timedelta(days=2), "HTTP 503 after 4 attempts"),
    SourceState("kev", 1126, STARTED, STARTED),
    SourceState("epss", 258085, STARTED, STARTED),
    SourceState("taxii", 0, STARTED, None, "connection refused"),
)


def _compliance() -> Finding:
    return Finding(
        stream=Stream.COMPLIANCE,
        device_id=CT.id,
        check="FDA-524B-SBOM",
        title="The SBOM names no supplier for 12 components",
        severity=Severity.INFO,
        severity_reason="a missing record, not a weakness",
        probability=1.0,
        citations=(Citation("FDA premarket guidance 2023", "", 1.0, "section V.A.4 asks for it"),),
    )


def rated() -> tuple[list[StreamResult], RunContext]:
    """The same hospital, every vulnerability rated for its device, the decisions in turn."""
    results, context = hospital()
    return [replace(result, findings=tuple(map(_rated, result.findings))) for result in results], context


def _rated(each: Finding, hazard: str = "Hazardous situation: therapy could stop.") -> Finding:
    if each.stream is not Stream.VULNERABILITIES:
        return each
    decision = list(SsvcDecision)[int(each.check[-1]) % 4]
    base = each.cvss[0]
    scored = EnvironmentalScore(f"{base.vector}/IR:H/AR:H", 8.8, "3.1", base.vector, base.base_score)
    answers = (
        Answer("AR", "H", "AR:H", "delivers yes (FDA product code FRN)"),
        Answer("Exploitation", "none", "", "default: no evidence in the sources read"),
    )
    path = f"Exploitation: none (default: no evidence in the sources read) → {decision.value}"
    clinical = ClinicalRisk(decision, path, "SSVCv2/E:N/A:N/T:P/P:S/B:M/M:M/D:T/", hazard, scored, answers)
    return replace(each, clinical=clinical)


def hostile() -> tuple[list[StreamResult], RunContext]:
    """Every string of the run tries to be markup, script or a dangerous address."""
    nasty = '"><img src=x onerror=alert(1)>' + ATTACK + "</title></noscript><!--\u2028\u202e' onmouseover='alert(1)"
    device = Device("d" + nasty, ATTACK, nasty, nasty, 1, nasty, nasty, nasty, nasty, nasty, nasty, nasty, nasty)
    addresses = (
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "//evil.example/x",
        "https://ok.example/a",
    )
    attacked = Finding(
        stream=Stream.VULNERABILITIES,
        device_id=device.id,
        check=nasty,
        title=nasty + "\ud800 \x00 {0} [link](javascript:alert(1))",
        severity=Severity.CRITICAL,
        severity_reason=nasty,
        probability=float("nan"),
        aliases=(nasty,),
        summary=nasty,
        cvss=(CvssScore(nasty, float("nan"), nasty, nasty), CvssScore(nasty, 9.9, nasty, nasty)),
        kev=KevEntry(nasty, date(2022, 3, 3), None, nasty, True),
        epss=EpssScore(nasty, float("inf"), 0.5, date(2024, 9, 1)),
        components=(Component(nasty, nasty, nasty, nasty, nasty, nasty, nasty),),
        remediations=tuple(Remediation(nasty, nasty, address) for address in addresses),
        fix_versions=(nasty,),
        citations=tuple(Citation(nasty, address, 0.9, nasty) for address in addresses),
        references=addresses,
        tags=(nasty,),
        clinical=ClinicalRisk(
            SsvcDecision.ACT,
            nasty,
            nasty,
            nasty,
            EnvironmentalScore(nasty, float("nan"), nasty, nasty, float("inf"), delivered=True),
            (Answer(nasty, nasty, nasty, nasty),),
        ),
    )
    decision = Decision(attacked.identity, Verdict.OUT_OF_SCOPE, nasty, "javascript:alert(1)", STARTED, nasty)
    source = SourceState(nasty, 1, STARTED, None, nasty, 1)
    undecided = finding(device, "CVE-2024-0001", nasty, 9.9, 0.5, True, 0.6, nasty, nasty)
    empty = Device("e" + nasty, nasty, ATTACK)
    results = [
        StreamResult(device, Stream.VULNERABILITIES, (attacked, undecided), False, nasty),
        StreamResult(empty, Stream.VULNERABILITIES, (), False, nasty),
    ]
    return results, RunContext(STARTED, (source,), (Skipped(nasty, nasty),), (decision,))


def crowd(devices: int, findings_each: int) -> tuple[list[StreamResult], RunContext]:
    """A large inventory whose findings share vulnerabilities, as real ones do; the same in every call."""
    dice = random.Random(7)
    texts = [
        f"Weakness {number} in the handling of requests. " + "It can be reached over the network. " * 8
        for number in range(3000)
    ]
    results = []
    for number in range(devices):
        device = Device(
            f"device-{number}", f"Vendor {number % 40}", f"Model {number}", f"{number % 9}.2", 1 + number % 30
        )
        chosen = dice.sample(range(len(texts)), findings_each)
        found = tuple(
            finding(device, f"CVE-20{10 + each % 15}-{10000 + each}", texts[each][:60], (each * 7 % 100) / 10,
                    (each % 997) / 997 / 3, each % 60 == 0, 1.0, f"library-{each % 400}", f"{each % 7}.{each % 11}")
            for each in chosen
        )  # fmt: skip
        results.append(StreamResult(device, Stream.VULNERABILITIES, found))
    return results, RunContext(STARTED, _SOURCES)
