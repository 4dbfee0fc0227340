"""import-scan and reimport-scan: finding or creating product, engagement and test, then running the importer."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.standin.errors import forbidden, refused_field, refused_model, refused_plain, refused_text
from tests.standin.form import Form, boolean, check_form
from tests.standin.importer import create_test, first_import, reimport
from tests.standin.report import parse
from tests.standin.state import Row, State, now, statistics, today
from tests.standin.uploads import Upload

LONGEST = {"product_type_name": 255, "product_name": 255, "engagement_name": 300}
NOTE_FIELDS = (
    "minimum_severity close_old_findings push_to_jira close_old_findings_product_scope do_not_reactivate "
    "apply_tags_to_findings apply_tags_to_endpoints create_finding_groups_for_all_findings"
).split()


@dataclass(frozen=True)
class Place:
    """Where an upload belongs, as far as it exists."""

    product_type: Row | None
    product: Row | None
    engagement: Row | None
    test: Row | None


def new_product_type(state: State, name: str, **values: Any) -> Row:
    """A product type with the server's defaults."""
    _check_length("product_type_name", name)
    moment = now()
    defaults: Row = {"description": None, "critical_product": False, "key_product": False, "authorized_users": []}
    return state.add("product_types", created=moment, updated=moment, name=name, **(defaults | values))


def new_product(state: State, name: str, product_type: Row, **values: Any) -> Row:
    """A product with the server's defaults."""
    _check_length("product_name", name)
    nothing = "business_criticality platform lifecycle origin prod_numeric_grade user_records revenue product_manager"
    no = "external_audience internet_accessible enable_product_tag_inheritance enable_simple_risk_acceptance"
    defaults: Row = dict.fromkeys(f"{nothing} technical_contact team_manager".split())
    defaults |= dict.fromkeys(no.split(), False)
    defaults |= {"description": name, "enable_full_risk_acceptance": True, "disable_sla_breach_notifications": False}
    defaults |= {"prod_type": product_type["id"], "sla_configuration": 1}
    defaults |= {"authorized_users": [], "regulations": [], "tags": []}
    return state.add("products", created=now(), name=name, **(defaults | values))


def new_engagement(state: State, name: str, product: Row, user: Row, **values: Any) -> Row:
    """An engagement with the defaults of an automatically created one."""
    _check_length("engagement_name", name)
    moment = now()
    nothing = "description version first_contacted reason tracker test_strategy build_id commit_hash branch_tag"
    more = "requester preset report_type cicd_scm_server cicd_build_server cicd_orchestration_engine"
    defaults: Row = dict.fromkeys(f"{nothing} {more} source_code_management_uri".split())
    defaults |= dict.fromkeys(("active", "threat_model", "api_test", "pen_test", "check_list"), True)
    defaults |= {"target_start": today().isoformat(), "target_end": (today() + timedelta(days=365)).isoformat()}
    defaults |= {"status": "In Progress", "progress": "threat_model", "tmodel_path": "none", "done_testing": False}
    defaults |= {"engagement_type": "CI/CD", "deduplication_on_engagement": False, "lead": user["id"]}
    defaults |= {"notes": [], "files": [], "risk_acceptance": [], "tags": [], "product": product["id"]}
    return state.add("engagements", created=moment, updated=moment, name=name, **(defaults | values))


def _check_length(field: str, name: str) -> None:
    if len(name) > LONGEST[field]:
        limit = LONGEST[field]
        raise refused_model(f"{{'name': ['Ensure this value has at most {limit} characters (it has {len(name)}).']}}")


def may_see(user: Row, product: Row | None, product_type: Row | None) -> bool:
    """Access of the open-source edition: superuser, or authorised on the product or its type."""
    if user["is_superuser"] or user["is_staff"]:
        return True
    return any(user["id"] in row["authorized_users"] for row in (product, product_type) if row is not None)


def find_place(state: State, form: Form, *, for_reimport: bool) -> Place:
    """Look up by name or identifier what the form speaks of.

    Raises
    ------
    Refused
        400 when names contradict each other or an identifier is not a number.
    """
    type_name, product_name = form.get("product_type_name"), form.get("product_name")
    product_type = state.last("product_types", name=type_name) if type_name else None
    product = state.last("products", name=product_name) if product_name else None
    if product is not None and type_name:
        owner = state.tables["product_types"][product["prod_type"]]["name"]
        if owner != type_name:
            raise refused_plain(
                "The fetched product has a conflict with the supplied product type name: existing product type name - "
                f"{owner} vs supplied product type name - {type_name}"
            )
    engagement = None
    if product is not None and form.get("engagement_name"):
        engagement = state.last("engagements", product=product["id"], name=form.get("engagement_name"))
    if not for_reimport:
        return Place(product_type, product, _by_identifier(state, form, "engagement") or engagement, None)
    test = _by_identifier(state, form, "test")
    if test is None and engagement is not None:
        wanted = {"engagement": engagement["id"], "scan_type": form.get("scan_type")}
        if form.get("test_title"):
            wanted["title"] = form.get("test_title")
        test = state.last("tests", **wanted)
    return Place(product_type, product, engagement, test)


