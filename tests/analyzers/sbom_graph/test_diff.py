"""What changed between two bills of materials."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.sbom_graph.diff import SbomDiff, compare_sboms
from meddojo.sbom import Component, Sbom


def sbom(*components: Component) -> Sbom:
    return Sbom("CycloneDX 1.5", (Component("root", "pump", "1"), *components), "root")


def part(name: str, version: str, purl: str = "", supplier: str = "", ref: str = "") -> Component:
    return Component(ref or f"{name}-{version}", name, version, purl, supplier=supplier)


def told(diff: SbomDiff) -> dict[str, list[str]]:
    moves = {"up": diff.upgraded, "down": diff.downgraded, "changed": diff.changed}
    return {
        "added": [each.label for each in diff.added],
        "removed": [each.label for each in diff.removed],
        **{name: [f"{each.before.version}>{each.after.label}" for each in found] for name, found in moves.items()},
    }


def test_every_kind_of_change() -> None:
    old = sbom(
        part("zlib", "1.2.11", "pkg:generic/zlib@1.2.11"),
        part("jackson", "2.10.1", "pkg:maven/a/jackson@2.10.1"),
        part("gone", "1"),
        part("same", "3"),
        part("blob", "rev-a", supplier="Acme"),
    )
    new = sbom(
        part("zlib", "1.3", "pkg:generic/zlib@1.3?arch=arm"),
        part("jackson", "2.9.9", "pkg:maven/a/jackson@2.9.9"),
        part("same", "3", ref="another-reference"),
        part("blob", "2024", supplier="Acme"),
        part("new", "1"),
    )
    found = compare_sboms(old, new)
    assert told(found) == {
        "added": ["new 1"],
        "removed": ["gone 1"],
        "up": ["1.2.11>zlib 1.3"],
        "down": ["2.10.1>jackson 2.9.9"],
        "changed": ["rev-a>blob 2024"],
    }
    assert found.unchanged == 1


def test_a_new_package_url_is_still_the_same_component() -> None:
    old = sbom(part("lodash", "4.17.20", supplier="lodash.com"))
    new = sbom(part("lodash", "4.17.21", "pkg:npm/lodash@4.17.21"))
    assert told(compare_sboms(old, new))["up"] == ["4.17.20>lodash 4.17.21"]


def test_an_ambiguous_name_is_no_match() -> None:
    old = sbom(part("core", "1", "pkg:maven/a/core@1"))
    new = sbom(part("core", "2", "pkg:maven/b/core@2"), part("core", "3", "pkg:maven/c/core@3"))
    found = told(compare_sboms(old, new))
    assert (found["added"], found["removed"], found["up"]) == (["core 2", "core 3"], ["core 1"], [])


def test_several_versions_side_by_side() -> None:
    old = sbom(part("qs", "6.5", "pkg:npm/qs@6.5"), part("qs", "6.7", "pkg:npm/qs@6.7"))
    new = sbom(
        part("qs", "6.7", "pkg:npm/qs@6.7"), part("qs", "6.9", "pkg:npm/qs@6.9"), part("qs", "6.10", "pkg:npm/qs@6.10")
    )
    found = compare_sboms(old, new)
    assert told(found)["up"] == ["6.5>qs 6.9"] and told(found)["added"] == ["qs 6.10"] and found.unchanged == 1


components = st.lists(
    st.builds(
        lambda number, version, purl: part(f"part{number}", version, f"pkg:npm/part{number}@{version}" if purl else ""),
        st.integers(0, 5),
        st.sampled_from(["1.0", "1.1", "2.0", "M.01", ""]),
        st.booleans(),
    ),
    max_size=10,
)


@settings(deadline=None)
@given(components, components)
def test_nothing_is_lost_and_the_way_back_is_the_opposite(one: list[Component], other: list[Component]) -> None:
    there, back = compare_sboms(sbom(*one), sbom(*other)), compare_sboms(sbom(*other), sbom(*one))
    moved = len(there.upgraded) + len(there.downgraded) + len(there.changed)
    assert len(one) == len(there.removed) + moved + there.unchanged
    assert len(other) == len(there.added) + moved + there.unchanged
    assert (len(there.upgraded), len(there.downgraded)) == (len(back.downgraded), len(back.upgraded))
    assert len(there.added) == len(back.removed) and there.unchanged == back.unchanged
    assert compare_sboms(sbom(*one), sbom(*one)).unchanged == len(one)
