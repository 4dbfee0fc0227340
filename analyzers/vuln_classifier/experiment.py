"""The measurements that go into the model card, each a table: CVSS beside its alternatives, then every other target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np

from analyzers.vuln_classifier.ablation import ablations, free_ablations
from analyzers.vuln_classifier.calibration import calibration_error
from analyzers.vuln_classifier.classifier import Target
from analyzers.vuln_classifier.evaluation import (
    CvssFigures,
    area_under_curve,
    average_precision,
    band_confidence,
    coverage,
    lift,
    macro_f1,
    measure,
    measure_classifier,
    measure_floor,
    measure_majority,
    measure_marginals,
)
from analyzers.vuln_classifier.heads import BAND, EXPLOITED, SSVC
from analyzers.vuln_classifier.labels import Example, published_within
from analyzers.vuln_classifier.points import exploited_labels, fit_weakness, terms_of
from analyzers.vuln_classifier.recipe import (
    BEGINNING,
    EXPLOITED_WINDOWS,
    SSVC_WINDOWS,
    STANDARD,
    assembled,
    exploited_target,
    labelled,
    shared_outputs,
    ssvc_target,
)
from analyzers.vuln_classifier.record import Scorer
from analyzers.vuln_classifier.split import Split
from analyzers.vuln_classifier.training import (
    Progress,
    Rows,
    train_cvss,
)
from analyzers.vuln_classifier.vectors import BANDS, METRICS, Floats, Integers
from meddojo.errors import InputError


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the model card; `note` says what to keep in mind."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def experiment(
    examples: Sequence[Example],
    split: Split,
    epss: Mapping[str, float],
    seed: int,
    progress: Progress,
) -> Iterator[Table]:
    """Every table of the card: the models of the split, beside what they have to beat, and what their parts earn."""
    progress("floors and agreement")
    figures = [*floors(split, seed), scorer_agreement(examples), *ours(split)]
    progress("random split")
    yield cvss_table([*figures, *random_split(examples, seed, progress)])
    yield calibration_table(ours(split)[0])
    yield confidence_table(split)
    yield confusion_table(split)
    progress("ablations")
    yield cvss_table([*free_ablations(split), *ablations(examples, split, seed, progress)], "What each part earns")
    progress("other targets")
    yield weakness_table(examples, split, seed)
    yield ssvc_table(examples, split, seed)
    yield exploited_table(examples, split, epss, seed)


def floors(split: Split, seed: int) -> Iterator[CvssFigures]:
    """What has to be beaten, on the same rows in the same run."""
    stage, train, test = split.trained.stage, split.trained.rows, split.test
    yield measure_majority(train, test)
    yield measure_floor("linear, text", stage, train, test, seed, fields=False)
    yield measure_floor("linear, text and assigner words", stage, train, test, seed, fields=True)


def scorer_agreement(examples: Iterable[Example]) -> CvssFigures:
    """NVD's vectors taken for predictions of Red Hat's, for every CVE both rated."""
    rated = [(each, {rating.scorer: rating.metrics for rating in each.ratings}) for each in examples]
    both = [(each, by) for each, by in rated if {Scorer.NVD, Scorer.RED_HAT} <= set(by)]
    rows = Rows(
        tuple(each.cve for each, _ in both),
        tuple(each.published for each, _ in both),
        tuple(each.record for each, _ in both),
        tuple(Scorer.RED_HAT for _ in both),
        tuple(by[Scorer.RED_HAT] for _, by in both),
    )
    return measure("NVD against Red Hat, all years", np.array([by[Scorer.NVD] for _, by in both]), rows)


def ours(split: Split) -> list[CvssFigures]:
    """The delivered vector, and each metric by itself."""
    return [
        measure_classifier("vuln-classifier, delivered vector", split.classifier, split.test),
        measure_marginals("vuln-classifier, each metric's likeliest value", split.classifier, split.test),
    ]


def random_split(examples: Sequence[Example], seed: int, progress: Progress) -> Iterator[CvssFigures]:
    """A tenth of the vulnerabilities at random to test on, a tenth to calibrate: easier, as the years are mixed."""
    tenth = {each.cve: crc32(each.cve.encode()) // 11 % 10 for each in examples}
    train = [each for each in examples if tenth[each.cve] > 1]
    later = [each for each in examples if tenth[each.cve] == 1]
    test = Rows.of([each for each in examples if tenth[each.cve] == 0], primary=True)
    trained = train_cvss(train, later, seed, progress)
    yield measure_classifier("random split, delivered vector", assembled(trained, "random"), test)


def cvss_table(figures: Sequence[CvssFigures], title: str = "CVSS v3.1 base metrics") -> Table:
    """Accuracy / macro-F1 of each metric, and both summary figures."""
    columns = ("", "rows", *METRICS, "band", "MAE", "largest ECE")
    rows = [
        (
            each.name,
            f"{each.rows:,}",
            *(f"{each.accuracy[metric]:.3f} / {each.macro_f1[metric]:.3f}" for metric in METRICS),
            f"{each.band:.3f}",
            f"{each.error:.2f}",
            f"{max(each.calibration.values()):.3f}" if each.calibration else "",
        )
        for each in figures
    ]
    return Table(title, columns, tuple(rows), "Metrics: accuracy / macro-F1. Band and MAE by the score of the vector.")


def calibration_table(figures: CvssFigures) -> Table:
    """Expected calibration error of each target on the test period."""
    pairs = figures.calibration.items()
    return Table(
        "Expected calibration error", tuple(name for name, _ in pairs), (tuple(f"{value:.3f}" for _, value in pairs),)
    )


def confidence_table(split: Split) -> Table:
    """How much is answered when the unsure rest is left out."""
    sure, right = band_confidence(split.classifier, split.test)
    rows = [(f"{wanted:.0%} of bands right", f"{coverage(sure, right, wanted):.1%}") for wanted in (0.75, 0.8, 0.9)]
    floor = split.classifier.floor
    above = sure >= floor
    rows.append((f"confidence floor {floor}", f"{above.mean():.1%} ({right[above].mean():.3f} of their bands right)"))
    return Table("Confidence against accuracy", ("wanted", "share of records answered"), tuple(rows))


def confusion_table(split: Split) -> Table:
    """Predicted band against the scorer's."""
    found = split.classifier.predict_cvss(split.test.records, split.test.scorers)
    delivered, truth = split.classifier.space.bands[found.chosen], split.test.targets()[BAND]
    rows = [
        (band, *(f"{int(((truth == row) & (delivered == column)).sum()):,}" for column in range(len(BANDS))))
        for row, band in enumerate(BANDS)
    ]
    return Table("Confusion of bands", ("rated \\ predicted", *BANDS), tuple(rows))


