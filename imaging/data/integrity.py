"""What is odd about cases, looked for before a network is trained on them: wrong units, empty masks, other grids."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator

from imaging.data.cases import Case

_HIGHEST_SUV = 150.0
"""In g/ml. A bladder may reach 100; activity in Bq/ml begins in the thousands."""
_LARGEST_SHARE = 0.5
"""Of a scan that lesions fill."""
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


def _of(case: Case) -> Iterator[str]:
    lowest, highest = float(case.pet.min()), float(case.pet.max())
    if highest > _HIGHEST_SUV:
        yield f"PET reaches {highest:g}, which is no SUV in g/ml: activity in Bq/ml?"
    if highest == lowest:
        yield "PET is the same everywhere"
    if lowest < 0:
        yield f"PET goes down to {lowest:g}, uptake cannot be negative"
    if case.ct is not None and (case.ct.min() >= 0 or case.ct.max() > 32_000):
        yield f"CT is from {case.ct.min():g} to {case.ct.max():g}, which is not HU: not rescaled?"
    share = float(case.mask.mean())
    if share == 0:
        yield "the mask is empty"
    if share > _LARGEST_SHARE:
        yield f"the mask fills {share:.0%} of the scan: inverted?"
