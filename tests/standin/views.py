"""The endpoints besides import and reimport: routing, reading, changing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl

from tests.standin.context import may_see, new_engagement, new_product, new_product_type
from tests.standin.errors import Refused, forbidden, not_found, refused_field
from tests.standin.form import boolean
from tests.standin.query import page, select
from tests.standin.serializer import close_finding, patch_finding, tag_list
from tests.standin.shapes import SHAPES, finding_shape, plain_shape, test_shape, user_shape
from tests.standin.state import Row, State, now

MODELS = {
    "product_types": "Product_Type",
    "products": "Product",
    "engagements": "Engagement",
    "tests": "Test",
    "test_types": "Test_Type",
    "test_imports": "Test_Import",
    "findings": "Finding",
    "metadata": "DojoMeta",
}
WITHOUT_PREFETCH = {"test_types", "engagements"}
PATCHABLE: dict[str, dict[str, int]] = {
    "tests": {
        "title": 255,
        "description": 1_000_000,
        "version": 100,
        "build_id": 150,
        "commit_hash": 150,
        "branch_tag": 150,
    },
    "engagements": {"name": 300, "description": 2000, "version": 100, "status": 100},
    "products": {"name": 255, "description": 4000},
    "product_types": {"name": 255, "description": 4000},
}
PATCHABLE_FLAGS = ("enable_simple_risk_acceptance", "enable_full_risk_acceptance", "deduplication_on_engagement")


@dataclass(frozen=True)
class Request:
    """A request after authentication."""

    method: str
    path: str
    query: str
    address: str
    user: Row
    content_type: str
    body: bytes

    def data(self) -> Any:
        """The body as JSON or form fields.

        Raises
        ------
        Refused
            400 for malformed JSON, 415 for another media type.
        """
        media_type = self.content_type.split(";")[0].strip()
        if not self.body and not media_type:
            return {}
        if media_type == "application/x-www-form-urlencoded":
            fields = parse_qs(self.body.decode("utf-8"), keep_blank_values=True)
            return {name: values if name == "tags" else values[-1] for name, values in fields.items()}
        if media_type != "application/json":
            raise Refused(415, {"detail": f'Unsupported media type "{media_type}" in request.'})
        try:
            return json.loads(self.body or b"{}")
        except ValueError as error:
            raise Refused(400, {"message": "JSON request content is malformed"}) from error


Answer = tuple[int, Any]
View = Callable[[State, Request, str], Answer]


def visible(state: State, table: str, user: Row) -> Iterable[Row]:
    """Rows of a table that the user may see."""
    rows = state.tables[table].values()
    if user["is_superuser"] or user["is_staff"] or table in ("test_types", "metadata"):
        return list(rows)
    return [row for row in rows if _may_see_row(state, table, row, user)]


def _may_see_row(state: State, table: str, row: Row, user: Row) -> bool:
    if table == "product_types":
        return may_see(user, None, row)
    if table in ("findings", "test_imports"):
        row = state.tables["tests"][row["test"]]
    if table in ("findings", "test_imports", "tests"):
        row = state.tables["engagements"][row["engagement"]]
    product = row if table == "products" else state.tables["products"][row["product"]]
    return may_see(user, product, state.tables["product_types"][product["prod_type"]])


def fetch(state: State, table: str, identifier: str, user: Row) -> Row:
    """One row by the identifier in the address.

    Raises
    ------
    Refused
        404 when it does not exist or the user may not see it.
    """
    row = state.get(table, int(identifier)) if identifier.isdecimal() else None
    if row is None or not any(row is seen for seen in visible(state, table, user)):
        raise not_found(MODELS[table])
    return row


def list_view(table: str) -> View:
    """GET of a collection."""

    def view(state: State, request: Request, _: str) -> Answer:
        rows = select(state, table, visible(state, table, request.user), dict(parse_qsl(request.query)))
        chosen, envelope = page(rows, request.address, request.query)
        shape = SHAPES.get(table, plain_shape)
        answer = envelope | {"results": [shape(state, row) for row in chosen]}
        return 200, answer if table in WITHOUT_PREFETCH else answer | {"prefetch": {}}

    return view


def detail_view(table: str) -> View:
    """GET of one row."""

    def view(state: State, request: Request, identifier: str) -> Answer:
        return 200, _shown(state, table, fetch(state, table, identifier, request.user))

    return view


def _shown(state: State, table: str, row: Row) -> Row:
    shape = SHAPES.get(table, plain_shape)(state, row)
    return shape if table in WITHOUT_PREFETCH else shape | {"prefetch": {}}


def patch_view(table: str) -> View:
    """PATCH of a test, engagement, product or product type; other fields are ignored."""

    def view(state: State, request: Request, identifier: str) -> Answer:
        row = fetch(state, table, identifier, request.user)
        data = request.data()
        for name, limit in PATCHABLE[table].items():
            if data.get(name) is not None and len(str(data[name])) > limit:
                raise refused_field(name, f"Ensure this field has no more than {limit} characters.", "max_length")
            if name in data:
                row[name] = data[name]
        row |= {name: boolean(name, data[name]) for name in PATCHABLE_FLAGS if name in row and name in data}
        if "tags" in data and "tags" in row:
            row["tags"] = tag_list("tags", data["tags"])
        row |= {name: data[name] for name in ("percent_complete", "authorized_users") if name in row and name in data}
        row["updated"] = now()
        return 200, _shown(state, table, row)

    return view


def create_product_type(state: State, request: Request, _: str) -> Answer:
    """POST /product_types/."""
    if not request.user["is_superuser"]:
        raise forbidden()
    name = _new_name(state, "product_types", "product_ type", request.data())
    return 201, new_product_type(state, name)


def create_product(state: State, request: Request, _: str) -> Answer:
    """POST /products/."""
    data = request.data()
    if "prod_type" not in data:
        raise Refused(400, {"detail": "Unable to check for permissions: Attribute 'prod_type' is required"})
    product_type = state.get("product_types", int(data["prod_type"]))
    if product_type is None:
        raise not_found("Product_Type")
    if not may_see(request.user, None, product_type):
        raise forbidden()
    name = _new_name(state, "products", "product", data)
    if not data.get("description"):
        raise refused_field("description", "This field is required.", "required")
    row = new_product(state, name, product_type, description=data["description"])
    return 201, SHAPES["products"](state, row)


def create_engagement(state: State, request: Request, _: str) -> Answer:
    """POST /engagements/."""
    data = request.data()
    if "product" not in data:
        raise Refused(400, {"detail": "Unable to check for permissions: Attribute 'product' is required"})
    product = fetch(state, "products", str(data["product"]), request.user)
    missing = [name for name in ("target_start", "target_end") if not data.get(name)]
    if missing:
        raise refused_field(missing[0], "This field is required.", "required")
    chosen = {name: data[name] for name in ("target_start", "target_end", "engagement_type", "status") if name in data}
    kind = {"engagement_type": "Interactive", "status": "Not Started"}
    return 201, new_engagement(state, str(data.get("name")), product, request.user, **(kind | chosen))


def _new_name(state: State, table: str, model: str, data: Row) -> str:
    name = data.get("name")
    if not name:
        raise refused_field("name", "This field is required.", "required")
    if state.last(table, name=name) is not None:
        raise refused_field("name", f"{model} with this name already exists.", "unique")
    return str(name)


def patch_finding_view(state: State, request: Request, identifier: str) -> Answer:
    """PATCH /findings/{id}/."""
    row = fetch(state, "findings", identifier, request.user)
    patch_finding(state, row, request.data(), request.user)
    return 200, finding_shape(state, row)


def close_view(state: State, request: Request, identifier: str) -> Answer:
    """POST /findings/{id}/close/."""
    row = fetch(state, "findings", identifier, request.user)
    return 200, close_finding(state, row, request.data(), request.user)


def notes_view(state: State, request: Request, identifier: str) -> Answer:
    """GET /findings/{id}/notes/."""
    row = fetch(state, "findings", identifier, request.user)
    return 200, {"finding_id": row["id"], "notes": row["notes"]}


def add_note_view(state: State, request: Request, identifier: str) -> Answer:
    """POST /findings/{id}/notes/; the answer is shorter than the schema says."""
    row = fetch(state, "findings", identifier, request.user)
    data = request.data()
    if not data.get("entry"):
        code = "This field may not be blank." if "entry" in data else "This field is required."
        raise Refused(400, {"entry": [code]})
    private = boolean("private", data.get("private", False))
    note = state.note(row, str(data["entry"]), request.user, private=private)
    return 201, {name: note[name] for name in ("author", "editor", "entry", "private")} | {"edit_time": None}


def tags_view(state: State, request: Request, identifier: str) -> Answer:
    """GET /findings/{id}/tags/."""
    return 200, {"tags": fetch(state, "findings", identifier, request.user)["tags"]}


def add_tags_view(state: State, request: Request, identifier: str) -> Answer:
    """POST /findings/{id}/tags/ adds to the tags; it answers 200, not the 201 of the schema."""
    row = fetch(state, "findings", identifier, request.user)
    try:
        added = tag_list("tags", request.data().get("tags"))
    except Refused as refusal:
        raise Refused(400, {"tags": refusal.body["tags"]}) from refusal
    row["tags"] = sorted({*row["tags"], *added})
    return 200, {"tags": row["tags"]}


def add_metadata_view(state: State, request: Request, _: str) -> Answer:
    """POST /metadata/."""
    data = request.data()
    target = next((name for name in ("product", "endpoint", "location", "finding") if data.get(name)), None)
    for name in ("name", "value"):
        if not data.get(name):
            raise refused_field(name, "This field is required.", "required")
    if target is None:
        message = "Metadata entries need either a product, endpoint, location or a finding"
        raise refused_field("non_field_errors", message)
    wanted = {target: data[target], "name": data["name"]}
    if state.last("metadata", **wanted) is not None:
        message = f"The fields {target}, name must make a unique set."
        raise refused_field("non_field_errors", message, "unique")
    nothing = dict.fromkeys(("product", "endpoint", "location", "finding"))
    return 201, state.add("metadata", **(nothing | wanted | {"value": data["value"]}))


def user_profile_view(state: State, request: Request, _: str) -> Answer:
    """GET /user_profile/."""
    return 200, {"user": user_shape(request.user), "user_contact_info": None}


def system_settings_view(state: State, request: Request, _: str) -> Answer:
    """GET /system_settings/, for superusers only."""
    if not request.user["is_superuser"]:
        raise forbidden()
    chosen, envelope = page([state.settings], request.address, request.query)
    return 200, envelope | {"results": chosen}


def test_detail_view(state: State, request: Request, identifier: str) -> Answer:
    """GET /tests/{id}/ with the deduplication policy."""
    return 200, test_shape(state, fetch(state, "tests", identifier, request.user)) | {"prefetch": {}}


def _routes() -> list[tuple[str, str, View]]:
    routes: list[tuple[str, str, View]] = []
    for table in MODELS:
        routes.append(("GET", f"/{table}/", list_view(table)))
        routes.append(("GET", f"/{table}/{{id}}/", detail_view(table)))
        if table in PATCHABLE:
            routes.append(("PATCH", f"/{table}/{{id}}/", patch_view(table)))
    return [
        *routes,
        ("POST", "/product_types/", create_product_type),
        ("POST", "/products/", create_product),
        ("POST", "/engagements/", create_engagement),
        ("PATCH", "/findings/{id}/", patch_finding_view),
        ("POST", "/findings/{id}/close/", close_view),
        ("GET", "/findings/{id}/notes/", notes_view),
        ("POST", "/findings/{id}/notes/", add_note_view),
        ("GET", "/findings/{id}/tags/", tags_view),
        ("POST", "/findings/{id}/tags/", add_tags_view),
        ("POST", "/metadata/", add_metadata_view),
        ("GET", "/user_profile/", user_profile_view),
        ("GET", "/system_settings/", system_settings_view),
    ]


ROOT = "/api/v2"
UPLOADS = (f"{ROOT}/import-scan/", f"{ROOT}/reimport-scan/")
TOKEN_AUTH = f"{ROOT}/api-token-auth/"
ROUTES = [(method, f"{ROOT}{template}", view) for method, template, view in _routes()]
_COMPILED = [
    (method, re.compile("^" + template.replace("{id}", "([^/]+)") + "$"), view) for method, template, view in ROUTES
]


def resolve(method: str, path: str) -> tuple[View | None, str, list[str]]:
    """Find the view of an address.

    Returns
    -------
    view, identifier, methods
        *view* is None when the address is unknown (no *methods*) or the method is not allowed.
    """
    allowed: list[str] = ["POST"] if path in (*UPLOADS, TOKEN_AUTH) else []
    for offered, pattern, view in _COMPILED:
        match = pattern.match(path)
        if match is None:
            continue
        allowed.append(offered)
        if offered == method:
            return view, match[1] if match.groups() else "", allowed
    return None, "", allowed
