"""What is read from prose, and that its places are what they say."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.advisory_text import Extraction, extract
from analyzers.advisory_text.identifiers import document_number, vectors
from analyzers.advisory_text.names import name_before
from analyzers.advisory_text.sections import Topic, heading_topic
from analyzers.advisory_text.spans import Span, sentences
from analyzers.advisory_text.statements import Status
from analyzers.advisory_text.version_phrases import version_phrases
from analyzers.matching.versions.reader import parse_versions
from analyzers.matching.versions.sets import Verdict, contains

PIECES = (
    "Affected products",
    "- Acme Pump X1: versions prior to 2.1",
    "Acme Pump X1 | 2.0 | 2.1",
    "Product | Affected versions | Fixed in",
    "CVE-2024-12345",
    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
    "(AV:N/AC:L/Au:N/C:P/I:P/A:P)",
    "CWE-79",
    "March 3, 2024",
    "Acme recommends to update to version 2.1 or later.",
    "A flaw was found in the Frobnicator plugin through 1.2.",
    "\n",
    " and ",
    "versions",
    "1.0, 1.1, ",
    "(",
    ")",
    ": ",
    "Ä",
    "医療機器",
)
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=20), max_size=25).map("".join)


def spans(value: Any) -> list[Span]:
    """Every span within a value."""
    if isinstance(value, Span):
        return [value]
    if isinstance(value, tuple):
        return [found for each in value for found in spans(each)]
    if is_dataclass(value):
        return [found for each in fields(value) for found in spans(getattr(value, each.name))]
    return []


def products(text: str, status: Status = Status.AFFECTED) -> list[tuple[str, str]]:
    return [
        (product.name.text, product.phrase.versions if product.phrase else "")
        for product in extract(text).products
        if product.status is status
    ]


@settings(deadline=None)  # the first one reads the weights
@given(TEXTS)
def test_every_span_is_the_slice_it_names(text: str) -> None:
    read = extract(text)
    assert isinstance(read, Extraction)
    for each in spans(read):
        assert text[each.start : each.end] == each.text


@settings(deadline=None)  # the first one reads the weights
@given(TEXTS)
def test_reading_twice_says_the_same(text: str) -> None:
    assert extract(text) == extract(text)


@given(st.text(max_size=300))
def test_sentences_cover_all_that_is_not_blank(text: str) -> None:
    found = list(sentences(text))
    assert all(text[each.start : each.end] == each.text for each in found)
    assert "".join("".join(each.text for each in found).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ISCV Version 2.x or prior and Xcelera Version 4.1 or prior are", ["2.x or prior", "4.1 or prior"]),
        ("versions up to, and including, 2.5.6.", ["up to and including 2.5.6"]),
        ("X3 Versions N and prior, the product", ["N and prior"]),
        (
            "from 11.0.0-M1 through 11.0.11, from 10.1.0 through 10.1.13",
            ["from 11.0.0-M1 through 11.0.11, from 10.1.0 through 10.1.13"],
        ),
        ("all versions", ["vers:all/*"]),
        ("all versions prior to May 2018", ["prior to May 2018"]),
        ("firmware version 2.3, 4 vulnerabilities", ["2.3"]),
        ("plugin <= 1.11.7", ["<= 1.11.7"]),
        ("a CVSS v3 base score of 8.3", []),
        ("port 8080 and TLS 1.2", []),
        ("192.168.0.1 and 802.11 networks", []),
        ("all versions manufactured before the summer", []),
        ("In all versions other than 3.0, the pump", []),
        ("up to 2.5, excluding 2.4", ["up to 2.5"]),
    ],
)
def test_version_phrases(text: str, expected: list[str]) -> None:
    assert [phrase.versions for phrase in version_phrases(text)] == expected


def test_a_range_that_cannot_be_read_is_not_read_as_all_versions() -> None:
    """A device must not be reported for versions that nobody named."""
    assert list(version_phrases("all versions prior to the one of last spring")) == []
    table = "Product | Affected versions | CVE\nAcme Pump | N and prior | CVE-2024-1000"
    ((name, versions),) = products(table)
    assert (name, versions) == ("Acme Pump", "N and prior")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("A flaw in the B. Braun SpaceCom ", "B. Braun SpaceCom"),
        (
            "In IntelliVue patient monitors MX100, MX400-MX550, and X3 ",
            "IntelliVue patient monitors MX100, MX400-MX550, and X3",
        ),
        ("Patient Information Center iX (PICiX) ", "Patient Information Center iX (PICiX)"),
        ("the Alaris 8015 PC unit (", "Alaris 8015 PC unit"),
        ("(model 35700BAX) and Baxter Spectrum ", "Baxter Spectrum"),
        ("devices running ", None),
        ("It was fixed in ", None),
    ],
)
def test_names_before_versions(text: str, name: str | None) -> None:
    found = name_before(text, len(text), 0)
    assert (found.text if found else None) == name


@pytest.mark.parametrize(
    ("item", "name", "versions"),
    [
        ("750-829: firmware versions prior to FW14", "750-829", "prior to FW14"),
        ("open-iscsi: Version 2.1.12 and prior", "open-iscsi", "2.1.12 and prior"),
        ("B450: Version 2.X (Impacted by CVE-2020- 6962 and CVE-2020-6965)", "B450", "2.X"),
        ("mGuard firmware: versions 7.2 to 8.6.0", "mGuard firmware", "7.2 to 8.6.0"),
        ("Frobnicator - *", "Frobnicator", "vers:all/*"),
        ("FOXMAN-UN: FOXMAN-UN R15B", "FOXMAN-UN", "R15B"),
        ("DAQ Pump: All Versions 18.1 Build 2347 and prior", "DAQ Pump", "18.1 Build 2347 and prior"),
        ("Synapse: Versions 4.20 4.20 SR1 and 4.30", "Synapse", "4.20 | 4.20 SR1 and 4.30"),
        ("Carestand: 620 650 650c", "Carestand", "620 | 650 | 650c"),
        (
            "SpaceX2: Versions U61 and earlier (United States) L81 and earlier (outside the United States)",
            "SpaceX2",
            "U61 and earlier | L81 and earlier",
        ),
        ("Link module: vD25 and prior", "Link module", "D25 and prior"),
        (
            "Data module: All Versions A10 and A11 which have been sold with a pump",
            "Data module",
            "A10 and A11 that have been sold with a pump",
        ),
        (
            "Zenith tools: Versions 7.20 and prior (7.50 may also be affected)",
            "Zenith tools",
            "7.20 and prior (7.50 may also be affected)",
        ),
        ("Pump Y: all versions except 2.1", "Pump Y", "all versions except 2.1"),
    ],
)
def test_items_as_publishers_write_them(item: str, name: str, versions: str) -> None:
    """Forms of CISA's lists; what the version parser reads itself stays as it is."""
    assert products(f"Acme notice\nAffected products\n- {item}\n") == [(name, versions)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("All versions of the Acme Pump Z except 2.1 are affected.", [("Acme Pump Z", "")]),
        ("In all versions other than 3.0, the Acme Pump Z has a flaw.", [("Acme Pump Z", "")]),
        ("Affected products\n- Pump Y: all versions except 2.1\n", [("Pump Y", "all versions except 2.1")]),
        ("Product | Affected versions\nPump Y | Any other than 2.1", [("Pump Y", "Any other than 2.1")]),
    ],
)
def test_an_exception_is_not_what_is_affected(text: str, expected: list[tuple[str, str]]) -> None:
    assert products(text) == expected


