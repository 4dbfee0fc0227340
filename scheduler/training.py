"""``meddojo train``: from the table to a folder with a model, its manifest and its card."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from meddojo.errors import ConfigError, InputError
from scheduler.console import Console

if TYPE_CHECKING:
    from analyzers.vuln_classifier.experiment import Table
    from analyzers.vuln_classifier.labels import Example
    from analyzers.vuln_classifier.medical_data import MedicalSources
    from analyzers.vuln_classifier.medicine import MedicalModel

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
    _check_libraries()
    from analyzers.vuln_classifier.artefacts import LARGEST, MEDICAL, save
    from analyzers.vuln_classifier.card import card, markdown
    from analyzers.vuln_classifier.drift import reference_of
    from analyzers.vuln_classifier.experiment import experiment
    from analyzers.vuln_classifier.labels import read_examples, read_scores
    from analyzers.vuln_classifier.medical_data import read_medical_sources
    from analyzers.vuln_classifier.recipe import train_shipped
    from analyzers.vuln_classifier.split import standard_split

    step = _steps(console)
    step(f"reading {data.name}")
    examples = read_examples(data)
    medical = read_medical_sources(advisories)
    if medical is None:
        console.warn(f"no archives of CISA's advisories and FDA's codes in {advisories}: medicine is not learned")
    split = None
    drift: dict[str, object] = {}
    if measure:
        step("models of the split by time")
        split = standard_split(examples, seed, step)
        drift = reference_of(split.trained.stage.features, split.test.records)
    step("the models to ship, on all data")
    classifier = train_shipped(examples, medical, seed, step)
    about = {**_about(examples, seed), "rated": f"{sum(len(example.ratings) for example in examples):,} ratings"}
    size = save(classifier, out, {**about, "drift": drift})
    step(f"wrote {size / 1e6:.1f} MB to {out}")
    if size > LARGEST:
        console.warn(f"that is more than the {LARGEST / 1e6:.0f} MB a shipped model may have")
    tables: list[Table] = []
    if split is not None:
        epss = next(iter(sorted(data.parent.glob(_EPSS))), None)
        for table in experiment(examples, split, read_scores(epss) if epss else {}, seed, step):
            tables.append(table)
            console.say(markdown(table))
    (out / "MODEL_CARD.md").write_text(card({"version": classifier.version, **about}, tables), "utf-8")
    step("wrote the model card")
    if classifier.medical is not None and medical is not None:
        _write_medical_card(examples, medical, classifier.medical, out / MEDICAL, seed, measure, console)


def train_medical(data: Path, out: Path, advisories: Path, seed: int, measure: bool, console: Console) -> None:
    """Train, measure and write the models of medicine alone.

    Raises
    ------
    ConfigError
        If the libraries for training are not installed.
    InputError
        If the data cannot be read, or holds too little.
    """
    _check_libraries()
    from analyzers.vuln_classifier import medical_recipe
    from analyzers.vuln_classifier.labels import read_examples
    from analyzers.vuln_classifier.medical_artefacts import save_medical
    from analyzers.vuln_classifier.medical_data import read_medical_sources

    step = _steps(console)
    step(f"reading {data.name}")
    examples = read_examples(data)
    sources = read_medical_sources(advisories)
    if sources is None:
        raise InputError(str(advisories), "", "lacks CISA's archives or FDA's codes", "name a folder with --advisories")
    end = examples[-1].published + timedelta(days=1)
    model = medical_recipe.train_medical(examples, sources, end, seed, step)
    if model is None:
        raise InputError(str(data), "", "holds too few medical records to train on", "use a larger table")
    size = save_medical(model, out, _about(examples, seed))
    step(f"wrote {size / 1e6:.2f} MB to {out}")
    _write_medical_card(examples, sources, model, out, seed, measure, console)


def _write_medical_card(
    examples: Sequence[Example],
    sources: MedicalSources,
    model: MedicalModel,
    out: Path,
    seed: int,
    measure: bool,
    console: Console,
) -> None:
    from analyzers.vuln_classifier.card import markdown, medical_card
    from analyzers.vuln_classifier.medical_measure import medical_tables

    tables: list[Table] = []
    if measure:
        for table in medical_tables(examples, sources, seed, console.say):
            tables.append(table)
            console.say(markdown(table))
    about = {"version": model.version, **_about(examples, seed)}
    (out / "MODEL_CARD.md").write_text(medical_card(about, tables), "utf-8")


def _check_libraries() -> None:
    missing = [name for name in ("pyarrow", "sklearn") if find_spec(name) is None]
    if missing:
        raise ConfigError(f"training needs {' and '.join(missing)}", "install them: pip install 'meddojo[train]'")


def _steps(console: Console) -> Callable[[str], None]:
    begun = time.monotonic()
    return lambda name: console.say(f"{time.monotonic() - begun:6.0f} s  {name}")


def _about(examples: Sequence[Example], seed: int) -> dict[str, object]:
    libraries = ("xgboost-cpu", "scikit-learn", "numpy")
    return {
        "data": f"{len(examples):,} records published {examples[0].published} to {examples[-1].published}",
        "seed": seed,
        "trained with": ", ".join(f"{name} {version(name)}" for name in libraries),
    }
