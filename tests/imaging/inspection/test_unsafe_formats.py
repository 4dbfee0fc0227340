"""A positive and a negative example of every rule, made here; none of them is ever loaded."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import os
import pickle
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.inspection import keras_layers, pieces, unsafe_formats
from imaging.inspection.pickles import find_pickle
from imaging.inspection.unsafe_formats import LINK, RULES, scan
from meddojo.severity import Severity


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("exit 1",)


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return buffer.getvalue()


def tarred(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        about = tarfile.TarInfo(name)
        about.size = len(content)
        archive.addfile(about, io.BytesIO(content))
    return buffer.getvalue()


def saved(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def layers(*each: dict[str, Any]) -> bytes:
    return json.dumps({"class_name": "Sequential", "config": {"layers": list(each)}}).encode()


def hdf5(config: str | None) -> bytes:
    h5py = pytest.importorskip("h5py")
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["weights"] = np.zeros(3, dtype=np.float32)
        if config is not None:
            file.attrs["model_config"] = config
    return buffer.getvalue()


def node(operation: str) -> bytes:
    """A ``NodeDef`` within a graph: name, then operation."""
    name, spelt = b"node", operation.encode()
    return b"\x0a\x0a" + b"\x0a" + bytes([len(name)]) + name + b"\x12" + bytes([len(spelt)]) + spelt


def lite(name: str) -> bytes:
    return b"\x1c\0\0\0TFL3" + bytes(16) + len(name).to_bytes(4, "little") + name.encode() + b"\0"


def external(path: str) -> bytes:
    value = path.encode()
    return b"\x08\x07" + b"\x0a\x08location\x12" + bytes([len(value)]) + value


EVIL = pickle.dumps(Evil())
LAMBDA = {"class_name": "Lambda", "module": "keras.layers", "config": {"name": "scale", "function": "4wEA"}}
DENSE = {"class_name": "Dense", "module": "keras.layers", "config": {"name": "dense"}}
SERIALISED = {"class_name": "__lambda__", "config": {"value": "4wEA"}}
FOREIGN = {"class_name": "run", "module": "subprocess", "registered_name": "run"}
PLAIN = np.arange(3.0)

BAD: list[tuple[str, str, Callable[[], bytes], str, Severity]] = [
    ("pickle", "a.bin", lambda: EVIL, "posix.system", Severity.CRITICAL),
    ("pickle", "a.pkl", lambda: pickle.dumps(Evil(), 0), "posix.system", Severity.CRITICAL),
    ("pickle", "a.txt", lambda: b"(S'ls'\nios\nsystem\n.", "os.system", Severity.CRITICAL),
    ("pickle", "cut.bin", lambda: EVIL[:-1], "posix.system", Severity.CRITICAL),
    ("pickle", "a.dat", lambda: pickle.dumps([1, "two"]), "imports nothing now", Severity.HIGH),
    ("pickle", "np.dat", lambda: pickle.dumps(PLAIN), "numpy", Severity.HIGH),
    ("pickle", "two.bin", lambda: pickle.dumps(1) + EVIL, "posix.system", Severity.CRITICAL),
    ("pickle", "a.pt", lambda: zipped(m__data_pkl=b"", m__data=EVIL), "posix.system", Severity.CRITICAL),
    ("pickle", "a.joblib", lambda: zlib.compress(EVIL), "posix.system", Severity.CRITICAL),
    ("pickle", "a.gz", lambda: gzip.compress(EVIL), "posix.system", Severity.CRITICAL),
    ("pickle", "a.bz2", lambda: bz2.compress(EVIL), "posix.system", Severity.CRITICAL),
    ("pickle", "a.tar", lambda: tarred("x", EVIL), "posix.system", Severity.CRITICAL),
    ("pickle", "deep.zip", lambda: zipped(a=zipped(b=gzip.compress(EVIL))), "posix.system", Severity.CRITICAL),
    ("pickle", "behind.png", lambda: b"\x89PNG" + zipped(a=EVIL), "posix.system", Severity.CRITICAL),
    ("pickle", "a.pth", lambda: b"safe words", "called like a pickle", Severity.MEDIUM),
    ("object-array", "a.npy", lambda: saved(np.array([{}, 1], dtype=object)), "pickled objects", Severity.HIGH),
    ("object-array", "a.npz", lambda: zipped(x=saved(np.array([Evil()]))), "posix.system", Severity.CRITICAL),
    ("object-array", "r.npy", lambda: saved(np.zeros(1, dtype=[("a", "O")])), "pickled objects", Severity.HIGH),
    ("object-array", "odd.npy", lambda: b"\x93NUMPY\x01\x00\x04\x00{{{{", "pickled objects", Severity.HIGH),
    ("keras-lambda", "a.keras", lambda: zipped(config=layers(DENSE, LAMBDA)), "'scale'", Severity.HIGH),
    ("keras-lambda", "a.json", lambda: layers(SERIALISED), "bytecode", Severity.HIGH),
    ("keras-lambda", "esc.json", lambda: layers(LAMBDA).replace(b"Lambda", b"\\u004cambda"), "'scale'", Severity.HIGH),
    ("keras-lambda", "cut.json", lambda: layers(LAMBDA)[:-2], "bytecode", Severity.HIGH),
    ("keras-lambda", "a.h5", lambda: hdf5(layers(LAMBDA).decode()), "'scale'", Severity.HIGH),
    ("keras-module", "a.keras", lambda: zipped(config=layers(FOREIGN)), "subprocess.run", Severity.HIGH),
    ("keras-h5", "a.h5", lambda: hdf5(layers(DENSE).decode()), "whole model", Severity.MEDIUM),
    ("tensorflow-op", "saved_model.pb", lambda: node("WriteFile"), "writes any file", Severity.HIGH),
    ("tensorflow-op", "saved_model.pb", lambda: node("EagerPyFunc"), "calls Python", Severity.HIGH),
    ("tensorflow-op", "a.pbtxt", lambda: b'node { op: "ReadFile" }', "reads any file", Severity.HIGH),
    ("tensorflow-op", "a.tflite", lambda: lite("FlexPyFunc"), "calls Python", Severity.HIGH),
    ("torchscript", "a.pt", lambda: zipped(m__code__net=b"", **{"m__code__a.py": b"pass"}), "Torch", Severity.HIGH),
    ("onnx-path", "a.onnx", lambda: external("../../etc/passwd"), "../../etc/passwd", Severity.HIGH),
    ("onnx-path", "a.onnx", lambda: external("C:\\secret"), "secret", Severity.HIGH),
    ("archive-path", "a.zip", lambda: zipped(**{"..__..__x": b"1"}), "outside", Severity.HIGH),
    ("program", "a.bin", lambda: b"\x7fELF" + bytes(60), "program", Severity.MEDIUM),
    ("program", "setup.py", lambda: b"print()", "program", Severity.MEDIUM),
]

GOOD: list[tuple[str, str, Callable[[], bytes]]] = [
    ("pickle", "a.bin", lambda: b"\x80\x04" + bytes(range(200))),
    ("pickle", "a.txt", lambda: b"case\nname\nof a patient is not kept\n."),
    ("pickle", "formula.txt", lambda: b"x^2 + y^2 begins as a zlib stream does"),
    ("pickle", "a.md", lambda: b"# A model card\n\nimport nothing.\n"),
    ("object-array", "a.npy", lambda: saved(PLAIN)),
    ("object-array", "a.npz", lambda: zipped(x=saved(PLAIN), y=saved(np.zeros(2, dtype=[("a", "f4")])))),
    ("keras-lambda", "a.keras", lambda: zipped(config=layers(DENSE))),
    ("keras-lambda", "a.txt", lambda: b'A "class_name": "Lambda" in a text is no layer'),
    ("keras-lambda", "a.h5", lambda: hdf5(layers(DENSE).decode())),
    ("keras-module", "a.keras", lambda: zipped(config=layers(DENSE))),
    ("keras-h5", "a.weights.h5", lambda: hdf5(None)),
    ("tensorflow-op", "saved_model.pb", lambda: node("MatMul") + node("Conv2D")),
    ("tensorflow-op", "card.md", lambda: node("WriteFile")),
    ("tensorflow-op", "a.tflite", lambda: lite("CONV_2D")),
    ("torchscript", "a.zip", lambda: zipped(**{"docs__a.py": b"pass"})),
    ("onnx-path", "a.onnx", lambda: external("weights/a.data")),
    ("archive-path", "a.zip", lambda: zipped(folder__x=b"1")),
    ("program", "network.json", lambda: b"{}"),
]


@pytest.mark.parametrize(("rule", "name", "content", "said", "severity"), BAD, ids=[f"{b[0]}-{b[1]}" for b in BAD])
def test_each_rule_finds_its_kind(
    rule: str, name: str, content: Callable[[], bytes], said: str, severity: Severity, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content())
    found = [each for each in scan(tmp_path).unsafe if each.rule == rule]
    assert found and found[0].file == name and found[0].severity is severity
    assert said in found[0].cause + found[0].position


@pytest.mark.parametrize(("rule", "name", "content"), GOOD, ids=[f"{g[0]}-{g[1]}" for g in GOOD])
def test_no_rule_finds_what_is_none_of_its_kind(
    rule: str, name: str, content: Callable[[], bytes], tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content())
    result = scan(tmp_path)
    assert not [each for each in result.unsafe if each.rule == rule] and not result.not_looked_at


def test_every_rule_has_both_examples() -> None:
    names = {rule.name for rule in RULES}
    assert {rule for rule, *_ in BAD} == names == {rule for rule, *_ in GOOD}


def test_the_place_is_named_to_the_layer_in_the_member(tmp_path: Path) -> None:
    (tmp_path / "a.keras").write_bytes(zipped(**{"config.json": layers(DENSE, LAMBDA)}))
    (found,) = scan(tmp_path).unsafe
    assert found.position == "member config.json: /config/layers/1"


def test_links_that_leave_are_found_and_those_that_stay_are_not(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    (folder / "inside").symlink_to("a.txt")
    (folder / "outside").symlink_to("../secret")
    (folder / "folder").symlink_to(tmp_path)
    assert [(each.file, each.rule) for each in scan(folder).unsafe] == [("folder", LINK), ("outside", LINK)]


def test_what_is_beyond_a_bound_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = EVIL
    for _ in range(pieces.MAX_DEPTH + 1):
        content = zipped(a=content)
    (tmp_path / "deep.zip").write_bytes(content)
    assert "deeper" in scan(tmp_path).not_looked_at[0]
    (tmp_path / "deep.zip").unlink()

    (tmp_path / "bomb.gz").write_bytes(gzip.compress(bytes(2**22)))
    (tmp_path / "many.zip").write_bytes(zipped(**{f"m{number}": b"1" for number in range(50)}))
    monkeypatch.setattr(pieces, "MAX_UNPACKED_BYTES", 2**20)
    monkeypatch.setattr(pieces._Budget, "__init__", _small)
    told = scan(tmp_path).not_looked_at
    assert any("bomb.gz" in each and "too" in each for each in told)
    assert any("many.zip" in each and "too much" in each for each in told)


def _small(budget: pieces._Budget) -> None:
    budget.members, budget.bytes = 10, 2**20


def test_a_file_that_is_too_large_is_told_and_its_beginning_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "MAX_FILE_BYTES", len(EVIL) - 1)
    (tmp_path / "large.bin").write_bytes(EVIL)
    result = scan(tmp_path)
    assert [each.rule for each in result.unsafe] == ["pickle"] and "larger" in result.not_looked_at[0]


def test_a_damaged_member_is_told_and_what_can_be_read_of_it_is_looked_at(tmp_path: Path) -> None:
    content = bytearray(zipped(a=EVIL))
    place = content.index(b"exit 1")
    content[place] ^= 1
    (tmp_path / "a.zip").write_bytes(content)
    result = scan(tmp_path)
    assert [each.rule for each in result.unsafe] == ["pickle"] and "CRC" in result.not_looked_at[0]


def test_a_member_that_pretends_to_be_encrypted_is_looked_at(tmp_path: Path) -> None:
    content = bytearray(zipped(a=EVIL))
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(magic) + offset] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    assert [each.rule for each in scan(tmp_path).unsafe] == ["pickle"]


def test_without_h5py_the_bytes_are_searched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(hdf5(layers(LAMBDA).decode()))
    monkeypatch.setattr(keras_layers, "_attribute", lambda _: None)
    assert {each.rule for each in scan(tmp_path).unsafe} == {"keras-lambda", "keras-h5"}


def test_many_places_of_one_rule_in_one_file_are_cut(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(layers(*[LAMBDA] * 40))
    assert len(scan(tmp_path).unsafe) == unsafe_formats._LISTED


def test_a_real_model_is_clean(tmp_path: Path) -> None:
    np.savez(tmp_path / "weights.npz", **{str(number): PLAIN for number in range(30)})  # type: ignore[arg-type]
    (tmp_path / "network.json").write_text('{"architecture": "unet"}')
    (tmp_path / "MODEL_CARD.md").write_text("# card")
    assert scan(tmp_path) == unsafe_formats.Scan((), ())


@given(st.binary(max_size=400))
def test_whatever_is_in_a_file_is_no_crash(content: bytes) -> None:
    find_pickle(content)
    for start in (b"", b"\x80\x04", b"\x93NUMPY\x01\x00", b"{", b"\x89HDF\r\n\x1a\nmodel_config", b"\x78\x9c"):
        for name in ("a.pb", "a.onnx", "a.json"):
            piece = pieces.Piece(name, "", start + content)
            list(unsafe_formats._faults(piece))
            list(pieces._unpacked(piece, 0, pieces._Budget()))


@given(st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)))
def test_every_pickle_of_plain_values_is_told(value: Any) -> None:
    for protocol in (2, 3, 4, 5):
        assert find_pickle(pickle.dumps(value, protocol)) is not None
