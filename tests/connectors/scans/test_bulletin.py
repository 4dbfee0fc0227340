"""Bulletins become text, and hostile ones become one error each."""

from __future__ import annotations

import time
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.scans.bulletin import bulletin_format, confined, read_bulletin
from connectors.scans.bulletin.html_text import html_text
from connectors.scans.bulletin.pdf_text import MAX_PAGES, MAX_STREAM_BYTES
from connectors.scans.bulletin.plain import plain_text, unwrap
from connectors.scans.detect import Kind, detect
from meddojo.bulletin import BulletinFormat
from meddojo.errors import InputError
from tests.pdf_writer import assemble, write_pdf

EXAMPLES = Path(__file__).parents[3] / "examples" / "bulletins"
PAGE = b"<!DOCTYPE html><html><head><title>T &amp; U</title></head><body><p>one</p></body></html>"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PAGE, BulletinFormat.HTML),
        (b"<?xml version='1.0'?>\n<!-- x --><html xmlns='http://www.w3.org/1999/xhtml'/>", BulletinFormat.HTML),
        (b"\xef\xbb\xbf <div><p>x", BulletinFormat.HTML),
        (write_pdf([["x"]]), BulletinFormat.PDF),
        (b"Security advisory about a pump", BulletinFormat.TEXT),
        ("CVE-2024-12345 concerns a pump".encode("utf-16"), BulletinFormat.TEXT),
        (b"Dear all, lunch is at noon", None),
        (b'{"vulnerability": 1', None),
        (b"<bom xmlns='http://cyclonedx.org/schema/bom/1.4'/>", None),
        (b"", None),
    ],
)
def test_told_by_content(data: bytes, kind: BulletinFormat | None) -> None:
    assert bulletin_format(data) is kind
    if kind is not None:
        assert detect(data, "x") is Kind.BULLETIN


def test_other_kinds_come_first() -> None:
    assert detect(b"SPDXVersion: SPDX-2.3\nPackageComment: a vulnerability", "x") is Kind.SPDX
    assert detect(b"cve,epss,percentile\nCVE-2020-0001,0.1,0.2\n", "x") is Kind.EPSS


def test_html_keeps_what_can_be_seen() -> None:
    markup = (
        "<title>A  "
        "title</title><style>CVE-1</style><script>CVE-2</script><h2>Products</h2><ul><li>Pump&nbsp;X<li>Y</ul>"
        "<table><tr><th>Name<th>Version</tr><tr><td><p>Pump</p><td>2.0 &lt; 3</tr></table><p>a\n  b<br>c"
    )
    title, text = html_text(markup)
    assert title == "A title"
    assert text.split("\n") == [
        "Products",
        "",
        "- Pump X",
        "- Y",
        "",
        "Name | Version",
        "",
        "Pump | 2.0 < 3",
        "",
        "a b",
        "c",
    ]


def test_a_bar_in_html_makes_no_cells() -> None:
    assert html_text("<p>a | b</p>")[1] == "a b"


@pytest.mark.parametrize(
    ("charset", "encoding"), [("windows-1252", "cp1252"), ("ISO-8859-1", "cp1252"), ("utf-8", "utf-8")]
)
def test_html_in_the_encoding_it_declares(charset: str, encoding: str) -> None:
    data = f"<html><meta charset='{charset}'><p>Dräger vulnerability".encode(encoding)
    assert read_bulletin(data, "x").text == "Dräger vulnerability"


def test_html_that_is_not_what_it_says_names_the_byte() -> None:
    with pytest.raises(InputError, match=r"page\.html: byte 16: not UTF-8 text"):
        read_bulletin(b"<html><body>Dr\xc3\xa4\xe4ger", "page.html")


def test_pdf_pages_and_title() -> None:
    bulletin = read_bulletin(write_pdf([["Acme (X)", "CVE-2024-0001"], ["second page"]], "A title"), "x.pdf")
    assert bulletin.format is BulletinFormat.PDF
    assert bulletin.title == "A title"
    assert bulletin.text == "Acme (X)\nCVE-2024-0001\n\nsecond page"
    assert len(bulletin.digest) == 64


def test_the_example_is_what_the_writer_writes() -> None:
    text = read_bulletin((EXAMPLES / "gateway.pdf").read_bytes(), "x").text
    assert "Infusion Gateway: versions 4.0 through 4.2.1" in text.split("\n- ")[1]