def weakness_table(examples: Sequence[Example], split: Split, seed: int) -> Table:
    """CWE on the test period, beside TF-IDF with logistic regression."""
    features, shared = split.trained.stage.features, shared_outputs(split.trained)
    train = published_within(examples, BEGINNING, STANDARD.calibration)
    later = published_within(examples, STANDARD.calibration, STANDARD.test)
    test = [each for each in published_within(examples, STANDARD.test, STANDARD.end) if each.weakness]
    model = fit_weakness(features, shared, train, later, seed)
    if model is None:
        raise InputError("the training data", "", "holds too few weaknesses to measure", "use --no-measure")
    classifier = replace(split.classifier, weakness=model)
    found = classifier.predict_weaknesses([each.record for each in test])
    truth = np.array([each.weakness for each in test])
    terms = terms_of([replace(each.record, cwes=()) for each in test], features)
    order = np.argsort(-model.linear(terms), axis=1, kind="stable")[:, :3]
    numbers = np.array(model.numbers)
    boosted = np.array([[number for number, _ in row] for row in found])
    rows = []
    for name, top in (("TF-IDF with logistic regression", numbers[order]), ("vuln-classifier", boosted)):
        hits = top == truth[:, None]
        f1 = _macro_f1_of_names(top[:, 0], truth)
        rows.append((name, f"{hits[:, 0].mean():.3f}", f"{hits.any(axis=1).mean():.3f}", f"{f1:.3f}"))
    note = (
        f"{len(test):,} records with a stated weakness; {np.isin(truth, numbers).mean():.1%} of them carry one of the "
        f"{len(numbers)} weaknesses the models know."
    )
    return Table("Weakness (CWE)", ("", "top 1", "top 3", "macro-F1"), tuple(rows), note)


