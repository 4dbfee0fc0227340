"""CSAF documents in a folder or file: an archive, a copy of a provider, or one document by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from connectors.feeds.csaf.document import parse_document
from connectors.feeds.csaf.integrity import HASHES, MAX_SIDECAR_BYTES, fault_of
from connectors.feeds.csaf.openpgp import MAX_KEY_BYTES, KeyRing, fingerprint_of, read_keys
from connectors.feeds.csaf.policy import Check, Policy
from connectors.feeds.source import documents, now
from connectors.json_object import JsonObject
from connectors.reading import read_bytes, read_json, skipped
from meddojo.advisory import Advisory
from meddojo.errors import InputError
from meddojo.interface import Skipped

_METADATA = "provider-metadata.json"
_KEYS = "openpgp"
_OTHER_FILES = ("distributions", "feed", "aggregator", "csaf_providers")


def read_folder(path: Path, policy: Policy) -> Iterator[Advisory | Skipped]:
    """Yield the advisories of a folder (recursively), a ``.jsonl`` or a ``.json`` file.

    The hash and signature files of a document are those beside it; keys are taken from the folder ``openpgp``, and
    only those that a ``provider-metadata.json`` beside it names, if there is one.

    Raises
    ------
    InputError
        If nothing can be read, or keys are needed and cannot be read.
    """
    ring = _keys_in(path if path.is_dir() else path.parent) if policy.signature is not Check.OFF else KeyRing()
    for item in documents(path):
        if isinstance(item, Skipped):
            yield item
        elif not _accompanies(item[1]):
            yield _advisory(*item, policy, ring)


def _advisory(origin: str, document: Any, policy: Policy, ring: KeyRing) -> Advisory | Skipped:
    try:
        if fault := _fault(origin, policy, ring):
            return Skipped(origin, f"quarantined: {fault}")
        advisory = parse_document(document, origin)
    except InputError as error:
        return skipped(error)
    refusal = policy.refusal(advisory)
    return Skipped(origin, refusal) if refusal else advisory


def _fault(origin: str, policy: Policy, ring: KeyRing) -> str:
    hashes = tuple(origin + extension for extension in HASHES)
    signature = f"{origin}.asc"
    beside = any(Path(name).is_file() for name in (*hashes, signature))
    if not beside and Check.REQUIRED not in (policy.hash, policy.signature):
        return ""
    data = Path(origin).read_bytes() if Path(origin).is_file() else b""  # a line of a file has nothing beside it
    return fault_of(data, hashes, signature, _sidecar, policy, ring, now())


def _sidecar(name: str) -> bytes | None:
    path = Path(name)
    if not path.is_file():
        return None
    with path.open("rb") as handle:
        return handle.read(MAX_SIDECAR_BYTES)


def _keys_in(root: Path) -> KeyRing:
    files = sorted(file for file in (root / _KEYS).glob("*") if file.is_file())
    if not files:
        return KeyRing()
    named = _named_fingerprints(root / _METADATA)
    keys = [key for file in files for key in read_keys(read_bytes(file, MAX_KEY_BYTES), str(file))]
    strangers = {key.fingerprint for key in keys if named and key.fingerprint not in named}
    return KeyRing(
        tuple(key for key in keys if key.fingerprint not in strangers),
        dict.fromkeys(strangers, f"{_METADATA} does not name it"),
    )


def _named_fingerprints(metadata: Path) -> frozenset[str]:
    if not metadata.is_file():
        return frozenset()
    root = JsonObject.of(read_json(metadata), str(metadata))
    return frozenset(
        fingerprint_of(key.text("fingerprint"))
        for key in root.objects("public_openpgp_keys")
        if key.text("fingerprint")
    )


def _accompanies(document: Any) -> bool:
    """True for what lies beside the advisories in a copy of a provider: its metadata and ROLIE feeds."""
    return isinstance(document, dict) and "document" not in document and any(key in document for key in _OTHER_FILES)
