"""Whether a document is the one its publisher put there (CSAF 2.0, sections 7.1.18 and 7.1.19)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from datetime import datetime

from connectors.feeds.csaf.openpgp import KeyRing, signature_fault
from connectors.feeds.csaf.policy import Check, Policy

HASHES = {".sha512": "SHA-512", ".sha256": "SHA-256"}
"""File extension to algorithm, the strongest first."""

MAX_SIDECAR_BYTES = 1 << 16

Sidecar = Callable[[str], bytes | None]
"""Reads the file beside a document that goes by a name; None when there is none."""

_DIGEST = re.compile(rb"\s*(?P<digest>[0-9a-fA-F]{64,128})(?:\s|$)")


def fault_of(
    data: bytes,
    hashes: Iterable[str],
    signature: str,
    read: Sidecar,
    policy: Policy,
    ring: KeyRing,
    moment: datetime,
) -> str:
    """Why a document has to be quarantined; empty if nothing speaks against it.

    Parameters
    ----------
    data
        The document as it was delivered, byte by byte.
    hashes, signature
        Names of its hash files and its signature file, for `read`; the strongest hash that is there counts.
    moment
        Now: a key that has expired proves nothing.
    """
    fault = "" if policy.hash is Check.OFF else _hash_fault(data, tuple(hashes), read, policy.hash)
    if fault or policy.signature is Check.OFF:
        return fault
    proof = read(signature)
    if proof is None:
        return f"it is not signed: there is no {_name(signature)}" if policy.signature is Check.REQUIRED else ""
    if policy.signature is Check.WHEN_PRESENT and not (ring.keys or ring.unusable):
        return ""
    return signature_fault(data, proof, ring, moment)


def strongest_first(hashes: Iterable[str]) -> tuple[str, ...]:
    """Names of hash files, ordered by what they prove; those of other algorithms are left out."""
    names = tuple(hashes)
    return tuple(name for extension in HASHES for name in names if _extension(name) == extension)


def _hash_fault(data: bytes, hashes: tuple[str, ...], read: Sidecar, check: Check) -> str:
    for name in hashes:
        content = read(name)
        if content is None:
            continue
        algorithm = HASHES[_extension(name)]
        actual = hashlib.new(algorithm.replace("-", ""), data).hexdigest()
        stated = _DIGEST.match(content)
        digest = stated["digest"].decode().lower() if stated else ""
        if len(digest) != len(actual):
            return f"{_name(name)} states no {algorithm}"
        if digest != actual:
            return (
                f"its {algorithm} begins with {actual[:16]}, but {_name(name)} states {digest[:16]}: "
                "it was changed or damaged after that was computed"
            )
        return ""
    missing = " or ".join(_name(name) for name in hashes)
    return f"it has no hash: there is no {missing}" if check is Check.REQUIRED else ""


def _extension(name: str) -> str:
    return name[name.rfind(".") :].lower()


def _name(address: str) -> str:
    return address.rpartition("/")[2]
