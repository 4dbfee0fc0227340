"""Trained networks on patients they never saw, beside the rules they have to beat, in one run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imaging.data.cases import Booleans, Case, read_cases
from imaging.segmentation.comparison import Paired, paired
from imaging.segmentation.metrics import dice, false_negative_volume_ml, false_positive_volume_ml, hd95, iou
from imaging.segmentation.prediction import predicted_by_all
from imaging.segmentation.record import digest
from imaging.segmentation.rules import Rule, Scores, dice_of_rules, share_of_maximum, suv_above_2_5, tuned
from imaging.segmentation.runs import Ensemble, ensembles, load_members
from meddojo.errors import InputError

Outliner = Callable[[Case], Booleans]

NETWORK, RULE = "network", "best rule of the training"


@dataclass(frozen=True, slots=True)
class CaseFigures:
    """One method on one case.

    Attributes
    ----------
    hd95_mm
        Infinite where the method finds nothing.
    missed_ml, invented_ml
        Volume of lesions not touched at all, and of pieces that touch no lesion.
    missed
        Whether it finds no voxel of any lesion.
    """

    case: str
    dice: float
    iou: float
    hd95_mm: float
    missed_ml: float
    invented_ml: float
    missed: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One method over all test cases, in their order."""

    method: str
    cases: tuple[CaseFigures, ...]

    @property
    def dice(self) -> tuple[float, ...]:
        """One a case."""
        return tuple(each.dice for each in self.cases)

    @property
    def mean(self) -> float:
        """Of Dice over the cases."""
        return float(np.mean(self.dice))

    @property
    def deviation(self) -> float:
        """Of Dice over the cases, of the population."""
        return float(np.std(self.dice))

    @property
    def worst(self) -> float:
        """Lowest Dice of a case."""
        return min(self.dice)

    @property
    def missed(self) -> int:
        """How many cases the method finds no voxel of."""
        return sum(each.missed for each in self.cases)

    @property
    def figures(self) -> dict[str, float]:
        """Over the cases; the median of HD95, for one infinite distance makes any mean infinite."""
        mean = {key: float(np.mean([getattr(each, key) for each in self.cases])) for key in _MEANS}
        return {
            "dice_deviation": self.deviation,
            "dice_worst": self.worst,
            "hd95_mm_median": float(np.median([each.hd95_mm for each in self.cases])),
            "missed": float(self.missed),
            **{f"{key}_mean": value for key, value in mean.items()},
        }


_MEANS = ("dice", "iou", "missed_ml", "invented_ml")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All methods on the same cases.

    Attributes
    ----------
    rules
        The tuned ones, of each fold; empty where the data are other than those trained on, so that nothing was there to
        tune them.
    beside_rule
        The network's Dice less that of the tuned rule, by case; None without one.
    """

    rows: tuple[Row, ...]
    rules: tuple[Rule, ...]
    beside_rule: Paired | None

    @property
    def cases(self) -> tuple[str, ...]:
        """Names, in the order of every row."""
        return tuple(each.case for each in self.rows[0].cases)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; an infinite distance is null."""
        return {
            "cases": len(self.cases),
            "methods": {row.method: _finite(row.figures) | {"by_case": _by_case(row)} for row in self.rows},
            "rules": [_finite(asdict(rule)) for rule in self.rules],
            "beside_rule": asdict(self.beside_rule) if self.beside_rule else None,
        }

    def table(self) -> Iterator[str]:
        """Lines for a person."""
        yield (
            f"{'method':<26}{'Dice':>6}{'sd':>6}{'worst':>7}{'IoU':>6}{'HD95 mm':>9}{'missed ml':>11}"
            f"{'invented ml':>13}{'missed':>8}"
        )
        for row in self.rows:
            found = row.figures
            yield (
                f"{row.method:<26}{row.mean:6.3f}{row.deviation:6.3f}{row.worst:7.3f}{found['iou_mean']:6.3f}"
                f"{found['hd95_mm_median']:9.1f}{found['missed_ml_mean']:11.1f}{found['invented_ml_mean']:13.1f}"
                f"{row.missed:5d}/{len(row.cases)}"
            )
        if self.beside_rule:
            yield f"Dice of the network less that of the best rule, paired: {self.beside_rule.sentence}"


