"""Networks on whole cases, slice by slice."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from imaging.data.cases import Case, Floats
from imaging.data.preprocess import padded, slices_of, with_context
from imaging.data.resample import brought_back, respaced
from imaging.networks.config import NetworkConfig

Segmenter = Callable[[Any], Any]
"""From images (batch, ..., planes), slices or one volume, to probabilities (batch, ..., classes)."""

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
    return applied(lambda images: network(images, training=False), config, case)


def applied(segment: Segmenter, config: NetworkConfig, case: Case) -> Floats:
    """`predict` by any function that takes what the network of a configuration reads."""
    seen = as_seen(config, case)
    images = read_by(config, seen)
    if config.volumetric:
        found = np.asarray(segment(images[None]))[0, ..., 0]
    else:
        starts = range(0, len(images), _AT_ONCE)
        found = np.concatenate([np.asarray(segment(images[start : start + _AT_ONCE]))[..., 0] for start in starts])
    slices, rows, columns = seen.mask.shape
    found = found[:slices, :rows, :columns]
    return brought_back(found, seen.spacing_mm, case) if config.spacing_mm else found


def as_seen(config: NetworkConfig, case: Case) -> Case:
    """The case at the spacing of a network."""
    return respaced(case, (config.spacing_mm,) * 3, mask="linear") if config.spacing_mm else case


def read_by(config: NetworkConfig, seen: Case) -> Floats:
    """What a network reads of a case `as_seen`, padded with zeros.

    Returns
    -------
    numpy.ndarray
        Shape (slices, rows, columns, planes): a batch of slices, or one volume.
    """
    if config.volumetric:
        images = padded(slices_of(seen, config.channels), config.multiple)
        return np.pad(images, ((0, -len(images) % config.multiple), *[(0, 0)] * 3))
    return padded(with_context(slices_of(seen, config.channels), config.context), config.multiple)


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
