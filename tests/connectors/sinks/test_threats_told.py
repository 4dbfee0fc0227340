"""Threat intelligence and the movement of EPSS, as the destinations show them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from connectors.sinks import sarif
from connectors.sinks.generic_findings import row
from connectors.sinks.report.embedded import _body
from meddojo.interface import RunContext, StreamResult
from meddojo.vulnerability import EpssScore
from tests.connectors.sinks.report_samples import CT, STARTED, finding

LINE = "used by Industroyer (S0604); ATT&CK for ICS T0814 Denial of Service"
MOVED = "EPSS rose from 0.02 to 0.31 in 30 days"
PLAIN = finding(CT, "CVE-2015-5374")
SCORE = EpssScore("CVE-2015-5374", 0.31, 0.97, date(2024, 9, 1), before=0.02)
TOLD = replace(PLAIN, threats=(LINE, "named by <b>Gauze</b>"), epss=SCORE)


def test_in_defectdojo_where_texts_may_change() -> None:
    plain, told = row(PLAIN, CT), row(TOLD, CT)
    assert "Threats" not in plain["impact"] and "EPSS" not in plain["severity_justification"]
    assert f"**Threats:**\n\n- {LINE}\n" in told["impact"]
    assert r"- named by \<b\>Gauze\</b\>" in told["impact"]
    assert told["impact"].index("Threats") < told["impact"].index("**Device:**")
    assert f"\n{MOVED}.\n" in told["severity_justification"]
    for field in ("title", "description", "unique_id_from_tool"):
        assert plain[field] == told[field]


def test_in_sarif() -> None:
    log = sarif.document([StreamResult(CT, PLAIN.stream, (TOLD,))], RunContext(STARTED, ()))
    (result,) = log["runs"][0]["results"]
    assert result["properties"]["threats"] == list(TOLD.threats)
    assert result["properties"]["epss"]["movement"] == MOVED
    assert f"{MOVED}." in result["message"]["text"]


def test_in_the_report() -> None:
    assert _body(TOLD)["threats"] == list(TOLD.threats)
    assert _body(TOLD)["epss"] == [0.31, 0.97, "2024-09-01", MOVED]
    assert _body(PLAIN)["threats"] == []
