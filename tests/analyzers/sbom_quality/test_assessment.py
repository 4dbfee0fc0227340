from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.sbom_quality.assessment import NOTHING_LISTED, assess
from analyzers.sbom_quality.catalogues import NAMES, catalogue
from analyzers.sbom_quality.predicates import COMPONENT, Relations, is_licence_expression, plain
from meddojo.sbom import Component, Dependency, Sbom
from meddojo.serialise import from_json
from tests.analyzers.sbom_quality.test_catalogues import WHOLE

ROOT = Component("d", "pump", supplier="Example Devices Ltd")
REFS = st.sampled_from("abcdef")
WORDS = st.sampled_from(("", "unknown", "1.0", "Example Ltd", "x@y.example"))
COMPONENTS = st.lists(
    st.builds(
        Component,
        ref=REFS,
        name=st.text(max_size=8),
        version=WORDS,
        purl=WORDS,
        supplier=WORDS,
        kind=st.sampled_from(("", "file", "library", "device")),
        licences=st.lists(st.text(max_size=12), max_size=2).map(tuple),
        hashes=st.lists(st.text(max_size=12), max_size=2).map(tuple),
        support_level=WORDS,
        end_of_support=st.none() | st.dates(),
        properties=st.lists(st.tuples(st.text(max_size=30), st.text(max_size=8)), max_size=2).map(tuple),
    ),
    max_size=6,
    unique_by=lambda component: component.ref,
).map(tuple)
SBOMS = st.builds(
    Sbom,
    format=st.sampled_from(("CycloneDX 1.6", "SPDX 2.3", "SPDX", "")),
    components=COMPONENTS,
    root=REFS | st.just(""),
    dependencies=st.lists(st.builds(Dependency, REFS, REFS), max_size=8).map(tuple),
    complete=st.lists(REFS, max_size=3).map(tuple),
)


@given(SBOMS, st.sampled_from(NAMES))
def test_any_document_is_judged_and_every_component_missing_something_is_in_the_json(sbom: Sbom, name: str) -> None:
    made = assess(sbom, catalogue(name))
    assert 0.0 <= made.score <= 100.0 and made.grade in "ABCDF"
    told = json.loads(json.dumps(made.as_dict()))
    refs = {component.ref for component in sbom.components}
    for result, row in zip(made.results, told["rules"], strict=True):
        assert len(result.missing) <= max(result.judged, 1)
        assert [each["ref"] for each in row["missing"]] == [each.ref for each in result.missing]
        assert all(each.ref in refs | {""} and each.fault for each in result.missing)
    assert (made.score == 100.0) == all(result.passed for result in made.results)


@given(SBOMS, st.sampled_from(NAMES), st.randoms())
def test_order_does_not_matter(sbom: Sbom, name: str, random: Random) -> None:
    parts, ties = list(sbom.components), list(sbom.dependencies)
    random.shuffle(parts)
    random.shuffle(ties)
    other = assess(replace(sbom, components=tuple(parts), dependencies=tuple(ties)), catalogue(name))
    made = assess(sbom, catalogue(name))
    assert (other.score, other.grade) == (made.score, made.grade)
    for one, two in zip(made.results, other.results, strict=True):
        assert set(one.missing) == set(two.missing)


@given(SBOMS, REFS)
def test_stating_more_never_lowers_the_score(sbom: Sbom, ref: str) -> None:
    fuller = tuple(
        replace(each, supplier="Example Ltd", end_of_support=date(2030, 1, 1)) if each.ref == ref else each
        for each in sbom.components
    )
    for name in NAMES:
        if name != "bsi":  # which wants an address in the supplier, and one may just have been overwritten
            before = assess(sbom, catalogue(name)).score
            assert assess(replace(sbom, components=fuller), catalogue(name)).score >= before


@given(SBOMS, REFS)
def test_saying_who_where_and_how_complete_never_lowers_the_score(sbom: Sbom, ref: str) -> None:
    fuller = tuple(
        replace(
            each,
            contacts=("sbom@devices.example",),
            filename="libz.so.1",
            distribution_urls=("https://devices.example/libz.so.1",),
            distribution_hashes=("SHA-512:" + "ab" * 64,),
            unknown=("supplier", "version"),
        )
        if each.ref == ref
        else each
        for each in sbom.components
    )
    said = replace(sbom, components=fuller, incomplete=(ref,), contacts=("x@y.example",), identifier="urn:x:1")
    for name in NAMES:
        assert assess(said, catalogue(name)).score >= assess(sbom, catalogue(name)).score


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sbom", [Sbom("CycloneDX 1.6", ()), Sbom("CycloneDX 1.6", (ROOT,), root="d")])
def test_what_lists_nothing_is_not_clean(sbom: Sbom, name: str) -> None:
    made = assess(sbom, catalogue(name))
    assert made.grade == "F" and made.score < 100
    asked = [each for each in made.results if each.rule.level == "dependency" or each.rule.parts_only]
    assert asked and all(each.missing[0].fault == NOTHING_LISTED and each.fulfilled == 0 for each in asked)


