"""Drift of incoming PET/CT images: how often it is found where there is none, and how often where there is one.

Real cases (soft-tissue sarcoma) are divided at random again and again: two thirds are what a model was trained on, of
the others some come in, as they are or changed as a mistake at the scanner or in the export would change them. Beside
our test stands the usual rule of thumb: a population stability index above 0.2 in any feature, deciles as bins.

    python benchmarks/imaging_drift.py
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.ndimage import zoom

from imaging.data.cases import Case, read_cases
from imaging.inspection.drift import FALSE_ALARMS, FEATURES, Reference, shifts

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "sts_petct"
TRAINED = 24
INCOMING = (6, 12)
DIVISIONS = 300
DECLARED = 0.3
"""The bound of the analyzer where none is declared."""
PSI = 0.2

Row = list[float | None]


def coarser(case: Case) -> Case:
    """Sampled at twice the distance within the slice."""
    pet, mask = zoom(case.pet, (1, 0.5, 0.5), order=1), zoom(case.mask.astype(np.uint8), (1, 0.5, 0.5), order=0) > 0
    ct = None if case.ct is None else zoom(case.ct, (1, 0.5, 0.5), order=1)
    slices, rows, columns = case.spacing_mm
    return replace(case, pet=pet, ct=ct, mask=mask, spacing_mm=(slices, rows * 2, columns * 2))


def noisier(case: Case) -> Case:
    """As with a quarter of the counts, roughly: each voxel off by a fifth."""
    random = np.random.default_rng(int(case.digest()[:8], 16))
    return replace(case, pet=(case.pet * random.normal(1.0, 0.2, case.pet.shape).clip(0.0)).astype(np.float32))


SHIFTS: dict[str, Callable[[Case], Case]] = {
    "none": lambda case: case,
    "Bq/ml instead of SUV (x 5000)": lambda case: replace(case, pet=case.pet * 5000),
    "SUV by lean mass (x 0.75)": lambda case: replace(case, pet=case.pet * 0.75),
    "uptake x 1.5": lambda case: replace(case, pet=case.pet * 1.5),
    "uptake x 2": lambda case: replace(case, pet=case.pet * 2),
    "half as many columns and rows": coarser,
    "slices half as far": lambda case: replace(case, spacing_mm=(case.spacing_mm[0] / 2, *case.spacing_mm[1:])),
    "CT not rescaled (+ 1024)": lambda case: replace(case, ct=None if case.ct is None else case.ct + 1024),
    "no CT": lambda case: replace(case, ct=None),
    "noise of 20 %": noisier,
}


def main() -> None:
    if not DATA.is_dir():
        print(f"{DATA} is missing: nothing measured")
        return
    cases = list(read_cases(DATA))
    print(f"{len(cases)} cases; {TRAINED} as training, {DIVISIONS} random divisions; alarms per hundred sets")
    print(f"ours: q < {FALSE_ALARMS} (Benjamini-Hochberg over {len(FEATURES)} features) and distance > {DECLARED}")
    columns = "".join(f"{f'ours, {size} in':>12}{f'PSI, {size} in':>12}" for size in INCOMING)
    print(f"{'shift':<34}{columns}")
    plain = [row_of(case) for case in cases]
    for name, change in SHIFTS.items():
        changed = [row_of(change(case)) for case in cases]
        rates = [rate(plain, changed, size) for size in INCOMING]
        print(f"{name:<34}" + "".join(f"{100 * ours:12.1f}{100 * rule:12.1f}" for ours, rule in rates))


def row_of(case: Case) -> Row:
    return [feature.of(case) for feature in FEATURES]


def rate(plain: Sequence[Row], changed: Sequence[Row], incoming: int) -> tuple[float, float]:
    """Share of the divisions in which our test, and the rule of thumb, raise an alarm."""
    random = np.random.default_rng(7)
    ours = rule = 0
    for _ in range(DIVISIONS):
        order = random.permutation(len(plain))
        before = described([plain[place] for place in order[:TRAINED]])
        now = described([changed[place] for place in order[TRAINED : TRAINED + incoming]])
        ours += any(each.q_value < FALSE_ALARMS and each.distance > DECLARED for each in shifts(before, now))
        rule += any(stability_index(before.features[name], now.features[name]) > PSI for name in now.features)
    return ours / DIVISIONS, rule / DIVISIONS


def described(rows: Sequence[Row]) -> Reference:
    features = {
        feature.name: sorted(value for row in rows if (value := row[number]) is not None)
        for number, feature in enumerate(FEATURES)
    }
    return Reference(cases=len(rows), data="0" * 64, features=features)


def stability_index(before: Sequence[float], now: Sequence[float]) -> float:
    """Population stability index by deciles of `before`; empty bins count as half a case."""
    if not before or not now:
        return 0.0
    edges = np.unique(np.quantile(before, np.linspace(0, 1, 11)[1:-1]))
    counts = [np.bincount(np.searchsorted(edges, each), minlength=len(edges) + 1) for each in (before, now)]
    shares = [np.maximum(count, 0.5) / count.sum() for count in counts]
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


if __name__ == "__main__":
    main()
