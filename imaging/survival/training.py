"""What the risk head of a multi-task network learns: in each epoch with the encoder, and alone when that has ended.

While the network learns to segment, some steps of each epoch add the Cox loss of whole cases, which reaches the encoder
through its lowest level. Few cases fit into one step, and the risk sets of a Cox loss want many: when the encoder has
its last weights, what it tells of each case is computed once, and the small head is fitted to all of them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imaging.data.cases import Case
from imaging.data.preprocess import Floats
from imaging.networks.config import NetworkConfig
from imaging.networks.multitask import RISK
from imaging.survival.loss import cox_partial_likelihood
from imaging.survival.risk import Outcomes, evidence, images_of, outcomes

_MOST_SLICES = 8
"""Of a case in one step; of one with more, some are drawn and count for the others."""
_STEPS, _RATE = 400, 0.01
_SHRINKAGE = 0.01
"""Weight of the squared weights of the head beside the Cox loss, which is per event."""


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """Whole cases of known outcome to draw from.

    Attributes
    ----------
    images
        What the network reads of each, of one shape (slices, rows, columns, planes) apart from their slices.
    voxels_ml
        Volume of a voxel of each.
    outcomes
        Months and event of each, shape (cases, 2).
    """

    images: tuple[Floats, ...]
    voxels_ml: tuple[float, ...]
    outcomes: Outcomes

    @classmethod
    def of(cls, cases: Sequence[Case], config: NetworkConfig) -> Cohort:
        """Prepare cases; smaller images are padded with zeros.

        Raises
        ------
        ValueError
            If a case has no outcome, or no event was seen.
        """
        found = outcomes(cases)
        if not found[:, 1].any():
            raise ValueError("no event was seen in any case")
        images = [images_of(case, config) for case in cases]
        rows, columns = (max(each.shape[axis] for each in images) for axis in (1, 2))
        padded = tuple(
            np.pad(each, ((0, 0), (0, rows - each.shape[1]), (0, columns - each.shape[2]), (0, 0))) for each in images
        )
        return cls(padded, tuple(case.voxel_ml for case in cases), found)

    def batch(self, random: np.random.Generator, count: int) -> tuple[Floats, Floats, Outcomes]:
        """Draw cases without repetition, mirrored at random.

        Returns
        -------
        tuple of numpy.ndarray
            Slices, shares of shape (count, slices) as ``imaging.networks.multitask`` takes them, and outcomes.
        """
        chosen = random.permutation(len(self.images))[:count]
        drawn = [self._slices(random, number) for number in chosen]
        shares = np.zeros((len(chosen), sum(len(each) for each, _ in drawn)), dtype=np.float32)
        start = 0
        for row, (each, share) in enumerate(drawn):
            shares[row, start : start + len(each)] = share
            start += len(each)
        return np.concatenate([each for each, _ in drawn]), shares, self.outcomes[chosen]

    def _slices(self, random: np.random.Generator, number: int) -> tuple[Floats, float]:
        images = self.images[number]
        kept = min(len(images), _MOST_SLICES)
        images = images[np.sort(random.permutation(len(images))[:kept])]
        for axis in (1, 2):
            if random.random() < 0.5:
                images = np.flip(images, axis)
        return images, self.voxels_ml[number] * len(self.images[number]) / kept


def fit_risk(network: Any, config: NetworkConfig, cases: Sequence[Case]) -> None:
    """Fit the risk head to all cases together, the rest of the network being as it is.

    Nothing is drawn: the same network and cases give the same head.

    Raises
    ------
    ValueError
        If a case has no outcome, or no event was seen.
    """
    from imaging.keras import keras, tensorflow

    truth = outcomes(cases)
    if not truth[:, 1].any():
        raise ValueError("no event was seen in any case")
    facts, head = tensorflow.constant(evidence(network, config, cases)), network.get_layer(RISK)
    optimizer, loss_of = keras.optimizers.Adam(_RATE), cox_partial_likelihood()
    optimizer.build(head.trainable_variables)

    @tensorflow.function  # type: ignore[untyped-decorator]
    def step() -> None:
        with tensorflow.GradientTape() as tape:
            loss = loss_of(truth, head(facts, training=True))
            for weight in head.trainable_variables:
                loss += _SHRINKAGE * tensorflow.reduce_sum(tensorflow.square(weight))
        slopes = tape.gradient(loss, head.trainable_variables)
        optimizer.apply_gradients(zip(slopes, head.trainable_variables, strict=True))

    for _ in range(_STEPS):
        step()
