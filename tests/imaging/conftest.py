"""What the tests of networks share; without TensorFlow they skip."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from imaging.synthetic.synthesize import synthesize


@pytest.fixture(scope="session")
def keras(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The Keras of the imaging room, which keeps its settings out of the home folder."""
    os.environ.setdefault("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
    pytest.importorskip("tf_keras", reason="the imaging extra is not installed")
    from imaging.keras import keras

    return keras


@pytest.fixture(scope="session")
def tiny_cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of eight synthetic cases of two slices of 32 x 32."""
    folder = tmp_path_factory.mktemp("imaging") / "cases"
    synthesize(folder, 8, 32, 2, 3)
    return folder
