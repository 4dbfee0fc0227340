"""The models that are shipped: whole, small, with a card, and they do what they are for."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imaging.data.cases import read_cases
from imaging.inspection.files import check_files
from imaging.models import SARCOMA, SYNTHETIC
from imaging.networks.files import load
from imaging.segmentation.evaluation import evaluate
from imaging.segmentation.metrics import dice
from imaging.segmentation.prediction import predict
from imaging.segmentation.runs import run_folders
from imaging.synthetic.synthesize import synthesize
from meddojo.errors import InputError
from meddojo.imaging_model import ManifestState

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

FOLDERS = [*run_folders(SARCOMA), SYNTHETIC]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_files_are_those_of_the_manifest_and_none_runs_code(folder: Path) -> None:
    check = check_files(folder, [], datetime.now(UTC))
    assert check.manifest is ManifestState.INTACT and not check.unsafe and not check.not_looked_at
    assert check.name and check.version and check.bounds.least_dice is not None


def test_they_are_small() -> None:
    files = [path for folder in (SARCOMA, SYNTHETIC) for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 8_000_000
    assert any(path.suffix == ".tflite" for path in files)


@pytest.mark.parametrize("folder", [SARCOMA, SYNTHETIC], ids=lambda folder: folder.name)
def test_each_has_a_card_with_figures_and_limits(folder: Path) -> None:
    text = (folder / "MODEL_CARD.md").read_text()
    assert "| network |" in text and "best rule of the training" in text and "## Limits" in text


def test_lesions_of_new_synthetic_patients_are_found(keras: Any, tmp_path: Path) -> None:
    synthesize(tmp_path / "cases", 6, 128, 4, 77)
    config, network = load(SYNTHETIC)
    reached = [dice(predict(network, config, case) > 0.5, case.mask) for case in read_cases(tmp_path / "cases")]
    assert np.mean(reached) > 0.5


def test_eight_bits_outline_what_the_floats_do(keras: Any, tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    from imaging.compression.litert import predict_litert

    folder = SARCOMA / "first"
    config, network = load(folder)
    synthesize(tmp_path / "cases", 2, 64, 4, 78)
    (tflite,) = folder.glob("*.tflite")
    for case in read_cases(tmp_path / "cases"):
        difference = predict(network, config, case) - predict_litert(tflite, config, case)
        assert np.abs(difference).mean() < 0.02


def test_the_patients_it_learned_from_are_no_test(keras: Any, shared_data: Path) -> None:
    with pytest.raises(InputError, match="trained on"):
        evaluate([SARCOMA], shared_data / "sts_petct")