def evaluate(folders: Sequence[Path], data: Path, advance: Callable[[str], None] = lambda _: None) -> Evaluation:
    """Measure on the test patients of each run, or on all cases of data it was not trained on.

    Runs with the same test patients are an ensemble; those with others are folds, whose cases are put together.

    Parameters
    ----------
    folders
        Of finished trainings, or of folders of such.
    data
        Folder of cases.
    advance
        Called with the name of each case that is done.

    Raises
    ------
    InputError
        If either cannot be read, a training has not ended, two folds test the same patient, or other data hold an
        image of the training.
    """
    cases = list(read_cases(data))
    groups = ensembles(folders)
    same = digest(cases)
    rows: dict[str, list[CaseFigures]] = {}
    rules: list[Rule] = []
    scores: dict[str, Scores] = {}
    for group in groups:
        methods, test = _methods(group, cases, data), cases
        if group.data == same:
            test = [case for case in cases if case.patient in group.test]
            if not test:
                raise InputError(str(data), "", "has no case the network was not trained on", "name other data")
            scores = scores or {case.name: dice_of_rules(case) for case in cases}
            rule = tuned([scores[case.name] for case in cases if case.patient not in group.test])
            methods[RULE] = rule
            rules.append(rule)
        for case in test:
            for name, outline in methods.items():
                rows.setdefault(name, []).append(figures(outline(case), case))
            advance(case.name)
    found = tuple(Row(name, tuple(each)) for name, each in rows.items())
    _measured_once(found[0], data)
    by_name = {row.method: row for row in found}
    beside = paired(by_name[NETWORK].dice, by_name[RULE].dice) if RULE in by_name else None
    return Evaluation(found, tuple(rules), beside)


def compare(
    first: Path, second: Path, data: Path, advance: Callable[[str], None] = lambda _: None
) -> tuple[Row, Row, Paired]:
    """Measure two trainings on the same cases.

    Raises
    ------
    InputError
        As `evaluate`, and where their test patients differ.
    """
    one, other = (evaluate([folder], data, advance).rows[0] for folder in (first, second))
    if {each.case for each in one.cases} != {each.case for each in other.cases}:
        raise InputError(str(second), "", f"has other test patients than {first}", "use the same --division")
    of_other = {each.case: each.dice for each in other.cases}
    return one, other, paired(one.dice, [of_other[each.case] for each in one.cases])


def figures(outline: Booleans, case: Case) -> CaseFigures:
    """How an outline agrees with the truth of its case."""
    return CaseFigures(
        case.name,
        dice(outline, case.mask),
        iou(outline, case.mask),
        hd95(outline, case.mask, case.spacing_mm),
        false_negative_volume_ml(outline, case.mask, case.spacing_mm),
        false_positive_volume_ml(outline, case.mask, case.spacing_mm),
        bool(case.mask.any()) and not (outline & case.mask).any(),
    )


def _methods(group: Ensemble, cases: Sequence[Case], data: Path) -> dict[str, Outliner]:
    if group.data != digest(cases):
        for case in cases:
            if case.digest() in group.seen:
                raise InputError(str(data), case.name, "is an image the network was trained on, in data that are other")
    members = load_members(group)
    return {
        NETWORK: lambda case: group.outline(predicted_by_all(members, case)),
        "SUV > 2.5": suv_above_2_5,
        "41 % of the maximum": share_of_maximum,
    }


def _measured_once(row: Row, data: Path) -> None:
    names = [each.case for each in row.cases]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise InputError(str(data), min(twice), "is measured twice", "name runs of one cross-validation, or one run")


def _by_case(row: Row) -> dict[str, dict[str, Any]]:
    return {
        each.case: _finite({key: value for key, value in asdict(each).items() if key != "case"}) for each in row.cases
    }


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    return {key: None if isinstance(value, float) and math.isinf(value) else value for key, value in values.items()}
