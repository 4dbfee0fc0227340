"""The seal of a model's folder: SHA-256 of every file in ``manifest.json``, and a detached OpenPGP signature of that.

The manifest also says the model's name, its version, and the bounds it is declared to keep; the signature covers them.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from meddojo.errors import InputError
from meddojo.imaging_model import Bounds, FaultKind, FileFault, ManifestState, SignatureState
from meddojo.model_files import MANIFEST, MOST_BYTES, as_text, parse_manifest
from meddojo.signature import sign, verify

SIGNATURE = MANIFEST + ".asc"

_MOST_FILES = 10_000
_DEEPEST = 8
_MOST_SIGNATURE_BYTES = 2**16
HINT = "get the model again from those who made it; if you changed it yourself: meddojo imaging sign"


@dataclass(frozen=True, slots=True)
class Seal:
    """How a folder stands beside its seal.

    Attributes
    ----------
    about
        What the manifest says; empty if there is none or it cannot be read.
    digests
        SHA-256 of every file that is there but the seal itself, by path below the folder; empty for one that is no
        plain file or cannot be read.
    manifest_fault
        Why the manifest cannot be read; empty if it can.
    signer
        Fingerprint of the certificate that signed, or why the signature counts for nothing.
    """

    about: Mapping[str, Any]
    digests: Mapping[str, str]
    manifest: ManifestState
    signature: SignatureState
    faults: tuple[FileFault, ...] = ()
    manifest_fault: str = ""
    signer: str = ""


def write_seal(folder: Path, about: Mapping[str, Any], key_file: Path | None = None) -> Mapping[str, str]:
    """Write the manifest of all files below `folder`, and its signature.

    Parameters
    ----------
    about
        Added to what an earlier manifest says.
    key_file
        OpenPGP secret key; without one the manifest is not signed, and an earlier signature goes.

    Returns
    -------
    Mapping
        SHA-256 of every file.

    Raises
    ------
    InputError
        If there is no file, or one that cannot be in a manifest: a link, a hidden file.
    ConfigError
        If the key cannot sign.
    """
    digests = digests_of(folder)
    for name, digest in digests.items():
        if not digest or any(part.startswith(".") for part in name.split("/")):
            raise InputError(
                str(folder), name, "is hidden, a link, or cannot be read", "remove it, or put a file there"
            )
    if not digests:
        raise InputError(str(folder), "", "holds no file", "name the folder of a trained model")
    text = as_text({**_earlier(folder), **about, "files": dict(digests)})
    parse_manifest(text, str(folder), HINT)
    signature = sign(text, key_file) if key_file else None
    (folder / SIGNATURE).unlink(missing_ok=True)
    (folder / MANIFEST).write_bytes(text)
    if signature:
        (folder / SIGNATURE).write_bytes(signature)
    return digests


def examine(folder: Path, trusted: Sequence[Path], now: datetime) -> Seal:
    """Compare a folder with its seal.

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
    digests = digests_of(folder)
    content = _content(folder / MANIFEST, MOST_BYTES)
    if content is None:
        return Seal({}, digests, ManifestState.ABSENT, SignatureState.UNSIGNED)
    signature, signer = _signature(folder, content, trusted, now)
    try:
        about = parse_manifest(content, str(folder), HINT)
        bounds_of(about, str(folder))
    except InputError as error:
        fault = f"{error.position}: {error.cause}"
        return Seal({}, digests, ManifestState.UNREADABLE, signature, manifest_fault=fault, signer=signer)
    faults = tuple(_faults(about["files"], digests))
    state = ManifestState.BROKEN if faults else ManifestState.INTACT
    return Seal(about, digests, state, signature, faults, signer=signer)


def check(folder: Path, names: Iterable[str], require_signature: Sequence[Path] = ()) -> dict[str, str]:
    """Refuse a folder whose files are not those of its seal, before any of them is loaded.

    A file that is one too many is tolerated, as long as it is not among those to be loaded.

    Parameters
    ----------
    names
        The files that are to be loaded.
    require_signature
        Files of OpenPGP certificates, one of which has to have signed; without any, no signature is asked for.

    Returns
    -------
    dict
        SHA-256 of each of `names` as the manifest has it, to hold what is read against; empty without a manifest.

    Raises
    ------
    InputError
        If a file was changed or is missing, one of `names` is not in the manifest, the manifest cannot be read, or the
        signature is not there or wrong.
    """
    if not require_signature and not os.path.lexists(folder / MANIFEST):
        return dict.fromkeys(names, "")
    seal = examine(folder, require_signature, datetime.now(UTC))
    if seal.manifest in (ManifestState.UNREADABLE, ManifestState.ABSENT):
        raise InputError(str(folder), "", seal.manifest_fault or "the model is neither sealed nor signed", HINT)
    if require_signature and seal.signature is not SignatureState.TRUSTED:
        raise InputError(str(folder), SIGNATURE, seal.signer or "the model is not signed", HINT)
    for fault in seal.faults:
        if fault.kind is not FaultKind.EXTRA:
            said = "is not the file its manifest names" if fault.kind is FaultKind.CHANGED else "is missing"
            raise InputError(str(folder), fault.file, said, HINT)
    found: dict[str, str] = {}
    for name in names:
        if name not in seal.about["files"]:
            raise InputError(str(folder), name, "is not in the manifest", HINT)
        found[name] = seal.about["files"][name]
    return found


