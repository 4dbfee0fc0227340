"""PATCH of a finding: the checks of the API serializer, which are stricter than those of an import."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.standin.errors import internal_error, refused_field, refused_fields
from tests.standin.form import boolean, iso_date
from tests.standin.merging import full_name, take_back_acceptance
from tests.standin.report import BOOLEANS, LARGEST_INTEGER, LENGTHS, TEXTS, VULNERABILITY_ID_LENGTH, set_cvss
from tests.standin.state import SEVERITIES, Row, State, apply_status, now, set_severity, today
from tests.standin.text import cvss_of, cwe_labels, cwe_number, split_tags, title_case

NULLABLE_BOOLEANS = ("fix_available",)
RANGES = {"epss_score": 1.0, "epss_percentile": 1.0, "cvssv3_score": 10.0, "cvssv4_score": 10.0}
INTEGERS = ("cwe", "line", "sast_source_line", "nb_occurences")
REQUIRED_DATES = ("date",)
NULLABLE_DATES = ("kev_date", "publish_date", "planned_remediation_date", "sla_start_date", "sla_expiration_date")
# Columns the serializer shows but never writes.
READ_ONLY_TEXTS = ("param", "payload", "_cve")
NOT_BLANK = ("title", "description", "severity", "cvssv3", "cvssv4")

Check = Callable[[str, Any], Any]


def _text(name: str, value: Any) -> Any:
    if isinstance(value, (bool, dict, list)):
        raise refused_field(name, "Not a valid string.")
    text = str(value).strip()
    if not text and name in NOT_BLANK:
        raise refused_field(name, "This field may not be blank.", "blank")
    limit = {"title": 511, "severity": 200}.get(name, LENGTHS.get(name))
    if limit is not None and len(text) > limit:
        raise refused_field(name, f"Ensure this field has no more than {limit} characters.", "max_length")
    if "\0" in text:
        raise refused_field(name, "Null characters are not allowed.", "null_characters_not_allowed")
    return text


def _severity(name: str, value: Any) -> Any:
    if _text(name, value) not in SEVERITIES:
        raise refused_field(name, f"Severity must be one of the following: {list(SEVERITIES)}")
    return value


def _vector(name: str, value: Any) -> Any:
    text, wanted = _text(name, value), int(name[-1])
    found = cvss_of(text)
    if found is None:
        raise refused_field(name, f"No valid CVSS{wanted} vectors found by cvss.parse_cvss_from_text()")
    if found[0] == 2:
        raise refused_field(name, "Unsupported CVSS2 version detected.")
    if found[0] != wanted:
        message = f"CVSS{found[0]} vector cannot be stored in the {name} field. Use the cvssv{found[0]} field."
        raise refused_field(name, message)
    return text


def _number(name: str, value: Any) -> Any:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise refused_field(name, "A valid number is required.") from error
    if number > RANGES[name]:
        raise refused_field(name, f"Ensure this value is less than or equal to {RANGES[name]}.", "max_value")
    if number < 0:
        raise refused_field(name, "Ensure this value is greater than or equal to 0.0.", "min_value")
    return number


def _integer(name: str, value: Any) -> Any:
    try:
        number = int(str(value))
    except ValueError as error:
        raise refused_field(name, "A valid integer is required.") from error
    if abs(number) > LARGEST_INTEGER:
        message = f"Ensure this value is less than or equal to {LARGEST_INTEGER}."
        raise refused_field(name, message, "max_value")
    return number


def _date(name: str, value: Any) -> Any:
    day, latest = iso_date(name, value), today() + timedelta(days=1)
    if name == "kev_date" and day > latest:
        raise refused_field(name, f"Ensure this value is less than or equal to {latest}.", "max_value")
    return day.isoformat()


def tag_list(name: str, value: Any) -> list[str]:
    """A list of tags, or a string that holds a JSON list.

    Raises
    ------
    Refused
        400 for anything else and for a tag with a space, comma or quote.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            message = "Invalid json list. A tag list submitted in string form must be valid json."
            raise refused_field(name, message, "invalid_json") from error
    if not isinstance(value, list):
        message = f'Expected a list of items but got type "{type(value).__name__}".'
        raise refused_field(name, message, "not_a_list")
    if not all(isinstance(tag, str) for tag in value):
        raise refused_field(name, "All list items must be of string type.", "not_a_str")
    tags, refusals = split_tags(value)
    if refusals:
        raise refused_field(name, refusals[0])
    return sorted(set(tags))


def _vulnerability_ids(name: str, value: Any) -> list[str]:
    if not isinstance(value, list):
        message = f'Expected a list of items but got type "{type(value).__name__}".'
        raise refused_field(name, message, "not_a_list")
    identifiers: list[Any] = [entry.get("vulnerability_id") if isinstance(entry, dict) else entry for entry in value]
    if not all(isinstance(identifier, str) for identifier in identifiers):
        raise refused_field(name, "Not a valid string.")
    return [identifier for identifier in identifiers if identifier.strip()]


def _cwes(name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) and "cwe" in entry for entry in value):
        raise refused_field(name, "Expected a list of objects with a cwe.")
    numbers = [cwe_number(entry["cwe"]) for entry in value]
    if None in numbers:
        raise refused_field(name, "Enter a valid CWE.")
    return [f"CWE-{number}" for number in numbers]


