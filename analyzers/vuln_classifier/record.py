"""What may be known of a vulnerability on the day it is published, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files


class Scorer(StrEnum):
    """Who rates: the label of a training row is half the vulnerability and half its scorer."""

    NVD = "nvd"
    ASSIGNER = "cna"
    CISA = "cisa_adp"
    RED_HAT = "redhat"


@dataclass(frozen=True, slots=True)
class PublishedRecord:
    """All that the models see.

    References, counts, applicability statements and later dates have no place here: in bulk data they are as of a
    later snapshot, and a model that sees them learns the future.

    Attributes
    ----------
    assigner
        Who assigned the CVE id: a short name (``icscert``) or NVD's ``sourceIdentifier`` (an address).
    vendor, product
        As the assigner names them, without versions.
    cwes
        Weaknesses the assigner states, without the prefix; empty when it states none.
    """

    description: str
    assigner: str = ""
    vendor: str = ""
    product: str = ""
    cwes: tuple[int, ...] = ()


def assigner_name(written: str) -> str:
    """One name per assigner: NVD writes an address where the CVE list writes a short name."""
    name = written.strip().lower()
    return _aliases().get(name, name)


@cache
def _aliases() -> dict[str, str]:
    lines = files(__package__).joinpath("assigners.tsv").read_text("utf-8").splitlines()
    pairs = (line.partition("\t") for line in lines if line and not line.startswith("#"))
    return {written: name for written, _, name in pairs}
