"""The CVSS v3.1 base vectors as the classes to predict.

Source: FIRST, "Common Vulnerability Scoring System v3.1: Specification Document", section 2 (metrics) and section 7.1
(formula). Scores come from the `cvss` library alone.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from meddojo.severity import Severity

Floats = npt.NDArray[np.floating[Any]]
Integers = npt.NDArray[np.integer[Any]]

METRICS = {"AV": "NALP", "AC": "LH", "PR": "NLH", "UI": "NR", "S": "UC", "C": "NLH", "I": "NLH", "A": "NLH"}
"""Base metric -> its values, in the order of the specification."""
BANDS = tuple(Severity)
_VECTOR = re.compile(r"(?:CVSS:3\.[01]/)?" + "/".join(f"{name}:([{values}])" for name, values in METRICS.items()))


def parse_vector(text: str) -> tuple[int, ...] | None:
    """Class of each base metric of a v3.0 or v3.1 vector; None if the text is no such vector.

    >>> parse_vector("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
    (0, 0, 0, 0, 0, 2, 2, 2)
    """
    match = _VECTOR.match(text)
    if match is None:
        return None
    return tuple(values.index(value) for values, value in zip(METRICS.values(), match.groups(), strict=True))


def write_vector(classes: tuple[int, ...]) -> str:
    """The vector string of `parse_vector`'s classes, as version 3.1."""
    pairs = zip(METRICS.items(), classes, strict=True)
    return "CVSS:3.1/" + "/".join(f"{name}:{values[value]}" for (name, values), value in pairs)


@cache
def base_score(classes: tuple[int, ...]) -> float:
    """Base score of a vector, 0.0 to 10.0."""
    from cvss import CVSS3

    return float(CVSS3(write_vector(classes)).base_score)


def bands(scores: npt.ArrayLike) -> Integers:
    """Severity band of each base score, as its rank: 0 for none to 4 for critical."""
    ranks: Integers = np.digitize(np.asarray(scores), (0.1, 4.0, 7.0, 9.0))
    return ranks
