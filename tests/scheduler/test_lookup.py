from __future__ import annotations

import json

import pytest

from connectors.feeds.nvd import lookup as nvd_lookup
from meddojo.vulnerability import Vulnerability
from tests.scheduler.conftest import Hospital


def test_what_the_store_holds_is_told_without_network(whole: Hospital) -> None:
    done = whole.cli("lookup", "cve-2019-0708")
    assert done.code == 0
    assert "CVE-2019-0708 (nvd" in done.stdout
    assert "known exploited since" in done.stdout
    assert "EPSS" in done.stdout


def test_nvd_is_asked_for_what_the_store_lacks(whole: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def answer(name: str, api_key: str, proxy: str) -> Vulnerability:
        asked.append((name, api_key))
        return Vulnerability(name, "nvd", description="from afar")

    monkeypatch.setattr(nvd_lookup, "look_up", answer)
    monkeypatch.setenv("MEDDOJO_FEEDS__NVD__API_KEY", "our-key")
    done = whole.cli("lookup", "CVE-1999-0001", "--json")
    assert json.loads(done.stdout)["description"] == "from afar"
    assert asked == [("CVE-1999-0001", "our-key")]


def test_what_is_no_cve_id_is_refused(whole: Hospital) -> None:
    done = whole.cli("lookup", "log4shell")
    assert done.code == 2
    assert "is not a CVE id" in done.stderr
