"""Finished trainings as one: members of an ensemble share their test patients, folds of a cross-validation do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imaging.networks.config import NetworkConfig
from imaging.networks.files import load
from imaging.segmentation.outline import Outline, load_outline, of_all
from imaging.segmentation.record import CHECKPOINT, RUN, read_run
from meddojo.errors import InputError


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Runs whose predictions are averaged.

    Attributes
    ----------
    test
        Patients none of them has seen.
    data
        Digest of the data all were trained on.
    seen
        Digests of all images that one of them has seen.
    outline
        What is taken from their mean.
    """

    folders: tuple[Path, ...]
    test: frozenset[str]
    data: str
    seen: frozenset[str]
    outline: Outline


def run_folders(path: Path) -> Iterator[Path]:
    """The folder itself if it is a run, or those of the runs in it, by name.

    Raises
    ------
    InputError
        If there is none.
    """
    if (path / RUN).exists():
        yield path
        return
    found = sorted(each.parent for each in path.glob(f"*/{RUN}"))
    if not found:
        raise InputError(str(path), "", "holds no training", "make one: meddojo imaging train")
    yield from found


def ensembles(paths: Sequence[Path]) -> list[Ensemble]:
    """Finished runs by their test patients.

    Raises
    ------
    InputError
        If there is none, one has not ended, or they were trained on different data.
    """
    groups: dict[frozenset[str], list[Path]] = {}
    data: dict[Path, str] = {}
    seen: dict[Path, tuple[str, ...]] = {}
    for path in paths:
        for folder in run_folders(path):
            if (folder / CHECKPOINT).exists():
                raise InputError(str(folder), "", "is of a training that has not ended", "go on: meddojo imaging train")
            run = read_run(folder)
            groups.setdefault(frozenset(run.division.test), []).append(folder)
            data[folder], seen[folder] = run.data, run.seen
    if len(set(data.values())) > 1:
        raise InputError(str(next(iter(data))), "", "was trained on other data than the other runs")
    return [
        Ensemble(
            tuple(folders),
            test,
            data[folders[0]],
            frozenset(image for folder in folders for image in seen[folder]),
            of_all([load_outline(folder) for folder in folders]),
        )
        for test, folders in groups.items()
    ]


def load_members(group: Ensemble) -> list[tuple[NetworkConfig, Any]]:
    """Configuration and network of each member."""
    return [load(folder) for folder in group.folders]
