"""The table of a benchmark, and what it says about the bounds a compressed network is held to."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from imaging.compression.benchmark import Benchmark, Row
from imaging.compression.compress import (
    AWARE,
    FLOAT,
    FLOAT_WEIGHTS,
    INT8,
    PRUNED,
    PRUNED_AWARE,
    PRUNED_INT8,
)

SMALLER, SMALLER_PACKED, DICE_LOST, FASTER, ZEROS = 4.0, 9.0, 0.01, 2.0, 0.5
"""Bounds: how many times smaller and faster, how much Dice may be lost, share of zeros after pruning."""

_LITE = (FLOAT, INT8, AWARE, PRUNED, PRUNED_INT8, PRUNED_AWARE)
_EIGHT_BITS = (INT8, AWARE, PRUNED_INT8, PRUNED_AWARE)
_PRUNED_EIGHT_BITS = (PRUNED_INT8, PRUNED_AWARE)


@dataclass(frozen=True, slots=True)
class Claim:
    """A figure beside its bound.

    Attributes
    ----------
    text
        What is compared with what; both files are named.
    """

    folder: str
    text: str
    value: float
    bound: float
    met: bool

    def __str__(self) -> str:
        """A line for a person."""
        return f"{'met    ' if self.met else 'not met'}  {self.text}: {self.value:.4g} (bound {self.bound:g})"


def claims(found: Benchmark) -> Iterator[Claim]:
    """Compare the files of each folder with its float ones."""
    for folder in found.cases:
        yield from _claims({row.file: row for row in found.rows if row.folder == folder})


def columns(found: Benchmark) -> Mapping[str, Callable[[Row], str]]:
    """Title and text of each column."""
    threads = sorted({each.threads for row in found.rows for each in row.latencies})
    given: dict[str, Callable[[Row], str]] = {
        "network": lambda row: row.network,
        "file": lambda row: row.file,
        "KB": lambda row: f"{row.size_bytes / 1000:.1f}",
        "KB gzip": lambda row: f"{row.gzip_bytes / 1000:.1f}",
        "zeros": lambda row: f"{row.zero_share:.1%}",
        "Dice": lambda row: _number(row.mean_dice, 4),
        "worst": lambda row: _number(min(row.dice, default=None), 3),
        "ECE near": lambda row: _number(row.near_ece, 4),
        "max diff": lambda row: _number(row.largest_difference, 4),
        "mean diff": lambda row: _number(row.mean_difference, 6),
    }
    for count in threads:
        given[f"ms, {count} thr"] = _time_of(count)
    return MappingProxyType(given)


def table(found: Benchmark) -> Iterator[str]:
    """Lines for a person."""
    lines = _cells(found)
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    for line in lines:
        texts = (
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        yield "  ".join(texts).rstrip()


def markdown(found: Benchmark) -> str:
    """The table in Markdown."""
    head, *body = _cells(found)
    rule = ["---", "---", *("---:" for _ in head[2:])]
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, rule, *body))


def comma_separated(found: Benchmark) -> str:
    """The table as CSV, numbers unrounded."""
    threads = sorted({each.threads for row in found.rows for each in row.latencies})
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    names = "folder network file size_bytes gzip_bytes zero_share mean_dice worst_dice near_ece".split()
    names += "largest_difference mean_difference".split()
    writer.writerow([*names, *(f"{part}_{count}" for count in threads for part in ("median_ms", "p95_ms"))])
    for row in found.rows:
        values = row.as_dict()
        times = {each.threads: each for each in row.latencies}
        writer.writerow(
            [values[name] for name in names]
            + [getattr(times[count], part) if times else None for count in threads for part in ("median_ms", "p95_ms")]
        )
    return buffer.getvalue()


def _claims(rows: Mapping[str, Row]) -> Iterator[Claim]:
    weights, plain = rows[FLOAT_WEIGHTS], rows[FLOAT]

    def at_least(text: str, value: float, bound: float) -> Claim:
        return Claim(weights.folder, text, value, bound, value >= bound)

    for row in (rows[name] for name in (PRUNED, *_PRUNED_EIGHT_BITS) if name in rows):
        yield at_least(f"share of zeros in {row.file}", row.zero_share, ZEROS)
    for row in (rows[name] for name in _EIGHT_BITS if name in rows):
        yield at_least(
            f"{FLOAT_WEIGHTS} / {row.file}, bytes, times smaller", weights.size_bytes / row.size_bytes, SMALLER
        )
    for row in (rows[name] for name in _PRUNED_EIGHT_BITS if name in rows):
        yield at_least(
            f"{FLOAT_WEIGHTS} / {row.file} gzipped, bytes, times smaller",
            weights.size_bytes / row.gzip_bytes,
            SMALLER_PACKED,
        )
    # slices padded to a window differ a little from slices as they are: both losses are told
    for before in (weights, plain):
        for row in (rows[name] for name in _LITE if name in rows and name != before.file):
            if before.mean_dice is not None and row.mean_dice is not None:
                lost = before.mean_dice - row.mean_dice
                text = f"Dice lost, {before.file} to {row.file}"
                yield Claim(weights.folder, text, lost, DICE_LOST, lost <= DICE_LOST)
    for row in (rows[name] for name in _EIGHT_BITS if name in rows):
        for ours, theirs in zip(row.latencies, plain.latencies, strict=True):
            text = f"{FLOAT} / {row.file}, median time on {ours.threads} thread(s), times faster"
            yield at_least(text, theirs.median_ms / ours.median_ms, FASTER)


def _cells(found: Benchmark) -> list[list[str]]:
    wanted = columns(found)
    return [list(wanted), *([text(row) for text in wanted.values()] for row in found.rows)]


def _time_of(threads: int) -> Callable[[Row], str]:
    def text(row: Row) -> str:
        given = next((each for each in row.latencies if each.threads == threads), None)
        return "-" if given is None else f"{given.median_ms:.2f} (p95 {given.p95_ms:.2f})"

    return text


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
