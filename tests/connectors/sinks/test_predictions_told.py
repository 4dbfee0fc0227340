"""Predictions, as the destinations show them: marked, and beside what is published, never among it."""

from __future__ import annotations

from dataclasses import replace

from connectors.sinks.generic_findings import row
from connectors.sinks.report.embedded import _body
from meddojo.finding import Prediction
from meddojo.severity import Severity
from tests.connectors.sinks.report_samples import CT, finding

PLAIN = finding(CT, "CVE-2015-5374")
PREDICTED = Prediction(
    "vuln-classifier 1", Severity.HIGH, 0.7, "CVSS:3.1/AV:N", 7.5, ((79, 0.8),), 0.01, ('moved by "<b>remote</b>"',)
)
TOLD = replace(PLAIN, predicted=PREDICTED, cvss=(), cwes=(), tags=("predicted-severity",))


def test_defectdojo_is_told_who_predicted_and_gets_no_predicted_vector_or_weakness() -> None:
    told = row(TOLD, CT)
    assert "**Predicted by vuln-classifier 1, published by nobody:**" in told["severity_justification"]
    assert "- expected weakness: CWE-79 (0.80)" in told["severity_justification"]
    assert r"\<b\>remote" in told["severity_justification"]
    assert "predicted-severity" in told["tags"]
    assert "cwe" not in told and "cvssv3" not in told
    assert "Predicted" not in row(PLAIN, CT)["severity_justification"]
    for field in ("title", "description", "unique_id_from_tool"):
        assert row(PLAIN, CT)[field] == told[field]


def test_the_report_holds_the_lines_with_the_models_name() -> None:
    assert _body(TOLD)["predicted"][0] == "vuln-classifier 1"
    assert _body(TOLD)["predicted"][1].startswith("expected weakness: CWE-79")
    assert _body(PLAIN)["predicted"] == []