def digests_of(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below `folder` but the seal itself; no link is followed.

    Raises
    ------
    InputError
        If it is no folder, or holds too many files or too deep folders.
    """
    found: dict[str, str] = {}
    for path in files_below(folder):
        name = path.relative_to(folder).as_posix()
        if name not in (MANIFEST, SIGNATURE):
            found[name] = _digest(path)
    return found


def files_below(folder: Path) -> list[Path]:
    """Everything below `folder` that is no folder, links included, in order.

    Raises
    ------
    InputError
        If it is no folder, or holds too many files or too deep folders.
    """
    if not folder.is_dir():
        raise InputError(str(folder), "", "no such folder", "name the folder of the model")
    found: list[Path] = []

    def refuse(error: OSError) -> None:
        raise InputError(str(folder), "", f"cannot be read: {error.strerror}", "check its permissions") from error

    for place, folders, names in os.walk(folder, onerror=refuse):
        here = Path(place)
        links = [name for name in folders if (here / name).is_symlink()]
        found += [here / name for name in (*names, *links)]
        if len(found) > _MOST_FILES or len(here.relative_to(folder).parts) > _DEEPEST:
            cause = f"holds more than {_MOST_FILES:,} files, or folders deeper than {_DEEPEST}"
            raise InputError(str(folder), "", cause, "a model does not; name its own folder")
    return sorted(found)


def bounds_of(about: Mapping[str, Any], origin: str) -> Bounds:
    """The bounds a manifest declares.

    Raises
    ------
    InputError
        If one of them is unknown, or no number from 0 to 1.
    """
    given = about.get("bounds", {})
    names = [field.name for field in fields(Bounds)]
    if not isinstance(given, dict):
        raise InputError(origin, f"{MANIFEST}: /bounds", "is no table of numbers", f"known are: {', '.join(names)}")
    for name, value in given.items():
        position = f"{MANIFEST}: /bounds/{name[:100]}"
        if name not in names:
            raise InputError(origin, position, "is not known", f"known are: {', '.join(names)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 1.0:
            raise InputError(origin, position, f"{str(value)[:40]} is no number from 0 to 1", HINT)
    return Bounds(**given)


def sealed_bounds(folder: Path) -> Bounds:
    """The bounds that a folder's manifest declares; none where there is no manifest.

    Raises
    ------
    InputError
        If the manifest cannot be read.
    """
    return bounds_of(_earlier(folder), str(folder))


def declared(bounds: Bounds) -> dict[str, float]:
    """Bounds as a manifest holds them; what is not declared is left out."""
    return {name: value for name, value in asdict(bounds).items() if value is not None}


def _earlier(folder: Path) -> dict[str, Any]:
    content = _content(folder / MANIFEST, MOST_BYTES)
    return {} if content is None else parse_manifest(content, str(folder), "remove it and sign again")


def _signature(folder: Path, content: bytes, trusted: Sequence[Path], now: datetime) -> tuple[SignatureState, str]:
    signature = _content(folder / SIGNATURE, _MOST_SIGNATURE_BYTES)
    if signature is None:
        return SignatureState.UNSIGNED, ""
    if not trusted:
        return SignatureState.UNCHECKED, ""
    try:
        return SignatureState.TRUSTED, verify(content, signature, trusted, str(folder), now)
    except InputError as error:
        return SignatureState.WRONG, error.cause


def _faults(listed: Mapping[str, str], digests: Mapping[str, str]) -> list[FileFault]:
    found = []
    for name in sorted({*listed, *digests}):
        if name not in digests:
            found.append(FileFault(name, FaultKind.MISSING))
        elif name not in listed:
            found.append(FileFault(name, FaultKind.EXTRA))
        elif digests[name] != listed[name]:
            found.append(FileFault(name, FaultKind.CHANGED))
    return found


def _content(path: Path, most: int) -> bytes | None:
    """What is in a file, up to a byte more than `most`; None if it is not there."""
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(str(path), "", f"cannot be read: {error.strerror}", "check its permissions") from error


def _digest(path: Path) -> str:
    """SHA-256 of a plain file; empty for anything else."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return ""
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
