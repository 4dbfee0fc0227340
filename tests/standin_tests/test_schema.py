"""The stand-in's endpoints, parameters and answers against DefectDojo's own API schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.standin import DefectDojoStandin
from tests.standin.query import FILTERS, ORDERINGS, PAGING
from tests.standin.views import ROUTES, TOKEN_AUTH, UPLOADS
from tests.standin_tests.scenarios import FINDING, Talk

SCHEMA = Path(__file__).resolve().parents[3] / "shared" / "defectdojo" / "openapi-3.2.0.json"

# Where a real server departs from its own schema, seen on 3.2.0: null for an object or integer that the schema
# requires, and an advertisement that is sent with some answers only.
DEPARTURES = {"user_contact_info", "related_fields", "endpoint_to_add", "note_type", "editor", "pro"}
# The answer to a new note is shorter than the schema says.
NOTE = {"id", "history", "date"}
OTHER_STATUS = {("POST", "/api/v2/findings/{id}/tags/"): ("200", "201")}


def as_json_schema(node: Any) -> Any:
    """OpenAPI 3.0 spells null and read-only values in a way of its own."""
    if isinstance(node, list):
        return [as_json_schema(child) for child in node]
    if not isinstance(node, dict):
        return node
    converted = {key: as_json_schema(value) for key, value in node.items() if key not in ("nullable", "pattern")}
    return {"anyOf": [converted, {"type": "null"}]} if node.get("nullable") is True else converted


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    if not SCHEMA.is_file():
        pytest.skip("the API schema ../shared/defectdojo/openapi-3.2.0.json is not on this machine")
    loaded: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return loaded


def test_every_endpoint_exists(schema: dict[str, Any]) -> None:
    offered = [(method, template) for method, template, _ in ROUTES] + [
        ("POST", path) for path in (*UPLOADS, TOKEN_AUTH)
    ]
    missing = [(method, path) for method, path in offered if method.lower() not in schema["paths"].get(path, {})]
    assert missing == []


@pytest.mark.parametrize("table", FILTERS)
def test_every_filter_exists(table: str, schema: dict[str, Any]) -> None:
    known = {one["name"]: one for one in schema["paths"][f"/api/v2/{table}/"]["get"]["parameters"]}
    assert {*FILTERS[table], *PAGING} <= set(known)
    if table in ORDERINGS:
        assert set(ORDERINGS[table]) <= set(known["o"]["schema"]["items"]["enum"])


def conversation(talk: Talk) -> Iterator[tuple[str, str, int, Any]]:
    """One answer of every endpoint: method, address template, status, body."""
    finding = FINDING | {"vulnerability_ids": ["CVE-2024-1"], "tags": ["a"], "cwe": 79, "endpoints": ["https://h/p"]}
    report = {"findings": [finding, FINDING | {"title": "u"}]}
    talk.upload({"findings": [FINDING]}, "S0")
    uploaded = talk.upload(report)
    yield "POST", "/api/v2/reimport-scan/", uploaded.status_code, uploaded.json()
    places = uploaded.json()
    for kind in ("reimport", "import"):
        answer = talk.upload(report, kind=kind)
        yield "POST", f"/api/v2/{kind}-scan/", answer.status_code, answer.json()
    first = talk.findings()[0]["id"]
    calls: list[tuple[str, str, Any]] = [
        ("POST", f"findings/{first}/notes/", {"entry": "n"}),
        ("POST", f"findings/{first}/tags/", {"tags": ["b"]}),
        ("POST", f"findings/{first}/close/", {"is_mitigated": True, "note": "x"}),
        ("POST", "metadata/", {"finding": first, "name": "k", "value": "v"}),
        ("PATCH", f"findings/{first}/", {"severity": "Low", "epss_score": 0.5, "kev_date": "2024-01-01"}),
        ("PATCH", f"tests/{places['test_id']}/", {"title": "T"}),
        ("PATCH", f"engagements/{places['engagement_id']}/", {"description": "d"}),
        ("PATCH", f"products/{places['product_id']}/", {"enable_simple_risk_acceptance": True}),
        ("PATCH", f"product_types/{places['product_type_id']}/", {"description": "d"}),
        ("POST", "product_types/", {"name": f"{talk.product} type"}),
        (
            "POST",
            "products/",
            {"name": f"{talk.product}-2", "prod_type": places["product_type_id"], "description": "d"},
        ),
        (
            "POST",
            "engagements/",
            {
                "name": "e2",
                "product": places["product_id"],
                "target_start": "2025-01-01",
                "target_end": "2025-02-01",
            },
        ),
    ]
    for table in FILTERS:
        calls += [("GET", f"{table}/?limit=3", None), ("GET", f"{table}/1/", None)]
    calls += [("GET", f"findings/{first}/{part}/", None) for part in ("notes", "tags")]
    calls += [("GET", path, None) for path in ("user_profile/", "system_settings/")]
    for method, path, body in calls:
        answer = talk.call(method, path, json=body) if body is not None else talk.call(method, path)
        yield method, "/api/v2/" + re.sub(r"/\d+/", "/{id}/", path.split("?")[0]), answer.status_code, answer.json()


def problems(schema: dict[str, Any], method: str, path: str, status: int, body: Any) -> list[str]:
    responses = schema["paths"][path][method.lower()]["responses"]
    seen, declared = OTHER_STATUS.get((method, path), (str(status), str(status)))
    if str(status) != seen or declared not in responses:
        return [f"{method} {path} answered {status}: {str(body)[:200]}"]
    content = responses[declared]["content"]["application/json"]["schema"]
    root = as_json_schema({"components": schema["components"], **content})
    departures = DEPARTURES | NOTE if (method, path) == ("POST", "/api/v2/findings/{id}/notes/") else DEPARTURES
    found = []
    for error in Draft202012Validator(root).iter_errors(body):
        named = {str(part) for part in error.absolute_path} | set(re.findall(r"^'(\w+)' is a required", error.message))
        if not named & departures:
            found.append(f"{method} {path} {list(error.absolute_path)}: {error.message[:200]}")
    return found


def test_every_answer_fits(schema: dict[str, Any]) -> None:
    with DefectDojoStandin() as dojo:
        talk = Talk(dojo.url, dojo.token)
        with talk.session:
            answers = list(conversation(talk))
        assert dojo.internal_errors == []
    assert [text for answer in answers for text in problems(schema, *answer)] == []
    offered = {(method, template) for method, template, _ in ROUTES} | {("POST", path) for path in UPLOADS}
    walked = {(method, path) for method, path, _, _ in answers}
    assert offered - walked == set()


def test_every_answer_of_the_server_fits(schema: dict[str, Any], server: Talk) -> None:
    assert [text for answer in conversation(server) for text in problems(schema, *answer)] == []
