"""Training that learns, that ends the same when it was killed between, and that is measured on other patients."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imaging.data.cases import Case, read_cases, write_case, write_index
from imaging.networks.config import NetworkConfig
from imaging.networks.files import load, unpacked
from imaging.segmentation.evaluation import NETWORK, evaluate
from imaging.segmentation.outline import Outline, load_outline
from imaging.segmentation.record import Epoch, history, read_run
from imaging.segmentation.settings import TrainingConfig
from imaging.segmentation.training import train
from imaging.synthetic.synthesize import synthesize
from meddojo.errors import InputError, TerminalError

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

REPOSITORY = Path(__file__).resolve().parents[3]
TINY = TrainingConfig(
    NetworkConfig(size=16, filters=2, depth=2, dropout=0.3), epochs=3, patience=9, batch=2, steps=3, folds=3
)


class _KilledError(Exception):
    pass


def _kill(epoch: Epoch) -> None:
    raise _KilledError


@pytest.fixture(scope="module")
def finished(keras: Any, tiny_cases: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training that nothing interrupted."""
    folder = tmp_path_factory.mktemp("training") / "run"
    train(tiny_cases, folder, TINY)
    return folder


def test_a_folder_holds_everything_about_its_run(finished: Path, tiny_cases: Path) -> None:
    assert sorted(path.name for path in finished.iterdir()) == [
        "history.json",
        "network.json",
        "outline.json",
        "reference.json",
        "run.json",
        "weights.npz",
    ]
    run = json.loads((finished / "run.json").read_text())
    assert run["config"]["seed"] == 1 and run["config"]["network"]["filters"] == 2
    assert run["environment"].keys() >= {"python", "tensorflow", "tf-keras", "numpy", "meddojo"}
    assert [each.number for each in history(finished)] == [1, 2, 3]
    division = read_run(finished).division
    assert sorted(division.train + division.validation + division.test) == [f"SYN_{n:04d}" for n in range(1, 9)]


def test_killed_after_each_epoch_and_taken_up_again_it_ends_with_the_same_figures(
    finished: Path, tiny_cases: Path, tmp_path: Path
) -> None:
    for done in (1, 2):
        with pytest.raises(_KilledError):
            train(tiny_cases, tmp_path, TINY, _kill)
        assert (tmp_path / "checkpoint.npz").exists() and not (tmp_path / "weights.npz").exists()
        with pytest.raises(InputError, match="has not ended"):
            evaluate([tmp_path], tiny_cases)
        assert len(json.loads(unpacked(tmp_path / "checkpoint.npz")["epochs"].tobytes())) == done
    again = train(tiny_cases, tmp_path, TINY)
    assert again == history(finished)
    one, other = unpacked(finished / "weights.npz"), unpacked(tmp_path / "weights.npz")
    assert one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)


def test_a_finished_run_is_not_trained_again(finished: Path, tiny_cases: Path) -> None:
    before = (finished / "weights.npz").read_bytes()
    assert train(tiny_cases, finished, TINY, _kill) == history(finished)
    assert (finished / "weights.npz").read_bytes() == before


def test_a_folder_of_another_run_is_left_alone(finished: Path, tiny_cases: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="config: is of another training"):
        train(tiny_cases, finished, replace(TINY, seed=2))
    synthesize(tmp_path / "other", 8, 32, 2, 4)
    with pytest.raises(InputError, match="data: is of another training"):
        train(tmp_path / "other", finished, TINY)


@pytest.mark.parametrize("content", ["[]", "{", "{}", '{"split": {}}'])
def test_a_damaged_record_is_told(keras: Any, tiny_cases: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)
    for use in (lambda: read_run(tmp_path), lambda: train(tiny_cases, tmp_path, TINY)):
        with pytest.raises(InputError, match=r"run\.json"):
            use()
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_a_configuration_that_cannot_be_trained_is_refused() -> None:
    with pytest.raises(ValueError, match="loss is 'l2'"):
        replace(TINY, loss="l2")
    with pytest.raises(ValueError, match="classes is 3"):
        replace(TINY, network=replace(TINY.network, classes=3))


def test_another_seed_gives_other_figures(finished: Path, tiny_cases: Path, tmp_path: Path) -> None:
    other = train(tiny_cases, tmp_path, replace(TINY, seed=2, epochs=1))
    assert other[0].loss != history(finished)[0].loss


def test_a_damaged_checkpoint_is_told(keras: Any, tiny_cases: Path, tmp_path: Path) -> None:
    with pytest.raises(_KilledError):
        train(tiny_cases, tmp_path, TINY, _kill)
    path = tmp_path / "checkpoint.npz"
    np.savez(path, epochs=np.frombuffer(b"[]", dtype=np.uint8))
    with pytest.raises(InputError, match="delete it to begin anew"):
        train(tiny_cases, tmp_path, TINY)


def test_training_stops_when_patience_is_at_its_end(keras: Any, tiny_cases: Path, tmp_path: Path) -> None:
    # a rate of nothing: the weights stay, only the statistics of normalisation move
    config = replace(
        TINY, network=replace(TINY.network, batch_norm=False), learning_rate=1e-12, patience=2, epochs=20, steps=1
    )
    epochs = train(tiny_cases, tmp_path, config)
    scores = [each.validation_dice for each in epochs]
    assert len(epochs) < 20 and len(epochs) == scores.index(max(scores)) + 3


def test_a_loss_that_is_no_number_ends_it(keras: Any, tiny_cases: Path, tmp_path: Path) -> None:
    with pytest.raises(TerminalError, match="lower the learning rate"):
        train(tiny_cases, tmp_path, replace(TINY, learning_rate=1e30, steps=10))


