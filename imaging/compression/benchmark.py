"""What compression costs and brings: size, accuracy, calibration and time of every file, in one run.

Accuracy is of the test patients, whom neither training nor compression has seen. Time is of one window in,
probabilities out, rounding at both ends included; all files take turns in a random order, so that what else the machine
does falls on all of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from imaging.compression.compress import FLOAT, RECORD, Compressed, read_compressed
from imaging.compression.litert import LiteNetwork, opened_for, predict_with
from imaging.compression.windows import Window, images_of, in_windows
from imaging.data.cases import Case, Floats, read_cases
from imaging.networks.files import load
from imaging.segmentation.metrics import dice, expected_calibration_error
from imaging.segmentation.prediction import predict
from imaging.segmentation.record import digest
from imaging.uncertainty.regions import Region, regions
from meddojo.errors import InputError

Key = TypeVar("Key")

_WARM_UP = 5
_WINDOWS = 4
"""Timed one after the other when it is a file's turn."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Of one window, in milliseconds."""

    threads: int
    median_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Row:
    """One file.

    Attributes
    ----------
    folder
        Of the compressed networks, as it was named.
    dice
        One a test case; empty where the file was not run.
    near_ece
        Expected calibration error near lesions (`imaging.uncertainty.regions`), of all cases together; None where not
        run.
    largest_difference, mean_difference
        Of probabilities to those of ``float.tflite``.
    """

    folder: str
    network: str
    file: str
    size_bytes: int
    gzip_bytes: int
    zero_share: float
    dice: tuple[float, ...] = ()
    near_ece: float | None = None
    largest_difference: float | None = None
    mean_difference: float | None = None
    latencies: tuple[Latency, ...] = ()

    @property
    def mean_dice(self) -> float | None:
        """Over the cases."""
        return float(np.mean(self.dice)) if self.dice else None

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"mean_dice": self.mean_dice, "worst_dice": min(self.dice, default=None)}


@dataclass(frozen=True, slots=True)
class Benchmark:
    """All files of all folders.

    Attributes
    ----------
    cases
        Names of the test cases of each folder.
    """

    cases: Mapping[str, tuple[str, ...]]
    rows: tuple[Row, ...]


def benchmark(
    folders: Sequence[Path],
    data: Path,
    threads: Sequence[int] = (1, 2),
    rounds: int = 30,
    advance: Callable[[str], None] = lambda _: None,
) -> Benchmark:
    """Measure folders of compressed networks on their test patients.

    Each ``weights.npz`` is run where TensorFlow is installed, on whole slices; the ``.tflite`` files need LiteRT alone.

    Parameters
    ----------
    threads
        Each is measured apart.
    rounds
        How often every file has its turn of `_WINDOWS` windows.
    advance
        Told each file that was measured.

    Raises
    ------
    ConfigError
        If LiteRT is not installed.
    InputError
        If a folder or the data cannot be read, a file is not the one recorded, or the data are others and hold an image
        that a network was made with.
    """
    cases = list(read_cases(data))
    whole = digest(cases)
    rows: dict[tuple[str, str], Row] = {}
    opened: dict[tuple[str, str, int], tuple[LiteNetwork, Floats]] = {}
    names: dict[str, tuple[str, ...]] = {}
    for folder in folders:
        made = read_compressed(folder)
        test = _test_cases(made, data, cases, whole)
        names[str(folder)] = tuple(case.name for case in test)
        for row in _accuracy(made, test):
            rows[str(folder), row.file] = row
            advance(f"{folder.name}/{row.file}")
        for name in _lite(made):
            for count in threads:
                network = opened_for(folder / name, made.network, count, made.content(name))
                opened[str(folder), name, count] = (network, _some_windows(network, made, test))
    times = latencies(opened, rounds)
    timed = {
        (folder, name): tuple(_latency(count, times[folder, name, count]) for count in threads)
        for folder, name, _ in opened
    }
    return Benchmark(names, tuple(replace(row, latencies=timed.get(key, ())) for key, row in rows.items()))


TOGETHER = "all"
"""What several folders, folds of one cross-validation, are called together."""


def together(found: Benchmark) -> Benchmark:
    """The same files of several folders as one: sizes of the largest, Dice of all test cases, times in the mean.

    Folds share no test patient, so that a figure of all is one of so many patients; what a few patients of one fold say
    of a hundredth of Dice is mostly chance. Calibration errors are no means of one another, and are left out.

    Raises
    ------
    ValueError
        If the folders hold other files than one another, or the same test case.
    """
    names = [name for cases in found.cases.values() for name in cases]
    files = [[(row.network, row.file) for row in found.rows if row.folder == folder] for folder in found.cases]
    if len(names) != len(set(names)) or any(each != files[0] for each in files):
        raise ValueError("folders with the same test cases, or with other files, are no folds of one cross-validation")
    rows = (_as_one([row for row in found.rows if (row.network, row.file) == key]) for key in files[0])
    return Benchmark({TOGETHER: tuple(names)}, tuple(rows))


