"""Outlines of cases on disk: an array file each, and what they say in numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imaging.data.cases import Booleans, Floats, read_cases
from imaging.networks.files import packed, write_whole
from imaging.segmentation.findings import Lesion, lesions
from imaging.segmentation.prediction import predicted_by_all
from imaging.segmentation.runs import ensembles, load_members
from meddojo.errors import InputError

SUMMARY = "predictions.json"


@dataclass(frozen=True, slots=True)
class Predicted:
    """What was found in a case; pieces of the outline, the largest first."""

    case: str
    lesions: tuple[Lesion, ...]

    @property
    def sentence(self) -> str:
        """For a person."""
        if not self.lesions:
            return f"{self.case}: no lesion"
        volume, highest = sum(each.volume_ml for each in self.lesions), max(each.suv_max for each in self.lesions)
        total = sum(each.glycolysis_g for each in self.lesions)
        return (
            f"{self.case}: {len(self.lesions)} of {volume:.1f} ml together, SUV up to {highest:.1f}, "
            f"total lesion glycolysis {total:.0f} g"
        )


def predict_folder(
    folders: Sequence[Path], data: Path, out: Path, advance: Callable[[str], None] = lambda _: None
) -> Iterator[Predicted]:
    """Outline every case of a folder, with all networks given; the summary is written last.

    Each case gets a file ``NAME.npz`` with `mask` (0 and 1) and `probability`, of the axes of the case's own file
    (columns, rows, slices).

    Raises
    ------
    InputError
        If a folder cannot be read, or the output folder holds something already.
    """
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise InputError(str(out), "", "is not empty", "name a new folder with --out")
    groups = ensembles(folders)
    if len(groups) > 1:
        raise InputError(
            str(folders[0]), "", "holds networks of several folds", "name the runs of one, or train with --folds 1"
        )
    members, outline = load_members(groups[0]), groups[0].outline
    told: dict[str, Any] = {}
    for case in read_cases(data):
        probabilities = predicted_by_all(members, case)
        mask = outline(probabilities)
        write_whole(out / f"{case.name}.npz", _arrays(mask, probabilities))
        found = Predicted(case.name, tuple(lesions(case, mask)))
        told[case.name] = [asdict(each) for each in found.lesions]
        advance(case.name)
        yield found
    write_whole(out / SUMMARY, (json.dumps(told, indent=1) + "\n").encode())


def _arrays(mask: Booleans, probabilities: Floats) -> bytes:
    return packed(
        {
            "mask": mask.transpose(2, 1, 0).astype(np.uint8),
            "probability": probabilities.transpose(2, 1, 0).astype(np.float16),
        }
    )
