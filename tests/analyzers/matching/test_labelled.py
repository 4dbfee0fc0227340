"""Matching on labelled pairs of devices and advisories, those it was not tuned on."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.analyzers.matching.labelled_pairs import Pair, claims_of, missing, pairs, probability

DELIVERED = 0.8
POSITIVE = {"exact", "alias", "wording", "series", "range", "boundary", "model_number"}
NEGATIVE = {"fixed", "neighbour", "component", "other_product", "other_vendor", "not_affected"}


def test_the_set_is_what_it_says() -> None:
    labelled = pairs()
    assert len(labelled) >= 400
    for pair in labelled:
        assert pair.kind in (POSITIVE if pair.affected else NEGATIVE), pair
        assert pair.why
    halves = {half: {pair.advisory for pair in labelled if pair.half == half} for half in ("tuning", "test")}
    assert halves["tuning"].isdisjoint(halves["test"])
    in_test = Counter(pair.affected for pair in labelled if pair.half == "test")
    assert min(in_test.values()) > 0.45 * in_test.total()


@pytest.mark.skipif(bool(missing()), reason=missing() or "all there")
def test_what_is_delivered_is_right_and_little_is_missed() -> None:
    chosen = [pair for pair in pairs() if pair.half == "test"]
    said = {id(pair): probability(pair, claims_of(pair)) >= DELIVERED for pair in chosen}
    counts = Counter((pair.affected, said[id(pair)]) for pair in chosen)
    assert counts[True, True] / (counts[True, True] + counts[False, True]) > 0.95
    assert counts[True, True] / (counts[True, True] + counts[True, False]) > 0.82


@pytest.mark.skipif(bool(missing()), reason=missing() or "all there")
@pytest.mark.parametrize("kind", ["exact", "fixed", "other_vendor", "other_product"])
def test_the_plain_cases_are_hardly_ever_wrong(kind: str) -> None:
    chosen: list[Pair] = [pair for pair in pairs() if pair.kind == kind]
    wrong = [pair for pair in chosen if (probability(pair, claims_of(pair)) >= DELIVERED) is not pair.affected]
    assert len(wrong) <= 0.03 * len(chosen), [(pair.advisory, pair.device.model) for pair in wrong]
