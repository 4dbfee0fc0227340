"""From many predictions of one case to maps of what they are unsure of, in one pass over them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from imaging.data.cases import Floats

HIGHEST_ENTROPY = math.log(2.0)
"""Of two outcomes, in nats."""


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """What the members of an ensemble, or passes of Monte Carlo dropout, say of one case.

    All arrays have the shape (slices, rows, columns); entropies are in nats, from 0 to ln 2.

    Attributes
    ----------
    mean
        Probability of a lesion, mean over the members.
    predictive_entropy
        Of the mean: all that is unsure.
    expected_entropy
        Mean of the members' entropies: what stays unsure if the network is known (noise in the data).
    mutual_information
        The difference of both, where the members disagree: what more data could teach (BALD; Houlsby et al. 2011,
        Gal, Islam and Ghahramani 2017).
    variance
        Of the members' probabilities, of the population.
    members
        How many there were.
    disagreement
        1 minus the mean Dice of all pairs of members' masks (Roy et al. 2019); 0 for one member.
    """

    mean: Floats
    predictive_entropy: Floats
    expected_entropy: Floats
    mutual_information: Floats
    variance: Floats
    members: int
    disagreement: float


def entropy(probabilities: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    """Entropy of lesion or none, in nats, of the shape of the probabilities; 0 where they are 0 or 1."""
    first = np.asarray(probabilities, dtype=np.float64)
    second = 1.0 - first
    found = np.zeros_like(first)
    for each in (first, second):
        found -= each * np.log(np.where(each > 0.0, each, 1.0))
    return found


def summarise(volumes: Iterable[Floats]) -> Maps:
    """Compute the maps of a stream of probabilities.

    Three volumes of sums are kept, and one bit a voxel of each member (its mask, for `Maps.disagreement`): what is
    needed does not grow by a volume with each member.

    Parameters
    ----------
    volumes
        Probabilities of each member, of one shape (slices, rows, columns).

    Raises
    ------
    ValueError
        Without a member, with members of different shapes, or values outside 0 to 1.
    """
    count, shape, masks = 0, (0,), list[npt.NDArray[np.uint8]]()
    total = squares = entropies = np.zeros(0)
    for volume in volumes:
        if not count:
            shape = volume.shape
            total, squares, entropies = (np.zeros(shape) for _ in range(3))
        if volume.shape != shape:
            raise ValueError(f"members of different shapes: {shape} and {volume.shape}")
        if not ((volume >= 0.0) & (volume <= 1.0)).all():
            raise ValueError(f"member {count} has probabilities outside 0 to 1")
        count += 1
        precise = volume.astype(np.float64)
        total += precise
        squares += precise**2
        entropies += entropy(precise)
        masks.append(np.packbits(volume > 0.5))
    if not count:
        raise ValueError("no member: nothing to summarise")
    mean, expected = total / count, entropies / count
    predictive = entropy(mean)
    return Maps(
        mean=mean.astype(np.float32),
        predictive_entropy=predictive.astype(np.float32),
        expected_entropy=expected.astype(np.float32),
        # rounding may leave a hair below 0
        mutual_information=np.maximum(predictive - expected, 0.0).astype(np.float32),
        variance=np.maximum(squares / count - mean**2, 0.0).astype(np.float32),
        members=count,
        disagreement=1.0 - _mean_pairwise_dice(masks),
    )


def _mean_pairwise_dice(masks: Sequence[npt.NDArray[np.uint8]]) -> float:
    sizes = [_bits(mask) for mask in masks]
    scores = [
        2.0 * _bits(masks[one] & masks[other]) / (sizes[one] + sizes[other]) if sizes[one] + sizes[other] else 1.0
        for one in range(len(masks))
        for other in range(one)
    ]
    return float(np.mean(scores)) if scores else 1.0


def _bits(packed: npt.NDArray[np.uint8]) -> int:
    counts: npt.NDArray[Any] = np.bitwise_count(packed)
    return int(counts.sum(dtype=np.int64))
