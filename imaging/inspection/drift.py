"""Whether incoming images still look like those a model was trained on.

Of every case a few numbers are kept (`FEATURES`): uptake, density, noise, grid. Those of the training lie beside the
model (``reference.json``), sorted feature by feature, so that no patient's numbers can be put together again. The two
samples of each feature are compared by the test of Kolmogorov and Smirnov, and false alarms over all features are
controlled after Benjamini and Hochberg (J. R. Stat. Soc. B 57, 1995): one set of images in a hundred from the same
source raises one. ``benchmarks/imaging_drift.py`` measures that, and which shifts are found.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from imaging.data.cases import Case
from imaging.inspection.measure import FEWEST_CASES, digest_of
from imaging.networks.files import read_whole, write_whole
from imaging.networks.seal import check
from meddojo.errors import InputError
from meddojo.imaging_model import Bounds, Figure, Property

REFERENCE = "reference.json"
FALSE_ALARMS = 0.01
_MAX_REFERENCE_BYTES = 16 * 2**20
_EXACT = 1000
"""Cases up to which the p-value is exact."""
_DIGITS = 5
"""Of the numbers kept: enough for a distribution, too few to find an image by."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A number that describes a case; None where the case has nothing to measure it on."""

    name: str
    unit: str
    of: Callable[[Case], float | None]


def _uptake(share: float) -> Callable[[Case], float | None]:
    return lambda case: float(np.quantile(case.pet, share))


def _density(share: float) -> Callable[[Case], float | None]:
    return lambda case: None if case.ct is None else float(np.quantile(case.ct, share))


def _noise(case: Case) -> float | None:
    """Difference of neighbours within a row, relative to uptake, in the upper quarter of uptake."""
    left, right = case.pet[..., :-1], case.pet[..., 1:]
    inside = left >= np.quantile(case.pet, 0.75)
    mean = float(left[inside].mean()) if inside.any() else 0.0
    return float(np.abs(left - right)[inside].mean()) / mean if mean > 0.0 else None


def _foreground(case: Case) -> npt.NDArray[np.bool_]:
    """Voxels that reach a fiftieth of the highest uptake but for the hottest hundredth: the body, in any unit."""
    high = float(np.quantile(case.pet, 0.99))
    return np.asarray(case.pet > 0.02 * high) if high > 0.0 else np.zeros(case.pet.shape, dtype=bool)


def _median(case: Case) -> float | None:
    inside = _foreground(case)
    return float(np.median(case.pet[inside])) if inside.any() else None


FEATURES = (
    Feature("median PET of the foreground", "g/ml", _median),
    Feature("90th percentile of PET", "g/ml", _uptake(0.9)),
    Feature("99th percentile of PET", "g/ml", _uptake(0.99)),
    Feature("99.9th percentile of PET", "g/ml", _uptake(0.999)),
    Feature("noise of PET", "relative", _noise),
    Feature("foreground of PET", "share", lambda case: float(_foreground(case).mean())),
    Feature("cases with CT", "share", lambda case: float(case.ct is not None)),
    Feature("median CT", "HU", _density(0.5)),
    Feature("90th percentile of CT", "HU", _density(0.9)),
    Feature("99th percentile of CT", "HU", _density(0.99)),
    Feature("distance of slices", "mm", lambda case: case.spacing_mm[0]),
    Feature("distance of columns", "mm", lambda case: case.spacing_mm[2]),
    Feature("width of the image", "mm", lambda case: case.spacing_mm[2] * case.pet.shape[2]),
)

_Number = Annotated[float, Field(allow_inf_nan=False)]


