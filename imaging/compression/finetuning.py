"""Some more epochs for a network that was changed, on the patients it was trained on, by their loss and by a teacher.

The teacher is the network before the change: its probabilities say more of a voxel than the mask, and what was lost is
to be found again, not learned anew (Hinton, Vinyals and Dean, Distilling the knowledge in a neural network, 2015). The
rate falls along half a cosine to nothing over a fixed number of steps, and the last weights are taken: nothing is
chosen by any patient, so that validation and test stay unseen.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from imaging.data.slices import SlicePool
from imaging.segmentation.losses import LOSSES, soft_cross_entropy
from meddojo.errors import TerminalError


@dataclass(frozen=True, slots=True)
class FineTuning:
    """How a changed network is trained on.

    Attributes
    ----------
    loss
        A name of `imaging.segmentation.losses.LOSSES`.
    steps
        Of one epoch; 0 for as many as there are slices to fill them.
    learning_rate
        Of Adam at the first step.
    lesion_share
        Share of windows drawn about a lesion.
    changes
        A name of `imaging.data.changes.CHANGES`.
    """

    epochs: int = 10
    steps: int = 0
    batch: int = 16
    learning_rate: float = 1e-3
    lesion_share: float = 0.5
    changes: str = "strong"
    loss: str = "dice_cross_entropy"
    seed: int = 1

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise ValueError(f"loss is {self.loss!r}, none of {', '.join(LOSSES)}")
        if self.epochs < 1 or self.batch < 1 or self.steps < 0:
            raise ValueError("fine-tuning needs one epoch and one window of a batch at least")

    def steps_of(self, pool: SlicePool) -> int:
        """Of one epoch."""
        return self.steps or max(1, pool.windows // self.batch)


def fine_tune(
    network: Any,
    pool: SlicePool,
    settings: FineTuning,
    teacher: Any = None,
    before: Callable[[], None] = lambda: None,
    after: Callable[[], None] = lambda: None,
    report: Callable[[str], None] = lambda _: None,
) -> None:
    """Train a network in place.

    Parameters
    ----------
    network
        Takes windows of the pool's size.
    teacher
        A network that reads the same: the cross-entropy with its probabilities is added to the loss.
    before, after
        Called at every step.
    report
        Told the loss of each epoch.

    Raises
    ------
    TerminalError
        If the loss ceases to be a number.
    """
    from imaging.keras import keras, tensorflow

    keras.utils.set_random_seed(settings.seed)
    loss_of, variables = LOSSES[settings.loss], network.trainable_variables
    optimizer = keras.optimizers.Adam(settings.learning_rate)
    optimizer.build(variables)

    @tensorflow.function  # type: ignore[untyped-decorator]
    def step(images: Any, masks: Any) -> Any:
        with tensorflow.GradientTape() as tape:
            found = network(images, training=True)
            loss = loss_of(masks, found)
            if teacher is not None:
                loss += soft_cross_entropy(teacher(images, training=False), found)
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    steps = settings.steps_of(pool)
    for epoch in range(settings.epochs):
        random = np.random.default_rng([settings.seed, epoch])
        losses = []
        for number in range(steps):
            done = (epoch * steps + number) / (settings.epochs * steps)
            optimizer.learning_rate.assign(settings.learning_rate * (1.0 + math.cos(math.pi * done)) / 2.0)
            before()
            losses.append(float(step(*pool.batch(random, settings.batch, settings.lesion_share))))
            after()
        if not np.isfinite(losses).all():
            raise TerminalError(f"the loss of epoch {epoch + 1} is no number", "fine-tune with a lower rate")
        report(f"epoch {epoch + 1} of {settings.epochs}  loss {np.mean(losses):.4f}")
