"""A full NVD synchronisation into a store, killed ten times: nothing is lost, nothing doubled, little read twice."""

from __future__ import annotations

import multiprocessing
import random
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from meddojo.store import Store
from tests.connectors.feeds.nvd_server import SyntheticNvd, cve, pull_into, serving

FIRST_RECORD = "2003-12"
ROWS = {
    "vulnerability": "SELECT source, id, digest FROM vulnerability ORDER BY 1, 2",
    "product_key": "SELECT kind, scope, id, key FROM product_key ORDER BY 1, 2, 3, 4",
}


@pytest.mark.parametrize(
    ("records", "page_size", "kills"),
    [(20_000, 500, 10), pytest.param(340_000, 2000, 10, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])],
)
def test_killed_and_resumed(records: int, page_size: int, kills: int, tmp_path: Path) -> None:
    nvd = SyntheticNvd(records, lean=records < 100_000)
    killed, straight = (f"sqlite:///{tmp_path / name}" for name in ("killed.db", "straight.db"))
    with serving(nvd):
        assert pull(nvd, straight, page_size, None) == 0
        needed = len(nvd.queries)
        dice = random.Random(7)
        each = sum(query["lastModStartDate"] > FIRST_RECORD for query in nvd.queries) // (kills + 1)
        codes = [pull(nvd, killed, page_size, (dice.randint(2, each), dice.uniform(0.0, 0.3))) for _ in range(kills)]
        assert codes == [-9] * kills
        with Store(killed) as store:
            assert 0 < store.records.states()[0].records < records
        assert pull(nvd, killed, page_size, None) == 0
        again = len(nvd.queries) - 2 * needed
    assert contents(killed) == contents(straight)
    assert [row[1] for row in contents(killed)["vulnerability"]] == sorted(cve(number) for number in range(records))
    empty = sum(query["lastModStartDate"] < FIRST_RECORD for query in nvd.queries)
    assert again <= empty + 3 * kills, "each kill costs the page under way, and the split that found it"


@pytest.mark.parametrize("records", [3000, pytest.param(340_000, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])])
def test_a_day_after(records: int, tmp_path: Path) -> None:
    nvd = SyntheticNvd(records)
    store_url = f"sqlite:///{tmp_path / 'nvd.db'}"
    with serving(nvd):
        assert pull(nvd, store_url, 2000, None) == 0
        asked = len(nvd.queries)
        changed = random.Random(3).sample(range(records), min(1500, records // 2))
        for number in changed:
            nvd.change(number, datetime.now(UTC) - timedelta(seconds=60 + number % 60))
        assert pull(nvd, store_url, 2000, None) == 0
        assert len(nvd.queries) - asked <= 9, "the windows since NOW of the server, and a page more"
    with Store(store_url) as store:
        assert store.records.states()[0].records == records
        found = store.records.vulnerabilities_called([cve(number) for number in changed])
    modified = {cve(number): nvd.modified(number) for number in changed}
    assert len(found) == len(changed)
    assert all(abs(each.modified - modified[each.id]) < timedelta(seconds=1) for each in found if each.modified)


def pull(nvd: SyntheticNvd, store_url: str, page_size: int, death: tuple[int, float] | None) -> int | None:
    """The exit code of one synchronisation, killed so many seconds after so many requests that have records."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["scheduler.intake", "connectors.feeds.nvd", "requests", "sqlalchemy"])
    process = context.Process(target=pull_into, args=(store_url, nvd.url, page_size))
    asked = 0

    def count(_: int) -> None:
        nonlocal asked
        asked += nvd.queries[-1]["lastModStartDate"] > FIRST_RECORD
        if death and asked == death[0]:
            threading.Timer(death[1], process.kill).start()

    nvd.before_answer = count
    process.start()
    process.join()
    nvd.before_answer = lambda number: None
    return process.exitcode


def contents(store_url: str) -> dict[str, list[tuple[str, ...]]]:
    """All rows that the feed wrote."""
    engine = create_engine(store_url)
    with engine.connect() as connection:
        rows = {name: [tuple(row) for row in connection.execute(text(query))] for name, query in ROWS.items()}
    engine.dispose()
    return rows
