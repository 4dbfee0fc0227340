"""Training of a segmentation network into one folder, from which it can go on after a kill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from imaging.data.cases import Case, Split, check_leakage, read_cases, split
from imaging.data.changes import CHANGES, STRONG, Changes
from imaging.data.slices import SlicePool
from imaging.data.volumes import VolumePool
from imaging.inspection.drift import describe, write_reference
from imaging.inspection.measure import FEWEST_CASES
from imaging.networks.config import NetworkConfig
from imaging.networks.files import load, save
from imaging.networks.multitask import MULTITASK
from imaging.segmentation.learning import Learning
from imaging.segmentation.outline import Outline, chosen, save_outline
from imaging.segmentation.prediction import as_seen, predict
from imaging.segmentation.record import CHECKPOINT, HISTORY, Epoch, begin, history, of_patients
from imaging.segmentation.settings import TrainingConfig
from imaging.survival.training import Cohort, outcomes_told


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
        cohort = Cohort.of(of_patients(cases, division.train), config.network) if tells_risk else None
    begin(out, config, division, cases)
    learning = Learning(config, cohort)
    if (out / CHECKPOINT).exists():
        learning.restore(out / CHECKPOINT)
    elif (out / HISTORY).exists():
        return history(out)
    pool = pool_of(of_patients(cases, division.train), config.network, CHANGES[config.changes])
    validation = of_patients(cases, division.validation)
    while not learning.ended:
        epoch = learning.advance(pool, validation)
        learning.store(out)
        report(epoch)
    if tells_risk:
        learning.finish_risk(of_patients(cases, (*division.train, *division.validation)))
    save(out, config.network, learning.best)
    kept_share = config.kept_share
    save_outline(out, fitted_outline(out, validation) if kept_share is None else Outline(kept_share))
    seen = of_patients(cases, (*division.train, *division.validation))
    if len(seen) >= FEWEST_CASES:
        write_reference(out, describe(seen))
    (out / CHECKPOINT).unlink(missing_ok=True)
    return tuple(learning.epochs)


def fitted_outline(folder: Path, validation: Sequence[Case]) -> Outline:
    """The outline that suits the validation patients of a trained network best."""
    config, network = load(folder)
    return chosen((predict(network, config, case), case.mask) for case in validation)


def divided(cases: Sequence[Case], config: TrainingConfig) -> Split:
    """Which patients a training learns from, stops by, and never sees."""
    patients = [case.patient for case in cases]
    return split(patients, config.folds, config.fold, config.division, config.validation_share, config.member)


def pool_of(cases: Sequence[Case], network: NetworkConfig, changes: Changes) -> SlicePool | VolumePool:
    """Where the windows of a network are drawn from."""
    if not network.volumetric:
        return slice_pool(cases, network, changes)
    seen = [as_seen(network, case) for case in cases]
    return VolumePool.of(seen, network.channels, (network.slices, network.size, network.size), changes)


def slice_pool(cases: Sequence[Case], network: NetworkConfig, changes: Changes = STRONG) -> SlicePool:
    """Where the windows of a network that reads slices are drawn from."""
    seen = [as_seen(network, case) for case in cases]
    return SlicePool.of(seen, network.channels, network.size, network.context, changes)
