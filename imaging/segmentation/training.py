"""Training of a segmentation network; everything about a run lies in one folder, from which it can go on after a kill.

The folder holds ``run.json`` (configuration, division of the patients, digest of the data, environment),
``history.json``, ``network.json`` with ``weights.npz`` (the epoch that was best on the validation patients), and, until
training has ended, ``checkpoint.npz``. What is drawn in an epoch depends on the seed and the number of the epoch alone;
with the optimizer's state in the checkpoint, a run that was killed ends as one that was not.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from imaging.data.cases import Case, Floats, Split, check_leakage, read_cases, split
from imaging.data.preprocess import Pool
from imaging.data.volumes import VolumePool
from imaging.networks import build
from imaging.networks.config import NetworkConfig
from imaging.networks.files import load, packed, read_whole, save, unpacked, write_whole
from imaging.networks.multitask import MULTITASK, without_risk
from imaging.segmentation.losses import LOSSES
from imaging.segmentation.metrics import dice
from imaging.segmentation.outline import Outline, chosen, save_outline
from imaging.segmentation.prediction import as_seen, predict
from imaging.survival.training import Cohort, fit_risk, joint_step, outcomes_told
from meddojo import __version__
from meddojo.errors import InputError, TerminalError

_AVERAGED_EVERY, _WARM_UP = 10, 50
"""Steps."""
RUN, HISTORY, CHECKPOINT = "run.json", "history.json", "checkpoint.npz"
_MAX_RUN_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How a network is trained.

    Attributes
    ----------
    loss
        A name of `imaging.segmentation.losses.LOSSES`.
    patience
        Epochs without a better Dice of the validation patients before training stops.
    validation_share
        Of the patients that are not the test; 0 to train on all of them, and to keep the last epoch.
    batch
        Windows of one step.
    steps
        Steps of one epoch; 0 for as many as there are slices to fill them.
    learning_rate
        Of Adam at its highest: it grows over the first steps, and falls as a cosine to nothing over all epochs.
    lesion_share
        Share of windows drawn about a lesion; the others are drawn anywhere.
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
    validation_share: float = 0.15
    batch: int = 16
    steps: int = 0
    learning_rate: float = 2e-3
    lesion_share: float = 0.5
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
        if self.network.classes != 1:
            raise ValueError(f"classes is {self.network.classes}; masks of lesions are one class")


@dataclass(frozen=True, slots=True)
class Epoch:
    """What an epoch came to: mean loss of its steps, mean Dice of the validation patients, None without any."""

    number: int
    loss: float
    validation_dice: float | None

    @property
    def sentence(self) -> str:
        """For a person who watches."""
        found = f"epoch {self.number}, loss {self.loss:.4f}"
        return found if self.validation_dice is None else f"{found}, validation Dice {self.validation_dice:.3f}"


@dataclass(frozen=True, slots=True)
class Run:
    """A finished or unfinished training, as its folder tells it.

    Attributes
    ----------
    data
        Digest of all cases.
    seen
        Digests of the images of training and validation patients.
    """

    config: Mapping[str, Any]
    division: Split
    data: str
    seen: tuple[str, ...]


def train(
    data: Path, out: Path, config: TrainingConfig, report: Callable[[Epoch], None] = lambda _: None
) -> tuple[Epoch, ...]:
    """Train into a folder, or go on with the training begun there.

    Parameters
    ----------
    report
        Called after each epoch, when its checkpoint is written.

    Returns
    -------
    tuple of Epoch
        Of the whole training, those before it was taken up again too.

    Raises
    ------
    InputError
        If the data cannot be read, have a patient in two parts, or the folder holds a run of something else.
    TerminalError
        If the loss ceases to be a number.
    """
    cases = list(read_cases(data))
    division = divided(cases, config)
    check_leakage(cases, division)
    tells_risk = config.network.architecture == MULTITASK
    with outcomes_told(data):
        cohort = Cohort.of(_of(cases, division.train), config.network) if tells_risk else None
    _begin(out, config, division, cases)
    state = _State(config, cohort)
    if (out / CHECKPOINT).exists():
        state.restore(out / CHECKPOINT)
    elif (out / HISTORY).exists():
        return history(out)
    pool = pool_of(_of(cases, division.train), config.network)
    validation = _of(cases, division.validation)
    while not state.ended:
        epoch = state.advance(pool, validation)
        state.store(out)
        report(epoch)
    if tells_risk:
        state.finish_risk(_of(cases, (*division.train, *division.validation)))
    save(out, config.network, state.best)
    save_outline(out, fitted_outline(out, validation))
    (out / CHECKPOINT).unlink(missing_ok=True)
    return tuple(state.epochs)


def fitted_outline(folder: Path, validation: Sequence[Case]) -> Outline:
    """The outline that suits the validation patients of a trained network best."""
    config, network = load(folder)
    return chosen((predict(network, config, case), case.mask) for case in validation)


def divided(cases: Sequence[Case], config: TrainingConfig) -> Split:
    """Which patients a training learns from, stops by, and never sees."""
    patients = [case.patient for case in cases]
    return split(patients, config.folds, config.fold, config.division, config.validation_share, config.member)


def pool_of(cases: Sequence[Case], network: NetworkConfig) -> Pool | VolumePool:
    """Where the windows of a network are drawn from."""
    seen = [as_seen(network, case) for case in cases]
    if network.volumetric:
        return VolumePool.of(seen, network.channels, (network.slices, network.size, network.size))
    return Pool.of(seen, network.channels, network.size, network.context)


def history(folder: Path) -> tuple[Epoch, ...]:
    """Epochs of a training so far.

    Raises
    ------
    InputError
        If it has not ended one, or the file is damaged.
    """
    path = folder / HISTORY
    try:
        return tuple(Epoch(**each) for each in json.loads(read_whole(path, _MAX_RUN_BYTES)))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(str(path), "", f"is no history of a training: {error}") from error


def read_run(folder: Path) -> Run:
    """What a training was, from its folder.

    Raises
    ------
    InputError
        If there is none, or its file is damaged.
    """
    found = _record(folder)
    try:
        parts = {part: tuple(map(str, found["split"][part])) for part in ("train", "validation", "test")}
        return Run(dict(found["config"]), Split(**parts), str(found["data"]), tuple(map(str, found["seen"])))
    except (TypeError, KeyError, ValueError) as error:
        raise InputError(str(folder / RUN), "", f"is no record of a training: {error!r}") from error


def digest(cases: Sequence[Case]) -> str:
    """SHA-256 over names, images and masks."""
    found = hashlib.sha256()
    for case in cases:
        found.update(f"{case.name}\0{case.patient}\0{case.digest()}".encode() + np.packbits(case.mask).tobytes())
        if case.ct is not None:
            found.update(case.ct.tobytes())
    return found.hexdigest()


class _State:
    """All that changes during training: weights, the optimizer, the best weights, the epochs so far."""

    def __init__(self, config: TrainingConfig, cohort: Cohort | None) -> None:
        from imaging.keras import keras, tensorflow

        keras.utils.set_random_seed(config.seed)
        self.config, self.cohort = config, cohort
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

    def advance(self, pool: Pool | VolumePool, validation: Sequence[Case]) -> Epoch:
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
        if epoch.validation_dice is None or epoch.validation_dice > max(earlier, default=-1.0):
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
        arrays["epochs"] = np.frombuffer(_json([asdict(each) for each in self.epochs]), dtype=np.uint8)
        write_whole(folder / CHECKPOINT, packed(arrays))
        # after the checkpoint: without one beside it, a history is that of a training that has ended
        write_whole(folder / HISTORY, _json([asdict(each) for each in self.epochs]))

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
    pool: Pool | VolumePool, random: np.random.Generator, config: TrainingConfig, steps: int
) -> Iterator[tuple[Floats, Floats]]:
    """Batches in order, each drawn while the network learns from the one before."""
    with ThreadPoolExecutor(1) as executor:
        drawn = executor.submit(pool.batch, random, config.batch, config.lesion_share)
        for step in range(steps):
            ready = drawn.result()
            if step + 1 < steps:
                drawn = executor.submit(pool.batch, random, config.batch, config.lesion_share)
            yield ready


def _begin(out: Path, config: TrainingConfig, division: Split, cases: Sequence[Case]) -> None:
    """Make the folder of a run, or see that it is of this one."""
    identity = json.loads(json.dumps({"config": asdict(config), "split": asdict(division), "data": digest(cases)}))
    if (out / RUN).exists():
        there = _record(out)
        for key, value in identity.items():
            if there.get(key) != value:
                raise InputError(str(out / RUN), key, "is of another training", "name a new folder with --out")
        return
    seen = [case.digest() for case in _of(cases, (*division.train, *division.validation))]
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / RUN, _json(identity | {"seen": seen, "environment": environment()}))


def environment() -> dict[str, Any]:
    """What the figures of a run may depend on; nothing that tells whose machine it was."""
    return {
        "python": platform.python_version(),
        "system": f"{sys.platform} {platform.machine()}",
        "processors": os.cpu_count(),
        "meddojo": __version__,
        **{name: version(name) for name in ("numpy", "tensorflow", "tf-keras")},
    }


def _record(folder: Path) -> dict[str, Any]:
    path = folder / RUN
    try:
        found = json.loads(read_whole(path, _MAX_RUN_BYTES))
    except (ValueError, RecursionError) as error:
        raise InputError(str(path), "", f"is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise InputError(str(path), "", "is no record of a training")
    return found


def _of(cases: Sequence[Case], patients: Sequence[str]) -> list[Case]:
    wanted = set(patients)
    return [case for case in cases if case.patient in wanted]


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1) + "\n").encode()
