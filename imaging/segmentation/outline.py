"""From probabilities to an outline: what is likelier than not, without pieces that are small beside the largest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import numpy as np

from imaging.data.cases import Booleans, Floats
from imaging.networks.files import read_whole, write_whole
from imaging.segmentation.metrics import dice
from meddojo.errors import InputError

FILE = "outline.json"
_SHARES = (0.0, 0.05, 0.2, 0.5, 1.0)
_WORTH = 0.005
"""Mean Dice that dropping pieces has to win, to be done at all."""


@dataclass(frozen=True, slots=True)
class Outline:
    """How an outline is taken from probabilities.

    Attributes
    ----------
    kept_share
        Pieces of fewer voxels than this share of the largest are dropped; 1 keeps the largest alone.
    """

    kept_share: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.kept_share, int | float) or not 0.0 <= self.kept_share <= 1.0:
            raise ValueError(f"kept_share is {self.kept_share!r}, no share from 0 to 1")

    def __call__(self, probabilities: Floats) -> Booleans:
        """The outline of a case, of the shape of its probabilities."""
        from scipy.ndimage import label

        inside = np.asarray(probabilities > 0.5)
        if not self.kept_share:
            return inside
        pieces, number = label(inside)
        if number < 2:
            return inside
        sizes = np.bincount(pieces.ravel())
        sizes[0] = 0
        return np.asarray((sizes >= self.kept_share * sizes.max())[pieces] & inside)


def chosen(cases: Iterable[tuple[Floats, Booleans]]) -> Outline:
    """The outline with the best mean Dice over cases that the network did not learn from; that of all in doubt.

    Parameters
    ----------
    cases
        Probabilities and truth of each.
    """
    outlines = [Outline(share) for share in _SHARES]
    scores = [[dice(outline(found), truth) for outline in outlines] for found, truth in cases]
    if not scores:
        return outlines[0]
    means = np.mean(scores, axis=0)
    best = int(means.argmax())
    return outlines[best] if means[best] >= means[0] + _WORTH else outlines[0]


def of_all(outlines: Sequence[Outline]) -> Outline:
    """The outline of an ensemble: the median of its members'."""
    return Outline(float(median(each.kept_share for each in outlines)))


def save_outline(folder: Path, outline: Outline) -> None:
    """Write it beside the weights."""
    write_whole(folder / FILE, (json.dumps(asdict(outline)) + "\n").encode())


def load_outline(folder: Path) -> Outline:
    """Read what `save_outline` wrote; without a file everything likelier than not is the outline.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    path = folder / FILE
    if not path.exists():
        return Outline()
    try:
        return Outline(**json.loads(read_whole(path, 2**16)))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(str(path), "", f"says no outline: {error}") from error
