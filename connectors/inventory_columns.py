"""The columns of an inventory: what they are called, and how their values are written."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from enum import StrEnum
from functools import lru_cache, partial
from pathlib import Path

from connectors.scans.cpe import is_cpe23
from meddojo.device import Device
from meddojo.profile import Connectivity, PatientData, PhysicalAccess, Profile, Purpose

PROFILE = tuple(field.name for field in fields(Profile))
COLUMNS = (*(field.name for field in fields(Device) if field.name != "profile"), *PROFILE)
FLAGS = frozenset({"life_sustaining", "alarm", "delivers"})
"""Columns that take yes or no."""
LISTS = frozenset({"connectivity", "controls"})
"""Columns that take several values, with semicolons between them."""
PATHS = ("sbom_file", "imaging_model", "imaging_model_key")
"""Columns that name a file or folder, relative to the inventory."""

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
    "imaging_model": ("ai_model", "model_folder"),
    "imaging_model_key": ("ai_model_key", "model_key"),
    "purpose": ("intended_purpose", "device_purpose"),
    "life_sustaining": ("life_support", "life_supporting", "life_sustaining_or_supporting"),
    "alarm": ("alarms", "alarm_function"),
    "delivers": ("delivers_drugs_or_energy", "delivers_therapy"),
    "connectivity": ("connection", "connections", "interfaces"),
    "patient_data": ("phi", "patient_information"),
    "physical_access": ("access",),
    "fda_device_class": ("fda_class",),
    "controls": ("compensating_controls", "mitigations"),
}
"""Other names of a column; blanks, hyphens and underscores are alike, and so are capital and small letters.

Left out on purpose: "asset tag" and the like, which name one piece of equipment where an id names a device model in
one place, and "product code" and "safety class", which mean other things in a maintenance system.
"""

NAMES = {synonym: column for column, synonyms in SYNONYMS.items() for synonym in synonyms}


def _path(value: str) -> str:
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


def _choice(kind: type[StrEnum], value: str) -> str:
    word = value.lower()
    if word not in list(kind):
        raise ValueError(f"{value[:40]!r} is none of {', '.join(kind)}")
    return word


def _flag(value: str) -> str:
    word = _FLAG_WORDS.get(value.lower())
    if word is None:
        raise ValueError(f"{value[:40]!r} is neither yes nor no; leave it empty when nobody knows")
    return word


def _connectivity(value: str) -> str:
    kinds = list(dict.fromkeys(_choice(Connectivity, part) for part in split(value)))
    if Connectivity.NONE in kinds and len(kinds) > 1:
        raise ValueError(f"{value[:80]!r} says both that it is connected and that it is not")
    return "; ".join(kinds)


def _device_class(value: str) -> str:
    number = value.upper().removeprefix("CLASS").strip()
    number = _ROMAN.get(number, number)
    if number not in ("1", "2", "3"):
        raise ValueError(f"{value[:40]!r} is not 1, 2 or 3 (21 CFR 860.3)")
    return number


def _controls(value: str) -> str:
    return "; ".join(dict.fromkeys(" ".join(part.split()) for part in split(value)))


def split(value: str) -> list[str]:
    """The values of a column of `LISTS`."""
    return [part.strip() for part in re.split(r"[;|]", value) if part.strip()]


_FLAG_WORDS = {
    word: answer for answer, words in (("yes", "yes y true 1"), ("no", "no n false 0")) for word in words.split()
}
_ROMAN = {"I": "1", "II": "2", "III": "3"}

CHECKS: Mapping[str, Callable[[str], str]] = {
    "quantity": _quantity,
    "cpe": _cpe,
    "purl": _purl,
    "fda_product_code": _product_code,
    "iec62304_class": _safety_class,
    **dict.fromkeys(PATHS, _path),
    "software_hash": _software_hash,
    "purpose": partial(_choice, Purpose),
    **dict.fromkeys(FLAGS, _flag),
    "connectivity": _connectivity,
    "patient_data": partial(_choice, PatientData),
    "physical_access": partial(_choice, PhysicalAccess),
    "fda_device_class": _device_class,
    "controls": _controls,
}
"""Column -> its final form; a ValueError says what is wrong with it."""
