"""PDF to text with pypdf, within caps on pages, objects and decompressed data."""

from __future__ import annotations

import io
import logging

from connectors.scans.bulletin.plain import MAX_CHARACTERS, plain_text, unwrap

MAX_PAGES = 500
MAX_OBJECTS = 200_000
MAX_STREAM_BYTES = 16 * 2**20
"""Largest decompressed stream; the text of a page takes some ten thousand bytes."""
_WITHOUT_PASSWORD = "save it without a password"  # noqa: S105 - a hint


class UnreadablePdfError(Exception):
    """Why a PDF gave no text, and what helps."""

    def __init__(self, position: str, cause: str, hint: str) -> None:
        super().__init__(cause)
        self.position = position
        self.cause = cause
        self.hint = hint


def pdf_text(data: bytes) -> tuple[str, str]:
    """Title and text of a document.

    Raises
    ------
    UnreadablePdfError
        If it is damaged, encrypted, or larger than the caps.
    """
    import pypdf
    from pypdf.errors import FileNotDecryptedError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    where = "the file's structure"
    try:
        with pypdf.apply_configuration(
            maximum_declared_stream_length=MAX_STREAM_BYTES,
            array_based_stream_maximum_output_length=MAX_STREAM_BYTES,
            zlib_maximum_output_length=MAX_STREAM_BYTES,
            lzw_maximum_output_length=MAX_STREAM_BYTES,
            run_length_maximum_output_length=MAX_STREAM_BYTES,
            brotli_maximum_output_length=MAX_STREAM_BYTES,
            jbig2dec_binary=None,
        ):
            reader = pypdf.PdfReader(io.BytesIO(data))
            if reader.is_encrypted and not reader.decrypt(""):
                raise UnreadablePdfError("", "the document is encrypted", _WITHOUT_PASSWORD)
            objects = sum(len(entries) for entries in reader.xref.values()) + len(reader.xref_objStm)
            if objects > MAX_OBJECTS:
                raise UnreadablePdfError("", f"holds more than {MAX_OBJECTS:,} objects", "no bulletin has so many")
            where = "the list of pages"
            count = len(reader.pages)
            if count > MAX_PAGES:
                raise UnreadablePdfError(f"page {MAX_PAGES + 1}", f"has more than {MAX_PAGES} pages", "split it")
            pages: list[str] = []
            size = 0
            while len(pages) < count and size <= MAX_CHARACTERS:
                where = f"page {len(pages) + 1}"
                pages.append(reader.pages[len(pages)].extract_text())
                size += len(pages[-1])
            where = "the document's title"
            title = (reader.metadata.title if reader.metadata else None) or ""
    except UnreadablePdfError:
        raise
    except FileNotDecryptedError:
        raise UnreadablePdfError("", "the document is encrypted", _WITHOUT_PASSWORD) from None
    except MemoryError:
        raise
    except Exception as error:  # pypdf raises whatever a damaged file makes it stumble over
        cause = f"damaged or unusual PDF: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise UnreadablePdfError(where, cause, "print it to a new PDF, or save its text") from None
    return " ".join(str(title).split())[:1000], unwrap(plain_text("\f".join(pages)))