BOMB = assemble([zlib.compress(b"(" + b"A" * (MAX_STREAM_BYTES * 4) + b") Tj", 9)])
TWICE_PACKED = assemble(
    [zlib.compress(zlib.compress(b" " * (MAX_STREAM_BYTES * 8), 9), 9)], filters=b"[/FlateDecode /FlateDecode]"
)


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"%PDF-1.7\nnothing of it is true", "damaged or unusual PDF"),
        (write_pdf([["x"]])[:200], "damaged or unusual PDF"),
        (BOMB, "page 1: damaged or unusual PDF"),
        (TWICE_PACKED, "page 1: damaged or unusual PDF"),
        (write_pdf([["x"]] * (MAX_PAGES + 1)), f"has more than {MAX_PAGES} pages"),
        (write_pdf([[]]), "holds no text"),
        (write_pdf([["x"]]).replace(b"/Kids [4 0 R]", b"/Kids [2 0 R]"), "the list of pages: damaged or unusual PDF"),
    ],
    ids=["garbage", "cut off", "bomb", "bomb in a bomb", "pages", "no text", "page tree in a circle"],
)
def test_bad_pdf_is_one_error(data: bytes, cause: str) -> None:
    started = time.monotonic()
    with pytest.raises(InputError) as caught:
        read_bulletin(data, "bad.pdf")
    assert str(caught.value).startswith("bad.pdf")
    assert cause in str(caught.value)
    assert time.monotonic() - started < 60


def test_what_takes_too_long_is_stopped() -> None:
    with pytest.raises(InputError, match=r"x.html: takes longer than 0.01 s to read"):
        confined.read_confined(BulletinFormat.HTML, PAGE, "x.html", 0.01)


def test_the_reading_process_gets_no_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DEFECTDOJO_TOKEN", "s3cret")
    (tmp_path / "spy.py").write_text(
        "import os, json; print(json.dumps({'title': '', 'text': repr(dict(os.environ))}))"
    )
    monkeypatch.setattr(confined, "_MODULE", "spy")
    monkeypatch.syspath_prepend(str(tmp_path))
    _, text = confined.read_confined(BulletinFormat.HTML, b"", "x")
    assert "PYTHONPATH" in text
    assert "s3cret" not in text


def test_a_reader_that_dies_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "dying.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    monkeypatch.setattr(confined, "_MODULE", "dying")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(InputError, match="signal 9"):
        confined.read_confined(BulletinFormat.PDF, b"", "x")


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "greedy.py").write_text(
        "import sys\nfrom connectors.scans.bulletin import child\n"
        "child.MEMORY_BYTES = 256 * 2**20\nchild._read = lambda kind, data: bytearray(2**30)\nchild.main()\n"
    )
    monkeypatch.setattr(confined, "_MODULE", "greedy")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(InputError, match="needs more than 256 MiB of memory"):
        confined.read_confined(BulletinFormat.HTML, b"", "x")


def test_ten_thousand_nested_elements() -> None:
    data = b"<html>" + b"<div><table><tr><td>" * 10_000 + b"CVE-2024-0001"
    assert "CVE-2024-0001" in read_bulletin(data, "x").text


def test_too_long_a_text() -> None:
    with pytest.raises(InputError, match="holds more than 2,000,000 characters"):
        read_bulletin(b"vulnerability " * 200_000, "x.txt")


def test_too_large_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.scans.bulletin.MAX_BULLETIN_BYTES", 10)
    with pytest.raises(InputError, match="larger than 0 MiB"):
        read_bulletin(b"vulnerability", "x.txt")


def test_text_loses_what_cannot_be_seen() -> None:
    assert plain_text("a\r\nb\x07c\u200bd\u202e\te\x0cf") == "a\nb cd | e\n\nf"


def test_wrapped_lines_are_joined_and_others_are_not() -> None:
    wrapped = (
        "This paragraph was broken where the page ended, at sixty signs\nand goes on here\n"
        "- this item was broken where the page ended, at sixty signs\n  or so\n"
        "Heading\nThis paragraph begins anew, as the one above is not full, see\n- an item"
    )
    joined = unwrap(plain_text(wrapped)).split("\n")
    assert joined[0].endswith("sixty signs and goes on here")
    assert joined[1].endswith("sixty signs or so")
    assert joined[2:] == ["Heading", "This paragraph begins anew, as the one above is not full, see", "- an item"]


@given(st.text(max_size=300))
def test_any_markup_gives_clean_text(markup: str) -> None:
    _, text = html_text(f"<p>{markup}</p><td>{markup}")
    assert plain_text(text) == text


@given(st.text(max_size=300))
def test_any_text_is_cleaned_once(text: str) -> None:
    clean = plain_text(text)
    assert plain_text(clean) == clean
    assert all(sign == "\n" or sign.isprintable() or ord(sign) > 0x9F for sign in clean)
    unwrap(clean)


@given(st.binary(max_size=200))
def test_any_bytes_are_told(data: bytes) -> None:
    bulletin_format(data)
