"""``meddojo train vuln-classifier``: from the table to a folder with a model, its manifest and its card."""

from __future__ import annotations

import time
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from meddojo.errors import ConfigError
from scheduler.console import Console

_EPSS = "epss_*.parquet"


def train(data: Path, out: Path, advisories: Path, seed: int, measure: bool, console: Console) -> None:
    """Train, measure and write.

    Raises
    ------
    ConfigError
        If the libraries for training are not installed.
    InputError
        If the data cannot be read.
    """
    missing = [name for name in ("pyarrow", "sklearn") if find_spec(name) is None]
    if missing:
        raise ConfigError(f"training needs {' and '.join(missing)}", "install them: pip install 'meddojo[train]'")
    from analyzers.vuln_classifier.advisories import read_advisory_cves
    from analyzers.vuln_classifier.artefacts import LARGEST, save
    from analyzers.vuln_classifier.card import card, markdown
    from analyzers.vuln_classifier.drift import reference_of
    from analyzers.vuln_classifier.experiment import Table, experiment
    from analyzers.vuln_classifier.labels import read_examples, read_scores
    from analyzers.vuln_classifier.recipe import train_shipped
    from analyzers.vuln_classifier.split import standard_split

    begun = time.monotonic()

    def step(name: str) -> None:
        console.say(f"{time.monotonic() - begun:6.0f} s  {name}")

    step(f"reading {data.name}")
    examples = read_examples(data)
    cves = read_advisory_cves(advisories)
    if cves is None:
        console.warn(f"no archives of CISA's advisories in {advisories}: medical relevance is not learned")
    split = None
    drift: dict[str, object] = {}
    if measure:
        step("models of the split by time")
        split = standard_split(examples, seed, step)
        drift = reference_of(split.trained.stage.features, split.test.records)
    step("the models to ship, on all data")
    classifier = train_shipped(examples, cves, seed, step)
    about = {
        "data": f"{len(examples):,} records published {examples[0].published} to {examples[-1].published}",
        "rated": f"{sum(len(example.ratings) for example in examples):,} ratings",
        "seed": seed,
        "trained with": ", ".join(f"{name} {version(name)}" for name in ("xgboost-cpu", "scikit-learn", "numpy")),
    }
    size = save(classifier, out, {**about, "drift": drift})
    step(f"wrote {size / 1e6:.1f} MB to {out}")
    if size > LARGEST:
        console.warn(f"that is more than the {LARGEST / 1e6:.0f} MB a shipped model may have")
    tables: list[Table] = []
    if split is not None:
        epss = next(iter(sorted(data.parent.glob(_EPSS))), None)
        for table in experiment(examples, split, cves, read_scores(epss) if epss else {}, seed, step):
            tables.append(table)
            console.say(markdown(table))
    (out / "MODEL_CARD.md").write_text(card({"version": classifier.version, **about}, tables), "utf-8")
    step("wrote the model card")
