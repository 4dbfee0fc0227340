"""Reported findings meeting stored ones: which are the same, and what a reimport then changes."""

from __future__ import annotations

from collections.abc import Iterable

from tests.standin.report import set_cve
from tests.standin.state import Row, State, apply_status, now
from tests.standin.text import cwe_labels
from tests.standin.uploads import Outcome, Upload


class Candidates:
    """Findings of the test by the key the deduplication algorithm compares."""

    def __init__(self, rows: Iterable[Row], algorithm: str) -> None:
        self.algorithm = algorithm
        self.found: dict[tuple[str, str], Row] = {}
        for row in rows:
            self.add(row)

    def keys(self, row: Row) -> list[tuple[str, str]]:
        """The keys of one finding under the algorithm."""
        if self.algorithm == "legacy":
            return [("title", f"{row['severity']} {row['title'].lower()}")] if row["title"] else []
        keys = []
        if self.algorithm != "unique_id_from_tool":
            keys.append(("hash", row["hash_code"]))
        if self.algorithm != "hash_code" and row["unique_id_from_tool"] is not None:
            keys.append(("uid", row["unique_id_from_tool"]))
        return keys

    def add(self, row: Row) -> None:
        """Let later findings of the report match this one; the oldest finding of a key wins."""
        for key in self.keys(row):
            self.found.setdefault(key, row)

    def match(self, row: Row) -> Row | None:
        """The oldest stored finding that shares a key."""
        matches = [self.found[key] for key in self.keys(row) if key in self.found]
        return min(matches, key=lambda match: int(match["id"]), default=None)


def merge(state: State, known: Row, row: Row, upload: Upload, outcome: Outcome, untouched: dict[int, Row]) -> bool:
    """Let a reported finding meet the stored one; True when its attachments are brought up to date as well."""
    fix = {name: row[name] for name in ("fix_available", "fix_version")}
    changes: Row = fix if known["fix_available"] != row["fix_available"] else {}
    if known["false_p"] or known["out_of_scope"] or known["risk_accepted"]:
        changes = {}
        same = all(known[name] == row[name] for name in ("false_p", "out_of_scope", "risk_accepted"))
        if same or (known["risk_accepted"] and not known["active"]):
            untouched[known["id"]] = known
        if same:
            return False
    elif known["is_mitigated"]:
        if row["is_mitigated"]:
            untouched[known["id"]] = known
            return False
        if upload.do_not_reactivate:
            _note_skipped(state, known, upload)
            return False
        _reactivate(state, known, row, upload)
        known |= changes
        outcome.reactivated.append(known)
    else:
        changes = _merge_open(known, row, upload, untouched, changes)
    _update_attachments(state, known, row, changes)
    return True


def _merge_open(known: Row, row: Row, upload: Upload, untouched: dict[int, Row], changes: Row) -> Row:
    """Close an open finding when the report says so, else leave it; returns the changes that are not saved yet."""
    saved = False
    if row["is_mitigated"]:
        known |= {"is_mitigated": True, "active": False, "mitigated": row["mitigated"]}
        apply_status(known, upload.user, {"is_mitigated"})
        saved = True
    elif row["risk_accepted"] or row["false_p"] or row["out_of_scope"]:
        known |= {name: row[name] for name in ("risk_accepted", "false_p", "out_of_scope")} | {"active": False}
        apply_status(known, upload.user, {"false_p", "out_of_scope"})
        saved = True
    else:
        untouched[known["id"]] = known
    if saved and upload.verified is not None:
        known["verified"] = upload.verified
    for name in ("component_name", "component_version"):
        if row[name] is not None and not known[name]:
            known[name] = row[name]
            saved = True
    if saved:
        known |= changes
        known["updated"] = now()
        return {}
    return changes


def _update_attachments(state: State, known: Row, row: Row, changes: Row) -> None:
    set_cve(row)
    labels = cwe_labels(row["cwe"], row["_cwes"])
    if {entry["cwe"] for entry in known["cwes"]} != set(labels):
        known["cwes"] = [{"cwe": label} for label in labels]
    present = [entry["vulnerability_id"] for entry in known["vulnerability_ids"]]
    if set(present) != set(row["_vulnerability_ids"]):
        known["vulnerability_ids"] = [{"vulnerability_id": name} for name in row["_vulnerability_ids"]]
        known["_vulnerability_ids"] = row["_vulnerability_ids"]
        first = next(iter(row["_vulnerability_ids"]), None)
        if first != known["_cve"]:
            known["_cve"] = first
            known |= changes
            known["updated"] = now()
    new_endpoints = [url for url in row["_endpoints"] if url not in known["_endpoints"]]
    known["_endpoints"] = known["_endpoints"] + new_endpoints
    known["endpoints"] = known["endpoints"] + [state.add("references", url=url)["id"] for url in new_endpoints]


def _note_skipped(state: State, known: Row, upload: Upload) -> None:
    entry = f"Finding has skipped reactivation from {upload.scan_type} re-upload with user decision do_not_reactivate."
    if all(note["entry"] != entry for note in known["notes"]):
        state.note(known, entry, upload.user)


def _reactivate(state: State, known: Row, row: Row, upload: Upload) -> None:
    known |= {"mitigated": None, "is_mitigated": False, "mitigated_by": None, "active": True, "updated": now()}
    if upload.verified is not None:
        known["verified"] = upload.verified
    for name in ("component_name", "component_version"):
        known[name] = known[name] or row[name]
    state.note(known, f"Re-activated by {upload.scan_type} re-upload.", upload.user)


def mitigate(state: State, row: Row, entry: str, upload: Upload) -> None:
    """Close a finding that is missing from a report; a risk acceptance is taken back."""
    row |= {"active": False, "is_mitigated": True, "mitigated_by": upload.user["id"], "updated": now()}
    row["mitigated"] = row["mitigated"] or now()
    state.note(row, entry, upload.user)
    take_back_acceptance(state, row, upload.user)


def take_back_acceptance(state: State, row: Row, user: Row) -> None:
    """End the risk acceptance of a finding, with the server's note."""
    if not row["risk_accepted"]:
        return
    row["risk_accepted"] = False
    if not (row["mitigated"] or row["false_p"] or row["out_of_scope"]):
        row["active"] = True
    state.note(row, f"{full_name(user)} ({user['id']}) removed a risk exception from this finding", user)


def full_name(user: Row) -> str:
    """A user as notes name one."""
    return f"{user['first_name']} {user['last_name']} ({user['username']})".strip()
