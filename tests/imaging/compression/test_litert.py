"""Compressed networks run by LiteRT, and files that are none."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from imaging.compression.litert import LiteNetwork, Scale, kernel_zeros, opened_for, predict_litert
from imaging.compression.windows import images_of
from imaging.data.cases import Case, read_cases
from imaging.networks.config import NetworkConfig
from imaging.networks.files import load
from imaging.segmentation.prediction import predict
from meddojo.errors import ConfigError, InputError

pytestmark = [
    pytest.mark.timeout(600),  # the first test of all waits until a network is compressed
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


def test_float_gives_what_tensorflow_gives(tiny_compressed: Path, tiny_cases: Path) -> None:
    config, network = load(tiny_compressed / "float")
    for case in list(read_cases(tiny_cases))[:2]:
        expected = predict(network, config, case)
        found = predict_litert(tiny_compressed / "float.tflite", config, case)
        assert found.shape == case.mask.shape and found.dtype == np.float32
        assert np.abs(found - expected).max() < 1e-5


@pytest.mark.parametrize("name", ["int8", "pruned_int8"])
def test_eight_bits_stay_close_to_float(tiny_compressed: Path, tiny_cases: Path, name: str) -> None:
    config, _ = load(tiny_compressed / "float")
    plain = "pruned.tflite" if name.startswith("pruned") else "float.tflite"
    for case in list(read_cases(tiny_cases))[:3]:
        expected = predict_litert(tiny_compressed / plain, config, case)
        found = predict_litert(tiny_compressed / f"{name}.tflite", config, case)
        assert np.abs(found - expected).max() < 0.06 and np.abs(found - expected).mean() < 0.01
        # rounding to one of 256 numbers must be there: it is no float file under another name
        assert 0 < len(np.unique(found)) <= 256 and not np.array_equal(found, expected)


def test_two_threads_give_what_one_gives(tiny_compressed: Path, tiny_cases: Path) -> None:
    config, _ = load(tiny_compressed / "float")
    case = next(read_cases(tiny_cases))
    one, two = (predict_litert(tiny_compressed / "int8.tflite", config, case, threads) for threads in (1, 2))
    assert np.array_equal(one, two)


def test_a_case_larger_than_the_window_is_cut_into_several(tiny_compressed: Path, tiny_cases: Path) -> None:
    config, network = load(tiny_compressed / "float")
    case = next(read_cases(tiny_cases))
    large = Case(
        "L",
        "L",
        *(np.tile(each, (1, 2, 3))[:, :45, :71] for each in (case.pet, case.ct, case.mask)),  # type: ignore[arg-type]
        spacing_mm=(1.0, 1.0, 1.0),
    )
    found = predict_litert(tiny_compressed / "float.tflite", config, large)
    padded = np.pad(images_of(large, config), ((0, 0), (0, 1), (0, 1), (0, 0)))
    expected = np.asarray(network(padded, training=False))[:, :45, :71, 0]
    assert found.shape == (len(case.mask), 45, 71)
    # windows of a network see less far than the whole image; nearly all pixels are as if it had been whole
    assert np.abs(found - expected).mean() < 0.01


def test_it_runs_without_tensorflow(tiny_compressed: Path, tiny_cases: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from imaging.compression.litert import predict_litert;"
        "from imaging.data.cases import read_cases; from imaging.networks.config import NetworkConfig; import json;"
        f"config = NetworkConfig.of(json.loads(Path({str(tiny_compressed / 'float/network.json')!r}).read_text()));"
        f"case = next(read_cases(Path({str(tiny_cases)!r})));"
        f"found = predict_litert(Path({str(tiny_compressed / 'int8.tflite')!r}), config, case);"
        "assert found.shape == case.mask.shape;"
        "loaded = {'tensorflow', 'tf_keras'} & set(sys.modules); assert not loaded, loaded"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "is no .tflite file"),
        (b"GARBAGE! and more", "is no .tflite file"),
        (b"\x1c\0\0\0TFL3", "no network LiteRT can run"),
        (b"\x1c\0\0\0TFL3" + bytes(range(256)) * 8, "no network LiteRT can run"),
    ],
)
def test_a_file_that_is_none_is_told(tmp_path: Path, content: bytes, cause: str) -> None:
    pytest.importorskip("ai_edge_litert")
    path = tmp_path / "bad.tflite"
    path.write_bytes(content)
    with pytest.raises(InputError, match=cause) as told:
        LiteNetwork(path)
    assert str(path) in str(told.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        LiteNetwork(tmp_path / "none.tflite")


def test_a_file_cut_short_anywhere_is_told(tiny_compressed: Path, tmp_path: Path) -> None:
    whole = (tiny_compressed / "int8.tflite").read_bytes()
    for length in random.Random(1).sample(range(8, len(whole) - 64), 40):
        with pytest.raises(InputError):
            LiteNetwork(tmp_path / "cut.tflite", content=whole[:length])


def test_flipped_bytes_are_told_or_do_no_harm(tiny_compressed: Path, tmp_path: Path) -> None:
    whole = (tiny_compressed / "int8.tflite").read_bytes()
    draw = random.Random(2)
    told = 0
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(8):
            damaged[draw.randrange(8, len(damaged))] ^= 1 << draw.randrange(8)
        try:
            network = LiteNetwork(tmp_path / "flipped.tflite", content=bytes(damaged))
        except InputError:
            told += 1
            continue
        found = network(np.zeros((1, network.rows, network.columns, network.planes), dtype=np.float32))
        assert found.shape == (1, network.rows, network.columns, network.classes)
    assert told > 0


def test_a_network_of_other_planes_is_not_of_this_configuration(tiny_compressed: Path) -> None:
    with pytest.raises(InputError, match="6 planes"):
        opened_for(tiny_compressed / "int8.tflite", NetworkConfig(size=16, channels=1, depth=1))


def test_images_of_another_shape_are_refused(tiny_compressed: Path) -> None:
    network = LiteNetwork(tiny_compressed / "int8.tflite")
    with pytest.raises(ValueError, match="images of shape"):
        network(np.zeros((1, 8, 8, network.planes), dtype=np.float32))


def test_without_litert_the_extra_is_named(tiny_compressed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(ConfigError, match="LiteRT"):
        LiteNetwork(tiny_compressed / "int8.tflite")


def test_zeros_are_those_of_the_weights(tiny_compressed: Path) -> None:
    config, network = load(tiny_compressed / "pruned")
    kernels = [each for each in network.get_weights() if each.ndim == 4]
    zeros, weights = (sum(int((each == 0).sum()) for each in kernels), sum(each.size for each in kernels))
    assert kernel_zeros(tiny_compressed / "pruned.tflite") == (zeros, weights)
    rounded, same = kernel_zeros(tiny_compressed / "pruned_int8.tflite")
    # small weights may round to zero, too; none of the zeros is lost
    assert same == weights and zeros <= rounded <= zeros + weights // 50
    assert config.planes == 6


def test_the_scale_of_an_edge_goes_there_and_back() -> None:
    scale = Scale(1 / 255, -128)
    values = np.linspace(0, 1, 256, dtype=np.float32)
    assert np.array_equal(scale.whole(values), np.arange(-128, 128))
    assert np.abs(scale.real(scale.whole(values)) - values).max() < 1e-6
    assert scale.whole(np.array([-9.0, 9.0], dtype=np.float32)).tolist() == [-128, 127]
    plain = Scale(0.0, 0)
    assert np.array_equal(plain.real(plain.whole(values)), values)