def _as_one(rows: Sequence[Row]) -> Row:
    measured = all(row.dice for row in rows)
    differences = [row.largest_difference for row in rows if row.largest_difference is not None]
    return Row(
        folder=TOGETHER,
        network=rows[0].network,
        file=rows[0].file,
        size_bytes=max(row.size_bytes for row in rows),
        gzip_bytes=max(row.gzip_bytes for row in rows),
        zero_share=min(row.zero_share for row in rows),
        dice=tuple(each for row in rows for each in row.dice) if measured else (),
        largest_difference=max(differences, default=None),
        latencies=tuple(
            Latency(
                same[0].threads,
                float(np.mean([each.median_ms for each in same])),
                float(np.mean([each.p95_ms for each in same])),
            )
            for same in zip(*(row.latencies for row in rows), strict=True)
        ),
    )


def latencies(networks: Mapping[Key, tuple[LiteNetwork, Floats]], rounds: int, seed: int = 1) -> dict[Key, list[float]]:
    """Seconds of single windows, all networks in turns.

    Parameters
    ----------
    networks
        Each with windows of shape (count, rows, columns, planes).
    """
    random = np.random.default_rng(seed)
    keys = list(networks)
    for network, windows in networks.values():
        for _ in range(_WARM_UP):
            network(windows[:1])
    found: dict[Key, list[float]] = {key: [] for key in keys}
    for _ in range(rounds):
        for place in random.permutation(len(keys)):
            network, windows = networks[keys[place]]
            network(windows[:1])  # what ran before has the cache
            for number in range(len(windows)):
                begun = time.perf_counter()
                network(windows[number : number + 1])
                found[keys[place]].append(time.perf_counter() - begun)
    return found


def _accuracy(made: Compressed, test: Sequence[Case]) -> Iterator[Row]:
    """A row for each file, without its time."""
    reference = _probabilities(made, FLOAT, test)
    architecture = made.network.architecture
    for name, file in made.files.items():
        made.content(name)
        row = Row(
            folder=str(made.folder),
            network=f"{architecture}, {made.network.filters} filters",
            file=name,
            size_bytes=file.size_bytes,
            gzip_bytes=file.gzip_bytes,
            zero_share=file.zeros / file.weights,
        )
        found: list[Floats] | None = None
        if name in _lite(made):
            found = _probabilities(made, name, test)
        elif find_spec("tensorflow") and find_spec("tf_keras"):
            config, network = load((made.folder / name).parent)
            found = [predict(network, config, case) for case in test]
        yield row if found is None else _measured(row, found, reference, test)


def _measured(row: Row, found: Sequence[Floats], reference: Sequence[Floats], test: Sequence[Case]) -> Row:
    apart = [np.abs(one - other) for one, other in zip(found, reference, strict=True)]
    near = [
        regions(each > 0.5, case.mask, case.spacing_mm)[Region.NEAR] for each, case in zip(found, test, strict=True)
    ]
    chosen, true = (
        np.concatenate([each[region] for each, region in zip(arrays, near, strict=True)])
        for arrays in (found, [case.mask for case in test])
    )
    return replace(
        row,
        dice=tuple(dice(each > 0.5, case.mask) for each, case in zip(found, test, strict=True)),
        near_ece=expected_calibration_error(chosen, true) if len(chosen) else None,
        largest_difference=max(float(each.max()) for each in apart),
        mean_difference=float(np.concatenate([each.ravel() for each in apart]).mean()),
    )


def _probabilities(made: Compressed, name: str, test: Sequence[Case]) -> list[Floats]:
    network = opened_for(made.folder / name, made.network, 1, made.content(name))
    return [predict_with(network, made.network, case) for case in test]


def _test_cases(made: Compressed, data: Path, cases: Sequence[Case], whole: str) -> list[Case]:
    if whole == made.data:
        test = [case for case in cases if case.patient in set(made.test)]
        if not test:
            raise InputError(str(made.folder / RECORD), "test", "names no patient of the data")
        return test
    for case in cases:
        if case.digest() in made.seen:
            raise InputError(str(data), case.name, "is an image the network was trained on, in data that are other")
    return list(cases)


def _some_windows(network: LiteNetwork, made: Compressed, test: Sequence[Case]) -> Floats:
    """Windows of the case in the middle, about its middle slice."""
    images = images_of(test[len(test) // 2], made.network)
    start = max(0, (len(images) - _WINDOWS) // 2)
    found: list[Floats] = []

    def see(windows: Floats) -> Floats:
        found.append(windows)
        return windows[..., :1]

    window = Window(network.rows, network.columns, made.network.multiple)
    in_windows(images[start : start + _WINDOWS], window, see)
    return found[0]


def _lite(made: Compressed) -> list[str]:
    return [name for name in made.files if name.endswith(".tflite")]


def _latency(threads: int, seconds: Sequence[float]) -> Latency:
    median, late = np.percentile(seconds, (50, 95)) * 1e3
    return Latency(threads, float(median), float(late))
