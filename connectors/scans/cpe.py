"""CPE names: checking the 2.3 formatted string and rewriting older forms into it (NISTIR 7695, section 6)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

_COMPONENT = r"(?:\\\S|[^\s\\:])+"
_CPE23 = re.compile(rf"cpe:2\.3:[aho*\-](?::{_COMPONENT}){{10}}")
_CPE22_PREFIX = "cpe:/"
_COMPONENTS = 11
_PACKED_EDITION = 5
_SPECIAL = re.compile(r"[^A-Za-z0-9_.\-]")


def is_cpe23(text: str) -> bool:
    """Whether `text` has the shape of a CPE 2.3 formatted string (section 6.2); unescaped marks are forgiven."""
    return _CPE23.fullmatch(text) is not None


def to_cpe23(text: str) -> str:
    """Rewrite a CPE 2.2 URI as a 2.3 formatted string; a 2.3 name stays as it is, anything else gives ``""``."""
    name = text.strip()
    if is_cpe23(name):
        return name
    if not name.lower().startswith(_CPE22_PREFIX):
        return ""
    fields = [unquote(field) for field in name[len(_CPE22_PREFIX) :].split(":")]
    if len(fields) > _PACKED_EDITION and fields[_PACKED_EDITION].startswith("~"):
        # section 6.1.3.1: edition, software edition, target software, target hardware and other, packed into one
        packed = (fields[_PACKED_EDITION].split("~") + [""] * 5)[1:6]
        language = fields[6] if len(fields) > 6 else ""
        fields = [*fields[:_PACKED_EDITION], packed[0], language, *packed[1:]]
    formatted = cpe23_from_parts(fields)
    return formatted if is_cpe23(formatted) else ""


def cpe23_from_parts(parts: Iterable[str]) -> str:
    """Join up to eleven unescaped parts (part, vendor, product ... other); what is empty or absent becomes ``*``.

    Without a part ``a``, ``o`` or ``h`` and a product the result is ``""``: such a name would match everything.
    """
    values = [_quote(part) for part in parts][:_COMPONENTS]
    if len(values) < 3 or values[0] not in ("a", "o", "h") or values[2] == "*":
        return ""
    return ":".join(["cpe:2.3", *values, *["*"] * (_COMPONENTS - len(values))])


def _quote(part: str) -> str:
    # 6.1.2.3.2: %01 and %02 are the wildcards of the URI form
    wildcards = {"\x01": "?", "\x02": "*"}
    if not part or part in ("*", "-"):
        return part or "*"
    return _SPECIAL.sub(lambda mark: wildcards.get(mark.group(), "\\" + mark.group()), part)
