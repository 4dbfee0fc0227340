"""Thirty days of EPSS into an SQLite store: seconds a day, rows of history, size.

The first day is the real one of the data folder; on each further day, every percentile shifts a little, one probability
in ten drifts by about 5 % and one in five hundred jumps to between two and twenty times what it was.

    python benchmarks/epss_history.py --data ../shared/data --days 30
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from connectors.feeds.epss import build
from meddojo.config import FeedConfig
from meddojo.store import Store
from scheduler.console import Console
from scheduler.intake import take_in

FIRST = date(2024, 9, 1)
TABLE = "epss_2024-09-01.parquet"
Scores = dict[str, tuple[float, float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the real day")
    parser.add_argument("--days", type=int, default=30)
    arguments = parser.parse_args()
    if not (arguments.data / TABLE).exists():
        print(f"{arguments.data / TABLE} is missing: nothing measured")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Store(f"sqlite:///{folder}/epss.db") as store:
            for number, scores in enumerate(days(real_day(arguments.data), arguments.days)):
                table = folder / "epss.csv"
                write(table, FIRST + timedelta(days=number), scores)
                begun = time.perf_counter()
                pull(store, table)
                taken = time.perf_counter() - begun
                if number in (0, 1, 2, arguments.days - 1):
                    print(f"day {number + 1:2}: {taken:5.1f} s, {points(folder):,} points, {size(folder):,.1f} MB")
            begun = time.perf_counter()
            pull(store, table)
            print(f"the same day again: {time.perf_counter() - begun:.2f} s")
            begun = time.perf_counter()
            moved = store.records.epss(list(scores)[:5000], FIRST + timedelta(days=arguments.days))
            print(f"5,000 scores with their past: {time.perf_counter() - begun:.2f} s, ", end="")
            print(f"{sum(bool(each.movement) for each in moved.values())} moved")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


def real_day(data: Path) -> Scores:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(data / TABLE).to_pydict()
    cve, probability, percentile = (table[name] for name in ("cve", "epss", "percentile"))
    return dict(zip(cve, zip(probability, percentile, strict=True), strict=True))


def days(scores: Scores, number: int) -> Iterator[Scores]:
    generator = random.Random(1)
    for _ in range(number):
        yield scores
        scores = {cve: later(generator, *score) for cve, score in scores.items()}


def later(generator: random.Random, probability: float, percentile: float) -> tuple[float, float]:
    chance = generator.random()
    if chance < 0.002:
        probability *= generator.uniform(2, 20)
    elif chance < 0.1:
        probability *= generator.lognormvariate(0, 0.05)
    return min(0.97, round(probability, 5)), min(1.0, max(0.0, percentile + generator.uniform(-1e-4, 1e-4)))


def write(path: Path, day: date, scores: Scores) -> None:
    with path.open("w", encoding="ascii") as handle:
        handle.write(f"#model_version:v2023.03.01,score_date:{day}T00:00:00+0000\ncve,epss,percentile\n")
        handle.writelines(f"{cve},{score[0]:.5f},{score[1]:.5f}\n" for cve, score in scores.items())


def pull(store: Store, table: Path) -> None:
    feed = build(FeedConfig(source=str(table)))
    take_in("epss", str(table), feed.update(store.records.cursor("epss")), store, Console(-1))


def points(folder: Path) -> int:
    from sqlalchemy import create_engine, func, select

    from meddojo.store import schema

    with create_engine(f"sqlite:///{folder}/epss.db").connect() as connection:
        return int(connection.execute(select(func.count()).select_from(schema.epss_point)).scalar_one())


def size(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.glob("epss.db*")) / 1e6


if __name__ == "__main__":
    main()
