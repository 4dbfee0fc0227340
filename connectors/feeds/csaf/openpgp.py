"""Detached OpenPGP signatures (RFC 9580; CSAF 2.0, sections 7.1.19 and 7.1.20).

Verification is Sequoia's, which also refuses weak hashes, weak keys, and signatures older or younger than their key.
What is added here: a key that has expired or was revoked since signs nothing any more, several signatures in one file,
and the reason in words.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from meddojo.errors import InputError

if TYPE_CHECKING:
    import pysequoia

MAX_SIGNATURE_BYTES = 1 << 16
MAX_KEY_BYTES = 1 << 20

_SIGNATURE_TAG = 2


@dataclass(frozen=True, slots=True)
class Key:
    """A public key.

    Attributes
    ----------
    fingerprint
        Of the primary key, in upper case.
    members
        Fingerprints of the primary key and its subkeys.
    """

    certificate: pysequoia.Cert
    fingerprint: str
    members: frozenset[str]
    expires: datetime | None
    revoked: bool

    def fault(self, moment: datetime) -> str:
        """Why its signatures do not count at `moment`; empty if they do."""
        if self.revoked:
            return "which was revoked"
        return f"which expired on {self.expires:%Y-%m-%d}" if self.expires and self.expires <= moment else ""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys a provider publishes.

    Attributes
    ----------
    unusable
        Fingerprint -> why the key that goes by it could not be read.
    """

    keys: tuple[Key, ...] = ()
    unusable: Mapping[str, str] = field(default_factory=dict)


def fingerprint_of(text: str) -> str:
    """A fingerprint without blanks and prefix, in upper case."""
    return re.sub(r"\s", "", text).upper().removeprefix("0X").removeprefix("OPENPGP4FPR:")


def read_keys(data: bytes, origin: str, fingerprint: str = "") -> tuple[Key, ...]:
    """Read public keys, armoured or not.

    Parameters
    ----------
    fingerprint
        Of the one key that is meant; empty takes all.

    Raises
    ------
    InputError
        If `data` holds no public key, or not that one.
    """
    import pysequoia

    try:
        certificates = pysequoia.Cert.split_bytes(data)
        keys = tuple(_key(certificate) for certificate in certificates)
    except RuntimeError as error:
        raise InputError(origin, "", f"not an OpenPGP public key: {_first_line(error)}", "report it") from None
    if not keys:
        raise InputError(origin, "", "holds no OpenPGP public key", "report it to the publisher")
    wanted = fingerprint_of(fingerprint)
    meant = tuple(key for key in keys if not wanted or key.fingerprint == wanted)
    if not meant:
        found = ", ".join(key.fingerprint for key in keys[:5])
        raise InputError(
            origin, "", f"holds the key {found}, where {wanted} is announced", "somebody may have exchanged the key"
        )
    return meant


def signature_fault(data: bytes, signature: bytes, ring: KeyRing, moment: datetime) -> str:
    """Why none of the signatures in a file proves that `data` comes from the owner of a key; empty if one does."""
    import pysequoia

    faults = []
    try:
        for packet in _signature_packets(signature):
            fault = _one_fault(data, pysequoia.Sig.from_bytes(packet), ring, moment)
            if not fault:
                return ""
            faults.append(fault)
    except (RuntimeError, ValueError) as error:
        return f"its signature file cannot be read: {_first_line(error)}"
    return "; ".join(dict.fromkeys(faults)) or "its signature file holds no signature"


def _one_fault(data: bytes, signature: pysequoia.Sig, ring: KeyRing, moment: datetime) -> str:
    import pysequoia

    issuer = (signature.issuer_fingerprint or signature.issuer_key_id or "").upper()
    if not issuer:
        return "its signature does not name the key it was made with"
    key = next((key for key in ring.keys if any(member.endswith(issuer) for member in key.members)), None)
    if key is None:
        published = [*(key.fingerprint for key in ring.keys), *map(": ".join, ring.unusable.items())]
        names = ", ".join(published) or "it publishes none"
        return f"it is signed with the key {issuer}, which is none of those the provider publishes: {names}"
    if fault := key.fault(moment):
        return f"it is signed with the key {key.fingerprint}, {fault}"
    if signature.expiration and signature.expiration <= moment:
        return f"its signature with the key {key.fingerprint} expired on {signature.expiration:%Y-%m-%d}"
    try:
        pysequoia.verify(bytes=data, store=lambda _: [key.certificate], signature=signature)
    except RuntimeError:
        return (
            f"its signature with the key {key.fingerprint} ({_algorithm(signature)}, {_day(signature)}) does not hold: "
            "the document was changed after it was signed, or key or hash are too weak or were not valid then"
        )
    return ""


def _key(certificate: pysequoia.Cert) -> Key:
    from pysequoia.packet import PacketPile

    # Of the certificate as it was understood, not of what was sent: that might unpack to gigabytes.
    fingerprints = (packet.fingerprint for packet in PacketPile.from_bytes(bytes(certificate)))
    members = frozenset(name.upper() for name in fingerprints if name)
    return Key(certificate, certificate.fingerprint.upper(), members, certificate.expiration, certificate.is_revoked)


def _signature_packets(data: bytes) -> Iterator[bytes]:
    """The packets of a signature file, armoured or not (RFC 9580, sections 4.2 and 6.2).

    Raises
    ------
    ValueError
        If there is anything but signatures in it. Compressed packets, above all, are never unpacked.
    """
    data = _without_armor(data) if data.lstrip().startswith(b"-----") else data
    start = 0
    while start < len(data):
        tag, header, length = _packet_header(data[start : start + 6])
        end = start + header + length
        if tag != _SIGNATURE_TAG:
            raise ValueError("there is something other than a detached signature in it")
        if end > len(data):
            raise ValueError("it ends too early")
        yield data[start:end]
        start = end


def _without_armor(data: bytes) -> bytes:
    """What is between the first armour lines: headers, a blank line, Base64, and a checksum that proves nothing."""
    lines = iter(line.strip() for line in data.splitlines())
    if b"-----BEGIN PGP SIGNATURE-----" not in lines:
        raise ValueError("it is no PGP SIGNATURE block")
    for line in lines:
        if not line:
            break
    body = bytearray()
    for line in lines:
        if line.startswith((b"=", b"-----END")):
            try:
                return base64.b64decode(body, validate=True)
            except binascii.Error:
                break
        body += line
    raise ValueError("the PGP SIGNATURE block is damaged")


def _packet_header(data: bytes) -> tuple[int, int, int]:
    """Tag, octets of the header, and octets of the body of a packet."""
    first, rest = data[0], data[1:]
    if not first & 0x80 or not rest:
        raise ValueError("it is no OpenPGP data")
    if not first & 0x40:
        size = 1 << (first & 3)
        if size > 4:
            raise ValueError("a packet has no length")
        return first >> 2 & 15, 1 + size, int.from_bytes(rest[:size])
    if rest[0] < 192:
        return first & 63, 2, rest[0]
    if rest[0] < 224 and len(rest) > 1:
        return first & 63, 3, (rest[0] - 192 << 8) + rest[1] + 192
    if rest[0] == 255:
        return first & 63, 6, int.from_bytes(rest[1:5])
    raise ValueError("a packet has no length")


def _algorithm(signature: pysequoia.Sig) -> str:
    return str(signature.hash_algorithm).rpartition(".")[2]


def _day(signature: pysequoia.Sig) -> str:
    return f"of {signature.created:%Y-%m-%d}" if signature.created else "undated"


def _first_line(error: Exception) -> str:
    """What happened, without the trace of the library below."""
    return str(error).strip().split("\n", 1)[0][:200]
