"""The risk head from training to its C-index on patients it never saw, beside radiomics and what can be reached."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imaging.data.cases import Case, read_cases, write_case, write_index
from imaging.networks.config import NetworkConfig
from imaging.networks.files import load_whole
from imaging.networks.multitask import RISK
from imaging.segmentation.record import CHECKPOINT, Epoch, history, read_run
from imaging.segmentation.settings import TrainingConfig
from imaging.segmentation.training import train
from imaging.survival.cox import concordance_index
from imaging.survival.evaluation import BY_HAND, NETWORK, RADIOMICS, TRUTH, evaluate
from imaging.survival.risk import log_hazards, outcomes
from imaging.synthetic.synthesize import synthesize
from meddojo.errors import InputError

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

TINY = TrainingConfig(
    NetworkConfig(architecture="multitask", size=16, channels=2, filters=2, depth=2, dropout=0.3),
    epochs=2,
    batch=2,
    steps=2,
    folds=2,
    risk_cases=4,
)


@pytest.fixture(scope="module")
def many_cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty cases, of which half are the test."""
    folder = tmp_path_factory.mktemp("survival") / "cases"
    synthesize(folder, 40, 32, 2, 5)
    return folder


@pytest.fixture(scope="module")
def finished(keras: Any, many_cases: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training of both heads."""
    folder = tmp_path_factory.mktemp("survival") / "run"
    train(many_cases, folder, TINY)
    return folder


def test_killed_and_taken_up_again_both_heads_end_the_same(finished: Path, many_cases: Path, tmp_path: Path) -> None:
    def kill(epoch: Epoch) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(many_cases, tmp_path / "run", TINY, kill)
    assert (tmp_path / "run" / CHECKPOINT).exists()
    assert train(many_cases, tmp_path / "run", TINY) == history(finished)
    one, other = (load_whole(folder)[1].get_weights() for folder in (finished, tmp_path / "run"))
    assert all(np.array_equal(*each) for each in zip(one, other, strict=True))


def test_the_risk_is_measured_on_the_test_patients_alone(finished: Path, many_cases: Path) -> None:
    found = evaluate(finished, many_cases)
    # what a network of two steps outlines may be nothing, which tells no hazard
    methods = [NETWORK, *[name for name in (RADIOMICS,) if name not in found.undetermined], BY_HAND, TRUTH]
    assert list(found.rows) == methods
    test = [case for case in read_cases(many_cases) if case.patient in read_run(finished).division.test]
    config, network = load_whole(finished)
    months, events = outcomes(test).astype(float).T
    by_hand = concordance_index(months, log_hazards(network, config, test), events)
    assert found.cases == len(test) == 20 and found.events == events.sum()
    assert found.rows[NETWORK].index == pytest.approx(by_hand)
    assert all(0 <= row.low <= row.index <= row.high <= 1 for row in found.rows.values())
    # the outlines of people and the hazard itself know more than chance
    assert found.reachable is not None and found.reachable > 0.7
    assert found.rows[TRUTH].index > 0.7 and found.rows[BY_HAND].index > 0.6
    assert json.loads(json.dumps(found.as_dict()))["rows"][NETWORK].keys() == {"index", "low", "high"}
    assert len(list(found.table())) == 6


def test_radiomics_that_are_undetermined_are_left_out_and_named(
    finished: Path, many_cases: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from imaging.survival import evaluation

    def nothing(*_: Any) -> Any:
        raise ValueError("undetermined")

    monkeypatch.setattr(evaluation, "fitted", nothing)
    found = evaluate(finished, many_cases)
    assert list(found.rows) == [NETWORK, TRUTH] and found.undetermined == (RADIOMICS, BY_HAND)
    assert sum("undetermined" in line for line in found.table()) == 2


def test_the_head_was_fitted_after_the_training(finished: Path) -> None:
    config, network = load_whole(finished)
    assert config.architecture == "multitask"
    assert np.abs(network.get_layer(RISK).get_weights()[-1]).max() > 0.01


def test_other_data_are_measured_whole_without_radiomics_and_without_a_known_hazard(
    finished: Path, many_cases: Path, tmp_path: Path
) -> None:
    synthesize(tmp_path / "other", 12, 32, 2, 77)
    records = json.loads((tmp_path / "other" / "index.json").read_text())
    write_index(tmp_path / "other", [{key: each[key] for key in each if "true" not in key} for each in records])
    found = evaluate(finished, tmp_path / "other")
    assert list(found.rows) == [NETWORK] and found.cases == 12 and found.reachable is None
    name = read_run(finished).division.train[0]
    (tmp_path / "other" / "SYN_0001.npz").write_bytes((many_cases / f"{name}.npz").read_bytes())
    with pytest.raises(InputError, match="SYN_0001: is an image the network was trained on"):
        evaluate(finished, tmp_path / "other")


def _written(folder: Path, cases: list[Case]) -> Path:
    folder.mkdir()
    write_index(folder, [write_case(folder, case) for case in cases])
    return folder


def test_what_tells_no_survival_is_named(finished: Path, tiny_cases: Path, tmp_path: Path) -> None:
    cases = list(read_cases(tiny_cases))
    unknown = _written(tmp_path / "unknown", [*cases[1:], replace(cases[0], months=None, event=None)])
    with pytest.raises(InputError, match="tells no survival: SYN_0001 has no months and event"):
        evaluate(finished, unknown)
    nobody = _written(tmp_path / "nobody", [replace(case, event=False) for case in cases])
    with pytest.raises(InputError, match="tells no survival: no event was seen"):
        train(nobody, tmp_path / "run", replace(TINY, folds=3))
    assert not (tmp_path / "run").exists()


def test_a_network_without_a_risk_head_is_told(keras: Any, tiny_cases: Path, tmp_path: Path) -> None:
    plain = replace(TINY, network=replace(TINY.network, architecture="unet"), epochs=1)
    train(tiny_cases, tmp_path / "run", plain)
    with pytest.raises(InputError, match="tells no risk"):
        evaluate(tmp_path / "run", tiny_cases)
