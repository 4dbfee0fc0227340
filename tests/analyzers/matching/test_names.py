"""Product names: which of them are the device."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.matching.names.comparison import ProductRelation, compare_products

R = ProductRelation


@pytest.mark.parametrize(
    ("model", "stated", "relation"),
    [
        ("IntelliVue MX800", "intellivue  MX800", R.EXACT),
        ("IntelliVue MX800", "Philips IntelliVue MX800", R.EXACT),
        ("PIC iX", "PICiX", R.EXACT),
        ("Patient Information Center iX", "Patient Information Center iX (PIC iX)", R.EXACT),
        ("PICiX", "Patient Information Center iX (PIC iX)", R.EXACT),
        ("Discovery XR656+", "Discovery XR656 Plus", R.EXACT),
        ("PageWriter TC30", "PageWriter TC10 TC20 TC30 TC50 TC70 Cardiographs", R.EXACT),
        ("IntelliVue MX40", "IntelliVue MX40 Patient Worn Monitor (WLAN only)", R.WORDING),
        ("Pyxis MedStation ES", "Pyxis ES MedStation System", R.WORDING),
        ("Avalon FM30", "Avalon Fetal/Maternal Monitors FM20/FM30/FM40/FM50", R.WORDING),
        ("MiniMed Paradigm 723", "MiniMed Paradigm 523/723 pumps", R.WORDING),
        ("Alaris 8015", "Alaris PC Unit Model 8015", R.WORDING),
        ("IntelliBridge EC40", "IntelliBridge EC 40 Hub", R.WORDING),
        ("MX40", "IntelliVue MX40", R.MODEL),
        ("CARESCAPE B450", "B450", R.MODEL),
        ("IntelliVue MX700", "IntelliVue MP monitors MX800/700/600 ((865240/41/42) WLAN", R.MODEL),
        ("IntelliVue MX800", "IntelliVue Patient Monitors MX100, MX400-MX850", R.MEMBER),
        ("IntelliVue MX450", "IntelliVue Patient Monitors MX (MX400-550)", R.MEMBER),
        ("Efficia CM120", "Efficia CM Series", R.MEMBER),
        ("IntelliVue MX800", "IntelliVue MX-Series", R.MEMBER),
        ("Innova IGS 520", "Innova IGS 5x0", R.MEMBER),
        ("UC-3101-T-US-LX", "UC-3100 Series", R.MEMBER),
        ("EDS-405A-MM-SC", "EDS-405A series", R.WORDING),
        ("RSPE35-24044O7T99", "RSP RSPE RSPS RSPL MSP", R.FAMILY),
        ("IntelliVeu MX40", "IntelliVue MX40", R.MISSPELT),
    ],
)
def test_names_that_belong_together(model: str, stated: str, relation: R) -> None:
    match = compare_products("Philips", model, "Philips", stated)
    assert match is not None
    assert match.relation is relation
    assert match.probability >= 0.8


@pytest.mark.parametrize(
    ("model", "stated"),
    [
        ("Alaris PC Unit", "Alaris PC Unit Model 8015"),
        ("Discovery XR656", "Discovery XR656 Plus"),
        ("SpaceCom 2", "SpaceStation with SpaceCom 2"),
    ],
)
def test_what_may_be_another_product_is_below_the_delivery_threshold(model: str, stated: str) -> None:
    match = compare_products("Philips", model, "Philips", stated)
    assert match is not None
    assert match.probability < 0.8


@pytest.mark.parametrize(
    ("model", "stated"),
    [
        ("IntelliVue MX800", "IntelliVue MX40"),
        ("IntelliVue MX900", "IntelliVue patient monitor MX400-MX850"),
        ("IntelliVue MX800", "IntelliVue patient monitor MP2-MP90"),
        ("IntelliVue X3", "IntelliVue X2"),
        ("LOGIQ 7", "LOGIQ 5"),
        ("Optima CT660", "Optima CT680 Quantum"),
        ("Alaris 8015 PC Unit", "Alaris 8000 PC unit"),
        ("NPort 5110", "NPort 5110A"),
        ("LOGIQ 100 Pro", "LOGIQ, not including LOGIQ 100 Pro"),
        ("RealPort for Windows", "RealPort for Linux"),
        ("SIMATIC S7-1500 CPU 1511-1 PN", "SIMATIC S7-1500 CPU 1513-1 PN"),
        ("CareLink Monitor", "CareLink 2090 Programmer"),
        ("Station with Alpha", "Station with Beta"),
        ("Perseus A500", "Infinity Delta"),
        ("Patient Monitor", "Infusion Pump"),
        ("", "IntelliVue MX800"),
    ],
)
def test_names_of_different_products(model: str, stated: str) -> None:
    match = compare_products("Philips", model, "Philips", stated)
    assert match is None or match.probability < 0.5


def test_a_word_made_of_the_vendors_name_may_be_missing() -> None:
    match = compare_products(
        "Johnson Controls (Exacq)", "exacqVision Enterprise Manager", "Exacq", "Exacq Enterprise Manager"
    )
    assert match is not None
    assert match.relation is R.WORDING


def test_a_version_at_the_end_of_a_name_is_a_version() -> None:
    match = compare_products("Philips", "IntelliSpace Portal", "Philips", "IntelliSpace Portal 8.0.x")
    assert match is not None
    assert (match.relation, match.embedded_version) == (R.EXACT, "8.0.x")
    older = compare_products("Siemens", "SIMATIC PCS 7", "Siemens", "SIMATIC PCS 7 V8.2 and earlier")
    assert older is not None
    assert older.embedded_version == "<= v8.2"


def test_the_reason_can_be_checked() -> None:
    match = compare_products("Philips", "IntelliVue MX800", "Philips", "IntelliVue MX800")
    assert match is not None
    assert match.reason == "product 'IntelliVue MX800' = 'IntelliVue MX800' (exact)"


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=20))
def test_any_text_can_be_compared(model: str, stated: str, vendor: str) -> None:
    match = compare_products(vendor, model, vendor, stated)
    assert match is None or 0 < match.probability < 1


@pytest.mark.parametrize("piece", ["A1/B1 ", "(", "a,", " and ", "MX400-MX850 ", "MX series ", "v1.", "1.x "])
def test_a_hostile_name_takes_no_time(piece: str) -> None:
    started = time.perf_counter()
    compare_products("Acme", "A1 B2", "Acme", piece * 20_000)
    compare_products("Acme", piece * 20_000, "Acme", "A1 B2")
    assert time.perf_counter() - started < 1
