"""The report in a real browser: what a person does with it, and what hostile content may not."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors.sinks.report.page import render
from meddojo.finding import Finding, Stream
from meddojo.severity import Severity
from tests.connectors.sinks import report_samples as samples
from tests.connectors.sinks.browser import CHROMIUM, TOO_LITTLE_CONTRAST, Browser


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with Browser(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture(scope="module")
def hospital_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return samples.write(tmp_path_factory.mktemp("hospital"), samples.hospital()).as_uri()


@pytest.fixture(scope="module")
def rated_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return samples.write(tmp_path_factory.mktemp("rated"), samples.rated()).as_uri()


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
    browser.open(samples.write(tmp_path, samples.hostile()).as_uri() + "#q=script")
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
    assert browser.run(TOO_LITTLE_CONTRAST) == []


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