CHECKS: dict[str, Check] = {
    **{name: _text for name in (*LENGTHS, *TEXTS, "title", "description") if name not in READ_ONLY_TEXTS},
    **dict.fromkeys((*BOOLEANS, *NULLABLE_BOOLEANS), boolean),
    **dict.fromkeys(RANGES, _number),
    **dict.fromkeys(INTEGERS, _integer),
    **dict.fromkeys((*REQUIRED_DATES, *NULLABLE_DATES), _date),
    "severity": _severity,
    "cvssv3": _vector,
    "cvssv4": _vector,
    "tags": tag_list,
    "vulnerability_ids": _vulnerability_ids,
    "cwes": _cwes,
}
NOT_NULL = {*BOOLEANS, *REQUIRED_DATES, "title", "description", "severity", "tags", "vulnerability_ids", "cwes"}
LOCKED = {
    "mitigated": "Editing mitigated timestamp is disabled (EDITABLE_MITIGATED_DATA=false)",
    "mitigated_by": "Editing mitigated_by is disabled (EDITABLE_MITIGATED_DATA=false)",
}


def check_patch(data: Any) -> Row:
    """Validate a PATCH body; unknown and read-only fields are dropped.

    Raises
    ------
    Refused
        400 with every field that is wrong.
    """
    if not isinstance(data, dict):
        message = f"Invalid data. Expected a dictionary, but got {type(data).__name__}."
        raise refused_field("non_field_errors", message)
    locked = {name: [(text, "invalid")] for name, text in LOCKED.items() if data.get(name) is not None}
    if locked:
        raise refused_fields(locked)
    values: Row = {}
    for name, check in CHECKS.items():
        if name not in data:
            continue
        if data[name] is None and name in NOT_NULL:
            raise refused_field(name, "This field may not be null.", "null")
        values[name] = None if data[name] is None else check(name, data[name])
    return values


def patch_finding(state: State, row: Row, data: Any, user: Row) -> None:
    """Change a finding as PATCH /findings/{id}/ does; its hash code stays as it was created.

    Raises
    ------
    Refused
        400 when a field or their combination is not allowed; 500 for a vulnerability id that is too long.
    """
    values = check_patch(data)
    _check_combination(state, row, values)
    identifiers = values.pop("vulnerability_ids", None)
    if any(len(identifier) > VULNERABILITY_ID_LENGTH for identifier in identifiers or ()):
        raise internal_error()
    _change_acceptance(state, row, values, user)
    labels = values.pop("cwes", None)
    if labels is not None and "cwe" not in values:
        values["cwe"] = cwe_number(labels[0]) if labels else 0
    changed = {name for name, value in values.items() if row.get(name) != value}
    row |= values
    if labels is not None:
        row["cwes"] = [{"cwe": label} for label in cwe_labels(row["cwe"], labels)]
    if identifiers:
        row["vulnerability_ids"] = [{"vulnerability_id": name} for name in dict.fromkeys(identifiers)]
        row["_vulnerability_ids"], row["_cve"] = identifiers, identifiers[0]
    row["title"] = title_case(row["title"])
    for name in ("component_name", "component_version"):
        row[name] = row[name] or None
    set_severity(row)
    set_cvss(row)
    apply_status(row, user, changed)
    row["updated"] = now()


def _check_combination(state: State, row: Row, values: Row) -> None:
    new = {name: values.get(name, row[name]) for name in BOOLEANS}
    message = None
    if (new["active"] or new["verified"]) and new["duplicate"]:
        message = "Duplicate findings cannot be verified or active"
    elif new["false_p"] and new["verified"]:
        message = "False positive findings cannot be verified."
    elif new["risk_accepted"] and not row["risk_accepted"] and not _simple_acceptance(state, row):
        message = "Simple risk acceptance is disabled for this product, use the UI to accept this finding."
    elif new["active"] and new["risk_accepted"]:
        message = "Active findings cannot be risk accepted."
    if message is not None:
        raise refused_field("non_field_errors", message)


def _simple_acceptance(state: State, row: Row) -> bool:
    return bool(state.product_of(row)["enable_simple_risk_acceptance"])


def _change_acceptance(state: State, row: Row, values: Row, user: Row) -> None:
    accepted = values.get("risk_accepted")
    if accepted and not row["risk_accepted"]:
        row |= {"risk_accepted": True, "active": False}
        state.note(row, f"{full_name(user)} ({user['id']}) has risk accepted this finding", user)
    elif accepted is False and row["risk_accepted"]:
        take_back_acceptance(state, row, user)


def close_finding(state: State, row: Row, data: Any, user: Row) -> Row:
    """POST /findings/{id}/close/, and its answer.

    Raises
    ------
    Refused
        400 for a field that is wrong, 500 when ``is_mitigated`` is missing.
    """
    if not isinstance(data, dict) or "is_mitigated" not in data:
        raise internal_error()
    flags = {name: boolean(name, data.get(name, False)) for name in ("false_p", "out_of_scope", "duplicate")}
    flags |= {"is_mitigated": boolean("is_mitigated", data["is_mitigated"]), "active": False}
    changed = {name for name, value in flags.items() if row[name] != value}
    row |= flags | {"under_review": False, "mitigated": now(), "mitigated_by": user["id"]}
    row |= {"last_reviewed": row["mitigated"], "last_reviewed_by": user["id"], "updated": now()}
    if data.get("note"):
        state.note(row, str(data["note"]), user)
    take_back_acceptance(state, row, user)
    apply_status(row, user, changed)
    shown = ("is_mitigated", "mitigated", "false_p", "out_of_scope", "duplicate", "mitigated_by")
    return {name: row[name] for name in shown} | {"note_type": None}
