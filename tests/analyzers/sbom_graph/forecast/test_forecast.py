"""The forecast of an SBOM, by the shipped model."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.sbom_graph.forecast import History, forecast
from meddojo.sbom import Component, Dependency, Sbom

NAMES = ("app", "express", "qs", "lodash", "minimist", "debug", "ms")
SBOM = Sbom(
    "CycloneDX 1.5",
    tuple(Component(f"pkg:npm/{name}@1", name) for name in NAMES),
    "pkg:npm/app@1",
    tuple(
        Dependency(f"pkg:npm/{a}@1", f"pkg:npm/{b}@1")
        for a, b in (("app", "express"), ("app", "lodash"), ("express", "qs"), ("express", "debug"), ("debug", "ms"))
    ),
)
BUSY = History(40, 8, 15, 20)


def test_every_component_but_what_the_sbom_describes_gets_a_probability() -> None:
    found = forecast(SBOM, {})
    assert set(found) == {f"pkg:npm/{name}@1" for name in NAMES[1:]}
    assert all(0.0 < chance < 0.5 for chance in found.values()), "nothing is known against any of them"


@pytest.mark.parametrize("name", NAMES[1:])
def test_a_busy_past_makes_a_cve_far_likelier(name: str) -> None:
    ref = f"pkg:npm/{name}@1"
    assert forecast(SBOM, {ref: BUSY})[ref] > 10 * forecast(SBOM, {})[ref]


def test_order_and_repetition_do_not_matter() -> None:
    order = random.Random(1)
    components, dependencies = list(SBOM.components), list(SBOM.dependencies) * 2
    order.shuffle(components)
    order.shuffle(dependencies)
    history = {"pkg:npm/qs@1": History(3, 1, 2, 100)}
    mixed = replace(SBOM, components=(*components, components[0]), dependencies=tuple(dependencies))
    assert forecast(mixed, history) == pytest.approx(forecast(SBOM, history), abs=1e-5)


def test_nothing_gives_nothing() -> None:
    assert forecast(Sbom("SPDX 2.3", ()), {}) == {}
    assert forecast(Sbom("SPDX 2.3", (Component("device", "device"),), "device"), {}) == {}


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("abcdex")), max_size=20),
    st.dictionaries(st.sampled_from("abcdez"), st.integers(0, 10_000)),
)
def test_cycles_loops_and_missing_references_still_give_probabilities(
    edges: list[tuple[str, str]], counts: dict[str, int]
) -> None:
    sbom = Sbom(
        "CycloneDX 1.5", tuple(Component(ref, ref) for ref in "abcde"), "", tuple(Dependency(*e) for e in edges)
    )
    history = {ref: History(count, count, count, 0 if count else None) for ref, count in counts.items()}
    found = forecast(sbom, history)
    assert set(found) == set("abcde") and all(0.0 <= chance <= 1.0 for chance in found.values())


def test_importing_it_loads_nothing_heavy() -> None:
    heavy = "{'scipy', 'xgboost', 'sklearn', 'tensorflow', 'pyarrow'}"
    code = f"import sys; import analyzers.sbom_graph.forecast; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
