"""An imaging model on the whole road: inspected, judged, delivered; and the nights on which something goes wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imaging.data.cases import write_case, write_index
from imaging.inspection.drift import describe, write_reference
from imaging.networks.seal import write_seal
from imaging.synthetic.synthesize import synthesize
from meddojo.finding import Decision, Finding, Stream, Verdict
from meddojo.severity import Severity
from meddojo.signature import generate
from meddojo.store.findings import Change
from scheduler.gate import ExitCode
from scheduler.pipeline import Outcome
from tests.scheduler.conftest import Hospital

PETCT = "petct-windows7"
CANARY = "CANARY-Erika-Mustermann"


@pytest.fixture(scope="session")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sets of cases of the same source, and one of those in Bq/ml."""
    from dataclasses import replace

    from imaging.data.cases import read_cases

    folder = tmp_path_factory.mktemp("scans")
    synthesize(folder / "all", 24, 32, 2, 5)
    cases = list(read_cases(folder / "all"))
    sets = {
        "training": cases[:12],
        "incoming": [replace(each, name=f"{CANARY}-{number}") for number, each in enumerate(cases[12:])],
        "wrong-unit": [replace(each, name=f"{CANARY}-{each.name}", pet=each.pet * 1000) for each in cases[12:]],
    }
    for name, chosen in sets.items():
        (folder / name).mkdir()
        write_index(folder / name, [write_case(folder / name, each) for each in chosen])
    return folder


@pytest.fixture
def model(hospital: Hospital, scans: Path) -> Path:
    """A signed model that the inventory names, without figures yet."""
    from imaging.data.cases import read_cases

    folder = hospital.folder / "models" / "petct"
    folder.mkdir(parents=True)
    (folder / "network.json").write_text("{}", "utf-8")
    np.savez(folder / "weights.npz", **{"0": np.zeros(3, dtype=np.float32)})
    write_reference(folder, describe(read_cases(scans / "training")))
    generate(hospital.folder / "maker", "Maker")
    bounds = {"least_dice": 0.7, "greatest_drift": 0.4}
    write_seal(folder, {"model": "petct", "version": "1.0", "bounds": bounds}, hospital.folder / "maker.key")
    hospital.replace(
        "inventory.toml",
        f'id = "{PETCT}"\n',
        f'id = "{PETCT}"\nimaging_model = "models/petct"\nimaging_model_key = "maker.pub"\n',
    )
    return folder


def told(hospital: Hospital) -> dict[str, Finding]:
    return {
        check.removeprefix("imaging-model-"): finding
        for check, finding in hospital.findings(PETCT, Stream.IMAGING_MODEL).items()
    }


def doubt(outcome: Outcome) -> str:
    (result,) = (each for each in outcome.results if each.device.id == PETCT and each.stream is Stream.IMAGING_MODEL)
    return result.doubt


def inspect(hospital: Hospital, model: Path, incoming: Path) -> Any:
    done = hospital.cli("imaging", "inspect", "--device", PETCT, "--model", model, "--incoming", incoming)
    assert done.code == 0, done.stderr
    return done


def test_from_an_inspection_to_findings_and_a_second_run_that_changes_nothing(
    hospital: Hospital, model: Path, scans: Path
) -> None:
    vulnerabilities = hospital.findings(PETCT)
    done = inspect(hospital, model, scans / "wrong-unit")
    assert "median PET" in done.stdout or "percentile of PET" in done.stdout
    outcome = hospital.run()
    assert outcome.code is ExitCode.CLEAN and not outcome.doubts
    found = told(hospital)
    assert set(found) == {"drift", "not-measured"}
    assert "percentile of PET" in found["drift"].summary and found["drift"].severity is Severity.MEDIUM
    assert "accuracy: at least 0.700 is asked for" in found["not-measured"].summary
    assert hospital.findings(PETCT) == vulnerabilities, "the other streams are as they were"

    contents, report = hospital.contents(), hospital.report()
    again = hospital.run()
    assert again.change == Change(0, 0, 0) and again.code is ExitCode.CLEAN
    assert hospital.report() == report
    assert hospital.contents()["finding"] == contents["finding"]

    rows = json.loads((hospital.folder / "report" / "findings.json").read_text("utf-8"))["findings"]
    (row,) = (each for each in rows if each["vuln_id_from_tool"] == "imaging-model-drift")
    assert "**imaging\\-model\\-drift**" in row["description"] or "imaging-model-drift" in row["description"]
    assert "Kolmogorov" in row["steps_to_reproduce"] and "Look for a changed unit" in row["mitigation"]
    assert row["component_name"] == "petct" and "imaging-model" in row["tags"]


