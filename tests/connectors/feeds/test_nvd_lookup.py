"""One record by hand, through nvdlib, whose hard-wired address is led to loopback."""

from __future__ import annotations

import importlib
import json
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from connectors.feeds.nvd.api import API
from connectors.feeds.nvd.lookup import look_up
from meddojo.errors import ConfigError, InputError, MeddojoError, RemoteError, TransientError

RECORD = {"id": "CVE-2024-1000", "vulnStatus": "Deferred", "descriptions": [{"lang": "en", "value": "A pump."}]}


def answer(*records: Any) -> bytes:
    body = {"resultsPerPage": len(records), "startIndex": 0, "totalResults": len(records)}
    return json.dumps({**body, "vulnerabilities": [{"cve": record} for record in records]}).encode()


@pytest.fixture
def pauses(website: Any, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long nvdlib would have slept."""
    slept: list[float] = []
    real = requests.get

    def to_loopback(link: str, **options: Any) -> requests.Response:
        assert link.rstrip("?") == API
        return real(f"{website.address}/cves", **options)

    monkeypatch.setattr(requests, "get", to_loopback)
    monkeypatch.setattr(importlib.import_module("nvdlib.get"), "time", SimpleNamespace(sleep=slept.append))
    return slept


def test_record(website: Any, pauses: list[float]) -> None:
    website.pages["/cves"] = answer(RECORD)
    record = look_up(" cve-2024-1000 ")
    assert (record.id, record.source, record.status, record.description) == (RECORD["id"], "nvd", "Deferred", "A pump.")
    assert website.asked == [("/cves", {"cveId": "CVE-2024-1000"})]
    assert "apikey" not in website.headers[0]
    assert pauses == [6]


def test_key_shortens_the_pause(website: Any, pauses: list[float]) -> None:
    website.pages["/cves"] = answer(RECORD)
    look_up("CVE-2024-1000", "planted-key")
    assert website.headers[0]["apikey"] == "planted-key"
    assert pauses == [0.6]


def test_name_is_checked_before_anybody_is_asked(website: Any, pauses: list[float]) -> None:
    with pytest.raises(ConfigError, match="not a CVE id"):
        look_up("CVE-2024-1&keywordSearch=x")
    assert not website.asked


@pytest.mark.parametrize(
    ("page", "kind", "words"),
    [
        (answer(), RemoteError, "no record CVE-2024-1000"),
        ((404, {"message": "Invalid apiKey."}, b""), RemoteError, "does not know the API key"),
        ((404, {"message": "Invalid cveId."}, b""), RemoteError, "Invalid cveId"),
        ((403, {}, b"slow down"), TransientError, "HTTP 403"),
        ((503, {}, b""), TransientError, "HTTP 503"),
        (b'{"message": "No."}', RemoteError, "NVD says: No."),
        (b"<html>", MeddojoError, "no record|no CVE record"),
        (b"[1]", InputError, "no CVE record"),
        (b'{"totalResults": 1}', InputError, "no CVE record"),
        (answer({**RECORD, "id": "CVE-2024-1001"}), InputError, "CVE-2024-1001 was sent"),
        (answer({**RECORD, "published": "soon"}), InputError, "/published"),
        (answer(3), InputError, "a number"),
    ],
)
def test_trouble_is_told(page: Any, kind: type[MeddojoError], words: str, website: Any, pauses: list[float]) -> None:
    website.pages["/cves"] = page
    with pytest.raises(kind, match=words) as caught:
        look_up("CVE-2024-1000", "planted-key")
    assert "planted-key" not in str(caught.value)


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **options: Any) -> Any:
        assert options["proxies"] == {"http": "http://proxy:1", "https": "http://proxy:1"}
        raise requests.ConnectionError("planted-key")

    monkeypatch.setattr(requests, "get", refused)
    with pytest.raises(TransientError, match=r"could not be reached \(ConnectionError\)"):
        look_up("CVE-2024-1000", "planted-key", "http://proxy:1")
