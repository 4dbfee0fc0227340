"""The smallest PDF writer that makes pages of lines (ISO 32000-1, 7.5); no library, so that each byte can be wrong."""

from __future__ import annotations

import zlib
from collections.abc import Sequence


def write_pdf(pages: Sequence[Sequence[str]], title: str = "") -> bytes:
    """A document with one line of Helvetica for each text."""
    return assemble([_page(lines) for lines in pages], title)


def assemble(contents: Sequence[bytes], title: str = "", filters: bytes = b"/FlateDecode") -> bytes:
    """A document whose pages have these streams, already packed."""
    numbers = [4 + 2 * index for index in range(len(contents))]
    kids = b" ".join(b"%d 0 R" % number for number in numbers)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%b] /Count %d >>" % (kids, len(numbers)),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, content in zip(numbers, contents, strict=True):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % (number + 1)
        )
        objects.append(b"<< /Length %d /Filter %b >>\nstream\n%b\nendstream" % (len(content), filters, content))
    objects.append(b"<< /Title (%b) >>" % _escaped(title))
    return _file(objects)


def _page(lines: Sequence[str]) -> bytes:
    drawn = b"\n".join(b"(%b) Tj T*" % _escaped(line) for line in lines)
    return zlib.compress(b"BT /F1 11 Tf 14 TL 60 780 Td\n%b\nET" % drawn)


def _escaped(text: str) -> bytes:
    data = text.encode("cp1252")
    return data.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _file(objects: Sequence[bytes]) -> bytes:
    body = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    start = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    body += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    body += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\n" % (len(objects) + 1, len(objects))
    return bytes(body + b"startxref\n%d\n%%%%EOF\n" % start)