def test_no_name_of_a_case_reaches_store_report_or_output(hospital: Hospital, model: Path, scans: Path) -> None:
    done = inspect(hospital, model, scans / "wrong-unit")
    hospital.run()
    assert CANARY not in done.stdout + done.stderr
    assert CANARY not in json.dumps(hospital.contents(), default=str) and CANARY not in json.dumps(hospital.report())
    assert CANARY not in (model / "reference.json").read_text("utf-8")


def test_images_of_the_same_source_are_no_drift(hospital: Hospital, model: Path, scans: Path) -> None:
    inspect(hospital, model, scans / "wrong-unit")
    hospital.run()
    assert "drift" in told(hospital)
    inspect(hospital, model, scans / "incoming")
    hospital.run(accept_shrink=True)
    assert set(told(hospital)) == {"not-measured"}


def test_a_changed_file_is_found_the_next_night_without_another_inspection(hospital: Hospital, model: Path) -> None:
    hospital.run()
    assert set(told(hospital)) == {"not-measured"}
    np.savez(model / "weights.npz", **{"0": np.ones(3, dtype=np.float32)})
    (model / "helper.pkl").write_bytes(b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02ls\x85R.")
    outcome = hospital.run()
    found = told(hospital)
    assert set(found) == {"not-measured", "tampered", "unsafe-pickle"} and outcome.change.new == 2
    assert "weights.npz: changed" in found["tampered"].summary and found["tampered"].severity is Severity.HIGH
    assert "os.system" in found["unsafe-pickle"].summary and found["unsafe-pickle"].severity is Severity.CRITICAL
    refused = hospital.cli("imaging", "inspect", "--device", PETCT, "--model", model, "--incoming", model)
    assert refused.code == 2 and "is not the file its manifest names" in refused.stderr
    assert hospital.run().change == Change(0, 0, 0)


def test_a_folder_that_cannot_be_read_closes_nothing_and_is_said(hospital: Hospital, model: Path) -> None:
    (model / "extra.txt").write_text("x", "utf-8")
    hospital.run()
    before = told(hospital)
    assert "tampered" in before
    shutil.move(model, model.with_name("gone"))
    outcome = hospital.run()
    assert outcome.code is ExitCode.INCOMPLETE and outcome.change == Change(0, 0, 0)
    assert "its imaging model could not be read" in doubt(outcome)
    assert told(hospital) == before
    shutil.move(model.with_name("gone"), model)
    assert hospital.run().code is ExitCode.CLEAN and told(hospital) == before


def test_a_certificate_that_cannot_be_read_is_doubt_and_not_unsigned(hospital: Hospital, model: Path) -> None:
    hospital.run()
    (hospital.folder / "maker.pub").write_text("nothing", "utf-8")
    outcome = hospital.run()
    assert "no public key" in doubt(outcome) and "unsigned" not in told(hospital)


def test_an_inspection_that_fails_keeps_what_was_known(hospital: Hospital, model: Path, scans: Path) -> None:
    inspect(hospital, model, scans / "wrong-unit")
    hospital.run()
    before = told(hospital)
    failed = hospital.cli("imaging", "inspect", "--device", PETCT, "--model", model, "--incoming", hospital.folder)
    assert failed.code == 2 and "index.json" in failed.stderr
    assert hospital.run().change == Change(0, 0, 0) and told(hospital) == before


def test_decisions_are_kept(hospital: Hospital, model: Path, scans: Path) -> None:
    inspect(hospital, model, scans / "wrong-unit")
    hospital.run()
    drift = told(hospital)["drift"]
    with hospital.store() as store:
        accepted = Decision(drift.identity, Verdict.RISK_ACCEPTED, "defectdojo", "1")
        store.findings.keep_decisions("defectdojo", [PETCT], [accepted])
    outcome = hospital.run()
    assert outcome.decisions == 1 and told(hospital)["drift"] == drift


def test_without_a_reference_of_the_training_drift_is_refused_with_what_to_do(
    hospital: Hospital, model: Path, scans: Path
) -> None:
    (model / "reference.json").unlink()
    done = hospital.cli("imaging", "inspect", "--model", model, "--incoming", scans / "incoming")
    assert done.code == 2 and "meddojo imaging reference" in done.stderr
