"""``meddojo import`` of a bulletin in prose leads to findings that say where they come from."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from meddojo.advisory import Advisory
from meddojo.config import load_config
from meddojo.finding import Finding
from meddojo.serialise import from_json
from tests.connectors.test_llm import OPENAI, Model, model
from tests.scheduler.conftest import REPOSITORY, Hospital

BULLETINS = REPOSITORY / "examples" / "bulletins"
SAID = "read from a bulletin's text"


def found(hospital: Hospital) -> dict[str, set[str]]:
    """Device -> what was found on it because of a bulletin; every citation has to say that it was read from a text."""
    by_device: dict[str, set[str]] = {}
    for finding in hospital.run(pull=False).findings:
        citations = [citation for citation in finding.citations if "TEXT-" in citation.source]
        for citation in citations:
            assert SAID in citation.source
            assert citation.reason.endswith(SAID)
            by_device.setdefault(finding.device_id, set()).add(finding.check)
    return by_device


def advisories(hospital: Hospital) -> list[Advisory]:
    """What the store holds that was read from a text."""
    config = load_config(hospital.config, {})
    with closing(sqlite3.connect(config.store.url.removeprefix("sqlite:///"))) as store:
        rows = store.execute("SELECT body FROM advisory ORDER BY id").fetchall()
    return [advisory for (body,) in rows if (advisory := from_json(Advisory, body)).passages]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("spacecom.txt", {"pump-station-spacecom": {"CVE-2021-33885", "CVE-2021-33886"}}),
        ("monitors.html", {"icu-monitor-mx800": {"CVE-2020-16216"}}),
        ("gateway.pdf", {"infusion-gateway": {"TEXT-EHE-SB-2024-003:text"}}),
    ],
)
def test_the_examples(fresh_whole: Hospital, name: str, expected: dict[str, set[str]]) -> None:
    done = fresh_whole.cli("import", BULLETINS / name)
    assert done.code == 0
    assert done.errors == []
    assert found(fresh_whole) == expected


def test_importing_twice_changes_nothing(fresh: Hospital) -> None:
    assert "1 new or changed" in fresh.cli("import", BULLETINS / "gateway.pdf").stderr
    assert "0 new or changed" in fresh.cli("import", BULLETINS / "gateway.pdf").stderr


def test_a_revision_replaces_its_forerunner(fresh: Hospital, tmp_path: Path) -> None:
    fresh.cli("import", BULLETINS / "spacecom.txt")
    revised = tmp_path / "revised.txt"
    revised.write_text((BULLETINS / "spacecom.txt").read_text("utf-8").replace("012U000062", "012U000063"), "utf-8")
    fresh.cli("import", revised)
    (advisory,) = advisories(fresh)
    assert advisory.id == "TEXT-EX-SB-2021-11"
    assert "prior to 012U000063" in {product.version_text for product in advisory.products}


def test_the_advisory_keeps_where_each_item_stands(fresh: Hospital) -> None:
    fresh.cli("import", BULLETINS / "gateway.pdf")
    (advisory,) = advisories(fresh)
    items = {(passage.item, passage.text) for passage in advisory.passages}
    assert {
        ("listed product", "Infusion Gateway"),
        ("affected versions", "versions 4.0 through 4.2.1"),
        ("cvss", "CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:H/I:L/A:N"),
        ("cwe", "CWE-798"),
        ("published", "2024-05-14"),
        ("number", "EHE-SB-2024-003"),
    } <= items
    (vulnerability,) = advisory.vulnerabilities
    assert [score.cvss.base_score for score in vulnerability.scores] == [7.1]
    assert vulnerability.cwes == (798,)
    assert {item.category for item in vulnerability.remediations} == {"vendor_fix", "mitigation"}
    assert [status.value for _, status in vulnerability.statuses] == ["known_affected", "known_affected", "fixed"]


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"A vulnerability was found somewhere.", "no affected product could be read"),
        (b"CVE-2024-0001 is a vulnerability.", "names 1 CVE id"),
        (
            b"A vulnerability of the Frobnicator Clinic Manager 2.1 and earlier.",
            "names no CVE id and lists no affected",
        ),
        (b"vulnerability \x00", "a NUL byte"),
        (b"%PDF-1.4 vulnerability", "damaged or unusual PDF"),
        (b"Dear all, lunch is at noon", "not a kind of file that is understood"),
    ],
)
def test_what_is_no_bulletin_is_one_error_and_no_finding(
    hospital: Hospital, tmp_path: Path, content: bytes, cause: str
) -> None:
    file = tmp_path / "bulletin.txt"
    file.write_bytes(content)
    done = hospital.cli("import", file)
    (error, *_) = done.errors
    assert str(file) in error
    assert cause in error
    assert done.code == 3
    assert advisories(hospital) == []


@pytest.fixture
def suggesting() -> Iterator[Model]:
    products = [
        {"name": "CD-ROM of the old gateway", "vendor": "", "versions": ""},
        {"name": "DICOM Router", "vendor": "", "versions": ""},
    ]
    content = json.dumps({"products": products})
    with model(json.dumps({"choices": [{"message": {"content": content}}]}).encode()) as server:
        yield server


def with_model(hospital: Hospital, url: str, seconds: float = 5.0) -> None:
    with hospital.config.open("a", encoding="utf-8") as file:
        file.write(f'\n[advisory_text]\nllm_url = "{url}"\nllm_timeout_seconds = {seconds}\n')


def test_a_language_model_adds_what_the_text_says_and_no_more(
    fresh: Hospital, suggesting: Model, tmp_path: Path
) -> None:
    file = tmp_path / "bulletin.txt"
    file.write_text("CVE-2024-0001\nAffected products\n- Infusion Gateway: 4.2.0\nThe old DICOM Router too.", "utf-8")
    with_model(fresh, suggesting.url)
    assert "1 products added, 1 dropped" in fresh.cli("import", file).stderr
    (advisory,) = advisories(fresh)
    assert [product.product for product in advisory.products] == ["Infusion Gateway", "DICOM Router"]
    assert "suggested product" in {passage.item for passage in advisory.passages}
    ((_, _, asked),) = suggesting.asked
    assert asked["messages"][1]["content"].startswith("CVE-2024-0001")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>", "the bulletin is read without it"),
        (json.dumps(OPENAI).replace("products", "goods").encode(), "does not follow the schema"),
    ],
)
def test_a_language_model_that_fails_leaves_the_rules(fresh: Hospital, body: bytes, said: str) -> None:
    with model(body) as server:
        with_model(fresh, server.url)
        done = fresh.cli("import", BULLETINS / "gateway.pdf")
    assert said in done.stderr
    assert len(advisories(fresh)) == 1


def test_nothing_is_sent_without_configuration(fresh: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **named: object) -> None:
        raise AssertionError("something was sent")

    monkeypatch.setattr("scheduler.intake.ask", refuse)
    monkeypatch.setattr("connectors.http.PoliteSession.send", refuse)
    for file in sorted(BULLETINS.glob("*.[tph]*")):
        assert fresh.cli("import", file).code in (0, 3)


def test_a_bulletin_clears_no_device(fresh_whole: Hospital, tmp_path: Path) -> None:
    """A sentence about unaffected products may be misread: it must not silence what others report."""
    before: list[Finding] = list(fresh_whole.run().findings)
    shutil.copy(BULLETINS / "spacecom.txt", tmp_path / "b.txt")
    file = tmp_path / "not_affected.txt"
    checks = sorted({finding.check for finding in before if finding.device_id == "infusion-gateway"})
    file.write_text(
        f"{checks[0]}\nAffected products\n- Nurse Call Console: 2.1 and earlier\nNot affected\n- Infusion "
        f"Gateway: all versions\n"
        "Example Hospital Engineering Infusion Gateway 4.2.0 is not affected. Fixed in Infusion Gateway 4.2.0.\n",
        "utf-8",
    )
    fresh_whole.cli("import", file)
    after = {(finding.device_id, finding.check) for finding in fresh_whole.run(pull=False).findings}
    assert {(finding.device_id, finding.check) for finding in before} <= after
