"""Which statement answers which finding."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from analyzers.vex import (
    Vex,
    bind,
    concerning,
    document_keys,
    evidence_keys,
)
from meddojo.advisory import Advisory, AdvisoryVulnerability, AffectedProduct, ProductStatus
from meddojo.case import Case
from meddojo.device import Device
from meddojo.errors import InputError
from meddojo.finding import Finding, Stream
from meddojo.sbom import Component, Sbom
from meddojo.severity import Severity
from meddojo.vex import Justification, VexDocument, VexStatement, VexStatus, bound, device_urn, find_justification

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PUMP = Device("pump", "Acme", "Infusor 300", version="4.2", cpe="cpe:2.3:o:acme:infusor_300_firmware:4.2:*:*:*:*:*:*:*")
ZLIB = Component("z", "zlib", "1.2", "pkg:generic/zlib@1.2")
EXPAT = Component("e", "expat", "2.5", "pkg:generic/expat@2.5")
BY_NAME = AffectedProduct("P", vendor="Acme", product="Infusor 300", version_text="4.2")


def finding(*components: Component, check: str = "CVE-2023-0001", aliases: tuple[str, ...] = ()) -> Finding:
    return Finding(
        Stream.VULNERABILITIES, "pump", check, check, Severity.HIGH, "", 0.9, components=components, aliases=aliases
    )


def statement(status: VexStatus = VexStatus.NOT_AFFECTED, product: AffectedProduct = BY_NAME) -> VexStatement:
    return VexStatement("CVE-2023-0001", status, (product,), "Acme PSIRT", "A-1", "1", NOW, detail="Never called.")


def judged(found: Finding, *statements: VexStatement, device: Device = PUMP) -> Finding:
    (result,) = Vex().judge(Case(device, NOW, vex=statements), [found])
    return result


def cleared(found: Finding, *statements: VexStatement, device: Device = PUMP) -> bool:
    return bool(judged(found, *statements, device=device).suppressed)


def test_the_reason_is_told() -> None:
    said = judged(finding(), replace(statement(), justification=Justification.CODE_NOT_EXECUTED)).suppressed
    assert said == (
        "Acme PSIRT states 'not affected' in A-1 of 2026-01-01: vulnerable code not in execute path; Never called."
    )


@pytest.mark.parametrize(
    ("product", "applies"),
    [
        (BY_NAME, True),
        (replace(BY_NAME, version_text="4.1"), False),
        (replace(BY_NAME, version_text="<= 4.2"), True),
        (replace(BY_NAME, version_text=""), True),
        (replace(BY_NAME, vendor="Other"), False),
        (replace(BY_NAME, product="Infusor 500"), False),
        (AffectedProduct("P", cpe="cpe:2.3:o:acme:infusor_300_firmware:*:*:*:*:*:*:*:*"), True),
        (AffectedProduct("P", purl="pkg:generic/infusor-300@4.2"), False),
        (AffectedProduct(device_urn(PUMP)), True),
        (AffectedProduct(device_urn(replace(PUMP, version="4.1"))), False),
        (AffectedProduct(device_urn(replace(PUMP, id="other"))), False),
        (replace(BY_NAME, product_id=device_urn(replace(PUMP, id="other"))), False),
        (replace(BY_NAME, product_id=device_urn(PUMP), product="Ventilator"), False),
    ],
)
def test_whose_product_it_is(product: AffectedProduct, applies: bool) -> None:
    assert cleared(finding(), statement(product=product)) is applies
    assert cleared(finding(ZLIB), statement(product=product)) is applies


def test_an_unknown_version_is_never_cleared_by_a_statement_about_one() -> None:
    unknown = replace(PUMP, version="", cpe="")
    assert not cleared(finding(), statement(), device=unknown)
    assert not cleared(finding(), _named(unknown, statement()), device=unknown)
    assert cleared(finding(), statement(product=replace(BY_NAME, version_text="")), device=unknown)


def _named(device: Device, said: VexStatement) -> VexStatement:
    return replace(said, device_id=device.id, device_version=device.version)


def test_every_component_has_to_be_answered() -> None:
    about_zlib = replace(statement(), components=(ZLIB,))
    about_expat = replace(statement(), components=(EXPAT,))
    assert cleared(finding(ZLIB), about_zlib)
    assert not cleared(finding(ZLIB, EXPAT), about_zlib)
    assert cleared(finding(ZLIB, EXPAT), about_zlib, about_expat)
    assert not cleared(finding(replace(ZLIB, version="1.3", purl="pkg:generic/zlib@1.3")), about_zlib)
    assert cleared(finding(), about_zlib)


def test_a_supplier_speaks_for_its_component() -> None:
    product = AffectedProduct("Z", purl="pkg:generic/zlib@1.2", version_text="1.2")
    assert cleared(finding(ZLIB), statement(product=product))
    assert not cleared(finding(EXPAT), statement(product=product))
    assert not cleared(finding(), statement(product=product))
    assert not cleared(
        finding(ZLIB), statement(product=replace(product, version_text="1.1", purl="pkg:generic/zlib@1.1"))
    )


def test_names_of_the_vulnerability() -> None:
    said = replace(statement(), vulnerability="ghsa-2gwj-7jmv-h26r")
    assert cleared(finding(aliases=("GHSA-2gwj-7jmv-h26r",)), said)
    assert cleared(finding(check="CVE-2023-9"), replace(said, aliases=("CVE-2023-9",)))
    assert not cleared(finding(check="CVE-2023-9"), said)


def test_the_newest_statement_of_an_author_counts() -> None:
    old = statement(VexStatus.AFFECTED)
    new = replace(statement(), timestamp=NOW + timedelta(days=1), document="A-2")
    assert cleared(finding(), old, new) and cleared(finding(), new, old)
    older = replace(statement(), timestamp=NOW - timedelta(days=1))
    assert not cleared(finding(), older, old)
    same_moment = statement()
    assert not cleared(finding(), old, same_moment)


def test_between_authors_the_more_cautious_counts() -> None:
    other = replace(statement(VexStatus.AFFECTED), author="CERT", timestamp=NOW - timedelta(days=900))
    result = judged(finding(), statement(), other)
    assert not result.suppressed and result.tags == ("vex-affected",)


@pytest.mark.parametrize(
    ("status", "suppressed", "tags"),
    [
        (VexStatus.NOT_AFFECTED, True, ()),
        (VexStatus.FIXED, True, ()),
        (VexStatus.AFFECTED, False, ("vex-affected",)),
        (VexStatus.UNDER_INVESTIGATION, False, ("vex-under-investigation",)),
    ],
)
def test_every_status(status: VexStatus, suppressed: bool, tags: tuple[str, ...]) -> None:
    result = judged(finding(), statement(status))
    assert (bool(result.suppressed), result.tags) == (suppressed, tags)


def test_other_streams_are_left_alone() -> None:
    other = replace(finding(), stream=Stream.SUPPLY_CHAIN)
    assert judged(other, statement()) == other


def test_a_feed_brings_vex_too() -> None:
    """Only what is flagged as the profile VEX asks for: other advisories are judged by matching."""
    vulnerability = AdvisoryVulnerability(
        "CVE-2023-0001", statuses=(("P", ProductStatus.KNOWN_NOT_AFFECTED),), flags=(("P", "component_not_present"),)
    )
    advisory = Advisory("A-1", "", "Acme PSIRT", "https://acme.example", "1", NOW, NOW, (BY_NAME,), (vulnerability,))
    (result,) = Vex().judge(Case(PUMP, NOW, advisories=(advisory,)), [finding(ZLIB)])
    assert "component not present" in result.suppressed
    plain = replace(advisory, vulnerabilities=(replace(vulnerability, flags=()),))
    assert Vex().judge(Case(PUMP, NOW, advisories=(plain,)), [finding(ZLIB)]) == (finding(ZLIB),)


def test_a_named_device_is_believed_until_it_is_updated() -> None:
    image = AffectedProduct("pkg:oci/pump", full_name="pump", purl="pkg:oci/pump")
    said = _named(PUMP, statement(product=image))
    assert cleared(finding(ZLIB), said)
    assert not cleared(finding(ZLIB), said, device=replace(PUMP, version="4.3"))
    assert not cleared(finding(ZLIB), _named(PUMP, statement(product=replace(image, version_text="3.0"))))


def _document(*statements: VexStatement) -> VexDocument:
    return VexDocument("OpenVEX", "A-1", "Acme PSIRT", "1", NOW, statements)


def test_binding_takes_what_is_recognised() -> None:
    other = AffectedProduct("Q", vendor="Acme", product="Ventilator 9", version_text="4.2")
    document = _document(statement(), statement(product=other))
    taken = bind(document, PUMP, None, (), "x")
    assert [each.products for each in taken.statements] == [(BY_NAME,)]
    assert {(each.device_id, each.device_version) for each in taken.statements} == {("pump", "4.2")}
    sbom = Sbom("CycloneDX 1.5", (ZLIB,))
    package = AffectedProduct("Z", purl="pkg:generic/zlib@1.2", version_text="1.2")
    assert bind(_document(statement(product=package), statement(product=other)), PUMP, sbom, (), "x").statements


def test_binding_refuses_to_guess() -> None:
    one, other = AffectedProduct("A", full_name="product-ABC"), AffectedProduct("B", full_name="product-JKL")
    with pytest.raises(InputError, match=r"several products \(product-ABC, product-JKL\)"):
        bind(_document(statement(product=one), statement(product=other)), PUMP, None, (), "x")
    assert bind(_document(statement(product=one)), PUMP, None, (), "x").statements[0].products == (one,)


def test_what_is_found_by_keys() -> None:
    package = AffectedProduct("Z", purl="pkg:generic/zlib@1.2", version_text="1.2")
    keys = evidence_keys(PUMP, Sbom("SPDX 2.3", (ZLIB,)), ())
    for product in (BY_NAME, package, AffectedProduct(device_urn(PUMP))):
        said = statement(product=product)
        assert not keys.isdisjoint(document_keys(_document(said)))
        assert concerning([said], keys) == (said,)
    stranger = statement(product=AffectedProduct("X", vendor="Other", product="Thing"))
    assert concerning([stranger], keys) == ()
    assert concerning([bound(_document(stranger), PUMP, [stranger]).statements[0]], keys)


@pytest.mark.parametrize(
    ("note", "label"),
    [
        ("component_not_present", Justification.COMPONENT_NOT_PRESENT),
        ("Inline mitigations already exist: sandbox", Justification.MITIGATED_INLINE),
        ("vulnerable-code-not-in-execute-path", Justification.CODE_NOT_EXECUTED),
        ("component_not_present or vulnerable_code_not_present", None),
        ("the component is not present", None),
        ("", None),
    ],
)
def test_labels_in_notes(note: str, label: Justification | None) -> None:
    assert find_justification(note) is label
