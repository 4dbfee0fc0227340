"""Who made a bundle or a model: a detached OpenPGP signature of its manifest (RFC 9580).

OpenPGP, because CSAF needs Sequoia anyway: no further library, and ``gpg --verify`` agrees.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from meddojo.errors import ConfigError, InputError

if TYPE_CHECKING:
    import pysequoia

_MAX_KEY_BYTES = 1 << 20


def generate(base: Path, name: str) -> str:
    """Write ``BASE.key`` (secret, readable by its owner only) and ``BASE.pub``, and say so.

    Raises
    ------
    ConfigError
        If one of them exists, or cannot be written.
    """
    import pysequoia

    secret = pysequoia.Tsk.generate(name)
    certificate = secret.extract_certificate()
    key_file, public_file = (base.with_name(base.name + suffix) for suffix in (".key", ".pub"))
    for path, text, mode in ((key_file, str(secret), 0o600), (public_file, str(certificate), 0o644)):
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError:
            raise ConfigError(f"{path} is there already", "choose another name, or move it away") from None
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}", "check the folder and its permissions") from None
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(text)
    return (
        f"fingerprint: {certificate.fingerprint.upper()}\n"
        f"{key_file}: keep it secret, it signs: meddojo bundle export FILE --key {key_file}\n"
        f"{public_file}: carry it to those who import: meddojo bundle import FILE --trusted-key {public_file.name}"
    )


def sign(data: bytes, key_file: Path) -> bytes:
    """A detached signature of `data`, armoured.

    Raises
    ------
    ConfigError
        If the file holds no secret key that can sign.
    """
    import pysequoia

    try:
        signer = pysequoia.Tsk.from_bytes(_read(key_file)).signer()
        return bytes(pysequoia.sign(signer, data, mode=pysequoia.SignatureMode.DETACHED))
    except RuntimeError as error:
        raise ConfigError(
            f"{key_file}: no secret key that can sign: {_first_line(error)}", "make one with: meddojo bundle keygen"
        ) from None


def verify(data: bytes, signature: bytes, key_files: Sequence[Path], origin: str, now: datetime) -> str:
    """Which of the trusted keys signed `data`.

    Returns
    -------
    str
        Its fingerprint.

    Raises
    ------
    InputError
        If none did.
    ConfigError
        If a key file holds no public key.
    """
    import pysequoia

    try:
        parsed = pysequoia.Sig.from_bytes(signature)
    except RuntimeError as error:
        raise InputError(origin, "", f"its signature cannot be read: {_first_line(error)}", "do not trust it") from None
    certificates = [_certificate(path) for path in key_files]
    for certificate in certificates:
        if certificate.is_revoked or (certificate.expiration and certificate.expiration <= now):
            continue
        try:
            pysequoia.verify(bytes=data, store=lambda _, one=certificate: [one], signature=parsed)
        except RuntimeError:
            continue
        return certificate.fingerprint.upper()
    trusted = ", ".join(certificate.fingerprint.upper() for certificate in certificates)
    raise InputError(
        origin,
        "",
        f"its signature does not hold for the trusted key ({trusted}): it was changed, or somebody else signed it",
        "do not use it; ask those who made it",
    )


def _certificate(path: Path) -> pysequoia.Cert:
    import pysequoia

    try:
        return pysequoia.Cert.from_bytes(_read(path))
    except RuntimeError as error:
        raise ConfigError(f"{path}: no public key: {_first_line(error)}", "name the .pub of `bundle keygen`") from None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as handle:
            return handle.read(_MAX_KEY_BYTES)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", "check the path and its permissions") from None


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0][:200]