def test_a_sentence_that_repeats_the_list_adds_nothing() -> None:
    text = "Affected products\n- Pump X1: 1.10, 1.11 and 1.13\n{}\nDetails\nIn Pump X1 versions {}, a flaw was found."
    assert products(text.format("", "1.10 and 1.13")) == [("Pump X1", "1.10, 1.11 and 1.13")]
    assert ("Pump X1", "1.10 and 1.14") in products(text.format("", "1.10 and 1.14"))
    # The item speaks of one vulnerability, the sentence perhaps of another.
    one = "Affected products\n- Pump X1: 1.10 and 1.13 (CVE-2024-10000)\nDetails\nIn Pump X1 version 1.10, a flaw is."
    assert ("Pump X1", "1.10") in products(one)


def test_a_title_may_list_products() -> None:
    text = "Philips IntelliVue MX800, PageWriter TC70, and Brilliance Vulnerabilities\nSomething was reported."
    assert [name for name, _ in products(text)] == ["IntelliVue MX800", "PageWriter TC70", "Brilliance"]


def test_lists_tables_and_sentences() -> None:
    text = (
        "Acme Security Bulletin\n\nAffected products\n- Pump X1: versions 2.0 to 2.4\n- Pump X2 (all versions)\n"
        "- Viewer\n\nProduct | Affected versions | Fixed version\nMonitor M | < 3.2 SP1 | 3.2 SP1\n\n"
        "Not affected\n- Pump X9: all versions\n\nSolution\nUpdate Pump X1 to version 2.5."
    )
    assert products(text) == [
        ("Pump X1", "2.0 to 2.4"),
        ("Pump X2", "vers:all/*"),
        ("Viewer", ""),
        ("Monitor M", "< 3.2 SP1"),
    ]
    assert products(text, Status.FIXED) == [("Monitor M", "3.2 SP1"), ("Pump X1", "2.5")]
    assert products(text, Status.NOT_AFFECTED) == [("Pump X9", "vers:all/*")]
    assert extract(text).vendor is not None
    assert extract(text).vendor.text == "Acme"  # type: ignore[union-attr]


