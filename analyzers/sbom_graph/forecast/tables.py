"""The tables of the model card."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise

import numpy as np

from analyzers.sbom_graph.forecast.experiment import Fitted, Selection
from analyzers.sbom_graph.forecast.features import ALL
from analyzers.sbom_graph.forecast.figures import average_precision, difference, interval, mean, precision_at_top
from analyzers.sbom_graph.forecast.graph import Floats, Integers
from analyzers.sbom_graph.forecast.snapshot import Snapshot

_SAMPLES_READ = (
    ("joined", "joins", "right", "wrong"),
    ("apart", "records not joined", "none", "missed"),
    ("described", "joins by the description alone, gained later", "right", "wrong"),
)
"""Sample in ``joins_read.tsv``, what it is, and its two verdicts."""
_SEVERAL = 4
_MANY = 10
_BANDS = (0.0, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the model card; `note` says what to keep in mind."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def markdown(table: Table) -> str:
    """The table with its title and note."""
    rows = [table.columns, tuple("---" for _ in table.columns), *table.rows]
    body = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    return f"## {table.title}\n\n{body}\n" + (f"\n{table.note}\n" if table.note else "")


def comparison(models: Sequence[Fitted], reference: str, test: Snapshot, seed: int) -> Table:
    """Every model on all components of the later year."""
    everybody = np.ones(len(test.labels), dtype=np.bool_)
    return _compared("All components of the later year", models, reference, test, everybody, seed)


def without_history(models: Sequence[Fitted], reference: str, test: Snapshot, seed: int) -> Table:
    """Every model on components without a CVE before the day: their own history says nothing."""
    return _compared("Components without a CVE in the past", models, reference, test, test.past() == 0, seed)


def _compared(
    title: str, models: Sequence[Fitted], reference: str, test: Snapshot, rows: Selection, seed: int
) -> Table:
    truth = test.labels[rows]
    rankings = {each.name: each.rankings(test, rows) for each in models}
    found = []
    for name, mine in rankings.items():
        spread = np.std([average_precision(one) for one in mine])
        over = "" if name == reference else str(difference(average_precision, mine, rankings[reference], seed))
        found.append(
            (
                name,
                str(interval(average_precision, mine, seed)),
                f"{spread:.3f}" if len(mine) > 1 else "",
                str(interval(precision_at_top, mine, seed)),
                over,
            )
        )
    return Table(
        title,
        ("", "average precision", "deviation of seeds", "precision at 100", f"average precision over {reference}"),
        tuple(found),
        f"{len(truth):,} components, {int(truth.sum())} of them with a CVE in the year ({truth.mean():.2%}, which is "
        "the average precision of chance). In brackets the 95 % interval of a bootstrap over components and seeds.",
    )


def groups(models: Sequence[Fitted], test: Snapshot) -> Table:
    """Where which model finds more: by own history, by dependents, by what stands around."""
    past, dependents = test.past(), np.expm1(test.inputs[:, ALL.index("dependents")]).round()
    around = test.inputs[:, ALL.index("dependents: highest CVEs ever")] > 0
    chosen: Mapping[str, Selection] = {
        "no CVE in the past": past == 0,
        "1 to 3": (past > 0) & (past < _SEVERAL),
        f"{_SEVERAL} or more": past >= _SEVERAL,
        "no dependents": dependents == 0,
        "1 to 9 dependents": (dependents > 0) & (dependents < _MANY),
        f"{_MANY} or more dependents": dependents >= _MANY,
        "no past CVE, but a dependent has one": (past == 0) & around,
        "no past CVE, and no dependent has one": (past == 0) & ~around,
    }
    found = []
    for title, rows in chosen.items():
        truth = test.labels[rows]
        means = [mean(average_precision, each.rankings(test, rows)) for each in models]
        found.append((title, f"{len(truth):,}", f"{truth.sum()}", f"{truth.mean():.4f}", *(f"{m:.4f}" for m in means)))
    return Table(
        "Where the graph helps: average precision by group",
        ("", "components", "with a CVE", "chance", *(each.name for each in models)),
        tuple(found),
    )


def parts(models: Sequence[Fitted], graphs: Sequence[Snapshot]) -> Table:
    """The models on graphs as small as an SBOM's, with features measured inside them."""
    fresh = [part for part in graphs if part.labels[part.past() == 0].any()]
    found = []
    for each in models:
        inside = np.mean([mean(average_precision, each.rankings(part)) for part in graphs])
        new = np.mean([mean(average_precision, each.rankings(part, part.past() == 0)) for part in fresh])
        found.append((each.name, f"{inside:.3f}", f"{new:.3f}"))
    sizes = [len(each.graph) for each in graphs]
    share = np.mean([each.labels.mean() for each in graphs])
    return Table(
        "Graphs as small as an SBOM's",
        ("", "mean average precision", "the same among components without a past CVE"),
        tuple(found),
        f"{len(graphs)} packages of the later release that nobody needs, each with all that is installed with it and "
        f"at least one CVE among that: {min(sizes)} to {max(sizes)} components, half of them up to "
        f"{np.median(sizes):.0f}, {share:.1%} with a CVE in the year; the last column is of the {len(fresh)} with a "
        "CVE of a component that had none. Position and neighbours are measured inside the part, as in an SBOM. The "
        "parts overlap, so no interval is given.",
    )


