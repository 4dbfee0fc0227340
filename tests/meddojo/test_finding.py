from __future__ import annotations

import subprocess
import sys
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meddojo.finding import Finding, Stream, finding_identity

IDENTIFYING = {"stream", "device_id", "check", "component_key"}

GOLDEN = [
    ((Stream.VULNERABILITIES, "pump-alaris-8015", "CVE-2016-9355", ""), "mdj-2e871c2214defa0f26d787b6e207c4d6"),
    ((Stream.SUPPLY_CHAIN, "gateway", "unmaintained", "pkg:pypi/pillow"), "mdj-af3335b8eeb7c35c5cf2629f21e7d7cf"),
    ((Stream.COMPLIANCE, "Gerät 7", "IEC 62304 8.1.2", ""), "mdj-5f9c2ea82110cebaffa30f6f6ddfc481"),
]
"""Delivered under these names: a change here orphans every decision people have made."""

finding_kind = st.builds(Finding, cvss=st.just(()), remediations=st.just(()))


@pytest.mark.parametrize(("parts", "identity"), GOLDEN)
def test_identities_never_change(parts: tuple[Stream, str, str, str], identity: str) -> None:
    assert finding_identity(*parts) == identity


def test_identities_are_the_same_in_every_process() -> None:
    code = "from meddojo.finding import *; print(finding_identity(Stream.VULNERABILITIES, 'a', 'b', 'c'))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "77"}
    )
    assert done.stdout.strip() == finding_identity(Stream.VULNERABILITIES, "a", "b", "c")


@given(finding_kind, finding_kind)
def test_nothing_but_the_four_parts_counts(one: Finding, other: Finding) -> None:
    same = replace(other, **{name: getattr(one, name) for name in IDENTIFYING})
    assert same.identity == one.identity


@pytest.mark.parametrize("name", sorted(IDENTIFYING))
def test_each_of_the_four_parts_counts(name: str) -> None:
    values: dict[str, Any] = {"stream": Stream.COMPLIANCE, "device_id": "d", "check": "c", "component_key": "k"}
    other = values | {name: Stream.SUPPLY_CHAIN if name == "stream" else "x"}
    assert finding_identity(**values) != finding_identity(**other)


parts = st.tuples(
    st.sampled_from(Stream), *[st.text(alphabet=st.characters(min_codepoint=32, codec="utf-8"), max_size=12)] * 3
)


@given(parts, parts)
def test_different_findings_have_different_identities(one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    assert (finding_identity(*one) == finding_identity(*other)) == (one == other)


def test_parts_do_not_run_into_one_another() -> None:
    names = {
        finding_identity(Stream.COMPLIANCE, "ab", "c"),
        finding_identity(Stream.COMPLIANCE, "a", "bc"),
        finding_identity(Stream.COMPLIANCE, "a", "b", "c"),
        finding_identity(Stream.COMPLIANCE, "", "abc"),
    }
    assert len(names) == 4


def test_the_identifying_parts_are_fields() -> None:
    assert {field.name for field in fields(Finding)} > IDENTIFYING
