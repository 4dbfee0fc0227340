"""What the stand-in remembers: plain tables of rows, as the API shows them, under one lock."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

Row = dict[str, Any]

SEVERITIES = ("Info", "Low", "Medium", "High", "Critical")
STATUSES = ("active", "verified", "duplicate", "false_p", "out_of_scope", "is_mitigated", "risk_accepted")
SCAN_TYPE = "Generic Findings Import"
SLA_DAYS = {"Critical": 7, "High": 30, "Medium": 90, "Low": 120}
NUMERICAL = {"Critical": "S0", "High": "S1", "Medium": "S2", "Low": "S3", "Info": "S4"}
TABLES = (
    "users product_types products engagements tests test_types environments findings notes test_imports metadata "
    "references"
).split()

FINDING_DEFAULTS: Row = {
    "mitigated": None,
    "mitigated_by": None,
    "title": "",
    "date": None,
    "sla_start_date": None,
    "sla_expiration_date": None,
    "cwe": 0,
    "epss_score": None,
    "epss_percentile": None,
    "known_exploited": False,
    "ransomware_used": False,
    "kev_date": None,
    "cvssv3": None,
    "cvssv3_score": None,
    "cvssv4": None,
    "cvssv4_score": None,
    "url": None,
    "severity": None,
    "description": None,
    "mitigation": None,
    "fix_available": None,
    "fix_version": None,
    "impact": None,
    "steps_to_reproduce": None,
    "severity_justification": None,
    "references": None,
    "active": True,
    "verified": False,
    "false_p": False,
    "duplicate": False,
    "out_of_scope": False,
    "risk_accepted": False,
    "under_review": False,
    "last_status_update": None,
    "under_defect_review": False,
    "is_mitigated": False,
    "thread_id": 0,
    "numerical_severity": "S4",
    "last_reviewed": None,
    "param": None,
    "payload": None,
    "hash_code": None,
    "line": None,
    "file_path": None,
    "component_name": None,
    "component_version": None,
    "static_finding": False,
    "dynamic_finding": True,
    "scanner_confidence": None,
    "unique_id_from_tool": None,
    "vuln_id_from_tool": None,
    "sast_source_object": None,
    "sast_sink_object": None,
    "sast_source_line": None,
    "sast_source_file_path": None,
    "nb_occurences": None,
    "publish_date": None,
    "service": None,
    "planned_remediation_date": None,
    "planned_remediation_version": None,
    "effort_for_fixing": None,
    "duplicate_finding": None,
    "review_requested_by": None,
    "defect_review_requested_by": None,
    "last_reviewed_by": None,
    "sonarqube_issue": None,
    "reviewers": (),
    "notes": (),
    "files": (),
    "tags": (),
    "vulnerability_ids": (),
    "cwes": (),
    "endpoints": (),
}


def now() -> str:
    """The present as the API prints it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def today() -> date:
    """The present day, UTC."""
    return datetime.now(UTC).date()


