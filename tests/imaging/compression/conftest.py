"""One tiny network, trained and compressed once for all tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from imaging.compression.finetuning import FineTuning
from imaging.networks.config import NetworkConfig


@pytest.fixture(scope="session")
def tiny_run(keras: Any, tiny_cases: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished training, with dropout and batch normalisation, of slices with their neighbours."""
    from imaging.segmentation.settings import TrainingConfig
    from imaging.segmentation.training import train

    folder = tmp_path_factory.mktemp("compression") / "run"
    network = NetworkConfig(size=16, channels=2, context=1, filters=4, depth=1, dropout=0.2)
    train(tiny_cases, folder, TrainingConfig(network, epochs=2, steps=4, batch=4, folds=3))
    return folder


@pytest.fixture(scope="session")
def tiny_tuning() -> FineTuning:
    return FineTuning(epochs=2, steps=6, batch=4)


@pytest.fixture(scope="session")
def tiny_compressed(tiny_run: Path, tiny_cases: Path, tiny_tuning: FineTuning) -> Path:
    """A network as it was and pruned, each in float and in eight bits."""
    pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
    from imaging.compression.compress import Plan, compress

    out = tiny_run.parent / "small"
    compress(tiny_run, tiny_cases, out, Plan(sparsity=0.75, fine_tuning=tiny_tuning))
    return out