def test_it_learns_what_pet_alone_does_not_tell_and_finds_it_in_other_patients(keras: Any, tmp_path: Path) -> None:
    """Lesions and organs take up the same; they differ on CT."""
    random, records = np.random.default_rng(0), []
    for number in range(6):
        mask, organ = np.zeros((4, 32, 32), dtype=np.bool_), np.zeros((4, 32, 32), dtype=np.bool_)
        for level in range(4):
            for where in (mask, organ):
                row, column = random.integers(2, 20, 2)
                where[level, row : row + 9, column : column + 9] = True
        organ &= ~mask
        pet = np.where(mask | organ, 6.0, 1.0) + random.normal(0, 0.1, mask.shape)
        ct = np.where(organ, 200.0, 0.0) + random.normal(0, 10, mask.shape)
        name = f"C{number}"
        case = Case(name, name, pet.astype(np.float32), ct.astype(np.float32), mask, (5.0, 4.0, 4.0))
        records.append(write_case(tmp_path, case))
    write_index(tmp_path, records)
    config = TrainingConfig(
        NetworkConfig(size=32, filters=4, depth=2, dropout=0.0), epochs=6, batch=8, steps=40, folds=3
    )
    epochs = train(tmp_path, tmp_path / "run", replace(config, learning_rate=1e-2))
    assert epochs[-1].loss < 0.5 * epochs[0].loss
    network, threshold = evaluate([tmp_path / "run"], tmp_path).rows[:2]
    assert network.mean > 0.85 > threshold.mean


def test_it_is_measured_on_the_test_patients_alone_beside_the_rules(finished: Path, tiny_cases: Path) -> None:
    found = evaluate([finished], tiny_cases)
    assert found.cases == tuple(sorted(read_run(finished).division.test))
    assert [row.method for row in found.rows] == [
        NETWORK,
        "SUV > 2.5",
        "41 % of the maximum",
        "best rule of the training",
    ]
    (fixed,) = (row for row in found.rows if row.method == "SUV > 2.5")
    cases = [case for case in read_cases(tiny_cases) if case.name in found.cases]
    by_hand = [2 * ((case.pet > 2.5) & case.mask).sum() / ((case.pet > 2.5).sum() + case.mask.sum()) for case in cases]
    assert fixed.dice == pytest.approx(by_hand) and fixed.mean == pytest.approx(np.mean(by_hand))
    assert fixed.worst == min(fixed.dice) and 0 <= fixed.missed <= len(cases)
    assert found.as_dict()["methods"]["SUV > 2.5"]["by_case"].keys() == set(found.cases)
    assert len(list(found.table())) == 6
    assert found.beside_rule is not None and found.beside_rule.difference == pytest.approx(
        found.rows[0].mean - found.rows[3].mean
    )


def test_other_data_are_measured_whole_unless_they_hold_an_image_of_the_training(
    finished: Path, tiny_cases: Path, tmp_path: Path
) -> None:
    synthesize(tmp_path / "other", 3, 32, 2, 99)
    found = evaluate([finished], tmp_path / "other")
    assert len(found.cases) == 3 and found.rules == () and len(found.rows) == 3
    for name in read_run(finished).division.train[:1]:
        (tmp_path / "other" / "SYN_0001.npz").write_bytes((tiny_cases / f"{name}.npz").read_bytes())
    with pytest.raises(InputError, match="SYN_0001: is an image the network was trained on"):
        evaluate([finished], tmp_path / "other")


_KILLED_CHILD = """
import os, signal, sys
from pathlib import Path
from tests.imaging.segmentation.test_training import TINY
from imaging.segmentation.training import train
train(Path(sys.argv[1]), Path(sys.argv[2]), TINY, lambda epoch: os.kill(os.getpid(), signal.SIGKILL))
"""


@pytest.mark.slow
def test_a_process_killed_for_real_leaves_a_folder_that_goes_on(
    finished: Path, tiny_cases: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    command = [sys.executable, "-c", _KILLED_CHILD, str(tiny_cases), str(out)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert train(tiny_cases, out, TINY) == history(finished)


def test_half_precision_trains_weights_of_single_precision(keras: Any, tiny_cases: Path, tmp_path: Path) -> None:
    half = replace(TINY, precision="bfloat16", steps=20)
    epochs = train(tiny_cases, tmp_path, half)
    assert keras.mixed_precision.global_policy().name == "float32"
    assert epochs[-1].loss < epochs[0].loss
    config, network = load(tmp_path)
    assert {str(np.asarray(each).dtype) for each in network.get_weights()} == {"float32"}
    images = np.zeros((1, 16, 16, config.planes), dtype=np.float32)
    assert np.asarray(network(images, training=False)).dtype == np.float32


def test_a_precision_no_layer_has_or_a_risk_cannot_bear_is_refused() -> None:
    with pytest.raises(ValueError, match="neither float32 nor bfloat16"):
        replace(TINY, precision="float64")
    with pytest.raises(ValueError, match="more than bfloat16 can add up"):
        replace(TINY, precision="bfloat16", network=replace(TINY.network, architecture="multitask"))


def test_the_share_of_the_largest_piece_that_is_kept_can_be_told_instead_of_chosen(
    keras: Any, tiny_cases: Path, tmp_path: Path
) -> None:
    train(tiny_cases, tmp_path, replace(TINY, kept_share=1.0, epochs=1))
    assert load_outline(tmp_path) == Outline(1.0)
    with pytest.raises(ValueError, match="no share from 0 to 1"):
        replace(TINY, kept_share=1.5)


def test_what_describes_a_training_is_imported_without_tensorflow() -> None:
    seen = "import sys, imaging.segmentation.training; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", seen], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
