"""The trained classifier on disk: UBJSON, plain text and plain arrays (`model_files`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np

from analyzers.vuln_classifier.calibration import Calibrator
from analyzers.vuln_classifier.classifier import Classifier, Target
from analyzers.vuln_classifier.features import Features
from analyzers.vuln_classifier.joint import Decision, VectorSpace
from analyzers.vuln_classifier.linear import LinearModel
from analyzers.vuln_classifier.medical_artefacts import load_medical, save_medical
from analyzers.vuln_classifier.model_files import booster_file, read_booster, read_terms, write_terms
from analyzers.vuln_classifier.weakness import WeaknessModel
from meddojo.model_files import MANIFEST, as_text, read_arrays, read_model, write_arrays, write_model

LARGEST = 20_000_000
"""Bytes all files may have together."""
_ARRAYS = "linear.npz"
_SETTINGS = "settings.json"
_WEAKNESS = "weakness"
MEDICAL = "medical"
"""Folder of the models of medicine beside the others."""


def save(classifier: Classifier, folder: Path, about: Mapping[str, Any]) -> int:
    """Write a classifier.

    Parameters
    ----------
    about
        What the manifest says besides the files: data window, seed, versions.

    Returns
    -------
    int
        Size of all files in bytes.
    """
    targets = {**classifier.cvss, **classifier.points}
    written = {
        "terms.tsv": write_terms(classifier.features.text),
        "fields.tsv": write_terms(classifier.features.fields),
        _ARRAYS: write_arrays(_arrays(classifier)),
        _SETTINGS: as_text(_settings(classifier)),
        **{booster_file(name): bytes(target.booster.save_raw("ubj")) for name, target in targets.items()},
    }
    if classifier.weakness is not None:
        written[booster_file(_WEAKNESS)] = bytes(classifier.weakness.booster.save_raw("ubj"))
    size = write_model(folder, written, {**about, "version": classifier.version})
    return size + (save_medical(classifier.medical, folder / MEDICAL, {}) if classifier.medical else 0)


def load(folder: Traversable) -> Classifier:
    """Read what `save` wrote.

    Raises
    ------
    InputError
        If a file is missing, or is not the one the manifest names.
    """
    content = read_model(folder)
    settings = json.loads(content[_SETTINGS])
    arrays = read_arrays(content[_ARRAYS])

    def target(name: str) -> Target:
        entry = settings["targets"][name]
        return Target(
            tuple(entry["classes"]),
            _linear(arrays, name),
            arrays[f"{name}/dense"],
            read_booster(content[booster_file(name)]),
            Calibrator(entry["temperature"], tuple(entry["groups"]), arrays[f"{name}/offsets"]),
        )

    weakness = settings["weakness"]
    return Classifier(
        version=settings["version"],
        features=Features(read_terms(content["terms.tsv"]), read_terms(content["fields.tsv"])),
        cvss={name: target(name) for name in settings["cvss"]},
        points={name: target(name) for name in settings["points"]},
        weakness=weakness
        and WeaknessModel(
            tuple(weakness["numbers"]),
            arrays["weakness/shares"],
            _linear(arrays, _WEAKNESS),
            read_booster(content[booster_file(_WEAKNESS)]),
            weakness["temperature"],
        ),
        space=VectorSpace(arrays["space/vectors"].astype(np.int64), arrays["space/shares"]),
        decision=Decision(**settings["decision"]),
        floor=settings["floor"],
        medical=load_medical(folder.joinpath(MEDICAL)) if folder.joinpath(MEDICAL, MANIFEST).is_file() else None,
    )


@cache
def shipped() -> Classifier | None:
    """The classifier that comes with this package; None when none does."""
    folder = shipped_folder()
    return load(folder) if folder.joinpath(MANIFEST).is_file() else None


def shipped_folder() -> Traversable:
    """Where it lies."""
    return files("analyzers.vuln_classifier").joinpath("model")


def _settings(classifier: Classifier) -> dict[str, Any]:
    weakness = classifier.weakness
    return {
        "version": classifier.version,
        "floor": classifier.floor,
        "decision": asdict(classifier.decision),
        "cvss": list(classifier.cvss),
        "points": list(classifier.points),
        "targets": {
            name: {
                "classes": target.classes,
                "temperature": target.calibrator.temperature,
                "groups": target.calibrator.groups,
            }
            for name, target in {**classifier.cvss, **classifier.points}.items()
        },
        "weakness": weakness and {"numbers": weakness.numbers, "temperature": weakness.temperature},
    }


def _arrays(classifier: Classifier) -> dict[str, np.ndarray[Any, Any]]:
    found: dict[str, np.ndarray[Any, Any]] = {
        "space/vectors": classifier.space.vectors.astype(np.int8),
        "space/shares": classifier.space.shares,
    }
    models = {name: target.linear for name, target in {**classifier.cvss, **classifier.points}.items()}
    for name, target in {**classifier.cvss, **classifier.points}.items():
        found[f"{name}/dense"] = target.columns.astype(np.int32)
        found[f"{name}/offsets"] = target.calibrator.offsets.astype(np.float32)
    if classifier.weakness is not None:
        models[_WEAKNESS] = classifier.weakness.linear
        found["weakness/shares"] = classifier.weakness.shares.astype(np.float32)
    for name, linear in models.items():
        found[f"{name}/columns"] = linear.columns.astype(np.int32)
        found[f"{name}/weights"] = linear.weights.astype(np.float16)
        found[f"{name}/bias"] = linear.bias.astype(np.float32)
    return found


def _linear(arrays: Mapping[str, Any], name: str) -> LinearModel:
    return LinearModel(arrays[f"{name}/columns"], arrays[f"{name}/weights"], arrays[f"{name}/bias"])
