"""Synthetic cases: the same from the same seed, harder than thresholds, with survival of a known hazard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imaging.data.cases import read_cases
from imaging.segmentation.metrics import dice
from imaging.segmentation.rules import dice_of_rules, share_of_maximum, suv_above_2_5, tuned
from imaging.synthetic.phantom import phantom
from imaging.synthetic.synthesize import Patient, drawn, reachable_c_index, survival, synthesize
from meddojo.errors import InputError


def test_the_same_seed_gives_the_same_bytes_and_another_other_images(tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        synthesize(tmp_path / name, 2, 32, 2, seed)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == ["SYN_0001.npz", "SYN_0002.npz", "index.json"]
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
        assert (tmp_path / "one" / name).read_bytes() != (tmp_path / "other" / name).read_bytes()


def test_a_case_depends_on_the_seed_and_its_number_alone(tmp_path: Path) -> None:
    for name, count in (("few", 2), ("more", 4)):
        synthesize(tmp_path / name, count, 32, 2, 1)
    assert (tmp_path / "few" / "SYN_0002.npz").read_bytes() == (tmp_path / "more" / "SYN_0002.npz").read_bytes()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("text")
    with pytest.raises(InputError, match="is not empty"):
        synthesize(tmp_path, 2, 32, 2, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_units_and_shapes_are_those_of_scans() -> None:
    for seed in range(5):
        scan = phantom(np.random.default_rng(seed), 64, 3)
        assert scan.pet.shape == scan.ct.shape == scan.mask.shape == (3, 64, 64)
        assert scan.pet.min() >= 0 and 1 < scan.pet.max() < 60
        assert scan.ct.min() < -900 and scan.ct.max() <= 3071
        assert scan.mask.sum() >= 4 and scan.lesions >= 1
        assert scan.volume_ml == pytest.approx(scan.mask.sum() * np.prod(scan.spacing_mm) / 1000)
        # lesions lie within the body, outside it is air without counts
        assert scan.ct[scan.mask].mean() > -400
        assert scan.pet[scan.ct < -900].mean() < 0.5


def test_thresholds_do_not_solve_it_since_organs_take_up_more_than_many_lesions(tmp_path: Path) -> None:
    synthesize(tmp_path, 16, 64, 2, 7)
    cases = list(read_cases(tmp_path))
    # not even the rule that is best for these very cases
    for rule in (suv_above_2_5, share_of_maximum, tuned([dice_of_rules(case) for case in cases])):
        assert np.mean([dice(rule(case), case.mask) for case in cases]) < 0.65
    above = np.concatenate([(case.pet > 2.5).ravel() for case in cases])
    lesion = np.concatenate([case.mask.ravel() for case in cases])
    assert (above & ~lesion).sum() > 0.3 * above.sum()
    assert (lesion & ~above).sum() > 0.2 * lesion.sum()


def test_what_was_drawn_is_read_again_and_absent_for_cases_from_elsewhere(tmp_path: Path) -> None:
    patients = synthesize(tmp_path / "made", 3, 32, 2, 1)
    assert drawn(tmp_path / "made") == {f"SYN_{number:04d}": each for number, each in enumerate(patients, 1)}
    (tmp_path / "index.json").write_text('[{"id": "A"}]')
    assert drawn(tmp_path) == {}
    for content in ("{", '[{"id": "A", "true_log_hazard": "high"}]', '[{"id": "A", "true_log_hazard": 1}]', "[1]"):
        (tmp_path / "index.json").write_text(content)
        with pytest.raises(InputError, match="is no index of cases"):
            drawn(tmp_path)


def test_the_reachable_c_index_is_what_the_true_hazard_reaches_in_many_drawings() -> None:
    scans = [phantom(np.random.default_rng(seed), 32, 1) for seed in range(20)]
    random = np.random.default_rng(0)
    drawn = [[survival(random, scan) for scan in scans] for _ in range(2000)]
    expected = np.mean([reachable_c_index(patients) for patients in drawn])
    right, counted = np.sum([_concordance(patients) for patients in drawn], axis=0)
    assert 0.75 < expected < 0.95
    assert right / counted == pytest.approx(expected, abs=0.005)


def _concordance(patients: list[Patient]) -> tuple[int, int]:
    """Pairs that the true hazard orders rightly, and pairs Harrell's index counts."""
    hazard, months, event = (
        np.array([getattr(each, name) for each in patients]) for name in ("log_hazard", "months", "event")
    )
    counted = event[:, None] & (months[:, None] < months[None, :])
    return int((counted & (hazard[:, None] > hazard[None, :])).sum()), int(counted.sum())


def test_survival_comes_earlier_with_more_and_hotter_lesions() -> None:
    random = np.random.default_rng(3)
    scans = [phantom(np.random.default_rng(seed), 32, 1) for seed in range(40)]
    patients = [survival(random, scan) for scan in scans]
    load = [np.log(scan.volume_ml) + np.log(scan.uptake) for scan in scans]
    assert np.corrcoef(load, [each.log_hazard for each in patients])[0, 1] > 0.8
    events = {each.event for each in patients}
    assert events == {True, False}
    assert all(each.months <= each.observed_at_most for each in patients)


def test_a_c_index_of_one_patient_is_none() -> None:
    with pytest.raises(ValueError, match="two patients"):
        reachable_c_index([Patient(0.0, 1.0, True, 2.0)])
