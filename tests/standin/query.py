"""List endpoints: filters and limit/offset paging."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from tests.standin.errors import refused_field
from tests.standin.form import FALSE, TRUE
from tests.standin.state import Row, State

PAGE = 25
SELECT = "Select a valid choice. That choice is not one of the available choices."

Test = Callable[[State, Row, str], bool]


def _equals(column: str) -> Test:
    return lambda state, row, text: str(row[column]) == text


def _contains(column: str) -> Test:
    return lambda state, row, text: text.lower() in str(row[column] or "").lower()


def _same_text(column: str) -> Test:
    return lambda state, row, text: str(row[column] or "").lower() == text.lower()


def _flag(column: str) -> Test:
    """An unreadable boolean filters nothing, as on the server."""

    def test(state: State, row: Row, text: str) -> bool:
        if text.lower() not in TRUE | FALSE:
            return True
        return bool(row[column]) == (text.lower() in TRUE)

    return test


def _any_of(column: str) -> Test:
    return lambda state, row, text: str(row[column]) in text.split(",")


def _has_tag(state: State, row: Row, text: str) -> bool:
    return any(text.lower() in tag.lower() for tag in row["tags"])


def _vulnerability(state: State, row: Row, text: str) -> bool:
    return any(entry["vulnerability_id"] == text for entry in row["vulnerability_ids"])


def _product_name(state: State, row: Row, text: str) -> bool:
    return str(state.product_of(row)["name"]) == text


def _engagement_of_test(state: State, row: Row, text: str) -> bool:
    return str(state.tables["tests"][row["test"]]["engagement"]) == text


def _type_of_test(state: State, row: Row, text: str) -> bool:
    return str(state.tables["tests"][row["test"]]["test_type"]) == text


def _at_least(column: str) -> Test:
    return lambda state, row, text: row[column] is not None and row[column] >= float(text)


FILTERS: dict[str, dict[str, Test]] = {
    "product_types": {"id": _any_of("id"), "name": _equals("name")},
    "products": {
        "id": _any_of("id"),
        "name": _contains("name"),
        "name_exact": _same_text("name"),
        "prod_type": _any_of("prod_type"),
        "tag": _has_tag,
    },
    "engagements": {"id": _any_of("id"), "name": _equals("name"), "product": _equals("product")},
    "tests": {
        "id": _any_of("id"),
        "title": _equals("title"),
        "engagement": _equals("engagement"),
        "test_type": _any_of("test_type"),
        "scan_type": _equals("scan_type"),
        "percent_complete": _equals("percent_complete"),
        "version": _equals("version"),
    },
    "test_types": {"name": _equals("name")},
    "test_imports": {"test": _equals("test"), "version": _equals("version")},
    "metadata": {"product": _equals("product"), "finding": _equals("finding"), "name": _equals("name")},
    "findings": {
        "id": _any_of("id"),
        "test": _equals("test"),
        "test__engagement": _engagement_of_test,
        "test__test_type": _type_of_test,
        "product_name": _product_name,
        "title": _contains("title"),
        "exact_title": _same_text("title"),
        "severity": _any_of("severity"),
        "unique_id_from_tool": _contains("unique_id_from_tool"),
        "vuln_id_from_tool": _contains("vuln_id_from_tool"),
        "vulnerability_id": _vulnerability,
        "component_name": _contains("component_name"),
        "component_version": _contains("component_version"),
        "service": _equals("service"),
        "hash_code": _contains("hash_code"),
        "epss_score_min": _at_least("epss_score"),
        "tag": _has_tag,
        **{
            name: _flag(name)
            for name in (
                "active",
                "verified",
                "false_p",
                "duplicate",
                "out_of_scope",
                "risk_accepted",
                "is_mitigated",
                "under_review",
                "known_exploited",
                "ransomware_used",
            )
        },
    },
}
REFERENCES = {
    ("findings", "test"): "tests",
    ("tests", "engagement"): "engagements",
    ("engagements", "product"): "products",
    ("test_imports", "test"): "tests",
}
PAGING = ("limit", "offset")
ORDERINGS = {
    "products": ("id", "name", "created"),
    "engagements": ("name", "created", "updated"),
    "tests": ("title", "created", "updated"),
    "findings": ("id", "title", "created", "severity", "date"),
    "test_imports": ("id",),
}
# The server lists these tables without an order, so that a client must not rely on one.
UNORDERED = {"tests", "products"}


def ordered(table: str, rows: Iterable[Row]) -> list[Row]:
    """Rows in the order the server lists them: by identifier, imports newest first, tests and products in none."""
    if table in UNORDERED:
        return sorted(rows, key=lambda row: hashlib.sha256(str(row["id"]).encode()).digest())
    return sorted(rows, key=lambda row: int(row["id"]), reverse=table == "test_imports")


def select(state: State, table: str, rows: Iterable[Row], query: dict[str, str]) -> list[Row]:
    """Apply the filters the server knows; unknown ones and empty values are ignored.

    Raises
    ------
    Refused
        400 for a reference to a row that does not exist and for identifiers that are no numbers.
    """
    wanted = []
    for name, text in query.items():
        test = FILTERS[table].get(name)
        if test is None or text == "":
            continue
        target = REFERENCES.get((table, name))
        if target and not (text.isdecimal() and int(text) in state.tables[target]):
            raise refused_field(name, SELECT, "invalid_choice")
        if name in ("id", "test__engagement") and not all(part.strip().isdecimal() for part in text.split(",")):
            raise refused_field(name, "Enter a number.")
        wanted.append((test, text))
    found = ordered(table, (row for row in rows if all(test(state, row, text) for test, text in wanted)))
    column = query.get("o", "")
    if not column:
        return found
    if column.removeprefix("-") not in ORDERINGS.get(table, ()):
        message = f"Select a valid choice. {column} is not one of the available choices."
        raise refused_field("o", message, "invalid_choice")
    return sorted(found, key=lambda row: row[column.removeprefix("-")] or "", reverse=column.startswith("-"))


def page(rows: list[Any], address: str, query: str) -> tuple[list[Any], Row]:
    """Cut one page out of *rows*.

    Returns
    -------
    rows, envelope
        The page, and count, next and previous as the answer carries them.
    """
    parameters = dict(parse_qsl(query))
    limit = _number(parameters.get("limit"), PAGE) or PAGE
    offset = _number(parameters.get("offset"), 0)
    following = offset + limit if offset + limit < len(rows) else None
    preceding = max(offset - limit, 0) if offset > 0 else None
    envelope = {
        "count": len(rows),
        "next": None if following is None else _link(address, parameters, limit, following),
        "previous": None if preceding is None else _link(address, parameters, limit, preceding),
    }
    return rows[offset : offset + limit], envelope


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdecimal() else default


def _link(address: str, parameters: dict[str, str], limit: int, offset: int) -> str:
    changed = {name: value for name, value in parameters.items() if name not in PAGING}
    changed["limit"] = str(limit)
    if offset:
        changed["offset"] = str(offset)
    return f"{address}?{urlencode(sorted(changed.items()))}"
