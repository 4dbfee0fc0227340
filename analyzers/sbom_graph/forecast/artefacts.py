"""The trained model on disk: plain arrays with their SHA-256 in ``manifest.json``; nothing executable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np

from analyzers.sbom_graph.forecast.features import ALL
from analyzers.sbom_graph.forecast.graph import Floats, Graph
from analyzers.sbom_graph.forecast.models import Linear, Mean, Model, Network, Scale, Trees
from analyzers.sbom_graph.forecast.sage import Sage
from meddojo.errors import InputError
from meddojo.model_files import MANIFEST, manifest, read_arrays, read_model, write_arrays, write_model

LARGEST = 2_000_000
"""Bytes all files may have together."""
_ARRAYS = "weights.npz"
_HINT = "install meddojo again, or train anew: meddojo train sbom-forecast"


@dataclass(frozen=True)
class Forecaster:
    """A model with what makes its scores probabilities.

    Attributes
    ----------
    slope, intercept
        Log-odds are ``slope * score + intercept`` (Platt 1999).
    """

    model: Model
    slope: float
    intercept: float

    def probabilities(self, graph: Graph, inputs: Floats) -> Floats:
        """Probability of a CVE within twelve months of each component, shape (n,)."""
        scores = self.slope * self.model.scores(graph, inputs) + self.intercept
        found: Floats = 1.0 / (1.0 + np.exp(-scores.astype(np.float64)))
        return found


def save(forecaster: Forecaster, folder: Path, about: Mapping[str, Any]) -> int:
    """Write a model; `about` is what the manifest says besides. Returns the bytes written."""
    members = forecaster.model.members if isinstance(forecaster.model, Mean) else (forecaster.model,)
    arrays: dict[str, Any] = {"calibration": np.array([forecaster.slope, forecaster.intercept])}
    for number, member in enumerate(members):
        arrays.update({f"{number}/{name}": value for name, value in _arrays(member).items()})
    kinds = [_KINDS[type(each)] for each in members]
    return write_model(folder, {_ARRAYS: write_arrays(arrays)}, {**about, "features": list(ALL), "members": kinds})


def load(folder: Traversable) -> Forecaster:
    """Read what `save` wrote.

    Raises
    ------
    InputError
        If a file is missing or is not the one the manifest names, or the model reads other features than are computed.
    """
    content, found = read_model(folder), manifest(folder)
    if found.get("features") != list(ALL):
        raise InputError(str(folder), MANIFEST, "is of a model that reads other features", _HINT)
    if _ARRAYS not in content:
        raise InputError(str(folder), MANIFEST, f"does not list {_ARRAYS}", _HINT)
    arrays = read_arrays(content[_ARRAYS])
    members = []
    for number, kind in enumerate(found["members"]):
        mine = {name.partition("/")[2]: arrays[name] for name in arrays if name.startswith(f"{number}/")}
        members.append(_member(kind, mine))
    slope, intercept = arrays["calibration"].tolist()
    return Forecaster(members[0] if len(members) == 1 else Mean(tuple(members)), slope, intercept)


@cache
def shipped() -> Forecaster:
    """The model that comes with this package.

    Raises
    ------
    InputError
        If it is damaged.
    """
    return load(shipped_folder())


def shipped_folder() -> Traversable:
    """Where it lies."""
    return files(__package__).joinpath("model")


_KINDS: Mapping[type[Any], str] = {Linear: "linear", Network: "network", Trees: "trees"}


def _arrays(model: Model) -> dict[str, Any]:
    if isinstance(model, Trees):
        nodes = {"places": model.places, "values": model.values, "base": np.array(model.base)}
        return {"names": np.array(model.names), **nodes}
    if isinstance(model, Linear):
        return {**_scale_arrays(model.scale), "weights": model.weights, "bias": np.array(model.bias)}
    if isinstance(model, Network):
        layers = {f"layer{number:02d}": each for number, each in enumerate(model.sage.arrays())}
        return {**_scale_arrays(model.scale), **layers}
    raise TypeError(f"{type(model).__name__} has no form on disk")


def _member(kind: str, arrays: Mapping[str, Any]) -> Model:
    names = tuple(str(name) for name in arrays["names"])
    if kind == "trees":
        return Trees(names, arrays["places"], arrays["values"], float(arrays["base"]))
    scale = Scale(names, arrays["mean"], arrays["deviation"])
    if kind == "linear":
        return Linear(scale, arrays["weights"], float(arrays["bias"]))
    return Network(scale, Sage.of([arrays[name] for name in sorted(arrays) if name.startswith("layer")]))


def _scale_arrays(scale: Scale) -> dict[str, Any]:
    return {"names": np.array(scale.names), "mean": scale.mean, "deviation": scale.deviation}
