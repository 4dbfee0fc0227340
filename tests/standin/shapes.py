"""Rows of the tables in the shape the API shows them."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.standin.state import Row, State, today

NAMED_STATUSES = (
    ("verified", "Verified"),
    ("is_mitigated", "Mitigated"),
    ("false_p", "False Positive"),
    ("out_of_scope", "Out Of Scope"),
    ("duplicate", "Duplicate"),
    ("risk_accepted", "Risk Accepted"),
)
SNAPSHOT_SKIPS = frozenset(
    "id test reporter found_by created updated date sla_start_date sla_expiration_date last_status_update "
    "last_reviewed last_reviewed_by mitigated mitigated_by notes endpoints files vulnerability_ids cwes".split()
)


def display_status(row: Row) -> str:
    """Status of a finding in words, as the web page shows it."""
    words = ["Under Review"] if row["under_review"] else []
    words.append("Active" if row["active"] else "Inactive")
    known = row | {"is_mitigated": row["is_mitigated"] or row["mitigated"]}
    return ", ".join(words + [word for name, word in NAMED_STATUSES if known[name]])


def finding_shape(state: State, row: Row) -> Row:
    """A finding."""
    found_on = date.fromisoformat(row["date"])
    until = row["sla_expiration_date"]
    shown = {name: value for name, value in row.items() if not name.startswith("_")}
    metadata = state.where("metadata", finding=row["id"])
    return shown | {
        "request_response": {"req_resp": []},
        "accepted_risks": [],
        "push_to_jira": False,
        "age": max((today() - found_on).days, 0),
        "sla_days_remaining": (date.fromisoformat(until) - today()).days if until else None,
        "finding_meta": [{"name": entry["name"], "value": entry["value"]} for entry in metadata],
        "related_fields": None,
        "jira_creation": None,
        "jira_change": None,
        "display_status": display_status(row),
        "finding_groups": [],
    }


def test_shape(state: State, row: Row) -> Row:
    """A test with the deduplication policy in force."""
    algorithm, fields = state.policy(row)
    return row | {
        "test_type_name": state.tables["test_types"][row["test_type"]]["name"],
        "deduplication_algorithm": algorithm,
        "hash_code_fields": fields,
    }


def product_shape(state: State, row: Row) -> Row:
    """A product with the identifiers of all its findings."""
    engagements = {engagement["id"] for engagement in state.where("engagements", product=row["id"])}
    tests = {test["id"] for test in state.tables["tests"].values() if test["engagement"] in engagements}
    findings = [finding["id"] for finding in state.tables["findings"].values() if finding["test"] in tests]
    metadata = state.where("metadata", product=row["id"])
    return row | {
        "findings_count": len(findings),
        "findings_list": findings,
        "product_meta": [{"name": entry["name"], "value": entry["value"]} for entry in metadata],
    }


def test_import_shape(state: State, row: Row) -> Row:
    """One entry of a test's import history."""
    shown = {name: value for name, value in row.items() if name != "actions"}
    actions = [
        {
            "id": row["id"] * 1_000_000 + number,
            "created": row["created"],
            "modified": row["modified"],
            "test_import": row["id"],
            **action,
        }
        for number, action in enumerate(row["actions"])
    ]
    affected = [action["finding"] for action in row["actions"]]
    return shown | {"test_import_finding_action_set": actions, "findings_affected": affected}


def plain_shape(state: State, row: Row) -> Row:
    """A row that is shown as it is stored."""
    return row


def user_shape(row: Row) -> Row:
    """A user without the token and password."""
    return {name: value for name, value in row.items() if not name.startswith("_")}


SHAPES = {
    "findings": finding_shape,
    "tests": test_shape,
    "products": product_shape,
    "test_imports": test_import_shape,
}


def snapshot(state: State) -> dict[str, Any]:
    """Everything that matters, without identifiers and times, so that two servers can be compared.

    Returns
    -------
    dict
        ``tests``: by "product / engagement / test title", their type, version, tags and percentage.
        ``findings``: by the same name plus " / unique_id_from_tool" (title when there is none), a list with one
        entry for each finding of that key; more than one entry is a duplicate.
    """
    tests: dict[str, Any] = {}
    findings: dict[str, list[Row]] = {}
    names: dict[int, str] = {}
    for test in state.tables["tests"].values():
        engagement = state.tables["engagements"][test["engagement"]]
        product = state.tables["products"][engagement["product"]]
        name = f"{product['name']} / {engagement['name']} / {test['title']}"
        names[test["id"]] = name
        shape = test_shape(state, test)
        entry = {key: shape[key] for key in ("test_type_name", "scan_type", "tags", "version", "percent_complete")}
        tests.setdefault(name, []).append(entry)
    for row in state.tables["findings"].values():
        key = f"{names[row['test']]} / {row['unique_id_from_tool'] or row['title']}"
        findings.setdefault(key, []).append(_comparable(row))
    for rows in findings.values():
        rows.sort(key=repr)
    return {"tests": dict(sorted(tests.items())), "findings": dict(sorted(findings.items()))}


def _comparable(row: Row) -> Row:
    kept = {name: row[name] for name in row if name not in SNAPSHOT_SKIPS and not name.startswith("_")}
    return kept | {
        "is_mitigated_at_all": row["mitigated"] is not None,
        "vulnerability_ids": [entry["vulnerability_id"] for entry in row["vulnerability_ids"]],
        "cwes": [entry["cwe"] for entry in row["cwes"]],
        "endpoints": list(row["_endpoints"]),
        "notes": [note["entry"] for note in row["notes"]],
    }
