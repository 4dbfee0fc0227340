"""Upgrades and removals are ranked right without scoring anew."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.sbom_graph.graph import build_graph
from analyzers.sbom_graph.risk import DeviceRisk, score
from analyzers.sbom_graph.what_if import brought_in, fixed_by, rank_removals, rank_upgrades
from meddojo.sbom import Component, Dependency, Sbom
from tests.analyzers.sbom_graph.graphs import CARRYING, Sample, known, samples

ROUNDING = 1e-9
EVERY = 1000


def scored(sample: Sample, sbom: Sbom | None = None) -> DeviceRisk:
    return score(build_graph(sbom or sample.sbom), sample.by_node(sbom))


@settings(deadline=None)
@given(samples(), st.data())
def test_an_upgrade_takes_away_exactly_what_scoring_anew_says(sample: Sample, data: st.DataObject) -> None:
    versions = st.lists(st.sampled_from(["1.1", "1.2", "2.0", "0.9"]), max_size=2, unique=True)
    fixable = Sample(
        sample.sbom,
        {
            ref: tuple(replace(each, fix_versions=tuple(data.draw(versions))) for each in every)
            for ref, every in sample.vulnerabilities.items()
        },
    )
    before = scored(fixable)
    upgrades = rank_upgrades(before, EVERY)
    assert [each.hazard for each in upgrades] == sorted((each.hazard for each in upgrades), reverse=True)
    for upgrade in upgrades:
        refs = {fixable.sbom.components[node].ref for node in upgrade.nodes}
        left = {
            ref: tuple(each for each in every if ref not in refs or not fixed_by(upgrade.target, each.fix_versions))
            for ref, every in fixable.vulnerabilities.items()
        }
        after = scored(Sample(fixable.sbom, left))
        assert math.isclose(after.hazard, before.hazard - upgrade.hazard, abs_tol=ROUNDING)
        assert math.isclose(after.score, upgrade.score, abs_tol=1e-6)
        assert upgrade.target != "0.9"


@settings(deadline=None)
@given(samples(kinds=CARRYING))
def test_a_removal_takes_away_at_least_what_is_said(sample: Sample) -> None:
    before = scored(sample)
    for removal in rank_removals(before, EVERY):
        gone = {sample.sbom.components[node].ref for node in brought_in(before, removal.node)}
        assert len(gone) == removal.components
        sbom = replace(
            sample.sbom,
            components=tuple(each for each in sample.sbom.components if each.ref not in gone),
            dependencies=tuple(
                each for each in sample.sbom.dependencies if gone.isdisjoint((each.source, each.target))
            ),
        )
        after = scored(sample, sbom)
        assert after.hazard <= before.hazard - removal.hazard + ROUNDING
        assert after.score <= removal.score + 1e-6
        left = {each.check for part in after.ranking for each in part.vulnerabilities}
        assert left.isdisjoint(removal.removes)


@settings(deadline=None)
@given(samples())
def test_the_best_removal_is_the_best(sample: Sample) -> None:
    before = scored(sample)
    removals = rank_removals(before, EVERY)
    every = range(len(before.components))
    subtrees = [
        brought_in(before, node) for node in every if node != before.graph.device and before.graph.depth[node] >= 0
    ]
    possible = [nodes for nodes in subtrees if len(nodes) <= len(sample.sbom.components) / 2]
    best = max((sum(before.components[node].hazard for node in nodes) for nodes in possible), default=0.0)
    assert math.isclose(removals[0].hazard if removals else 0.0, best, abs_tol=1e-6)


@pytest.mark.parametrize(
    ("target", "fixes", "fixed"),
    [
        ("2.0", ("2.0",), True),
        ("2.1", ("2.0",), True),
        ("1.9", ("2.0",), False),
        ("2.0", (), False),
        ("2.9.10.8", ("2.9.10.8", "2.10.5.1"), True),
        ("2.10.5", ("2.9.10.8", "2.10.5.1"), False),
        ("2.10.5.1", ("2.9.10.8", "2.10.5.1"), True),
        ("2.11", ("2.9.10.8", "2.10.5.1"), True),
        ("9.0.20", ("8.5.51", "9.0.31"), False),
        ("1.1.1n-0+deb11u5", ("1.1.1n-0+deb11u4",), True),
        ("1.1.1n-0+deb11u3", ("1.1.1n-0+deb11u4",), False),
        ("next", ("next",), True),
        ("next", ("2.0",), False),
    ],
)
def test_which_version_carries_a_fix(target: str, fixes: tuple[str, ...], fixed: bool) -> None:
    assert fixed_by(target, fixes) is fixed


def test_the_lowest_version_that_fixes_most() -> None:
    part = Component("p", "parser", "1.0", "pkg:generic/parser@1.0")
    sbom = Sbom("", (Component("d", "device"), part), "d", (Dependency("d", "p"),))
    found = [known("CVE-1", 0.5, "1.4"), known("CVE-2", 0.2, "1.6", "1.5"), known("CVE-3", 0.1)]
    (upgrade,) = rank_upgrades(score(build_graph(sbom), {1: found}))
    assert (upgrade.target, upgrade.fixes, upgrade.leaves) == ("1.5", ("CVE-1", "CVE-2"), ("CVE-3",))


def test_one_package_in_two_places_is_one_upgrade() -> None:
    twice = tuple(Component(ref, "zlib", "1.2.11", "pkg:generic/zlib@1.2.11") for ref in ("z1", "z2"))
    sbom = Sbom("", (Component("d", "device"), *twice), "d", (Dependency("d", "z1"), Dependency("d", "z2")))
    risk = score(build_graph(sbom), {1: [known("CVE-1", 0.5, "1.3")], 2: [known("CVE-1", 0.5, "1.3")]})
    (upgrade,) = rank_upgrades(risk)
    assert upgrade.nodes == (1, 2) and math.isclose(upgrade.hazard, risk.hazard)
    assert [removal.removes for removal in rank_removals(risk)] == [(), ()]


def test_versions_of_one_package_and_packages_of_one_source_go_together() -> None:
    parts = (
        Component("a", "spring", "1.5", "pkg:maven/s/spring@1.5"),
        Component("b", "spring", "2.0", "pkg:maven/s/spring@2.0"),
        Component("c", "libssl", "1.1.1k", "pkg:deb/debian/libssl@1.1.1k"),
        Component("d", "openssl", "1.1.1k", "pkg:deb/debian/openssl@1.1.1k"),
    )
    device = Component("device", "device")
    sbom = Sbom("", (device, *parts), "device", tuple(Dependency("device", part.ref) for part in parts))
    spring, ssl = [known("CVE-1", 0.5, "3.0")], [known("CVE-2", 0.3, "1.1.1w")]
    found = rank_upgrades(score(build_graph(sbom), {1: spring, 2: spring, 3: ssl, 4: ssl}))
    assert [(each.nodes, each.versions, each.target) for each in found] == [
        ((1, 2), ("1.5", "2.0"), "3.0"),
        ((3, 4), ("1.1.1k",), "1.1.1w"),
    ]


def test_what_only_one_component_brings_in_goes_with_it() -> None:
    names = ("device", "server", "helper", "shared", "other")
    edges = [("device", "server"), ("server", "helper"), ("server", "shared"), ("device", "other"), ("other", "shared")]
    sbom = Sbom(
        "", tuple(Component(name, name) for name in names), "device", tuple(Dependency(*edge) for edge in edges)
    )
    risk = score(build_graph(sbom), {2: [known("CVE-1", 0.5)], 3: [known("CVE-2", 0.3)]})
    removals = {names[each.node]: (each.components, each.removes) for each in rank_removals(risk)}
    # Without the server there is no helper; the removal of the helper alone takes as much away, and less with it.
    assert removals == {"helper": (1, ("CVE-1",)), "shared": (1, ("CVE-2",))}
    assert sorted(names[node] for node in brought_in(risk, 1)) == ["helper", "server"]
