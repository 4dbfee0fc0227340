"""How a model does on a reference set: accuracy, calibration, and how far its INT8 version is from it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from imaging.data.cases import Case, Floats
from imaging.segmentation.metrics import Reliability, dice, reliability
from imaging.uncertainty.regions import near
from meddojo.errors import InputError
from meddojo.imaging_model import Bounds, Figure, Property

Predict = Callable[[Case], Floats]
"""Probability of a lesion at each voxel of a case, 0 to 1, of the shape (slices, rows, columns)."""

FEWEST_CASES = 5
"""With fewer, an interval says nothing."""
_RESAMPLES = 2000
_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class Model:
    """What is measured, and the files each part hangs on.

    Attributes
    ----------
    calibrated
        From the probabilities of `predict` to those that are shown.
    int8
        The same network in eight bits; None where there is none.
    files, int8_files
        SHA-256 of the files by name.
    """

    predict: Predict
    files: Mapping[str, str]
    calibrated: Callable[[Floats], Floats] = lambda probabilities: probabilities
    int8: Predict | None = None
    int8_files: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Sums:
    """What is kept of the cases seen so far."""

    digests: list[str] = field(default_factory=list)
    dice: list[float] = field(default_factory=list)
    missed: int = 0
    diagrams: list[Reliability] = field(default_factory=list)
    between: list[float] = field(default_factory=list)
    differences: list[float] = field(default_factory=list)


def measure(
    cases: Iterable[Case],
    model: Model,
    bounds: Bounds,
    now: datetime,
    seed: int = 0,
    advance: Callable[[str], None] = lambda _: None,
) -> tuple[Figure, ...]:
    """Measure a model on cases it was not trained on, one case in memory at a time.

    Returns
    -------
    tuple of Figure
        Accuracy (mean Dice), calibration (expected calibration error of the voxels within 10 mm of the surface of a
        lesion, predicted or true, pooled over the cases), and, where there is an INT8 version, the mean absolute
        difference of its probabilities over the same voxels. The intervals are percentiles of a bootstrap over cases
        (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13).

    Raises
    ------
    InputError
        With fewer than `FEWEST_CASES`, or two of the same image: counted twice, they would narrow the interval.
    """
    sums = _Sums()
    for case in cases:
        _add(sums, case, model)
        advance(case.name)
    if len(sums.dice) < FEWEST_CASES:
        raise InputError(
            "reference set", "", f"has {len(sums.dice)} cases, at least {FEWEST_CASES} are needed", "add more cases"
        )
    if len(set(sums.digests)) < len(sums.digests):
        raise InputError("reference set", "", "holds the same image twice", "leave one of them out")
    random = np.random.default_rng(seed)
    draws = random.integers(len(sums.dice), size=(_RESAMPLES, len(sums.dice)))
    figures = [_accuracy(sums, draws, model, bounds, now)]
    if sums.diagrams:
        figures.append(_calibration(sums, random, model, bounds, now))
    if sums.differences:
        figures.append(_int8(sums, random, model, bounds, now))
    return tuple(figures)


def digest_of(digests: Iterable[str]) -> str:
    """What tells a set of cases from all others, in whatever order they come."""
    return hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest()


def _add(sums: _Sums, case: Case, model: Model) -> None:
    probabilities = model.predict(case)
    mask = np.asarray(probabilities > _THRESHOLD)
    sums.digests.append(case.digest())
    sums.dice.append(dice(mask, case.mask))
    sums.missed += bool(case.mask.any()) and not (mask & case.mask).any()
    region = near(mask, case.spacing_mm) | near(case.mask, case.spacing_mm)
    if region.any():
        sums.diagrams.append(reliability(model.calibrated(probabilities), case.mask, region))
    if model.int8 is not None:
        eighth = model.int8(case)
        compared = region if region.any() else np.ones_like(region)
        sums.between.append(dice(eighth > _THRESHOLD, mask))
        sums.differences.append(float(np.abs(eighth - probabilities)[compared].mean()))


def _accuracy(sums: _Sums, draws: npt.NDArray[np.int64], model: Model, bounds: Bounds, now: datetime) -> Figure:
    values = np.array(sums.dice)
    low, high = np.percentile(values[draws].mean(axis=1), (2.5, 97.5))
    return Figure(
        Property.ACCURACY,
        float(values.mean()),
        len(values),
        digest_of(sums.digests),
        now,
        _sorted(model.files),
        float(low),
        float(high),
        bounds.least_dice,
        (f"lowest Dice of a case {values.min():.3f}", f"missed altogether: {sums.missed} of {len(values)} cases"),
    )


def _calibration(sums: _Sums, random: np.random.Generator, model: Model, bounds: Bounds, now: datetime) -> Figure:
    diagrams = sums.diagrams
    draws = random.integers(len(diagrams), size=(_RESAMPLES // 4, len(diagrams)))
    counts = np.stack([each.counts for each in diagrams])
    confident = np.stack([np.nan_to_num(each.confidence) * each.counts for each in diagrams])
    true = np.stack([np.nan_to_num(each.frequency) * each.counts for each in diagrams])
    resampled = [_pooled_error(counts[draw], confident[draw], true[draw]) for draw in draws]
    low, high = np.percentile(resampled, (2.5, 97.5))
    surer = float(confident.sum() - true.sum()) / float(counts.sum())
    return Figure(
        Property.CALIBRATION,
        _pooled_error(counts, confident, true),
        len(diagrams),
        digest_of(sums.digests),
        now,
        _sorted(model.files),
        float(low),
        float(high),
        bounds.greatest_ece,
        (f"about the lesions it is {'too sure' if surer > 0 else 'not sure enough'} by {abs(surer):.3f} on average",),
    )


def _pooled_error(counts: npt.NDArray[Any], confident: npt.NDArray[Any], true: npt.NDArray[Any]) -> float:
    """Expected calibration error of all voxels together, from sums by case and bin."""
    gaps = np.abs(confident.sum(axis=0) - true.sum(axis=0))
    return float(gaps.sum() / counts.sum())


def _int8(sums: _Sums, random: np.random.Generator, model: Model, bounds: Bounds, now: datetime) -> Figure:
    values = np.array(sums.differences)
    draws = random.integers(len(values), size=(_RESAMPLES, len(values)))
    low, high = np.percentile(values[draws].mean(axis=1), (2.5, 97.5))
    return Figure(
        Property.INT8,
        float(values.mean()),
        len(values),
        digest_of(sums.digests),
        now,
        _sorted({**model.files, **model.int8_files}),
        float(low),
        float(high),
        bounds.greatest_int8_difference,
        (
            f"Dice between the masks of both: {np.mean(sums.between):.3f} on average, {min(sums.between):.3f} at worst",
            f"largest difference of a case {values.max():.4f}",
        ),
    )


def _sorted(files: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(files.items()))
