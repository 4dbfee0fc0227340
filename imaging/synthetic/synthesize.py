"""Synthetic PET/CT cases with survival times of a known hazard, so that the best reachable C-index is known too.

The hazard is proportional, ``h(t) = h0(t) exp(eta)``, with ``eta`` of what can be seen in the images: the volume of the
lesions, their uptake and their number. Times follow a Weibull law (Bender, Augustin and Blettner 2005, Statistics in
Medicine 24:1713); observation ends at a time that depends on nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imaging.data.cases import INDEX, Case, write_case, write_index
from imaging.networks.files import read_whole
from imaging.synthetic.phantom import Phantom, phantom
from meddojo.errors import InputError

_MAX_INDEX_BYTES = 16 * 2**20
_SHAPE, _SCALE_MONTHS = 1.3, 24.0
_SHORTEST, _LONGEST = 6.0, 60.0
"""Bounds of the time of observation, in months."""


@dataclass(frozen=True, slots=True)
class Patient:
    """What is drawn for survival; `log_hazard` is relative to the baseline, times are in months."""

    log_hazard: float
    months: float
    event: bool
    observed_at_most: float


def synthesize(
    folder: Path,
    cases: int,
    size: int,
    slices: int,
    seed: int,
    advance: Callable[[str], None] = lambda _: None,
) -> list[Patient]:
    """Write a folder of cases; a case depends on the seed and its number alone.

    Parameters
    ----------
    size
        Rows and columns of a slice; the field of view is the same for every size.

    Raises
    ------
    InputError
        If the folder holds something already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise InputError(str(folder), "", "is not empty", "name a new folder with --out")
    records, patients = [], []
    for number in range(cases):
        random = np.random.default_rng([seed, number])
        scan = phantom(random, size, slices)
        patient = survival(random, scan)
        name = f"SYN_{number + 1:04d}"
        records.append(
            write_case(
                folder,
                Case(name, name, scan.pet, scan.ct, scan.mask, scan.spacing_mm, patient.months, patient.event),
            )
            | {"true_log_hazard": patient.log_hazard, "observed_at_most": patient.observed_at_most}
        )
        patients.append(patient)
        advance(name)
    write_index(folder, records)
    return patients


def drawn(folder: Path) -> dict[str, Patient]:
    """What was drawn for the survival of each case of a folder, by its name; nothing where cases were not made here.

    Raises
    ------
    InputError
        If the index cannot be read.
    """
    path = folder / INDEX
    try:
        records = json.loads(read_whole(path, _MAX_INDEX_BYTES))
        return {
            str(each["id"]): Patient(
                float(each["true_log_hazard"]), float(each["months"]), bool(each["event"]), float(each["observed_at_most"])
            )
            for each in records
            if "true_log_hazard" in each
        }
    except (TypeError, ValueError, KeyError, RecursionError) as error:
        raise InputError(str(path), "", f"is no index of cases: {error!r}") from error


def survival(random: np.random.Generator, scan: Phantom) -> Patient:
    """Draw when the event comes and when observation ends."""
    log_hazard = 1.9 * np.log(scan.volume_ml / 20.0) + 1.9 * np.log(scan.uptake / 4.0) + 0.7 * (scan.lesions - 2)
    event_at = _SCALE_MONTHS * (random.exponential() / np.exp(log_hazard)) ** (1.0 / _SHAPE)
    end = random.uniform(_SHORTEST, _LONGEST)
    return Patient(
        log_hazard=round(float(log_hazard), 6),
        # never exactly 0, which no reader of survival times takes
        months=round(max(0.0001, float(min(event_at, end))), 4),
        event=bool(event_at <= end),
        observed_at_most=round(end, 4),
    )


def reachable_c_index(patients: Sequence[Patient]) -> float:
    """Expected C-index of the true hazard itself, which no model can beat in the mean.

    Of two patients with proportional hazards the one with the higher is first with probability
    ``h1 / (h1 + h2)``, whenever the first event happens; Harrell's index counts the pair if that is before either
    ceases to be observed, with probability ``1 - exp(-(h1 + h2) H0(end))``. Both are averaged over all pairs.

    Raises
    ------
    ValueError
        With fewer than two patients.
    """
    if len(patients) < 2:
        raise ValueError("a C-index needs two patients")
    first, second = np.triu_indices(len(patients), k=1)
    hazard = np.exp([each.log_hazard for each in patients])
    end = np.array([each.observed_at_most for each in patients])
    cumulative = (np.minimum(end[first], end[second]) / _SCALE_MONTHS) ** _SHAPE
    both = hazard[first] + hazard[second]
    counted = 1.0 - np.exp(-both * cumulative)
    right = np.maximum(hazard[first], hazard[second]) / both
    return float((counted * right).sum() / counted.sum())
