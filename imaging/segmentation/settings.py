"""How a network is trained."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from imaging.data.changes import CHANGES
from imaging.networks.config import NetworkConfig
from imaging.networks.multitask import MULTITASK
from imaging.segmentation.losses import LOSSES
from imaging.segmentation.outline import Outline


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How a network is trained.

    Attributes
    ----------
    loss
        A name of `imaging.segmentation.losses.LOSSES`.
    patience
        Epochs without a better Dice of the validation patients before training stops.
    keep
        Whose weights: of the ``best`` epoch by the validation patients, or of the ``last``, where these are too few to
        tell epochs apart.
    validation_share
        Of the patients that are not the test; 0 to train on all of them, and to keep the last epoch.
    kept_share
        Pieces of an outline that are smaller than this share of the largest are dropped; None for the share that suits
        the validation patients best, 1 where there is one lesion each patient.
    batch
        Windows of one step.
    steps
        Steps of one epoch; 0 for as many as there are slices to fill them.
    learning_rate
        Of Adam at its highest: it grows over the first steps, and falls as a cosine to nothing over all epochs.
    lesion_share
        Share of windows drawn about a lesion; the others are drawn anywhere.
    precision
        What the layers compute in: ``float32``, or ``bfloat16`` where the processor has instructions for it
        (``avx512_bf16``, ``amx_bf16``), which takes two thirds of the time of 16 filters. Weights are kept in
        single precision.
    changes
        A name of `imaging.data.changes.CHANGES`: ``strong`` for limbs, which lie any way, ``stronger`` if the level
        of uptake differs from scanner to scanner, too; ``mild`` where the body lies one way up.
    risk_cases, risk_weight
        Of a network that tells the risk: one step of each epoch adds the Cox loss of so many whole cases, times this.
    folds, fold
        The patients of this fold (from 0) are never seen, they are the test; with 1 fold nobody is.
    division
        Seed of the division, apart from `seed`, so that networks of other seeds share it.
    member
        Which validation patients are set aside; an ensemble sets others aside for each member.
    """

    network: NetworkConfig = field(default_factory=NetworkConfig)
    loss: str = "dice_cross_entropy"
    epochs: int = 30
    patience: int = 10
    keep: Literal["best", "last"] = "best"
    validation_share: float = 0.15
    kept_share: float | None = None
    batch: int = 16
    steps: int = 0
    learning_rate: float = 2e-3
    lesion_share: float = 0.5
    precision: Literal["float32", "bfloat16"] = "float32"
    changes: str = "strong"
    risk_cases: int = 24
    risk_weight: float = 0.1
    folds: int = 5
    fold: int = 0
    division: int = 1
    member: int = 0
    seed: int = 1

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise ValueError(f"loss is {self.loss!r}, none of {', '.join(LOSSES)}")
        if self.changes not in CHANGES:
            raise ValueError(f"changes is {self.changes!r}, none of {', '.join(CHANGES)}")
        if self.keep not in ("best", "last"):
            raise ValueError(f"keep is {self.keep!r}, neither best nor last")
        if self.kept_share is not None:
            Outline(self.kept_share)
        if self.precision not in ("float32", "bfloat16"):
            raise ValueError(f"precision is {self.precision!r}, neither float32 nor bfloat16")
        if self.precision != "float32" and self.network.architecture == MULTITASK:
            raise ValueError(f"a risk is a sum over thousands of voxels, more than {self.precision} can add up")
        if self.network.classes != 1:
            raise ValueError(f"classes is {self.network.classes}; masks of lesions are one class")
