"""What is odd about cases, looked for before a network is trained on them: wrong units, empty masks, other grids."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator

import numpy as np

from imaging.data.cases import Case, Floats
from imaging.data.grid import Grid
from imaging.data.resample import coverage

_HIGHEST_SUV = 150.0
"""In g/ml. A bladder may reach 100; activity in Bq/ml begins in the thousands."""
_LOWEST_SUV = 0.3
"""In g/ml; muscle and blood take up more."""
_LARGEST_SHARE = 0.5
"""Of a scan that lesions fill."""
_OBLIQUE_DEGREES = 2.0
_MIDDLE = 0.5
_COVERED = 0.9
"""Share of the middle of PET that CT should cover; its field of view is often narrower than that of PET."""
_BETTER = 0.02
"""By how much PET and CT have to agree better when one is mirrored, of 1. Each of 25 real pairs loses 0.033 or more."""
_SPACING_RATIO = 2.5
"""Between the spacing of a case and the median of all."""


def problems(cases: Iterable[Case]) -> Iterator[str]:
    """Say what a person should look at, in one sentence each that begins with the name of the case."""
    spacings: dict[str, tuple[float, float, float]] = {}
    for case in cases:
        spacings[case.name] = case.spacing_mm
        for problem in _of(case):
            yield f"{case.name}: {problem}"
    medians = [statistics.median(each) for each in zip(*spacings.values(), strict=True)]
    for name, spacing in spacings.items():
        for axis, length, usual in zip(("slices", "rows", "columns"), spacing, medians, strict=True):
            if not 1 / _SPACING_RATIO <= length / usual <= _SPACING_RATIO:
                yield f"{name}: {length:g} mm between {axis}, where {usual:g} mm is usual"


def geometry_problems(pet: Grid, ct: Grid | None = None, mask: Grid | None = None) -> Iterator[str]:
    """Say what is odd about where the volumes of one case lie; `mask` need not cover PET."""
    for name, grid in (("PET", pet), ("CT", ct), ("the mask", mask)):
        if grid is not None and grid.oblique_degrees > _OBLIQUE_DEGREES:
            yield f"{name} is {grid.oblique_degrees:.0f} degrees oblique to the patient"
    if ct is not None:
        share = coverage(ct, pet, middle=_MIDDLE)
        if share == 0:
            yield "CT does not overlap PET: of another patient, or moved?"
        elif share < _COVERED:
            yield f"CT covers {share:.0%} of the middle of PET"
    if mask is not None and coverage(pet, mask) == 0:
        yield "the mask does not overlap PET: of another series?"


def _of(case: Case) -> Iterator[str]:
    lowest, highest = float(case.pet.min()), float(case.pet.max())
    if highest > _HIGHEST_SUV:
        yield f"PET reaches {highest:g}, which is no SUV in g/ml: activity in Bq/ml?"
    elif 0 < highest < _LOWEST_SUV:
        yield f"PET reaches {highest:.2g} only, which is no SUV in g/ml: another unit, or scaled?"
    if highest == lowest:
        yield "PET is the same everywhere"
    if lowest < 0:
        yield f"PET goes down to {lowest:g}, uptake cannot be negative"
    if case.ct is not None and (case.ct.min() >= 0 or case.ct.max() > 32_000):
        yield f"CT is from {case.ct.min():g} to {case.ct.max():g}, which is not HU: not rescaled?"
    yield from _mirrored(case)
    share = float(case.mask.mean())
    if share == 0:
        yield "the mask is empty"
    if share > _LARGEST_SHARE:
        yield f"the mask fills {share:.0%} of the scan: inverted?"


def _mirrored(case: Case) -> Iterator[str]:
    """Both images show the outline of the body; a header that mirrors one of them tears the outlines apart."""
    if case.ct is None:
        return
    body, uptake = np.clip(case.ct, -1000.0, 100.0), np.sqrt(np.clip(case.pet, 0.0, 2.0))
    if np.ptp(body) == 0 or np.ptp(uptake) == 0:
        return
    as_it_is = _correlation(body, uptake)
    for axis, name in enumerate(("slices", "rows", "columns")):
        if _correlation(np.flip(body, axis), uptake) > as_it_is + _BETTER:
            yield f"CT fits PET better with its {name} in reverse order: is one of them mirrored?"


def _correlation(first: Floats, second: Floats) -> float:
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])
