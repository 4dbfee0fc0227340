"""From what the models say to what a finding shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import scipy.sparse

from analyzers.vuln_classifier.classifier import Classifier
from analyzers.vuln_classifier.explanation import moving_words, readable
from analyzers.vuln_classifier.heads import AUTOMATABLE, EXPLOITATION, EXPLOITED, IMPACT
from analyzers.vuln_classifier.medicine import remark
from analyzers.vuln_classifier.record import PublishedRecord, Scorer
from analyzers.vuln_classifier.text import words
from analyzers.vuln_classifier.vectors import BANDS, Floats, write_vector
from meddojo.finding import Prediction

FEWEST_WORDS = 5
"""Different words of the vocabulary without which nothing is predicted, however sure the models are."""


def predictions(
    classifier: Classifier, records: Sequence[PublishedRecord], unrated: Sequence[bool]
) -> Iterator[Prediction]:
    """One for each record.

    Parameters
    ----------
    unrated
        Whether the record lacks a rating; the others lack a weakness only.
    """
    text = classifier.features.read(records)
    points = classifier.predict_points(records, text)
    weaknesses = classifier.predict_weaknesses(records, text=text)
    open_rows = [row for row, lacks in enumerate(unrated) if lacks]
    severities = _severities(classifier, [records[row] for row in open_rows], text[open_rows])
    medical = _medical_remarks(classifier, records)
    for row, (record, lacks) in enumerate(zip(records, unrated, strict=True)):
        model = f"vuln-classifier {classifier.version}"
        base = next(severities) if lacks else Prediction(model)
        if not has_enough(classifier, record):
            yield Prediction(model)
            continue
        yield Prediction(
            model,
            severity=base.severity,
            probability=base.probability,
            vector=base.vector,
            base_score=base.base_score,
            weaknesses=() if record.cwes else tuple((number, round(chance, 3)) for number, chance in weaknesses[row]),
            exploited=round(float(points[EXPLOITED][row, 1]), 5) if EXPLOITED in points else None,
            remarks=(*base.remarks, *_remarks(classifier, points, row), *medical[row]),
        )


def has_enough(classifier: Classifier, record: PublishedRecord) -> bool:
    """Whether the text has words the models know."""
    known = classifier.features.text.columns
    return len({word for word in words(record.description) if word in known}) >= FEWEST_WORDS


def _severities(
    classifier: Classifier, records: Sequence[PublishedRecord], text: scipy.sparse.csr_matrix
) -> Iterator[Prediction]:
    """What the assigner would say, with the words that moved it and what NVD would say; abstaining below the floor."""
    if not records:
        return
    own_scorers = [Scorer.ASSIGNER] * len(records)
    own = classifier.predict_cvss(records, own_scorers, text)
    nvd = classifier.predict_cvss(records, [Scorer.NVD] * len(records), text)
    space = classifier.space
    vectors = [tuple(space.vectors[row].tolist()) for row in own.chosen.tolist()]
    moving = moving_words(classifier, classifier.features.build(records, own_scorers, text), vectors)
    for row, moved_by in enumerate(moving):
        chosen, other = int(own.chosen[row]), int(nvd.chosen[row])
        band = int(space.bands[chosen])
        probability = round(float(own.bands[row, band]), 3)
        model = f"vuln-classifier {classifier.version}"
        if probability < classifier.floor:
            yield Prediction(model, probability=probability)
            continue
        vector = vectors[row]
        moved = readable(moved_by, vector)
        likely = BANDS[int(space.bands[other])]
        yield Prediction(
            model,
            severity=BANDS[band],
            probability=probability,
            vector=write_vector(vector),
            base_score=float(space.scores[chosen]),
            remarks=(
                *((f"the words that moved it: {moved}",) if moved else ()),
                f"NVD would probably say {float(space.scores[other]):.1f} ({likely.value}, probability "
                f"{float(nvd.bands[row, space.bands[other]]):.2f}): "
                f"{write_vector(tuple(space.vectors[other].tolist()))}",
            ),
        )


def _remarks(classifier: Classifier, points: dict[str, Floats], row: int) -> Iterator[str]:
    """What else is estimated, a line each."""
    told = []
    for name in (EXPLOITATION, AUTOMATABLE, IMPACT):
        if name in points:
            label = int(points[name][row].argmax())
            told.append(f"{name} {classifier.points[name].classes[label]} ({points[name][row, label]:.2f})")
    if told:
        yield "SSVC would probably say: " + ", ".join(told)


def _medical_remarks(classifier: Classifier, records: Sequence[PublishedRecord]) -> list[tuple[str, ...]]:
    """A line for each record that looks medical."""
    model = classifier.medical
    if model is None:
        return [()] * len(records)
    judged = model.judge(records)
    return [(remark(each),) if each.probability >= model.floor else () for each in judged]
