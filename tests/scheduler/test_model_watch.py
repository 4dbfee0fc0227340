"""``meddojo status`` on the vulnerability classifier: silent, content, or alarmed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from meddojo.severity import CvssScore
from meddojo.store import Store
from meddojo.vulnerability import Vulnerability
from scheduler.model_watch import model_state

NOW = datetime(2026, 3, 1, tzinfo=UTC)
USUAL = (
    "A buffer overflow in the web server of the device lets a remote attacker execute arbitrary code via a crafted "
    "request, because the length of the input is not checked."
)
STRANGE = (
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich, behauptet die Meldung des Herstellers gestern."
)
CRITICAL = CvssScore("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8, "3.1", "nvd@nist.gov")
LOW = CvssScore("CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", 1.6, "3.1", "nvd@nist.gov")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path}/watch.db") as opened:
        yield opened


def fill(store: Store, text: str, *scores: CvssScore, number: int = 120) -> None:
    day = NOW - timedelta(days=1)
    records = [
        Vulnerability(f"CVE-2026-{1000 + each}", "nvd", f"{text} No. {each}", cvss=scores, published=day, modified=day)
        for each in range(number)
    ]
    store.records.commit("nvd", records, lambda _: set())


def test_few_records_say_nothing(store: Store) -> None:
    fill(store, STRANGE, number=10)
    assert model_state(store, NOW) == {}
    assert model_state(store, NOW + timedelta(days=90)) == {}


def test_usual_texts_and_ratings_raise_no_alarm(store: Store) -> None:
    fill(store, USUAL, CRITICAL)
    state = model_state(store, NOW)
    assert state["records"] == state["rated_since"] == state["bands_right"] == 120
    assert state["alarms"] == []


def test_texts_in_another_language_alarm(store: Store) -> None:
    fill(store, STRANGE)
    (alarm,) = model_state(store, NOW)["alarms"]
    assert "unlike those the vulnerability classifier was trained on" in alarm


def test_ratings_that_come_out_otherwise_alarm(store: Store) -> None:
    fill(store, USUAL, LOW)
    (alarm,) = model_state(store, NOW)["alarms"]
    assert "of 120 ratings published since it was trained, it has the band of 0 right" in alarm
