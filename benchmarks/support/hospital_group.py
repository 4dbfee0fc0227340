"""An invented inventory of a large hospital group, of any size, the same for the same seed.

35 % of the assets are products that CISA's advisories name, half of them of the medical ones, half of the industrial
ones (building technology, networks); 25 % are other models of those vendors; 40 % are of vendors in no advisory. There
is one model for about four assets, some models are far more frequent than others, every model is installed in one to
eight versions, and a third of the lines are written in another way than the advisory writes them.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import accumulate

from meddojo.advisory import Advisory
from meddojo.device import Device

ADVISED, NEIGHBOUR = 0.35, 0.25
"""Shares of the models that an advisory names, and of other models of the same vendors; the rest is of strangers."""

ASSETS_PER_MODEL = 4
MOST_VERSIONS = 8
OTHER_SPELLING = 1 / 3
VERSION_UNKNOWN = 0.12

_VERSION = re.compile(r"\d+(?:\.\d+){1,3}")
_LEGAL_FORMS = (", Inc.", " GmbH", " AG", " Ltd.", " Corporation", " Medical", " Healthcare")
_KINDS = (
    "Infusion Pump", "Syringe Pump", "Patient Monitor", "Ventilator", "Ultrasound System", "CT Scanner", "Analyzer",
    "Dialysis System", "Telemetry Receiver", "Anesthesia Workstation", "Incubator", "Defibrillator", "Endoscopy Tower",
    "Bed Controller", "Nurse Call Server", "PACS Workstation", "Badge Reader", "Access Switch", "Chiller Controller",
    "Label Printer", "Tablet Dispenser", "Sterilizer", "Microscope", "Electrocardiograph", "Surgical Light",
)  # fmt: skip
_SYLLABLES = (
    "al ba cor dex el fen gly hal ix jo kar lum med nor ox pul qui ra sen tor ul vas wen xan yo zen bri cla dro fle "
    "gra ple pri sta tri vel mon phy the lis nex ria vita"
).split()


@dataclass(frozen=True, slots=True)
class Model:
    """A product somebody bought, and its versions in the house; empty for an unknown one."""

    vendor: str
    name: str
    versions: tuple[str, ...]


def hospital_group(size: int, medical: Sequence[Advisory], industrial: Sequence[Advisory], seed: int) -> list[Device]:
    """Draw `size` assets from a catalogue of models that grows with it."""
    dice = random.Random(seed)
    models = list(_catalogue(max(1, size // ASSETS_PER_MODEL), _named(medical), _named(industrial), dice))
    dice.shuffle(models)
    # Zipf's law, with a flat head: no single model fills the house.
    frequency = list(accumulate(1 / (rank + 20) for rank in range(len(models))))
    drawn = dice.choices(models, cum_weights=frequency, k=size)
    return [_asset(number, model, dice) for number, model in enumerate(drawn)]


def invented_devices(size: int, medical: Sequence[Advisory], industrial: Sequence[Advisory], seed: int) -> list[Device]:
    """Models that do not exist, at vendors the advisories name: half medical, half industrial."""
    dice = random.Random(seed)
    named = _named(medical), _named(industrial)
    return [
        Device(f"invented-{number:05d}", dice.choice(dice.choice(named)).vendor, _invented_model(dice), "1.0")
        for number in range(size)
    ]


def _named(advisories: Iterable[Advisory]) -> list[Model]:
    """The products the advisories name, each with all versions they write."""
    versions: dict[tuple[str, str], set[str]] = {}
    for advisory in advisories:
        for product in advisory.products:
            name = product.vendor.strip(), product.product.strip()
            if all(name):
                versions.setdefault(name, set()).update(_VERSION.findall(product.version_text))
    return [Model(*name, tuple(sorted(found))) for name, found in sorted(versions.items())]


def _catalogue(
    size: int, medical: Sequence[Model], industrial: Sequence[Model], dice: random.Random
) -> Iterator[Model]:
    strangers = [_stranger(dice) for _ in range(20 + size // 20)]
    for _ in range(size):
        known = dice.choice(medical if dice.random() < 0.5 else industrial)
        lot = dice.random()
        if lot < ADVISED:
            yield Model(known.vendor, known.name, _versions(known.versions, dice))
        else:
            vendor = known.vendor if lot < ADVISED + NEIGHBOUR else dice.choice(strangers)
            yield Model(vendor, _invented_model(dice), _versions((), dice))


def _versions(written: Sequence[str], dice: random.Random) -> tuple[str, ...]:
    """Installed versions: some that the advisories write, some near them, some unknown."""
    found = []
    for _ in range(dice.randint(1, MOST_VERSIONS)):
        if dice.random() < VERSION_UNKNOWN:
            found.append("")
        elif written and dice.random() < 0.4:
            found.append(dice.choice(written))
        elif written and dice.random() < 0.5:
            first, *rest = dice.choice(written).split(".")
            found.append(".".join([first, *(str(max(0, int(part) + dice.randint(-2, 3))) for part in rest)]))
        else:
            found.append(f"{dice.randint(0, 12)}.{dice.randint(0, 9)}.{dice.randint(0, 30)}")
    return tuple(found)


def _word(dice: random.Random) -> str:
    return "".join(dice.choices(_SYLLABLES, k=dice.randint(2, 3))).capitalize()


def _stranger(dice: random.Random) -> str:
    return _word(dice) + dice.choice(("", *_LEGAL_FORMS))


def _invented_model(dice: random.Random) -> str:
    designation = f"{dice.choice('ABCDEFGHKLMNPRSTVWX')}{dice.choice(('', 'X', '-', ' '))}{dice.randint(2, 990) * 10}"
    shapes = (f"{_word(dice)} {designation}", f"{_word(dice)} {dice.choice(_KINDS)}", f"{_word(dice)} {designation}")
    return dice.choice(shapes)


def _asset(number: int, model: Model, dice: random.Random) -> Device:
    vendor, name = model.vendor, model.name
    if dice.random() < OTHER_SPELLING:
        vendor, name = _respelt(vendor, name, dice)
    return Device(f"asset-{number:06d}", vendor, name, dice.choice(model.versions))


def _respelt(vendor: str, name: str, dice: random.Random) -> tuple[str, str]:
    """One thing written otherwise: case, hyphens, the order of words, the vendor's name."""
    match dice.randrange(6):
        case 0:
            return vendor, dice.choice((name.upper(), name.lower()))
        case 1:
            return vendor, name.replace("-", " ") if "-" in name else name.replace(" ", "-", 1)
        case 2:
            first, *rest = name.split(" ")
            return vendor, " ".join([*rest, first])
        case 3:
            return dice.choice((vendor.upper(), vendor.lower())), name
        case 4:
            return dice.choice(_aliases().get(vendor.lower(), (vendor,))), name
        case _:
            return vendor + dice.choice(_LEGAL_FORMS[:5]), name


@cache
def _aliases() -> dict[str, tuple[str, ...]]:
    """Other names of a vendor, from the matcher's own table."""
    table = tomllib.loads(files("analyzers.matching.names").joinpath("vendor_aliases.toml").read_text("utf-8"))
    groups = [(row["name"], *row["same"]) for row in table["vendor"]]
    return {name.lower(): group for group in groups for name in group}
