"""What the analyzer says of a model: each finding, its severity, its identity, and its silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analyzers.imaging_model import build
from analyzers.imaging_model.files import UNSAFE
from analyzers.imaging_model.options import Options, read_options
from analyzers.imaging_model.properties import CHECKS
from meddojo.case import Case
from meddojo.config import AnalyzerConfig
from meddojo.device import Device
from meddojo.errors import ConfigError
from meddojo.finding import Finding, Stream
from meddojo.imaging_model import (
    Bounds,
    FaultKind,
    Figure,
    FileCheck,
    FileFault,
    ManifestState,
    ModelInspection,
    Property,
    SignatureState,
    UnsafeFile,
)
from meddojo.severity import Severity

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DEVICE = Device("petct-1", "Siemens Healthineers", "Biograph", "VG80")
FILES = (("network.json", "a" * 64), ("reference.json", "c" * 64), ("weights.npz", "b" * 64))
BOUNDS = Bounds(least_dice=0.7, greatest_ece=0.05, greatest_int8_difference=0.01, greatest_drift=0.4)
GOOD = FileCheck("petct", "1.0", FILES, ManifestState.INTACT, SignatureState.TRUSTED, signer="F" * 40, bounds=BOUNDS)


def figure(which: Property, value: float, **changes: Any) -> Figure:
    made = Figure(which, value, 20, "d" * 64, NOW - timedelta(days=1), FILES[:1], bound=0.5)
    return replace(made, **changes)


FIGURES = (
    figure(Property.ACCURACY, 0.8, low=0.75, high=0.85),
    figure(Property.CALIBRATION, 0.03, low=0.02, high=0.04),
    figure(Property.DRIFT, 0.0),
)


def judged(
    files: FileCheck = GOOD, figures: tuple[Figure, ...] = FIGURES, now: datetime = NOW, **options: Any
) -> dict[str, Finding]:
    analyzer = build(AnalyzerConfig(options={"imaging_model": options}))
    case = Case(DEVICE, now, imaging_model=ModelInspection(files, NOW - timedelta(days=1), figures))
    assert Case.from_json(case.to_json()) == case
    found = analyzer.judge(Case.from_json(case.to_json()), ())
    assert tuple(found) == tuple(analyzer.judge(case, ())), "the same case gives the same findings"
    assert all(each.stream is Stream.IMAGING_MODEL and each.device_id == "petct-1" for each in found)
    assert all(each.summary and each.severity_reason and each.remediations and each.citations for each in found)
    return {each.check.removeprefix("imaging-model-"): each for each in found}


def with_figure(new: Figure) -> tuple[Figure, ...]:
    return (*(each for each in FIGURES if each.property is not new.property), new)


def test_a_model_that_is_as_it_should_be_makes_no_finding() -> None:
    assert judged() == {}


def test_a_device_without_a_model_is_left_alone() -> None:
    analyzer = build(AnalyzerConfig())
    assert analyzer.judge(Case(DEVICE, NOW), ()) == ()


@pytest.mark.parametrize(
    ("figure_", "name", "severity"),
    [
        (figure(Property.ACCURACY, 0.6, low=0.5, high=0.69), "accuracy", Severity.HIGH),
        (figure(Property.ACCURACY, 0.69, low=0.6, high=0.78), "accuracy", Severity.MEDIUM),
        (figure(Property.CALIBRATION, 0.2, low=0.1, high=0.3), "calibration", Severity.MEDIUM),
        (figure(Property.CALIBRATION, 0.06, low=0.04, high=0.08), "calibration", Severity.LOW),
        (figure(Property.INT8, 0.05, low=0.04, high=0.06), "int8", Severity.MEDIUM),
        (figure(Property.DRIFT, 0.9, details=("median PET: 12000 g/ml now",)), "drift", Severity.MEDIUM),
    ],
)
def test_a_bound_that_is_not_kept(figure_: Figure, name: str, severity: Severity) -> None:
    found = judged(figures=with_figure(figure_))
    assert set(found) == {name} and found[name].severity is severity
    assert "on 20 cases" in found[name].summary and "is asked for" in found[name].summary
    assert all(detail in found[name].summary for detail in figure_.details)


def test_a_bound_that_is_just_kept_is_kept() -> None:
    for check in CHECKS:
        exact = figure(check.property, getattr(BOUNDS, check.bound))
        assert judged(figures=with_figure(exact)) == {}


def test_the_identity_hangs_on_neither_version_nor_figure() -> None:
    first = judged(figures=with_figure(figure(Property.ACCURACY, 0.6)))["accuracy"]
    later = replace(GOOD, name="other", version="2.0", bounds=Bounds(least_dice=0.75))
    second = judged(later, with_figure(figure(Property.ACCURACY, 0.5, cases=99)))["accuracy"]
    assert first.identity == second.identity and first.title == second.title and first.summary != second.summary


@pytest.mark.parametrize(
    ("changes", "name", "severity", "said"),
    [
        (
            {"manifest": ManifestState.BROKEN, "faults": (FileFault("weights.npz", FaultKind.CHANGED),)},
            "tampered", Severity.HIGH, "weights.npz: changed",
        ),
        (
            {"manifest": ManifestState.BROKEN, "faults": (FileFault("weights.npz", FaultKind.MISSING),)},
            "tampered", Severity.HIGH, "not there",
        ),
        (
            {"manifest": ManifestState.BROKEN, "faults": (FileFault("x.bin", FaultKind.EXTRA),)},
            "tampered", Severity.MEDIUM, "not in the manifest",
        ),
        (
            {"manifest": ManifestState.UNREADABLE, "manifest_fault": "lists no files"},
            "tampered", Severity.HIGH, "lists no files",
        ),
        ({"signature": SignatureState.WRONG, "signer": "it was changed"}, "signature", Severity.HIGH, "was changed"),
        ({"signature": SignatureState.UNSIGNED}, "unsigned", Severity.MEDIUM, "no signature"),
        (
            {"manifest": ManifestState.ABSENT, "signature": SignatureState.UNSIGNED},
            "unsigned", Severity.MEDIUM, "no manifest",
        ),
        ({"signature": SignatureState.UNCHECKED}, "unsigned", Severity.LOW, "no certificate is named"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_files(changes: dict[str, Any], name: str, severity: Severity, said: str) -> None:
    found = judged(replace(GOOD, **changes))
    assert set(found) == {name} and found[name].severity is severity and said in found[name].summary


def test_unsafe_files_are_one_finding_a_rule_as_severe_as_the_worst() -> None:
    unsafe = (
        UnsafeFile("a.bin", "byte 0", "pickle", "is a pickle", Severity.HIGH),
        UnsafeFile("b.bin", "", "pickle", "calls os.system", Severity.CRITICAL),
        UnsafeFile("m.h5", "attribute model_config", "keras-h5", "is a whole model", Severity.MEDIUM),
        UnsafeFile("z", "", "of-a-newer-version", "is odd", Severity.LOW),
    )
    found = judged(replace(GOOD, unsafe=unsafe))
    assert set(found) == {"unsafe-pickle", "unsafe-keras-h5", "unsafe-of-a-newer-version"}
    assert found["unsafe-pickle"].severity is Severity.CRITICAL and found["unsafe-pickle"].cwes == (502,)
    assert "a.bin (byte 0): is a pickle; b.bin: calls os.system" in found["unsafe-pickle"].summary


def test_every_rule_of_the_scanner_is_told_in_words() -> None:
    from imaging.inspection.unsafe_formats import LINK, RULES

    assert set(UNSAFE) == {LINK, *(rule.name for rule in RULES)}


def test_every_property_has_a_check() -> None:
    assert [check.property for check in CHECKS] == list(Property)
    assert len({check.check for check in CHECKS}) == len(CHECKS)


def test_what_nobody_measured_is_said() -> None:
    found = judged(figures=())
    assert set(found) == {"not-measured"} and found["not-measured"].severity is Severity.LOW
    assert "accuracy: at least 0.700 is asked for, and it was never measured here" in found["not-measured"].summary
    assert "int8" not in found["not-measured"].summary, "there is no INT8 version"
    eighth = judged(replace(GOOD, digests=(*FILES, ("model_int8.tflite", "e" * 64))))
    assert "int8: at most 0.0100 is asked for, and it was never measured here" in eighth["not-measured"].summary


def test_what_is_declared_by_nobody_is_said() -> None:
    bare = replace(GOOD, bounds=Bounds())
    plain = tuple(replace(each, bound=None) for each in FIGURES)
    found = judged(bare, plain)
    assert set(found) == {"not-measured"}
    assert "no bound is declared" in found["not-measured"].summary
    assert "drift" not in found["not-measured"].summary, "which has a bound of its own"


def test_an_old_figure_stands_and_is_told_to_be_old() -> None:
    bad = with_figure(figure(Property.ACCURACY, 0.5))
    later = NOW + timedelta(days=400)
    found = judged(figures=bad, now=later)
    assert set(found) == {"accuracy", "not-measured"}
    assert "more than 180 days ago" in found["accuracy"].summary
    assert "nobody looked at them since" in found["not-measured"].summary
    assert judged(figures=bad, now=later) == judged(figures=bad, now=later + timedelta(days=1)), (
        "and not every day anew"
    )


def test_a_figure_of_other_weights_stands_and_is_told() -> None:
    other = replace(GOOD, digests=(("network.json", "f" * 64),))
    found = judged(other, with_figure(figure(Property.ACCURACY, 0.5)))
    assert {"accuracy", "not-measured"} == set(found)
    assert "measured with another network.json" in found["accuracy"].summary


def test_a_manifest_that_goes_takes_no_finding_with_it() -> None:
    bad = with_figure(figure(Property.ACCURACY, 0.4, bound=0.7))
    gone = replace(GOOD, manifest=ManifestState.ABSENT, signature=SignatureState.UNSIGNED, bounds=Bounds())
    assert {"accuracy", "unsigned"} <= set(judged(gone, bad))


def test_bounds_of_a_forged_manifest_do_not_count() -> None:
    bad = with_figure(figure(Property.ACCURACY, 0.4, bound=0.7))
    forged = replace(GOOD, signature=SignatureState.WRONG, bounds=Bounds(least_dice=0.1))
    assert {"accuracy", "signature"} == set(judged(forged, bad))


def test_files_that_nobody_could_look_at_are_said() -> None:
    found = judged(replace(GOOD, not_looked_at=("big.bin: is larger than 512 MiB",)))
    assert "file big.bin: is larger than 512 MiB" in found["not-measured"].summary


def test_bounds_of_ones_own_go_first() -> None:
    assert set(judged(least_dice=0.9)) == {"accuracy"}
    assert judged(figures=with_figure(figure(Property.ACCURACY, 0.6)), least_dice=0.5) == {}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"least_dise": 0.5}, "did you mean 'least_dice'"),
        ({"least_dice": 2}, "number from 0 to 1"),
        ({"least_dice": True}, "number from 0 to 1"),
        ({"stale_after_days": 0}, "whole number"),
        ({"stale_after_days": 1.5}, "whole number"),
    ],
)
def test_options_that_are_none(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_options(values)


def test_options() -> None:
    assert read_options({}) == Options()
    assert read_options({"stale_after_days": 30, "greatest_ece": 0}).bounds == Bounds(greatest_ece=0.0)
