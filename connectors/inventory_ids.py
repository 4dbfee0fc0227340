"""Identifiers for the devices of an inventory that were not given one."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from connectors.inventory_columns import PROFILE, split
from meddojo.device import Device
from meddojo.interface import Skipped
from meddojo.profile import Connectivity, PatientData, PhysicalAccess, Profile, Purpose

_NAMING = ("vendor", "model", "location", "network_zone")
_IDENTITY = (*_NAMING, "version")
_DETAILS = ("udi_di", "model_number", "cpe", "purl", "software_hash", "fda_product_code", "iec62304_class", "sbom_file")
_MODEL = ("imaging_model", "imaging_model_key")
_TOLD_APART = (*_DETAILS, *PROFILE, *_MODEL)
_FLAGS = {"yes": True, "no": False}
_LISTED = 5
_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th"})


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the file.

    Attributes
    ----------
    place
        ``line 12`` or ``device 3``.
    values
        By column; what is absent is empty.
    """

    place: str
    values: Mapping[str, str]


def identify(rows: Sequence[Row], origin: str) -> tuple[list[Device], list[Skipped], list[str]]:
    """Turn checked rows into devices, each with an id of its own.

    A given id is kept as it is; the second row with the same one is skipped. The others are named after vendor,
    model, location and network zone, whatever their order in the file:

    1. Rows that agree in these and in the version are one device, and their quantities are added, unless they
       contradict each other in another column.
    2. Where several versions share a name, the version is added to it, for all of them.
    3. Where that is not enough, or another id is in the way, eight digits of a hash of the row are added.

    Returns
    -------
    devices
        In the order of the file.
    skipped
        Rows with an id that was given before.
    notes
        What was merged and what was told apart.
    """
    given, rejected = _given(rows, origin)
    merged, notes = _merge([row for row in rows if not row.values.get("id")], origin)
    names = _names([row for row, _ in merged], set(given))
    notes += _told_apart(merged, names, origin)
    ordered = {row.place: _device(name, row) for name, row in given.items()}
    ordered |= {row.place: _device(name, row, quantity) for (row, quantity), name in zip(merged, names, strict=True)}
    return [ordered[row.place] for row in rows if row.place in ordered], rejected, notes


def slug(text: str) -> str:
    """Small ASCII letters, digits and hyphens; a hash stands in for letters that cannot be folded to ASCII."""
    folded = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    plain = re.sub(r"[^a-z0-9]+", "-", folded.encode("ascii", "ignore").decode()).strip("-")
    if any(letter.isalnum() and not letter.isascii() for letter in folded):
        plain = f"{plain}-{_digest(text.casefold())}".strip("-")
    return plain


def _given(rows: Iterable[Row], origin: str) -> tuple[dict[str, Row], list[Skipped]]:
    given: dict[str, Row] = {}
    rejected = []
    for row in rows:
        name = row.values.get("id", "")
        if name and given.setdefault(name, row) is not row:
            cause = f"{row.place}, column id: {name!r} is taken by {given[name].place}; give each device its own"
            rejected.append(Skipped(origin, cause))
    return given, rejected


def _merge(rows: Iterable[Row], origin: str) -> tuple[list[tuple[Row, int]], list[str]]:
    """Rows with their quantities, after those that stand for the same device were joined."""
    groups: defaultdict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[_key(row, _IDENTITY)].append(row)
    merged: list[tuple[Row, int]] = []
    notes = []
    for same in groups.values():
        if any(len({row.values.get(column) for row in same} - {None, ""}) > 1 for column in _TOLD_APART):
            exact: defaultdict[tuple[tuple[str, ...], ...], list[Row]] = defaultdict(list)
            for row in same:
                exact[_full_key(row), _profile_key(row)].append(row)
            parts = list(exact.values())
        else:
            parts = [same]
        for part in parts:
            quantity = sum(int(row.values.get("quantity") or 1) for row in part)
            merged.append((_joined(part), quantity))
            if len(part) > 1:
                notes.append(f"{origin}: {_places(part)} are the same device; counted as one with quantity {quantity}")
    return merged, notes


def _joined(rows: Sequence[Row]) -> Row:
    """The first of `rows`, with what only later ones tell, and the serial numbers of all."""
    values: dict[str, str] = {}
    for row in reversed(rows):
        values |= {column: value for column, value in row.values.items() if value}
    serials = dict.fromkeys(row.values["serial_number"] for row in rows if row.values.get("serial_number"))
    return Row(rows[0].place, values | ({"serial_number": ", ".join(serials)} if serials else {}))


