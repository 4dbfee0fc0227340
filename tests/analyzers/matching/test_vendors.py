"""Vendor names, spellings and acquisitions."""

from __future__ import annotations

import pytest

from analyzers.matching.names.vendors import VendorRelation, compare_vendors, vendor_keys


@pytest.mark.parametrize(
    ("device", "stated", "relation"),
    [
        ("Philips", "PHILIPS", VendorRelation.EXACT),
        ("Medtronic", "Medtronic ", VendorRelation.EXACT),
        ("Hamilton Medical", "Hamilton Medical AG", VendorRelation.EXACT),
        ("GE Healthcare", "gehealthcare", VendorRelation.EXACT),
        ("Dräger", "Drager", VendorRelation.EXACT),
        ("Philips Healthcare", "Philips", VendorRelation.ALIAS),
        ("Philips", "Phillips", VendorRelation.ALIAS),
        ("BD", "Becton, Dickinson and Company (BD)", VendorRelation.ALIAS),
        ("Draeger", "Dräger", VendorRelation.ALIAS),
        ("B. Braun Melsungen AG", "bbraun", VendorRelation.ALIAS),
        ("Hill-Rom", "Hillrom", VendorRelation.EXACT),
        ("Acme Medical Systems GmbH", "Acme", VendorRelation.GENERAL_WORDS),
        ("Baxter", "Hillrom", VendorRelation.ACQUIRED),
        ("Welch Allyn", "Hillrom and ELI, Baxter International Inc.", VendorRelation.ACQUIRED),
        ("ICU Medical", "Hospira", VendorRelation.ACQUIRED),
        ("Covidien", "Medtronic", VendorRelation.ACQUIRED),
        ("BD", "CareFusion", VendorRelation.ACQUIRED),
        ("Siemens Healthineers", "Siemens", VendorRelation.RELATED),
        ("GE Healthcare", "General Electric (GE)", VendorRelation.RELATED),
        ("GE Healthcare", "Silex Technology and GE Healthcare", VendorRelation.EXACT),
        ("APC by Schneider Electric", "Schneider Electric", VendorRelation.EXACT),
        ("Philips Medical Systems Nederland B.V.", "Philips", VendorRelation.GENERAL_WORDS),
        ("Siemens Building Technologies Fire", "Siemens", VendorRelation.ACQUIRED),
        ("Akuvox Smart Doors Co.", "Akuvox", VendorRelation.SUBSIDIARY),
        ("Carlo Gavazzi Automation S.p.A.", "Carlo Gavazzi", VendorRelation.GENERAL_WORDS),
        ("Grundfos Holding A/S", "Grundfos Pumps Corporation", VendorRelation.SUBSIDIARY),
        ("Hikvison", "Hikvision", VendorRelation.MISSPELT),
        ("Geutebrück", "GeutebrÃ¼ck", VendorRelation.EXACT),
        ("Alaris Medical", "Becton, Dickinson and Company (BD)", VendorRelation.ACQUIRED),
        ("Philips", "n/a", VendorRelation.UNSTATED),
        ("Philips", "", VendorRelation.UNSTATED),
    ],
)
def test_related_vendors_share_a_key_and_say_how(device: str, stated: str, relation: VendorRelation) -> None:
    match = compare_vendors(device, stated)
    assert match is not None
    assert match.relation is relation
    assert relation is VendorRelation.UNSTATED or vendor_keys(device) & vendor_keys(stated)


@pytest.mark.parametrize(
    ("device", "stated"),
    [
        ("Philips", "Siemens"),
        ("Boston Scientific", "Fisher Scientific"),
        ("Delta Electronics", "Delta Controls"),
        ("General Motors", "General Dynamics"),
        ("Belden", "Bender"),
        ("Smiths Medical", "Hamilton Medical"),
        ("Johnson Controls", "Johnson & Johnson"),
        ("Medtronic", "Medisys"),
        ("GE Healthcare", "Change Healthcare"),
        ("Hospira", "Smiths Medical"),
        ("Medical Systems", "Healthcare Technologies"),
    ],
)
def test_strangers(device: str, stated: str) -> None:
    assert compare_vendors(device, stated) is None


def test_the_reason_can_be_checked() -> None:
    match = compare_vendors("Philips Healthcare", "Philips")
    assert match is not None
    assert match.reason == "vendor 'Philips Healthcare' = 'Philips' (alias)"