def _by_identifier(state: State, form: Form, name: str) -> Row | None:
    text = form.get(name)
    if text is None:
        return None
    if not text.isdecimal():
        raise refused_plain(f"{name} must be an integer")
    return state.get(f"{name}s", int(text))


def check_permission(state: State, form: Form, place: Place, user: Row, *, for_reimport: bool) -> None:
    """The checks that stand before the fields are validated.

    Raises
    ------
    Refused
        400 when the target is not named well enough, 403 when the user may not write there.
    """
    target = place.test if for_reimport else place.engagement
    name = "test" if for_reimport else "engagement"
    if target is not None:
        engagement = state.tables["engagements"][target["engagement"]] if for_reimport else target
        _check_consistency(state, form, place, engagement)
        _check_access(state, user, state.tables["products"][engagement["product"]])
        return
    if form.get(name):
        raise refused_plain(f'{name.capitalize()} "{form.get(name)}" does not exist')
    for field in ("product_name", "engagement_name"):
        if not form.get(field):
            raise refused_plain(f"{field} parameter missing")
    create = form.get("auto_create_context")
    if create is None:
        raise refused_plain(_nothing_there(form, place, for_reimport=for_reimport))
    if place.product is not None:
        _check_access(state, user, place.product)
        return
    _check_creation(form, place, user)


def _nothing_there(form: Form, place: Place, *, for_reimport: bool) -> str:
    product, engagement = form.get("product_name"), form.get("engagement_name")
    type_name = form.get("product_type_name")
    if type_name and place.product_type is None:
        return f'Product Type "{type_name}" does not exist'
    if place.product is None:
        where = f' in Product_Type "{type_name}"' if type_name else ""
        return f'Product "{product}" does not exist{where}'
    if place.engagement is None or not for_reimport:
        return f'Engagement "{engagement}" does not exist in Product "{product}"'
    title, scan_type = form.get("test_title"), form.get("scan_type")
    test = f'Test "{title}" with' if title else "Test with"
    return f'{test} scan_type "{scan_type}" does not exist in Engagement "{engagement}"'


def _check_consistency(state: State, form: Form, place: Place, engagement: Row) -> None:
    begin = "The provided identifiers are inconsistent — the test does not belong to the specified"
    product_name = state.tables["products"][engagement["product"]]["name"]
    if form.get("product_name") not in (None, product_name):
        raise refused_plain(f"{begin} product.")
    if form.get("engagement_name") not in (None, engagement["name"]):
        raise refused_plain(f"{begin} engagement.")
    if place.engagement is not None and place.engagement is not engagement:
        raise refused_plain(f"{begin} engagement.")


def _check_access(state: State, user: Row, product: Row) -> None:
    if not may_see(user, product, state.tables["product_types"][product["prod_type"]]):
        raise forbidden()


def _check_creation(form: Form, place: Place, user: Row) -> None:
    type_name, product = form.get("product_type_name"), form.get("product_name")
    if type_name is None:
        raise refused_plain(
            f'Product "{product}" does not exist and no product_type_name provided to create the new product in'
        )
    if may_see(user, None, place.product_type):
        return
    if place.product_type is None:
        raise forbidden(f'No permission to create product_type "{type_name}"')
    raise forbidden(f'No permission to create products in product_type "{type_name}"')


