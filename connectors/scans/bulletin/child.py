"""The process that reads one file of a stranger: ``python -m connectors.scans.bulletin.child HTML < file``.

Answers with one JSON object on standard output: ``title`` and ``text``, or ``cause`` with ``position`` and ``hint``.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import NoReturn

MEMORY_BYTES = 1024 * 2**20
CPU_SECONDS = 60


def main() -> None:
    """Set the limits, read standard input, answer."""
    _limit(resource.RLIMIT_AS, MEMORY_BYTES)
    _limit(resource.RLIMIT_CPU, CPU_SECONDS)
    _limit(resource.RLIMIT_CORE, 0)
    data = sys.stdin.buffer.read()
    try:
        title, text = _read(sys.argv[1], data)
    except (MemoryError, RecursionError):
        _answer({"cause": f"needs more than {MEMORY_BYTES // 2**20} MiB of memory to read"})
    _answer({"title": title, "text": text})


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard == resource.RLIM_INFINITY or hard > value:
        resource.setrlimit(kind, (value, value))


def _read(kind: str, data: bytes) -> tuple[str, str]:
    if kind == "PDF":
        from connectors.scans.bulletin.pdf_text import UnreadablePdfError, pdf_text

        try:
            return pdf_text(data)
        except UnreadablePdfError as error:
            _answer({"position": error.position, "cause": error.cause, "hint": error.hint})
    from connectors.scans.bulletin.html_text import UnreadableTextError, decode_html, html_text

    try:
        return html_text(decode_html(data))
    except UnreadableTextError as error:
        position, _, cause = str(error).partition(": ")
        _answer({"position": position, "cause": cause, "hint": "save the page as UTF-8"})


def _answer(answer: dict[str, str]) -> NoReturn:
    sys.stdout.buffer.write(json.dumps(answer).encode("ascii"))
    sys.stdout.buffer.flush()
    sys.exit(0)


if __name__ == "__main__":
    main()
