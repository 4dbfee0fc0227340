"""What a self-contained HTML page needs: its style and script inside it, pinned by hash, and its data as JSON."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

PALETTE = "palette.css"
"""Colours of all pages, light and dark; goes before a page's own style."""

_ESCAPES = {ord(mark): f"\\u{ord(mark):04x}" for mark in "<>&\u2028\u2029"}


def page_environment() -> Environment:
    """Jinja2 with the manners of all pages: everything is escaped, and what is not there is an error."""
    environment = Environment(
        loader=PackageLoader("templates", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = "{:,}".format
    return environment


@cache
def asset(*names: str) -> str:
    """Files of `templates`, one after the other."""
    files = (resources.files("templates").joinpath(name).read_text(encoding="utf-8") for name in names)
    # The parser of HTML reads every line end as \n, and the hash is taken over what it reads.
    return "".join("\n".join(text.splitlines()) + "\n" for text in files)


def policy(style: str, script: str) -> str:
    """Content security policy (CSP level 3): this style and this script, by hash, and nothing from anywhere."""
    directives = (
        "default-src 'none'",
        f"style-src '{_digest(style)}'",
        f"script-src '{_digest(script)}'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    )
    return "; ".join(directives)


def embed(value: Any) -> Markup:
    """JSON that cannot end the script element it stands in, nor the line of a script."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.translate(_ESCAPES))  # noqa: S704


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
