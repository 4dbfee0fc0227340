"""A folder of compressed networks: what it holds, what it tells, and whom it was made with."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imaging.compression import quantization
from imaging.compression.compress import RECORD, Plan, compress, fine_tuning_of, read_compressed
from imaging.compression.finetuning import FineTuning
from imaging.compression.windows import Window
from imaging.data.cases import Case
from imaging.segmentation.record import read_run
from imaging.synthetic.synthesize import synthesize
from meddojo.errors import InputError

pytestmark = [
    pytest.mark.timeout(600),  # the first test of all waits until a network is compressed
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


def test_every_file_is_the_one_the_record_tells(tiny_compressed: Path) -> None:
    made = read_compressed(tiny_compressed)
    names = ["float/weights.npz", "float.tflite", "int8.tflite", "pruned/weights.npz", "pruned.tflite"]
    assert list(made.files) == [*names, "pruned_int8.tflite"]
    for name, told in made.files.items():
        content = (tiny_compressed / name).read_bytes()
        assert told.sha256 == hashlib.sha256(content).hexdigest() and told.size_bytes == len(content)
        assert told.gzip_bytes == len(gzip.compress(content, 9, mtime=0))
        assert (told.zeros / told.weights > 0.5) == name.startswith("pruned")
    assert made.files["int8.tflite"].size_bytes < made.files["float.tflite"].size_bytes
    assert made.files["pruned_int8.tflite"].gzip_bytes < made.files["int8.tflite"].gzip_bytes
    assert made.window == Window(34, 34, 2)  # slices of 32 x 32 and a margin


def test_neither_fine_tuning_nor_calibration_sees_the_test(
    tiny_run: Path, tiny_cases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, set[str]] = {}

    def calibrate(cases: list[Case], *_: object) -> np.ndarray:
        seen["calibration"] = {case.patient for case in cases}
        return np.zeros((1, 32, 32, 6), dtype=np.float32)

    def pool(cases: list[Case], *_: object) -> Any:
        seen["pool"] = {case.patient for case in cases}

    monkeypatch.setattr(quantization, "calibration_windows", calibrate)
    monkeypatch.setattr("imaging.compression.compress.slice_pool", pool)
    compress(tiny_run, tiny_cases, tmp_path / "out", Plan(sparsity=0.0, int8=False))
    division = read_run(tiny_run).division
    assert seen["calibration"] == seen["pool"] == set(division.train)
    assert not seen["pool"] & {*division.test, *division.validation}
    assert set(read_compressed(tmp_path / "out").test) == set(division.test)


def test_another_file_under_the_same_name_is_refused(tiny_compressed: Path, tmp_path: Path) -> None:
    for path in tiny_compressed.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    made = read_compressed(tmp_path)
    assert made.content("int8.tflite") == (tiny_compressed / "int8.tflite").read_bytes()
    content = bytearray((tmp_path / "int8.tflite").read_bytes())
    content[-100] ^= 1
    (tmp_path / "int8.tflite").write_bytes(content)
    with pytest.raises(InputError, match="SHA-256"):
        made.content("int8.tflite")


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record.pop("window"),
        lambda record: record.update(window=[7, 32]),
        lambda record: record.update(window=[32]),
        lambda record: record.update(network={"depth": "deep"}),
        lambda record: record.update(files=[]),
        lambda record: record["files"].pop("float.tflite"),
        lambda record: record["files"].update({"int8.tflite": {"sha256": "0"}}),
        lambda record: record["files"]["int8.tflite"].update(weights=0),
    ],
)
def test_a_damaged_record_is_told(tiny_compressed: Path, tmp_path: Path, change: Any) -> None:
    record = json.loads((tiny_compressed / RECORD).read_text())
    change(record)
    (tmp_path / RECORD).write_text(json.dumps(record))
    with pytest.raises(InputError, match=RECORD):
        read_compressed(tmp_path)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"[" * 100_000])
def test_a_record_that_is_none_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / RECORD).write_bytes(content)
    with pytest.raises(InputError, match=RECORD):
        read_compressed(tmp_path)


def test_other_data_than_those_trained_on_are_refused(keras: Any, tiny_run: Path, tmp_path: Path) -> None:
    synthesize(tmp_path / "cases", 4, 32, 1, 9)
    with pytest.raises(InputError, match="other cases"):
        compress(tiny_run, tmp_path / "cases", tmp_path / "out", Plan())
    assert not (tmp_path / "out").exists()


def test_a_folder_with_something_in_it_is_left_alone(keras: Any, tiny_run: Path, tiny_cases: Path) -> None:
    with pytest.raises(InputError, match="no empty folder"):
        compress(tiny_run, tiny_cases, tiny_run, Plan())


def test_fine_tuning_is_as_the_training_was(tiny_run: Path) -> None:
    found = fine_tuning_of(tiny_run, epochs=3)
    assert found == FineTuning(epochs=3, batch=4, loss="dice_cross_entropy")


def test_a_share_that_is_none() -> None:
    with pytest.raises(ValueError, match="no share"):
        Plan(sparsity=1.0)


def test_a_network_of_another_spacing_is_refused_before_anything_is_written(
    tiny_run: Path, tiny_cases: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(tiny_run, run)
    settings = json.loads((run / "network.json").read_text()) | {"spacing_mm": 6.0}
    (run / "network.json").write_text(json.dumps(settings))
    with pytest.raises(InputError, match="their own spacing"):
        compress(run, tiny_cases, tmp_path / "out", Plan(sparsity=0.0, int8=False))
    assert not (tmp_path / "out").exists()
