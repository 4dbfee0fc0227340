"""The score behaves: what it may never do, on random graphs with circles."""

from __future__ import annotations

import math
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.sbom_graph.exposure import LISTED, exposures, interface_nodes
from analyzers.sbom_graph.graph import CARRIES, Place, build_graph
from analyzers.sbom_graph.rating import CERTAIN
from analyzers.sbom_graph.risk import BANDS, DeviceRisk, combined, score, score_of, spread
from meddojo.sbom import Component, Dependency, DependencyKind, Sbom
from meddojo.severity import Severity
from tests.analyzers.sbom_graph.graphs import CARRYING, Sample, component, known, samples

ROUNDING = 1e-9


def scored(sample: Sample, sbom: Sbom | None = None) -> DeviceRisk:
    return score(build_graph(sbom or sample.sbom), sample.by_node(sbom))


@settings(deadline=None)
@given(samples(), st.data())
def test_a_further_vulnerability_never_lowers_anything(sample: Sample, data: st.DataObject) -> None:
    ref = data.draw(st.sampled_from([each.ref for each in sample.sbom.components]))
    chance = data.draw(st.floats(0.0, CERTAIN))
    more = Sample(
        sample.sbom,
        {**sample.vulnerabilities, ref: (*sample.vulnerabilities.get(ref, ()), known("CVE-2025-0001", chance))},
    )
    before, after = scored(sample), scored(more)
    assert after.score >= before.score - ROUNDING
    for one, other in zip(before.components, after.components, strict=True):
        assert other.direct >= one.direct - ROUNDING
        assert other.propagated >= one.propagated - ROUNDING


@settings(deadline=None)
@given(samples(), st.data())
def test_a_vulnerability_that_counts_more_never_lowers_the_score(sample: Sample, data: st.DataObject) -> None:
    if not sample.vulnerabilities:
        return
    ref = data.draw(st.sampled_from(sorted(sample.vulnerabilities)))
    first, *rest = sample.vulnerabilities[ref]
    worse = known(first.check, data.draw(st.floats(first.chance, CERTAIN)))
    assert (
        scored(Sample(sample.sbom, {**sample.vulnerabilities, ref: (worse, *rest)})).score
        >= scored(sample).score - ROUNDING
    )


@settings(deadline=None, max_examples=300)
@given(samples(), st.data())
def test_harmless_components_never_dilute(sample: Sample, data: st.DataObject) -> None:
    """However many are added on the device, wherever they hang, and whatever they need."""
    before = scored(sample)
    present = [
        each.ref
        for each, place in zip(sample.sbom.components, before.graph.places, strict=False)
        if place is not Place.DEVELOPMENT
    ]
    added = tuple(component(100 + number) for number in range(data.draw(st.integers(1, 4))))
    names = [each.ref for each in added]
    kinds = st.sampled_from(CARRYING)
    every = [each.ref for each in sample.sbom.components]
    below = st.builds(Dependency, st.sampled_from(names), st.sampled_from([*every, *names]), kinds)
    above = st.builds(Dependency, st.sampled_from(present), st.sampled_from(names), kinds) if present else below
    edges = data.draw(st.lists(below | above, max_size=12))
    after = scored(sample, sample.with_more(added, tuple(edges)))
    assert after.score >= before.score - ROUNDING
    for node in range(len(every)):
        assert after.components[node].hazard >= before.components[node].hazard - ROUNDING
        assert after.components[node].propagated >= before.components[node].propagated - ROUNDING


@settings(deadline=None)
@given(samples(), st.data())
def test_what_vex_takes_away_lowers_the_score_to_what_it_were_without(sample: Sample, data: st.DataObject) -> None:
    risky = scored(sample).ranking
    if not risky:
        return
    part = data.draw(st.sampled_from(risky))
    ref = sample.sbom.components[part.node].ref
    without = Sample(sample.sbom, {name: each for name, each in sample.vulnerabilities.items() if name != ref})
    after = scored(without)
    assert after.components[part.node].hazard == 0.0
    assert math.isclose(after.hazard, scored(sample).hazard - part.hazard, abs_tol=ROUNDING)


@settings(deadline=None)
@given(samples())
def test_order_of_components_and_edges_says_nothing(sample: Sample) -> None:
    turned = Sbom(
        sample.sbom.format,
        sample.sbom.components[::-1],
        sample.sbom.root,
        sample.sbom.dependencies[::-1],
    )
    assert math.isclose(scored(sample).hazard, scored(sample, turned).hazard, abs_tol=ROUNDING)


