"""What import-scan and reimport-scan do to the findings of a test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tests.standin.errors import internal_error, refused_text
from tests.standin.merging import Candidates, merge, mitigate
from tests.standin.report import (
    Report,
    check_attachments,
    prepare_for_storage,
    set_cve,
    set_parsed_severity,
)
from tests.standin.state import SEVERITIES, Row, State, apply_status, now, today
from tests.standin.text import clean_tags, cwe_labels, hash_code
from tests.standin.uploads import Outcome, Upload

BATCH = 1000
TEST_TYPE_LENGTH = 200


def test_type_name(declared: str | None, scan_type: str) -> str:
    """Name of the test type for the ``type`` a report declares; the suffix is never doubled."""
    if not declared or declared == scan_type or f"{declared} Scan" == scan_type:
        return scan_type
    if declared.endswith(f" ({scan_type})"):
        return declared
    return f"{declared} Scan ({scan_type})"


def create_test(
    state: State, engagement: Row, title: str | None, environment: Row, report: Report, upload: Upload
) -> Row:
    """The half-finished test (50 %) a first import writes before it stores findings."""
    name = test_type_name(report.type, upload.scan_type)
    lengths = ((name, TEST_TYPE_LENGTH), (title or "", 255), (upload.version, 100), (upload.build_id, 150))
    if any(len(text) > limit for text, limit in (*lengths, (upload.branch_tag, 150), (upload.commit_hash, 150))):
        raise internal_error()
    test_type = state.named("test_types", name, static_tool=False, dynamic_tool=False, active=True)
    moment = now()
    return state.add(
        "tests",
        scan_type=upload.scan_type,
        title=title,
        description=None,
        target_start=moment,
        target_end=moment,
        percent_complete=50,
        updated=moment,
        created=moment,
        **_stamp(upload),
        engagement=engagement["id"],
        lead=None,
        test_type=test_type["id"],
        environment=environment["id"],
        api_scan_configuration=None,
        notes=[],
        files=[],
        tags=sorted(set(upload.tags)),
        finding_groups=[],
    )


def first_import(state: State, test: Row, report: Report, upload: Upload) -> Outcome:
    """Store every finding of the report in a new test; identical findings are not merged."""
    _describe(state, test, report)
    outcome = Outcome()
    rows = _wanted(report.findings, upload)
    for batch in _batches(rows):
        for row in batch:
            _break_off(upload, len(outcome.created))
            _force_service(row, upload)
            row["test"] = test["id"]
            set_cve(row)
            row["hash_code"] = _hash(state, test, row)
            outcome.created.append(_store(state, test, row, upload))
        _finish_batch(batch, upload)
    if upload.close_old_findings:
        outcome.closed = _close_elsewhere(state, test, outcome.created, upload)
    _finish(state, test, upload, outcome, "import")
    return outcome


def reimport(state: State, test: Row, report: Report, upload: Upload) -> Outcome:
    """Match the report with the findings of an existing test."""
    expected = test_type_name(report.type, upload.scan_type)
    present = state.tables["test_types"][test["test_type"]]["name"]
    if present not in (expected, upload.scan_type):
        raise refused_text(
            f"Test type mismatch: Test {test['id']} has test_type '{present}', but the report contains test_type "
            f"'{expected}'. Reimport with matching test_type or create a new test."
        )
    _describe(state, test, report)
    rows = _wanted(report.findings, upload)
    for row in rows:
        _force_service(row, upload)
        row["test"] = test["id"]
        row["hash_code"] = _hash(state, test, row)
    rows.sort(key=_ordering)
    existing = state.findings_of(test)
    in_scope = [row for row in existing if (row["service"] or None) == (upload.service or None)]
    open_before = {row["id"] for row in in_scope if not (row["mitigated"] and row["is_mitigated"])}
    outcome, seen = Outcome(), Candidates(existing, state.policy(test)[0])
    untouched: dict[int, Row] = {}
    for batch in _batches(rows):
        touched = []
        for row in batch:
            _break_off(upload, len(outcome.created) + len(untouched))
            known = seen.match(row)
            if known is None:
                set_cve(row)
                touched.append(row)
                outcome.created.append(_store(state, test, row, upload))
                seen.add(row)
            elif merge(state, known, row, upload, outcome, untouched):
                touched.append(known)
        _finish_batch(touched, upload)
    handled = set(untouched) | {row["id"] for row in outcome.reactivated}
    if upload.close_old_findings:
        outcome.closed = [row for row in in_scope if row["id"] in open_before and row["id"] not in handled]
        for row in outcome.closed:
            mitigate(state, row, f"Mitigated by {present} re-upload.", upload)
    created = {row["id"] for row in outcome.created}
    reactivated = {row["id"] for row in outcome.reactivated}
    outcome.untouched = [row for key, row in untouched.items() if key not in created | reactivated]
    if upload.tags:
        test["tags"] = sorted(set(upload.tags))
    _finish(state, test, upload, outcome, "reimport")
    return outcome


def _batches(rows: list[Row]) -> Iterator[list[Row]]:
    return (rows[start : start + BATCH] for start in range(0, len(rows), BATCH))


def _ordering(row: Row) -> tuple[Any, ...]:
    line = row["line"] if row["line"] is not None else -1
    return row["hash_code"], row["unique_id_from_tool"] or "", row["file_path"] or "", line, row["title"]


def _wanted(rows: list[Row], upload: Upload) -> list[Row]:
    for row in rows:
        set_parsed_severity(row)
    least = SEVERITIES.index(upload.minimum_severity)
    return [row for row in rows if SEVERITIES.index(row["severity"]) >= least]


def _break_off(upload: Upload, handled: int) -> None:
    """Fail in the middle of an upload, as a worker that is killed or a row the database refuses would."""
    if upload.break_after is not None and handled >= upload.break_after:
        raise internal_error()


def _force_service(row: Row, upload: Upload) -> None:
    if upload.service is not None:
        row["service"] = upload.service


def _hash(state: State, test: Row, row: Row) -> str:
    try:
        return hash_code(row, state.policy(test)[1])
    except TypeError as error:
        raise internal_error() from error


def _describe(state: State, test: Row, report: Report) -> None:
    if report.description is not None:
        test["description"] = report.description
    test_type = state.tables["test_types"][test["test_type"]]
    for name, value in (("static_tool", report.static_tool), ("dynamic_tool", report.dynamic_tool)):
        if value is not None:
            test_type[name] = value


def _store(state: State, test: Row, row: Row, upload: Upload) -> Row:
    """Write one finding of the report; its attachments become visible here too."""
    if upload.active is not None:
        row["active"] = upload.active
    if upload.verified is not None:
        row["verified"] = upload.verified
    if upload.scan_date is not None:
        row["date"] = upload.scan_date
    prepare_for_storage(row, today())
    moment = now()
    apply_status(row, upload.user, set(), is_new=True)
    row["tags"] = clean_tags(row["_tags"])
    row["vulnerability_ids"] = [{"vulnerability_id": name} for name in row["_vulnerability_ids"]]
    row["cwes"] = [{"cwe": label} for label in cwe_labels(row["cwe"], row["_cwes"])]
    row["endpoints"] = [state.add("references", url=url)["id"] for url in dict.fromkeys(row["_endpoints"])]
    row["files"] = [state.next_identifier["references"] for _ in row["_files"]]
    row |= {"reporter": upload.user["id"], "last_reviewed_by": upload.user["id"], "last_reviewed": moment}
    row |= {"created": moment, "updated": moment, "found_by": [test["test_type"]]}
    state.insert("findings", row)
    if state.settings["enable_deduplication"]:
        _mark_duplicate(state, test, row)
    return row


def _mark_duplicate(state: State, test: Row, row: Row) -> None:
    """Make the finding a duplicate of an older one in the product (or engagement) with the same key."""
    engagement = state.tables["engagements"][test["engagement"]]
    algorithm = state.policy(test)[0]
    for older in state.tables["findings"].values():
        place = state.tables["engagements"][state.tables["tests"][older["test"]]["engagement"]]
        narrow = engagement["deduplication_on_engagement"] or place["deduplication_on_engagement"]
        near = place is engagement if narrow else place["product"] == engagement["product"]
        if older is not row and near and not older["duplicate"] and Candidates([older], algorithm).match(row):
            row |= {"duplicate": True, "duplicate_finding": older["id"], "active": False, "verified": False}
            return


def _finish_batch(rows: Iterable[Row], upload: Upload) -> None:
    for row in rows:
        check_attachments(row)
        if upload.apply_tags_to_findings:
            row["tags"] = sorted({*row["tags"], *upload.tags})


def _close_elsewhere(state: State, test: Row, created: list[Row], upload: Upload) -> list[Row]:
    """Findings of other tests of the same type that the new test does not report any more."""
    algorithm = state.policy(test)[0]
    algorithm = "hash_code" if algorithm == "legacy" else algorithm
    reported = Candidates((row for row in created if not row["is_mitigated"]), algorithm)
    engagement = state.tables["engagements"][test["engagement"]]
    closed = []
    for other in list(state.where("tests", test_type=test["test_type"])):
        scope = state.tables["engagements"][other["engagement"]]
        same_product = upload.close_old_findings_product_scope and scope["product"] == engagement["product"]
        if other is test or not (scope is engagement or same_product):
            continue
        for row in state.findings_of(other):
            same_service = (row["service"] or None) == (upload.service or None)
            if (row["active"] or row["risk_accepted"]) and same_service and reported.match(row) is None:
                entry = f'This Finding has been automatically closed by the Test: \n "{test["title"]}"'
                mitigate(state, row, entry, upload)
                closed.append(row)
    return closed


def _stamp(upload: Upload) -> Row:
    return {name: getattr(upload, name) for name in ("version", "build_id", "commit_hash", "branch_tag")}


def _finish(state: State, test: Row, upload: Upload, outcome: Outcome, kind: str) -> None:
    """Stamp the test, set it to 100 % and write the import history."""
    test |= _stamp(upload) | {"percent_complete": 100, "updated": now(), "target_end": now()}
    moment = now()
    entry = state.add(
        "test_imports",
        created=moment,
        modified=moment,
        import_settings=upload.settings,
        type=kind,
        test=test["id"],
        **_stamp(upload),
    )
    lists = (("C", outcome.closed), ("N", outcome.created), ("R", outcome.reactivated), ("U", outcome.untouched))
    actions = {row["id"]: action for action, rows in reversed(lists) for row in rows}
    entry["actions"] = [{"action": action, "finding": identifier} for identifier, action in actions.items()]
