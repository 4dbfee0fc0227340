"""The folder of a training: what it was, how far it came, what it has seen.

It holds ``run.json`` (configuration, division of the patients, digest of the data, environment), ``history.json``,
``network.json`` with ``weights.npz`` (the epoch that was best on the validation patients), ``outline.json``,
``reference.json`` (what the images were like, for a watch on drift), and, until training has ended, ``checkpoint.npz``.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from imaging.data.cases import Case, Split
from imaging.networks.files import read_whole, write_whole
from imaging.segmentation.settings import TrainingConfig
from meddojo import __version__
from meddojo.errors import InputError

RUN, HISTORY, CHECKPOINT = "run.json", "history.json", "checkpoint.npz"
_MAX_RUN_BYTES = 16 * 2**20


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


def begin(out: Path, config: TrainingConfig, division: Split, cases: Sequence[Case]) -> None:
    """Make the folder of a run, or see that it is of this one."""
    identity = json.loads(json.dumps({"config": asdict(config), "split": asdict(division), "data": digest(cases)}))
    if (out / RUN).exists():
        there = _record(out)
        for key, value in identity.items():
            if there.get(key) != value:
                raise InputError(str(out / RUN), key, "is of another training", "name a new folder with --out")
        return
    seen = [case.digest() for case in of_patients(cases, (*division.train, *division.validation))]
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / RUN, as_json(identity | {"seen": seen, "environment": environment()}))


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


def of_patients(cases: Sequence[Case], patients: Sequence[str]) -> list[Case]:
    """Those of some patients, in their order."""
    wanted = set(patients)
    return [case for case in cases if case.patient in wanted]


def as_json(value: Any) -> bytes:
    """As the files of a training hold it."""
    return (json.dumps(value, indent=1) + "\n").encode()
