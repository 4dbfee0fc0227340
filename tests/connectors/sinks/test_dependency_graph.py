"""Pictures of dependency graphs: what they show, what they leave out, and that no name in them acts."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import unicodedata
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.sinks.dependency_graph import to_html, to_svg
from connectors.sinks.dependency_graph.opening import open_on_risk
from connectors.sinks.dependency_graph.selection import NONE, by_risk, risky, structure_of
from connectors.sinks.dependency_graph.words import drawable, fitted, width
from connectors.sinks.report.page import render
from connectors.sinks.self_contained import PALETTE, asset
from meddojo.dependency_picture import DependencyPicture, PictureEdge, PictureNode, PictureVulnerability
from meddojo.sbom import DependencyKind
from meddojo.severity import Severity
from tests.connectors.sinks import picture_samples as samples
from tests.connectors.sinks import report_samples
from tests.connectors.sinks.test_report import Elements

FLAW = (PictureVulnerability("CVE-2021-44228", Severity.CRITICAL, "fixed in 2.17.1", exploited=True),)
ANY_TEXT = (st.text(max_size=60) | st.sampled_from(samples.HOSTILE)).map(lambda text: text or "-")


def picture(count: int, edges: list[tuple[int, int]], vulnerable: set[int], root: int | None = 0) -> DependencyPicture:
    nodes = tuple(
        PictureNode(f"ref-{number}", f"part-{number}", direct_risk=9.0 * (number in vulnerable),
                    vulnerabilities=FLAW if number in vulnerable else ())
        for number in range(count)
    )  # fmt: skip
    return DependencyPicture("device", nodes, tuple(PictureEdge(*edge) for edge in edges), root)


GRAPHS = st.integers(1, 16).flatmap(
    lambda count: st.builds(
        picture,
        st.just(count),
        st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=40),
        st.sets(st.integers(0, count - 1)),
        st.none() | st.integers(0, count - 1),
    )
)


def opening(of: DependencyPicture, most: int = 120) -> set[str]:
    found = open_on_risk(of, structure_of(of), most)
    return {of.nodes[node].name for node in found.nodes}


# What is shown.


@given(GRAPHS)
def test_parents_are_steps_of_shortest_paths(graph: DependencyPicture) -> None:
    structure = structure_of(graph)
    edges = {(edge.source, edge.target) for edge in graph.edges if edge.source != edge.target}
    assert set(structure.kinds) == edges
    distance = {} if graph.root is None else {graph.root: 0}
    for _ in graph.nodes:  # Bellman and Ford
        for source, target in edges:
            if source in distance:
                distance[target] = min(distance.get(target, 99), distance[source] + 1)
    for node in range(len(graph.nodes)):
        parent = structure.parents[node]
        if node in distance and node != graph.root:
            assert distance[parent] == distance[node] - 1 and (parent, node) in edges
        elif parent == NONE:
            assert node == graph.root or node in structure.tops
        else:
            assert (parent, node) in edges and parent not in distance


@given(GRAPHS, st.integers(1, 20))
def test_whatever_is_shown_is_shown_with_its_path(graph: DependencyPicture, most: int) -> None:
    structure = structure_of(graph)
    selection = risky(graph, structure, most)
    shown = set(selection.nodes)
    assert len(shown) <= max(most, 1)
    assert all(structure.parents[node] in shown | {NONE} for node in shown)
    wanted = set(by_risk(graph))
    assert selection.vulnerable == len(wanted)
    assert selection.vulnerable_left_out == len(wanted - shown)
    if most >= len(graph.nodes):
        assert wanted <= shown


def test_it_opens_on_the_vulnerable_and_what_brings_them_in() -> None:
    edges = [(0, 1), (1, 2), (0, 3), (3, 4), (4, 2), (0, 5), (5, 6), (2, 7)]
    assert opening(picture(9, edges, {2})) == {f"part-{number}" for number in (0, 1, 2, 3, 4)}


def test_with_little_room_the_worst_goes_first() -> None:
    graph = picture(6, [(0, 1), (1, 2), (0, 3), (3, 4), (0, 5)], {2, 4, 5})
    worst = replace(graph.nodes[4], direct_risk=9.9)
    graph = replace(graph, nodes=(*graph.nodes[:4], worst, graph.nodes[5]))
    assert opening(graph, 4) == {"part-0", "part-3", "part-4", "part-5"}
    assert "2, 1 of them vulnerable, are left out" in to_svg(graph, most=4)


def test_without_vulnerabilities_it_opens_on_forecasts_and_does_not_call_it_safe() -> None:
    graph = picture(200, [(number // 2, number) for number in range(1, 200)], set())
    likely = replace(graph.nodes[150], forecast=0.4)
    graph = replace(graph, nodes=(*graph.nodes[:150], likely, *graph.nodes[151:]))
    assert {"part-0", "part-1", "part-150", "part-75"} <= opening(graph)
    assert len(opening(graph)) == 60
    for text in (to_svg(graph), to_html(graph)):
        assert "no proof that there is none" in text
        assert "40%" in text


def test_components_without_a_path_hang_on_the_root_by_a_line_that_says_so() -> None:
    graph = picture(4, [(2, 3)], {1, 3})
    assert to_svg(graph).count('class="edge unstated way"') == 2
    assert "path not stated" in to_svg(graph)
    assert "path not stated" not in to_svg(picture(2, [(0, 1)], {1}))
    assert "unstated" not in to_svg(replace(graph, root=None)).split("</style>")[1]


def test_the_kind_of_an_edge_is_drawn_and_told() -> None:
    for kind, words in zip(DependencyKind, ("needs", "contains", "may need", "needs to be built"), strict=True):
        graph = replace(picture(2, [], {1}), edges=(PictureEdge(0, 1, kind),))
        assert f'class="edge {kind.value} way"' in to_svg(graph)
        assert f">{words}</text>" in to_svg(graph)
    both = (PictureEdge(0, 1, DependencyKind.DEVELOPMENT), PictureEdge(0, 1, DependencyKind.RUNTIME))
    assert structure_of(replace(graph, edges=both)).kinds == {(0, 1): DependencyKind.RUNTIME}


def test_the_drawing_says_what_it_shows() -> None:
    graph = replace(picture(12, [(0, 1), (1, 2)], {2}), title="Pump 7", device_score=84.4, subtitle="pump.cdx.json")
    drawing = fromstring(to_svg(graph))
    texts = [each.text for each in drawing.iter() if each.text]
    assert drawing.get("role") == "img"
    assert drawing.get("aria-labelledby") == "drawing-title drawing-text"
    assert texts[0] == "Pump 7"
    assert texts[1] == (
        "3 of 12 components: the only vulnerable one and the paths to the root; 9 are left out. "
        "By their worst vulnerability: 1 critical."
    )
    assert {"Risk 84.4 of 100", "pump.cdx.json", "C 1"} <= set(texts)
    assert "part-2. CVE-2021-44228 (critical, known exploited)" in texts


@pytest.mark.parametrize("root", [None, 0])
def test_the_smallest_pictures_have_a_page_and_a_drawing(root: int | None) -> None:
    graphs = [picture(1, [], set(), root), picture(1, [(0, 0)], {0}, root)]
    for graph in graphs if root == 0 else [*graphs, DependencyPicture("", ())]:
        assert fromstring(to_svg(graph)).tag == "{http://www.w3.org/2000/svg}svg"
        assert json.loads(Elements(to_html(graph)).raw[-2][1])["names"] == [node.name for node in graph.nodes]


def test_the_same_picture_gives_the_same_bytes() -> None:
    assert to_html(samples.grown(300, 0.1)) == to_html(samples.grown(300, 0.1))
    assert to_svg(samples.grown(300, 0.1)) == to_svg(samples.grown(300, 0.1))


def test_every_component_of_a_real_sbom_is_in_its_page(shared_data: Path) -> None:
    graph = samples.of_sbom(shared_data / "sbom" / "cyclonedx" / "keycloak.cdx.json")
    data = json.loads(Elements(to_html(graph)).raw[-2][1])
    assert data["names"] == [node.name for node in graph.nodes]
    assert len(data["names"]) == 904
    assert len(data["edges"]) == 3 * 994
    shown = {node for node, _, _ in data["opening"]["nodes"]}
    assert {number for number, node in enumerate(graph.nodes) if node.vulnerabilities} <= shown


# Names that attack.


@given(st.text(), st.integers(1, 50))
def test_nothing_unseen_is_drawn(text: str, limit: int) -> None:
    shown = drawable(text, limit)
    assert len(shown) <= limit
    assert not {unicodedata.category(each) for each in shown} & {"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"}
    assert drawable(shown, limit) == shown
    if text.isascii() and text.isprintable() and len(text) <= limit:
        assert shown == text


def test_what_is_unseen_is_named() -> None:
    assert drawable("invoice\u202egnp.exe") == "invoice[U+202E]gnp.exe"
    assert drawable("a\x00b\ud800") == "a[U+0000]b[U+D800]"
    assert drawable("a\nb") == "a b"
    assert drawable("Müller 漢字") == "Müller 漢字"
    assert drawable("e" + "\u0301" * 90) == "e" + "\u0301" * 3


@given(st.text(max_size=80).map(drawable), st.floats(0, 300))
def test_a_cut_text_fits(text: str, room: float) -> None:
    cut = fitted(text, 12, room)
    assert cut == "" or width(cut, 12) <= room or cut == text
    assert cut in ("", text) or text.startswith(cut[:-1])


def attacked(texts: list[str]) -> DependencyPicture:
    return samples.hostile((*texts, "end"))


@settings(max_examples=60, deadline=None)
@given(st.lists(ANY_TEXT, min_size=2, max_size=5))
def test_no_name_adds_an_element_to_the_drawing(texts: list[str]) -> None:
    def shape(graph: DependencyPicture) -> Counter[str]:
        return Counter(each.tag.split("}")[1] for each in fromstring(to_svg(graph)).iter())

    hostile, plain = shape(attacked(texts)), shape(attacked(["a" for _ in texts]))
    assert set(hostile) <= {"svg", "title", "desc", "style", "rect", "text", "tspan", "g", "path", "clipPath"}
    del hostile["tspan"], plain["tspan"]  # an empty or cut version has none
    assert hostile == plain


@settings(max_examples=60, deadline=None)
@given(st.lists(ANY_TEXT, min_size=2, max_size=5))
def test_no_name_adds_an_element_to_the_page(texts: list[str]) -> None:
    graph = attacked(texts)
    elements = Elements(to_html(graph))
    plain = Elements(to_html(attacked(["a" for _ in texts])))
    kept = [Counter(tag for tag, _ in each.found if tag not in ("tspan", "a")) for each in (elements, plain)]
    assert kept[0] == kept[1]
    names = {name for _, attributes in elements.found for name in attributes}
    assert not {name for name in names if name.startswith("on")} | (names & {"style", "src", "srcset", "action"})
    data = json.loads(elements.raw[-2][1])
    assert data["names"][1:] == [drawable(node.name) or "(no name)" for node in graph.nodes[1:]]


def test_the_page_allows_this_style_and_this_script_only() -> None:
    elements = Elements(to_html(samples.hostile()))
    policy = next(
        each["content"] for each in elements.of("meta") if each.get("http-equiv") == "Content-Security-Policy"
    )
    directives = dict(part.strip().split(" ", 1) for part in (policy or "").split(";"))
    (style,) = (text for tag, text in elements.raw if tag == "style")
    assert directives["default-src"] == "'none'"
    assert directives["style-src"] == digest(style)
    assert directives["script-src"] == digest(elements.raw[-1][1])
    assert "unsafe" not in (policy or "")
    assert [each.get("type") for each in elements.of("script")] == ["application/json", None]
    assert [link["href"] for link in elements.of("link")] == ["data:,"]


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_links_lead_to_public_pages_of_vulnerabilities_only() -> None:
    names = ("CVE-2021-44228", "GHSA-jfh8-c2jp-5v3q", "javascript:alert(1)", "https://evil.invalid", "CVE-2021-1'x")
    flaws = tuple(PictureVulnerability(name, Severity.HIGH) for name in names)
    graph = DependencyPicture("device", (PictureNode("a", "a", vulnerabilities=flaws),), root=0)
    elements = Elements(to_html(graph))
    outside = [link["href"] for link in elements.of("a") if not (link["href"] or "").startswith("#")]
    assert sorted(outside, key=str) == [
        "https://github.com/advisories/GHSA-jfh8-c2jp-5v3q",
        "https://nvd.nist.gov/vuln/detail/CVE-2021-44228",
    ]
    pages = {row[4] for row in json.loads(elements.raw[-2][1])["vulnerabilities"]["0"]}
    assert pages == {"", *outside}


def test_numbers_that_are_none_are_not_told() -> None:
    bad = PictureNode("a", "a", direct_risk=float("inf"), propagated_risk=float("nan"), forecast=float("nan"))
    graph = DependencyPicture("device", (bad,), root=0, device_score=float("nan"))
    words = Elements(to_html(graph)).words + " ".join(
        each.text or "" for each in fromstring(to_svg(graph)).iter("{*}text")
    )
    assert not re.search(r"\b(nan|inf)", words, re.IGNORECASE)
    assert json.loads(Elements(to_html(graph)).raw[-2][1])["forecasts"] == {}


def test_severities_have_the_colours_of_the_report() -> None:
    palette = asset(PALETTE)
    assert "--critical:" in palette
    for page in (to_html(samples.grown(5)), to_svg(samples.grown(5)), render(*report_samples.hospital())):
        assert palette in page


def test_five_thousand_components_stay_below_a_megabyte() -> None:
    graph = samples.grown(5_000)
    assert len(to_html(graph).encode()) < 1_000_000
    assert len(to_svg(graph).encode()) < 150_000
