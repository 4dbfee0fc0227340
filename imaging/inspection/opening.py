"""A model's folder, opened to be measured: checked against its seal, then loaded, with what is there besides."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from imaging.data.cases import Case, Floats
from imaging.inspection.measure import Model
from imaging.networks.files import CONFIG, WEIGHTS, load
from imaging.networks.seal import check, digests_of
from meddojo.errors import InputError

CALIBRATION = "calibration.json"
_LITERT, _CALIBRATION = "imaging.compression.litert", "imaging.uncertainty.files"


def open_model(
    folder: Path, require_signature: Sequence[Path] = (), int8: str = "", tell: Callable[[str], None] = lambda _: None
) -> Model:
    """Load the network of a folder, its calibration and its INT8 version, where there are any.

    Parameters
    ----------
    require_signature
        See `imaging.networks.files.load`.
    int8
        Name of the INT8 file; empty for the one ``.tflite`` whose name says so.
    tell
        Called with what is there and cannot be measured, and why.

    Raises
    ------
    InputError
        If the model is not as it was sealed, or a file of it is damaged.
    """
    from imaging.segmentation.prediction import predict

    config, network = load(folder, require_signature)
    digests = digests_of(folder)
    files = {name: digests[name] for name in (CONFIG, WEIGHTS, CALIBRATION) if name in digests}
    eighth = int8 or _int8_file(folder, digests, tell)
    runner: Callable[[Case], Floats] | None = None
    if eighth and _importable(_LITERT):
        check(folder, [eighth], require_signature)
        if eighth not in digests:
            raise InputError(str(folder), eighth, "is not there", "name a file of the folder")
        opened = importlib.import_module(_LITERT).opened_for(folder / eighth, config)
        predict_with = importlib.import_module(_LITERT).predict_with

        def runner(case: Case) -> Floats:
            found: Floats = predict_with(opened, config, case)
            return found
    elif eighth:
        tell(f"{eighth} is not measured: {_LITERT} cannot be loaded here")
    return Model(
        predict=lambda case: predict(network, config, case),
        files=files,
        calibrated=_calibration(folder, CALIBRATION in digests, tell),
        int8=runner,
        int8_files={eighth: digests[eighth]} if runner is not None else {},
    )


def _int8_file(folder: Path, digests: Sequence[str] | dict[str, str], tell: Callable[[str], None]) -> str:
    found = [name for name in digests if name.endswith(".tflite") and "int8" in name.lower()]
    if len(found) > 1:
        tell(f"{folder} holds several INT8 files, none is measured: {', '.join(found)}; name one with --int8")
    return found[0] if len(found) == 1 else ""


def _calibration(folder: Path, there: bool, tell: Callable[[str], None]) -> Callable[[Floats], Floats]:
    if there and _importable(_CALIBRATION):
        scaling: Any = importlib.import_module(_CALIBRATION).scaling_of(folder)

        def scaled(probabilities: Floats) -> Floats:
            found: Floats = scaling(probabilities)
            return found

        return scaled
    if there:
        tell(f"{CALIBRATION} is not applied: {_CALIBRATION} cannot be loaded here")
    return lambda probabilities: probabilities


def _importable(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
