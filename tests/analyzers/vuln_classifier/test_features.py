"""Nothing that was not known at publication gets in."""

from __future__ import annotations

import dataclasses
import inspect

from analyzers.vuln_classifier import labels
from analyzers.vuln_classifier.classifier import Classifier
from analyzers.vuln_classifier.features import Features, groups
from analyzers.vuln_classifier.labels import Example
from analyzers.vuln_classifier.record import PublishedRecord, Scorer

BARRED = {"n_refs", "poc_ref", "cpes", "n_cpe", "modified", "status", "ssvc_date", "kev", "cvss2", "cvss3_score"}


def test_the_columns_are_made_of_the_published_record_alone() -> None:
    fields = {field.name for field in dataclasses.fields(PublishedRecord)}
    assert fields == {"description", "assigner", "vendor", "product", "cwes"}
    for method in (Features.build, Features.read, groups):
        parameters = set(inspect.signature(method).parameters) - {"self", "cls"}
        assert parameters <= {"records", "record", "scorers", "scorer", "text"}


def test_what_leaks_the_future_is_not_even_read() -> None:
    assert not BARRED & set(labels.COLUMNS)


def test_labels_do_not_change_the_columns(small: Classifier, world: list[Example]) -> None:
    plain = [example.record for example in world[:5]]
    first = small.features.build(plain, [Scorer.NVD] * 5)
    again = small.features.build([dataclasses.replace(record) for record in plain], [Scorer.NVD] * 5)
    assert (first != again).nnz == 0
