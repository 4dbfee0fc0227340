"""Random bills of materials for property tests: circles, several kinds of dependencies, with and without a root."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from analyzers.sbom_graph.rating import RatedVulnerability
from meddojo.sbom import Component, Dependency, DependencyKind, Sbom
from meddojo.severity import Severity

NAMES = ("zlib", "openssl", "nginx", "lodash", "expat")
CARRYING = (DependencyKind.RUNTIME, DependencyKind.CONTAINS, DependencyKind.OPTIONAL)


def component(number: int, version: str = "1.0") -> Component:
    name = f"{NAMES[number % len(NAMES)]}-{number}" if number % 7 else NAMES[number % len(NAMES)]
    return Component(f"c{number}", name, version, f"pkg:generic/part{number}@{version}")


def known(check: str, chance: float, *fixes: str) -> RatedVulnerability:
    return RatedVulnerability(check, chance, 9.0, Severity.CRITICAL, fix_versions=fixes)


@dataclass(frozen=True)
class Sample:
    """An SBOM and what is known of its components, by their references."""

    sbom: Sbom
    vulnerabilities: Mapping[str, tuple[RatedVulnerability, ...]]

    def by_node(self, sbom: Sbom | None = None) -> dict[int, tuple[RatedVulnerability, ...]]:
        place = {each.ref: node for node, each in enumerate((sbom or self.sbom).components)}
        return {place[ref]: known for ref, known in self.vulnerabilities.items() if ref in place}

    def with_more(self, components: tuple[Component, ...], edges: tuple[Dependency, ...]) -> Sbom:
        return replace(
            self.sbom,
            components=(*self.sbom.components, *components),
            dependencies=(*self.sbom.dependencies, *edges),
        )


def edges(size: int, kinds: tuple[DependencyKind, ...] = tuple(DependencyKind)) -> st.SearchStrategy[list[Dependency]]:
    numbers = st.integers(0, size - 1)
    made = st.builds(lambda a, b, kind: Dependency(f"c{a}", f"c{b}", kind), numbers, numbers, st.sampled_from(kinds))
    return st.lists(made, max_size=3 * size)


@st.composite
def samples(draw: st.DrawFn, kinds: tuple[DependencyKind, ...] = tuple(DependencyKind), largest: int = 14) -> Sample:
    size = draw(st.integers(2, largest))
    root = draw(st.sampled_from(["", "c0"]))
    sbom = Sbom("CycloneDX 1.5", tuple(map(component, range(size))), root, tuple(draw(edges(size, kinds))))
    chances = st.lists(st.floats(0.0, 0.95), min_size=1, max_size=4)
    vulnerable = draw(st.dictionaries(st.integers(0, size - 1), chances, max_size=size))
    return Sample(
        sbom,
        {
            f"c{number}": tuple(known(f"CVE-2024-{number:02d}{place:02d}", chance) for place, chance in enumerate(each))
            for number, each in vulnerable.items()
        },
    )
