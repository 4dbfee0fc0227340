"""``meddojo sbom``: bills of materials by themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from meddojo.config import load_config
from meddojo.store import Store
from scheduler.cli import app
from scheduler.console import Console
from scheduler.sbom_picture import picture_of
from scheduler.sboms import score_file
from tests.scheduler.conftest import Hospital

OPENVEX = {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "@id": "https://example.org/vex/1",
    "author": "Example Hospital Engineering",
    "timestamp": "2024-09-01T00:00:00Z",
    "version": 1,
    "statements": [
        {
            "vulnerability": {"name": "CVE-2023-4863"},
            "products": [{"@id": "pkg:pypi/Pillow@8.4.0", "identifiers": {"purl": "pkg:pypi/Pillow@8.4.0"}}],
            "status": "not_affected",
            "justification": "vulnerable_code_not_in_execute_path",
        }
    ],
}


def cli(*words: str | Path) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["sbom", *map(str, words)])
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def gateway(hospital: Hospital, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[Path, Path]:
    """SBOM and scan, in a folder where nothing is configured."""
    monkeypatch.chdir(tmp_path)
    return hospital.folder / "sboms" / "infusion-gateway.cdx.json", hospital.scan


def test_the_score_and_what_would_lower_it(gateway: tuple[Path, Path], tmp_path: Path) -> None:
    sbom, scan = gateway
    code, out, err = cli("score", sbom, "--scan", scan, "--json")
    found = json.loads(out)
    assert code == 0 and not err and not list(tmp_path.glob("*.db*"))
    assert (found["device"], found["components"], found["dependencies"]) == ("infusion-gateway", 23, 29)
    assert found["vulnerabilities"] == 14 and found["vulnerable_components"] == len(found["ranking"]) == 9
    assert sum(each["share"] for each in found["ranking"]) == pytest.approx(1.0, abs=1e-4)
    first, upgrade = found["ranking"][0], found["upgrades"][0]
    assert (first["name"], first["depth"], first["paths"]) == (
        "Pillow",
        1,
        [["infusion-gateway 4.2.0", "Pillow 8.4.0"]],
    )
    assert (upgrade["name"], upgrade["to"]) == ("Pillow", "10.2.0") and "CVE-2023-4863" in upgrade["fixes"]
    assert upgrade["score"] < found["score"]


def test_a_person_reads_the_same(gateway: tuple[Path, Path]) -> None:
    code, out, _ = cli("score", gateway[0], "--scan", gateway[1], "-n", 3)
    assert code == 0 and "\x1b" not in out
    assert "supply-chain score" in out and "upgrade Pillow 8.4.0 to 10.2.0: takes " in out
    assert "infusion-gateway 4.2.0 > requests 2.26.0 > urllib3 1.26.5" in out
    assert out.count("  upgrade ") == 3


def test_the_store_knows_more_where_one_is_configured(hospital: Hospital) -> None:
    sbom = hospital.folder / "sboms" / "nurse-call-console.spdx.json"
    bare = json.loads(hospital.cli("sbom", "score", sbom, "--json").stdout)
    assert bare["vulnerabilities"] > 0
    assert {each["name"] for each in bare["upgrades"]} >= {"lodash", "jquery"}


def test_vex_takes_a_vulnerability_away(gateway: tuple[Path, Path], tmp_path: Path) -> None:
    vex = tmp_path / "answer.json"
    vex.write_text(json.dumps(OPENVEX), "utf-8")
    before = json.loads(cli("score", gateway[0], "--scan", gateway[1], "--json")[1])
    after = json.loads(cli("score", gateway[0], "--scan", gateway[1], "--vex", vex, "--json")[1])
    assert after["score"] < before["score"] and after["vulnerabilities"] == before["vulnerabilities"] - 1
    assert "CVE-2023-4863" not in json.dumps(after)


def test_an_sbom_that_reports_its_own_vulnerabilities(gateway: tuple[Path, Path], tmp_path: Path) -> None:
    document = json.loads(gateway[0].read_text("utf-8"))
    rated = {"method": "CVSSv31", "score": 9.8, "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}
    document["vulnerabilities"] = [
        {"id": "CVE-2024-0001", "ratings": [rated], "affects": [{"ref": "Pillow==8.4.0"}]},
        {
            "id": "CVE-2024-0002",
            "ratings": [rated],
            "affects": [{"ref": "Pillow==8.4.0"}],
            "analysis": {"state": "not_affected"},
        },
    ]
    own = tmp_path / "own.cdx.json"
    own.write_text(json.dumps(document), "utf-8")
    found = json.loads(cli("score", own, "--json")[1])
    assert [each["check"] for each in found["ranking"][0]["vulnerabilities"]] == ["CVE-2024-0001"]
    assert found["ranking"][0]["name"] == "Pillow" and not found["unlisted"]


def test_the_gate(gateway: tuple[Path, Path]) -> None:
    assert cli("score", gateway[0], "--scan", gateway[1], "--fail-on", "high")[0] == 1
    assert cli("score", gateway[0], "--fail-on", "low")[0] == 0


def test_what_changed_between_two_versions(gateway: tuple[Path, Path], tmp_path: Path) -> None:
    text = gateway[0].read_text("utf-8")
    new = tmp_path / "new.cdx.json"
    new.write_text(text.replace('"8.4.0"', '"10.2.0"').replace("Pillow@8.4.0", "Pillow@10.2.0"), "utf-8")
    code, out, _ = cli("diff", gateway[0], new, "--old-scan", gateway[1], "--json")
    found = json.loads(out)
    assert code == 0
    assert [(each["name"], each["from"], each["to"]) for each in found["upgraded"]] == [("Pillow", "8.4.0", "10.2.0")]
    assert (found["added"], found["removed"], found["unchanged"]) == ([], [], 21)
    assert found["old"]["score"] > found["new"]["score"] == 0.0
    assert len(found["vulnerabilities_gone"]) >= 14 and not found["vulnerabilities_new"]
    _, told, _ = cli("diff", gateway[0], new, "--old-scan", gateway[1])
    assert "1 upgraded\n  Pillow 8.4.0 > 10.2.0" in told and "21 unchanged" in told


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"bomFormat": ', "utf-8")
    code, _, err = cli("score", broken)
    assert code == 2 and str(broken) in err.replace("\n", "")
    assert cli("score", tmp_path / "missing.json")[0] == 2


def test_the_graph_is_a_page_or_a_still_picture(gateway: tuple[Path, Path], tmp_path: Path) -> None:
    sbom, scan = gateway
    code, _, err = cli("graph", sbom, "--scan", scan)
    page = (tmp_path / "infusion-gateway.graph.html").read_text("utf-8")
    assert code == 0 and "23 components, 9 of them vulnerable" in err
    assert "CVE-2023-4863" in page and "upgrade Pillow 8.4.0 to 10.2.0" in page
    code, _, _ = cli("graph", sbom, "--scan", scan, "-o", tmp_path / "pictures" / "gateway.svg")
    assert code == 0 and (tmp_path / "pictures" / "gateway.svg").read_text("utf-8").startswith("<svg")


def test_the_picture_says_what_the_score_says(gateway: tuple[Path, Path], hospital: Hospital) -> None:
    with Store("sqlite://") as store:
        scored = score_file(gateway[0], [gateway[1]], (), load_config(hospital.config, {}), store, Console(-1))
    picture = picture_of(scored)
    assert picture.root is not None and picture.nodes[picture.root].name == "infusion-gateway"
    assert picture.device_score == pytest.approx(scored.risk.score)
    assert len(picture.edges) == len(scored.sbom.dependencies)
    risky = {node.label: node for node in picture.nodes if node.vulnerabilities}
    assert set(risky) == {scored.risk.graph.label(part.node) for part in scored.risk.ranking}
    assert risky["Pillow 8.4.0"].advice.startswith("upgrade Pillow 8.4.0 to 10.2.0")
