"""The risk of whole cases, as a multi-task network tells it: one log-hazard a case, of all its slices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from imaging.data.cases import Case, Floats
from imaging.networks.config import NetworkConfig
from imaging.networks.multitask import RISK, of_slices
from imaging.segmentation.prediction import as_seen, read_by

_AT_ONCE = 16
"""Slices a network reads in one go."""

Outcomes = npt.NDArray[np.float32]


def log_hazards(network: Any, config: NetworkConfig, cases: Sequence[Case]) -> Floats:
    """Log-hazards of cases, relative to each other.

    Parameters
    ----------
    network
        Of ``imaging.networks.multitask``, built for images of any size.

    Returns
    -------
    numpy.ndarray
        Shape (cases,).
    """
    return np.asarray(network.get_layer(RISK)(evidence(network, config, cases), training=False))[:, 0]


def evidence(network: Any, config: NetworkConfig, cases: Sequence[Case]) -> Floats:
    """What the risk head reads of each case, shape (cases, facts): sums over voxels, times their volume in ml."""
    return evidence_by(of_slices(network), config, cases)


def evidence_by(reader: Any, config: NetworkConfig, cases: Sequence[Case]) -> Floats:
    """`evidence` by what ``imaging.networks.multitask.of_slices`` made, or by something called as that is."""
    rows = []
    for case in cases:
        seen = as_seen(config, case)
        images = read_by(config, seen)
        parts = [
            np.asarray(reader(images[start : start + _AT_ONCE], training=False)[1]).sum(axis=0)
            for start in range(0, len(images), _AT_ONCE)
        ]
        rows.append(np.sum(parts, axis=0) * seen.voxel_ml)
    return np.stack(rows).astype(np.float32)


def outcomes(cases: Sequence[Case]) -> Outcomes:
    """Months and event (1 seen, 0 censored) of each case, shape (cases, 2).

    Raises
    ------
    ValueError
        If a case has none.
    """
    for case in cases:
        if case.months is None or case.event is None:
            raise ValueError(f"{case.name} has no months and event")
    return np.array([(case.months, case.event) for case in cases], dtype=np.float32)
