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
from pathlib import Path

from analyzers.vuln_classifier.advisories import not_medical, read_advisory_cves
from analyzers.vuln_classifier.artefacts import shipped, shipped_folder
from analyzers.vuln_classifier.card import markdown
from analyzers.vuln_classifier.experiment import experiment
from analyzers.vuln_classifier.heads import MEDICAL
from analyzers.vuln_classifier.labels import Example, read_examples, read_scores
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
done = time.perf_counter()
print(f"{loaded - begun:.2f} s to load, {done - loaded:.2f} s to score, {done - begun:.2f} s together;"
      f" {time.process_time():.2f} s of processor time with the interpreter's start")
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
    taken_for_medical(examples)
    if arguments.speed_only:
        return
    begun = time.perf_counter()
    epss = read_scores(next(iter(sorted(arguments.data.glob("epss_*.parquet")))))
    advisories = read_advisory_cves(arguments.data)
    split = standard_split(examples, arguments.seed, lambda _: None)
    for table in experiment(examples, split, advisories, epss, arguments.seed, lambda _: None):
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
    size = sum(len(file.read_bytes()) for file in shipped_folder().iterdir())
    done = subprocess.run(
        [sys.executable, "-c", SCORING], input=json.dumps(rows), text=True, capture_output=True, check=True
    )
    print(f"shipped model: {size / 1e6:.1f} MB; {len(rows):,} CVEs in a fresh interpreter: {done.stdout.strip()}")


def taken_for_medical(examples: list[Example]) -> None:
    """The shipped model on CVEs that were read by hand and kept out of its training."""
    classifier = shipped()
    assert classifier is not None
    read = [each.record for each in examples if each.cve in not_medical()]
    told = int((classifier.predict_points(read)[MEDICAL][:, 1] >= 0.5).sum())
    print(f"of {len(read)} CVEs read by hand that are not medical, {told} are taken for medical")


if __name__ == "__main__":
    main()
