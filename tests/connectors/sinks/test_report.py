from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from connectors.sinks.report import build, page
from connectors.sinks.report.charts import charts
from connectors.sinks.report.model import read
from connectors.sinks.report.page import percent, render
from meddojo.config import Config, InventoryConfig, ReportConfig
from meddojo.errors import TerminalError
from meddojo.finding import Stream
from meddojo.interface import RunContext, Sink, SourceState, StreamResult
from meddojo.severity import Severity
from tests.connectors.sinks import report_samples as samples


class Elements(HTMLParser):
    """Every element of a page with its attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.raw: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.words += " "
        if tag in ("script", "style"):
            self.raw.append((tag, ""))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem:
            self.raw[-1] = (self.raw[-1][0], self.raw[-1][1] + data)
        else:
            self.words += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def words(text: str) -> str:
    return " ".join(Elements(text).words.split())


# The files


def test_build_gives_a_sink_that_writes_three_files(tmp_path: Path) -> None:
    report, inventory = ReportConfig(directory=str(tmp_path / "a" / "b")), InventoryConfig(file="/srv/devices.toml")
    sink = build(Config(report=report, inventory=inventory), None)  # type: ignore[arg-type]
    assert isinstance(sink, Sink)
    assert list(sink.listen([samples.CT])) == []

    delivery = sink.deliver(*samples.hospital())

    assert delivery.sink == "report"
    assert delivery.destination == str(tmp_path / "a" / "b" / "report.html")
    assert (delivery.created, delivery.closed, delivery.patched, delivery.requests) == (0, 0, 0, 0)
    files = {path.name for path in (tmp_path / "a" / "b").iterdir()}
    assert files == {"report.html", "findings.json", "findings.sarif"}
    results, _ = samples.hospital()
    found = json.loads((tmp_path / "a" / "b" / "findings.json").read_text())["findings"]
    assert len(found) == sum(len(result.findings) for result in results)
    sarif = (tmp_path / "a" / "b" / "findings.sarif").read_text()
    assert "devices.toml" in sarif
    assert "/srv" not in sarif


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    first = samples.write(tmp_path / "first", samples.hospital())
    second = samples.write(tmp_path / "second", samples.hospital())
    for name in ("report.html", "findings.json", "findings.sarif"):
        assert (first.parent / name).read_bytes() == (second.parent / name).read_bytes()


def test_a_run_that_fails_leaves_the_previous_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples.write(tmp_path, samples.hospital())
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(page, "render", full)
    with pytest.raises(TerminalError, match=r"cannot be written: No space left on device\n  hint: .*report\.directory"):
        samples.write(tmp_path, samples.hostile())
    assert {name: (tmp_path / name).read_bytes() for name in before} == before


def test_a_directory_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("a file stands here")
    with pytest.raises(TerminalError, match="cannot be written"):
        samples.write(tmp_path / "report", samples.hospital())


def test_hostile_text_still_gives_valid_files(tmp_path: Path) -> None:
    written = samples.write(tmp_path, samples.hostile())
    written.read_text(encoding="utf-8")
    for name in ("findings.json", "findings.sarif"):
        json.loads((tmp_path / name).read_text(encoding="utf-8"), parse_constant=_refuse)


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


# What the page says


def test_the_page_says_what_was_found() -> None:
    text = words(render(*samples.hospital()))
    assert "21 open findings on 5 devices, 8 critical and 5 high. 6 known to be exploited." in text
    assert "6 devices 191 units; 5 with findings" in text
    assert "3 to review" in text
    assert "2 decided by people 1 false positive, 1 risk accepted" in text
    assert "Run of 2024-09-02 05:00 UTC" in text


def test_a_device_without_findings_is_never_called_safe() -> None:
    text = words(render(*samples.hospital()))
    section = text[text.index("Devices that no source was found to be about") : text.index("State of every source")]
    assert "Draeger Evita V800 1.20 14 ICU, patient monitoring vendor, model and version; no SBOM" in section
    assert "Nothing matched" in section
    assert "compared with 2,025 records of csaf and 84 records of nvd" in text
    assert not re.search(r"\b(safe|secure|clean)\b", text, re.IGNORECASE)


def test_an_incomplete_comparison_without_findings_is_marked() -> None:
    results = [StreamResult(samples.CT, Stream.VULNERABILITIES, (), complete=False, doubt="the scan ended early")]
    text = words(render(results, RunContext(samples.STARTED, ())))
    assert "This report is not complete" in text
    assert "Not complete vulnerabilities: the scan ended early" in text
    assert "There was no source to compare these devices with." in text


def test_sources_that_are_not_current_are_marked() -> None:
    started = samples.STARTED
    old = SourceState("local", 12, started - timedelta(days=30), started - timedelta(days=30))
    results, context = samples.hospital()
    report = read(results, RunContext(started, (*context.sources, old), context.skipped))
    states = {view.source.name: view.state for view in report.sources}
    assert states == {
        "csaf": "partial", "nvd": "stale", "kev": "current", "epss": "current", "taxii": "failed", "local": "stale",
    }  # fmt: skip
    text = words(render(results, context))
    assert "nvd is not up to date: HTTP 503 after 4 attempts; earlier data is used." in text
    assert "taxii Failed 0 never" in text
    assert "vulnerabilities: 60 % fewer findings than at the last delivery; old ones stay open (B. Braun" in text
    assert "advisories/icsma-21-999.json line 1, column 8" in text


def test_a_complete_run_has_no_banner() -> None:
    results, context = samples.crowd(2, 3)
    text = words(render(results, RunContext(samples.STARTED, (context.sources[2],))))
    assert "not complete" not in text


def test_the_top_list_puts_exploited_first_then_severity_then_epss() -> None:
    report = read(*samples.hospital())
    checks = [topic.check for topic in report.topics]
    assert checks[:6] == [
        "CVE-2021-44228", "CVE-2019-0708", "CVE-2022-22965", "CVE-2020-1938", "CVE-2023-44487", "CVE-2021-33885",
    ]  # fmt: skip
    assert not {"CVE-2021-33020", "CVE-2022-0778"} & set(checks)
    desktop = report.topics[1]
    assert [device.id for device in desktop.devices] == ["ct-1", "us-1"]
    assert (desktop.units, desktop.needs_review, desktop.action) == (8, False, "Siemens Healthineers offers an update.")


def test_open_findings_are_counted_apart_from_decided_ones() -> None:
    report = read(*samples.hospital())
    assert (report.total, report.open, report.decided) == (23, 21, 2)
    assert report.counts == {
        Severity.CRITICAL: 8, Severity.HIGH: 5, Severity.MEDIUM: 6, Severity.LOW: 1, Severity.INFO: 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        (([], RunContext(samples.STARTED, ())), "No device was examined."),
        (
            ([StreamResult(samples.CT, Stream.COMPLIANCE, ())], RunContext(samples.STARTED, ())),
            "No open finding on 1 device.",
        ),
    ],
)
def test_empty_runs_have_a_page_too(run: samples.Run, sentence: str) -> None:
    assert sentence in words(render(*run))


def test_charts_say_in_words_what_they_draw() -> None:
    drawn = {chart.name: chart for chart in charts(read(*samples.hospital()))}
    assert drawn["severity"].text == "8 critical, 5 high, 6 medium, 1 low, 1 info."
    assert drawn["devices"].text.startswith("The worst of 5 devices. Philips Vue PACS: 4 critical, 1 high, 1 medium;")
    assert drawn["exploit"].text.startswith("19 vulnerabilities. 5 are both severe")
    assert drawn["exploit"].svg.count('class="exploited"') == 3  # two pairs share a place
    for chart in drawn.values():
        assert f'role="img" aria-labelledby="chart-{chart.name}"' in chart.svg


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0%"), (0.00001, "<0.01%"), (0.0004, "0.04%"), (0.032, "3.2%"), (0.94, "94%"), (0.9996, ">99%"), (1, "100%")],
)
def test_percent_is_as_precise_as_it_needs_to_be(share: float, text: str) -> None:
    assert percent(share) == text


# What the page cannot do


@pytest.mark.parametrize("run", [samples.hospital, samples.hostile])
def test_nothing_but_links_points_outside(run: Callable[[], samples.Run]) -> None:
    elements = Elements(render(*run()))
    allowed = set(
        "html head meta title link style script body header nav main section footer h1 h2 h3 p a span strong time i ul"
        " li dl dt dd div details summary noscript table caption thead tbody tr th td figure figcaption svg rect line"
        " circle path text form fieldset legend label input select option output button".split()
    )
    assert {tag for tag, _ in elements.found} <= allowed
    names = {name for _, attributes in elements.found for name in attributes}
    assert not {name for name in names if name.startswith("on")} | (
        names & {"style", "src", "srcset", "action", "ping"}
    )
    assert [link["href"] for link in elements.of("link")] == ["data:,"]
    for link in elements.of("a"):
        address = link["href"] or ""
        assert address.startswith(("#", "https://", "http://"))
        assert address.startswith("#") or link["rel"] == "noreferrer noopener"


def test_the_policy_allows_this_style_and_this_script_only() -> None:
    elements = Elements(render(*samples.hostile()))
    policy = next(
        each["content"] for each in elements.of("meta") if each.get("http-equiv") == "Content-Security-Policy"
    )
    directives = dict(part.strip().split(" ", 1) for part in (policy or "").split(";"))
    style = next(text for tag, text in elements.raw if tag == "style")
    script = elements.raw[-1][1]
    assert directives["default-src"] == "'none'"
    assert directives["style-src"] == _digest(style)
    assert directives["script-src"] == _digest(script)
    assert "unsafe" not in (policy or "")
    assert [each.get("type") for each in elements.of("script")] == ["application/json", "application/json", None]


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_five_thousand_findings_stay_below_eight_megabytes() -> None:
    results, context = samples.crowd(250, 20)
    text = render(results, context)
    assert len(text.encode()) < 8_000_000
    assert "Show more" in text
