"""The inventory of devices: a TOML file kept by hand, or a CSV export of a maintenance system."""

from __future__ import annotations

import csv
import difflib
import io
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from connectors.inventory_columns import CHECKS, COLUMNS, FLAGS, LISTS, NAMES, PATHS, SYNONYMS
from connectors.inventory_ids import Row, identify
from connectors.reading import decode_text, read_bytes, skipped
from connectors.unpacking import MEBIBYTE
from meddojo.device import Device
from meddojo.errors import ConfigError, InputError
from meddojo.interface import Skipped

MAX_INVENTORY_BYTES = 64 * MEBIBYTE
MAX_VALUE_LENGTH = 500

_DELIMITERS = (",", ";", "\t")
_HEAD_CHARACTERS = 64 * 1024
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_WORKBOOK_MAGIC = b"PK\x03\x04"
_TABLE_LINE = re.compile(r"\s*\[\[\s*device\s*\]\]")


@dataclass(frozen=True, slots=True)
class Inventory:
    """What an inventory file says.

    Attributes
    ----------
    skipped
        Rows that could not be read.
    notes
        What was done with rows that were: merged, told apart by version, columns ignored.
    """

    devices: tuple[Device, ...]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()


def read_inventory(path: Path) -> Inventory:
    """Read the devices of a TOML file (``[[device]]`` tables) or of a CSV file with a header line.

    A row without an id gets one from its vendor, model, location and network zone, so that it survives an update of
    the firmware; `connectors.inventory_ids.identify` tells what happens to rows that come out alike.

    Parameters
    ----------
    path
        ``.toml``, or anything else for CSV with commas, semicolons or tabs.

    Raises
    ------
    ConfigError
        If the file is missing or names no device that can be read.
    InputError
        If the file as a whole cannot be read, or a key of a TOML file is none that is known.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: no such file", "write your devices into it, or correct inventory.file")
    data = read_bytes(path, MAX_INVENTORY_BYTES)
    origin = str(path)
    if data.startswith(_WORKBOOK_MAGIC):
        raise InputError(origin, "", "an Excel workbook or other archive", "save the sheet as CSV UTF-8")
    text = decode_text(data, origin)
    notes: list[str] = []
    rows = _toml_rows(text, origin) if path.suffix.lower() == ".toml" else _csv_rows(text, origin, notes)
    good: list[Row] = []
    bad: list[Skipped] = []
    for row in rows:
        checked = row if isinstance(row, Skipped) else _check(row, origin)
        if isinstance(checked, Skipped):
            bad.append(checked)
        else:
            good.append(checked)
    devices, collided, told = identify(good, origin)
    if not devices:
        reason = f"none of {len(bad)} devices could be read; {bad[0].reason}" if bad else "names no device"
        raise ConfigError(f"{origin}: {reason}", "give at least the vendor and model of each device")
    folder = path.absolute().parent
    return Inventory(tuple(_with_paths(device, folder) for device in devices), (*bad, *collided), (*notes, *told))


def _with_paths(device: Device, folder: Path) -> Device:
    paths = {name: getattr(device, name) for name in PATHS}
    return replace(device, **{name: os.path.normpath(folder / path) for name, path in paths.items() if path})


def _toml_rows(text: str, origin: str) -> Iterator[Row | Skipped]:
    try:
        # versions are texts: as a number, 1.10 would turn into 1.1
        document = tomllib.loads(text, parse_float=str)
    except RecursionError:
        raise InputError(origin, "", "nested too deep", "an inventory is a flat list of [[device]] tables") from None
    except ValueError as error:
        raise InputError(origin, "", f"not valid TOML: {error}", "correct that line") from None
    for key in document:
        if key != "device":
            raise InputError(
                origin, f"key {key[:100]!r}", "not known at the top level", "devices are called [[device]]"
            )
    tables = document.get("device", [])
    if not isinstance(tables, list):
        raise InputError(origin, "key 'device'", "a single table", "write it with two brackets: [[device]]")
    for place, table in zip(_places(text, len(tables)), tables, strict=True):
        if isinstance(table, dict):
            yield _toml_row(table, place, origin)
        else:
            yield Skipped(origin, f"{place}: not a table")


def _places(text: str, count: int) -> list[str]:
    """Where each table begins; the parser keeps no line numbers."""
    lines = [number for number, line in enumerate(text.split("\n"), start=1) if _TABLE_LINE.match(line)]
    if len(lines) == count:
        return [f"line {number}" for number in lines]
    return [f"device {number}" for number in range(1, count + 1)]


def _toml_row(table: Mapping[str, Any], place: str, origin: str) -> Row | Skipped:
    values: dict[str, str] = {}
    for key, value in table.items():
        column = _column(key)
        if not column:
            near = difflib.get_close_matches(_normalise(key), [*COLUMNS, *NAMES], n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(COLUMNS)}"
            raise InputError(origin, f"{place}, key {key[:100]!r}", "not known", hint)
        if column in values:
            return Skipped(origin, f"{place}, key {key}: {column} is given twice")
        plain = _plain(column, value)
        if isinstance(plain, bool | datetime) or not isinstance(plain, str | int | date):
            return Skipped(origin, f"{place}, key {key}: neither a text nor a number")
        try:
            values[column] = str(plain)
        except ValueError:
            return Skipped(origin, f"{place}, key {key}: a number with too many digits")
    return Row(place, values)


def _plain(column: str, value: Any) -> Any:
    """A truth value or a list of texts, where the column takes one, as it is written in a CSV file."""
    if column in FLAGS and isinstance(value, bool):
        return "yes" if value else "no"
    if column in LISTS and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return "; ".join(value)
    return value


def _csv_rows(text: str, origin: str, notes: list[str]) -> Iterator[Row | Skipped]:
    if text.lower().startswith("sep="):  # written by Excel
        text = text.partition("\n")[2]
        skipped_lines = 1
    else:
        skipped_lines = 0
    head = text[:_HEAD_CHARACTERS]
    delimiter = max(_DELIMITERS, key=lambda mark: _fit(head, mark))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header = _csv_header(reader, origin, notes)
    while True:
        line = reader.line_num + skipped_lines + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            last = reader.line_num + skipped_lines
            span = f"line {line}" if last == line else f"lines {line} to {last}"
            yield Skipped(origin, f"{span}: {error}; is a quotation mark missing?")
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if any(cell.strip() for cell in cells[len(header) :]):
            cause = (
                f"{len(cells)} values under {len(header)} headings; put quotation marks around those with {delimiter!r}"
            )
            yield Skipped(origin, f"line {line}: {cause}")
            continue
        yield Row(f"line {line}", {column: cell for column, cell in zip(header, cells, strict=False) if column})


def _fit(text: str, delimiter: str) -> tuple[int, int]:
    """How well a delimiter explains the header line: known columns, then columns."""
    try:
        names = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error:
        names = []
    return sum(1 for name in names if _column(name)), len(names)


def _csv_header(reader: Iterator[list[str]], origin: str, notes: list[str]) -> list[str]:
    """Column for each heading; empty where the heading is not known or names a column that another names better."""
    try:
        names = next(reader, [])
    except csv.Error as error:
        raise InputError(origin, "line 1", f"not a header line: {error}", "is a quotation mark missing?") from None
    columns = [_column(name) for name in names]
    exact: dict[str, int] = {}
    for index, column in enumerate(columns):
        if column and _normalise(names[index]) == column:
            exact.setdefault(column, index)
    taken: dict[str, int] = {}
    for index, column in enumerate(columns):
        if column and taken.setdefault(column, exact.get(column, index)) != index:
            columns[index] = ""
    missing = [column for column in ("vendor", "model") if column not in columns]
    if missing:
        known = " or ".join([missing[0], *SYNONYMS[missing[0]][:2]])
        raise InputError(origin, "line 1", f"no column for the {' and the '.join(missing)}", f"call it {known}")
    ignored = [name.strip() for name, column in zip(names, columns, strict=True) if name.strip() and not column]
    if ignored:
        notes.append(f"{origin}: columns not used: {', '.join(map(_with_suggestion, ignored))}")
    return columns


def _with_suggestion(name: str) -> str:
    near = difflib.get_close_matches(_normalise(name), COLUMNS, n=1, cutoff=0.75)
    return f"{name[:100]!r}" + (f" (did you mean {near[0]}?)" if near and near[0] != _normalise(name) else "")


def _normalise(name: str) -> str:
    return re.sub(r"[\s_\-]+", "_", name.strip().lower()).strip("_")


def _column(name: str) -> str:
    """The column a heading or key stands for; empty when it is not known."""
    normalised = _normalise(name)
    return normalised if normalised in COLUMNS else NAMES.get(normalised, "")


def _check(row: Row, origin: str) -> Row | Skipped:
    """The row with its values in their final form, or why it cannot be used."""
    values: dict[str, str] = {}
    for column, raw in row.values.items():
        value = raw.replace("\t", " ").strip()
        try:
            if not value.isprintable() and _UNPRINTABLE.search(value):
                raise ValueError("a line break or control character; is a quotation mark missing?")
            if len(value) > MAX_VALUE_LENGTH:
                raise ValueError(f"longer than {MAX_VALUE_LENGTH} characters")
            check = CHECKS.get(column)
            values[column] = check(value) if check and value else value
        except ValueError as error:
            return skipped(InputError(origin, f"{row.place}, column {column}", str(error)))
    for column in ("vendor", "model"):
        if not values.get(column):
            return skipped(InputError(origin, f"{row.place}, column {column}", "is empty"))
    return Row(row.place, values)
