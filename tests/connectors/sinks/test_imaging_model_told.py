"""Findings about an imaging model, as the destinations show them."""

from __future__ import annotations

from dataclasses import replace

from connectors.sinks import sarif
from connectors.sinks.generic_findings import row
from connectors.sinks.report.embedded import _body
from meddojo.advisory import Remediation
from meddojo.finding import Citation, Finding, Stream
from meddojo.interface import RunContext, StreamResult
from meddojo.sbom import Component
from meddojo.severity import Severity
from tests.connectors.sinks.report_samples import CT, STARTED, finding

TOLD = Finding(
    stream=Stream.IMAGING_MODEL,
    device_id=CT.id,
    check="imaging-model-unsafe-pickle",
    title="The imaging model is loaded from a pickle",
    severity=Severity.CRITICAL,
    severity_reason="whoever can exchange the file runs code in the device",
    probability=1.0,
    summary="<b>x</b>.pkl (byte 0): is a pickle (protocol 4): loading it calls os.system",
    cwes=(502,),
    components=(Component("imaging-model", "petct", "1.0"),),
    remediations=(Remediation("mitigation", "Keep weights as plain arrays"),),
    citations=(Citation("Files of petct 1.0", "", 1.0, "x.pkl is a pickle"),),
    tags=("imaging", "model-files"),
)


def test_in_defectdojo_it_was_found_and_not_matched() -> None:
    told = row(TOLD, CT)
    assert told["steps_to_reproduce"].startswith(
        "Found by looking at the model; look again with `meddojo imaging verify`"
    )
    assert "- **Files of petct 1.0**: x.pkl is a pickle" in told["steps_to_reproduce"]
    assert "Matched" not in told["steps_to_reproduce"] and "No source names" not in told["mitigation"]
    assert r"\<b\>x\</b\>" in told["impact"] and "petct 1.0" in told["impact"]
    assert told["cwe"] == 502 and told["severity"] == "Critical" and "imaging-model" in told["tags"]


def test_other_findings_are_told_as_before() -> None:
    plain = row(finding(CT, "CVE-2015-5374"), CT)["steps_to_reproduce"]
    assert plain.startswith("Matched with probability") and "meddojo imaging" not in plain


def test_title_and_description_hang_on_the_identity_alone() -> None:
    other = replace(TOLD, summary="another file", components=(Component("imaging-model", "petct", "2.0"),))
    for field in ("title", "description", "unique_id_from_tool"):
        assert row(TOLD, CT)[field] == row(other, CT)[field]


def test_in_sarif_and_in_the_report() -> None:
    log = sarif.document([StreamResult(CT, TOLD.stream, (TOLD,))], RunContext(STARTED, ()))
    (result,) = log["runs"][0]["results"]
    assert result["ruleId"] == TOLD.check and "pickle" in str(result["message"])
    assert _body(TOLD)["summary"] == TOLD.summary
