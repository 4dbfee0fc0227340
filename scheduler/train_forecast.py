"""``meddojo train sbom-forecast``: from Debian's indices and the table of CVE records to a model with its card."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meddojo.errors import ConfigError
from scheduler.console import Console

if TYPE_CHECKING:
    from analyzers.sbom_graph.forecast.graph import Floats, Graph, Integers

_NEEDED = {"pyarrow": "train", "sklearn": "train", "tf_keras": "imaging"}
"""Module: extra it comes with."""


def train(packages: Path, data: Path, out: Path, console: Console) -> None:
    """Compare, choose, train, and write the model, its manifest and its card.

    Raises
    ------
    ConfigError
        If the libraries for training are not installed.
    InputError
        If an index or the table cannot be read.
    """
    missing = {extra for name, extra in _NEEDED.items() if find_spec(name) is None}
    if missing:
        extras = ",".join(sorted(missing))
        raise ConfigError(
            "training needs libraries that are not here", f"install them: pip install 'meddojo[{extras}]'"
        )
    from analyzers.sbom_graph.forecast.artefacts import LARGEST, save
    from analyzers.sbom_graph.forecast.card import card
    from analyzers.sbom_graph.forecast.snapshot import RELEASES, read_parts, read_records, read_snapshot
    from analyzers.sbom_graph.forecast.tables import markdown
    from analyzers.sbom_graph.forecast.training import best, compare, measured, shipped

    begun = time.monotonic()

    def step(name: str) -> None:
        console.say(f"{time.monotonic() - begun:6.0f} s  {name}")

    step(f"reading {data.name}")
    records = read_records(data)
    snapshots = []
    for release, day in RELEASES.values():
        step(f"joining {release}")
        snapshots.append(read_snapshot(packages, release, day, records))
    year, later = snapshots
    parts = read_parts(packages, RELEASES["test"][0], later)
    comparison = compare(year, fit_network, step)
    winner = best(comparison, later)
    step(f"best on the later year: {winner.name}")
    tables = []
    for table in measured(comparison, winner, year, later, parts):
        tables.append(table)
        console.say(markdown(table))
    step("the model to ship, on both years")
    about: dict[str, Any] = {
        "model": f"{winner.name}, {len(winner.models)} of different seeds",
        "data": ", ".join(
            f"{len(each.names):,} source packages of {release} with {each.graph.needs.nnz:,} dependencies on {each.day}"
            f" ({(each.past() > 0).sum():,} with a CVE in the past, {each.labels.sum()} with one in the year after)"
            for each, (release, _) in zip(snapshots, RELEASES.values(), strict=True)
        ),
        "records": f"{len(records):,}, of which {sum(each.published is None for each in records):,} without a day",
        "trained with": ", ".join(
            f"{name} {version(name)}" for name in ("xgboost-cpu", "scikit-learn", "tf-keras", "numpy")
        ),
    }
    size = save(shipped(winner, year, later), out, about)
    step(f"wrote {size / 1e6:.2f} MB to {out}")
    if size > LARGEST:
        console.warn(f"that is more than the {LARGEST / 1e6:.0f} MB a shipped model may have")
    (out / "MODEL_CARD.md").write_text(card(about, tables), "utf-8")
    step("wrote the model card")


def fit_network(
    graph: Graph, inputs: Floats, labels: Integers, counted: Floats, settings: Mapping[str, Any], seed: int
) -> Sequence[Floats]:
    """GraphSAGE by tf_keras, for `analyzers.sbom_graph.forecast.models.FitNetwork`."""
    from imaging.graph_sage import Settings
    from imaging.graph_sage import train as train_network

    return train_network(graph.means, inputs, labels.astype("float32"), counted, Settings(**settings), seed)
