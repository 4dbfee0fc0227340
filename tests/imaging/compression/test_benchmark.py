"""The benchmark of compressed networks: whom it measures, what it counts, and the bounds it holds files to."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from imaging.compression.benchmark import Benchmark, Latency, Row, benchmark, latencies, together
from imaging.compression.compress import FILES, read_compressed
from imaging.compression.litert import predict_litert
from imaging.compression.report import claims, comma_separated, markdown, table
from imaging.data.cases import read_cases, write_case, write_index
from imaging.segmentation.metrics import dice
from meddojo.errors import InputError

pytestmark = [
    pytest.mark.timeout(600),  # the first test of all waits until a network is compressed
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.fixture(scope="module")
def measured(tiny_compressed: Path, tiny_cases: Path) -> Benchmark:
    return benchmark([tiny_compressed], tiny_cases, threads=(1, 2), rounds=3)


def test_only_test_patients_are_measured(measured: Benchmark, tiny_compressed: Path, tiny_cases: Path) -> None:
    made = read_compressed(tiny_compressed)
    expected = [case for case in read_cases(tiny_cases) if case.patient in made.test]
    assert measured.cases == {str(tiny_compressed): tuple(case.name for case in expected)}
    row = next(row for row in measured.rows if row.file == "int8.tflite")
    found = [predict_litert(tiny_compressed / "int8.tflite", made.network, case) > 0.5 for case in expected]
    assert row.dice == tuple(dice(each, case.mask) for each, case in zip(found, expected, strict=True))


def test_every_file_has_a_row(measured: Benchmark, tiny_compressed: Path) -> None:
    rows = {row.file: row for row in measured.rows}
    assert list(rows) == list(read_compressed(tiny_compressed).files)
    for name, row in rows.items():
        assert row.size_bytes == (tiny_compressed / name).stat().st_size
        timed = name.endswith(".tflite")
        assert [each.threads for each in row.latencies] == ([1, 2] if timed else [])
        assert all(0 < each.median_ms <= each.p95_ms for each in row.latencies)
        if timed:
            assert row.near_ece is not None and 0 <= row.near_ece <= 1
    assert rows["float.tflite"].largest_difference == 0
    assert 0 < (rows["int8.tflite"].largest_difference or 0) < 0.1
    # windows as large as the slices: Keras and LiteRT see the same
    assert (rows["float/weights.npz"].largest_difference or 0) < 1e-5
    assert rows["pruned.tflite"].zero_share > 0.5 > rows["float.tflite"].zero_share


def test_the_table_has_a_line_for_each(measured: Benchmark) -> None:
    lines = list(table(measured))
    assert len(lines) == 1 + len(measured.rows) and "ms, 2 thr" in lines[0]
    assert markdown(measured).count("\n") == 2 + len(measured.rows)
    rows = list(csv.DictReader(io.StringIO(comma_separated(measured))))
    assert [row["file"] for row in rows] == [row.file for row in measured.rows]
    assert float(rows[1]["median_ms_1"]) == measured.rows[1].latencies[0].median_ms


def test_a_tampered_file_is_not_measured(tiny_compressed: Path, tiny_cases: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(tiny_compressed, tmp_path / "small")
    path = tmp_path / "small" / "pruned_int8.tflite"
    path.write_bytes((tiny_compressed / "int8.tflite").read_bytes())
    with pytest.raises(InputError, match=r"pruned_int8\.tflite.*SHA-256"):
        benchmark([tmp_path / "small"], tiny_cases, rounds=1)


def test_an_image_of_the_training_in_other_data_is_refused(
    tiny_compressed: Path, tiny_cases: Path, tmp_path: Path
) -> None:
    made = read_compressed(tiny_compressed)
    trained = next(case for case in read_cases(tiny_cases) if case.patient not in made.test)
    write_index(tmp_path, [write_case(tmp_path, trained)])
    with pytest.raises(InputError, match="trained on"):
        benchmark([tiny_compressed], tmp_path, rounds=1)


def test_files_take_turns() -> None:
    calls: list[str] = []

    class Counting:
        def __init__(self, name: str) -> None:
            self.name = name

        def __call__(self, images: np.ndarray) -> np.ndarray:
            calls.append(self.name)
            return images

    windows = np.zeros((3, 2, 2, 1), dtype=np.float32)
    found = latencies({name: (Counting(name), windows) for name in "ab"}, rounds=20)  # type: ignore[misc]
    assert {name: len(times) for name, times in found.items()} == {"a": 60, "b": 60}
    turns = calls[10::4]
    assert {turns[place] + turns[place + 1] for place in range(0, 40, 2)} == {"ab", "ba"}


def test_folds_are_measured_as_one() -> None:
    def row(folder: str, file: str, size: int, scores: tuple[float, ...], ms: float) -> Row:
        return Row(
            folder, "unet", file, size, size // 2, 0.5 + size / 1e4, scores, 0.1, 0.2, 0.1, (Latency(1, ms, ms),)
        )

    cases = {"a": ("1", "2"), "b": ("3",)}
    rows = (row("a", "float.tflite", 100, (0.6, 0.9), 2.0), row("b", "float.tflite", 120, (0.6,), 4.0))
    found = together(Benchmark(cases, rows))
    assert found.cases == {"all": ("1", "2", "3")}
    (one,) = found.rows
    assert one.dice == (0.6, 0.9, 0.6) and one.mean_dice == pytest.approx(0.7) and one.near_ece is None
    assert (one.size_bytes, one.gzip_bytes, one.zero_share) == (120, 60, 0.51)
    assert one.latencies == (Latency(1, 3.0, 3.0),)
    with pytest.raises(ValueError, match="no folds"):
        together(Benchmark({"a": ("1", "2"), "b": ("2",)}, rows))
    with pytest.raises(ValueError, match="no folds"):
        together(Benchmark(cases, (*rows, row("b", "int8.tflite", 30, (0.6,), 1.0))))


def test_bounds_are_met_or_not() -> None:
    def row(file: str, size: int, packed: int, zeros: float, score: float, ms: float) -> Row:
        return Row("f", "unet", file, size, packed, zeros, (score,), 0.1, 0.1, 0.1, (Latency(1, ms, ms),))

    rows = (
        row("float/weights.npz", 1000, 900, 0.0, 0.80, 0.0),
        row("float.tflite", 990, 890, 0.0, 0.80, 4.0),
        row("int8.tflite", 250, 240, 0.0, 0.785, 1.0),
        row("pruned_int8.tflite", 260, 100, 0.7, 0.795, 2.1),
    )
    assert {each.file for each in rows} < set(FILES)
    found = {each.text: each for each in claims(Benchmark({"f": ("A",)}, rows))}
    assert found["float/weights.npz / int8.tflite, bytes, times smaller"].met
    assert not found["float/weights.npz / pruned_int8.tflite, bytes, times smaller"].met
    packed = found["float/weights.npz / pruned_int8.tflite gzipped, bytes, times smaller"]
    assert packed.met and packed.value == 10 and "met  " in str(packed)
    assert not found["Dice lost, float.tflite to int8.tflite"].met
    assert found["Dice lost, float/weights.npz to pruned_int8.tflite"].met
    assert found["share of zeros in pruned_int8.tflite"].met
    assert found["float.tflite / int8.tflite, median time on 1 thread(s), times faster"].value == 4
    assert not found["float.tflite / pruned_int8.tflite, median time on 1 thread(s), times faster"].met
