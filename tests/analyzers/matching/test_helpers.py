"""Product identification helpers: they go before names."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from analyzers.matching.advisories import match_advisory
from analyzers.matching.candidates import Candidate
from analyzers.matching.match import Basis
from analyzers.matching.products import match_product
from analyzers.matching.versions.sets import Verdict
from meddojo.advisory import Advisory, AdvisoryVulnerability, AffectedProduct, ProductStatus
from meddojo.device import Device

NOW = datetime(2024, 9, 1, tzinfo=UTC)
SWITCH = AffectedProduct("p1", "Siemens", "SCALANCE X204-2", "< V5.2.5", model_numbers=("6GK5204-2BB10-2AA3",))
DEVICE = Device("s", "Siemens", "SCALANCE X204-2", "5.2.4", model_number="6GK5204-2BB10-2AA3")
HASH = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("device", "leaf"),
    [
        (DEVICE, SWITCH),
        (replace(DEVICE, model="Switch, ground floor"), SWITCH),
        (replace(DEVICE, model="Switch", model_number="6gk5204 2bb10 2aa3"), SWITCH),
        (replace(DEVICE, model="6GK5204-2BB10-2AA3", model_number=""), SWITCH),
        (replace(DEVICE, model="Switch"), replace(SWITCH, model_numbers=("6GK5204-2BB10-*",))),
        (replace(DEVICE, model="Switch"), replace(SWITCH, model_numbers=("6GK5204-2??10-2AA3",))),
        (replace(DEVICE, model="Switch"), replace(SWITCH, model_numbers=(), skus=("6GK5204-2BB10-2AA3",))),
        (replace(DEVICE, model="Switch", serial_number="X1, LBN3042"), replace(SWITCH, serial_numbers=("LBN30*",))),
        (replace(DEVICE, model="Switch", software_hash=HASH), replace(SWITCH, hashes=(HASH,))),
        (
            replace(DEVICE, model="Switch", udi_di="04012345678901"),
            replace(SWITCH, uris=("urn:gs1:01:04012345678901",), model_numbers=()),
        ),
    ],
)
def test_an_identifier_that_agrees_names_the_device(device: Device, leaf: AffectedProduct) -> None:
    match = match_product(device, leaf)
    assert match is not None
    assert match.basis is Basis.IDENTIFIER
    assert match.verdict is Verdict.AFFECTED
    assert match.probability == 0.98


@pytest.mark.parametrize(
    ("device", "leaf"),
    [
        (replace(DEVICE, model="Switch", model_number="6GK5204-2BB10-2AA4"), SWITCH),
        (replace(DEVICE, model="Switch", vendor="Moxa"), SWITCH),
        (replace(DEVICE, model="Switch"), replace(SWITCH, model_numbers=(r"6GK5204-2BB10-\*",))),
        (
            replace(DEVICE, model="Switch", model_number="", udi_di="04012345678902"),
            replace(SWITCH, uris=("a:04012345678901",)),
        ),
        (replace(DEVICE, model="Switch", model_number="204"), replace(SWITCH, model_numbers=("204",))),
    ],
)
def test_another_identifier_does_not(device: Device, leaf: AffectedProduct) -> None:
    assert match_product(device, leaf) is None


def test_the_hash_of_the_image_stands_for_its_version() -> None:
    match = match_product(replace(DEVICE, version="9.9", software_hash=HASH), replace(SWITCH, hashes=(HASH,)))
    assert match is not None
    assert match.verdict is Verdict.AFFECTED


@pytest.mark.parametrize(
    ("serial", "verdict"),
    [("LBN3042", Verdict.AFFECTED), ("LBN4000", Verdict.NOT_AFFECTED), ("", Verdict.UNKNOWN)],
)
def test_a_leaf_limited_to_serial_numbers(serial: str, verdict: Verdict) -> None:
    leaf = replace(SWITCH, model_numbers=(), serial_numbers=("LBN30*",))
    match = match_product(replace(DEVICE, model_number="", serial_number=serial), leaf)
    assert match is not None
    assert match.verdict is verdict
    assert (match.probability >= 0.8) is (verdict is not Verdict.UNKNOWN)


def test_where_a_helper_names_the_device_others_that_sound_like_it_are_left_out() -> None:
    sibling = replace(SWITCH, product_id="p2", version_text="< V5.5", model_numbers=("6GK5204-2BB10-2CA2",))
    device = replace(DEVICE, version="5.3")
    statuses = (("p1", ProductStatus.KNOWN_AFFECTED), ("p2", ProductStatus.KNOWN_AFFECTED))
    vulnerability = AdvisoryVulnerability("CVE-2024-0001", statuses=statuses)
    advisory = Advisory("A", "t", "CISA", "n", "1", NOW, NOW, (SWITCH, sibling), (vulnerability,))
    assert list(match_advisory(device, advisory)) == []
    unnumbered = list(match_advisory(replace(device, model_number=""), advisory))
    assert len(unnumbered) == 1
    assert isinstance(unnumbered[0], Candidate)
