"""From a finished training to a folder of compressed networks, with a record of what each file is.

The folder holds ``float/`` and ``pruned/`` (``network.json`` and ``weights.npz``), ``.tflite`` files, and
``compression.json``: SHA-256, sizes and counted zeros of each, the patients they were made with, and those of the test.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from imaging.compression.finetuning import FineTuning
from imaging.compression.litert import kernel_zeros
from imaging.compression.windows import Window
from imaging.data.cases import read_cases
from imaging.data.changes import CHANGES
from imaging.networks.config import NetworkConfig
from imaging.networks.files import WEIGHTS, load, read_whole, save, write_whole
from imaging.segmentation.record import CHECKPOINT, digest, environment, read_run
from imaging.segmentation.training import slice_pool
from meddojo.errors import InputError

RECORD = "compression.json"
FLOAT_WEIGHTS, PRUNED_WEIGHTS = f"float/{WEIGHTS}", f"pruned/{WEIGHTS}"
FLOAT, INT8, AWARE = "float.tflite", "int8.tflite", "aware_int8.tflite"
PRUNED, PRUNED_INT8, PRUNED_AWARE = "pruned.tflite", "pruned_int8.tflite", "pruned_aware_int8.tflite"
FILES = (FLOAT_WEIGHTS, FLOAT, INT8, AWARE, PRUNED_WEIGHTS, PRUNED, PRUNED_INT8, PRUNED_AWARE)
"""All there can be, in the order of a table."""
ARCHITECTURES = ("unet", "attention", "flat")
"""Those that read a slice with its neighbours and give its probabilities alone."""
_MAX_RECORD_BYTES = 2**20
_MAX_FILE_BYTES = 2**31


@dataclass(frozen=True, slots=True)
class Plan:
    """What is made beside ``float.tflite``.

    Attributes
    ----------
    sparsity
        Share of the weights that pruning sets to zero; 0 for no pruning.
    int8
        Eight bits by calibration.
    aware
        Eight bits by training with the rounding, of the pruned network where there is one.
    rate_of_aware
        Share of the rate of fine-tuning that training with the rounding begins with.
    """

    sparsity: float = 0.75
    int8: bool = True
    aware: bool = False
    rate_of_aware: float = 0.2
    fine_tuning: FineTuning = field(default_factory=FineTuning)

    def __post_init__(self) -> None:
        if not 0.0 <= self.sparsity < 1.0:
            raise ValueError(f"sparsity is {self.sparsity!r}, no share from 0 to below 1")


@dataclass(frozen=True, slots=True)
class File:
    """What is told of one file.

    Attributes
    ----------
    zeros, weights
        Of the kernels of its convolutions.
    """

    sha256: str
    size_bytes: int
    gzip_bytes: int
    zeros: int
    weights: int

    def __post_init__(self) -> None:
        counts = (self.size_bytes, self.gzip_bytes, self.zeros, self.weights)
        if not all(isinstance(each, int) and each >= 0 for each in counts) or not self.zeros <= self.weights > 0:
            raise ValueError("sizes and zeros of a file are counts")

    @classmethod
    def of(cls, content: bytes, counted: tuple[int, int]) -> File:
        """Measure content."""
        packed = len(gzip.compress(content, 9, mtime=0))
        return cls(hashlib.sha256(content).hexdigest(), len(content), packed, *counted)


@dataclass(frozen=True, slots=True)
class Compressed:
    """What a folder of compressed networks holds.

    Attributes
    ----------
    data
        Digest of all cases of the training.
    test
        Patients that neither training nor compression has seen.
    seen
        Digests of the images of the others.
    """

    folder: Path
    network: NetworkConfig
    window: Window
    data: str
    test: tuple[str, ...]
    seen: tuple[str, ...]
    files: Mapping[str, File]

    def content(self, name: str) -> bytes:
        """Read a file and see that it is the one recorded.

        Raises
        ------
        InputError
            If it is missing or another.
        """
        content = read_whole(self.folder / name, _MAX_FILE_BYTES)
        if hashlib.sha256(content).hexdigest() != self.files[name].sha256:
            raise InputError(str(self.folder / name), "", f"is not the file {RECORD} tells: its SHA-256 is another")
        return content


def compress(
    run: Path, data: Path, out: Path, plan: Plan, report: Callable[[str], None] = lambda _: None
) -> Compressed:
    """Compress the network of a finished training.

    Fine-tuning and calibration see the training patients alone, neither those that stopped the training nor the test.

    Parameters
    ----------
    data
        The cases it was trained on.
    out
        New folder.
    report
        Told of each step.

    Raises
    ------
    InputError
        If a folder cannot be read, the training has not ended or was on other data, or `out` is not empty.
    TerminalError
        If fine-tuning fails.
    """
    from imaging.compression import pruning, quantization

    told = read_run(run)
    if (run / CHECKPOINT).exists():
        raise InputError(str(run), "", "is of a training that has not ended", "go on: meddojo imaging train")
    config, network = load(run)
    if config.architecture not in ARCHITECTURES:
        raise InputError(
            str(run), "architecture", f"is {config.architecture}; compressed are {', '.join(ARCHITECTURES)}"
        )
    if config.spacing_mm:
        raise InputError(str(run), "spacing_mm", "is set; compressed networks read scans at their own spacing")
    cases = list(read_cases(data))
    if digest(cases) != told.data:
        raise InputError(str(data), "", "holds other cases than the network was trained on", "name those with --data")
    training = [case for case in cases if case.patient in set(told.division.train)]
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(str(out), "", "is there and no empty folder", "name a new one with --out")
    window = Window.around(cases, config.multiple)
    calibration = quantization.calibration_windows(training, config, window, plan.fine_tuning.seed)
    pool = slice_pool(training, config, CHANGES[plan.fine_tuning.changes])
    files: dict[str, File] = {}

    def keep(name: str, content: bytes) -> None:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        write_whole(out / name, content)
        files[name] = File.of(content, kernel_zeros(out / name, content))
        report(f"{name}: {files[name].size_bytes} bytes, {files[name].gzip_bytes} gzipped")

    def keep_weights(name: str, of: Any) -> None:
        folder = (out / name).parent
        folder.mkdir(parents=True, exist_ok=True)
        save(folder, config, of.get_weights())
        files[name] = File.of((out / name).read_bytes(), pruning.zeros(of))

    keep_weights(FLOAT_WEIGHTS, network)
    keep(FLOAT, quantization.float_lite(network, config.planes, window))
    if plan.int8:
        keep(INT8, quantization.int8_lite(network, config.planes, window, calibration))
    if plan.sparsity:
        network = pruning.prune(network, config, pool, plan.sparsity, plan.fine_tuning, report)
        keep_weights(PRUNED_WEIGHTS, network)
        keep(PRUNED, quantization.float_lite(network, config.planes, window, sparse=True))
        if plan.int8:
            keep(PRUNED_INT8, quantization.int8_lite(network, config.planes, window, calibration, sparse=True))
    if plan.aware:
        sparse = plan.sparsity > 0
        content = quantization.aware_int8_lite(network, config, window, pool, _gentler(plan), sparse, report)
        keep(PRUNED_AWARE if sparse else AWARE, content)
    _write_record(out, config, window, told, plan, files)
    return read_compressed(out)


_AS_TRAINED = ("loss", "batch", "lesion_share", "changes")


def fine_tuning_of(run: Path, **settings: Any) -> FineTuning:
    """Fine-tune as a run was trained: its loss, its batches, its share of lesions.

    Parameters
    ----------
    settings
        Those of `FineTuning` that are another.

    Raises
    ------
    InputError
        If the folder holds no training, or its settings are none.
    """
    told = read_run(run).config
    try:
        return FineTuning(**{name: told[name] for name in _AS_TRAINED if name in told} | settings)
    except (TypeError, ValueError) as error:
        raise InputError(str(run), "config", f"cannot be fine-tuned with: {error}") from error


def read_compressed(folder: Path) -> Compressed:
    """Read the record of a folder that `compress` made.

    Raises
    ------
    InputError
        If it is missing or damaged.
    """
    path = folder / RECORD
    try:
        found = json.loads(read_whole(path, _MAX_RECORD_BYTES))
        config = NetworkConfig.of(found["network"])
        files = {name: File(**found["files"][name]) for name in FILES if name in found["files"]}
        if FLOAT not in files or FLOAT_WEIGHTS not in files:
            raise ValueError("it tells of no float network")
        return Compressed(
            folder=folder,
            network=config,
            window=Window(*_pair(found["window"]), config.multiple),
            data=str(found["data"]),
            test=tuple(map(str, found["test"])),
            seen=tuple(map(str, found["seen"])),
            files=files,
        )
    except (TypeError, KeyError, ValueError, AttributeError, RecursionError) as error:
        raise InputError(str(path), "", f"is no record of compressed networks: {error!r}") from error


def _pair(values: Any) -> tuple[int, int]:
    rows, columns = map(int, values)
    return rows, columns


def _gentler(plan: Plan) -> FineTuning:
    return replace(plan.fine_tuning, learning_rate=plan.fine_tuning.learning_rate * plan.rate_of_aware)


def _write_record(
    out: Path, config: NetworkConfig, window: Window, told: Any, plan: Plan, files: Mapping[str, File]
) -> None:
    """Last, so that a folder with a record is complete."""
    record = {
        "network": asdict(config),
        "window": [window.rows, window.columns],
        "plan": asdict(plan),
        "data": told.data,
        "train": list(told.division.train),
        "test": list(told.division.test),
        "seen": list(told.seen),
        "files": {name: asdict(each) for name, each in files.items()},
        "environment": environment(),
    }
    write_whole(out / RECORD, (json.dumps(record, indent=1) + "\n").encode())
