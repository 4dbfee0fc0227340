"""Relevance to medicine: how a record is read, what the models make of it, and what reaches the finding."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.vuln_classifier import boosting
from analyzers.vuln_classifier.artefacts import load, save, shipped
from analyzers.vuln_classifier.classifier import Classifier
from analyzers.vuln_classifier.filling import predictions
from analyzers.vuln_classifier.medical_artefacts import load_medical, save_medical
from analyzers.vuln_classifier.medical_tables import device_types, medical_terms, product_names
from analyzers.vuln_classifier.medical_text import COLUMNS, WRITTEN_DOWN, read, signs, telling_phrases, words_of
from analyzers.vuln_classifier.medical_training import MedicalRows, fit_kinds, fit_relevance
from analyzers.vuln_classifier.medicine import MedicalModel, keyword_kinds, remark
from analyzers.vuln_classifier.record import PublishedRecord
from meddojo.errors import InputError

PUMP = PublishedRecord(
    "The infusion pump does not check who sends it a drug library, so that a person on the hospital network changes "
    "the dose a patient gets.",
    "icscert",
    "Acme Medical",
    "Flow 3",
)
VIEWER = PublishedRecord(
    "A heap overflow when the viewer opens a crafted DICOM file of a patient.", "", "Acme", "Viewer"
)
ROUTER = PublishedRecord(
    "A stack overflow in the web interface of the router lets an attacker run commands.", "", "Acme"
)
HEALTH_CHECK = PublishedRecord(
    "The health check endpoint of the load balancer leaks diagnostic data.", "", "Acme", "LB"
)
NEW_PUMP = PublishedRecord("An infusion pump of Newcomer lets a nurse see another patient.", "", "Newcomer", "product")
NEW_VIEWER = PublishedRecord(
    "The DICOM viewer of Newcomer reads beyond an image of a hospital.", "", "Newcomer", "thing"
)
DEVICES = [("Pump, Infusion", "880.5725"), ("System, Image Processing, Radiological", "892.2050")] * 3


def rows(number: int = 240) -> MedicalRows:
    """Pumps, viewers and what has nothing to do with either, of many vendors."""
    generator = random.Random(3)
    names = [kind.name for kind in device_types()]
    found = []
    for place in range(number):
        vendor = f"vendor{generator.randrange(40)}"
        template, label, kind = (
            ("An infusion pump of {} lets a nurse see another patient", 1, names.index("infusion pump")),
            ("The DICOM viewer of {} reads beyond an image of a hospital", 1, names.index("imaging software")),
            ("The router of {} runs commands that a request carries", 0, -1),
            ("The forum of {} shows a script that a member wrote", 0, -1),
        )[place % 4]
        record = read(PublishedRecord(template.format(vendor), "", vendor, f"product {place}"))
        found.append((vendor, record, label, kind))
    return MedicalRows(
        tuple(each[0] for each in found),
        tuple(each[1] for each in found),
        np.array([each[2] for each in found]),
        np.array([each[3] for each in found]),
    )


@pytest.fixture(scope="module")
def model() -> MedicalModel:
    pytest.importorskip("sklearn", reason="training needs scikit-learn: pip install 'meddojo[train]'")
    known = rows()
    relevance, _ = fit_relevance(known, seed=1)
    kinds, _ = fit_kinds(known, DEVICES, seed=1)
    return MedicalModel("test", relevance, kinds, 0.7, 0.5)


def test_words_are_read_without_markup_accents_and_trade_marks() -> None:
    assert words_of("<b>Dräger</b> Pyxis™ MedStation® v4.2, IntelliVue_MX40 Alarisâ„¢") == (
        "drager", "pyxis", "medstation", "v4", "intellivue", "mx40", "alaris",
    )  # fmt: skip
    assert words_of("clinic\\'s") == words_of("clinic’s") == ("clinics",)


@given(st.text(max_size=300), st.text(max_size=40))
def test_any_text_is_read_into_plain_words_and_known_phrases(text: str, name: str) -> None:
    record = read(PublishedRecord(text, name, name, text))
    assert all(word.isascii() and word == word.lower() for word in (*record.text, *record.names))
    assert all(f" {phrase} " in f" {' '.join(record.text)} " for phrase in record.phrases)
    assert np.isfinite(signs([record])).all()


def test_every_phrase_of_the_tables_can_be_found_in_a_text() -> None:
    terms = medical_terms()
    phrases = {*terms.strong, *terms.weak, *terms.misleading, *terms.makers, *terms.also_makers, *product_names()}
    phrases.update(word for kind in device_types() for word in kind.words)
    unreadable = {phrase for phrase in phrases if phrase not in read(PublishedRecord(phrase)).phrases}
    assert unreadable == set()


def test_the_signs_tell_care_from_what_only_sounds_like_it() -> None:
    names = list(COLUMNS)
    pump, check = signs([read(PUMP), read(HEALTH_CHECK)])
    for name in ("words of care in the text", "phrases of a kind of device in the text", "medical part of a name"):
        assert pump[names.index(name)] > check[names.index(name)]
    assert check[names.index("misleading words")] > 0 == pump[names.index("misleading words")]
    assert set(WRITTEN_DOWN) <= set(COLUMNS)


def test_what_is_told_to_a_reader_names_the_kind_first_and_repeats_nothing() -> None:
    infusion = next(kind for kind in device_types() if kind.name == "infusion pump")
    told = telling_phrases(read(PUMP), infusion.words | infusion.names)
    assert set(told[:2]) == {"infusion pump", "drug library"}
    assert "pump" not in told and "infusion" not in told and "patient" in told


def test_the_plain_rule_takes_the_kind_with_most_words() -> None:
    names = [kind.name for kind in device_types()]
    pump, viewer, router = keyword_kinds([read(record) for record in (PUMP, VIEWER, ROUTER)])
    assert (names[pump], names[viewer], router) == ("infusion pump", "imaging software", -1)


def test_models_of_vendors_never_met_tell_devices_from_the_rest(model: MedicalModel) -> None:
    pump, viewer, router = model.judge([NEW_PUMP, NEW_VIEWER, ROUTER])
    assert pump.probability > 0.7 and viewer.probability > 0.7 > 0.3 > router.probability
    assert (pump.kind, viewer.kind, router.kind) == ("infusion pump", "imaging software", "")
    assert '"infusion pump"' in remark(pump) and "infusion pump (" in remark(pump) and "1.00" not in remark(pump)
    assert model.judge([]) == []


def test_the_kind_is_left_open_below_its_floor(model: MedicalModel) -> None:
    (unsure,) = replace(model, kind_floor=1.01).judge([NEW_PUMP])
    assert unsure.kind == "" and "kind unclear" in remark(unsure)


def test_an_input_may_only_point_its_way(model: MedicalModel) -> None:
    """More words of care never make a record less medical, misleading ones never more."""
    base = np.zeros((1, 1 + len(COLUMNS)), dtype=np.float32)
    for place, (name, direction) in enumerate(COLUMNS.items(), start=1):
        if direction:
            more = base.copy()
            more[0, place] = 5.0
            before, after = (boosting.probabilities(model.relevance.booster, each)[0, 1] for each in (base, more))
            assert (after - before) * direction >= -1e-6, name


def test_names_written_down_are_left_out_of_an_ablation() -> None:
    pytest.importorskip("sklearn", reason="training needs scikit-learn: pip install 'meddojo[train]'")
    known = rows()
    plain, _ = fit_relevance(known, seed=1, written_down=False)
    text = "A flaw in the device of {} lets an attacker in"
    maker, other = (read(PublishedRecord(text.format(name), "", name)) for name in ("Medtronic", "Nobody"))
    assert plain([maker]) == pytest.approx(plain([other]))


def test_a_saved_model_judges_as_before_and_is_refused_when_touched(model: MedicalModel, tmp_path: Path) -> None:
    save_medical(model, tmp_path / "one", {"seed": 1})
    save_medical(model, tmp_path / "two", {"seed": 1})
    assert (tmp_path / "one/manifest.json").read_bytes() == (tmp_path / "two/manifest.json").read_bytes()
    for before, after in zip(
        model.judge([PUMP, ROUTER]), load_medical(tmp_path / "one").judge([PUMP, ROUTER]), strict=True
    ):
        assert after.probability == pytest.approx(before.probability, abs=0.01) and after.kind == before.kind
    content = bytearray((tmp_path / "one/relevance.ubj").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "one/relevance.ubj").write_bytes(content)
    with pytest.raises(InputError, match=r"relevance\.ubj"):
        load_medical(tmp_path / "one")


def test_a_finding_is_told_above_the_floor_only(model: MedicalModel, small: Classifier, tmp_path: Path) -> None:
    text = "In the pump of version 9.1.2 a malformed packet stops the service until it is restarted by hand"
    medical = PublishedRecord(f"{text}. {NEW_PUMP.description}", "", NEW_PUMP.vendor, NEW_PUMP.product)
    plain = PublishedRecord(f"{text}.")
    higher, lower = (each.probability for each in model.judge([medical, plain]))
    save(replace(small, medical=replace(model, floor=(higher + lower) / 2.0)), tmp_path, {})
    classifier = load(tmp_path)
    told, silent = predictions(classifier, [medical, plain], [True, True])
    assert higher > lower
    assert [line for line in told.remarks if line.startswith("looks like a medical device")]
    assert not [line for line in silent.remarks if "medical" in line]
    (without,) = predictions(replace(classifier, medical=None), [medical], [True])
    assert without.remarks == tuple(line for line in told.remarks if "medical" not in line)


def test_the_shipped_models_know_devices_of_a_hospital() -> None:
    classifier = shipped()
    assert classifier is not None and classifier.medical is not None
    pump, viewer, router, check = classifier.medical.judge([PUMP, VIEWER, ROUTER, HEALTH_CHECK])
    floor = classifier.medical.floor
    assert pump.probability >= floor and viewer.probability >= floor
    assert (pump.kind, viewer.kind) == ("infusion pump", "imaging software")
    assert router.probability < 0.1 and check.probability < floor
