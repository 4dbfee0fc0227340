"""Conversations with a DefectDojo server whose outcome is compared: stand-in against what 3.2.0 was seen to do.

Every scenario takes a :class:`Talk` and returns a JSON value without identifiers, names and times of this run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import requests

FINDING = {"title": "t", "severity": "High", "description": "d"}
FLAGS = (
    "active",
    "verified",
    "false_p",
    "out_of_scope",
    "is_mitigated",
    "risk_accepted",
    "duplicate",
    "display_status",
)
V3 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
V4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
V2 = "AV:N/AC:L/Au:N/C:P/I:P/A:P"

Json = Any


@dataclass
class Talk:
    """One server, one product of its own."""

    url: str
    token: str
    product: str = field(default_factory=lambda: f"Parity-{uuid4().hex[:12]}")
    session: requests.Session = field(default_factory=requests.Session)

    def call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """Send one request below /api/v2/."""
        headers = {"Authorization": f"Token {self.token}"} | arguments.pop("headers", {})
        return self.session.request(method, f"{self.url}/api/v2/{path}", headers=headers, timeout=120, **arguments)

    def get(self, path: str) -> Json:
        """The JSON of a GET."""
        return self.call("GET", path).json()

    def upload(
        self, report: Json, title: str = "T", *, name: str = "r.json", kind: str = "reimport", **fields: Any
    ) -> requests.Response:
        """Send a report; a field given as None is left out."""
        form = {
            "scan_type": "Generic Findings Import",
            "product_type_name": "Parity",
            "product_name": self.product,
            "engagement_name": "E",
            "test_title": title,
            "auto_create_context": "true",
            "deduplication_execution_mode": "sync",
        } | fields
        body = report if isinstance(report, (str, bytes)) else json.dumps(report)
        data = {key: value for key, value in form.items() if value is not None}
        return self.call("POST", f"{kind}-scan/", data=data, files={"file": (name, body)})

    def delta(self, report: Json, title: str = "T", **fields: Any) -> Json:
        """How many findings a reimport created, closed, reactivated and left."""
        answer = self.upload(report, title, **fields)
        if answer.status_code != 201:
            return self.refusal(answer)
        numbers = answer.json()["statistics"]
        if "delta" not in numbers:
            return {"after": {name: count for name, count in numbers["after"]["total"].items() if count}}
        return {name: node["total"]["total"] for name, node in numbers["delta"].items()}

    def tests(self, title: str) -> list[Json]:
        """Tests of this product with a title, oldest first."""
        engagements = self.get(f"products/?name_exact={self.product}")["results"]
        if not engagements:
            return []
        found = self.get(f"engagements/?product={engagements[0]['id']}")["results"]
        rows = [row for one in found for row in self.get(f"tests/?title={title}&engagement={one['id']}")["results"]]
        return sorted(rows, key=lambda row: int(row["id"]))

    def findings(self, title: str = "T") -> list[Json]:
        """Findings of the newest test with a title, oldest first."""
        tests = self.tests(title)
        rows = self.get(f"findings/?limit=1000&test={tests[-1]['id']}")["results"] if tests else []
        return sorted(rows, key=lambda row: int(row["id"]))

    def refusal(self, answer: requests.Response) -> Json:
        """Status and body of an answer, without what differs from run to run."""
        if "json" not in answer.headers.get("Content-Type", ""):
            return [answer.status_code, answer.headers.get("Content-Type", "").split(";")[0]]
        body = answer.json()
        if isinstance(body, dict):
            body.pop("pro", None)
        text = json.dumps(body, ensure_ascii=False).replace(self.product, "PRODUCT")
        text = text.replace((datetime.now(UTC).date() + timedelta(days=1)).isoformat(), "TOMORROW")
        return [answer.status_code, json.loads(re.sub(r"Test \d+ has", "Test N has", text))]


def state_of(row: Json) -> Json:
    """The triage of a finding."""
    newest = [re.sub(r"^.*\(\d+\)", "SOMEONE", note["entry"]) for note in row["notes"][:1]]
    set_flags = [name for name in FLAGS if row[name] is True]
    notes = [len(row["notes"]), *newest]
    return {"flags": set_flags, "status": row["display_status"], "closed": bool(row["mitigated"]), "notes": notes}


UNUSUAL: dict[str, Json] = {
    "unknown key": {"foo": 1},
    "missing": {"description": ...},
    "severity spelling": {"severity": "high"},
    "severity informational": {"severity": "Informational"},
    "severity none": {"severity": "None"},
    "severity null": {"severity": None},
    "title null": {"title": None},
    "title number": {"title": 5},
    "title empty": {"title": ""},
    "title long": {"title": "ab " * 200},
    "description null": {"description": None},
    "description number": {"description": 5},
    "date wrong": {"date": "not-a-date"},
    "date null": {"date": None},
    "date US": {"date": "10/12/2025"},
    "date and time": {"date": "2025-02-03T04:05:06Z"},
    "KEV date wrong": {"kev_date": "2024-13-01"},
    "KEV date and time": {"kev_date": "2024-01-01T00:00:00"},
    "KEV date null": {"kev_date": None},
    "publish date wrong": {"publish_date": "x"},
    "exploited null": {"known_exploited": None},
    "exploited yes": {"known_exploited": "yes"},
    "exploited text": {"known_exploited": "true"},
    "active null": {"active": None},
    "fix null": {"fix_available": None},
    "cwe label": {"cwe": "CWE-79"},
    "cwe text": {"cwe": "79"},
    "cwe null": {"cwe": None},
    "cwes": {"cwes": ["CWE-79", 89, "x"]},
    "component long": {"component_name": "x" * 501},
    "component version long": {"component_version": "x" * 101},
    "component blank": {"component_name": " "},
    "fix version long": {"fix_version": "x" * 101},
    "unique id long": {"unique_id_from_tool": "x" * 501},
    "unique id empty": {"unique_id_from_tool": ""},
    "service long": {"service": "s" * 201},
    "file path": {"file_path": "a/b.c", "line": 3},
    "cve long": {"cve": "C" * 51},
    "vulnerability id long": {"vulnerability_ids": ["C" * 51]},
    "vulnerability id number": {"vulnerability_ids": [5]},
    "vulnerability ids null": {"vulnerability_ids": None},
    "vulnerability ids": {"cve": "CVE-2024-1", "vulnerability_ids": ["CVE-2024-2", " ", "CVE-2024-1"]},
    "NUL": {"description": "a\0b"},
    "NUL in mitigation": {"mitigation": "a\0b"},
    "vector unreadable": {"cvssv3": "garbage"},
    "vector 4 unreadable": {"cvssv4": "garbage"},
    "vector 2 as 3": {"cvssv3": V2},
    "vector 4 as 3": {"cvssv3": V4},
    "vector and score": {"cvssv3": V3, "cvssv3_score": 1.0},
    "vector 4": {"cvssv4": V4},
    "score alone": {"cvssv3_score": 99},
    "epss 5": {"epss_score": 5},
    "epss text": {"epss_score": "0.25"},
    "epss n/a": {"epss_percentile": "N/A"},
    "tags": {"tags": ["Tag One", "a,b c", "plain", "plain"]},
    "tags text": {"tags": "a"},
    "tag long": {"tags": ["x" * 300]},
    "endpoint key": {"endpoints": [{"zz": 1}]},
    "line n/a": {"line": "N/A"},
    "line huge": {"line": 2**40},
    "mitigation null": {"mitigation": None},
    "file extension": {"files": [{"title": "a.exe", "data": "aaaa"}]},
    "false positive": {"false_p": True},
    "false positive inactive": {"false_p": True, "active": False},
    "accepted inactive": {"risk_accepted": True, "active": False},
    "mitigated": {"is_mitigated": True},
    "mitigated inactive": {"is_mitigated": True, "active": False},
}


def unusual_findings(talk: Talk) -> Json:
    """What becomes of a report with one odd value, and what is left of its test."""
    seen = {}
    for number, (label, changes) in enumerate(UNUSUAL.items()):
        finding = {key: value for key, value in (FINDING | changes).items() if value is not ...}
        answer = talk.upload({"findings": [FINDING | {"title": "before"}, finding]}, f"U{number}")
        rows = talk.findings(f"U{number}")
        outcome: list[Json] = talk.refusal(answer) if answer.status_code != 201 else [201]
        tests = [[test["percent_complete"], len(rows)] for test in talk.tests(f"U{number}")]
        stored = {}
        if answer.status_code == 201:
            shown = (*changes, "cwe", "cwes", "static_finding", "vulnerability_ids", "cvssv3_score", "cvssv4_score")
            stored = {name: rows[-1][name] for name in shown if name in rows[-1]} | {
                "flags": state_of(rows[-1])["flags"]
            }
        seen[label] = {"answer": outcome, "tests": tests, "stored": stored}
    return seen


def unusual_reports(talk: Talk) -> Json:
    """What becomes of a file that is not quite a report."""
    cases: dict[str, tuple[Json, str]] = {
        "array": ([], "r.json"),
        "empty object": ({}, "r.json"),
        "no findings": ({"findings": []}, "r.json"),
        "null findings": ({"findings": None}, "r.json"),
        "text for a finding": ({"findings": ["x"]}, "r.json"),
        "number for a finding": ({"findings": [1]}, "r.json"),
        "unknown top level": ({"findings": [FINDING], "zork": 1}, "r.json"),
        "txt": ({"findings": [FINDING]}, "r.txt"),
        "upper case": ({"findings": [FINDING]}, "r.JSON"),
        "csv of json": ({"findings": [FINDING]}, "r.csv"),
        "exe": ({"findings": [FINDING]}, "r.exe"),
        "no extension": ({"findings": [FINDING]}, "r"),
        "truncated": ('{"findings": [', "r.json"),
        "empty": ("", "r.json"),
        "byte order mark": (b"\xef\xbb\xbf{}", "r.json"),
        "latin-1": ('{"findings": [], "name": "ä"}'.encode("latin-1"), "r.json"),
    }
    return {label: talk.delta(report, f"R{label}", name=name) for label, (report, name) in cases.items()}


FORMS: dict[str, dict[str, Any]] = {
    "no product": {"product_name": None},
    "no engagement": {"engagement_name": None},
    "unknown product, no type": {"product_name": "Nope", "product_type_name": None},
    "unknown product, no creation": {"product_name": "Nope", "product_type_name": None, "auto_create_context": None},
    "unknown product in type": {"product_name": "Nope", "auto_create_context": None},
    "unknown type": {"product_name": "Nope", "product_type_name": "Nope", "auto_create_context": None},
    "unknown engagement": {"engagement_name": "Nope", "auto_create_context": None},
    "unknown test": {"test_title": "Nope", "auto_create_context": None},
    "no test of that kind": {"test_title": None, "auto_create_context": None, "scan_type": "SARIF"},
    "other type": {"product_type_name": "Other"},
    "unknown test id": {"test": "99999999"},
    "test id alone": {"test": "99999999", "product_name": None, "engagement_name": None},
    "test id text": {"test": "abc"},
    "scan type": {"scan_type": "Zork"},
    "no scan type": {"scan_type": None},
    "minimum severity": {"minimum_severity": "high"},
    "future": {"scan_date": "2999-01-01"},
    "date": {"scan_date": "x"},
    "tag with space": {"tags": "b c"},
    "tags as JSON": {"tags": '["a","b"]'},
    "environment": {"environment": "Zork", "auto_create_context": None},
    "boolean": {"close_old_findings": "maybe"},
    "engagement long": {"engagement_name": "e" * 301},
    "product long": {"product_name": "e" * 256},
    "title long": {"test_title": "e" * 256},
    "group": {"group_by": "zz"},
    "mode": {"deduplication_execution_mode": "zz"},
    "address": {"source_code_management_uri": "zz"},
    "other report type": {"report": {"type": "Another", "findings": []}},
}


def unusual_forms(talk: Talk) -> Json:
    """How import fields are refused."""
    talk.upload({"type": "First", "findings": [FINDING]})
    seen = {}
    for label, fields in FORMS.items():
        report = fields.get("report", {"type": "First", "findings": []})
        changed = {name: value for name, value in fields.items() if name not in ("report", "test_title")}
        title = fields.get("test_title", "T")
        seen[label] = talk.refusal(talk.upload(report, title, **changed))
    seen["import, unknown engagement id"] = talk.refusal(
        talk.upload({}, kind="import", engagement="99999999", product_name=None, engagement_name=None)
    )
    seen["JSON"] = talk.refusal(talk.call("POST", "reimport-scan/", json={}))
    seen["urlencoded"] = talk.refusal(talk.call("POST", "reimport-scan/", data={"a": "b"}))
    no_file = {"scan_type": "Generic Findings Import", "product_name": talk.product, "engagement_name": "E"}
    seen["no file"] = talk.refusal(talk.call("POST", "reimport-scan/", data=no_file, files={"x": ("a", b"1")}))
    return seen


PATCHES: list[dict[str, Json]] = [
    {"epss_score": 1.5},
    {"epss_score": -1},
    {"epss_score": "x"},
    {"epss_score": "0.5"},
    {"severity": "high"},
    {"severity": None},
    {"severity": "Critical"},
    {"cvssv3": "garbage"},
    {"cvssv4": "garbage"},
    {"cvssv3": V3},
    {"cvssv3": ""},
    {"cvssv3": V4},
    {"cvssv3": V2},
    {"cvssv4": V3},
    {"cvssv4": V4},
    {"cvssv3": None},
    {"cvssv3_score": 11},
    {"kev_date": "2999-01-01"},
    {"kev_date": "x"},
    {"kev_date": "2024-01-01"},
    {"kev_date": None},
    {"known_exploited": None},
    {"known_exploited": "maybe"},
    {"known_exploited": True, "ransomware_used": True},
    {"title": "x" * 512},
    {"title": ""},
    {"title": "lower case title"},
    {"description": ""},
    {"description": None},
    {"risk_accepted": True},
    {"risk_accepted": True, "active": False},
    {"false_p": True, "verified": True},
    {"foo": 1},
    {"hash_code": "x", "test": 1},
    {"vulnerability_ids": ["CVE-1"]},
    {"vulnerability_ids": [{"vulnerability_id": "CVE-2"}, {"vulnerability_id": "CVE-3"}]},
    {"vulnerability_ids": []},
    {"cwes": [{"cwe": "CWE-20"}, {"cwe": 21}]},
    {"cwe": 79},
    {"cwe": "x"},
    {"fix_available": True, "fix_version": "1.2"},
    {"fix_version": "x" * 101},
    {"tags": ["b c"]},
    {"tags": ["y", "x"]},
    {"tags": "a,b"},
    {"tags": []},
    {"component_version": ""},
    {"mitigated": "2024-01-01T00:00:00Z"},
    {"date": "x"},
    {"active": "x"},
    {"duplicate": True},
    {"impact": "a\0b"},
    {"line": "x"},
    {"references": None},
    {"false_p": True},
    {"active": True},
    {"out_of_scope": True},
    {"out_of_scope": False, "active": True},
    {"is_mitigated": True},
    {"active": True, "is_mitigated": False},
    {"is_mitigated": True, "active": False},
    {"is_mitigated": False},
    {"active": True},
    {"false_p": True},
    {"false_p": False},
    {"active": True},
    {"under_review": True},
    {"verified": True},
    {"false_p": True},
    {"false_p": True, "verified": False},
]


def patches(talk: Talk) -> Json:
    """PATCH after PATCH of one finding."""
    talk.upload({"findings": [FINDING]})
    identifier = talk.findings()[0]["id"]
    seen = []
    for body in PATCHES:
        answer = talk.call("PATCH", f"findings/{identifier}/", json=body)
        shown = talk.refusal(answer)
        if answer.status_code == 200:
            stored = answer.json()
            fields = {name: stored.get(name) for name in body if name not in ("hash_code", "test", "tags")}
            derived = {name: stored[name] for name in ("cwe", "cwes", "cvssv3_score", "cvssv4_score")}
            shown = [200, fields | derived, sorted(stored["tags"])]
        seen.append([json.dumps(body)[:60], shown, state_of(talk.findings()[0])])
    for body in ({}, {"is_mitigated": False}, {"is_mitigated": True, "false_p": True, "note": "n"}):
        answer = talk.call("POST", f"findings/{identifier}/close/", json=body)
        seen.append(["close", answer.status_code, state_of(talk.findings()[0])])
    return seen


SCENARIOS: dict[str, Callable[[Talk], Json]] = {
    "unusual findings": unusual_findings,
    "unusual reports": unusual_reports,
    "unusual forms": unusual_forms,
    "patches": patches,
}
