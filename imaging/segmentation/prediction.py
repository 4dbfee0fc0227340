"""A network on whole cases, slice by slice."""

from __future__ import annotations

from typing import Any

import numpy as np

from imaging.data.cases import Case, Floats
from imaging.data.preprocess import padded, slices_of
from imaging.networks.config import NetworkConfig

_AT_ONCE = 16
"""Slices a network reads in one go."""


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
    images = padded(slices_of(case, config.channels), config.multiple)
    parts = [
        np.asarray(network(images[start : start + _AT_ONCE], training=False))[..., 0]
        for start in range(0, len(images), _AT_ONCE)
    ]
    rows, columns = case.mask.shape[1:]
    return np.concatenate(parts)[:, :rows, :columns]
