"""One look at the files of a model: its seal, and whether any of them is unsafe. Quick enough for every night."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from imaging.inspection.unsafe_formats import scan
from imaging.networks.seal import bounds_of, examine
from meddojo.imaging_model import FileCheck

_LONGEST_NAME = 100


def check_files(folder: Path, trusted: Sequence[Path], now: datetime) -> FileCheck:
    """Look at every file below a model's folder; none of them is loaded.

    Parameters
    ----------
    trusted
        Files of OpenPGP certificates; without any, a signature is noticed but not checked.

    Raises
    ------
    InputError
        If the folder cannot be read, or holds too much.
    ConfigError
        If one of the certificates cannot be read.
    """
    seal = examine(folder, trusted, now)
    found = scan(folder)
    return FileCheck(
        name=_text(seal.about.get("model")) or folder.resolve().name,
        version=_text(seal.about.get("version")),
        digests=tuple(seal.digests.items()),
        manifest=seal.manifest,
        signature=seal.signature,
        manifest_fault=seal.manifest_fault,
        signer=seal.signer,
        faults=seal.faults,
        unsafe=found.unsafe,
        not_looked_at=found.not_looked_at,
        bounds=bounds_of(seal.about, str(folder)),
    )


def _text(value: object) -> str:
    return " ".join(value.split())[:_LONGEST_NAME] if isinstance(value, str) else ""
