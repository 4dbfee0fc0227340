"""What the models of medicine learn from and are measured on: advisories, and records read by hand.

``medical_advisories.tsv`` says of each CVE of CISA's medical advisories whether its record names anything medical;
``medical_read.tsv`` and ``not_medical.tsv`` are other records read by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from zlib import crc32

import numpy as np

from analyzers.vuln_classifier.advisories import AdvisoryCves, not_medical, read_advisory_cves
from analyzers.vuln_classifier.labels import Example
from analyzers.vuln_classifier.medical_lexicon import read_codes
from analyzers.vuln_classifier.medical_tables import device_types, medical_terms
from analyzers.vuln_classifier.medical_text import ReadRecord, read
from analyzers.vuln_classifier.medical_training import MedicalRows

CODES_FILE = "fda_foiclass_*.txt.gz"
OTHERS_SHARE = 8
"""Every eighth CVE that sounds of nothing medical takes part in training."""
NO_KIND = "-"


class Read(StrEnum):
    """What a person found who read the record."""

    CARE = "1"
    OTHER = "0"
    UNCLEAR = "?"


class Naming(StrEnum):
    """What the record of a CVE of a medical advisory names."""

    NAMED = "named"
    GENERAL = "general"
    SILENT = "silent"


@dataclass(frozen=True)
class MedicalSources:
    """Advisories, and FDA's device names with their regulation numbers."""

    advisories: AdvisoryCves
    devices: tuple[tuple[str, str], ...]


def read_medical_sources(folder: Path) -> MedicalSources | None:
    """Read them; None if the folder lacks one.

    Raises
    ------
    InputError
        If a file is damaged.
    """
    advisories = read_advisory_cves(folder)
    codes = next(iter(sorted(folder.glob(CODES_FILE))), None)
    if advisories is None or codes is None:
        return None
    rows = ((row.get("DEVICENAME", ""), row.get("REGULATIONNUMBER", "")) for row in read_codes(codes))
    return MedicalSources(advisories, tuple(rows))


@cache
def advisory_labels() -> dict[str, tuple[Naming, str]]:
    """What the record of each CVE of a medical advisory names, and its kind of device."""
    return {cve: (Naming(naming), kind) for cve, naming, kind in _rows("medical_advisories.tsv")}


@cache
def read_labels() -> dict[str, tuple[Read, str]]:
    """What a person found who read the record of a CVE of no medical advisory, and its kind of device."""
    return {cve: (Read(found), kind) for cve, found, kind in _rows("medical_read.tsv")}


def training_rows(examples: Sequence[Example], advisories: AdvisoryCves, end: date) -> MedicalRows:
    """What was published before `end`, or named by an advisory of an earlier year.

    Medical: CVEs of medical advisories whose record names something medical, and records read. Not medical: CVEs of
    other industries' advisories, every record that mentions care or a maker and was not found medical, a share of all
    the rest. `not_medical.tsv` and what was unclear to the reader take no part.
    """
    rows = []
    for example in examples:
        label = _label(example, advisories, end)
        if label is None:
            continue
        record = read(example.record)
        if label or _takes_part(example, record, advisories):
            rows.append((_group(example, record), record, label, _kind(example.cve)))
    return MedicalRows(
        tuple(row[0] for row in rows),
        tuple(row[1] for row in rows),
        np.array([row[2] for row in rows], dtype=np.int64),
        np.array([row[3] for row in rows], dtype=np.int64),
    )


def kind_place(kind: str) -> int:
    """Place of a kind of device in the table; -1 for none."""
    names = [each.name for each in device_types()]
    return names.index(kind) if kind != NO_KIND else -1


def _label(example: Example, advisories: AdvisoryCves, end: date) -> int | None:
    year = advisories.medical.get(example.cve)
    if year is not None:
        naming, _ = advisory_labels().get(example.cve, (Naming.SILENT, NO_KIND))
        return 1 if year < end.year and naming is Naming.NAMED else None
    if example.published >= end or example.cve in not_medical():
        return None
    found, _ = read_labels().get(example.cve, (Read.OTHER, NO_KIND))
    return None if found is Read.UNCLEAR else int(found is Read.CARE)


def _takes_part(example: Example, record: ReadRecord, advisories: AdvisoryCves) -> bool:
    if example.cve in advisories.industrial or crc32(example.cve.encode()) // 7 % OTHERS_SHARE == 0:
        return True
    terms = medical_terms()
    return not (record.phrases | record.name_phrases).isdisjoint(terms.strong | terms.makers | terms.also_makers)


def _group(example: Example, record: ReadRecord) -> str:
    return example.record.vendor.lower() or next(iter((*record.names, *record.text)), "")


def _kind(cve: str) -> int:
    label = advisory_labels().get(cve) or read_labels().get(cve)
    return kind_place(label[1]) if label else -1


def _rows(name: str) -> Iterator[list[str]]:
    lines = files("analyzers.vuln_classifier").joinpath(name).read_text("utf-8").splitlines()
    return (line.split("\t") for line in lines if line and not line.startswith("#"))
