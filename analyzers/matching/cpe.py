"""NVD records against a device: applicability statements as AND/OR trees, else the products the assigner names."""

from __future__ import annotations

from collections.abc import Iterator

from analyzers.matching.candidates import Candidate, Source
from analyzers.matching.identifiers import cpe_key, cpe_names, parse_cpe
from analyzers.matching.index import device_keys, product_keys
from analyzers.matching.installed import judge_version
from analyzers.matching.match import Evidence, Kind, Match
from analyzers.matching.products import match_product
from analyzers.matching.ranges import cpe_version, range_text
from analyzers.matching.version_sets import Verdict
from meddojo.advisory import AffectedProduct
from meddojo.device import Device
from meddojo.finding import Citation
from meddojo.vulnerability import Configuration, CpeMatch, CpeNode, Vulnerability

ON_PLATFORM = 0.9
"""Factor: the device runs the named software, and nobody checked the platform the record asks for."""

PLATFORM_ONLY = 0.7
"""Factor: the device is only the platform; whether the vulnerable software is on it is not known."""

FIRMWARE_OF = 0.97
"""Factor: the device is the hardware whose firmware the record names."""

NAMES_ONLY = 0.85
"""Factor: the record has no applicability statement, only names its assigner wrote."""

_REJECTED = frozenset({"rejected"})


def match_record(device: Device, record: Vulnerability) -> Iterator[Candidate]:
    """What a CVE record says about a device: at most one candidate."""
    if record.status.lower() in _REJECTED:
        return
    matches = [
        match
        for configuration in record.configurations
        if (match := _match_configuration(device, configuration)) is not None
    ]
    if not record.configurations:
        matches = [
            match.noting("names only, no CPE", NAMES_ONLY)
            for product in record.affected
            if (match := match_product(device, product)) is not None
        ]
    best = max((match for match in matches if match.verdict is not Verdict.NOT_AFFECTED), key=_strength, default=None)
    if best is not None:
        yield Candidate(
            identifiers=tuple(dict.fromkeys((record.id, *record.aliases))),
            source=Source.RECORD,
            citation=Citation(record.source, record.id, best.probability, best.reason),
            summary=record.description,
            cvss=record.cvss,
            cwes=record.cwes,
            references=record.references,
        )


def _strength(match: Match) -> tuple[float, str]:
    return match.probability, match.reason


def _match_configuration(device: Device, configuration: Configuration) -> Match | None:
    """Evaluate one applicability statement.

    The inventory knows the device, not everything that runs on it. In an AND of software and platform, one side that
    matches the device is a match, and the other side lowers the probability.
    """
    if configuration.negate:
        return None
    nodes = [node for node in configuration.nodes if not node.negate]
    if configuration.operator.upper() != "AND" or len(nodes) < 2:
        return _strongest([_match_node(device, node, vulnerable=True) for node in nodes])
    software = _strongest([_match_node(device, node, vulnerable=True) for node in nodes])
    hardware = _strongest([_match_platform(device, node) for node in nodes])
    if software is not None and (software.verdict is Verdict.NOT_AFFECTED or hardware is not None):
        return software
    if software is not None:
        return _weaker(software, ON_PLATFORM, "the platform the record asks for was not checked")
    if hardware is None:
        return None
    return _as_firmware(device, hardware, nodes)


def _as_firmware(device: Device, hardware: Match, nodes: list[CpeNode]) -> Match | None:
    """The device is the hardware: its version is that of the firmware the same vendor makes for it."""
    own = cpe_names(device.cpe)
    judged: list[Match | None] = []
    for node in nodes:
        for match in node.matches:
            cpe = parse_cpe(match.criteria)
            if not match.vulnerable or cpe is None or cpe.part == "h":
                continue
            names = cpe_names(match.criteria)
            vendor = names[0] if names else ""
            same_vendor = not product_keys(vendor, device.model).isdisjoint(device_keys(device)) or (
                own is not None and own[0] == vendor
            )
            verdict = _judge_version(device, match)
            reason = f"{hardware.reason}, {verdict.reason} of {cpe.product!r}"
            probability = hardware.probability * verdict.probability
            if cpe.part == "o" and same_vendor:
                judged.append(Match(verdict.verdict, (Evidence(Kind.PRODUCT, reason, probability * FIRMWARE_OF),)))
            else:
                reason += "; the device is the platform, whether this software is on it is not known"
                judged.append(Match(Verdict.UNKNOWN, (Evidence(Kind.PRODUCT, reason, probability * PLATFORM_ONLY),)))
    return _strongest(judged)


def _match_node(device: Device, node: CpeNode, vulnerable: bool) -> Match | None:
    return _strongest([_match_criteria(device, match) for match in node.matches if match.vulnerable is vulnerable])


def _match_platform(device: Device, node: CpeNode) -> Match | None:
    """Hardware of a node, flagged vulnerable or not: records are not consistent about it."""
    found = []
    for match in node.matches:
        cpe = parse_cpe(match.criteria)
        if cpe is not None and (cpe.part == "h" or not match.vulnerable):
            found.append(_match_criteria(device, match))
    return _strongest(found)


def _strongest(matches: list[Match | None]) -> Match | None:
    found = [match for match in matches if match is not None]
    return max(found, key=lambda match: (match.verdict is not Verdict.NOT_AFFECTED, *_strength(match)), default=None)


def _weaker(match: Match, factor: float, said: str) -> Match:
    return match.noting(said, factor)


def _match_criteria(device: Device, match: CpeMatch) -> Match | None:
    """One ``cpeMatch`` against the device, by its CPE if it has one, else by vendor and product words."""
    if product_keys("", "", match.criteria).isdisjoint(device_keys(device)):
        return None
    names = cpe_names(match.criteria)
    if names is None:
        return None
    same_cpe = bool(device.cpe) and cpe_key(device.cpe) == cpe_key(match.criteria)
    leaf = AffectedProduct(
        "", vendor=names[0], product=names[1], version_text=range_text(match), cpe=match.criteria if same_cpe else ""
    )
    return match_product(device, leaf)


def _judge_version(device: Device, match: CpeMatch) -> Match:
    """Only the version of a criterion, as a match of probability 1 times the version's factor."""
    verdict, factor, sentence = judge_version(range_text(match), device.version or cpe_version(device.cpe))
    return Match(verdict, (Evidence(Kind.VERSION, sentence, factor),))
