from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.sinks.report import ReportSink, build, page
from connectors.sinks.report.charts import charts
from connectors.sinks.report.embedded import embed
from connectors.sinks.report.model import read
from connectors.sinks.report.page import percent, render
from meddojo.config import Config, InventoryConfig, ReportConfig
from meddojo.errors import TerminalError
from meddojo.finding import Finding, Stream
from meddojo.interface import RunContext, Sink, SourceState, StreamResult
from meddojo.severity import Severity
from tests.connectors.sinks import report_samples as samples
from tests.connectors.sinks.browser import CHROMIUM, Browser

Run = tuple[Sequence[StreamResult], RunContext]


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


def write(folder: Path, run: Run) -> Path:
    return Path(ReportSink(folder).deliver(*run).destination)


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
    first = write(tmp_path / "first", samples.hospital())
    second = write(tmp_path / "second", samples.hospital())
    for name in ("report.html", "findings.json", "findings.sarif"):
        assert (first.parent / name).read_bytes() == (second.parent / name).read_bytes()


def test_a_run_that_fails_leaves_the_previous_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, samples.hospital())
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(page, "render", full)
    with pytest.raises(TerminalError, match=r"cannot be written: No space left on device\n  hint: .*report\.directory"):
        write(tmp_path, samples.hostile())
    assert {name: (tmp_path / name).read_bytes() for name in before} == before


def test_a_directory_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("a file stands here")
    with pytest.raises(TerminalError, match="cannot be written"):
        write(tmp_path / "report", samples.hospital())


def test_hostile_text_still_gives_valid_files(tmp_path: Path) -> None:
    written = write(tmp_path, samples.hostile())
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
def test_empty_runs_have_a_page_too(run: Run, sentence: str) -> None:
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
def test_nothing_but_links_points_outside(run: Callable[[], Run]) -> None:
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


