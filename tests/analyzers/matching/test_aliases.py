"""Which claims speak about the same vulnerability."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from analyzers.matching.aliases import group_by_alias
from analyzers.matching.candidates import Candidate, Source
from meddojo.finding import Citation


def claim(*identifiers: str) -> Candidate:
    return Candidate(identifiers, Source.SCAN, Citation("s", "d", 0.9, "r"))


def groups(*claims: Candidate, known_as: dict[str, str] | None = None) -> set[frozenset[tuple[str, ...]]]:
    return {frozenset(each.identifiers for each in group) for group in group_by_alias(claims, known_as or {})}


def test_aliases_join_transitively() -> None:
    assert groups(claim("GHSA-1", "CVE-2024-0001"), claim("CVE-2024-0001"), claim("GHSA-1", "X"), claim("X")) == {
        frozenset({("GHSA-1", "CVE-2024-0001"), ("CVE-2024-0001",), ("GHSA-1", "X"), ("X",)})
    }


def test_an_advisory_id_used_for_two_cves_joins_nothing() -> None:
    assert len(groups(claim("CVE-2024-0001", "SSA-1"), claim("CVE-2024-0002", "SSA-1"), claim("SSA-1"))) == 3


def test_two_cves_that_one_source_calls_the_same() -> None:
    assert len(groups(claim("CVE-2024-0001", "CVE-2024-0002"), claim("CVE-2024-0001"), claim("CVE-2024-0002"))) == 1


def test_names_under_which_it_was_found_before_join() -> None:
    assert len(groups(claim("CVE-2024-0001"), claim("GHSA-1"), known_as={"CVE-2024-0001": "GHSA-1"})) == 1


names = st.lists(st.sampled_from(["CVE-2024-0001", "CVE-2024-0002", "GHSA-1", "GHSA-2", "X"]), min_size=1, unique=True)


@given(st.lists(names, min_size=1, max_size=8), st.randoms())
def test_order_does_not_matter(lists: list[list[str]], generator: random.Random) -> None:
    claims = [claim(*each) for each in lists]
    shuffled = claims.copy()
    generator.shuffle(shuffled)
    assert groups(*claims) == groups(*shuffled)
    assert sum(len(group) for group in group_by_alias(claims, {})) == len(claims)
