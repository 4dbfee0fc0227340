"""Files of a model behind their manifest, and manifests that lie."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from meddojo.errors import InputError
from meddojo.model_files import MANIFEST, manifest, parse_manifest, read_model, write_model

DIGEST = "0" * 64


def test_files_below_the_folder_are_read_again(tmp_path: Path) -> None:
    write_model(tmp_path, {"a.json": b"{}"}, {"version": "1"})
    (tmp_path / "fold").mkdir()
    (tmp_path / "fold" / "b.npz").write_bytes(b"b")
    about = manifest(tmp_path)
    about["files"]["fold/b.npz"] = "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d"
    (tmp_path / MANIFEST).write_text(json.dumps(about))
    assert read_model(tmp_path) == {"a.json": b"{}", "fold/b.npz": b"b"}


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "a/../b", "a//b", "", ".hidden", "a\\b", "C:x", "a/./b", "a/", "a\0"]
)
def test_a_file_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="elsewhere"):
        parse_manifest(json.dumps({"files": {name: DIGEST}}).encode(), "model")


@pytest.mark.parametrize("digest", ["", "0" * 63, "G" * 64, 3, None])
def test_a_digest_that_is_none_is_refused(digest: object) -> None:
    with pytest.raises(InputError, match="no SHA-256"):
        parse_manifest(json.dumps({"files": {"a": digest}}).encode(), "model")


def test_nesting_without_end_is_refused() -> None:
    with pytest.raises(InputError, match="no manifest"):
        parse_manifest(b"[" * 100_000, "model")
