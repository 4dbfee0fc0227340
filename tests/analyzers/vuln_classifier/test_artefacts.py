"""Models on disk: the same after loading, refused when touched, and the shipped ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from analyzers.vuln_classifier.artefacts import LARGEST, load, save, shipped, shipped_folder
from analyzers.vuln_classifier.classifier import Classifier
from analyzers.vuln_classifier.labels import Example
from analyzers.vuln_classifier.record import Scorer
from meddojo.errors import InputError
from meddojo.model_files import MANIFEST, manifest


@pytest.fixture
def folder(small: Classifier, tmp_path: Path) -> Path:
    save(small, tmp_path, {"seed": 1})
    return tmp_path


def test_a_loaded_model_predicts_what_the_saved_one_did(small: Classifier, folder: Path, world: list[Example]) -> None:
    records = [example.record for example in world[:40]]
    scorers = [Scorer.ASSIGNER] * 40
    loaded = load(folder)
    first, again = (each.predict_cvss(records, scorers) for each in (small, loaded))
    assert again.chosen.tolist() == first.chosen.tolist()
    assert again.bands == pytest.approx(first.bands, abs=0.01)
    before, after = small.predict_points(records), loaded.predict_points(records)
    assert set(before) == set(after) and all(np.allclose(before[name], after[name], atol=0.02) for name in before)


def test_saving_twice_writes_the_same_bytes(small: Classifier, folder: Path, tmp_path: Path) -> None:
    save(small, tmp_path / "again", {"seed": 1})
    assert (tmp_path / "again" / MANIFEST).read_bytes() == (folder / MANIFEST).read_bytes()


@pytest.mark.parametrize("name", ["band.ubj", "linear.npz", "terms.tsv", "settings.json"])
def test_a_changed_file_is_not_loaded(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(InputError, match=name):
        load(folder)


def test_a_missing_file_and_a_manifest_that_points_elsewhere_are_errors(folder: Path) -> None:
    (folder / "AV.ubj").unlink()
    with pytest.raises(InputError, match="AV"):
        load(folder)
    about = json.loads((folder / MANIFEST).read_text())
    about["files"] = {"../secret": "0"}
    (folder / MANIFEST).write_text(json.dumps(about))
    with pytest.raises(InputError, match="elsewhere"):
        load(folder)


def test_a_manifest_that_is_none_is_an_error(tmp_path: Path) -> None:
    for content in ("", "[]", '{"files": 3}'):
        (tmp_path / MANIFEST).write_text(content)
        with pytest.raises(InputError, match="manifest"):
            manifest(tmp_path)


def test_the_shipped_model_loads_and_is_small_enough() -> None:
    assert shipped() is not None
    inside = list(shipped_folder().iterdir())
    files = [file for each in inside for file in (each.iterdir() if each.is_dir() else (each,))]
    assert {name.rpartition(".")[2] for name in (file.name for file in files)} <= {"ubj", "npz", "tsv", "json", "md"}
    assert sum(len(file.read_bytes()) for file in files) < LARGEST
