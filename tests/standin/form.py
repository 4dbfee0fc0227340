"""The multipart form of import-scan and reimport-scan: reading it and checking its fields."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from tests.standin.errors import Refused, refused_field, refused_fields
from tests.standin.state import SCAN_TYPE, SEVERITIES, today
from tests.standin.text import split_tags

TRUE = {"t", "y", "yes", "true", "on", "1"}
FALSE = {"f", "n", "no", "false", "off", "0"}
FILE_EXTENSIONS = tuple("xml csv nessus json jsonl html js zip xlsx txt sarif fpr md log fvdl".split())
SCAN_TYPES = (SCAN_TYPE, "SARIF", "CycloneDX Scan", "Anchore Grype", "Trivy Scan", "CSAF Scan", "OpenVEX Scan")
LARGEST_FILE = 100 * 1024 * 1024

BOOLEANS = tuple(
    "active verified auto_create_context deduplication_on_engagement push_to_jira do_not_reactivate close_old_findings "
    "close_old_findings_product_scope apply_tags_to_findings apply_tags_to_endpoints "
    "create_finding_groups_for_all_findings".split()
)
CHOICES: dict[str, tuple[str, ...]] = {
    "scan_type": SCAN_TYPES,
    "minimum_severity": SEVERITIES,
    "deduplication_execution_mode": ("async", "async_wait", "sync"),
    "group_by": (
        "component_name",
        "component_name+component_version",
        "file_path",
        "finding_title",
        "vuln_id_from_tool",
    ),
}
TEXTS = tuple(
    "product_type_name product_name engagement_name test_title environment build_id branch_tag commit_hash service "
    "version".split()
)
_URL = re.compile(r"(?:https?|ftps?)://[^\s/]+\S*", re.IGNORECASE)


@dataclass
class Form:
    """A multipart body: text fields, each with all its values, and uploaded files."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    def get(self, name: str) -> str | None:
        """The last value of a field, None when it is absent or empty."""
        return self.fields.get(name, [""])[-1] or None


def read_multipart(content_type: str, body: bytes) -> Form:
    """Take a multipart/form-data body apart.

    Raises
    ------
    Refused
        415 for another media type, 400 for a body without a boundary.
    """
    if not content_type.startswith("multipart/form-data"):
        media_type = content_type.split(";")[0].strip()
        raise Refused(415, {"detail": f'Unsupported media type "{media_type}" in request.'})
    header = b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n"
    message = BytesParser(policy=HTTP).parsebytes(header + body)
    if not message.is_multipart():
        raise Refused(400, {"detail": "Multipart form parse error - Invalid boundary in multipart: None"})
    form = Form()
    for part in message.iter_parts():
        name = str(part.get_param("name", header="content-disposition"))
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        file_name = part.get_filename()
        if file_name is None:
            form.fields.setdefault(name, []).append(content.decode("utf-8"))
        else:
            form.files[name] = (file_name, content)
    return form


def boolean(name: str, text: Any) -> bool:
    """A boolean field in any spelling the API takes.

    Raises
    ------
    Refused
        400 for another spelling.
    """
    if isinstance(text, bool):
        return text
    if str(text).lower() in TRUE:
        return True
    if str(text).lower() in FALSE:
        return False
    raise refused_field(name, "Must be a valid boolean.")


def iso_date(name: str, text: Any) -> date:
    """A date field.

    Raises
    ------
    Refused
        400 for another form than YYYY-MM-DD.
    """
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(text)):
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError as error:
        message = "Date has wrong format. Use one of these formats instead: YYYY-MM-DD."
        raise refused_field(name, message) from error


def check_form(form: Form, *, reimport: bool) -> dict[str, Any]:
    """Check every field of an import form and give back its values, with the defaults of the answer.

    Raises
    ------
    Refused
        400 with the first field that is wrong.
    """
    if form.get("scan_type") is None:
        raise refused_field("scan_type", "This field is required.", "required")
    values: dict[str, Any] = {
        "minimum_severity": "Info",
        "active": False,
        "verified": False,
        "endpoint_to_add": None,
        "deduplication_on_engagement": False,
        "lead": None,
        "push_to_jira": False,
        "deduplication_execution_mode": None,
        "api_scan_configuration": None,
        "create_finding_groups_for_all_findings": True,
        "apply_tags_to_findings": False,
        "apply_tags_to_endpoints": False,
        "close_old_findings": reimport,
        "close_old_findings_product_scope": False,
    }
    if reimport:
        values["do_not_reactivate"] = False
    for name, choices in CHOICES.items():
        chosen = form.get(name)
        if chosen is not None and chosen not in choices:
            raise refused_field(name, f'"{chosen}" is not a valid choice.', "invalid_choice")
        if chosen is not None:
            values[name] = chosen
    values |= {name: boolean(name, form.get(name)) for name in BOOLEANS if form.get(name) is not None}
    values |= {name: form.get(name) for name in TEXTS if form.get(name) is not None}
    _check_dates(form, values)
    _check_address(form, values)
    _check_tags(form, values)
    _check_file(form)
    return values


def _check_dates(form: Form, values: dict[str, Any]) -> None:
    for name in ("scan_date", "engagement_end_date"):
        text = form.get(name)
        if text is None:
            continue
        day = iso_date(name, text)
        if name == "scan_date" and day > today():
            raise refused_field(name, "The scan_date cannot be in the future!")
        values[name] = day.isoformat()


def _check_address(form: Form, values: dict[str, Any]) -> None:
    name = "source_code_management_uri"
    text = form.get(name)
    if text is None:
        return
    if not _URL.fullmatch(text):
        raise refused_field(name, "Enter a valid URL.")
    if len(text) > 600:
        raise refused_field(name, "Ensure this field has no more than 600 characters.", "max_length")
    values[name] = text


def _check_tags(form: Form, values: dict[str, Any]) -> None:
    given = [text for text in form.fields.get("tags", []) if text]
    tags, refusals = split_tags(given)
    if refusals:
        raise refused_fields({"tags": [(text, "invalid") for text in refusals[:1]]})
    if tags:
        values["tags"] = tags


def _check_file(form: Form) -> None:
    if "file" not in form.files:
        message = f"Uploading a Report File is required for {form.get('scan_type')}"
        raise refused_field("non_field_errors", message)
    name, content = form.files["file"]
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    if extension not in FILE_EXTENSIONS:
        allowed = ", ".join(FILE_EXTENSIONS)
        message = f"File extension “{extension}” is not allowed. Allowed extensions are: {allowed}."
        raise refused_field("file", message, "invalid_extension")
    if len(content) > LARGEST_FILE:
        message = "Report file is too large. Maximum supported size is 100 MB"
        raise refused_field("non_field_errors", message)