def run_upload(
    state: State, form: Form, user: Row, *, for_reimport: bool, seconds: float = 0.0, break_half_way: bool = False
) -> tuple[int, Row]:
    """Answer POST import-scan or reimport-scan.

    Parameters
    ----------
    seconds : float
        How long the upload keeps a client waiting; a new test stands at 50 % meanwhile.
    break_half_way : bool
        Fail with 500 after half of the findings.
    """
    with state.lock:
        place = find_place(state, form, for_reimport=for_reimport)
        check_permission(state, form, place, user, for_reimport=for_reimport)
        values = check_form(form, reimport=for_reimport)
        _check_identifier(state, form, "test" if for_reimport else "engagement")
        environment = _environment(state, values)
        file_name, content = form.files["file"]
        upload = _upload(form, values, user)
        if place.test is not None:
            report = parse(content, file_name)
            before = statistics(state.findings_of(place.test))
            test = place.test
        else:
            engagement = _create_place(state, place, values, user)
            report = parse(content, file_name)
            test = create_test(state, engagement, form.get("test_title"), environment, report, upload)
            if for_reimport:
                settings = upload.settings | {"close_old_findings": False}
                upload = _with(upload, close_old_findings=False, settings=settings)
        if break_half_way:
            upload = _with(upload, break_after=len(report.findings) // 2)
    time.sleep(seconds)
    with state.lock:
        if place.test is None:
            first_import(state, test, report, upload)
            numbers = {"after": statistics(state.findings_of(test))}
        else:
            outcome = reimport(state, test, report, upload)
            names = ("created", "closed", "reactivated", "untouched")
            delta = {name: statistics(getattr(outcome, name)) for name in names}
            numbers = {"before": before, "delta": delta, "after": statistics(state.findings_of(test))}
        return 201, _answer(state, values, test, numbers)


def _check_identifier(state: State, form: Form, name: str) -> None:
    text = form.get(name)
    if text is not None and int(text) not in state.tables[f"{name}s"]:
        raise refused_field(name, f'Invalid pk "{text}" - object does not exist.', "does_not_exist")


def _environment(state: State, values: Row) -> Row:
    name = values.get("environment", "Development")
    found = state.last("environments", name=name)
    if found is None and not values.get("auto_create_context"):
        raise refused_text(f"Environment named {name} does not exist.")
    return found or state.add("environments", name=name)


def _upload(form: Form, values: Row, user: Row) -> Upload:
    forced: dict[str, bool | None] = {
        name: boolean(name, text) if (text := form.get(name)) is not None else None for name in ("active", "verified")
    }
    settings = {name: values.get(name, False) for name in NOTE_FIELDS} | forced
    settings |= {name: values.get(name) for name in ("service", "group_by")}
    day = values.get("scan_date")
    settings["scan_date"] = day and f"{day}T00:00:00+00:00"
    settings["tags"] = values.get("tags", [])
    return Upload(
        user=user,
        scan_type=values["scan_type"],
        minimum_severity=values["minimum_severity"],
        active=forced["active"],
        verified=forced["verified"],
        service=values.get("service"),
        scan_date=values.get("scan_date"),
        tags=tuple(values.get("tags", ())),
        apply_tags_to_findings=values["apply_tags_to_findings"],
        close_old_findings=values["close_old_findings"],
        close_old_findings_product_scope=values["close_old_findings_product_scope"],
        do_not_reactivate=values.get("do_not_reactivate", False),
        version=values.get("version", ""),
        branch_tag=values.get("branch_tag", ""),
        build_id=values.get("build_id", ""),
        commit_hash=values.get("commit_hash", ""),
        settings=settings,
    )


def _with(upload: Upload, **changes: Any) -> Upload:
    return Upload(**(vars(upload) | changes))


def _create_place(state: State, place: Place, values: Row, user: Row) -> Row:
    """Create what is missing, one after the other; what was created stays when a later step fails."""
    if place.engagement is not None:
        return place.engagement
    if not values.get("auto_create_context"):
        raise refused_plain("auto_create_context not True, unable to create non-existing engagement")
    product = place.product
    if product is None:
        type_name = values["product_type_name"]
        product_type = place.product_type or new_product_type(state, type_name)
        product = new_product(state, values["product_name"], product_type)
    end = values.get("engagement_end_date")
    more = {"target_end": end} if end and end >= today().isoformat() else {}
    return new_engagement(
        state,
        values["engagement_name"],
        product,
        user,
        deduplication_on_engagement=values["deduplication_on_engagement"],
        source_code_management_uri=values.get("source_code_management_uri"),
        **more,
    )


def _answer(state: State, values: Row, test: Row, numbers: Row) -> Row:
    engagement = state.tables["engagements"][test["engagement"]]
    product = state.tables["products"][engagement["product"]]
    return values | {
        "test": test["id"],
        "test_id": test["id"],
        "engagement_id": engagement["id"],
        "product_id": product["id"],
        "product_type_id": product["prod_type"],
        "statistics": numbers,
        "deduplication_complete": values["deduplication_execution_mode"] in ("sync", "async_wait"),
    }
