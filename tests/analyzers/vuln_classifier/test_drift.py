"""A statistic whose false alarms are known, and which does alarm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analyzers.vuln_classifier.classifier import Classifier
from analyzers.vuln_classifier.drift import FALSE_ALARMS, FEWEST, arrivals, drift, rank_sum, reference_of
from analyzers.vuln_classifier.labels import Example
from analyzers.vuln_classifier.record import PublishedRecord, Scorer


def test_without_drift_p_values_are_as_uniform_as_they_should_be() -> None:
    generator = np.random.default_rng(1)
    shape = generator.dirichlet(np.ones(30))
    reference = generator.multinomial(2_000, shape)
    found = np.array(
        [rank_sum(generator.multinomial(2_000, shape), generator.multinomial(200, shape)) for _ in range(4_000)]
    )
    assert reference.sum() == 2_000
    for level in (0.5, 0.1, 0.01):
        assert (found < level).mean() == pytest.approx(level, abs=4 * np.sqrt(level * (1 - level) / 4_000))
    assert (found < FALSE_ALARMS).sum() <= 12  # 4 expected


def test_a_shift_is_found_and_only_upwards() -> None:
    expected, more = np.array([0, 900, 80, 20]), np.array([0, 60, 30, 10])
    assert rank_sum(expected, more) < 1e-6
    assert rank_sum(more, expected) > 0.99
    assert rank_sum(expected, np.zeros(4, dtype=int)) == 1.0


def strange(record: PublishedRecord) -> PublishedRecord:
    return replace(record, description=record.description + " zyx wvu tsr qpo nml")


def test_descriptions_in_other_words_alarm_and_the_same_ones_do_not(small: Classifier, world: list[Example]) -> None:
    records = [example.record for example in world]
    reference = reference_of(small.features, records[:200])
    assert not drift(small, reference, records[200:]).alarming
    found = drift(small, reference, [strange(record) for record in records[200:]])
    assert found.alarming and found.now > found.before
    assert not drift(small, reference, [strange(record) for record in records[: FEWEST - 1]]).alarming


def test_later_ratings_that_agree_do_not_alarm_and_others_do(small: Classifier, world: list[Example]) -> None:
    kept = [each for each in world if each.ratings[0].scorer is Scorer.NVD][:100]
    right = [(each.record, Scorer.NVD, 4) for each in kept]
    assert not arrivals(small, right).alarming
    assert arrivals(small, [(record, scorer, 1) for record, scorer, _ in right]).alarming
    assert not arrivals(small, []).alarming