def new_finding() -> Row:
    """A finding with the server's column defaults; the lists are fresh."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in FINDING_DEFAULTS.items()}


class State:
    """The tables, with identifiers that are never reused."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.tables: dict[str, dict[int, Row]] = {name: {} for name in TABLES}
        self.next_identifier: dict[str, int] = dict.fromkeys(TABLES, 1)
        self.settings: Row = {"id": 1, "enable_deduplication": False, "api_expose_error_details": False}
        self.policies: dict[str, dict[str, Any]] = {}
        for name in ("Development", "Test", "Staging", "Production"):
            self.add("environments", name=name)
        self.add("test_types", name=SCAN_TYPE, static_tool=False, dynamic_tool=False, active=True)

    def add(self, table: str, **values: Any) -> Row:
        """Insert a row with these columns and return it."""
        return self.insert(table, {"id": 0, **values})

    def insert(self, table: str, row: Row) -> Row:
        """Insert this very row under the next identifier and return it."""
        row["id"] = self.next_identifier[table]
        self.next_identifier[table] += 1
        self.tables[table][row["id"]] = row
        return row

    def get(self, table: str, identifier: Any) -> Row | None:
        """The row with this identifier, None when there is none."""
        return self.tables[table].get(identifier) if isinstance(identifier, int) else None

    def where(self, table: str, **values: Any) -> Iterator[Row]:
        """Rows whose columns equal *values*, by identifier."""
        wanted = tuple(values.items())
        return (row for row in self.tables[table].values() if all(row[name] == value for name, value in wanted))

    def last(self, table: str, **values: Any) -> Row | None:
        """The newest row whose columns equal *values*."""
        return max(self.where(table, **values), key=lambda row: int(row["id"]), default=None)

    def findings_of(self, test: Row) -> list[Row]:
        """Findings of one test, oldest first."""
        return list(self.where("findings", test=test["id"]))

    def product_of(self, finding: Row) -> Row:
        """The product a finding belongs to."""
        test = self.tables["tests"][finding["test"]]
        engagement = self.tables["engagements"][test["engagement"]]
        return self.tables["products"][engagement["product"]]

    def named(self, table: str, name: str, **defaults: Any) -> Row:
        """The row with this name, created when it does not exist."""
        return self.last(table, name=name) or self.add(table, name=name, **defaults)

    def note(self, finding: Row, entry: str, user: Row, *, private: bool = False) -> Row:
        """Attach a note to a finding; the newest stands first."""
        written = now()
        note = self.add(
            "notes",
            author={name: user[name] for name in ("id", "username", "first_name", "last_name")},
            editor=None,
            history=[],
            note_type=None,
            entry=entry,
            date=written,
            private=private,
            edited=False,
            edit_time=written,
        )
        finding["notes"].insert(0, note)
        return note

    def policy(self, test: Row) -> tuple[str, list[str] | None]:
        """Deduplication algorithm and hash fields of a test, by test type name first, then by scan type."""
        name = self.tables["test_types"][test["test_type"]]["name"]
        default: dict[str, Any] = {"algorithm": "hash_code" if test["scan_type"] == SCAN_TYPE else "legacy"}
        chosen = self.policies.get(name) or self.policies.get(test["scan_type"]) or default
        return chosen.get("algorithm", default["algorithm"]), chosen.get("fields")

    def dump(self) -> str:
        """Everything as JSON, to be read back by :meth:`load`."""
        with self.lock:
            return json.dumps(
                {
                    "tables": {name: list(rows.values()) for name, rows in self.tables.items()},
                    "next": self.next_identifier,
                    "settings": self.settings,
                    "policies": self.policies,
                }
            )

    def load(self, path: Path) -> None:
        """Replace everything by what :meth:`dump` wrote."""
        stored = json.loads(path.read_text(encoding="utf-8"))
        with self.lock:
            self.tables = {name: {row["id"]: row for row in rows} for name, rows in stored["tables"].items()}
            self.next_identifier = stored["next"]
            self.settings = stored["settings"]
            self.policies = stored["policies"]


def apply_status(row: Row, user: Row, changed: set[str], *, is_new: bool = False) -> None:
    """Bring the status columns of a finding in line after *changed* columns got new values."""
    if (is_new or "is_mitigated" in changed) and not row["is_mitigated"]:
        row["mitigated"] = row["mitigated_by"] = None
    if row["is_mitigated"]:
        row["mitigated"] = row["mitigated"] or now()
        row["mitigated_by"] = row["mitigated_by"] or user["id"]
    if (is_new or "active" in changed) and row["active"]:
        row["false_p"] = row["out_of_scope"] = row["is_mitigated"] = False
        row["mitigated"] = row["mitigated_by"] = None
    if (is_new or changed & {"false_p", "out_of_scope"}) and (row["false_p"] or row["out_of_scope"]):
        row["mitigated"] = row["mitigated"] or now()
        row["mitigated_by"] = row["mitigated_by"] or user["id"]
        row["is_mitigated"] = True
        row["active"] = row["verified"] = False
    if is_new or changed:
        row["last_status_update"] = now()


def set_severity(row: Row) -> None:
    """Derive the numerical severity and the SLA date from severity and date."""
    row["numerical_severity"] = NUMERICAL.get(row["severity"], "S5")
    start = date.fromisoformat(row["sla_start_date"] or row["date"])
    days = SLA_DAYS.get(row["severity"])
    row["sla_expiration_date"] = None if days is None else (start + timedelta(days=days)).isoformat()


def statistics(rows: list[Row]) -> Row:
    """Counts of findings by severity and status, as import answers carry them."""
    table = {severity.lower(): dict.fromkeys((*STATUSES, "total"), 0) for severity in (*SEVERITIES, "Total")}
    for row in rows:
        for node in (table.get(str(row["severity"]).lower()), table["total"]):
            if node is None:
                continue
            node["total"] += 1
            for status in STATUSES:
                node[status] += row[status]
    return table
