"""CSAF documents: the product tree flattened, groups expanded, everything else as published."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from connectors.feeds.csaf import build, parse_document
from meddojo.advisory import Advisory, AffectedProduct, ProductStatus, Remediation, ThreatNote, VersionKind
from meddojo.config import FeedConfig
from meddojo.errors import InputError
from meddojo.interface import Checkpoint, Feed, Skipped
from meddojo.serialise import from_json, to_json


def _leaf(product_id: str, name: str = "", **helper: Any) -> dict[str, Any]:
    product = {"product_id": product_id, "name": name or f"name of {product_id}"}
    return {**product, "product_identification_helper": helper} if helper else product


def _branch(category: str, name: str, *branches: dict[str, Any], product: Any = None) -> dict[str, Any]:
    branch: dict[str, Any] = {"category": category, "name": name}
    return {**branch, **({"branches": list(branches)} if branches else {}), **({"product": product} if product else {})}


def _document(tree: Any = None, vulnerabilities: Any = (), **head: Any) -> dict[str, Any]:
    return {
        "document": {
            "category": "csaf_security_advisory",
            "csaf_version": "2.0",
            "title": "Two pumps",
            "publisher": {"category": "vendor", "name": "Acme PSIRT", "namespace": "https://acme.example"},
            "tracking": {
                "id": "ACME-1",
                "version": "3",
                "status": "final",
                "initial_release_date": "2024-01-01T06:00:00Z",
                "current_release_date": "2024-02-01T08:00:00+02:00",
                "revision_history": [
                    {"number": str(number), "date": "2024-01-01T06:00:00Z", "summary": "Changed."}
                    for number in range(1, 4)
                ],
            },
            **head,
        },
        "product_tree": tree or {},
        "vulnerabilities": list(vulnerabilities),
    }


def _products(tree: Any) -> dict[str, AffectedProduct]:
    return {product.product_id: product for product in parse_document(_document(tree), "x").products}


def _only(**vulnerability: Any) -> Any:
    tree = {
        "full_product_names": [_leaf("A"), _leaf("B")],
        "product_groups": [{"group_id": "G", "product_ids": ["A", "B"]}],
    }
    (found,) = parse_document(_document(tree, [vulnerability]), "x").vulnerabilities
    return found


CPE = "cpe:2.3:h:acme:flow:2:*:*:*:*:*:*:*"

COMPLETE = _document(
    {
        "branches": [
            _branch(
                "vendor",
                "Acme ",
                _branch(
                    "product_family",
                    "Pumps",
                    _branch(
                        "product_name",
                        "Flow 2",
                        _branch("product_version", "2.4", product=_leaf("V", cpe=CPE)),
                        _branch("product_version_range", "< 2.4", product=_leaf("R", model_numbers=["FL-2*"])),
                    ),
                ),
            )
        ],
        "full_product_names": [_leaf("F", "Acme Flow 1", purl="pkg:generic/flow@1", serial_numbers=["1"], skus=["s"])],
        "relationships": [
            {
                "category": "installed_on",
                "product_reference": "V",
                "relates_to_product_reference": "F",
                "full_product_name": _leaf("V-on-F"),
            }
        ],
        "product_groups": [{"group_id": "G", "product_ids": ["V", "R"]}],
    },
    [
        {
            "cve": "CVE-2024-12345",
            "title": "Default password",
            "cwe": {"id": "CWE-1392", "name": "Default credentials"},
            "ids": [
                {"system_name": "Acme bugs", "text": "77"},
                {"system_name": "GitHub", "text": "GHSA-aaaa-bbbb-cccc"},
            ],
            "notes": [{"category": "summary", "text": "short"}, {"category": "description", "text": "long"}],
            "product_status": {"known_affected": ["G"], "fixed": ["V-on-F"], "made_up": ["V"]},
            "remediations": [
                {"category": "vendor_fix", "details": "Update.", "url": "https://acme.example/f", "group_ids": ["G"]},
                {"category": "mitigation", "details": "Unplug."},
            ],
            "scores": [
                {
                    "products": ["V", "R"],
                    "cvss_v2": {"version": "2.0", "vectorString": "AV:N/AC:L/Au:N/C:P/I:P/A:P", "baseScore": 7.5},
                    "cvss_v3": {
                        "version": "3.1",
                        "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
                        "baseScore": 9.8,
                        "baseSeverity": "CRITICAL",
                    },
                }
            ],
            "references": [
                {"url": "https://acme.example/1", "summary": "a"},
                {"url": "https://acme.example/1", "summary": "b"},
            ],
            "flags": [{"label": "inline_mitigations_already_exist", "product_ids": ["V-on-F"]}],
            "threats": [{"category": "exploit_status", "details": "None known.", "group_ids": ["G"]}],
        }
    ],
    distribution={"tlp": {"label": "WHITE"}},
    references=[
        {"category": "self", "url": "https://acme.example/acme-1.json", "summary": "JSON"},
        {"category": "self", "url": "https://acme.example/acme-1", "summary": "Web"},
    ],
)


def test_head() -> None:
    advisory = parse_document(COMPLETE, "x")
    assert (advisory.id, advisory.revision, advisory.publisher) == ("ACME-1", "3", "Acme PSIRT")
    assert advisory.namespace == "https://acme.example"
    assert advisory.published == datetime(2024, 1, 1, 6, tzinfo=UTC)
    assert advisory.updated == datetime(2024, 2, 1, 6, tzinfo=UTC)
    assert advisory.url == "https://acme.example/acme-1"
    assert advisory.tlp == "WHITE"
    assert from_json(Advisory, to_json(advisory)) == advisory


def test_branches_become_leaves_with_names_verbatim() -> None:
    products = {product.product_id: product for product in parse_document(COMPLETE, "x").products}
    assert products["R"] == AffectedProduct(
        product_id="R",
        vendor="Acme ",
        product="Flow 2",
        family="Pumps",
        version_text="< 2.4",
        version_kind=VersionKind.RANGE,
        full_name="name of R",
        model_numbers=("FL-2*",),
    )
    assert products["V"].version_kind is VersionKind.EXACT
    assert products["V"].cpe == CPE
    assert products["F"].purl == "pkg:generic/flow@1"
    assert (products["F"].serial_numbers, products["F"].skus) == (("1",), ("s",))
    assert products["F"].version_kind is VersionKind.UNSTATED


def test_relationship_takes_part_and_whole() -> None:
    product = {product.product_id: product for product in parse_document(COMPLETE, "x").products}["V-on-F"]
    assert (product.vendor, product.product, product.version_text) == ("Acme ", "Flow 2", "2.4")
    assert product.installed_on == "Acme Flow 1"
    assert product.full_name == "name of V-on-F"


def test_relationships_in_any_order_and_chain() -> None:
    def relation(part: str, whole: str, product_id: str) -> dict[str, Any]:
        return {
            "category": "default_component_of",
            "product_reference": part,
            "relates_to_product_reference": whole,
            "full_product_name": _leaf(product_id),
        }

    names = [_leaf("library"), _leaf("system"), _leaf("pump")]
    chain = [relation("library on system", "pump", "all"), relation("library", "system", "library on system")]
    products = _products({"full_product_names": names, "relationships": chain})
    assert products["all"].installed_on == "name of pump"
    assert products["library on system"].installed_on == "name of system"
    with pytest.raises(InputError, match="does not define") as caught:
        _products({"full_product_names": names, "relationships": [relation("all", "pump", "all")]})
    assert caught.value.position.startswith("/product_tree/relationships/0")


def test_other_branch_categories() -> None:
    tree = _branch(
        "vendor",
        "Acme",
        _branch(
            "product_name",
            "View",
            _branch("architecture", "x86", product=_leaf("bare")),
            _branch("product_version", "3.2", _branch("service_pack", "SP1", product=_leaf("pack"))),
            _branch("patch_level", "P7", product=_leaf("patch")),
        ),
    )
    products = _products({"branches": [tree]})
    assert (products["bare"].version_text, products["bare"].version_kind) == ("", VersionKind.UNSTATED)
    assert (products["pack"].version_text, products["pack"].version_kind) == ("3.2 SP1", VersionKind.EXACT)
    assert products["patch"].version_text == "P7"


def test_very_deep_branches_are_one_error() -> None:
    branch = _branch("product_name", "x", product=_leaf("P"))
    for _ in range(5000):
        branch = {"category": "legacy", "name": "", "branches": [branch]}
    with pytest.raises(InputError, match="nested deeper"):
        _products({"branches": [branch]})


def test_vulnerability() -> None:
    (found,) = parse_document(COMPLETE, "x").vulnerabilities
    assert (found.id, found.title, found.description, found.cwes) == (
        "CVE-2024-12345",
        "Default password",
        "long",
        (1392,),
    )
    assert found.aliases == ("Acme bugs: 77", "GHSA-aaaa-bbbb-cccc")
    assert found.statuses == (
        ("V", ProductStatus.KNOWN_AFFECTED),
        ("R", ProductStatus.KNOWN_AFFECTED),
        ("V-on-F", ProductStatus.FIXED),
    )
    assert found.remediations == (
        Remediation("vendor_fix", "Update.", "https://acme.example/f", ("V", "R")),
        Remediation("mitigation", "Unplug."),
    )
    assert [(score.cvss.version, score.cvss.base_score) for score in found.scores] == [("3.1", 9.8), ("2.0", 7.5)]
    assert all(score.cvss.scorer == "Acme PSIRT" and score.product_ids == ("V", "R") for score in found.scores)
    assert found.references == ("https://acme.example/1",)


@pytest.mark.parametrize("status", ProductStatus)
def test_every_status_of_products_and_groups(status: ProductStatus) -> None:
    assert _only(product_status={status.value: ["B", "G"]}).statuses == (("B", status), ("A", status))


@pytest.mark.parametrize(
    "category",
    ["default_component_of", "external_component_of", "installed_on", "installed_with", "optional_component_of"],
)
def test_every_kind_of_relationship(category: str) -> None:
    relationship = {
        "category": category,
        "product_reference": "library",
        "relates_to_product_reference": "pump",
        "full_product_name": _leaf("both", "library in pump", cpe=CPE),
    }
    names = [_leaf("library", purl="pkg:generic/zlib@1.3"), _leaf("pump", "Acme Flow 2")]
    found = _products({"full_product_names": names, "relationships": [relationship]})
    assert found["both"] == AffectedProduct(
        product_id="both",
        full_name="library in pump",
        cpe=CPE,
        purl="pkg:generic/zlib@1.3",
        installed_on="Acme Flow 2",
        relationship=category,
        installed_on_id="pump",
    )
    assert found["pump"].relationship == ""


def test_justifications_of_a_vex() -> None:
    found = _only(
        product_status={"known_not_affected": ["G"]},
        flags=[
            {"label": "component_not_present", "product_ids": ["A"], "date": "2024-01-01T00:00:00Z"},
            {"label": "vulnerable_code_not_in_execute_path", "group_ids": ["G"]},
            {"label": "vulnerable_code_not_present"},
            {"product_ids": ["A"]},
        ],
        threats=[{"category": "impact", "details": "The code is never called.", "group_ids": ["G"]}],
    )
    assert found.flags == (
        ("A", "component_not_present"),
        ("A", "vulnerable_code_not_in_execute_path"),
        ("B", "vulnerable_code_not_in_execute_path"),
    )
    assert found.threats == (ThreatNote("impact", "The code is never called.", ("A", "B")),)


def test_threats_for_all_products() -> None:
    found = _only(threats=[{"category": "exploit_status", "details": "Seen in the wild."}])
    assert found.threats == (ThreatNote("exploit_status", "Seen in the wild."),)


def test_remediations_of_products_and_groups() -> None:
    entry = {"category": "vendor_fix", "details": "Update.", "product_ids": ["B"], "group_ids": ["G"]}
    assert _only(remediations=[entry]).remediations == (Remediation("vendor_fix", "Update.", "", ("B", "A")),)


def test_csaf_2_1_metrics_and_cwes() -> None:
    vector = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
    found = _only(
        cve="CVE-2025-1000",
        cwes=[{"id": "CWE-79"}, {"id": "CWE-80"}, {"id": "NVD-CWE-noinfo"}],
        metrics=[
            {
                "products": ["G"],
                "source": "https://nvd.nist.gov",
                "content": {"cvss_v4": {"vectorString": vector, "baseScore": 9.3}, "epss": {"probability": "0.1"}},
            }
        ],
    )
    assert found.cwes == (79, 80)
    (score,) = found.scores
    assert (score.cvss.vector, score.cvss.version, score.product_ids) == (vector, "4.0", ("A", "B"))
    assert score.cvss.scorer == "https://nvd.nist.gov"


@pytest.mark.parametrize(
    ("vulnerability", "identifier"),
    [
        ({"cve": "cve-2024-1000 "}, "CVE-2024-1000"),
        ({"title": "Weak Password (web)", "cwe": {"id": "CWE-521", "name": ""}}, "ACME-1:weak-password-web"),
        ({"title": "T", "ids": [{"system_name": "Bugs", "text": "#7"}]}, "ACME-1:bugs-7"),
        ({"cwe": {"id": "CWE-79", "name": ""}}, "ACME-1:cwe-79"),
        ({"cve": "CVE-pending"}, "ACME-1:cve-pending"),
        ({}, "ACME-1:unnamed"),
    ],
)
def test_vulnerability_without_cve_has_a_stable_id(vulnerability: dict[str, Any], identifier: str) -> None:
    assert _only(**vulnerability).id == identifier


def test_ids_do_not_depend_on_order_or_neighbours() -> None:
    first = {"title": "Weak password", "notes": [{"category": "summary", "text": "web"}]}
    second = {"title": "Weak password", "notes": [{"category": "summary", "text": "console"}]}
    long = {"title": "x" * 500}
    foreign = {"title": "脆弱性"}
    entries = [first, second, long, foreign, {"title": "別"}]
    ids = [found.id for found in parse_document(_document({}, entries), "x").vulnerabilities]
    backwards = [found.id for found in parse_document(_document({}, entries[::-1]), "x").vulnerabilities]
    assert ids == backwards[::-1]
    assert len(set(ids)) == 5
    assert all(len(name) < 90 for name in ids)


def _with(**vulnerability: Any) -> dict[str, Any]:
    return {"vulnerabilities": [vulnerability]}


@pytest.mark.parametrize(
    ("change", "position"),
    [
        ({"document": {}}, "/document/csaf_version"),
        ({"product_tree": []}, "/product_tree"),
        (
            {"vulnerabilities": [{"scores": [{"cvss_v3": {"baseScore": "9"}}]}]},
            "/vulnerabilities/0/scores/0/cvss_v3/baseScore",
        ),
        (
            {"vulnerabilities": [{"scores": [{"cvss_v3": {"baseScore": 11}}]}]},
            "/vulnerabilities/0/scores/0/cvss_v3/baseScore",
        ),
        (
            {"vulnerabilities": [{"remediations": [{"group_ids": ["Z"]}]}]},
            "/vulnerabilities/0/remediations/0/group_ids",
        ),
        ({"vulnerabilities": [{"threats": [{"group_ids": ["Z"]}]}]}, "/vulnerabilities/0/threats/0/group_ids"),
        (
            {
                "product_tree": {"product_groups": [{"group_id": "Z", "product_ids": []}]},
                "vulnerabilities": [{"remediations": [{"group_ids": ["Z"]}]}],
            },
            "/vulnerabilities/0/remediations/0/group_ids",
        ),
        ({"product_tree": {"full_product_names": [{"name": "x"}]}}, "/product_tree/full_product_names/0/product_id"),
    ],
)
def test_wrong_documents_name_the_place(change: dict[str, Any], position: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_document({**_document(), **change}, "file.json")
    assert (caught.value.origin, caught.value.position) == ("file.json", position)


@given(data=st.data())
def test_any_document_is_read_or_refused(
    data: Any, anything: st.SearchStrategy[Any], mutated: Callable[[Any], st.SearchStrategy[Any]]
) -> None:
    document = data.draw(mutated(COMPLETE) | anything)
    with suppress(InputError):
        advisory = parse_document(document, "x")
        assert from_json(Advisory, to_json(advisory)) == advisory


def _update(source: Path) -> list[Any]:
    feed = build(FeedConfig(source=str(source)))
    assert isinstance(feed, Feed)
    return list(feed.update(None))


def test_folder_goes_on_after_bad_documents(tmp_path: Path) -> None:
    (tmp_path / "2024").mkdir()
    (tmp_path / "2024" / "good.json").write_text(json.dumps(COMPLETE), encoding="utf-8")
    (tmp_path / "a-truncated.json").write_text(json.dumps(COMPLETE)[:-20], encoding="utf-8")
    (tmp_path / "b-latin.json").write_bytes(json.dumps(COMPLETE).replace("Flow 2", "\xe4").encode("latin-1"))
    (tmp_path / "c-deep.json").write_bytes(b"[" * 10_000 + b"]" * 10_000)
    (tmp_path / "d-other.json").write_text("{}", encoding="utf-8")
    (tmp_path / "provider-metadata.json").write_text('{"distributions": []}', encoding="utf-8")
    (tmp_path / "index.txt").write_text("2024/good.json", encoding="utf-8")
    *items, checkpoint = _update(tmp_path)
    assert [type(item) for item in items] == [Advisory, Skipped, Skipped, Skipped, Skipped]
    assert isinstance(checkpoint, Checkpoint)
    assert [Path(item.origin).name[0] for item in items[1:]] == ["a", "b", "c", "d"]


def test_lines_and_single_file(tmp_path: Path) -> None:
    lines = tmp_path / "all.jsonl.zst"
    text = json.dumps(COMPLETE) + "\n{broken\n" + json.dumps(COMPLETE) + "\n"
    lines.write_bytes(zstandard.ZstdCompressor().compress(text.encode()))
    assert [type(item) for item in _update(lines)] == [Advisory, Skipped, Advisory, Checkpoint]
    single = tmp_path / "one.json"
    single.write_text(json.dumps(COMPLETE), encoding="utf-8")
    assert [type(item) for item in _update(single)] == [Advisory, Checkpoint]


def test_nothing_there_is_an_error_not_an_empty_feed(tmp_path: Path) -> None:
    for source in (tmp_path, tmp_path / "absent.json"):
        with pytest.raises(InputError):
            _update(source)


def test_all_real_documents(shared_data: Path) -> None:
    begun = time.perf_counter()
    items = [item for name in ("icsa", "icsma") for item in _update(shared_data / f"cisa_csaf_{name}.jsonl.zst")]
    elapsed = time.perf_counter() - begun
    advisories = [item for item in items if isinstance(item, Advisory)]
    assert len(advisories) == 2025
    assert not any(isinstance(item, Skipped) for item in items)
    products = [product for advisory in advisories for product in advisory.products]
    assert len(products) == 13_512
    assert sum(product.version_kind is VersionKind.RANGE for product in products) == 11_496
    assert any(product.version_text == " <1.000.HW00.21.20190812" for product in products)
    found = [(advisory, item) for advisory in advisories for item in advisory.vulnerabilities]
    assert len(found) == 6428
    for advisory, item in found:
        known = {product.product_id for product in advisory.products}
        assert {product_id for product_id, _ in item.statuses} <= known
    assert elapsed < 30  # measured: about 2 s on one idle core
