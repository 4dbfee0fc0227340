"""The inventory of devices: a TOML file kept by hand, or a CSV export of a maintenance system."""

from __future__ import annotations

import csv
import difflib
import io
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from connectors.inventory_ids import Row, identify
from connectors.reading import decode_text, read_bytes, skipped
from connectors.scans.cpe import is_cpe23
from connectors.unpacking import MEBIBYTE
from meddojo.device import Device
from meddojo.errors import ConfigError, InputError
from meddojo.interface import Skipped

MAX_INVENTORY_BYTES = 64 * MEBIBYTE
MAX_VALUE_LENGTH = 500

COLUMNS = tuple(field.name for field in fields(Device))

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "id": ("device_id",),
    "vendor": ("manufacturer", "make", "manufacturer_name", "vendor_name"),
    "model": ("product", "model_name", "device_model", "product_name", "device", "device_name"),
    "version": ("firmware", "firmware_version", "software_version", "software", "sw_version", "fw_version"),
    "quantity": ("qty", "count", "number_of_devices"),
    "location": ("department", "site", "room", "ward"),
    "network_zone": ("zone", "network", "vlan", "network_segment", "segment"),
    "udi_di": ("udi", "gtin", "udi_device_identifier"),
    "model_number": ("catalog_number", "catalogue_number", "order_number", "part_number", "ref", "model_no"),
    "serial_number": ("serial", "serial_no", "serial_numbers", "sn"),
    "software_hash": ("file_hash", "sha256", "image_hash"),
    "cpe": ("cpe23", "cpe_2.3", "cpe_name"),
    "purl": ("package_url",),
    "fda_product_code": ("fda_code", "fda_procode", "procode"),
    "iec62304_class": ("software_safety_class", "iec_62304_class", "iec_62304", "iec62304"),
    "sbom_file": ("sbom", "sbom_path"),
}
"""Other names of a column; blanks, hyphens and underscores are alike, and so are capital and small letters.

Left out on purpose: "asset tag" and the like, which name one piece of equipment where an id names a device model in
one place, and "product code" and "safety class", which mean other things in a maintenance system.
"""

_DELIMITERS = (",", ";", "\t")
_HEAD_CHARACTERS = 64 * 1024
_NAMES = {synonym: column for column, synonyms in SYNONYMS.items() for synonym in synonyms}
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
    return Inventory(tuple(_with_sbom(device, folder) for device in devices), (*bad, *collided), (*notes, *told))


def _with_sbom(device: Device, folder: Path) -> Device:
    return replace(device, sbom_file=os.path.normpath(folder / device.sbom_file)) if device.sbom_file else device


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
            near = difflib.get_close_matches(_normalise(key), [*COLUMNS, *_NAMES], n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(COLUMNS)}"
            raise InputError(origin, f"{place}, key {key[:100]!r}", "not known", hint)
        if column in values:
            return Skipped(origin, f"{place}, key {key}: {column} is given twice")
        if isinstance(value, bool | datetime) or not isinstance(value, str | int | date):
            return Skipped(origin, f"{place}, key {key}: neither a text nor a number")
        try:
            values[column] = str(value)
        except ValueError:
            return Skipped(origin, f"{place}, key {key}: a number with too many digits")
    return Row(place, values)


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
    return normalised if normalised in COLUMNS else _NAMES.get(normalised, "")


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
            check = _CHECKS.get(column)
            values[column] = check(value) if check and value else value
        except ValueError as error:
            return skipped(InputError(origin, f"{row.place}, column {column}", str(error)))
    for column in ("vendor", "model"):
        if not values.get(column):
            return skipped(InputError(origin, f"{row.place}, column {column}", "is empty"))
    return Row(row.place, values)


def _sbom_file(value: str) -> str:
    file = os.path.normpath(value)
    if Path(file).parts[0] == os.pardir:
        raise ValueError("leaves the folder of the inventory; write the absolute path if that is meant")
    return file


def _quantity(value: str) -> str:
    if not re.fullmatch(r"[0-9]{1,9}", value) or int(value) < 1:
        raise ValueError(f"{value[:40]!r} is not a positive whole number")
    return value


def _safety_class(value: str) -> str:
    letter = value.upper().removeprefix("CLASS").strip()
    if letter not in ("A", "B", "C"):
        raise ValueError(f"{value[:40]!r} is not A, B or C (IEC 62304, 4.3)")
    return letter


def _software_hash(value: str) -> str:
    algorithm, _, digest = value.lower().rpartition(":")
    if not re.fullmatch(r"[0-9a-f]{32,128}", digest):
        raise ValueError(f"{value[:40]!r} is not a hash as hexadecimal digits, sha256:1f0c...")
    return f"{algorithm or 'sha256'}:{digest}"


def _product_code(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{3}", value):
        raise ValueError(f"{value[:40]!r} is not an FDA product code, which has three letters")
    return value.upper()


@lru_cache(maxsize=65536)
def _cpe(value: str) -> str:
    if not is_cpe23(value):
        raise ValueError(f"{value[:80]!r} is not a CPE 2.3 name, which has 13 parts divided by colons")
    return value


@lru_cache(maxsize=65536)
def _purl(value: str) -> str:
    from packageurl import PackageURL

    try:
        PackageURL.from_string(value)
    except ValueError:
        raise ValueError(f"{value[:80]!r} is not a package URL (pkg:type/name@version)") from None
    return value


_CHECKS: Mapping[str, Callable[[str], str]] = {
    "quantity": _quantity,
    "cpe": _cpe,
    "purl": _purl,
    "fda_product_code": _product_code,
    "iec62304_class": _safety_class,
    "sbom_file": _sbom_file,
    "software_hash": _software_hash,
}
"""Column -> its final form; a ValueError says what is wrong with it."""