def _names(rows: Sequence[Row], taken: set[str]) -> list[str]:
    """An id for each row, none of them in `taken`."""
    short = [slug(" ".join(row.values.get(column, "") for column in _NAMING)) for row in rows]
    longer = [f"{name}-{slug(row.values.get('version', ''))}".strip("-") for name, row in zip(short, rows, strict=True)]
    counts = Counter(short)
    final = [name if name and counts[name] == 1 and name not in taken else "" for name in short]
    taken = taken | set(final)
    open_names = Counter(name for name, done in zip(longer, final, strict=True) if not done)
    alike = Counter(_full_key(row) for row in rows)
    for index, (name, done) in enumerate(zip(longer, final, strict=True)):
        if done:
            continue
        if name and open_names[name] == 1 and name not in taken:
            final[index] = name
        else:
            # A profile counts only where nothing else tells two rows apart: who states one later keeps the id.
            key = _full_key(rows[index])
            key = (*key, *_profile_key(rows[index])) if alike[key] > 1 else key
            final[index] = f"{name}-{_digest(*key)}".strip("-")
    return final


def _told_apart(merged: Sequence[tuple[Row, int]], names: Sequence[str], origin: str) -> list[str]:
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row, _ in merged:
        groups[slug(" ".join(row.values.get(column, "") for column in _NAMING))].append(row)
    hint = "version or a hash tells them apart, so their ids change with it; give each an id of its own to keep it"
    return [
        f"{origin}: {_places(rows)} share the name {name}: {hint}" for name, rows in groups.items() if len(rows) > 1
    ]


def _device(name: str, row: Row, quantity: int | None = None) -> Device:
    text = row.values.get
    return Device(
        id=name,
        vendor=row.values["vendor"],
        model=row.values["model"],
        version=text("version", ""),
        quantity=int(text("quantity") or 1) if quantity is None else quantity,
        location=text("location", ""),
        network_zone=text("network_zone", ""),
        udi_di=text("udi_di", ""),
        cpe=text("cpe", ""),
        purl=text("purl", ""),
        fda_product_code=text("fda_product_code", ""),
        iec62304_class=text("iec62304_class", ""),
        sbom_file=text("sbom_file", ""),
        model_number=text("model_number", ""),
        serial_number=text("serial_number", ""),
        software_hash=text("software_hash", ""),
        imaging_model=text("imaging_model", ""),
        imaging_model_key=text("imaging_model_key", ""),
        profile=_profile(row.values),
    )


def _profile(values: Mapping[str, str]) -> Profile:
    text = values.get
    return Profile(
        purpose=Purpose(purpose) if (purpose := text("purpose")) else None,
        life_sustaining=_FLAGS.get(text("life_sustaining", "")),
        alarm=_FLAGS.get(text("alarm", "")),
        delivers=_FLAGS.get(text("delivers", "")),
        connectivity=tuple(Connectivity(kind) for kind in split(text("connectivity", ""))),
        patient_data=PatientData(amount) if (amount := text("patient_data")) else None,
        physical_access=PhysicalAccess(access) if (access := text("physical_access")) else None,
        fda_device_class=text("fda_device_class", ""),
        controls=tuple(split(text("controls", ""))),
    )


def _key(row: Row, columns: Iterable[str]) -> tuple[str, ...]:
    """Values of `columns`; letters' case and the number of blanks make no difference."""
    return tuple(" ".join(row.values.get(column, "").casefold().split()) for column in columns)


def _full_key(row: Row) -> tuple[str, ...]:
    return (*_key(row, _IDENTITY), *(row.values.get(column, "") for column in _DETAILS))


def _profile_key(row: Row) -> tuple[str, ...]:
    # Columns that came later count where they are filled in alone, so that the ids of all others stay.
    model = (f"{column}={value}" for column in _MODEL if (value := row.values.get(column)))
    return (*(row.values.get(column, "") for column in PROFILE), *model)


def _places(rows: Sequence[Row]) -> str:
    listed = ", ".join(row.place for row in rows[:_LISTED])
    return f"{listed} and {len(rows) - _LISTED} more" if len(rows) > _LISTED else listed


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:8]