def _macro_f1_of_names(predicted: Integers, truth: Integers) -> float:
    names, places = np.unique(truth, return_inverse=True)
    found = np.searchsorted(names, predicted)
    inside = (found < len(names)) & (names[np.minimum(found, len(names) - 1)] == predicted)
    return macro_f1(np.where(inside, found, len(names)).astype(np.int64), places.astype(np.int64), len(names))


def ssvc_table(examples: Sequence[Example], split: Split, seed: int) -> Table:
    """CISA's decision points on the last two months, trained before April 2024."""
    features, shared = split.trained.stage.features, shared_outputs(split.trained)
    windows = SSVC_WINDOWS
    rows = []
    for head in SSVC.values():
        target = ssvc_target(features, shared, examples, head, windows.calibration, windows.test, seed)
        test = labelled(published_within(examples, windows.test, windows.end), head.label)
        records = [each.record for each in test.examples]
        found = replace(split.classifier, points=_present(head.name, target)).predict_points(records)[head.name]
        positive = (test.classes > 0).astype(np.int64)
        chance = 1.0 - found[:, 0]
        rows.append(
            (
                f"{head.name}: not {head.classes[0]}",
                f"{len(test):,}",
                f"{positive.mean():.1%}",
                f"{area_under_curve(chance, positive):.3f}",
                f"{average_precision(chance, positive):.3f}",
                f"{(found.argmax(axis=1) == test.classes).mean():.3f}",
                f"{calibration_error(found, test.classes):.3f}",
            )
        )
    return Table(
        "SSVC decision points",
        ("", "rows", "positive", "AUC", "average precision", "accuracy", "ECE"),
        tuple(rows),
        "CISA states them since November 2023: trained on records published before April 2024, calibrated on April, "
        "measured on May and June. The CVSS models underneath are those of the standard split.",
    )


def exploited_table(examples: Sequence[Example], split: Split, epss: Mapping[str, float], seed: int) -> Table:
    """KEV entry within a year, on records a whole year of the catalogue is known of, beside EPSS."""
    features, shared = split.trained.stage.features, shared_outputs(split.trained)
    windows = EXPLOITED_WINDOWS
    target = exploited_target(features, shared, examples, windows.calibration, windows.test, seed)
    test = published_within(examples, windows.test, windows.end)
    truth = exploited_labels(test)
    points = replace(split.classifier, points=_present(EXPLOITED, target)).predict_points(
        [each.record for each in test]
    )
    chance = points[EXPLOITED][:, 1]
    rows = [_exploited_row("vuln-classifier, all", chance, truth)]
    known = np.array([each.cve in epss for each in test], dtype=bool)
    if known.any():
        rated = np.array([epss.get(each.cve, 0.0) for each in test])
        rows.append(_exploited_row("vuln-classifier, where EPSS exists", chance[known], truth[known]))
        rows.append(_exploited_row("EPSS of a later day", rated[known], truth[known]))
    return Table(
        "Entry into the catalogue of exploited vulnerabilities within a year",
        ("", "rows", "entries", "average precision", "AUC", "lift at 1 %"),
        tuple(rows),
        "Trained on July 2021 to June 2022, calibrated to December 2022, measured on January to June 2023; the CVSS "
        "models underneath have seen those months' ratings. EPSS is of a day more than a year after publication, when "
        "most exploitation was known: it is not a forecast from the day of publication, and comparison favours it. "
        "All the same EPSS is better: findings are sorted by it; our estimate stands beside it, or alone without one.",
    )


def _present(name: str, target: Target | None) -> dict[str, Target]:
    if target is None:
        raise InputError("the training data", "", f"holds too few labels to measure: {name}", "use --no-measure")
    return {name: target}


def _exploited_row(name: str, scores: Floats, truth: Integers) -> tuple[str, ...]:
    return (
        name,
        f"{len(truth):,}",
        f"{int(truth.sum())}",
        f"{average_precision(scores, truth):.3f}",
        f"{area_under_curve(scores, truth):.3f}",
        f"{lift(scores, truth):.1f}",
    )
