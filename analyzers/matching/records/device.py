"""CVE records against a device: applicability statements, else the assigner's product names, else the description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from analyzers.matching.candidates import Candidate, Source
from analyzers.matching.factors import FIRMWARE_OF, PLATFORM_ONLY
from analyzers.matching.identifiers import cpe_names, parse_cpe
from analyzers.matching.index import device_keys, product_keys
from analyzers.matching.match import Evidence, Kind, Match
from analyzers.matching.products import match_product
from analyzers.matching.records.applicability import Fact, named_by, resolve, strongest
from analyzers.matching.records.criteria import judge_criteria_version, match_criteria
from analyzers.matching.records.descriptions import match_description
from analyzers.matching.records.platforms import Surroundings, judge_platform, judge_targets
from analyzers.matching.versions.sets import Verdict
from meddojo.device import Device
from meddojo.finding import Citation
from meddojo.sbom import Component
from meddojo.vulnerability import Configuration, CpeMatch, Vulnerability

NOT_LISTED = 0.5
"""Factor: the device is only the platform, and its bill of materials does not list the vulnerable software."""

NAMES_ONLY = 0.85
"""Factor: the record has no applicability statement, only names its assigner wrote."""


def match_record(
    device: Device, record: Vulnerability, inventory: Mapping[str, tuple[Component, ...]] | None = None
) -> Iterator[Candidate]:
    """What a CVE record says about a device: at most one candidate.

    Parameters
    ----------
    inventory
        Components of the device's bill of materials by index key (`analyzers.matching.packages.by_key`): they settle
        the platform a record asks for. None without one.
    """
    if record.rejected:
        return
    matches = [
        match for match in _matches(device, record, inventory or {}) if match.verdict is not Verdict.NOT_AFFECTED
    ]
    best = max(matches, key=lambda match: (match.probability, match.reason), default=None)
    if best is None:
        return
    reason = f"{best.reason}; the record is disputed" if record.disputed else best.reason
    yield Candidate(
        identifiers=tuple(dict.fromkeys((record.id, *record.aliases))),
        source=Source.RECORD,
        citation=Citation(record.source, record.id, best.probability, reason),
        summary=record.description,
        cvss=record.cvss,
        cwes=record.cwes,
        references=record.references,
    )


def _matches(device: Device, record: Vulnerability, inventory: Mapping[str, tuple[Component, ...]]) -> Iterator[Match]:
    """Claims by the best evidence the record has; weaker evidence is not asked beside it."""
    if record.configurations:
        around = Surroundings(device, inventory)
        for configuration in record.configurations:
            fact = _match_configuration(around, configuration)
            if fact is not None:
                yield Match(fact.verdict, (Evidence(Kind.PRODUCT, fact.reason, fact.probability),))
    elif record.affected:
        for product in record.affected:
            match = match_product(device, product)
            if match is not None:
                yield match.noting("names only, no CPE", NAMES_ONLY)
    else:
        described = match_description(device, record)
        if described is not None:
            yield described


def _match_configuration(around: Surroundings, configuration: Configuration) -> Fact | None:
    """Evaluate one statement for the device as the vulnerable product, and as the hardware that it runs on.

    The hardware often names the very model where the firmware names its family.
    """
    own = {
        match: found
        for match in _subjects(configuration)
        if (found := match_criteria(around.device, match)) is not None
    }

    def judge(match: CpeMatch) -> Fact:
        return _as_subject(around, match, own[match]) if match in own else judge_platform(around, match)

    product = resolve(configuration, judge) if own else None
    if product is not None and product.verdict is Verdict.NOT_AFFECTED:
        return product
    if own and product is None:
        return None
    hardware = _as_hardware(around, configuration)
    return strongest([fact for fact in (product, hardware) if fact is not None])


def _subjects(configuration: Configuration) -> Iterator[CpeMatch]:
    """What is vulnerable; beside firmware, hardware is its platform, flagged or not: records differ in that."""
    flagged = [match for match in named_by(configuration) if match.vulnerable]
    if configuration.operator.upper() != "AND" or all(_is_hardware(match) for match in flagged):
        yield from flagged
    else:
        yield from (match for match in flagged if not _is_hardware(match))


def _is_hardware(match: CpeMatch) -> bool:
    cpe = parse_cpe(match.criteria)
    return cpe is not None and cpe.part == "h"


def _as_subject(around: Surroundings, match: CpeMatch, found: Match) -> Fact:
    target = judge_targets(around, match)
    fact = Fact(found.verdict, found.probability, found.reason, subject=True)
    if target is None or fact.verdict is Verdict.NOT_AFFECTED:
        return fact
    probability = round(fact.probability * target.probability, 4)
    return replace(fact, probability=probability, reason=f"{fact.reason}; {target.reason}")


def _as_hardware(around: Surroundings, configuration: Configuration) -> Fact | None:
    """The device is the hardware: its version is that of the firmware the same vendor makes for it."""
    guests = frozenset(_subjects(configuration))
    platform = [
        found
        for match in named_by(configuration)
        if match not in guests and (found := match_criteria(around.device, match)) is not None
    ]
    if not platform or configuration.operator.upper() != "AND":
        return None
    hardware = max(platform, key=lambda match: (match.verdict is not Verdict.NOT_AFFECTED, match.probability))

    def judge(match: CpeMatch) -> Fact:
        return _as_guest(around, match, hardware) if match in guests else judge_platform(around, match)

    return resolve(configuration, judge)


def _as_guest(around: Surroundings, match: CpeMatch, hardware: Match) -> Fact:
    """Vulnerable software of a statement whose platform is the device."""
    cpe = parse_cpe(match.criteria)
    if cpe is None:
        return judge_platform(around, match)
    if cpe.part == "o" and _same_vendor(around.device, match):
        version = judge_criteria_version(around.device, match)
        reason = f"{hardware.reason}, {version.reason} of {cpe.product!r}"
        return Fact(version.verdict, hardware.probability * version.probability * FIRMWARE_OF, reason, subject=True)
    name = f"{cpe.vendor}:{cpe.product}"
    if not around.inventory:
        reason = f"{hardware.reason}; the device is the platform, whether {name!r} is on it is not known"
        return Fact(Verdict.UNKNOWN, hardware.probability * PLATFORM_ONLY, reason, subject=True)
    listed = judge_platform(around, match)
    if listed.verdict is not Verdict.UNKNOWN:
        return replace(listed, subject=True)
    reason = f"{hardware.reason}; the device is the platform, its bill of materials does not list {name!r}"
    return Fact(Verdict.UNKNOWN, hardware.probability * NOT_LISTED, reason, subject=True)


def _same_vendor(device: Device, match: CpeMatch) -> bool:
    names, own = cpe_names(match.criteria), cpe_names(device.cpe)
    vendor = names[0] if names else ""
    return not product_keys(vendor, device.model).isdisjoint(device_keys(device)) or (
        own is not None and own[0] == vendor
    )
