"""What was fitted, on disk: as it was written, for the weights it was fitted for, or an error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from imaging.uncertainty.calibration import Kind, Scaling
from imaging.uncertainty.files import Fitted, Method, read_fitted, scaling_of, weights_digest, write_fitted
from imaging.uncertainty.regions import Region
from imaging.uncertainty.review import Score
from meddojo.errors import InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "weights.npz").write_bytes(b"weights")
    return tmp_path


def _fitted(folder: Path, method: Method = Method.NETWORK) -> Fitted:
    return Fitted(
        method=method,
        weights=(weights_digest(folder),),
        patients=4,
        region=Region.NEAR,
        kind=Kind.PLATT,
        scale=0.5,
        bias=-0.25,
        score=Score.ENTROPY,
        threshold=0.3,
        share=0.1,
        passes=30,
        seed=1,
    )


@pytest.mark.parametrize("method", list(Method))
def test_it_is_read_as_it_was_written(folder: Path, method: Method) -> None:
    write_fitted(folder, _fitted(folder, method))
    assert read_fitted([folder], method) == _fitted(folder, method)


def test_a_run_is_scaled_by_what_was_fitted_for_it_or_not_at_all(folder: Path) -> None:
    assert scaling_of(folder) == Scaling()
    write_fitted(folder, _fitted(folder))
    assert scaling_of(folder) == Scaling(Kind.PLATT, 0.5, -0.25)


def test_other_weights_are_refused(folder: Path) -> None:
    write_fitted(folder, _fitted(folder))
    (folder / "weights.npz").write_bytes(b"others")
    with pytest.raises(InputError, match="other weights"):
        scaling_of(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("scale", 0.0),
        ("scale", float("nan")),
        ("scale", "wide"),
        ("bias", 21.0),
        ("kind", "isotonic"),
        ("weights", []),
        ("weights", ["../secret"]),
        ("threshold", 2.0),
        ("share", 0.0),
        ("passes", 10**9),
        ("method", "ensemble"),
        ("more", 1),
    ],
)
def test_what_is_out_of_bounds_is_one_error_that_names_it(folder: Path, key: str, value: Any) -> None:
    write_fitted(folder, _fitted(folder))
    path = folder / "calibration.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(InputError, match=f"calibration.json: /{key}"):
        scaling_of(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b" " * 2**17, b"[" * 5000])
def test_what_is_damaged_is_an_error(folder: Path, content: bytes) -> None:
    (folder / "calibration.json").write_bytes(content)
    with pytest.raises(InputError, match=r"calibration\.json"):
        scaling_of(folder)
