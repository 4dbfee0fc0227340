"""Texts that want to break the reader: no crash, places that are right, and work that grows with length alone."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import analyzers.advisory_text
from analyzers.advisory_text import extract
from analyzers.advisory_text.statements import Status
from tests.analyzers.advisory_text.test_extraction import TEXTS, spans

try:
    from re import _constants, _parser  # type: ignore[attr-defined]
except ImportError:  # a Python that hides its parser elsewhere
    pytest.skip("the parser of regular expressions is not to be had", allow_module_level=True)

SENTENCE = "The Acme Pump X1 before 2.1 has a buffer overflow (CVE-2024-12345, CWE-120). "
UNITS = (
    "The Acme Pump version 1.2 and prior has a flaw. ",
    "versions 1.0, 1.1, ",
    "all the known ",
    "Aa1 ",
    "a1-",
    "1.",
    "(",
    "| ",
    "AV:N/",
    "CVE-2024-",
    "Affected products\n",
    "- Acme Pump: versions prior to 2.1\n",
    "- Acme Pump: 1.0 (sold in Europe) ",
    "- 750-829: which has ",
    "prior to ",
    "Copyright 2024 Aa ",
    "March ",
    "- A: (EU (",
    "Acme Pump, and ",
    " \n",
)
CONTROLS = st.characters(categories=["Cc", "Cf", "Co", "Mn", "Zl", "Zp"])
SCRIPTS = st.text(st.characters(min_codepoint=0x370, max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=200)
MARKUP = st.recursive(
    st.sampled_from([SENTENCE, "<br>", "&lt;", "<script>", "<!--", "Affected products", "&#0;"]),
    lambda inner: st.tuples(st.sampled_from(["div", "li", "td", "b"]), inner).map("<{0[0]}>{0[1]}</{0[0]}>".format),
    max_leaves=30,
)
PROCESSOR_SECONDS = 120
"""What a few seconds of work may take on the slowest machine; squares of these lengths take many times as much."""


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every regular expression of the package, with its place."""
    for found in pkgutil.iter_modules(analyzers.advisory_text.__path__):
        module = importlib.import_module(f"analyzers.advisory_text.{found.name}")
        for name, value in vars(module).items():
            for number, each in enumerate(_compiled(value)):
                yield f"{found.name}.{name}[{number}]", each


def _compiled(value: Any) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from _compiled(each)


def endless_within_endless(parsed: Any, inside: bool = False) -> bool:
    """Whether something repeated without limit holds another such repetition that may begin where it ended."""
    for operation, argument in parsed:
        if operation in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
            _, most, body = argument
            endless = most == _constants.MAXREPEAT
            if endless and inside and len(parsed) == 1:
                return True
            if endless_within_endless(body, inside or endless):
                return True
        elif operation is _constants.BRANCH:
            if any(endless_within_endless(each, inside) for each in argument[1]):
                return True
        elif operation is _constants.SUBPATTERN and endless_within_endless(argument[3], inside):
            return True
    return False


def test_the_check_of_patterns_knows_the_classics() -> None:
    for bad in (r"(?:a+)+$", r"(?:a*)*", r"(?:(?:x|a+))+b", r"((\w+))*!"):
        assert endless_within_endless(_parser.parse(bad)), bad
    for good in (r"a+b+", r"(?:a{1,3})+", r"(?:a+,)+", r"(?>a+)b"):
        assert not endless_within_endless(_parser.parse(good)), good


def test_no_pattern_repeats_a_repetition() -> None:
    found = list(patterns())
    assert len(found) > 40
    assert [name for name, each in found if endless_within_endless(_parser.parse(each.pattern, each.flags))] == []


def calls(text: str) -> int:
    """How many functions of Python are entered while a text is read."""
    count = 0

    def counted(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(counted)
    try:
        extract(text)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("unit", UNITS)
def test_four_times_the_text_is_four_times_the_work(unit: str) -> None:
    """Counted in function calls, with room for what is cached and for what is done once."""
    extract(unit)  # the weights are read once
    small = calls((unit * 4_000)[:4_000])
    assert calls((unit * 16_000)[:16_000]) < 5 * small + 1_000


def test_no_text_keeps_a_pattern_busy() -> None:
    """What happens inside of a pattern counts no calls: long texts have to come to an end at all."""
    script = (
        "import resource, sys\n"
        f"resource.setrlimit(resource.RLIMIT_CPU, ({PROCESSOR_SECONDS}, {PROCESSOR_SECONDS}))\n"
        "from analyzers.advisory_text import extract\n"
        "for unit in sys.argv[1:]:\n"
        "    extract((unit * 100_000)[:100_000])\n"
        "print('read')\n"
    )
    done = subprocess.run([sys.executable, "-c", script, *UNITS], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "read\n"), done.stderr[-500:]


def test_ten_thousand_words_are_read_to_the_end() -> None:
    text = "Affected products\n" + SENTENCE * 900 + "\n- Acme Viewer Z: versions prior to 9.9\n"
    assert len(text.split()) > 10_000
    read = extract(text)
    assert {found.value for found in read.cves} == {"CVE-2024-12345"}
    assert ("Viewer Z", "prior to 9.9") in [
        (each.name.text[-8:], each.phrase and each.phrase.versions) for each in read.products
    ]


@settings(deadline=None)
@given(st.lists(CONTROLS, max_size=60), st.integers(0, len(SENTENCE)))
def test_signs_nobody_sees(signs: list[str], at: int) -> None:
    text = SENTENCE[:at] + "".join(signs) + SENTENCE[at:]
    for each in spans(extract(text)):
        assert text[each.start : each.end] == each.text


@settings(deadline=None)
@given(SCRIPTS)
def test_other_scripts_name_no_product_without_a_version(text: str) -> None:
    """The tagger has learnt nothing of them; only a version or a list may make a name."""
    for product in extract(text).of(Status.AFFECTED):
        assert product.phrase is not None or product.listed


@settings(deadline=None, max_examples=30)
@given(MARKUP, TEXTS)
def test_markup_that_came_through(markup: str, text: str) -> None:
    for whole in (markup, f"{text}{markup}{text}", f"{'<div>' * 500}{markup}{'</div>' * 500}"):
        read = extract(whole)
        for each in spans(read):
            assert whole[each.start : each.end] == each.text
        if SENTENCE in markup:
            assert "CVE-2024-12345" in {found.value for found in read.cves}
