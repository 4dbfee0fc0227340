"""What the installed version says beside a source's version text: a verdict, a factor, and part of a sentence."""

from __future__ import annotations

import re
from dataclasses import replace

from analyzers.matching.match import Evidence, Kind
from analyzers.matching.names.normalise import squash
from analyzers.matching.versions.reader import parse_versions
from analyzers.matching.versions.sets import (
    AllVersions,
    Conditional,
    Designation,
    Union,
    Unparsed,
    Verdict,
    VersionSet,
    contains,
)
from meddojo.device import Device

COMPARED = 0.994
"""Factor of a version within the stated ones: 491 of 493 labelled pairs of the tuning half were right (Laplace)."""

MISSING = 0.75
UNREADABLE = 0.7
CONDITIONAL = 0.78
"""Factors of versions that cannot be compared: judgements, for hardly any labelled pair has one. They keep what is
UNKNOWN below the default delivery threshold."""

_LISTED = re.compile(r"[|;,]|\band\b")
_SHORTEST_MODEL = 4
_OPERATING_SYSTEM = re.compile(
    r"\b(windows|linux|android|ios|macos|vxworks|qnx)\b(?:[\s-]+(\d[\d.]*|xp|nt|ce|vista)\b)?"
)


def judge_version(text: str, installed: str) -> tuple[Verdict, float, str]:
    """Verdict on an installed version, the factor it puts on the probability, and part of a sentence."""
    return _explain(parse_versions(text), text.strip(), installed.strip())


def version_evidence(text: str, installed: str) -> tuple[Verdict, Evidence]:
    """`judge_version` as a piece of evidence."""
    verdict, factor, sentence = judge_version(text, installed)
    return verdict, Evidence(Kind.VERSION, sentence, factor)


def device_version_evidence(device: Device, text: str, installed: str) -> tuple[Verdict, Evidence]:
    """`version_evidence`; where the text lists models or asks for an operating system, the device's model may tell."""
    verdict, version = version_evidence(text, installed)
    if verdict is Verdict.AFFECTED and not isinstance(parse_versions(text), AllVersions):
        return verdict, replace(version, factor=COMPARED)
    if verdict is not Verdict.UNKNOWN:
        return verdict, version
    listed = _listed_model(device, text)
    if listed:
        return Verdict.AFFECTED, Evidence(Kind.VERSION, f"model {listed!r} is listed in {text.strip()!r}", COMPARED)
    asked, given = _systems(_conditions(parse_versions(text), installed)), _systems(device.model)
    if asked and all(any(own == system or own.split()[0] == system for own in given) for system in asked):
        said = f"version {installed or 'unknown'!r} in {text.strip()!r}, and the model says {', '.join(sorted(given))}"
        return Verdict.AFFECTED, Evidence(Kind.VERSION, said, COMPARED)
    return verdict, version


def _explain(versions: VersionSet, text: str, installed: str) -> tuple[Verdict, float, str]:
    verdict = contains(versions, installed)
    if isinstance(versions, AllVersions):
        return verdict, 1.0, "all versions are named" if text else "no version is named, hence all"
    if verdict is Verdict.AFFECTED:
        return verdict, 1.0, f"version {installed!r} in {text!r}"
    if verdict is Verdict.NOT_AFFECTED:
        return verdict, 1.0, f"version {installed!r} not in {text!r}"
    if not installed and not isinstance(versions, Unparsed | Designation):
        return verdict, MISSING, f"version unknown, the source names {text!r}"
    conditions = _conditions(versions, installed)
    if conditions:
        said = f"version {installed or 'unknown'!r} in {text!r} under a condition: {conditions}"
        return verdict, CONDITIONAL, said
    if isinstance(versions, Designation):
        return verdict, UNREADABLE, f"the source names {versions.text!r} in place of a version"
    if isinstance(versions, Unparsed):
        return verdict, UNREADABLE, f"the version text {text!r} cannot be read, compare by hand"
    return verdict, UNREADABLE, f"version {installed!r} cannot be compared with {text!r}"


def _conditions(versions: VersionSet, installed: str) -> str:
    parts = versions.parts if isinstance(versions, Union) else (versions,)
    return "; ".join(
        part.condition
        for part in parts
        if isinstance(part, Conditional) and contains(part.versions, installed) is Verdict.AFFECTED
    )


def _listed_model(device: Device, text: str) -> str:
    """The model designation of the device that stands where versions should; empty if none does."""
    own = {squash(device.model_number), squash(device.model), *map(squash, device.model.split())}
    for item in _LISTED.split(text):
        squashed = squash(item)
        telling = len(squashed) >= _SHORTEST_MODEL and any(sign.isdigit() for sign in squashed)
        if telling and (squashed in own or (not squashed.isdigit() and any(squashed in number for number in own))):
            return item.strip()
    return ""


def _systems(text: str) -> set[str]:
    """The operating systems a text names, with their version where it stands beside: ``windows 7``."""
    return {" ".join(filter(None, found)) for found in _OPERATING_SYSTEM.findall(text.lower())}
