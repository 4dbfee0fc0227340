"""Two tiny networks trained on the same patients, and one of another fold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imaging.networks.config import NetworkConfig
from imaging.segmentation.settings import TrainingConfig
from imaging.segmentation.training import train

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
    return folder