@settings(max_examples=40, deadline=None)
@given(
    st.recursive(
        st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_embedded_json_reads_back_and_cannot_leave_its_element(value: Any) -> None:
    text = embed(value)
    assert json.loads(text) == value
    assert not set("<>&\u2028\u2029") & set(text)


def test_five_thousand_findings_stay_below_eight_megabytes() -> None:
    results, context = samples.crowd(250, 20)
    text = render(results, context)
    assert len(text.encode()) < 8_000_000
    assert "Show more" in text


# In a real browser


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with Browser(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture(scope="module")
def hospital_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write(tmp_path_factory.mktemp("hospital"), samples.hospital()).as_uri()


@pytest.fixture(scope="module")
def rated_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write(tmp_path_factory.mktemp("rated"), samples.rated()).as_uri()


ROWS = "[...document.querySelectorAll('.device:not([hidden]) table.findings tbody tr:not(.detail)')]"
CHECKS = ROWS + ".map((row) => row.querySelector('a, .check').textContent)"


def findings_where(condition: Callable[[Finding], bool]) -> list[str]:
    results, _ = samples.hospital()
    return sorted(each.check for result in results for each in result.findings if condition(each))


def asked_for(browser: Browser) -> list[str]:
    """Addresses the page requested, itself and inline data left out."""
    urls = [event["request"]["url"] for event in browser.named("Network.requestWillBeSent")]
    return [url for url in urls if not url.startswith("data:") and not url.split("#")[0].endswith("/report.html")]


def test_the_browser_reports_scripts_and_requests(browser: Browser, tmp_path: Path) -> None:
    """The other way round: a page that misbehaves is noticed."""
    bad = tmp_path / "bad.html"
    bad.write_text("<title>x</title><img src='https://evil.invalid/a.png'><script>alert(1); undefined.x</script>")
    browser.open(bad.as_uri())
    assert [event["message"] for event in browser.named("Page.javascriptDialogOpening")] == ["1"]
    assert asked_for(browser)[1:] == ["https://evil.invalid/a.png"]
    assert browser.named("Runtime.exceptionThrown")


def test_hostile_content_runs_nothing_and_asks_for_nothing(browser: Browser, tmp_path: Path) -> None:
    browser.open(write(tmp_path, samples.hostile()).as_uri() + "#q=script")
    browser.wait(ROWS + ".length === 2")
    browser.run("document.querySelectorAll('.toggle').forEach((button) => button.click())")
    assert browser.run("document.querySelectorAll('tr.detail').length") == 2
    links = browser.run("[...document.links].map((link) => [link.protocol, link.getAttribute('href'), link.rel])")
    outside = [link for link in links if not link[1].startswith("#")]
    assert {protocol for protocol, _, _ in outside} == {"https:"}
    assert {rel for _, _, rel in outside} == {"noreferrer noopener"}
    assert browser.run("document.querySelectorAll('img, iframe, object, [onerror], [onmouseover]').length") == 0
    assert samples.ATTACK in browser.run("document.querySelector('.device strong').textContent")
    assert browser.named("Page.javascriptDialogOpening") == []
    assert browser.named("Runtime.exceptionThrown") == []
    assert browser.named("Log.entryAdded") == []
    assert asked_for(browser) == []


@pytest.mark.parametrize(
    ("fragment", "condition"),
    [
        ("severity=Critical", lambda each: each.severity is Severity.CRITICAL),
        ("severity=low,Info", lambda each: each.severity in (Severity.LOW, Severity.INFO)),
        ("kev=1", lambda each: each.kev is not None),
        ("review=1", lambda each: each.needs_review),
        ("device=ct-1", lambda each: each.device_id == "ct-1"),
        ("vendor=Philips&severity=High", lambda each: each.device_id == "pacs-1" and each.severity is Severity.HIGH),
        ("zone=patient+monitoring", lambda each: each.device_id == "mon-1"),
        ("stream=compliance", lambda each: each.stream is Stream.COMPLIANCE),
        ("q=OPENSSL%201.1", lambda each: "openssl" in each.components[0].name if each.components else False),
        ("q=cve-2019-0708", lambda each: each.check == "CVE-2019-0708"),
        ("decided=0&device=ct-1", lambda each: each.device_id == "ct-1" and each.check != "CVE-2022-0778"),
        ("q=no+such+thing", lambda each: False),
    ],
)
def test_a_fragment_presets_the_filter(
    browser: Browser, hospital_page: str, fragment: str, condition: Callable[[Finding], bool]
) -> None:
    browser.open(f"{hospital_page}#{fragment}")
    expected = findings_where(condition)
    assert sorted(browser.run(CHECKS)) == expected
    assert browser.run("document.getElementById('shown').textContent").startswith(f"{len(expected)} of 23 findings on ")
    assert browser.run("document.getElementById('none-shown').hidden") is bool(expected)


def test_filters_follow_the_hand_and_are_kept_in_the_address(browser: Browser, hospital_page: str) -> None:
    browser.open(hospital_page)
    assert browser.run("document.getElementById('shown').textContent") == "23 of 23 findings on 5 devices"
    browser.run("document.querySelector('[name=severity][value=Critical]').click()")
    browser.run("document.querySelector('[name=kev]').click()")
    browser.wait("location.hash === '#severity=Critical&kev=1'")
    expected = findings_where(lambda each: each.severity is Severity.CRITICAL and each.kev is not None)
    assert sorted(browser.run(CHECKS)) == expected
    browser.run("document.querySelector('button[type=reset]').click()")
    browser.wait("document.getElementById('shown').textContent.startsWith('23 of 23')")
    browser.run("document.querySelector('.tile.critical a').click()")
    browser.wait("document.getElementById('shown').textContent.startsWith('8 of 23')")


def test_a_row_opens_to_everything_that_is_known(browser: Browser, hospital_page: str) -> None:
    browser.open(f"{hospital_page}#q=CVE-2022-0778")
    browser.run("document.querySelector('.toggle').click()")
    detail = browser.run("document.querySelector('tr.detail').innerText")
    for text in (
        "false positive, in defectdojo finding 77", "The parser is not reachable.", "An attacker on the network",
        "CVSS 3.1 base score 7.5 by nvd@nist.gov", "CVSS:3.1/AV:N/AC:L", "grype, 100%: names Siemens Healthineers",
        "NVD, 90%: its CPE fits the model", "vendor fix: Siemens Healthineers offers an update.", "Fixed in: 1.1.1k.1",
        "pkg:generic/openssl@1.1.1k", "EPSS 1.3% within 30 days", "CWE-502", "GHSA-jfh8-c2jp-5v3q", "mdj-",
        "javascript:alert(2)",
    ):  # fmt: skip
        assert text in detail
    assert browser.run("document.querySelector('.toggle').getAttribute('aria-expanded')") == "true"
    browser.run("document.querySelector('.toggle').click()")
    assert browser.run("document.querySelectorAll('tr.detail').length") == 0


def test_tables_sort_by_their_headings(browser: Browser, hospital_page: str) -> None:
    browser.open(f"{hospital_page}#device=pacs-1")
    headings = "[...document.querySelectorAll('.device[open] thead button')]"
    click = headings + ".find((each) => each.textContent === 'EPSS').click()"
    browser.run(click)
    browser.wait("document.querySelector('.device[open] th[aria-sort=descending]') !== null")
    assert browser.run(CHECKS)[:2] == ["CVE-2021-44228", "CVE-2022-22965"]
    browser.run(click)
    browser.wait("document.querySelector('.device[open] th[aria-sort=ascending]') !== null")
    assert browser.run(CHECKS)[:2] == ["CVE-2021-33018", "CVE-2021-33020"]


@pytest.mark.parametrize(
    ("fragment", "decisions"), [("ssvc=Act", {"Act"}), ("ssvc=track*,Attend", {"Track*", "Attend"})]
)
def test_the_decision_filters(browser: Browser, rated_page: str, fragment: str, decisions: set[str]) -> None:
    browser.open(f"{rated_page}#{fragment}")
    results, _ = samples.rated()
    findings = [each for result in results for each in result.findings if each.clinical]
    expected = sorted(each.check for each in findings if each.clinical and each.clinical.decision.value in decisions)
    assert expected and sorted(browser.run(CHECKS)) == expected


def test_the_decision_sorts_and_is_kept_in_the_address(browser: Browser, rated_page: str) -> None:
    shown = ROWS + ".map((row) => row.querySelector('[data-label=SSVC]').textContent)"
    browser.open(f"{rated_page}#device=pacs-1")
    browser.run(
        "[...document.querySelectorAll('.device[open] thead button')].find((e) => e.textContent === 'SSVC').click()"
    )
    browser.wait("document.querySelector('.device[open] th[aria-sort=descending]') !== null")
    found = browser.run(shown)
    assert found == sorted(found, key=["Act", "Attend", "Track*", "Track"].index) and len(set(found)) > 2
    browser.run("document.querySelector('[name=ssvc][value=Act]').click()")
    browser.wait("location.hash === '#device=pacs-1&ssvc=Act'")
    assert set(browser.run(shown)) == {"Act"}


def test_a_row_opens_to_what_it_means_for_a_patient(browser: Browser, rated_page: str) -> None:
    browser.open(f"{rated_page}#q=CVE-2022-0778")
    browser.run("document.querySelector('.toggle').click(); document.querySelector('.detail details').open = true")
    detail = browser.run("document.querySelector('tr.detail').innerText")
    for text in (
        "What it means for a patient", "Hazardous situation: therapy could stop.", "CVSS 3.1 on this device: 8.8",
        "A:H/IR:H/AR:H", "CVSS 3.1 published: 7.5", "SSVC: Exploitation: none", "SSVCv2/E:N/",
        "AR:H from AR = H (delivers yes (FDA product code FRN))",
    ):  # fmt: skip
        assert text in detail


def test_without_scripts_the_tables_are_there(browser: Browser, hospital_page: str) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(hospital_page)
        root = browser.call("DOM.getDocument", depth=0)["root"]["nodeId"]
        rows = browser.call("DOM.querySelectorAll", nodeId=root, selector=".device table.findings tbody tr")["nodeIds"]
        assert len(rows) == 23
        first = browser.call("DOM.getOuterHTML", nodeId=rows[0])["outerHTML"]
        assert "CVE-2021-44228" in first
        assert "Known exploited" in first
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)


@pytest.mark.parametrize("width", [320, 390, 800, 1280])
def test_no_width_needs_sideways_scrolling(browser: Browser, rated_page: str, width: int) -> None:
    browser.screen(width, 900)
    browser.open(f"{rated_page}#device=ct-1")
    browser.run("document.querySelector('.toggle').click()")
    assert browser.run("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True])
def test_text_has_contrast_enough(browser: Browser, rated_page: str, dark: bool) -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 to 1."""
    browser.screen(1280, 900, dark)
    browser.open(f"{rated_page}#device=ct-1")
    browser.run("document.querySelectorAll('.toggle').forEach((button) => button.click())")
    assert browser.run(_CONTRASTS) == []


def test_printing_opens_every_table(browser: Browser, hospital_page: str) -> None:
    browser.screen(1280, 900)
    browser.open(hospital_page)
    printed = browser.call("Page.printToPDF", printBackground=True)["data"]
    assert base64.b64decode(printed).startswith(b"%PDF")
    assert browser.run(ROWS + ".length") == 23


def test_five_thousand_findings_open_at_once(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(render(*samples.crowd(2, 2500)), encoding="utf-8")
    browser.open(file.as_uri())
    browser.run("document.getElementById('open-all').click()")
    assert browser.run("document.querySelectorAll('table.findings').length") == 0  # nothing is drawn before it is seen
    browser.run("document.getElementById('findings').scrollIntoView({behavior: 'instant'})")
    browser.wait("document.querySelectorAll('table.findings tbody tr').length >= 200")
    assert browser.run("document.querySelectorAll('*').length") < 15_000
    browser.run("document.querySelector('.more-rows').click()")
    browser.wait("document.querySelectorAll('.device:first-of-type table.findings tbody tr').length === 400")
    browser.run("started = performance.now(); location.hash = '#kev=1&q=library-7'")
    spent = browser.run("new Promise((done) => setTimeout(() => done(performance.now() - started)))")
    assert spent < 2_000


@pytest.mark.slow
def test_fifty_thousand_findings_are_usable(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(render(*samples.crowd(1000, 50)), encoding="utf-8")
    browser.open(file.as_uri())
    browser.run("location.hash = '#severity=Critical&kev=1'")
    browser.wait("/ of 50,000 findings/.test(document.getElementById('shown').textContent)")
    assert browser.run("performance.getEntriesByType('navigation')[0].loadEventEnd") < 15_000


_CONTRASTS = """(() => {
  const parse = (text) => text.match(/[0-9.]+/g).map(Number);
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => [r, g, b].map((v) => linear(v / 255))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const colour = parse(getComputedStyle(node).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const bad = [];
  for (const node of document.querySelectorAll('main *, header *, footer *')) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!own || !node.checkVisibility() || node.closest('svg, .hidden')) continue;
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) bad.push([node.tagName, node.className, node.textContent.slice(0, 30), ratio].join(' '));
  }
  return bad;
})()"""