@settings(deadline=None)
@given(samples())
def test_everything_lies_in_its_range(sample: Sample) -> None:
    risk = scored(sample)
    assert 0.0 <= risk.score < 100.0 and 0.0 <= risk.chance <= 1.0
    for part in risk.components:
        assert 0.0 <= part.direct <= part.propagated + ROUNDING <= 1.0 + ROUNDING
        assert (part.exposure == 0.0) is (part.place is Place.DEVELOPMENT)
        assert part.place is Place.DEVELOPMENT or LISTED <= part.exposure <= 1.0
        assert 0 <= part.dependents < len(risk.components)
    assert (risk.hazard > 0.0) is bool(risk.ranking)
    assert risk.severity is not Severity.INFO or risk.hazard == 0.0


@settings(deadline=None, max_examples=200)
@given(samples(largest=9))
def test_propagated_risk_and_dependents_against_the_definition(sample: Sample) -> None:
    """Every pair of components by itself: the best chain's weakest link, by a closure over all links."""
    risk = scored(sample)
    graph, size = risk.graph, len(risk.components)
    link = [[0.0] * size for _ in range(size)]
    for node in range(size):
        for target, weight in zip(graph.needs[node], graph.weights[node], strict=True):
            link[node][target] = weight
    for through, one, other in product(range(size), repeat=3):
        link[one][other] = max(link[one][other], min(link[one][through], link[through][other]))
    contained = [max(link[graph.device][node], CARRIES[DependencyKind.CONTAINS]) for node in range(size)]
    for node, part in enumerate(risk.components):
        link[node][node] = 1.0
        reaches = contained if node == graph.device else link[node]
        left = math.prod(
            1.0 - (1.0 if other == node else reaches[other]) * risk.components[other].direct
            for other in range(size)
            if graph.places[other] is not Place.DEVELOPMENT
        )
        if part.place is not Place.DEVELOPMENT:
            assert math.isclose(part.propagated, 1.0 - left, abs_tol=1e-9)
        dependents = [other for other in range(size) if link[other][node] and other not in (node, graph.device)]
        assert part.dependents == len(dependents) and part.dependents_exact


@settings(deadline=None)
@given(st.lists(st.floats(0.0, CERTAIN), max_size=20))
def test_chances_are_combined_as_independent(chances: list[float]) -> None:
    assert math.isclose(combined(chances), 1.0 - math.prod(1.0 - chance for chance in chances), abs_tol=1e-9)
    assert combined(chances) >= max(chances, default=0.0) - 1e-9


def test_exposure_falls_with_depth_and_rises_at_interfaces() -> None:
    names = ("pump", "plain", "deep", "deeper", "nginx", "behind")
    sbom = Sbom(
        "",
        tuple(Component(name, name) for name in names),
        "pump",
        tuple(
            Dependency(*pair)
            for pair in [
                ("pump", "plain"),
                ("plain", "deep"),
                ("deep", "deeper"),
                ("deeper", "nginx"),
                ("nginx", "behind"),
            ]
        ),
    )
    graph = build_graph(sbom)
    assert [names[node] for node in interface_nodes(graph)] == ["nginx"]
    assert exposures(graph) == [1.0, 1.0, 0.875, 0.78125, 1.0, 0.875]


@pytest.mark.parametrize(
    ("kind", "place", "exposure"),
    [
        (DependencyKind.RUNTIME, Place.REACHED, 1.0),
        (DependencyKind.CONTAINS, Place.REACHED, 0.9),
        (DependencyKind.OPTIONAL, Place.REACHED, 0.75),
        (DependencyKind.DEVELOPMENT, Place.DEVELOPMENT, 0.0),
    ],
)
def test_what_each_kind_of_dependency_carries(kind: DependencyKind, place: Place, exposure: float) -> None:
    sbom = Sbom("", (Component("a", "a"), Component("b", "b")), "a", (Dependency("a", "b", kind),))
    risk = score(build_graph(sbom), {1: (known("CVE-2024-1", 0.5),)})
    assert risk.components[1].place is place
    assert risk.components[1].exposure == exposure
    assert (risk.hazard > 0.0) is (kind is not DependencyKind.DEVELOPMENT)
    carried = 0.0 if kind is DependencyKind.DEVELOPMENT else max(CARRIES[kind], CARRIES[DependencyKind.CONTAINS])
    assert math.isclose(risk.components[0].propagated, 0.5 * carried, abs_tol=1e-12)


def test_the_score_of_a_hazard_and_its_bands() -> None:
    assert score_of(0.0) == 0.0 and score_of(0.25) == 50.0
    assert list(BANDS) == [Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW]
    assert spread(0) == 0.8 and spread(10) < spread(1000) < 1.0
