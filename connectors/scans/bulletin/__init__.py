"""Bulletins that vendors publish as prose: plain text, HTML and PDF.

Files of strangers in formats that are hard to read safely: HTML and PDF are read by a process of their own, which has
little memory, little time and no secrets.
"""

from __future__ import annotations

import hashlib
import re

from connectors.reading import decode_text
from connectors.scans.bulletin.confined import read_confined
from connectors.scans.bulletin.plain import MAX_CHARACTERS, plain_text, unwrap
from connectors.unpacking import MEBIBYTE
from meddojo.bulletin import Bulletin, BulletinFormat
from meddojo.errors import InputError

__all__ = ["MAX_BULLETIN_BYTES", "bulletin_format", "read_bulletin"]

MAX_BULLETIN_BYTES = 32 * MEBIBYTE
"""Largest file that is taken for a bulletin."""

_HEAD_BYTES = 64 * 1024
_PDF_HEAD = 1024  # ISO 32000-1, 7.5.2 wants it first; readers, and hence writers, are more generous (Annex H.3.4.1)
_HTML = re.compile(
    r"\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,4000}?-->\s*){0,5}"
    r"<(?:!doctype\s+html\b|(?:html|head|body|article|main|section|div|h[1-6]|p|table|ul|ol)[\s>])",
    re.I | re.S,
)
_SAYS_SO = re.compile(
    r"\bCVE-\d{4}-\d{4,19}\b|\bvulnerabilit(?:y|ies)\b|\bsecurity (?:advisory|bulletin|notice|notification)\b", re.I
)


def bulletin_format(data: bytes) -> BulletinFormat | None:
    """Tell a bulletin by its content; None when this is none.

    Plain text counts as a bulletin if its beginning speaks of vulnerabilities.
    """
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    head = data[:_HEAD_BYTES].decode(encoding, errors="replace").lstrip()
    if b"%PDF-" in data[:_PDF_HEAD]:
        return BulletinFormat.PDF
    if _HTML.match(head):
        return BulletinFormat.HTML
    # "{" and "[" begin JSON, "<" other XML: damaged ones are no prose.
    return BulletinFormat.TEXT if head[:1] not in ("{", "[", "<") and _SAYS_SO.search(head) else None


def read_bulletin(data: bytes, origin: str) -> Bulletin:
    """Take the text out of a bulletin.

    Parameters
    ----------
    data
        Content of the file, unpacked.
    origin
        File or URL, for messages.

    Raises
    ------
    InputError
        If the file is no bulletin, larger than `MAX_BULLETIN_BYTES`, damaged, encrypted or without text, needs too
        much time or memory, or holds more than `MAX_CHARACTERS` characters.
    """
    if len(data) > MAX_BULLETIN_BYTES:
        raise InputError(origin, "", f"larger than {MAX_BULLETIN_BYTES // MEBIBYTE} MiB", "no bulletin is so large")
    kind = bulletin_format(data)
    if kind is None:
        raise InputError(origin, "", "no bulletin about vulnerabilities", "understood are PDF, HTML and plain text")
    title = ""
    if kind is BulletinFormat.TEXT:
        text = unwrap(plain_text(decode_text(data, origin)))
    else:
        title, text = read_confined(kind, data, origin)
    if not text.strip():
        raise InputError(
            origin, "", "holds no text", "if its pages are pictures, have their text recognised (OCR) first"
        )
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            origin, f"character {MAX_CHARACTERS}", f"holds more than {MAX_CHARACTERS:,} characters", "split the file"
        )
    return Bulletin(text, kind, hashlib.sha256(data).hexdigest(), title)
