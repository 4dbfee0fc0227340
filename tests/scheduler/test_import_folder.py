"""Folders and archives of advisories, imported by hand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tests.scheduler.conftest import GATEWAY, Hospital


def record(name: str, package: str, fixed: str, **others: Any) -> dict[str, Any]:
    versions = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}]
    return {
        "schema_version": "1.6.0",
        "id": name,
        "modified": "2024-05-01T10:00:00Z",
        "summary": f"{package} crashes",
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],
        "affected": [{"package": {"ecosystem": "PyPI", "name": package}, "ranges": versions}],
        **others,
    }


def test_osv_records_find_the_components_of_an_sbom(hospital: Hospital, tmp_path: Path) -> None:
    folder = tmp_path / "osv"
    folder.mkdir()
    (folder / "1.json").write_text(json.dumps(record("GHSA-1111", "Pillow", "999", aliases=["CVE-2099-0001"])))
    (folder / "2.json").write_text(json.dumps(record("PYSEC-2099-1", "pillow", "998", aliases=["CVE-2099-0001"])))
    (folder / "3.json").write_text(json.dumps(record("GHSA-3333", "pillow", "0.1", aliases=["CVE-2099-0003"])))
    before = hospital.findings(GATEWAY)
    assert hospital.cli("import", folder).code == 0
    after = hospital.findings(GATEWAY)
    assert set(after) - set(before) == {"CVE-2099-0001"}
    assert [part.name for part in after["CVE-2099-0001"].components] == ["Pillow"]

    withdrawn = [
        record(name, "pillow", "999", aliases=["CVE-2099-0001"], withdrawn="2024-06-01T00:00:00Z")
        for name in ("GHSA-1111", "PYSEC-2099-1")
    ]
    for number, each in enumerate(withdrawn, 1):
        (folder / f"{number}.json").write_text(json.dumps(each))
    archive = shutil.make_archive(str(tmp_path / "all"), "zip", folder)
    assert hospital.cli("import", archive).code == 0
    assert "CVE-2099-0001" not in hospital.findings(GATEWAY), "two records withdrawn"


def test_a_folder_of_csaf_is_taken_too(hospital: Hospital) -> None:
    done = hospital.cli("import", hospital.folder / "feeds" / "csaf", "--store-only", "-v")
    assert done.code == 0 and "csaf: 40 records read" in done.stderr


def test_a_folder_of_something_else(hospital: Hospital, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a.json").write_text("{}")
    done = hospital.cli("import", tmp_path / "x", "--store-only")
    assert done.code == 3 and "no record of a kind that is understood in it" in done.stderr
    done = hospital.cli("import", tmp_path / "none", "--store-only")
    assert done.code == 3 and "no such file" in done.stderr
