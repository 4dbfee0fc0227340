"""The models of medicine on disk, in a folder of their own, so that they can be trained and shipped alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np

from analyzers.vuln_classifier.linear import LinearModel
from analyzers.vuln_classifier.medicine import MedicalModel, Relevance, TypeModel
from analyzers.vuln_classifier.model_files import booster_file, read_booster, read_terms, write_terms
from meddojo.model_files import as_text, read_arrays, read_model, write_arrays, write_model

_RELEVANCE = "relevance"
_KINDS = "kinds"
_DEVICES = "devices"
_ARRAYS = "medical.npz"
_SETTINGS = "settings.json"


def save_medical(model: MedicalModel, folder: Path, about: Mapping[str, Any]) -> int:
    """Write the models.

    Parameters
    ----------
    about
        What the manifest says besides the files.

    Returns
    -------
    int
        Size of all files in bytes.
    """
    relevance, kinds = model.relevance, model.kinds
    arrays = {
        f"{_KINDS}/devices": kinds.devices.astype(np.float16),
        f"{_KINDS}/shares": kinds.shares.astype(np.float32),
        **_linear_arrays(_RELEVANCE, relevance.linear),
        **_linear_arrays(_KINDS, kinds.linear),
    }
    settings = {
        "version": model.version,
        "floor": model.floor,
        "kind_floor": model.kind_floor,
        "relevance": {"temperature": relevance.temperature, "offset": relevance.offset},
        "kinds": {"names": kinds.names, "temperature": kinds.temperature},
    }
    written = {
        _terms_file(_RELEVANCE): write_terms(relevance.vocabulary),
        _terms_file(_KINDS): write_terms(kinds.vocabulary),
        _terms_file(_DEVICES): write_terms(kinds.device_vocabulary),
        booster_file(_RELEVANCE): bytes(relevance.booster.save_raw("ubj")),
        booster_file(_KINDS): bytes(kinds.booster.save_raw("ubj")),
        _ARRAYS: write_arrays(arrays),
        _SETTINGS: as_text(settings),
    }
    return write_model(folder, written, {**about, "version": model.version})


def load_medical(folder: Traversable) -> MedicalModel:
    """Read what `save_medical` wrote.

    Raises
    ------
    InputError
        If a file is missing, or is not the one the manifest names.
    """
    content = read_model(folder)
    settings = json.loads(content[_SETTINGS])
    arrays = read_arrays(content[_ARRAYS])
    relevance, kinds = settings["relevance"], settings["kinds"]
    return MedicalModel(
        version=settings["version"],
        relevance=Relevance(
            read_terms(content[_terms_file(_RELEVANCE)]),
            _linear(arrays, _RELEVANCE),
            read_booster(content[booster_file(_RELEVANCE)]),
            relevance["temperature"],
            relevance["offset"],
        ),
        kinds=TypeModel(
            tuple(kinds["names"]),
            read_terms(content[_terms_file(_KINDS)]),
            _linear(arrays, _KINDS),
            read_terms(content[_terms_file(_DEVICES)]),
            arrays[f"{_KINDS}/devices"].astype(np.float32),
            arrays[f"{_KINDS}/shares"],
            read_booster(content[booster_file(_KINDS)]),
            kinds["temperature"],
        ),
        floor=settings["floor"],
        kind_floor=settings["kind_floor"],
    )


def _linear_arrays(name: str, linear: LinearModel) -> dict[str, np.ndarray[Any, Any]]:
    return {
        f"{name}/columns": linear.columns.astype(np.int32),
        f"{name}/weights": linear.weights.astype(np.float16),
        f"{name}/bias": linear.bias.astype(np.float32),
    }


def _linear(arrays: Mapping[str, Any], name: str) -> LinearModel:
    return LinearModel(arrays[f"{name}/columns"], arrays[f"{name}/weights"], arrays[f"{name}/bias"])


def _terms_file(name: str) -> str:
    return f"{name}.tsv"
