"""Two tiny networks trained on the same patients, and one of another fold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imaging.data.cases import Case, read_cases
from imaging.networks.config import NetworkConfig
from imaging.networks.files import load, save
from imaging.segmentation.prediction import predict
from imaging.segmentation.settings import TrainingConfig
from imaging.segmentation.training import train
from imaging.uncertainty.calibration import logits

TINY = TrainingConfig(
    NetworkConfig(size=16, filters=2, depth=2, dropout=0.3), epochs=2, patience=9, batch=2, steps=3, folds=3
)


@pytest.fixture(scope="session")
def trained(keras: Any, tiny_cases: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs ``first`` and ``second``, an ensemble whose members set others aside, and ``other``, of another fold."""
    folder = tmp_path_factory.mktemp("uncertainty")
    for name, config in (
        ("first", TINY),
        ("second", replace(TINY, member=1, seed=2)),
        ("other", replace(TINY, fold=1)),
    ):
        train(tiny_cases, folder / name, config)
        _lower(folder / name, next(iter(read_cases(tiny_cases))))
    return folder


def _lower(folder: Path, case: Case) -> None:
    """Move the last bias so that most of a case is segmented: two epochs teach a network to find nothing."""
    config, network = load(folder)
    last = network.get_layer("probability")
    kernel, bias = last.get_weights()
    border = np.quantile(logits(predict(network, config, case)), 0.3)
    last.set_weights([kernel, bias - border.astype(np.float32)])
    save(folder, config, network.get_weights())
