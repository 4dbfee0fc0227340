"""The dependency graph in a real browser: what a person does with it, and what hostile names may not."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest

from connectors.sinks.dependency_graph import to_html, to_svg
from connectors.sinks.dependency_graph.opening import open_on_risk
from connectors.sinks.dependency_graph.page import MOST_OPENED
from connectors.sinks.dependency_graph.selection import structure_of
from connectors.sinks.dependency_graph.words import drawable
from meddojo.dependency_picture import DependencyPicture, PictureEdge, PictureNode, PictureVulnerability
from meddojo.severity import Severity
from tests.connectors.sinks import picture_samples as samples
from tests.connectors.sinks.browser import CHROMIUM, TOO_LITTLE_CONTRAST, Browser

WINDOW = (1400, 900)
GRAPH = "dependencyGraph"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with Browser(tmp_path_factory.mktemp("profile")) as running:
        yield running


def device() -> DependencyPicture:
    """Two ways to log4j, one to zlib, and a hub with a hundred harmless parts."""
    names = ["gateway", "web", "store", "search", "log4j", "image", "zlib", "hub"]
    flaws: dict[str, tuple[PictureVulnerability, ...]] = {
        "log4j": (PictureVulnerability("CVE-2021-44228", Severity.CRITICAL, "fixed in 2.17.1", True),),
        "zlib": (
            PictureVulnerability("CVE-2018-25032", Severity.LOW),
            PictureVulnerability("CVE-2022-37434", Severity.HIGH),
        ),
    }  # fmt: skip
    risk = {"log4j": 9.8, "zlib": 7.5}
    nodes = [
        PictureNode(f"ref:{name}", name, "1.0", "library", risk.get(name, 0), risk.get(name, 3), flaws.get(name, ()),
                    0.21 if name == "image" else None, "upgrade to 2.17.1" if name == "log4j" else "")
        for name in names
    ]  # fmt: skip
    nodes += [PictureNode(f"ref:part-{number}", f"part-{number}", "2.0", "library") for number in range(100)]
    steps = [("gateway", "web"), ("gateway", "store"), ("store", "search"), ("web", "log4j"), ("search", "log4j")]
    steps += [("gateway", "image"), ("image", "zlib"), ("gateway", "hub"), ("zlib", "hub")]
    edges = [PictureEdge(names.index(source), names.index(target)) for source, target in steps]
    edges += [PictureEdge(names.index("hub"), len(names) + number) for number in range(100)]
    return DependencyPicture("Gateway 4", tuple(nodes), tuple(edges), 0, "gateway.cdx.json", 8.1, samples.GENERATED)


def show(browser: Browser, folder: Path, picture: DependencyPicture) -> None:
    file = folder / "graph.html"
    file.write_text(to_html(picture), encoding="utf-8")
    browser.screen(*WINDOW)
    browser.open(file.as_uri())


def shown(browser: Browser) -> set[str]:
    """References of the components drawn."""
    return set(
        browser.run(
            f"{GRAPH}.shown().map((node) => JSON.parse(document.getElementById('data').textContent).refs[node])"
        )
    )


def find(browser: Browser, name: str) -> int:
    found: int = browser.run(f"{GRAPH}.find('ref:{name}')")
    return found


def place(browser: Browser, name: str) -> dict[str, float]:
    found: dict[str, float] = browser.run(f"{GRAPH}.place({find(browser, name)})")
    return found


def path(browser: Browser) -> list[str]:
    names = browser.run("JSON.parse(document.getElementById('data').textContent).names")
    return [names[node] for node in browser.run(f"{GRAPH}.path()")]


def touching(boxes: Sequence[dict[str, Any]]) -> list[tuple[Any, Any]]:
    return [
        (one["node"], other["node"])
        for one, other in combinations(boxes, 2)
        if abs(one["middle"] - other["middle"]) < one["height"]
        and one["left"] < other["left"] + other["width"]
        and other["left"] < one["left"] + one["width"]
    ]


def quiet(browser: Browser) -> bool:
    """No script error, no message, no dialog, no request beyond the page itself."""
    urls = [event["request"]["url"] for event in browser.named("Network.requestWillBeSent")]
    asked = [url for url in urls if not url.startswith("data:") and not url.endswith("/graph.html")]
    messages = [
        browser.named(name)
        for name in (
            "Runtime.exceptionThrown",
            "Log.entryAdded",
            "Page.javascriptDialogOpening",
            "Runtime.consoleAPICalled",
        )
    ]
    return not asked and not any(messages)


def test_it_opens_where_the_drawing_is(browser: Browser, tmp_path: Path) -> None:
    picture = device()
    show(browser, tmp_path, picture)
    opening = open_on_risk(picture, structure_of(picture), MOST_OPENED)
    boxes = {box["node"]: box for box in browser.run(f"{GRAPH}.boxes()")}
    assert set(boxes) == set(opening.nodes)
    assert {picture.nodes[node].name for node in boxes} == {
        "gateway",
        "web",
        "store",
        "search",
        "log4j",
        "image",
        "zlib",
    }
    for number, node in enumerate(opening.nodes):
        column = opening.columns[opening.layout.layers[number]]
        assert boxes[node]["middle"] == pytest.approx(opening.layout.y[number], abs=0.06)
        assert (boxes[node]["left"], boxes[node]["width"]) == (column.x, column.width)
    assert (
        browser.run("document.getElementById('shown').textContent")
        == "7 of 108 components drawn, with all 2 vulnerable ones"
    )
    assert browser.run("[...document.querySelectorAll('.worst li')].map((each) => each.textContent)") == [
        "log4j 1.0 9.8",
        "zlib 1.0 7.5",
    ]
    assert quiet(browser)


def test_search_by_keyboard_leads_to_the_component_and_its_path(browser: Browser, tmp_path: Path) -> None:
    show(browser, tmp_path, device())
    browser.press("/", "/")
    assert browser.run("document.activeElement.id") == "search"
    for letter in "cve-2021-44":
        browser.press(letter, letter)
    assert browser.run("document.getElementById('found').textContent") == "1 component matches"
    browser.press("Enter", "\r")
    assert path(browser) == ["gateway", "web", "log4j"]
    told = browser.run("document.getElementById('panel').innerText")
    for text in (
        "upgrade to 2.17.1",
        "CVE-2021-44228",
        "Known exploited",
        "fixed in 2.17.1",
        "9.8",
        "Shown, 2 steps",
        "Show, 3 steps",
        "Needed by 2",
    ):
        assert text in told
    assert browser.run("document.getElementById('announce').textContent") == "log4j 1.0, Critical, 1 vulnerability"
    assert browser.run("document.querySelector('#components [aria-current]').dataset.node") == str(
        find(browser, "log4j")
    )
    browser.run(
        "[...document.querySelectorAll('.paths .show')].find((each) => each.textContent === 'Show, 3 steps').click()"
    )
    assert path(browser) == ["gateway", "store", "search", "log4j"]
    assert quiet(browser)


def test_search_brings_in_what_was_not_drawn(browser: Browser, tmp_path: Path) -> None:
    show(browser, tmp_path, device())
    assert "ref:part-77" not in shown(browser)
    browser.press("/", "/")
    for letter in "part-77":
        browser.press(letter, letter)
    browser.press("ArrowDown")
    browser.press("Enter", "\r")
    assert path(browser) == ["gateway", "hub", "part-77"]
    assert {"ref:hub", "ref:part-77"} <= shown(browser)
    assert touching(browser.run(f"{GRAPH}.boxes()")) == []
    browser.run("document.getElementById('reset').click()")
    assert "ref:hub" not in shown(browser) and path(browser) == []


def test_clicks_select_and_open_neighbours(browser: Browser, tmp_path: Path) -> None:
    show(browser, tmp_path, device())
    before = place(browser, "zlib")
    browser.click(before["x"], before["y"])
    assert browser.run(f"{GRAPH}.selected()") == find(browser, "zlib")
    assert place(browser, "zlib") == before  # what one points at stays under the pointer
    assert browser.run("[...document.querySelectorAll('.flaws .badge')].map((each) => each.textContent)") == [
        "High",
        "Low",
    ]
    browser.click(before["right"], before["y"])
    assert "ref:hub" in shown(browser)
    assert place(browser, "zlib") == pytest.approx(before, abs=1)
    hub = place(browser, "hub")
    browser.click(hub["x"], hub["y"])
    browser.run(
        "[...document.querySelectorAll('.open')].find((each) => each.textContent.startsWith('Draw 40 of 100')).click()"
    )
    assert len(shown(browser)) == 48
    assert touching(browser.run(f"{GRAPH}.boxes()")) == []
    browser.click(WINDOW[0] / 2, 140)
    assert path(browser) == []
    assert quiet(browser)


def test_arrows_walk_along_the_dependencies(browser: Browser, tmp_path: Path) -> None:
    show(browser, tmp_path, device())
    browser.run("document.getElementById('graph').focus()")
    browser.press("ArrowRight")
    assert browser.run(f"{GRAPH}.selected()") == find(browser, "log4j")  # the worst first
    browser.press("ArrowLeft")
    browser.press("ArrowLeft")
    assert path(browser)[0] == "gateway" and len(path(browser)) <= 3
    browser.press("Escape")
    browser.press("ArrowRight")
    browser.press("Escape")
    browser.run(f"document.querySelector('[data-node=\"{find(browser, 'zlib')}\"]').click()")
    browser.run("document.getElementById('graph').focus()")
    browser.press("Enter", "\r")
    assert "ref:hub" in shown(browser)
    browser.press("ArrowRight")
    assert browser.run(f"{GRAPH}.selected()") == find(browser, "hub")
    scale = "(() => { const [a, b] = [0, 1].map((n) => dependencyGraph.place(n)); return Math.abs(a.x - b.x); })()"
    wide = browser.run(scale)
    browser.press("-", "-")
    assert browser.run(scale) == pytest.approx(wide * 0.8)


def test_hostile_names_run_nothing_and_ask_for_nothing(browser: Browser, tmp_path: Path) -> None:
    picture = samples.hostile()
    show(browser, tmp_path, picture)
    for node in range(len(picture.nodes)):
        browser.run(f"document.querySelector('[data-node=\"{node}\"]').click()")
        told = browser.run("document.querySelector('#panel h2 bdi').textContent")
        assert told == (drawable(picture.nodes[node].name) or "(no name)")
    browser.run("document.getElementById('everything').click()")
    found = "document.querySelectorAll('img, iframe, object, embed, a[href^=javascript], [onerror], [onload]').length"
    assert browser.run(found) == 0
    assert browser.run("document.querySelectorAll('script').length") == 2
    assert touching(browser.run(f"{GRAPH}.boxes()")) == []
    assert quiet(browser)
    drawing = tmp_path / "graph.svg"
    drawing.write_text(to_svg(picture), encoding="utf-8")
    browser.open(drawing.as_uri())
    assert browser.run("document.querySelectorAll('script, image, foreignObject, a').length") == 0
    assert browser.named("Page.javascriptDialogOpening") == [] and browser.named("Log.entryAdded") == []


def test_a_page_that_misbehaves_is_noticed(browser: Browser, tmp_path: Path) -> None:
    """The other way round."""
    (tmp_path / "graph.html").write_text(f"<title>x</title>{samples.HOSTILE[0]}", encoding="utf-8")
    browser.open((tmp_path / "graph.html").as_uri())
    browser.wait("document.querySelectorAll('img').length === 1")
    assert not quiet(browser)


def test_five_thousand_components(browser: Browser, tmp_path: Path) -> None:
    picture = samples.grown(5_000)
    show(browser, tmp_path, picture)
    opened = shown(browser)
    assert {node.ref for node in picture.nodes if node.vulnerabilities} <= opened and len(opened) <= MOST_OPENED
    assert touching(browser.run(f"{GRAPH}.boxes()")) == []
    for node in (10, 4_999, 3_333):
        browser.run(f"document.getElementById('search').value = {picture.nodes[node].name!r}")
        browser.run("document.getElementById('search').dispatchEvent(new Event('input'))")
        browser.run("document.querySelector('#components button').click()")
        assert browser.run(f"{GRAPH}.selected()") == node
    browser.run("document.getElementById('everything').click()")
    assert len(browser.run(f"{GRAPH}.shown()")) == 5_000
    boxes = browser.run(f"{GRAPH}.boxes()")
    columns: dict[float, list[float]] = {}
    for box in boxes:
        columns.setdefault(box["left"], []).append(box["middle"])
    assert all(min(abs(a - b) for a, b in pairwise(rows)) >= 26 for rows in columns.values() if rows[1:])
    assert browser.run("document.querySelectorAll('*').length") < 5_000
    assert quiet(browser)


@pytest.mark.slow
def test_fifty_thousand_components_open_on_the_risky_ones(browser: Browser, tmp_path: Path) -> None:
    show(browser, tmp_path, samples.grown(50_000))
    assert len(browser.run(f"{GRAPH}.shown()")) == MOST_OPENED
    assert browser.run("document.getElementById('everything').disabled") is True
    browser.run("document.getElementById('search').value = '-49999'")
    browser.run("document.getElementById('search').dispatchEvent(new Event('input'))")
    browser.run("document.querySelector('#components button').click()")
    assert browser.run(f"{GRAPH}.selected()") == 49_999
    assert quiet(browser)


def test_an_empty_picture_opens_too(browser: Browser, tmp_path: Path) -> None:
    show(browser, tmp_path, DependencyPicture("nothing", ()))
    browser.run("document.getElementById('graph').focus()")
    for key in ("ArrowRight", "Enter", "0", "Escape"):
        browser.press(key)
    browser.run("document.getElementById('everything').click(); document.getElementById('reset').click()")
    assert browser.run("document.getElementById('shown').textContent").startswith("0 of 0 components drawn")
    assert quiet(browser)


def test_a_chain_of_twenty_thousand_opens(browser: Browser, tmp_path: Path) -> None:
    flaw = (PictureVulnerability("CVE-2024-1000", Severity.HIGH),)
    nodes = tuple(
        PictureNode(f"ref:{each}", f"link-{each}", vulnerabilities=flaw if each % 50 == 0 else ())
        for each in range(20_000)
    )
    edges = tuple(PictureEdge(each, (each + 1) % 20_000) for each in range(20_000))
    show(browser, tmp_path, DependencyPicture("chain", nodes, edges, 0))
    browser.run("document.getElementById('search').value = 'link-19999'")
    browser.run("document.getElementById('search').dispatchEvent(new Event('input'))")
    browser.run("document.querySelector('#components button').click()")
    assert len(path(browser)) == 20_000
    assert browser.run("document.querySelectorAll('#panel li').length") < 100
    assert quiet(browser)


def test_without_scripts_there_is_the_drawing_and_a_table(browser: Browser, tmp_path: Path) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        show(browser, tmp_path, device())
        root = browser.call("DOM.getDocument", depth=0)["root"]["nodeId"]

        def height(selector: str) -> float:
            node = browser.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
            found: float = browser.call("DOM.getBoxModel", nodeId=node)["model"]["height"]
            return found

        assert height("figure svg.drawing") > 200
        assert height("section.still table") > 60
        rows = browser.call("DOM.querySelectorAll", nodeId=root, selector="section.still tbody tr")["nodeIds"]
        assert len(rows) == 2
        assert "CVE-2021-44228" in browser.call("DOM.getOuterHTML", nodeId=rows[0])["outerHTML"]
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)


def test_paper_gets_the_drawing_and_the_table(browser: Browser, tmp_path: Path) -> None:
    show(browser, tmp_path, device())
    visible = (
        "['canvas', '#panel', '#components', 'svg.drawing', 'section.still table']"
        ".filter((each) => document.querySelector(each).checkVisibility())"
    )
    assert browser.run(visible) == ["canvas", "#panel", "#components"]
    browser.call("Emulation.setEmulatedMedia", media="print")
    assert browser.run(visible) == ["svg.drawing", "section.still table"]
    browser.call("Emulation.setEmulatedMedia", media="")
    printed = browser.call("Page.printToPDF", printBackground=True)["data"]
    assert base64.b64decode(printed).startswith(b"%PDF")


@pytest.mark.parametrize("reduced", [False, True])
def test_motion_is_left_out_for_those_who_ask(browser: Browser, tmp_path: Path, reduced: bool) -> None:
    show(browser, tmp_path, samples.grown(2_000, 0.05))
    preference = {"name": "prefers-reduced-motion", "value": "reduce" if reduced else "no-preference"}
    browser.call("Emulation.setEmulatedMedia", features=[preference])
    worst = browser.run("document.querySelectorAll('#components button')[20].dataset.node")
    browser.run(f"document.querySelector('[data-node=\"{worst}\"]').click(); first = {GRAPH}.place({worst})")
    time.sleep(0.5)
    moved = browser.run(
        f"(() => {{ const now = {GRAPH}.place({worst}); return Math.hypot(now.x - first.x, now.y - first.y); }})()"
    )
    assert (moved == 0) is reduced


@pytest.mark.parametrize("width", [320, 390, 800, 1280])
def test_no_width_needs_sideways_scrolling(browser: Browser, tmp_path: Path, width: int) -> None:
    show(browser, tmp_path, samples.hostile())
    browser.screen(width, 800)
    browser.run("document.querySelector('#components button').click()")
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run("document.getElementById('graph').getBoundingClientRect().height") > 250


@pytest.mark.parametrize("dark", [False, True])
def test_text_has_contrast_enough(browser: Browser, tmp_path: Path, dark: bool) -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 to 1."""
    show(browser, tmp_path, device())
    browser.screen(*WINDOW, dark)
    assert browser.run(TOO_LITTLE_CONTRAST) == []
    browser.run("document.querySelector('#components button').click()")
    assert browser.run(TOO_LITTLE_CONTRAST) == []
