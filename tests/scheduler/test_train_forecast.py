"""``meddojo train sbom-forecast``: what is missing is said before anything is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from meddojo.errors import ConfigError, InputError
from scheduler import train_forecast
from scheduler.console import Console


def test_missing_libraries_are_named_by_the_extras_they_come_with(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(train_forecast, "find_spec", lambda name: None)
    with pytest.raises(ConfigError) as error:
        train_forecast.train(tmp_path, tmp_path / "cve.parquet", tmp_path / "out", Console(-1))
    assert "meddojo[imaging,train]" in str(error.value)
    assert not (tmp_path / "out").exists()


def test_a_folder_without_indices_is_one_error_naming_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(train_forecast, "find_spec", lambda name: object())
    row = {"cve": "CVE-2020-7", "published": "2020-01-01", "vendor": "a", "product": "b", "description": "", "cna": ""}
    parquet.write_table(pyarrow.Table.from_pylist([row]), tmp_path / "cve.parquet")
    with pytest.raises(InputError, match=r"bullseye.*Sources"):
        train_forecast.train(tmp_path, tmp_path / "cve.parquet", tmp_path / "out", Console(-1))