class Reference(BaseModel):
    """What is kept of a set of cases.

    Attributes
    ----------
    data
        Digest of the cases.
    features
        Name of a feature -> its values, in ascending order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Annotated[int, Field(ge=1, le=1)] = 1
    cases: Annotated[int, Field(ge=1, le=10_000_000)]
    data: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    features: dict[str, list[_Number]]


@dataclass(frozen=True, slots=True)
class Shift:
    """How one feature differs between two sets of cases.

    Attributes
    ----------
    distance
        Of Kolmogorov and Smirnov, 0 to 1.
    q_value
        Probability of a distance as large without any shift, adjusted for the number of features.
    before, now
        Medians (means, of what is a share).
    """

    feature: Feature
    distance: float
    q_value: float
    before: float
    now: float

    @property
    def sentence(self) -> str:
        """For a person."""
        unit = f" {self.feature.unit}" if self.feature.unit not in ("share", "relative") else ""
        return (
            f"{self.feature.name}: {self.now:.4g}{unit} now, {self.before:.4g}{unit} in the training "
            f"(distance {self.distance:.2f}, q = {self.q_value:.1g})"
        )


def describe(cases: Iterable[Case], advance: Callable[[str], None] = lambda _: None) -> Reference:
    """Numbers of a set of cases, one case in memory at a time.

    Raises
    ------
    InputError
        With fewer than `FEWEST_CASES`.
    """
    digests: list[str] = []
    values: dict[str, list[float]] = {feature.name: [] for feature in FEATURES}
    for case in cases:
        digests.append(case.digest())
        for feature in FEATURES:
            value = feature.of(case)
            if value is not None and math.isfinite(value):
                values[feature.name].append(float(f"{value:.{_DIGITS}g}"))
        advance(case.name)
    if len(digests) < FEWEST_CASES:
        raise InputError("cases", "", f"are {len(digests)}, at least {FEWEST_CASES} are needed", "add more cases")
    return Reference(cases=len(digests), data=digest_of(digests), features={k: sorted(v) for k, v in values.items()})


def write_reference(folder: Path, reference: Reference) -> None:
    """Keep the numbers of the training cases beside a model."""
    content = json.dumps(reference.model_dump(), indent=1, sort_keys=True) + "\n"
    write_whole(folder / REFERENCE, content.encode())


def read_reference(folder: Path) -> Reference:
    """Read what `write_reference` wrote; a sealed folder has to be as it was sealed.

    Raises
    ------
    InputError
        If it is missing, damaged, or not the file of the manifest.
    """
    path = folder / REFERENCE
    digest = check(folder, [REFERENCE])[REFERENCE]
    try:
        found = Reference.model_validate_json(read_whole(path, _MAX_REFERENCE_BYTES, digest))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InputError(str(path), "/" + "/".join(map(str, first["loc"])), first["msg"]) from error
    return found


def shifts(reference: Reference, incoming: Reference) -> tuple[Shift, ...]:
    """Every feature that both sets have enough values of, the largest distance first."""
    from scipy.stats import false_discovery_control, ks_2samp

    compared = []
    for feature in FEATURES:
        before, now = (np.array(each.features.get(feature.name, [])) for each in (reference, incoming))
        if min(len(before), len(now)) >= FEWEST_CASES:
            found = ks_2samp(before, now, method="exact" if max(len(before), len(now)) <= _EXACT else "asymp")
            compared.append(
                (feature, float(found.statistic), float(found.pvalue), _middle(feature, before), _middle(feature, now))
            )
    if not compared:
        return ()
    adjusted = false_discovery_control([p_value for _, _, p_value, _, _ in compared])
    found_shifts = (
        Shift(feature, distance, float(q_value), before, now)
        for (feature, distance, _, before, now), q_value in zip(compared, adjusted, strict=True)
    )
    return tuple(sorted(found_shifts, key=lambda each: (-each.distance, each.feature.name)))


def _middle(feature: Feature, values: npt.NDArray[np.float64]) -> float:
    return float(np.mean(values) if feature.unit == "share" else np.median(values))


def drift(reference: Reference, incoming: Reference, files: Mapping[str, str], bounds: Bounds, now: datetime) -> Figure:
    """The largest distance among the features that differ by more than chance; 0 if none does."""
    found = [each for each in shifts(reference, incoming) if each.q_value < FALSE_ALARMS]
    return Figure(
        Property.DRIFT,
        max((each.distance for each in found), default=0.0),
        incoming.cases,
        incoming.data,
        now,
        tuple(sorted(files.items())),
        bound=bounds.greatest_drift,
        details=tuple(each.sentence for each in found),
    )
