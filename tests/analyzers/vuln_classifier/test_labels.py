"""Reading the table."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from analyzers.vuln_classifier.labels import COLUMNS, read_examples
from analyzers.vuln_classifier.record import Scorer
from meddojo.errors import InputError

VECTOR = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
ROW = dict.fromkeys(COLUMNS) | {
    "cve": "CVE-2023-1", "published": "2023-05-01T00:00:00", "description": "text", "cvss3": VECTOR, "cvss3_src": "nvd",
    "rh_cvss3": VECTOR.replace("A:H", "A:N"), "cwe": "CWE-79", "cwe_src": "nvd",
}  # fmt: skip


def table(folder: Path, *rows: dict[str, str | None]) -> Path:
    pyarrow = pytest.importorskip("pyarrow", reason="reading the table needs pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = folder / "cve.parquet"
    columns = {name: pyarrow.array([row[name] for row in rows], pyarrow.string()) for name in COLUMNS}
    parquet.write_table(pyarrow.table(columns), path)
    return path


def test_two_scorers_are_two_ratings_and_a_weakness_of_nvd_is_a_label_not_a_feature(tmp_path: Path) -> None:
    (found,) = read_examples(table(tmp_path, ROW))
    assert [rating.scorer for rating in found.ratings] == [Scorer.NVD, Scorer.RED_HAT]
    assert found.ratings[0].metrics != found.ratings[1].metrics
    assert (found.published, found.weakness, found.record.cwes) == (date(2023, 5, 1), 79, ())


def test_a_weakness_of_the_assigner_is_known_at_publication(tmp_path: Path) -> None:
    (found,) = read_examples(table(tmp_path, ROW | {"cwe_src": "cna"}))
    assert found.record.cwes == (79,)


def test_a_record_without_a_day_has_no_place_in_a_split_by_time(tmp_path: Path) -> None:
    assert read_examples(table(tmp_path, ROW | {"published": None})) == []


def test_no_table_is_an_error_with_the_file_in_it(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "no.parquet"
    path.write_text("nothing")
    with pytest.raises(InputError, match=r"no\.parquet"):
        read_examples(path)
