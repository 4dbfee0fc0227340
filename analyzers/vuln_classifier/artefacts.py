"""Trained models on disk: UBJSON, plain text and plain arrays, each with its SHA-256 in ``manifest.json``.

Nothing here can run code when it is loaded: no pickle, and arrays are read with ``allow_pickle=False``.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analyzers.vuln_classifier.calibration import Calibrator
from analyzers.vuln_classifier.classifier import Classifier, Target
from analyzers.vuln_classifier.features import Features
from analyzers.vuln_classifier.joint import Decision, VectorSpace
from analyzers.vuln_classifier.linear import LinearModel
from analyzers.vuln_classifier.text import Vocabulary
from analyzers.vuln_classifier.weakness import WeaknessModel
from meddojo.errors import InputError

if TYPE_CHECKING:
    import xgboost

MANIFEST = "manifest.json"
LARGEST = 20_000_000
"""Bytes all files may have together."""
_ARRAYS = "linear.npz"
_SETTINGS = "settings.json"
_WEAKNESS = "weakness"
_HINT = "install meddojo again, or train anew: meddojo train vuln-classifier"


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
    folder.mkdir(parents=True, exist_ok=True)
    targets = {**classifier.cvss, **classifier.points}
    written = {
        "terms.tsv": _write_terms(classifier.features.text),
        "fields.tsv": _write_terms(classifier.features.fields),
        _ARRAYS: _write_arrays(_arrays(classifier)),
        _SETTINGS: _text(_settings(classifier)),
        **{_booster_file(name): bytes(target.booster.save_raw("ubj")) for name, target in targets.items()},
    }
    if classifier.weakness is not None:
        written[_booster_file(_WEAKNESS)] = bytes(classifier.weakness.booster.save_raw("ubj"))
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(written.items())}
    written[MANIFEST] = _text({**about, "version": classifier.version, "files": sums})
    for name, content in written.items():
        (folder / name).write_bytes(content)
    return sum(map(len, written.values()))


def load(folder: Traversable) -> Classifier:
    """Read what `save` wrote.

    Raises
    ------
    InputError
        If a file is missing, or is not the one the manifest names.
    """
    content = _verified(folder)
    settings = json.loads(content[_SETTINGS])
    arrays = np.load(io.BytesIO(content[_ARRAYS]), allow_pickle=False)

    def target(name: str) -> Target:
        entry = settings["targets"][name]
        return Target(
            tuple(entry["classes"]),
            _linear(arrays, name),
            arrays[f"{name}/dense"],
            _booster(content[_booster_file(name)]),
            Calibrator(entry["temperature"], tuple(entry["groups"]), arrays[f"{name}/offsets"]),
        )

    weakness = settings["weakness"]
    return Classifier(
        version=settings["version"],
        features=Features(_read_terms(content["terms.tsv"]), _read_terms(content["fields.tsv"])),
        cvss={name: target(name) for name in settings["cvss"]},
        points={name: target(name) for name in settings["points"]},
        weakness=weakness
        and WeaknessModel(
            tuple(weakness["numbers"]),
            arrays["weakness/shares"],
            _linear(arrays, _WEAKNESS),
            _booster(content[_booster_file(_WEAKNESS)]),
            weakness["temperature"],
        ),
        space=VectorSpace(arrays["space/vectors"].astype(np.int64), arrays["space/shares"]),
        decision=Decision(**settings["decision"]),
        floor=settings["floor"],
    )


@cache
def shipped() -> Classifier | None:
    """The classifier that comes with this package; None when none does."""
    folder = shipped_folder()
    return load(folder) if folder.joinpath(MANIFEST).is_file() else None


def shipped_folder() -> Traversable:
    """Where it lies."""
    return files("analyzers.vuln_classifier").joinpath("model")


def manifest(folder: Traversable) -> dict[str, Any]:
    """What the manifest says of the model.

    Raises
    ------
    InputError
        If there is none, or it is no JSON object.
    """
    try:
        found = json.loads(folder.joinpath(MANIFEST).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(str(folder), MANIFEST, f"is no manifest of a model: {error}", _HINT) from error
    if not isinstance(found, dict) or not isinstance(found.get("files"), dict):
        raise InputError(str(folder), MANIFEST, "lists no files", _HINT)
    return found


def _verified(folder: Traversable) -> dict[str, bytes]:
    content = {}
    for name, expected in manifest(folder)["files"].items():
        if "/" in name or "\\" in name or name.startswith("."):
            raise InputError(str(folder), MANIFEST, f"names a file elsewhere: {name!r}", _HINT)
        try:
            content[name] = folder.joinpath(name).read_bytes()
        except OSError as error:
            raise InputError(str(folder), name, f"cannot be read: {error}", _HINT) from error
        if hashlib.sha256(content[name]).hexdigest() != expected:
            raise InputError(str(folder), name, "is not the file its manifest names", _HINT)
    return content


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


def _write_arrays(arrays: Mapping[str, Any]) -> bytes:
    """An ``.npz`` whose bytes depend on nothing but the arrays: numpy's own writer stamps no time either."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _write_terms(vocabulary: Vocabulary) -> bytes:
    pairs = zip(vocabulary.terms, vocabulary.idf.tolist(), strict=True)
    return "".join(f"{term}\t{idf:.4f}\n" for term, idf in pairs).encode()


def _read_terms(content: bytes) -> Vocabulary:
    cells = content.decode().replace("\n", "\t").split("\t")[:-1]  # no term holds either; faster than by lines
    return Vocabulary(tuple(cells[::2]), np.array(cells[1::2], dtype=np.float32))


def _booster(content: bytes) -> xgboost.Booster:
    import xgboost

    booster = xgboost.Booster()
    booster.load_model(bytearray(content))
    booster.set_param({"nthread": 1})
    return booster


def _booster_file(name: str) -> str:
    return f"{name.replace(' ', '_')}.ubj"


def _text(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()
