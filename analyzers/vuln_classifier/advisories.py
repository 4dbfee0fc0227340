"""Which CVEs CISA's advisories are about: medical ones (ICSMA) and those of other industries (ICSA)."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from meddojo.errors import InputError

MEDICAL_FILE = "cisa_csaf_icsma.jsonl.zst"
INDUSTRIAL_FILE = "cisa_csaf_icsa.jsonl.zst"


@dataclass(frozen=True, slots=True)
class AdvisoryCves:
    """CVE id -> year of the first advisory that names it; a CVE of both kinds counts as medical."""

    medical: dict[str, int]
    industrial: dict[str, int]


def read_advisory_cves(folder: Path) -> AdvisoryCves | None:
    """Read both archives of CSAF documents; None if the folder does not have them.

    Raises
    ------
    InputError
        If a line is no CSAF document.
    """
    files = folder / MEDICAL_FILE, folder / INDUSTRIAL_FILE
    if not all(file.is_file() for file in files):
        return None
    medical, industrial = (_cves(file) for file in files)
    return AdvisoryCves(medical, {cve: year for cve, year in industrial.items() if cve not in medical})


@cache
def not_medical() -> frozenset[str]:
    """CVEs of no advisory that were read by hand and found to have nothing to do with medicine."""
    lines = files(__package__).joinpath("not_medical.tsv").read_text("utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def _cves(file: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for number, line in enumerate(_lines(file), start=1):
        try:
            document = json.loads(line)
            year = int(document["document"]["tracking"]["initial_release_date"][:4])
            names = [each["cve"] for each in document.get("vulnerabilities", ()) if "cve" in each]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(str(file), f"line {number}", f"is no CSAF document: {error!r}") from error
        for cve in names:
            found[cve] = min(year, found.get(cve, year))
    return found


def _lines(file: Path) -> Iterator[str]:
    import zstandard

    with file.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as stream:
        yield from io.TextIOWrapper(stream, encoding="utf-8")
