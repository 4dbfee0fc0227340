"""The vulnerability classifier beside what it has to beat, all trained in this run, and how fast the shipped one is.

Split by time: trained before 2023-07-01, calibrated to 2023-12-31, measured on the first half of 2024; the
alternatives are the most frequent class, TF-IDF with logistic SGD, the agreement of two human scorers, and EPSS.

    python benchmarks/vuln_classifier.py --data ../shared/data
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path

from analyzers.vuln_classifier.artefacts import shipped_folder
from analyzers.vuln_classifier.card import markdown
from analyzers.vuln_classifier.experiment import experiment
from analyzers.vuln_classifier.labels import Example, read_examples, read_scores
from analyzers.vuln_classifier.medical_data import read_medical_sources
from analyzers.vuln_classifier.medical_measure import medical_tables
from analyzers.vuln_classifier.split import standard_split

TABLE = "cve_dev.parquet"
SCORING = """
import json, sys, time
begun = time.perf_counter()
from analyzers.vuln_classifier.artefacts import shipped
from analyzers.vuln_classifier.record import PublishedRecord, Scorer
records = [PublishedRecord(**row) for row in json.load(sys.stdin)]
classifier = shipped()
loaded = time.perf_counter()
classifier.predict_cvss(records, [Scorer.ASSIGNER] * len(records))
scored = time.perf_counter()
from analyzers.vuln_classifier.filling import predictions
told = list(predictions(classifier, records, [True] * len(records)))
done = time.perf_counter()
print(f"{loaded - begun:.2f} s to load, {scored - loaded:.2f} s to score, {scored - begun:.2f} s together;"
      f" {done - scored:.2f} s more for {len(told):,} whole predictions: two scorers, weakness, SSVC, KEV, medicine,"
      " and the words that moved them")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the real data")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed-only", action="store_true", help="measure the shipped model's speed alone")
    arguments = parser.parse_args()
    if not (arguments.data / TABLE).exists():
        print(f"{arguments.data / TABLE} is missing: nothing measured")
        return
    examples = read_examples(arguments.data / TABLE)
    speed(examples)
    if arguments.speed_only:
        return
    begun = time.perf_counter()
    epss = read_scores(next(iter(sorted(arguments.data.glob("epss_*.parquet")))))
    sources = read_medical_sources(arguments.data)
    split = standard_split(examples, arguments.seed, lambda _: None)
    for table in experiment(examples, split, epss, arguments.seed, lambda _: None):
        print(markdown(table), flush=True)
    if sources is not None:
        for table in medical_tables(examples, sources, arguments.seed, lambda _: None):
            print(markdown(table), flush=True)
    print(f"trained and measured in {time.perf_counter() - begun:,.0f} s")


def speed(examples: list[Example]) -> None:
    """A fresh interpreter, as in a scheduled job."""
    import json

    rows = [
        {
            "description": each.record.description,
            "assigner": each.record.assigner,
            "vendor": each.record.vendor,
            "product": each.record.product,
        }
        for each in examples[-1000:]
    ]
    size = sum(len(file.read_bytes()) for file in model_files(shipped_folder()))
    done = subprocess.run(
        [sys.executable, "-c", SCORING], input=json.dumps(rows), text=True, capture_output=True, check=True
    )
    print(f"shipped model: {size / 1e6:.1f} MB; {len(rows):,} CVEs in a fresh interpreter: {done.stdout.strip()}")


def model_files(folder: Traversable) -> Iterator[Traversable]:
    """Every file below it."""
    for each in folder.iterdir():
        yield from model_files(each) if each.is_dir() else (each,)


if __name__ == "__main__":
    main()
