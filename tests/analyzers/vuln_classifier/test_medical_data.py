"""What the models of medicine learn from: FDA's device names, advisories, and records read by hand."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.vuln_classifier.advisories import AdvisoryCves, not_medical
from analyzers.vuln_classifier.labels import Example
from analyzers.vuln_classifier.medical_data import (
    MedicalSources,
    Naming,
    Read,
    advisory_labels,
    kind_place,
    read_labels,
    read_medical_sources,
    training_rows,
)
from analyzers.vuln_classifier.medical_lexicon import LARGEST_WEIGHT, SMALLEST_WEIGHT, device_words, read_codes
from analyzers.vuln_classifier.medical_recipe import train_medical
from analyzers.vuln_classifier.record import PublishedRecord
from meddojo.errors import InputError

END = date(2021, 1, 1)


def example(cve: str, published: date = date(2019, 5, 1), text: str = "A flaw in a hospital system.") -> Example:
    return Example(cve, published, PublishedRecord(text, "", "Acme", "Thing"), ())


def test_words_of_devices_stand_out_against_descriptions() -> None:
    devices = ["Pump, Infusion", "Infusion Port", "Infusion Line", "Catheter, Remote"] * 3
    found = device_words(devices, ["a remote attacker", "a remote flaw in a pump", "remote"] * 50)
    assert found["infusion"] == pytest.approx(LARGEST_WEIGHT, abs=1.0) and "remote" not in found
    assert found["infusion"] > found["catheter"] >= SMALLEST_WEIGHT


@given(st.lists(st.text(max_size=20), max_size=20), st.lists(st.text(max_size=20), max_size=20))
def test_weights_stay_within_their_bounds(devices: list[str], descriptions: list[str]) -> None:
    weights = device_words(devices, descriptions).values()
    assert all(SMALLEST_WEIGHT <= weight <= LARGEST_WEIGHT for weight in weights)


def test_product_codes_are_read_by_the_names_of_the_first_line(tmp_path: Path) -> None:
    file = tmp_path / "codes.gz"
    file.write_bytes(gzip.compress("DEVICENAME|REGULATIONNUMBER\nPump, Infusion|880.5725\nStent\n".encode("latin-1")))
    assert list(read_codes(file)) == [
        {"DEVICENAME": "Pump, Infusion", "REGULATIONNUMBER": "880.5725"},
        {"DEVICENAME": "Stent"},
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"no gzip", "gzip"), (gzip.compress(b"A|B\n1|2|3\n"), "line 2"), (gzip.compress(b"A")[:-4], "gzip")],
)
def test_a_damaged_file_of_product_codes_is_an_error(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "codes.gz").write_bytes(content)
    with pytest.raises(InputError, match=said):
        list(read_codes(tmp_path / "codes.gz"))


def test_labels_are_of_known_kinds_and_no_record_has_two() -> None:
    advised, found = advisory_labels(), read_labels()
    assert not set(advised) & set(found) and not set(found) & not_medical()
    assert all(kind_place(kind) >= -1 for _, kind in (*advised.values(), *found.values()))
    assert all(kind == "-" for label, kind in found.values() if label is not Read.CARE)
    assert all(kind == "-" for naming, kind in advised.values() if naming is not Naming.NAMED)


def test_training_sees_nothing_later_nothing_unclear_and_nothing_kept_for_measuring() -> None:
    named = [cve for cve, (naming, _) in advisory_labels().items() if naming is Naming.NAMED][:2]
    general = next(cve for cve, (naming, _) in advisory_labels().items() if naming is Naming.GENERAL)
    care, unclear = (
        next(cve for cve, (label, _) in read_labels().items() if label is wanted)
        for wanted in (Read.CARE, Read.UNCLEAR)
    )
    advisories = AdvisoryCves({named[0]: 2020, named[1]: 2021, general: 2019}, {"CVE-2019-90001": 2019})
    examples = [
        *map(example, (*named, general, care, unclear, sorted(not_medical())[0])),
        example("CVE-2019-90001", text="A flaw in a controller."),
        example("CVE-2019-90002"),
        example("CVE-2021-90003", END),
    ]
    rows = training_rows(examples, advisories, END)
    assert rows.classes.tolist() == [1, 1, 0, 0]  # the first named, care, the industrial one, the one that sounds of it
    assert rows.kinds[0] == kind_place(advisory_labels()[named[0]][1]) and rows.kinds[2] == -1


def test_too_few_medical_records_make_no_model() -> None:
    sources = MedicalSources(AdvisoryCves({}, {}), ())
    assert train_medical([example("CVE-2019-90002")], sources, END, 1, lambda _: None) is None


def test_sources_are_read_or_missing(shared_data: Path, tmp_path: Path) -> None:
    assert read_medical_sources(tmp_path) is None
    sources = read_medical_sources(shared_data)
    assert sources is not None and ("Pump, Infusion", "880.5725") in sources.devices
    assert set(advisory_labels()) <= set(sources.advisories.medical)
    assert not set(read_labels()) & set(sources.advisories.medical)
