"""What is fitted, on whom, and whom it is measured on."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imaging.data.cases import Case, read_cases
from imaging.segmentation.evaluation import evaluate
from imaging.segmentation.metrics import reliability
from imaging.segmentation.outline import Outline, save_outline
from imaging.segmentation.prediction import predicted_by_all
from imaging.segmentation.record import CHECKPOINT, read_run
from imaging.synthetic.synthesize import synthesize
from imaging.uncertainty.files import Method, read_fitted, scaling_of
from imaging.uncertainty.groups import Group, read_groups
from imaging.uncertainty.measurement import Result, Settings, measure, steps
from imaging.uncertainty.regions import regions
from imaging.uncertainty.review import Score
from meddojo.errors import InputError

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

SETTINGS = Settings(passes=3)


def _groups(cases: list[Case], *folders: Path) -> tuple[Group, ...]:
    return read_groups(folders, Path("data"), cases)


@pytest.fixture(scope="module")
def cases(tiny_cases: Path) -> list[Case]:
    return list(read_cases(tiny_cases))


@pytest.fixture
def runs(trained: Path, tmp_path: Path) -> Path:
    """Runs that may be written to."""
    return Path(shutil.copytree(trained, tmp_path / "runs"))


def _with(group: Group, cases: list[Case]) -> Group:
    """The group, with cases in the place of those of the same names."""
    by_name = {case.name: case for case in cases}
    changed, test = (tuple(by_name.get(case.name, case) for case in each) for each in (group.cases, group.test))
    return replace(group, cases=changed, test=test)


def _numbers(results: tuple[Result, ...]) -> list[dict[str, Any]]:
    return [result.as_dict() for result in results]


def test_runs_that_kept_the_same_patients_are_an_ensemble(runs: Path, cases: list[Case]) -> None:
    (group,) = _groups(cases, runs / "first", runs / "second")
    division, other = (read_run(folder).division for folder in group.folders)
    assert {case.patient for case in group.test} == set(division.test) == set(other.test)
    assert {case.patient for case in group.validation(Method.NETWORK)} == set(division.validation)
    seen: list[str] = []
    results = measure([group], SETTINGS, seen.append)
    assert tuple(result.method for result in results) == group.methods == tuple(Method)
    assert len(seen) == steps([group])
    for result in results:
        assert [case.name for case in result.cases] == [case.name for case in group.test]
    network, monte_carlo, ensemble = (result.fitted[0] for result in results)
    assert network.patients == monte_carlo.patients == len(division.validation)
    assert network.weights == monte_carlo.weights == ensemble.weights[:1] and len(ensemble.weights) == 2
    assert Score.DISAGREEMENT not in results[0].reviews and set(results[1].reviews) == set(Score)


def test_of_a_validation_patient_only_members_that_set_it_aside_are_asked(runs: Path, cases: list[Case]) -> None:
    (group,) = _groups(cases, runs / "first", runs / "second")
    validation = group.validation(Method.ENSEMBLE)
    assert [case.patient for case in validation] != [case.patient for case in group.validation(Method.NETWORK)]
    for case in validation:
        (asked,) = (number for number, held in enumerate(group.held) if case.patient in held)
        expected = predicted_by_all([group.members[asked]], case)
        assert np.allclose(group.maps(Method.ENSEMBLE, case, 1, 1).mean, expected, atol=1e-6)
    assert group.maps(Method.ENSEMBLE, group.test[0], 1, 1).members == 8


def test_runs_of_other_folds_are_measured_on_their_own_patients(runs: Path, cases: list[Case]) -> None:
    groups = _groups(cases, runs / "first", runs / "other")
    results = measure(groups, SETTINGS)
    assert [result.method for result in results] == list(Method)
    tested = [case.name for case in results[0].cases]
    assert tested == [case.name for group in groups for case in group.test] and len(set(tested)) == len(tested)


def test_figures_are_those_of_the_voxels_of_all_cases(runs: Path, cases: list[Case]) -> None:
    groups = _groups(cases, runs / "first", runs / "other")
    network = measure(groups, SETTINGS)[0]
    values: dict[str, list[Any]] = {"whole": [], "near": []}
    for group, fitted in zip(groups, network.fitted, strict=True):
        for case in group.test:
            raw = group.maps(Method.NETWORK, case, 1, 1).mean
            for name, region in regions(group.outline(Method.NETWORK)(raw), case.mask, case.spacing_mm).items():
                values[name].append((raw[region], fitted.scaling(raw)[region], case.mask[region]))
    for name, parts in values.items():
        raw, calibrated, truth = (np.concatenate(each) for each in zip(*parts, strict=True))
        assert network.before[name].expected_error == pytest.approx(reliability(raw, truth).expected_error)
        assert network.after[name].expected_error == pytest.approx(reliability(calibrated, truth).expected_error)
        assert network.before[name].counts.tolist() == reliability(raw, truth).counts.tolist()


def test_test_patients_have_no_part_in_what_is_fitted(runs: Path, cases: list[Case]) -> None:
    (group,) = _groups(cases, runs / "first")
    fitted = [result.fitted for result in measure([group], SETTINGS)]
    spoilt = [replace(case, mask=~case.mask, pet=case.pet + 5) for case in group.test]
    assert [result.fitted for result in measure([_with(group, spoilt)], SETTINGS)] == fitted
    turned = [replace(case, mask=~case.mask) for case in group.validation(Method.NETWORK)]
    assert [result.fitted for result in measure([_with(group, turned)], SETTINGS)] != fitted


def test_the_same_seed_gives_the_same_figures(runs: Path, cases: list[Case]) -> None:
    groups = _groups(cases, runs / "first")
    assert _numbers(measure(groups, SETTINGS)) == _numbers(measure(groups, SETTINGS))
    plain = json.loads(json.dumps(_numbers(measure(groups, SETTINGS))))
    assert 0 <= plain[0]["calibration_error"]["whole"]["after"] <= 1


def test_other_data_are_measured_with_what_was_fitted_before(runs: Path, cases: list[Case], tmp_path: Path) -> None:
    synthesize(tmp_path / "new", 3, 32, 2, 77)
    new = list(read_cases(tmp_path / "new"))
    others = _groups(new, runs / "first")
    assert not others[0].validation(Method.ENSEMBLE) and len(others[0].test) == 3
    with pytest.raises(InputError, match=r"calibration\.json"):
        measure(others, SETTINGS)
    before = measure(_groups(cases, runs / "first"), replace(SETTINGS, score=Score.ENTROPY))
    after = measure(others, SETTINGS)
    assert [result.fitted for result in after] == [result.fitted for result in before]
    assert len(after[0].cases) == 3 and after[0].fitted[0].score is Score.ENTROPY
    assert scaling_of(runs / "first") == read_fitted([runs / "first"], Method.NETWORK).scaling


def test_the_ensemble_segments_what_is_evaluated(runs: Path, cases: list[Case], tiny_cases: Path) -> None:
    for folder, share in (("first", 0.5), ("second", 1.0)):
        save_outline(runs / folder, Outline(share))
    groups = _groups(cases, runs / "first", runs / "second")
    assert groups[0].outline(Method.NETWORK) == Outline(0.5) and groups[0].outline(Method.ENSEMBLE) == Outline(0.75)
    ours = measure(groups, SETTINGS)[2]
    theirs = evaluate([runs / "first", runs / "second"], tiny_cases).rows[0]
    assert [case.dice for case in ours.cases] == list(theirs.dice)
    assert any(case.dice for case in ours.cases)
    assert [case.missed for case in ours.cases] == [each.missed for each in theirs.cases]


def test_a_training_that_set_nobody_aside_cannot_be_calibrated(runs: Path, cases: list[Case]) -> None:
    (group,) = _groups(cases, runs / "first")
    nobody = replace(group, held=(frozenset[str](),))
    with pytest.raises(InputError) as error:
        measure([nobody], SETTINGS)
    assert "--validation" in error.value.hint


def _nobody_aside(*groups: Group) -> list[Group]:
    return [replace(group, held=(frozenset[str](),) * len(group.members)) for group in groups]


def test_folds_that_set_nobody_aside_are_fitted_on_the_test_patients_of_the_others(
    runs: Path, cases: list[Case]
) -> None:
    one, other = _nobody_aside(*_groups(cases, runs / "first", runs / "other"))

    def fitted(*groups: Group) -> list[Any]:
        return [result.fitted[0] for result in measure(groups, SETTINGS)]

    plain = fitted(one, other)
    assert {each.patients for each in plain} == {len(other.test)}
    turned = [[replace(case, mask=~case.mask) for case in group.test] for group in (one, other)]
    assert fitted(_with(one, turned[0]), other) == plain
    assert fitted(one, _with(other, turned[1])) != plain


def test_a_network_of_all_patients_is_calibrated_by_what_the_folds_say_together(runs: Path, cases: list[Case]) -> None:
    groups = _nobody_aside(*_groups(cases, runs / "first", runs / "other"))
    folder = Path(shutil.copytree(runs / "second", runs / "final"))
    with pytest.raises(InputError, match="has test patients"):
        measure(groups, SETTINGS, final=replace(groups[0], folders=(folder,)))
    last = replace(groups[0], folders=(folder,), test=())
    wider = replace(groups[0].members[0][0], filters=4)
    with pytest.raises(InputError, match="other settings"):
        measure(groups, SETTINGS, final=replace(last, members=((wider, None),)))
    measure(groups, SETTINGS, final=last)
    found = read_fitted([folder], Method.NETWORK)
    assert found.patients == sum(len(group.test) for group in groups)
    assert found.weights != read_fitted([runs / "first"], Method.NETWORK).weights


def test_images_of_the_training_are_refused_in_other_data(runs: Path, cases: list[Case]) -> None:
    seen = read_run(runs / "first").division.train[0]
    with pytest.raises(InputError, match="was trained on"):
        _groups([case for case in cases if case.patient == seen], runs / "first")


def test_runs_that_do_not_go_together_are_refused(runs: Path, cases: list[Case]) -> None:
    with pytest.raises(InputError, match="twice"):
        _groups(cases, runs / "first", runs / "first")
    record = json.loads((runs / "second" / "run.json").read_text())
    parts = record["split"]
    parts["train"][0], parts["test"][0] = parts["test"][0], parts["train"][0]
    (runs / "second" / "run.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match="measured twice"):
        _groups(cases, runs / "first", runs / "second")
    (runs / "other" / CHECKPOINT).touch()
    with pytest.raises(InputError, match="has not ended"):
        _groups(cases, runs / "other")
