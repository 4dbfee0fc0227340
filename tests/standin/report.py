"""Reading a Generic Findings Import report, and the checks the database makes when a finding of it is stored."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tests.standin.errors import internal_error, refused_text
from tests.standin.state import SEVERITIES, Row, new_finding, set_severity
from tests.standin.text import clean_tags, cvss_of, cwe_number, loose_date, title_case

REQUIRED = {"title", "severity", "description"}
ALLOWED = REQUIRED | set(
    "date cwe cve epss_score epss_percentile cvssv3 cvssv3_score cvssv4 cvssv4_score mitigation impact "
    "steps_to_reproduce severity_justification references active verified false_p out_of_scope risk_accepted "
    "under_review is_mitigated thread_id mitigated numerical_severity param payload line file_path component_name "
    "component_version static_finding dynamic_finding scanner_confidence unique_id_from_tool vuln_id_from_tool "
    "sast_source_object sast_sink_object sast_source_line sast_source_file_path nb_occurences publish_date service "
    "planned_remediation_date planned_remediation_version effort_for_fixing kev_date known_exploited "
    "ransomware_used fix_available fix_version".split()
)
APART = ("endpoints", "files", "tags", "vulnerability_ids", "cwes")
ENDPOINT_KEYS = {"protocol", "user_info", "host", "port", "path", "query", "fragment", "url"}
FILE_EXTENSIONS = tuple(
    ".txt .pdf .json .xml .csv .yml .png .jpeg .sarif .xlsx .doc .html .js .nessus .zip .fpr".split()
)

FLOATS = ("cvssv3_score", "cvssv4_score", "epss_percentile", "epss_score")
INTEGERS = ("cwe", "line", "nb_occurences", "sast_source_line", "scanner_confidence", "thread_id")
BOOLEANS = tuple(
    "active verified false_p duplicate out_of_scope risk_accepted under_review under_defect_review is_mitigated "
    "known_exploited ransomware_used static_finding dynamic_finding".split()
)
DATES = ("kev_date", "publish_date", "planned_remediation_date")
TEXTS = ("mitigation", "impact", "steps_to_reproduce", "severity_justification", "references", "param", "payload")
LENGTHS = {
    "_cve": 50,
    "component_name": 500,
    "component_version": 100,
    "fix_version": 100,
    "unique_id_from_tool": 500,
    "vuln_id_from_tool": 500,
    "sast_source_object": 500,
    "sast_sink_object": 500,
    "file_path": 4000,
    "sast_source_file_path": 4000,
    "service": 200,
    "planned_remediation_version": 99,
    "effort_for_fixing": 99,
    "cvssv3": 117,
    "cvssv4": 255,
}
VULNERABILITY_ID_LENGTH = 50
TAG_LENGTH = 255
LARGEST_INTEGER = 2**31 - 1


@dataclass(frozen=True)
class Report:
    """A parsed report: the tool it names and its findings, not stored yet."""

    type: str | None
    version: str | None
    description: str | None
    static_tool: bool | None
    dynamic_tool: bool | None
    findings: list[Row] = field(default_factory=list)


def parse(content: bytes, file_name: str) -> Report:
    """Read an uploaded report; every name but ``*.csv`` is taken for JSON.

    Raises
    ------
    Refused
        400 with the parser's message, or 500 where the server's parser breaks.
    """
    try:
        if file_name.lower().endswith(".csv"):
            return Report(None, None, None, None, None, [_finding(item) for item in _csv_rows(content)])
        data = json.loads(content)
        if not isinstance(data, dict):
            raise TypeError("a report is one JSON object")
        findings = [_finding(item) for item in data.get("findings", [])]
    except ValueError as error:
        raise refused_text(str(error)) from error
    except (TypeError, AttributeError, RecursionError) as error:
        raise internal_error() from error
    return Report(
        data.get("type"),
        data.get("version"),
        data.get("description"),
        data.get("static_tool"),
        data.get("dynamic_tool"),
        findings,
    )


def _csv_rows(content: bytes) -> list[dict[str, str]]:
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig", errors="replace")))
    return [
        {name.lower(): value for name, value in row.items() if name and value and name.lower() in ALLOWED}
        for row in rows
        if row.get("Title")
    ]


def _finding(item: Any) -> Row:
    if not isinstance(item, dict):
        missing = sorted(REQUIRED.difference(item))
        raise ValueError(f"Required fields are missing: {missing}")
    given = dict(item)
    apart = {name: given.pop(name, None) for name in APART}
    if "date" in given:
        given["date"] = loose_date(given["date"]).date().isoformat()
    if "mitigated" in given:
        given["mitigated"] = loose_date(given["mitigated"]).isoformat()
    if missing := sorted(REQUIRED.difference(given)):
        raise ValueError(f"Required fields are missing: {missing}")
    if foreign := sorted(set(given).difference(ALLOWED)):
        raise ValueError(f"Not allowed fields are present: {foreign}")
    for names, convert in ((FLOATS, float), (INTEGERS, int)):
        _convert_numbers(given, names, convert)
    row = new_finding() | {name: value for name, value in given.items() if name != "cve"}
    row["_cve"] = given.get("cve")
    row["_endpoints"] = [_endpoint(endpoint) for endpoint in apart["endpoints"] or []]
    _check_files(apart["files"] or [])
    row["_files"] = apart["files"] or []
    row["_tags"] = apart["tags"]
    row["_vulnerability_ids"] = _vulnerability_ids(row["_cve"], apart["vulnerability_ids"])
    row["_cwes"] = apart["cwes"] or []
    if row["_cwes"] and not row["cwe"]:
        row["cwe"] = cwe_number(row["_cwes"][0])
    return row


def _convert_numbers(given: Row, names: tuple[str, ...], convert: Callable[[Any], float | int]) -> None:
    for name in names:
        value = given.get(name)
        if value is None:
            continue
        try:
            number = None if isinstance(value, bool) else convert(value)
        except (TypeError, ValueError):
            number = None
        if number is None or not math.isfinite(number):
            del given[name]
        else:
            given[name] = number


def _endpoint(endpoint: Any) -> str:
    if isinstance(endpoint, str):
        return endpoint
    if not set(endpoint) <= ENDPOINT_KEYS:
        raise TypeError("unknown part of an endpoint")
    return json.dumps(endpoint, sort_keys=True)


def _check_files(files: list[Any]) -> None:
    for attached in files:
        if not str(attached.get("title", "")).lower().endswith(FILE_EXTENSIONS):
            supported = ", ".join(FILE_EXTENSIONS)
            raise ValueError(f"Unsupported extension. Supported extensions are as follows: {supported}")


def _vulnerability_ids(cve: Any, given: Any) -> list[Any]:
    listed = [given] if isinstance(given, str) else list(given or [])
    return ([cve] if cve else []) + listed


def set_parsed_severity(row: Row) -> None:
    """Accept the five severities and the spellings of Info.

    Raises
    ------
    Refused
        400 for another spelling, 500 for a value that is not text.
    """
    severity = row["severity"]
    if not isinstance(severity, str):
        raise internal_error()
    if severity.lower().startswith("info") or severity.lower() == "none":
        row["severity"] = severity = "Info"
    if severity not in SEVERITIES:
        raise refused_text(
            f'Finding severity "{severity}" is not supported. Any of the following are supported: {list(SEVERITIES)}.'
        )


def set_cve(row: Row) -> None:
    """Make the first vulnerability id the CVE of the finding, or the other way round.

    Raises
    ------
    Refused
        500 when an identifier is not text.
    """
    if not all(isinstance(identifier, str) for identifier in row["_vulnerability_ids"]):
        raise internal_error()
    identifiers = [identifier for identifier in row["_vulnerability_ids"] if identifier.strip()]
    row["_vulnerability_ids"] = list(dict.fromkeys(identifiers))
    if identifiers:
        row["_cve"] = identifiers[0]


def prepare_for_storage(row: Row, today: date) -> None:
    """Do to a finding what the database layer does before it is written.

    Raises
    ------
    Refused
        400 for a boolean or date of the wrong form; 500 for text that is too long, a NUL character or a null
        in a column that has none.
    """
    _check_text(row)
    _check_values(row)
    row["title"] = title_case(row["title"])
    for name in ("component_name", "component_version"):
        if row[name] is not None and not row[name].strip():
            row[name] = None
    row["date"] = row["date"] or today.isoformat()
    set_severity(row)
    set_cvss(row)
    if row["file_path"] is not None:
        row["static_finding"] = True
        row["dynamic_finding"] = row["dynamic_finding"] and bool(row["_endpoints"])


def _check_text(row: Row) -> None:
    for name in ("title", "description", "severity"):
        if not isinstance(row[name], str):
            raise internal_error()
    for name in (*LENGTHS, *TEXTS):
        value = row[name]
        if value is None:
            continue
        if not isinstance(value, str):
            if name.startswith("component"):
                raise internal_error()
            row[name] = value = str(value)
        if len(value) > LENGTHS.get(name, len(value)):
            raise internal_error()
    if any("\0" in row[name] for name in ("title", "description", *LENGTHS, *TEXTS) if row[name]):
        raise internal_error()


def _check_values(row: Row) -> None:
    for name in BOOLEANS:
        if row[name] is None:
            raise internal_error()
    for name in (*BOOLEANS, "fix_available"):
        if row[name] is not None and not isinstance(row[name], bool):
            raise refused_text(f"“{row[name]}” value must be either True or False.")
    for name in DATES:
        if row[name] is not None:
            _check_date(row[name])
    for name in INTEGERS:
        if row[name] is not None and abs(row[name]) > LARGEST_INTEGER:
            raise internal_error()


def _check_date(value: Any) -> None:
    text = str(value)
    parts = text.split("-")
    if len(parts) != 3 or not all(part.isdecimal() for part in parts) or len(parts[0]) != 4:
        raise refused_text(f"“{text}” value has an invalid date format. It must be in YYYY-MM-DD format.")
    try:
        date(*map(int, parts))
    except ValueError as error:
        message = f"“{text}” value has the correct format (YYYY-MM-DD) but it is an invalid date."
        raise refused_text(message) from error


def set_cvss(row: Row) -> None:
    """Take score and clean form from a valid vector; drop a vector of another version; keep an unreadable one."""
    for name, major in (("cvssv3", 3), ("cvssv4", 4)):
        if not row[name]:
            continue
        found = cvss_of(row[name])
        if found is None:
            continue
        row[name], row[f"{name}_score"] = (found[1], found[2]) if found[0] == major else (None, None)


def check_attachments(row: Row) -> None:
    """Limits of the tables that hold vulnerability ids and tags, written after the findings of a batch.

    Raises
    ------
    Refused
        500 when one is too long.
    """
    if any(len(identifier) > VULNERABILITY_ID_LENGTH for identifier in row["_vulnerability_ids"]):
        raise internal_error()
    if any(len(tag) > TAG_LENGTH for tag in clean_tags(row["_tags"])):
        raise internal_error()
