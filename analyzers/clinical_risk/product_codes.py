"""What may be concluded of a device from its FDA product code."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from analyzers.clinical_risk.rules import Fact, table


@dataclass(frozen=True, slots=True)
class ProductCode:
    """A row of FDA's product classification.

    Attributes
    ----------
    device_class
        ``1``, ``2``, ``3``; ``U``, ``N`` or ``F`` where a code has none.
    specialty
        Two letters of the medical specialty, ``CV`` for cardiovascular.
    """

    code: str
    device_class: str
    specialty: str
    life_sustaining: bool
    implant: bool


def find(code: str) -> ProductCode | None:
    """The row of a code; None for one FDA did not list in 2020."""
    return _codes().get(code.upper())


def concluded(code: str) -> dict[str, Fact]:
    """What follows from a product code, by fact.

    Only what FDA flags is concluded: a code without the flag "life-sustaining" may still be (external defibrillators
    and high-frequency ventilators are not flagged), so nothing follows from its absence.
    """
    row = find(code)
    if row is None:
        return {}
    return {name: Fact((value,), (f"{name} {value} (FDA product code {row.code})",)) for name, value in _told(row)}


def _told(row: ProductCode) -> Iterator[tuple[str, str]]:
    if row.device_class in ("1", "2", "3"):
        yield "fda_device_class", row.device_class
    if row.life_sustaining:
        yield "life_sustaining", "yes"
    if row.implant:
        yield "implant", "yes"
    purpose = _purposes().get(row.code, {})
    if "purpose" in purpose:
        yield "purpose", purpose["purpose"]
    elif row.specialty in _specialties():
        yield "purpose", _specialties()[row.specialty]
    yield from ((name, "yes") for name in ("delivers", "alarm") if purpose.get(name))


@cache
def _codes() -> dict[str, ProductCode]:
    text = resources.files("analyzers.clinical_risk").joinpath("product_codes.csv").read_text(encoding="utf-8")
    rows = csv.reader(text.splitlines())
    return {
        code: ProductCode(code, device_class, specialty, "L" in flags, "I" in flags)
        for code, device_class, specialty, flags in rows
    }


@cache
def _purposes() -> dict[str, dict[str, Any]]:
    return {code: group for group in table("product_purposes.toml")["group"] for code in group["codes"].split()}


@cache
def _specialties() -> dict[str, str]:
    groups = table("product_purposes.toml")["specialties"]
    return {name: str(group["purpose"]) for group in groups for name in group["names"].split()}
