"""Networks on whole cases, slice by slice."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from imaging.data.cases import Booleans, Case, Floats
from imaging.data.preprocess import padded, slices_of, with_context
from imaging.networks.config import NetworkConfig

Segmenter = Callable[[Any], Any]
"""From images (batch, rows, columns, planes) to probabilities (batch, rows, columns, classes)."""

_AT_ONCE = 16
"""Slices a network reads in one go."""
MIRRORS: tuple[tuple[int, ...], ...] = ((), (1,), (2,), (1, 2))
"""Axes along which a case is mirrored before it is shown again."""


def predict(network: Any, config: NetworkConfig, case: Case) -> Floats:
    """Probability of a lesion at each voxel.

    Parameters
    ----------
    network
        Built for images of any size, of one class.

    Returns
    -------
    numpy.ndarray
        From 0 to 1, of the shape (slices, rows, columns).
    """
    return applied(lambda images: network(images, training=False), read_by(config, case), case)


def read_by(config: NetworkConfig, case: Case) -> Floats:
    """What the network of a configuration reads of a case: shape (slices, rows, columns, planes), padded."""
    return padded(with_context(slices_of(case, config.channels), config.context), config.multiple)


def applied(segment: Segmenter, images: Floats, case: Case) -> Floats:
    """Probabilities of a case, of the shape (slices, rows, columns), from images that `read_by` made of it."""
    parts = [np.asarray(segment(images[start : start + _AT_ONCE]))[..., 0] for start in range(0, len(images), _AT_ONCE)]
    rows, columns = case.mask.shape[1:]
    return np.concatenate(parts)[:, :rows, :columns]


def predicted_by_all(members: Sequence[tuple[NetworkConfig, Any]], case: Case, mirrored: bool = True) -> Floats:
    """Mean probability of an ensemble, each member shown the case as it is and, if so wished, mirrored."""
    return np.asarray(np.mean(list(predictions(members, case, mirrored)), axis=0), dtype=np.float32)


def predictions(members: Sequence[tuple[NetworkConfig, Any]], case: Case, mirrored: bool = True) -> Iterator[Floats]:
    """Probabilities by each member and, if so wished, each mirroring, one after another."""
    for (config, network), axes in itertools.product(members, MIRRORS if mirrored else MIRRORS[:1]):
        yield np.flip(predict(network, config, mirror(case, axes)), axes)


def mirror(case: Case, axes: tuple[int, ...]) -> Case:
    """The case mirrored along axes of (slices, rows, columns)."""
    if not axes:
        return case
    ct = None if case.ct is None else np.flip(case.ct, axes)
    return Case(case.name, case.patient, np.flip(case.pet, axes), ct, np.flip(case.mask, axes), case.spacing_mm)


def outlined(probabilities: Floats, smallest_voxels: float = 0.0) -> Booleans:
    """Where a lesion is likelier than not, without pieces that are smaller."""
    from imaging.segmentation.rules import without_small

    return without_small(probabilities > 0.5, smallest_voxels)
