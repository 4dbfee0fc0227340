"""A CSAF trusted provider on a loopback web server, and the ways in which what it publishes can be wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pysequoia

from connectors.feeds.csaf.policy import Check, Policy

UNCHECKED = Policy(signature=Check.OFF, hash=Check.OFF)
DAY = "2024-01-01"


def document(name: str, version: str = "1", day: str = DAY, label: str = "WHITE") -> bytes:
    """A small advisory, valid by the schema of CSAF 2.0."""
    moment = f"{day}T06:00:00Z"
    revisions = [
        {"number": str(number), "date": moment, "summary": f"Version {number}"} for number in range(1, int(version) + 1)
    ]
    content = {
        "document": {
            "category": "csaf_security_advisory",
            "csaf_version": "2.0",
            "title": f"A weak password in {name}",
            "publisher": {"category": "vendor", "name": "Acme PSIRT", "namespace": "https://acme.example"},
            "distribution": {"tlp": {"label": label}},
            "notes": [{"category": "summary", "text": "A password is weak."}],
            "references": [{"summary": "All advisories", "url": "https://acme.example/advisories"}],
            "tracking": {
                "id": name,
                "version": version,
                "status": "final",
                "initial_release_date": f"{DAY}T06:00:00Z",
                "current_release_date": moment,
                "revision_history": revisions,
            },
        },
        "product_tree": {"full_product_names": [{"product_id": "P", "name": "Acme Flow 2"}]},
        "vulnerabilities": [
            {
                "cve": "CVE-2024-12345",
                "notes": [{"category": "description", "text": "A password is weak."}],
                "product_status": {"known_affected": ["P"]},
                "remediations": [{"category": "mitigation", "details": "Change it.", "product_ids": ["P"]}],
            }
        ],
    }
    return json.dumps(content).encode()


def new_key(name: str = "Acme PSIRT") -> pysequoia.Tsk:
    """A key that may sign, made for this test."""
    return pysequoia.Tsk.generate(f"{name} <psirt@acme.example>")


def signature(key: pysequoia.Tsk, data: bytes) -> bytes:
    """A detached, armoured signature."""
    return pysequoia.sign(key.signer(), data, mode=pysequoia.SignatureMode.DETACHED)


def public(key: pysequoia.Tsk) -> bytes:
    """The public half, armoured."""
    return str(key.extract_certificate()).encode()


def expired(key: pysequoia.Tsk) -> bytes:
    """The public half of a key that has expired in the meantime."""
    moment = datetime.now(UTC) - timedelta(seconds=1)
    return str(key.extract_certificate().set_expiration(moment, key.certifier())).encode()


def revoked(key: pysequoia.Tsk) -> bytes:
    """The public half of a key that was revoked in the meantime."""
    certificate = key.extract_certificate()
    return bytes(certificate) + bytes(certificate.revoke(key.certifier()))


def fingerprint(key: pysequoia.Tsk) -> str:
    return key.extract_certificate().fingerprint.upper()


@dataclass
class LocalProvider:
    """Publishes into the pages of a `Website`, below a path of its own."""

    website: Any
    path: str = ""
    key: pysequoia.Tsk = field(default_factory=new_key)
    keys: list[dict[str, str]] = field(default_factory=list)
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.announce(self.key)

    @property
    def address(self) -> str:
        return f"{self.website.address}{self.path}"

    @property
    def metadata_url(self) -> str:
        return f"{self.address}/provider-metadata.json"

    def announce(self, key: pysequoia.Tsk, certificate: bytes = b"", **changes: str) -> None:
        """Publish a key, or what is to be found in its place."""
        name = fingerprint(key)
        self.website.pages[f"{self.path}/openpgp/{name}.asc"] = certificate or public(key)
        self.keys.append({"fingerprint": name, "url": f"{self.address}/openpgp/{name}.asc", **changes})

    def publish(
        self, name: str, data: bytes = b"", day: str = DAY, key: pysequoia.Tsk | None = None, feed: str = "white"
    ) -> str:
        """Publish a document with hashes and signature; the path, to change any of them afterwards."""
        data = data or document(name, day=day)
        path = f"{self.path}/{feed}/2024/{name}.json"
        self.website.pages[path] = data
        self.website.pages[f"{path}.sha256"] = f"{hashlib.sha256(data).hexdigest()}  {name}.json\n".encode()
        self.website.pages[f"{path}.sha512"] = f"{hashlib.sha512(data).hexdigest()}  {name}.json\n".encode()
        self.website.pages[f"{path}.asc"] = signature(key or self.key, data)
        url = f"{self.website.address}{path}"
        relations = {"self": url, "hash": f"{url}.sha512", "signature": f"{url}.asc"}
        self.entries[name] = {
            "id": name,
            "title": name,
            "published": f"{DAY}T06:00:00Z",
            "updated": f"{day}T06:00:00Z",
            "content": {"type": "application/json", "src": url},
            "link": [{"rel": relation, "href": target} for relation, target in relations.items()],
            "feed": feed,
        }
        self.write_feeds()
        return path

    def write_feeds(self, feeds: Iterable[str] = ("white",)) -> None:
        """Write the metadata and one ROLIE feed for each label."""
        listed = [
            {"tlp_label": label.upper(), "url": f"{self.address}/feed-{label}.json", "summary": label}
            for label in feeds
        ]
        for label in feeds:
            entries = [entry for entry in self.entries.values() if entry["feed"] == label]
            body = {"id": label, "title": label, "updated": f"{DAY}T06:00:00Z", "entry": entries}
            self.website.pages[f"{self.path}/feed-{label}.json"] = json.dumps({"feed": body}).encode()
        self.describe([{"rolie": {"feeds": listed}}])

    def describe(self, distributions: Any, **changes: Any) -> None:
        """Write the provider-metadata.json."""
        metadata = {
            "canonical_url": "https://acme.example/.well-known/csaf/provider-metadata.json",
            "distributions": distributions,
            "last_updated": f"{DAY}T06:00:00Z",
            "list_on_CSAF_aggregators": True,
            "mirror_on_CSAF_aggregators": True,
            "metadata_version": "2.0",
            "public_openpgp_keys": self.keys,
            "publisher": {"category": "vendor", "name": "Acme PSIRT", "namespace": "https://acme.example"},
            "role": "csaf_trusted_provider",
            **changes,
        }
        self.website.pages[f"{self.path}/provider-metadata.json"] = json.dumps(metadata).encode()
