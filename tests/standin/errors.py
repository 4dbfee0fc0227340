"""Answers DefectDojo gives when it refuses a request, in the shapes its API uses."""

from __future__ import annotations

from typing import Any

ADVERTISEMENT = ["An advertisement of the paid edition"]
INTERNAL_ERROR = "Internal server error, check logs for details"


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


def refused_plain(text: str) -> Refused:
    """400 as a bare list, the shape of the import permission checks."""
    return Refused(400, [text])


def refused_text(text: str) -> Refused:
    """400 with one message, the shape of report and model validation."""
    return refused_model(repr([text]))


def refused_model(message: str) -> Refused:
    """400 whose message is the printed form of a validation error."""
    return Refused(400, {"message": message, "pro": ADVERTISEMENT})


def refused_fields(errors: dict[str, list[tuple[str, str]]]) -> Refused:
    """400 with (text, code) pairs for each field, the shape of serializer validation."""
    printed = ", ".join(
        f"{field!r}: [{', '.join(f'ErrorDetail(string={text!r}, code={code!r})' for text, code in pairs)}]"
        for field, pairs in errors.items()
    )
    body: dict[str, Any] = {field: [text for text, _ in pairs] for field, pairs in errors.items()}
    return Refused(400, body | {"message": "{" + printed + "}", "pro": ADVERTISEMENT})


def refused_field(field: str, text: str, code: str = "invalid") -> Refused:
    """400 about a single field."""
    return refused_fields({field: [(text, code)]})


def internal_error() -> Refused:
    """500, which says nothing because error details are not exposed by default."""
    return Refused(500, {"message": INTERNAL_ERROR, "pro": ADVERTISEMENT})


def not_found(model: str) -> Refused:
    """404 for an object that does not exist or that the user may not see."""
    return Refused(404, {"detail": f"No {model} matches the given query."})


def forbidden(detail: str = "You do not have permission to perform this action.") -> Refused:
    """403; the server never answers 401."""
    return Refused(403, {"detail": detail})