def test_what_describes_itself_alone_is_graded_worst_though_it_describes_itself_well() -> None:
    whole = from_json(Sbom, json.dumps(WHOLE))
    alone = assess(replace(whole, components=whole.components[:1], dependencies=()), catalogue("ntia"))
    assert [each.rule.id for each in alone.results if not each.passed] == ["ntia-relationship"]
    assert alone.score > 85 and alone.grade == "F"


def test_what_is_of_a_kind_that_is_not_asked_changes_no_score() -> None:
    listed = Sbom("CycloneDX 1.6", (Component("f", "zlib.h", kind="file"),))
    results = {each.rule.id: each for each in assess(listed, catalogue("ntia")).results}
    assert results["ntia-supplier"].judged == 0 and results["ntia-supplier"].passed
    # author, timestamp, what it describes of 3 + 3 + 1, format and readability of 1 + 1 are all that is asked
    assert assess(listed, catalogue("ntia")).score == pytest.approx(100 * 2 / 9, abs=0.1)


def test_the_score_is_the_weighted_share_and_is_rounded_down() -> None:
    parts = tuple(Component(f"c{number}", f"part {number}", supplier="Example Ltd") for number in range(3))
    made = assess(Sbom("CycloneDX 1.6", (*parts, Component("x", "part x"))), catalogue("ntia"))
    # supplier 3 of 4 at weight 3, name at 3, format and readability at 1, of 23
    assert made.score == 31.5 < 100 * (3 * 0.75 + 3 + 1 + 1) / 23
    (supplier,) = (each for each in made.results if each.rule.id == "ntia-supplier")
    assert (supplier.judged, supplier.fulfilled, [each.ref for each in supplier.missing]) == (4, 3, ["x"])


def test_a_document_that_would_be_sent_back_is_graded_no_better_than_c() -> None:
    whole = from_json(Sbom, json.dumps(WHOLE))
    root, part = whole.components
    many = tuple(replace(part, ref=f"c{number}") for number in range(200))
    ties = tuple(Dependency("d", each.ref) for each in many)
    lacking = replace(many[0], end_of_support=None)
    made = assess(replace(whole, components=(root, lacking, *many[1:]), dependencies=ties), catalogue("fda"))
    assert 99.0 < made.score < 100.0 and made.grade == "C"
    assert [each.rule.id for each in made.blocking] == ["fda-end-of-support"]
    assert made.as_dict()["sent_back"] is True


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("MIT", True),
        ("GPL-2.0+", True),
        ("(MIT OR Apache-2.0) AND LicenseRef-acme-1", True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", True),
        ("DocumentRef-x:LicenseRef-y", True),
        ("Apache License 2.0", False),
        ("MIT OR", False),
        ("(MIT", False),
        ("MIT)", False),
        ("()", False),
        ("", False),
        ("AND", False),
        ("New BSD, see file", False),
    ],
)
def test_licence_expressions(text: str, is_one: bool) -> None:
    assert is_licence_expression(text) is is_one


@given(st.text(alphabet="MITORANDWH().- ", max_size=40))
def test_any_text_is_or_is_not_a_licence_expression(text: str) -> None:
    assert is_licence_expression(text) in (True, False)
    assert not is_licence_expression(f"{text} (")


@pytest.mark.parametrize(
    "name", ["End-of-Support", "cdx:lifecycle:milestone:endOfSupport", "end_of_support_date", "End of Support"]
)
def test_what_is_said_of_the_end_of_support_instead_of_a_date_is_quoted(name: str) -> None:
    said = Component("a", "zlib", properties=((name, " Open source "),))
    assert COMPONENT["end-of-support"](said) == ""
    assert COMPONENT["end-of-support-date"](said) == "stated as 'Open source', which is no date"
    unknown = Component("a", "zlib", properties=((name, "Unknown"),))
    assert COMPONENT["end-of-support"](unknown) == "stated as 'Unknown', which says nothing"


def test_foreign_text_stays_on_its_line() -> None:
    assert plain("a\x1b[31mb\n\u202ec\u2028d") == "a [31mb c d"
    assert plain("x" * 100, 10) == "xxxxxxxxx…"


def test_a_cycle_and_a_long_chain_are_walked() -> None:
    parts = tuple(Component(str(number), "p") for number in range(20_000))
    ties = tuple(Dependency(str(number), str((number + 1) % 20_000)) for number in range(20_000))
    assert len(Relations.of(Sbom("SPDX 2.3", parts, "0", ties)).reached) == 20_000
