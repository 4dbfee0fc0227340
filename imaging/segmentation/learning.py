"""All that changes while a network learns, and can be written down and taken up again.

What is drawn in an epoch depends on the seed and the number of the epoch alone; with the optimizer's state in the
checkpoint, a run that was killed ends as one that was not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from imaging.data.cases import Case, Floats
from imaging.data.slices import SlicePool
from imaging.data.volumes import VolumePool
from imaging.networks import build
from imaging.networks.files import packed, unpacked, write_whole
from imaging.networks.multitask import without_risk
from imaging.segmentation.losses import LOSSES
from imaging.segmentation.metrics import dice
from imaging.segmentation.prediction import predict
from imaging.segmentation.record import CHECKPOINT, HISTORY, Epoch, as_json
from imaging.segmentation.settings import TrainingConfig
from imaging.survival.training import Cohort, fit_risk, joint_step
from meddojo.errors import InputError, TerminalError

_AVERAGED_EVERY, _WARM_UP = 10, 50
"""Steps."""


class Learning:
    """All that changes during training: weights, the optimizer, the best weights, the epochs so far."""

    def __init__(self, config: TrainingConfig, cohort: Cohort | None) -> None:
        from imaging.keras import computing_in, keras, tensorflow

        keras.utils.set_random_seed(config.seed)
        self.config, self.cohort = config, cohort
        with computing_in(config.precision):
            self.network = build(config.network, any_size=True)
        self.optimizer = keras.optimizers.Adam(config.learning_rate)
        self.optimizer.build(self.network.trainable_variables)
        self.best: list[Any] = self.network.get_weights()
        self.averaged: list[Any] = self.network.get_weights()
        self.epochs: list[Epoch] = []
        segmenter = self.network if cohort is None else without_risk(self.network)
        loss_of = LOSSES[config.loss]

        @tensorflow.function  # type: ignore[untyped-decorator]
        def step(images: Any, masks: Any) -> Any:
            variables = segmenter.trainable_variables
            with tensorflow.GradientTape() as tape:
                loss = loss_of(masks, segmenter(images, training=True))
            self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
            return loss

        self.segmenter, self._step = segmenter, step
        self._joint_step = joint_step(self.network, segmenter, self.optimizer, loss_of, config.risk_weight)

    @property
    def ended(self) -> bool:
        """After the last epoch, or where patience is at its end."""
        scores = [each.validation_dice for each in self.epochs if each.validation_dice is not None]
        waited = len(scores) - 1 - scores.index(max(scores)) if scores else 0
        return len(self.epochs) >= self.config.epochs or waited >= self.config.patience

    def advance(self, pool: SlicePool | VolumePool, validation: Sequence[Case]) -> Epoch:
        """One epoch."""
        config, number = self.config, len(self.epochs) + 1
        random = np.random.default_rng([config.seed, number])
        self._reseed(random)
        drawing = np.random.default_rng([config.seed, number, 1])  # apart from windows, which another thread draws
        steps = config.steps or max(1, pool.windows // config.batch)
        losses = []
        for step, (images, masks) in enumerate(_ahead(pool, random, config, steps), start=(number - 1) * steps):
            self.optimizer.learning_rate.assign(_rate(step, steps * config.epochs) * config.learning_rate)
            if self.cohort is not None and step + 1 == number * steps:
                loss = self._joint_step(images, masks, *self.cohort.batch(drawing, config.risk_cases))
            else:
                loss = self._step(images, masks)
            losses.append(float(loss))
            if step % _AVERAGED_EVERY == 0:
                self._average(step)
        if not np.isfinite(losses).all():
            raise TerminalError(f"the loss of epoch {number} is no number", "lower the learning rate")
        epoch = Epoch(number, float(np.mean(losses)), self._validated(validation))
        earlier = [each.validation_dice for each in self.epochs if each.validation_dice is not None]
        if config.keep == "last" or epoch.validation_dice is None or epoch.validation_dice > max(earlier, default=-1.0):
            self.best = self.averaged
        self.epochs.append(epoch)
        return epoch

    def _average(self, step: int) -> None:
        """Move the averaged weights towards the present ones: they generalise better (Izmailov et al. 2018)."""
        taken = step // _AVERAGED_EVERY
        kept = min(0.98, taken / (taken + 20.0))
        self.averaged = [
            kept * old + (1.0 - kept) * new for old, new in zip(self.averaged, self.network.get_weights(), strict=True)
        ]

    def _validated(self, validation: Sequence[Case]) -> float | None:
        """Mean Dice of the averaged weights."""
        if not validation:
            return None
        present = self.network.get_weights()
        self.network.set_weights(self.averaged)
        scores = [dice(predict(self.segmenter, self.config.network, case) > 0.5, case.mask) for case in validation]
        self.network.set_weights(present)
        return float(np.mean(scores))

    def finish_risk(self, cases: Sequence[Case]) -> None:
        """Fit the risk head of the best weights."""
        self.network.set_weights(self.best)
        fit_risk(self.network, self.config.network, cases)
        self.best = self.network.get_weights()

    def store(self, folder: Path) -> None:
        """Write the checkpoint, whole or not at all."""
        arrays = {f"{key}/{number}": each for key, number, each in self._arrays()}
        arrays["epochs"] = np.frombuffer(as_json([asdict(each) for each in self.epochs]), dtype=np.uint8)
        write_whole(folder / CHECKPOINT, packed(arrays))
        # after the checkpoint: without one beside it, a history is that of a training that has ended
        write_whole(folder / HISTORY, as_json([asdict(each) for each in self.epochs]))

    def restore(self, path: Path) -> None:
        """Go back to where `store` was called."""
        arrays = unpacked(path)
        try:
            self.epochs = [Epoch(**each) for each in json.loads(arrays["epochs"].tobytes())]
            here = {f"{key}/{number}": each for key, number, each in self._arrays()}
            if any(arrays[key].shape != each.shape for key, each in here.items()):
                raise ValueError("arrays of another network")
            self.network.set_weights([arrays[key] for key in here if key.startswith("network/")])
            self.best = [arrays[key] for key in here if key.startswith("best/")]
            self.averaged = [arrays[key] for key in here if key.startswith("averaged/")]
            for number, variable in enumerate(self.optimizer.variables):
                variable.assign(arrays[f"optimizer/{number}"])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                str(path), "", f"is no checkpoint of this training: {error}", "delete it to begin anew"
            ) from error

    def _arrays(self) -> list[tuple[str, int, Any]]:
        groups = {
            "network": self.network.get_weights(),
            "best": self.best,
            "averaged": self.averaged,
            "optimizer": [np.asarray(each) for each in self.optimizer.variables],
        }
        return [(key, number, each) for key, arrays in groups.items() for number, each in enumerate(arrays)]

    def _reseed(self, random: np.random.Generator) -> None:
        for layer in self.network.layers:
            if type(layer).__name__ == "Dropout":
                # Keras has no public way to the generator it makes for rng_type="stateful"
                layer._random_generator._generator.reset_from_seed(int(random.integers(2**31)))


def _rate(step: int, steps: int) -> float:
    """Share of the learning rate at a step: up over the first, then down as a cosine (Loshchilov and Hutter 2017)."""
    return float(min(1.0, (step + 1) / _WARM_UP) * 0.5 * (1.0 + np.cos(np.pi * step / steps)) + 1e-4)


def _ahead(
    pool: SlicePool | VolumePool, random: np.random.Generator, config: TrainingConfig, steps: int
) -> Iterator[tuple[Floats, Floats]]:
    """Batches in order, each drawn while the network learns from the one before."""
    with ThreadPoolExecutor(1) as executor:
        drawn = executor.submit(pool.batch, random, config.batch, config.lesion_share)
        for step in range(steps):
            ready = drawn.result()
            if step + 1 < steps:
                drawn = executor.submit(pool.batch, random, config.batch, config.lesion_share)
            yield ready
