"""The seal of a model: what is told apart, and what is refused before it is loaded."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imaging.networks.config import NetworkConfig
from imaging.networks.files import load, save
from imaging.networks.seal import SIGNATURE, bounds_of, check, digests_of, examine, write_seal
from meddojo.errors import ConfigError, InputError
from meddojo.imaging_model import Bounds, FaultKind, FileFault, ManifestState, SignatureState
from meddojo.model_files import MANIFEST
from meddojo.signature import generate

NOW = datetime.now(UTC)
FILES = ("network.json", "weights.npz")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "figures").mkdir(parents=True)
    for name in (*FILES, "figures/loss.txt"):
        (folder / name).write_text(name)
    return folder


@pytest.fixture
def key(tmp_path: Path) -> Path:
    generate(tmp_path / "ours", "Test")
    return tmp_path / "ours.key"


def public(key: Path) -> Path:
    return key.with_suffix(".pub")


def other(tmp_path: Path) -> Path:
    generate(tmp_path / "other", "Somebody else")
    return tmp_path / "other.key"


def test_a_sealed_folder_is_intact_and_its_signer_is_named(model: Path, key: Path) -> None:
    write_seal(model, {"model": "petct", "bounds": {"least_dice": 0.7}}, key)
    seal = examine(model, [public(key)], NOW)
    assert (seal.manifest, seal.signature, seal.faults) == (ManifestState.INTACT, SignatureState.TRUSTED, ())
    assert len(seal.signer) == 40 and set(seal.digests) == {*FILES, "figures/loss.txt"}
    assert bounds_of(seal.about, "x") == Bounds(least_dice=0.7)
    assert check(model, FILES, [public(key)]) == {name: seal.digests[name] for name in FILES}


def test_unsigned_unchecked_and_wrongly_signed_are_told_apart(model: Path, key: Path, tmp_path: Path) -> None:
    assert examine(model, [public(key)], NOW).manifest is ManifestState.ABSENT
    write_seal(model, {})
    assert examine(model, [public(key)], NOW).signature is SignatureState.UNSIGNED
    write_seal(model, {}, key)
    assert examine(model, [], NOW).signature is SignatureState.UNCHECKED
    seal = examine(model, [public(other(tmp_path))], NOW)
    assert seal.signature is SignatureState.WRONG and "somebody else signed it" in seal.signer
    (model / MANIFEST).write_bytes((model / MANIFEST).read_bytes() + b" ")
    assert examine(model, [public(key)], NOW).signature is SignatureState.WRONG
    (model / SIGNATURE).write_text("not a signature")
    assert examine(model, [public(key)], NOW).signature is SignatureState.WRONG


def test_changed_missing_and_extra_files_are_told_apart(model: Path) -> None:
    write_seal(model, {})
    (model / "weights.npz").write_text("other")
    (model / "network.json").unlink()
    (model / "figures" / "new.txt").write_text("new")
    seal = examine(model, [], NOW)
    assert seal.manifest is ManifestState.BROKEN
    assert seal.faults == (
        FileFault("figures/new.txt", FaultKind.EXTRA),
        FileFault("network.json", FaultKind.MISSING),
        FileFault("weights.npz", FaultKind.CHANGED),
    )


def test_a_link_in_place_of_a_file_is_a_changed_file(model: Path, tmp_path: Path) -> None:
    write_seal(model, {})
    same = tmp_path / "same"
    (model / "weights.npz").rename(same)
    (model / "weights.npz").symlink_to(same)
    assert examine(model, [], NOW).faults == (FileFault("weights.npz", FaultKind.CHANGED),)
    with pytest.raises(InputError, match=r"weights\.npz.*link"):
        write_seal(model, {})


def test_a_pipe_does_not_hang_the_check(model: Path) -> None:
    os.mkfifo(model / "pipe")
    assert digests_of(model)["pipe"] == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no manifest"),
        (b'{"files": {"../x": "0"}}', "elsewhere"),
        (b'{"files": {}, "bounds": {"least_dice": 2}}', "no number from 0 to 1"),
        (b'{"files": {}, "bounds": {"dice": 0.5}}', "not known"),
        (b'{"files": {}, "bounds": 3}', "no table"),
    ],
)
def test_a_manifest_that_lies_is_a_state_and_no_crash(model: Path, content: bytes, said: str) -> None:
    (model / MANIFEST).write_bytes(content)
    seal = examine(model, [], NOW)
    assert seal.manifest is ManifestState.UNREADABLE and said in seal.manifest_fault
    with pytest.raises(InputError, match=said):
        check(model, FILES)


def test_what_is_not_in_the_manifest_is_not_loaded(model: Path) -> None:
    write_seal(model, {})
    about = json.loads((model / MANIFEST).read_text())
    del about["files"]["weights.npz"]
    (model / MANIFEST).write_text(json.dumps(about))
    assert check(model, ["network.json"]), "a file too many is tolerated"
    with pytest.raises(InputError, match=r"weights\.npz: is not in the manifest"):
        check(model, FILES)


def test_a_signature_that_is_asked_for_has_to_be_there(model: Path, key: Path) -> None:
    assert check(model, FILES) == dict.fromkeys(FILES, "")
    with pytest.raises(InputError, match="neither sealed nor signed"):
        check(model, FILES, [public(key)])
    write_seal(model, {})
    with pytest.raises(InputError, match="not signed"):
        check(model, FILES, [public(key)])


def test_sealing_again_keeps_what_was_said_and_drops_an_old_signature(model: Path, key: Path) -> None:
    write_seal(model, {"model": "petct"}, key)
    (model / "weights.npz").write_text("trained anew")
    write_seal(model, {"version": "2"})
    seal = examine(model, [public(key)], NOW)
    assert (seal.about["model"], seal.about["version"]) == ("petct", "2")
    assert seal.manifest is ManifestState.INTACT and seal.signature is SignatureState.UNSIGNED


def test_what_cannot_be_sealed(model: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no file"):
        write_seal(tmp_path / "empty", {})
    with pytest.raises(InputError, match="no such folder"):
        write_seal(tmp_path / "nowhere", {})
    with pytest.raises(ConfigError, match="no secret key"):
        write_seal(model, {}, model / "weights.npz")
    assert not (model / MANIFEST).exists(), "nothing is written that is not signed as asked"
    (model / ".hidden").write_text("")
    with pytest.raises(InputError, match="hidden"):
        write_seal(model, {})


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_network_is_loaded_only_as_it_was_sealed(keras: Any, tmp_path: Path, key: Path) -> None:
    from imaging.networks import build

    config = NetworkConfig(size=16, filters=2, depth=2)
    weights = build(config).get_weights()
    folder = tmp_path / "net"
    folder.mkdir()
    save(folder, config, weights)
    write_seal(folder, {}, key)
    assert load(folder, [public(key)])[0] == config
    (folder / "notes.txt").write_text("a file too many is not loaded")
    assert load(folder)[0] == config
    save(folder, config, [np.asarray(each) + 1 for each in weights])
    with pytest.raises(InputError, match=r"weights\.npz: is not the file its manifest names"):
        load(folder)
