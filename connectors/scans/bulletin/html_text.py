"""HTML to text with the standard library's parser, which does not recurse and fetches nothing."""

from __future__ import annotations

import codecs
import re
from html.parser import HTMLParser

from connectors.scans.bulletin.plain import MAX_CHARACTERS, plain_text

_DECLARED = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_-]{2,20})", re.I)
_CHARSETS = {
    "utf-8": "utf-8",
    "ascii": "utf-8",
    "iso8859-1": "cp1252",  # as every browser reads it (WHATWG Encoding, 4.2)
    "cp1252": "cp1252",
    "iso8859-15": "iso8859-15",
    "iso8859-2": "iso8859-2",
    "cp1250": "cp1250",
    "shift_jis": "shift_jis",
    "euc_jp": "euc_jp",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
}
_UNSEEN = frozenset("script style template noscript svg math iframe object select textarea button".split())
_BLOCKS = frozenset(
    "address article aside blockquote body br caption center dd details div dl dt fieldset figcaption figure footer"
    " form h1 h2 h3 h4 h5 h6 header hr html legend li main nav ol p pre section summary table tbody tfoot thead tr"
    " ul".split()
)
_CELLS = frozenset({"td", "th"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})


class UnreadableTextError(Exception):
    """The bytes are not text in the encoding they claim."""


def decode_html(data: bytes) -> str:
    """Decode by byte order mark, else by ``<meta charset>``, else as UTF-8; nothing is guessed.

    Raises
    ------
    UnreadableTextError
        Naming the byte.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    else:
        declared = _DECLARED.search(data[:2048])
        encoding = _known(declared[1].decode("ascii")) if declared else "utf-8"
        encoding = "utf-8-sig" if encoding == "utf-8" else encoding
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableTextError(f"byte {error.start}: not {encoding.removesuffix('-sig').upper()} text") from None


def _known(name: str) -> str:
    try:
        return _CHARSETS.get(codecs.lookup(name).name, "utf-8")
    except LookupError:
        return "utf-8"


def html_text(markup: str) -> tuple[str, str]:
    """Title and text of a page; scripts, styles and forms are left out."""
    parser = _Parser()
    parser.feed(markup)
    parser.close()
    title = " ".join("".join(parser.title).split())
    return title, plain_text("".join(parser.pieces))


class _Parser(HTMLParser):
    """Collects what can be seen, a line for each block and a bar between cells."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.title: list[str] = []
        self._size = 0
        self._unseen = 0
        self._in_title = False
        self._cells = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title":
            self._in_title = True
        elif tag in _UNSEEN:
            self._unseen += 1
        elif tag in _CELLS:
            self._cells += 1
            if self._cells > 1:
                self._write(" | ")
        elif tag in _BLOCKS:
            self._cells = 0 if tag in ("tr", "table") else self._cells
            # A paragraph within a cell does not end the row.
            self._write(" " if self._cells else "\n- " if tag == "li" else "\n\n" if tag in _HEADINGS else "\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        elif tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in _BLOCKS:
            self._cells = 0 if tag in ("tr", "table") else self._cells
            self._write(" " if self._cells else "\n")

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title.append(data[:1000])
        elif not self._unseen:
            # Line ends of the source mean nothing.
            self._write(re.sub(r"[\s|]+", " ", data))

    def _write(self, text: str) -> None:
        if self._size <= MAX_CHARACTERS:
            self._size += len(text)
            self.pieces.append(text)
