"""What was fitted on the validation patients, beside the weights it was fitted for.

``calibration.json`` is of the network alone, shown a case as it is; ``calibration-monte_carlo.json`` and
``calibration-ensemble.json`` (in the folder of the first member) are of the means of both. Each names the SHA-256 of
its weights: other weights are refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from imaging.networks.files import WEIGHTS, read_whole, write_whole
from imaging.uncertainty.calibration import Kind, Scaling
from imaging.uncertainty.regions import Region
from imaging.uncertainty.review import Score
from meddojo.errors import InputError

_MAX_BYTES = 2**16
_MAX_WEIGHT_BYTES = 2**31

_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Share = Annotated[float, Field(gt=0.0, lt=1.0)]


class Method(StrEnum):
    """How the probabilities of a case are had."""

    NETWORK = "network"
    MONTE_CARLO = "monte_carlo"
    ENSEMBLE = "ensemble"


class Fitted(BaseModel):
    """What was fitted on validation patients.

    Attributes
    ----------
    weights
        SHA-256 of the weights of each member.
    patients
        How many it was fitted on.
    region
        Whose voxels the scaling was fitted on.
    kind, scale, bias
        Of `Scaling`.
    score, threshold, share
        A case whose score is above is flagged; chosen so that this share of the validation patients was.
    passes, seed
        Of Monte Carlo dropout; the seed is of no account otherwise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    method: Method
    weights: Annotated[tuple[_Digest, ...], Field(min_length=1, max_length=64)]
    patients: Annotated[int, Field(gt=0)]
    region: Region
    kind: Kind
    scale: Annotated[float, Field(gt=0.0, le=100.0)]
    bias: Annotated[float, Field(ge=-20.0, le=20.0)]
    score: Score
    threshold: Annotated[float, Field(ge=0.0, le=1.0)]
    share: _Share
    passes: Annotated[int, Field(gt=0, le=1000)]
    seed: Annotated[int, Field(ge=0)]

    @property
    def scaling(self) -> Scaling:
        """Of logits."""
        return Scaling(self.kind, self.scale, self.bias)


def write_fitted(folder: Path, fitted: Fitted) -> None:
    """Write it beside the weights of a run."""
    write_whole(_path(folder, fitted.method), (fitted.model_dump_json(indent=1) + "\n").encode())


def read_fitted(folders: Sequence[Path], method: Method) -> Fitted:
    """Read what was fitted for these weights.

    Parameters
    ----------
    folders
        Of the members; the file lies in the first.

    Raises
    ------
    InputError
        If there is none, it is damaged, or it was fitted for other weights.
    """
    path = _path(folders[0], method)
    try:
        found = Fitted.model_validate_json(read_whole(path, _MAX_BYTES))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InputError(str(path), "/" + "/".join(map(str, first["loc"])), first["msg"]) from error
    if found.method is not method:
        raise InputError(str(path), "/method", f"is {found.method.value}, not {method.value}")
    if found.weights != tuple(map(weights_digest, folders)):
        raise InputError(
            str(path),
            "/weights",
            "was fitted for other weights",
            "fit anew with the data of the training: meddojo imaging uncertainty",
        )
    return found


def scaling_of(folder: Path) -> Scaling:
    """Calibration of a run's network at prediction; none where nothing was fitted.

    Raises
    ------
    InputError
        If the file is damaged or was fitted for other weights.
    """
    if not _path(folder, Method.NETWORK).exists():
        return Scaling()
    return read_fitted([folder], Method.NETWORK).scaling


def weights_digest(folder: Path) -> str:
    """SHA-256 of the weights of a run.

    Raises
    ------
    InputError
        If they cannot be read.
    """
    return hashlib.sha256(read_whole(folder / WEIGHTS, _MAX_WEIGHT_BYTES)).hexdigest()


def _path(folder: Path, method: Method) -> Path:
    return folder / ("calibration.json" if method is Method.NETWORK else f"calibration-{method.value}.json")
