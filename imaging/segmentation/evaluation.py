"""A trained network on patients it never saw, beside the rules it has to beat, in one run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imaging.data.cases import Booleans, Case, read_cases
from imaging.networks.files import load
from imaging.segmentation.metrics import dice
from imaging.segmentation.prediction import predict
from imaging.segmentation.rules import Rule, share_of_maximum, suv_above_2_5, tuned
from imaging.segmentation.training import CHECKPOINT, digest, read_run
from meddojo.errors import InputError

Segmenter = Callable[[Case], Booleans]

NETWORK = "network"


@dataclass(frozen=True, slots=True)
class Row:
    """One method over all test cases.

    Attributes
    ----------
    dice
        One a case, in their order.
    missed
        How many cases the method finds no voxel of.
    """

    method: str
    dice: tuple[float, ...]
    missed: int

    @property
    def mean(self) -> float:
        """Over the cases."""
        return float(np.mean(self.dice))

    @property
    def deviation(self) -> float:
        """Over the cases, of the population."""
        return float(np.std(self.dice))

    @property
    def worst(self) -> float:
        """Lowest of a case."""
        return min(self.dice)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All methods on the same cases.

    Attributes
    ----------
    rule
        The tuned one; None where the data are other than those trained on, so that nothing was there to tune it.
    """

    cases: tuple[str, ...]
    rows: tuple[Row, ...]
    rule: Rule | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        rows = {
            row.method: {"mean": row.mean, "deviation": row.deviation, "worst": row.worst, "missed": row.missed}
            | {"dice": dict(zip(self.cases, row.dice, strict=True))}
            for row in self.rows
        }
        return {"cases": len(self.cases), "methods": rows, "rule": asdict(self.rule) if self.rule else None}

    def table(self) -> Iterator[str]:
        """Lines for a person."""
        yield f"{'method':<26}{'Dice':>6}{'sd':>6}{'worst':>7}{'missed':>8}"
        for row in self.rows:
            yield f"{row.method:<26}{row.mean:6.3f}{row.deviation:6.3f}{row.worst:7.3f}{row.missed:5d}/{len(row.dice)}"


def evaluate(folder: Path, data: Path, advance: Callable[[str], None] = lambda _: None) -> Evaluation:
    """Measure on the test patients of a run, or on all cases of data it was not trained on.

    Parameters
    ----------
    folder
        Of a finished training.
    data
        Folder of cases.

    Raises
    ------
    InputError
        If either cannot be read, the training has not ended, or other data hold an image of the training.
    """
    run = read_run(folder)
    if (folder / CHECKPOINT).exists():
        raise InputError(str(folder), "", "is of a training that has not ended", "go on: meddojo imaging train")
    config, network = load(folder)
    cases = list(read_cases(data))
    rule: Rule | None = None
    methods: dict[str, Segmenter] = {
        NETWORK: lambda case: np.asarray(predict(network, config, case) > 0.5),
        "SUV > 2.5": suv_above_2_5,
        "41 % of the maximum": share_of_maximum,
    }
    if digest(cases) == run.data:
        test = [case for case in cases if case.patient in set(run.division.test)]
        rule = tuned([case for case in cases if case.patient not in set(run.division.test)], advance)
        methods["best rule of the training"] = rule
    else:
        test = cases
        for case in cases:
            if case.digest() in run.seen:
                raise InputError(str(data), case.name, "is an image the network was trained on, in data that are other")
    return Evaluation(tuple(case.name for case in test), tuple(_rows(methods, test)), rule)


def _rows(methods: Mapping[str, Segmenter], cases: Sequence[Case]) -> Iterator[Row]:
    for name, segment in methods.items():
        masks = [segment(case) for case in cases]
        missed = sum(
            bool(case.mask.any()) and not (mask & case.mask).any() for mask, case in zip(masks, cases, strict=True)
        )
        yield Row(name, tuple(dice(mask, case.mask) for mask, case in zip(masks, cases, strict=True)), missed)
