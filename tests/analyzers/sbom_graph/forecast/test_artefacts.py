"""Models on disk: the same after loading, refused when touched, and the shipped one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from analyzers.sbom_graph.forecast.artefacts import (
    LARGEST,
    MANIFEST,
    Forecaster,
    load,
    save,
    shipped,
    shipped_folder,
)
from analyzers.sbom_graph.forecast.features import PLAIN
from analyzers.sbom_graph.forecast.models import Mean, Model, Network, Scale, fit_linear, fit_trees
from analyzers.sbom_graph.forecast.sage import Sage
from analyzers.sbom_graph.forecast.snapshot import Snapshot
from meddojo.errors import InputError


def _network(year: Snapshot, seed: int) -> Network:
    random = np.random.default_rng(seed)
    shapes = [(15, 4)] * 3 + [(4,)] + [(4, 3)] * 3 + [(3,), (3, 1), (1,)]
    arrays = [random.normal(size=shape).astype(np.float32) for shape in shapes]
    return Network(Scale.fit(PLAIN, year.inputs), Sage.of(arrays))


def _linear(year: Snapshot) -> Model:
    pytest.importorskip("sklearn")
    return fit_linear(PLAIN, year.inputs, year.labels, 1.0)


def _trees(year: Snapshot) -> Model:
    return fit_trees(PLAIN, year.inputs, year.labels, {"rounds": 5, "max_depth": 2}, 1)


@pytest.mark.parametrize(
    "make",
    [
        _linear,
        _trees,
        lambda year: _network(year, 1),
        lambda year: Mean((_network(year, 1), _network(year, 2))),
        lambda year: Mean((_trees(year), _trees(year))),
    ],
)
def test_a_loaded_model_forecasts_what_the_saved_one_did(make: object, year: Snapshot, tmp_path: Path) -> None:
    forecaster = Forecaster(make(year), 0.8, -1.0)  # type: ignore[operator]
    size = save(forecaster, tmp_path, {"data": "invented"})
    assert size == sum(len(file.read_bytes()) for file in tmp_path.iterdir())
    again = load(tmp_path).probabilities(year.graph, year.inputs)
    assert again == pytest.approx(forecaster.probabilities(year.graph, year.inputs), abs=1e-6)
    assert json.loads((tmp_path / MANIFEST).read_text())["data"] == "invented"


@pytest.fixture
def folder(year: Snapshot, tmp_path: Path) -> Path:
    save(Forecaster(_trees(year), 1.0, 0.0), tmp_path, {})
    return tmp_path


def test_a_changed_or_missing_file_is_not_loaded(folder: Path) -> None:
    name = "weights.npz"
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(InputError, match=name):
        load(folder)
    (folder / name).unlink()
    with pytest.raises(InputError, match=name):
        load(folder)


def test_a_manifest_that_points_elsewhere_or_reads_other_features_is_an_error(folder: Path) -> None:
    about = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**about, "files": {**about["files"], "../secret": "0"}}))
    with pytest.raises(InputError, match="elsewhere"):
        load(folder)
    (folder / MANIFEST).write_text(json.dumps({**about, "features": ["luck"]}))
    with pytest.raises(InputError, match="other features"):
        load(folder)
    (folder / MANIFEST).write_text("[]")
    with pytest.raises(InputError, match="lists no files"):
        load(folder)


def test_the_shipped_model_is_whole_small_and_has_a_card(tmp_path: Path) -> None:
    names = [file.name for file in shipped_folder().iterdir()]
    for name in names:
        (tmp_path / name).write_bytes(shipped_folder().joinpath(name).read_bytes())
    assert sum(len((tmp_path / name).read_bytes()) for name in names) < LARGEST
    assert set(names) == {"MODEL_CARD.md", MANIFEST, *json.loads((tmp_path / MANIFEST).read_text())["files"]}
    assert load(tmp_path).slope == shipped().slope > 0
    shutil.rmtree(tmp_path)