def test_names_without_versions_come_from_the_tagger() -> None:
    text = "A SQL injection vulnerability in the login page of Frobnicator Clinic Manager allows attackers to spy."
    assert [name for name, _ in products(text)] == ["Frobnicator Clinic Manager"]
    assert products("Die Schwachstelle im Frobnicator betrifft alle Geräte; eine Abhilfe gibt es noch nicht.") == []


@pytest.mark.parametrize(
    ("text", "vector", "score"),
    [
        ("(AV:A/AC:H/PR:N/UI:N/S:C/C:H/I:H/A:H)", "CVSS:3.1/AV:A/AC:H/PR:N/UI:N/S:C/C:H/I:H/A:H", 8.3),
        ("CVSS v3.0 vector: av:a/ac:h/pr:n/ui:n/s:c/c:h/i:h/a:h", "CVSS:3.0/AV:A/AC:H/PR:N/UI:N/S:C/C:H/I:H/A:H", 8.3),
        ("AV:N/AC:L/Au:N/C:P/I:P/A:P", "AV:N/AC:L/Au:N/C:P/I:P/A:P", 7.5),
        (
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
            9.3,
        ),
    ],
)
def test_vectors_are_put_into_form_and_scored(text: str, vector: str, score: float) -> None:
    (found,) = vectors(text)
    assert (found.vector, found.base_score) == (vector, score)


@pytest.mark.parametrize(
    "text",
    ["AV:N/AC:L", "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/I:H"],
)
def test_vectors_that_are_none_are_left_alone(text: str) -> None:
    assert list(vectors(text)) == []


def test_ids_with_the_dashes_of_word_processors() -> None:
    read = extract("CVE\u20112024\u201112345, cve-2024-0001 (CWE\u2011798), XCVE-2024-9999 xcve-2024-9998")
    assert [found.value for found in extract("the systemCVE-2018-1234 has").cves] == ["CVE-2018-1234"]
    assert [found.value for found in read.cves] == ["CVE-2024-12345", "CVE-2024-0001"]
    assert [found.value for found in read.cwes] == ["798"]


def test_dates_and_what_they_are() -> None:
    read = extract("Published: March 3, 2024\nLast updated on 4 Apr 2024\n2024-05-06\n31 February 2024")
    assert [(moment, kind) for moment, kind, _ in read.dates] == [
        (datetime(2024, 3, 3, tzinfo=UTC), "published"),
        (datetime(2024, 4, 4, tzinfo=UTC), "updated"),
        (datetime(2024, 5, 6, tzinfo=UTC), ""),
    ]


def test_the_number_of_the_document_and_not_of_another() -> None:
    assert document_number("Bulletin number: PSB-2024-017. See ICSMA-24-001-01").text == "PSB-2024-017"  # type: ignore[union-attr]
    assert document_number("x" * 1000 + " see ICSMA-24-001-01") is None


@pytest.mark.parametrize(
    ("line", "topic"),
    [
        ("1. Affected products", Topic.AFFECTED),
        ("Products and versions:", Topic.AFFECTED),
        ("AFFECTED DEVICES", Topic.AFFECTED),
        ("Products not affected", Topic.UNAFFECTED),
        ("Recommended mitigations", Topic.MITIGATION),
        ("Contact information", Topic.ASIDE),
        ("The affected products use a vulnerable version of the utility.", None),
    ],
)
def test_headings(line: str, topic: Topic | None) -> None:
    assert heading_topic(line) is topic


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n\n ",
        "\x01\x02\x7f",
        "Die Schwachstelle betrifft alle Geräte; es gibt keine Abhilfe.",
        "この脆弱性はすべての医療機器に影響します。",
        "Уязвимость затрагивает все устройства.",
        "lorem ipsum dolor sit amet " * 400,
        "((((((((((" * 1000,
        "- \n" * 1000,
    ],
)
def test_where_nothing_is_said_nothing_is_read(text: str) -> None:
    read = extract(text)
    assert read.products == ()
    assert read.cves == read.cwes == read.vectors == ()


def test_versions_of_a_list_are_those_it_says() -> None:
    ((_, versions),) = products("Affected products\n- Acme Pump: 1.0, 1.1 and 1.4")
    verdicts = [contains(parse_versions(versions), version) for version in ("1.0", "1.2", "1.4")]
    assert verdicts == [Verdict.AFFECTED, Verdict.NOT_AFFECTED, Verdict.AFFECTED]
