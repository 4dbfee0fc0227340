"""Records that name no product: phrases, version statements and mentions of a device in a description."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.matching.index import DESCRIPTION_KEYS, description_keys, device_keys, vulnerability_keys
from analyzers.matching.records.descriptions import Agreement, Standing, best_mention
from analyzers.matching.records.device import match_record
from analyzers.matching.records.phrases import read_phrases
from analyzers.matching.records.version_phrases import fixed_versions, version_after, version_before, version_opening
from meddojo.advisory import AffectedProduct
from meddojo.device import Device
from meddojo.vulnerability import Configuration, CpeMatch, CpeNode, Vulnerability

MX40 = Device("m", "Philips", "IntelliVue MX40", "B.06.15")


def described(text: str, **parts: object) -> Vulnerability:
    return Vulnerability("CVE-2026-0001", "nvd", text, **parts)  # type: ignore[arg-type]


def judge(device: Device, text: str, **parts: object) -> tuple[float, str]:
    claim = next(match_record(device, described(text, **parts)), None)
    return (claim.citation.probability, claim.citation.reason) if claim else (0.0, "")


# ---- phrases ----


@pytest.mark.parametrize(
    ("text", "phrase", "version"),
    [
        ("Hospira MedNet before 6.1 uses fixed keys.", "Hospira MedNet", "before 6.1"),
        ("Acme Pump 300 through 4.0 is open.", "Acme Pump 300", "<= 4.0"),
        ("A flaw in Acme Flow version 1.2 and earlier lets anyone in.", "Acme Flow", "1.2 and earlier"),
        ("In Acme Flow, versions prior to 3.1, a flaw exists.", "Acme Flow", "prior to 3.1"),
        ("A flaw exists in all versions of Acme Flow 24950 and 24952 Patient Monitor.", None, "all versions"),
        ("Acme FLOW-X (All versions < V3.3) listens.", "Acme FLOW-X", "< V3.3"),
        ("Acme Flow 1.0, 1.1, and 1.2 allows a crash.", "Acme Flow", "1.0, 1.1, and 1.2"),
        ("Acme Flow System 5.0 and earlier, and possibly other versions, crashes.", None, "5.0 and earlier"),
        ("Acme Flow® Series (FL400-FL550) has a flaw.", "Acme Flow Series (FL400-FL550", ""),
        ("Acme Flow Cardiographs, all versions prior to May 2018, have one.", None, "prior to May 2018"),
        ("The Acme Flow has a flaw.", "Acme Flow", ""),
    ],
)
def test_a_phrase_and_its_version(text: str, phrase: str | None, version: str) -> None:
    first = next(each for each in read_phrases(text) if "Acme" in each.text or "Hospira" in each.text)
    assert phrase is None or first.text == phrase
    assert first.version_text == version


def test_sentences_do_not_run_together() -> None:
    phrases = read_phrases("The flaw is in B. Braun SpaceCom. Acme Flow is another product.")
    assert [each.text for each in phrases] == ["B. Braun SpaceCom", "Acme Flow"]
    assert phrases[1].before == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("prior to version 2.3.0 has a flaw", "prior to 2.3.0"),
        (", Version 1.1, 1.5, and 1.6. An attacker", "1.1, 1.5, and 1.6"),
        ("from 1.0 up to before 2.0", ">= 1.0 | < 2.0"),
        ("before the reboot", ""),
        ("and others", ""),
        ("prior to", ""),
        ("", ""),
    ],
)
def test_version_after(text: str, expected: str) -> None:
    assert version_after(text) == expected


def test_version_before_a_name() -> None:
    assert version_before("A flaw in versions prior to 2.0 of the ") == "prior to 2.0"
    assert version_before("A flaw in the ") == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Prior to version 8.0.0, a flaw exists.", "Prior to 8.0.0"),
        ("In versions up to and including 8.0.0, it fails.", "up to and including 8.0.0"),
        ("From 5.0.2 to before 8.0.0, keys are shown.", ">= 5.0.2 | < 8.0.0"),
        ("Prior to versions 7.1.2-15 and 6.9.13-40, a read fails.", "< 7.1.2-15 | < 6.9.13-40"),
        ("Version 8.0.0 fixes the issue.", ""),
        ("Versions 7.1.2 and 6.9.13 contain a patch.", ""),
        ("An attacker may log in.", ""),
    ],
)
def test_a_version_statement_that_opens_a_sentence(text: str, expected: str) -> None:
    assert version_opening(text) == expected


def test_the_fixed_version_stands_for_all_below() -> None:
    assert fixed_versions("It has been fixed in version 2.3.1.") == "< 2.3.1"
    assert fixed_versions("Version 2.3.1 contains a patch.") == "< 2.3.1"
    assert fixed_versions("Users should upgrade to Acme Flow 2.3.1 now") == "< 2.3.1"
    assert fixed_versions("fixed in 2.3.1 and, for the old branch, patched in 1.9.4") == ""
    assert fixed_versions("Nothing is fixed.") == ""


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    for phrase in read_phrases(text):
        assert phrase.text
    assert len(description_keys(text)) <= DESCRIPTION_KEYS
    version_after(text)
    version_opening(text)
    fixed_versions(text)


# ---- mentions ----


def test_vendor_model_and_version_together() -> None:
    text = "Philips IntelliVue MX40 Patient Worn Monitor (WLAN) before B.06.18 does not handle a disconnection."
    probability, reason = judge(MX40, text)
    assert 0.5 <= probability < 0.8
    for words in (
        "vendor 'Philips'",
        "IntelliVue MX40",
        "'B.06.15' in 'before B.06.18'",
        "only the description says so",
    ):
        assert words in reason
    assert judge(replace(MX40, version="B.06.18"), text)[0] == 0.0
    assert 0.5 <= judge(replace(MX40, version=""), text)[0] < probability


@pytest.mark.parametrize(
    "text",
    [
        "Philips IntelliVue MX400 before C.01 has a flaw.",  # neighbour model
        "Siemens IntelliVue MX40 before C.01 has a flaw.",  # same product name, other vendor
        "The IntelliVue MX40 has a flaw.",  # nobody is named
        "Philips monitors have a flaw.",  # no telling word
        "Unlike the Philips IntelliVue MX40, the Acme Flow has a flaw.",
        "The Acme Flow has a flaw. The Philips IntelliVue MX40 is not affected.",
        "A flaw in the Acme plugin for Philips IntelliVue MX40 lets anyone in.",
        "Acme Flow, which is compatible with the Philips IntelliVue MX40, has a flaw.",
        "The Philips IntelliVue MX40 plugin of Acme Flow has a flaw.",
        "",
    ],
)
def test_what_is_no_mention(text: str) -> None:
    assert judge(MX40, text)[0] < 0.5


def test_a_component_is_not_the_device() -> None:
    assert judge(MX40, "OpenSSL before 1.1.1k crashes.")[0] == 0.0
    probability, _ = judge(MX40, "OpenSSL, as used in the Philips IntelliVue MX40, crashes.")
    assert 0.5 <= probability < 0.8


def test_where_the_vendor_stands_weighs() -> None:
    together = best_mention(MX40, described("Philips IntelliVue MX40 has a flaw."))
    apart = best_mention(MX40, described("The IntelliVue MX40 has a flaw. Philips was told."))
    assigner = best_mention(MX40, described("The IntelliVue MX40 has a flaw.", assigner="productsecurity@philips.com"))
    assert together is not None and apart is not None and assigner is not None
    assert (together.standing, apart.standing, assigner.standing) == tuple(Standing)
    assert together.probability > apart.probability > assigner.probability


def test_how_much_of_the_name_agrees_weighs() -> None:
    family = best_mention(MX40, described("Philips IntelliVue has a flaw."))
    assert family is not None
    assert family.agreement is Agreement.FAMILY
    assert family.probability < 0.5


def test_a_name_that_stands_word_for_word_among_others() -> None:
    text = "Medtronic CareLink 2090 Programmer CareLink 9790 Programmer 29901 Encore Programmer has a flaw."
    mention = best_mention(Device("p", "Medtronic", "CareLink 2090 Programmer"), described(text))
    assert mention is not None
    assert mention.agreement is Agreement.VERBATIM
    assert "stands word for word" in mention.product.reason
    neighbour = best_mention(Device("p", "Medtronic", "CareLink 2091 Programmer"), described(text))
    assert neighbour is None or neighbour.probability < 0.5


def test_aliases_of_the_vendor() -> None:
    device = Device("a", "BD", "Alaris Gateway Workstation", "1.1.3")
    assert judge(device, "Becton Dickinson Alaris Gateway Workstation 1.1.3 has a flaw.")[0] >= 0.5
    assert (
        judge(Device("a", "Rockwell Automation", "MicroLogix 1400"), "RockwellAutomation MicroLogix 1400 fails.")[0] > 0
    )


def test_short_vendor_names_count_in_capitals_only() -> None:
    device = Device("g", "GE Healthcare", "Optima CT680")
    assert judge(device, "GE Optima CT680 has a default password.")[0] >= 0.5
    assert judge(device, "We ge told that Optima CT680 has a default password.")[0] == 0.0


def test_lists_of_models() -> None:
    text = "GE Healthcare Optima CT680, CT540, CT640, and CT520 has a default password."
    assert judge(Device("g", "GE Healthcare", "Optima CT540"), text)[0] >= 0.5
    assert judge(Device("g", "GE Healthcare", "Optima CT660"), text)[0] == 0.0


def test_a_fixed_version_clears_the_device() -> None:
    text = "Acme Flow has a flaw. It was fixed in version 2.3.1."
    assert judge(Device("f", "Acme", "Flow", "2.3.0"), text)[0] >= 0.5
    assert judge(Device("f", "Acme", "Flow", "2.3.1"), text)[0] == 0.0


def test_the_version_may_stand_beside_another_mention() -> None:
    text = "A weak key in Acme Flow 300 lets anyone in. This issue affects Flow 300 in all versions prior to 1.52."
    assert judge(Device("f", "Acme", "Flow 300", "1.51"), text)[0] >= 0.5
    assert judge(Device("f", "Acme", "Flow 300", "1.52"), text)[0] == 0.0


def test_a_version_that_has_the_fix_is_not_the_affected_one() -> None:
    text = "Acme Flow 300 before 1.5 has a flaw. Acme Flow 300 1.5 fixes it."
    assert judge(Device("f", "Acme", "Flow 300", "1.4"), text)[0] >= 0.5
    assert judge(Device("f", "Acme", "Flow 300", "1.5"), text)[0] == 0.0
    assert judge(Device("f", "Acme", "Flow 300", "1.5"), "Acme Flow 300 1.5 contains a buffer overflow.")[0] >= 0.5


def test_several_free_version_statements_leave_the_version_open() -> None:
    text = "Acme Flow has a flaw. Prior to version 8.0, it leaks. In versions up to 9.1, it crashes."
    probability, reason = judge(Device("f", "Acme", "Flow", "10"), text)
    assert probability >= 0.5
    assert "no version is named" in reason


def test_better_evidence_goes_first() -> None:
    text = "Philips IntelliVue MX40 before B.06.18 has a flaw."
    other = Configuration("OR", (CpeNode("OR", (CpeMatch("cpe:2.3:a:x:y:*:*:*:*:*:*:*:*"),)),))
    assert judge(MX40, text, configurations=(other,))[0] == 0.0
    assert judge(MX40, text, affected=(AffectedProduct("0", "Acme", "Flow"),))[0] == 0.0


def test_rejected_and_disputed_descriptions() -> None:
    text = "Philips IntelliVue MX40 before B.06.18 has a flaw."
    assert judge(MX40, text, status="Rejected")[0] == 0.0
    assert judge(MX40, f"** REJECT ** {text}")[0] == 0.0
    assert "disputed" in judge(MX40, f"** DISPUTED ** {text}")[1]
    assert "disputed" in judge(MX40, text, tags=("disputed",))[1]
    assert "disputed" not in judge(MX40, text)[1]


# ---- nomination ----


@pytest.mark.parametrize(
    ("device", "text"),
    [
        (MX40, "Philips IntelliVue MX40 has a flaw."),
        (Device("e", "Welch Allyn", "EC 40"), "Welch Allyn EC40 has a flaw."),
        (Device("e", "Welch Allyn", "EC40"), "Welch Allyn EC 40 has a flaw."),
        (Device("s", "Philips", "IntelliVue MX450"), "Philips IntelliVue monitors MX400-MX550 have a flaw."),
    ],
)
def test_a_description_nominates_the_device(device: Device, text: str) -> None:
    assert device_keys(device) & vulnerability_keys(described(text))


def test_only_records_without_names_are_nominated_by_their_description() -> None:
    text = "Philips IntelliVue MX40 has a flaw."
    named = described(text, affected=(AffectedProduct("0", "Acme", "Flow"),))
    assert not device_keys(MX40) & vulnerability_keys(named)
    assert not vulnerability_keys(described(text, status="Rejected"))
    assert not vulnerability_keys(described("SQL injection and XSS over HTTP allow RCE."))
