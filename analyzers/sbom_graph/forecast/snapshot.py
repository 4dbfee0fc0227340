"""A labelled graph: what was known on a day of the packages of a release, and what came in the year after."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from analyzers.sbom_graph.forecast.debian import SourcePackage, read_installations, read_release
from analyzers.sbom_graph.forecast.features import matrix
from analyzers.sbom_graph.forecast.graph import Floats, Graph, Integers
from analyzers.sbom_graph.forecast.history import NONE, History
from analyzers.sbom_graph.forecast.joining import Joiner
from analyzers.sbom_graph.forecast.wording import Product
from meddojo.errors import InputError

RELEASES = {"train": ("bullseye", date(2022, 6, 30)), "test": ("bookworm", date(2023, 6, 30))}
"""The release that was stable on the day, and the day; labels are of the 365 days after it."""
HORIZON_DAYS = 365
PARTS = 300
PART_SIZES = (20, 1_000)
"""Small graphs to measure on, and the components they may have."""
_COLUMNS = ("cve", "published", "vendor", "product", "description", "cna")


@dataclass(frozen=True, slots=True)
class Record:
    """A CVE record.

    Attributes
    ----------
    published
        None when the table does not say.
    year
        Of the CVE id.
    """

    cve: str
    published: date | None
    year: int
    product: Product


@dataclass(frozen=True)
class Snapshot:
    """One row a component.

    Attributes
    ----------
    inputs
        Shape (n, features), see `features.ALL`.
    labels
        1 where a CVE was published in the year after; shape (n,).
    histories
        What was known.
    """

    day: date
    graph: Graph
    histories: tuple[History, ...]
    inputs: Floats
    labels: Integers

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the components."""
        return self.graph.refs

    def past(self) -> Integers:
        """Number of CVEs known of each."""
        return np.array([each.total for each in self.histories])


def read_records(path: Path) -> tuple[Record, ...]:
    """Read the table of CVE records.

    Raises
    ------
    InputError
        If the file cannot be read or lacks a column.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path, columns=list(_COLUMNS))
    except (OSError, pyarrow.ArrowException) as error:
        raise InputError(str(path), "", f"is no table of CVE records: {error}", "name one with --data") from error
    return tuple(_record(row) for batch in table.to_batches(max_chunksize=10_000) for row in batch.to_pylist())


def read_snapshot(folder: Path, release: str, day: date, records: Sequence[Record]) -> Snapshot:
    """Join a release to the records.

    Raises
    ------
    InputError
        If an index of the release cannot be read.
    """
    packages = read_release(folder / release)
    joined = joins(packages, records)
    histories = [_known(joined.get(package.name, ()), day) for package in packages]
    labels = np.array([any(_is_label(each, day) for each in joined.get(package.name, ())) for package in packages])
    graph = graph_of(packages)
    return Snapshot(day, graph, tuple(histories), matrix(graph, graph.refs, histories), labels.astype(np.int64))


def read_parts(folder: Path, release: str, whole: Snapshot) -> list[Snapshot]:
    """Graphs as small as an SBOM's: packages that nobody needs with all that is installed with them.

    Features are measured inside the part. Parts without a label are left out, there is nothing to find in them.

    Raises
    ------
    InputError
        If the index of the release cannot be read.
    """
    place = {name: number for number, name in enumerate(whole.names)}
    found: list[Snapshot] = []
    for packages in read_installations(folder / release, seed=0):
        graph = graph_of([package for package in packages if package.name in place])
        rows = [place[name] for name in graph.refs]
        if PART_SIZES[0] <= len(rows) <= PART_SIZES[1] and whole.labels[rows].any():
            histories = tuple(whole.histories[row] for row in rows)
            found.append(
                Snapshot(whole.day, graph, histories, matrix(graph, graph.refs, histories), whole.labels[rows])
            )
        if len(found) == PARTS:
            break
    return found


def graph_of(packages: Sequence[SourcePackage]) -> Graph:
    """The dependency graph of a release."""
    edges = ((package.name, need) for package in packages for need in package.needs)
    return Graph.of([package.name for package in packages], edges)


def joins(packages: Sequence[SourcePackage], records: Sequence[Record]) -> Mapping[str, list[Record]]:
    """Records of each source package that has any."""
    joiner = Joiner(packages, (record.product for record in records))
    found: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        for join in joiner.join(record.product):
            found[join.source].append(record)
    return found


def _known(records: Iterable[Record], day: date) -> History:
    """History on the day; a record without a day counts from the second year after its id's on, when it was out."""
    mine = list(records)
    undated = sum(record.published is None and record.year <= day.year - 2 for record in mine)
    return History.of(_days(mine), day, undated) if mine else NONE


def _is_label(record: Record, day: date) -> bool:
    return record.published is not None and 0 < (record.published - day).days <= HORIZON_DAYS


def _days(records: Iterable[Record]) -> Iterator[date]:
    return (record.published for record in records if record.published is not None)


def _record(row: Mapping[str, Any]) -> Record:
    published = date.fromisoformat(row["published"][:10]) if row["published"] else None
    product = Product(row["vendor"] or "", row["product"] or "", row["description"] or "", row["cna"] or "")
    return Record(row["cve"], published, int(row["cve"].split("-")[1]), product)