def calibration(probabilities: Floats, truth: Integers) -> Table:
    """Probabilities told against what came."""
    rows = []
    for low, high in pairwise(_BANDS):
        inside = (probabilities >= low) & (probabilities < high)
        if inside.any():
            told, came = probabilities[inside].mean(), truth[inside].mean()
            rows.append((f"{low:.1%} to {high:.1%}", f"{int(inside.sum()):,}", f"{told:.2%}", f"{came:.2%}"))
    return Table(
        "Probabilities told and what came",
        ("probability", "components", "told on average", "had a CVE"),
        tuple(rows),
        f"In all {probabilities.sum():.0f} components with a CVE were told, {int(truth.sum())} came.",
    )


def choices(models: Iterable[Fitted]) -> Table:
    """What the training year chose."""
    rows = tuple((each.name, ", ".join(f"{name} {value}" for name, value in each.chosen.items())) for each in models)
    return Table("Settings chosen within the training year", ("", "settings"), tuple(row for row in rows if row[1]))


def joins_read() -> Table:
    """What was read by hand of the joins between CVE records and packages."""
    text = files(__package__).joinpath("joins_read.tsv").read_text("utf-8")
    verdicts = Counter((row["sample"], row["verdict"]) for row in csv.DictReader(text.splitlines(), delimiter="\t"))
    rows = []
    for sample, what, good, bad in _SAMPLES_READ:
        found, whole = verdicts[sample, bad], verdicts[sample, bad] + verdicts[sample, good]
        rows.append((what, f"{whole}", bad, f"{found}", _share(found, whole)))
    return Table(
        "Joins read by hand",
        ("", "read", "of them", "number", "share, 95 % interval"),
        tuple(rows),
        "The first are each of another component and its year's labels. The records that were not joined have a "
        "package's name in their first words or as their product, which most records have not. The last are of joins "
        "gained when the reading of descriptions was put right after the first two were read; no rule was changed "
        "after them. What the rates mean for the labels is in `docs/sbom-forecast.md`.",
    )


def _share(part: int, whole: int) -> str:
    """With Wilson's interval (1927)."""
    z, rate = 1.96, part / whole
    middle = (rate + z * z / (2 * whole)) / (1 + z * z / whole)
    around = z * math.sqrt(rate * (1 - rate) / whole + z * z / (4 * whole * whole)) / (1 + z * z / whole)
    return f"{rate:.1%} ({middle - around:.1%} to {middle + around:.1%})"
