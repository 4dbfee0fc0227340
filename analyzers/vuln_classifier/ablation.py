"""What each part of the CVSS models earns: the same figures without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from analyzers.vuln_classifier.calibration import Calibrator, softmax
from analyzers.vuln_classifier.classifier import Target
from analyzers.vuln_classifier.evaluation import CvssFigures, measure, measure_classifier
from analyzers.vuln_classifier.features import Features, groups
from analyzers.vuln_classifier.heads import BAND
from analyzers.vuln_classifier.joint import Decision
from analyzers.vuln_classifier.labels import Example, published_within
from analyzers.vuln_classifier.recipe import BEGINNING, STANDARD, assembled
from analyzers.vuln_classifier.record import PublishedRecord, Scorer
from analyzers.vuln_classifier.split import Split
from analyzers.vuln_classifier.training import (
    Progress,
    Rows,
    Stage,
    calibrated_on,
    calibrator_on,
    fit_stage,
    fit_trees,
    recent_rows,
    stage_inputs,
    train_cvss,
)
from analyzers.vuln_classifier.vectors import METRICS, Floats


def free_ablations(split: Split) -> Iterator[CvssFigures]:
    """Parts that can be left out of the trained models."""
    classifier, test = split.classifier, split.test
    yield measure_classifier("all of it", classifier, test)
    plain = replace(classifier, decision=Decision(0.0, 0.0, 1.0, 0.0, 0.0))
    yield measure_classifier("each metric alone, no joint decision", plain, test)
    yield measure_classifier(
        "no coupling of metrics", replace(classifier, decision=replace(classifier.decision, coupling=0.0)), test
    )
    yield measure_classifier(
        "no model of the band", replace(classifier, decision=replace(classifier.decision, band_trust=0.0)), test
    )
    raw = {name: replace(target, calibrator=_none(target)) for name, target in classifier.cvss.items()}
    yield measure_classifier("no calibration on later months", replace(classifier, cvss=raw), test)
    yield _no_trees(split)


def _no_trees(split: Split) -> CvssFigures:
    """The linear outputs, calibrated and decided as those of the trees are."""
    later = split.later.targets()
    memberships = [groups(*pair) for pair in zip(split.test.records, split.test.scorers, strict=True)]
    held = [split.trained.stage.features.build(rows.records, rows.scorers) for rows in (split.later, split.test)]
    found = {}
    for name, target in split.classifier.cvss.items():
        outputs = [softmax(target.linear(terms)) for terms in held]
        found[name] = calibrator_on(outputs[0], later[name], split.later)(outputs[1], memberships)
    space, decision = split.classifier.space, split.classifier.decision
    distribution = space.distribution([found[name] for name in METRICS], found[BAND], decision)
    return measure(
        "linear models only, no trees", space.vectors[space.decide(distribution, decision)], split.test, found
    )


def ablations(examples: Sequence[Example], split: Split, seed: int, progress: Progress) -> Iterator[CvssFigures]:
    """Parts that have to be left out before training."""

    def retrained(name: str, change: Callable[[Example], Example]) -> CvssFigures:
        progress(f"ablation: {name}")
        train = [change(each) for each in published_within(examples, BEGINNING, STANDARD.calibration)]
        later = [change(each) for each in published_within(examples, STANDARD.calibration, STANDARD.test)]
        test = [change(each) for each in published_within(examples, STANDARD.test, STANDARD.end)]
        trained = train_cvss(train, later, seed, lambda _: None)
        return measure_classifier(name, assembled(trained, name), Rows.of(test, primary=True))

    def other_trees(name: str, stage: Stage, weights: Floats) -> CvssFigures:
        progress(f"ablation: {name}")
        rows = split.trained.rows
        trees = fit_trees(stage, rows, recent_rows(rows, STANDARD.calibration), weights, seed, lambda _: None)
        targets = calibrated_on(trees, stage_inputs(stage, split.later), split.later)
        return measure_classifier(name, replace(split.classifier, features=stage.features, cvss=targets), split.test)

    rows, stage = split.trained.rows, split.trained.stage
    words = Features(stage.features.text.single_words(), stage.features.fields)
    yield other_trees("words only, no pairs", fit_stage(rows, seed, lambda _: None, words), rows.weights())
    yield other_trees("NVD's ratings weigh as much as the others'", stage, np.ones(len(rows), dtype=np.float32))
    yield retrained("scorer not told", _one_scorer)
    yield retrained(
        "text only: no scorer, assigner, vendor, product, weakness", lambda each: _text_only(_one_scorer(each))
    )
    yield measure_classifier(
        "assigner's rating predicted whoever rated",
        split.classifier,
        replace(split.test, scorers=tuple(Scorer.ASSIGNER for _ in split.test.scorers)),
    )


def _one_scorer(example: Example) -> Example:
    return replace(example, ratings=tuple(replace(rating, scorer=Scorer.ASSIGNER) for rating in example.ratings))


def _text_only(example: Example) -> Example:
    return replace(example, record=PublishedRecord(example.record.description))


def _none(target: Target) -> Calibrator:
    return Calibrator(1.0, (), np.zeros((0, len(target.classes)), dtype=np.float32))
