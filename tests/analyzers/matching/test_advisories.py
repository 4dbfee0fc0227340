"""CSAF product trees against a device: status, version, remediation."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from analyzers.matching.advisories import Clearance, match_advisory
from analyzers.matching.candidates import Candidate
from meddojo.advisory import (
    Advisory,
    AdvisoryVulnerability,
    AffectedProduct,
    Passage,
    ProductScore,
    ProductStatus,
    Remediation,
    VersionKind,
)
from meddojo.device import Device
from meddojo.severity import CvssScore

NOW = datetime(2024, 9, 1, tzinfo=UTC)
DEVICE = Device("mx800", "Philips Healthcare", "IntelliVue MX800", "M.01")
LEAF = AffectedProduct("p1", "Philips", "IntelliVue MX800", "<= N.00", VersionKind.RANGE)
AFFECTED = ProductStatus.KNOWN_AFFECTED


def advisory(*products: AffectedProduct, **parts: object) -> Advisory:
    statuses = tuple((product.product_id, AFFECTED) for product in products)
    vulnerability = AdvisoryVulnerability("CVE-2024-0001", title="A title", **({"statuses": statuses} | parts))  # type: ignore[arg-type]
    return Advisory("ICSMA-24-001-01", "t", "CISA", "https://cisa.example", "1", NOW, NOW, products, (vulnerability,))


def one(device: Device, document: Advisory) -> Candidate | Clearance | None:
    found = list(match_advisory(device, document))
    assert len(found) < 2
    return found[0] if found else None


def probability(device: Device, document: Advisory) -> float:
    claim = one(device, document)
    assert isinstance(claim, Candidate)
    return claim.citation.probability


def test_the_reason_is_a_sentence_a_person_can_check() -> None:
    claim = one(DEVICE, advisory(LEAF))
    assert isinstance(claim, Candidate)
    assert claim.citation.source == "CISA ICSMA-24-001-01"
    assert claim.citation.reason == (
        "vendor 'Philips Healthcare' = 'Philips' (alias), "
        "product 'IntelliVue MX800' = 'IntelliVue MX800' (exact), version 'M.01' in '<= N.00'"
    )
    assert claim.citation.probability >= 0.95


@pytest.mark.parametrize(
    "device",
    [
        replace(DEVICE, version="N.01"),
        replace(DEVICE, model="IntelliVue MX40"),
        replace(DEVICE, vendor="Siemens"),
    ],
)
def test_fixed_version_neighbouring_model_and_stranger_are_no_match(device: Device) -> None:
    assert one(device, advisory(LEAF)) is None


@pytest.mark.parametrize(
    ("device", "leaf", "words"),
    [
        (replace(DEVICE, version=""), LEAF, "version unknown, the source names '<= N.00'"),
        (replace(DEVICE, version="3.2"), LEAF, "version '3.2' cannot be compared with '<= N.00'"),
        (DEVICE, replace(LEAF, version_text="see the manual"), "cannot be read"),
        (DEVICE, replace(LEAF, version_text="<= N.00 on Windows XP"), "under a condition: on Windows XP"),
    ],
)
def test_an_open_version_is_a_matter_for_review(device: Device, leaf: AffectedProduct, words: str) -> None:
    claim = one(device, advisory(leaf))
    assert isinstance(claim, Candidate)
    assert 0.5 <= claim.citation.probability < 0.8
    assert words in claim.citation.reason


def test_all_versions_need_no_installed_version() -> None:
    leaf = replace(LEAF, version_text="vers:all/*")
    assert probability(replace(DEVICE, version=""), advisory(leaf)) >= 0.95


def test_a_family_stands_for_its_models_and_a_model_not_for_its_family() -> None:
    family = AffectedProduct("p1", "BD", "Alaris PC Unit", "<= 12.1")
    assert probability(Device("a", "BD", "Alaris 8015 PC Unit", "9.33"), advisory(family)) >= 0.7
    listed = replace(family, version_text="9.13 | 9.19 | 9.33 | 12.1")
    assert probability(Device("a", "BD", "Alaris 8015 PC Unit", "9.33"), advisory(listed)) >= 0.8
    model = replace(family, product="Alaris 8015 PC Unit")
    assert probability(Device("a", "BD", "Alaris PC Unit", "9.33"), advisory(model)) < 0.8


def test_where_the_device_itself_is_named_similar_names_say_nothing_about_it() -> None:
    own = AffectedProduct("p1", "BD", "Alaris Gateway Workstation", "1.1.3 | 1.2", VersionKind.EXACT)
    other = AffectedProduct("p2", "BD", "Alaris Gateway Workstation Alaris GS", "<= 2.3.6", VersionKind.RANGE)
    device = Device("a", "BD", "Alaris Gateway Workstation", "1.6.1")
    assert one(device, advisory(own, other)) is None
    assert isinstance(one(replace(device, version="1.2"), advisory(own, other)), Candidate)


def test_model_numbers_go_before_names() -> None:
    leaf = replace(
        LEAF, vendor="Siemens", product="SCALANCE X", model_numbers=("6GK5204-2AA00-2BD2",), version_text="< V2"
    )
    device = Device("s", "Siemens", "Switch 6GK5204-2AA00-2BD2", "1.0")
    claim = one(device, advisory(leaf))
    assert isinstance(claim, Candidate)
    assert claim.citation.probability == 0.98
    assert "model number" in claim.citation.reason


def test_a_cpe_of_the_tree_goes_before_names() -> None:
    cpe = "cpe:2.3:o:philips:mx800_firmware:*:*:*:*:*:*:*:*"
    device = replace(DEVICE, cpe="cpe:2.3:h:philips:mx800:-:*:*:*:*:*:*:*")
    assert probability(device, advisory(replace(LEAF, product="Monitor family", cpe=cpe))) == 0.98


def test_designations_in_the_version_branch_are_models() -> None:
    leaf = AffectedProduct("p1", "Medtronic", "MiniMed 670G", "MMT-1740 | MMT-1780", VersionKind.EXACT)
    assert probability(Device("m", "Medtronic", "MiniMed 670G MMT-1780", "4.1"), advisory(leaf)) >= 0.8
    assert probability(Device("m", "Medtronic", "MiniMed 670G", "4.1"), advisory(leaf)) < 0.9


def test_a_version_in_the_product_name_counts() -> None:
    leaf = AffectedProduct("p1", "Philips", "IntelliSpace Portal 8.0.x", "vers:all/*")
    device = Device("i", "Philips", "IntelliSpace Portal", "8.0.3")
    assert probability(device, advisory(leaf)) >= 0.95
    assert one(replace(device, version="9.0"), advisory(leaf)) is None


def test_only_the_full_name_is_left_to_read() -> None:
    leaf = AffectedProduct("p1", full_name="Philips IntelliVue MX800", version_text="<= N.00")
    assert 0.8 <= probability(DEVICE, advisory(leaf)) < 0.97


@pytest.mark.parametrize("status", [ProductStatus.FIXED, ProductStatus.KNOWN_NOT_AFFECTED, ProductStatus.FIRST_FIXED])
def test_a_fixed_or_not_affected_product_is_a_clearance(status: ProductStatus) -> None:
    fixed = replace(LEAF, product_id="p2", version_text="M.01")
    document = advisory(replace(LEAF, version_text="vers:all/*"), fixed, statuses=(("p1", AFFECTED), ("p2", status)))
    claim = one(DEVICE, document)
    assert isinstance(claim, Clearance)
    assert claim.identifiers == ("CVE-2024-0001",)
    assert isinstance(one(replace(DEVICE, version="L.00"), document), Candidate)


def test_a_clearance_for_another_version_clears_nothing() -> None:
    fixed = replace(LEAF, product_id="p2", version_text="N.01")
    claim = one(DEVICE, advisory(LEAF, fixed, statuses=(("p1", AFFECTED), ("p2", ProductStatus.FIXED))))
    assert isinstance(claim, Candidate)
    assert claim.fix_versions == ("N.01",)


def test_under_investigation_and_unstated_are_for_review() -> None:
    pending = advisory(LEAF, statuses=(("p1", ProductStatus.UNDER_INVESTIGATION),))
    assert 0.5 <= probability(DEVICE, pending) < 0.8
    assert 0.5 <= probability(DEVICE, advisory(LEAF, statuses=())) < 0.8


def test_scores_and_remediations_are_those_of_the_product() -> None:
    mine, other = (
        CvssScore(f"CVSS:3.1/AV:{letter}", score, "3.1", "CISA") for letter, score in (("N", 9.8), ("L", 3.0))
    )
    claim = one(
        DEVICE,
        advisory(
            LEAF,
            scores=(ProductScore(other, ("p9",)), ProductScore(mine, ("p1",))),
            remediations=(
                Remediation("vendor_fix", "for another", product_ids=("p9",)),
                Remediation("mitigation", "for all"),
                Remediation("vendor_fix", "for this", product_ids=("p1",)),
            ),
        ),
    )
    assert isinstance(claim, Candidate)
    assert claim.cvss == (mine,)
    assert [item.details for item in claim.remediations] == ["for all", "for this"]


@pytest.mark.parametrize(("item", "factor"), [("listed product", 0.9), ("product", 0.7), ("suggested product", 0.7)])
def test_what_was_read_from_a_text_says_so_and_counts_for_less(item: str, factor: float) -> None:
    leaf = replace(LEAF, full_name="IntelliVue MX800")
    document = replace(advisory(leaf), passages=(Passage(item, 0, 16, "IntelliVue MX800"), Passage("cve", 20, 33, "x")))
    claim = one(DEVICE, document)
    assert isinstance(claim, Candidate)
    assert claim.citation.probability == pytest.approx(probability(DEVICE, advisory(leaf)) * factor, abs=1e-4)
    assert claim.citation.reason.endswith("; read from a bulletin's text")


def test_prose_clears_no_device() -> None:
    fixed = AffectedProduct("p2", "Philips", "IntelliVue MX800", "M.01", VersionKind.EXACT)
    stated = advisory(fixed, statuses=(("p2", ProductStatus.FIXED),))
    assert isinstance(one(DEVICE, stated), Clearance)
    assert one(DEVICE, replace(stated, passages=(Passage("product", 0, 16, "IntelliVue MX800"),))) is None
