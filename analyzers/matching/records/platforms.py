"""The platform side of an applicability statement: what is known of the things a vulnerable product runs on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from analyzers.matching.factors import ON_PLATFORM
from analyzers.matching.identifiers import Cpe, cpe_key, cpe_names, parse_cpe, purl_version
from analyzers.matching.index import package_key
from analyzers.matching.names.comparison import compare_products
from analyzers.matching.names.normalise import squash
from analyzers.matching.names.vendors import compare_vendors
from analyzers.matching.records.applicability import Fact
from analyzers.matching.records.criteria import cpe_update, match_criteria, stated_targets, version_text
from analyzers.matching.records.ranges import cpe_version
from analyzers.matching.versions.installed import judge_version
from analyzers.matching.versions.sets import Verdict
from meddojo.device import Device
from meddojo.sbom import Component
from meddojo.vulnerability import CpeMatch

OTHER_PLATFORM = 0.6
"""Factor: another operating system is listed than the record asks for, or the hardware is another maker's."""

OTHER_HARDWARE = 0.8
"""Factor: the record asks for hardware of the device's own vendor that goes by another name: a matter for review."""

_SAME_SYSTEM = 0.6
"""Operating systems are told apart by their version: a family's name is enough of an agreement."""

_SYSTEMS = frozenset({"windows", "linux", "linuxkernel", "macos", "macosx", "android", "iphoneos", "ios", "unix"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The device and what its bill of materials lists.

    Attributes
    ----------
    inventory
        Components by index key (`analyzers.matching.packages.by_key`); empty without a bill of materials.
    """

    device: Device
    inventory: Mapping[str, tuple[Component, ...]] = field(default_factory=dict)

    @property
    def operating_systems(self) -> tuple[Component, ...]:
        """Components that are operating systems, by their kind or their CPE."""
        listed = dict.fromkeys(component for group in self.inventory.values() for component in group)
        return tuple(component for component in listed if _is_system(component))


def judge_platform(around: Surroundings, match: CpeMatch) -> Fact:
    """Whether what a CPE name stands for is there: the device itself, or a component of it."""
    cpe = parse_cpe(match.criteria)
    if cpe is None:
        return Fact(Verdict.UNKNOWN, ON_PLATFORM, f"{match.criteria[:80]!r} cannot be read")
    own = match_criteria(around.device, match)
    if own is not None:
        return Fact(own.verdict, own.probability, f"the device is the platform: {own.reason}")
    listed = [fact for component in _listed(around, match) if (fact := _as_platform(component, match, cpe)) is not None]
    if listed:
        return max(listed, key=lambda fact: (fact.verdict is Verdict.AFFECTED, fact.probability, fact.reason))
    name = f"{cpe.vendor}:{cpe.product}"
    if cpe.part == "h" and _own_make(around.device, cpe):
        reason = f"the record asks for the hardware {name!r}, which goes by another name"
        # A CPE name of firmware says nothing about what the hardware is called.
        return Fact(Verdict.UNKNOWN, ON_PLATFORM if around.device.cpe else OTHER_HARDWARE, reason)
    if cpe.part == "h" and around.device.vendor:
        reason = f"the record asks for the hardware {name!r}, the device is another maker's"
        return Fact(Verdict.UNKNOWN, OTHER_PLATFORM, reason)
    others = around.operating_systems if cpe.part == "o" else ()
    if others:
        labels = ", ".join(sorted(component.label for component in others))
        reason = f"the record asks for {name!r}, the bill of materials lists {labels!r}"
        return Fact(Verdict.UNKNOWN, OTHER_PLATFORM, reason)
    return Fact(Verdict.UNKNOWN, ON_PLATFORM, f"the platform {name!r} that the record asks for was not checked")


def _own_make(device: Device, cpe: Cpe) -> bool:
    own = cpe_names(device.cpe)
    makers = (device.vendor, own[0] if own is not None else "")
    return any(maker and compare_vendors(maker, cpe.vendor.replace("_", " ")) is not None for maker in makers)


def judge_targets(around: Surroundings, match: CpeMatch) -> Fact | None:
    """The platform that the CPE name itself states (``target_sw``, ``target_hw``); None when it states none."""
    cpe = parse_cpe(match.criteria)
    targets = stated_targets(cpe) if cpe is not None else ()
    if not targets:
        return None
    wanted = [target for target in targets if squash(target) not in squash(around.device.model)]
    unseen = []
    for target in wanted:
        seen = next((each for each in around.operating_systems if _names_target(each, target)), None)
        if seen is None:
            unseen.append(target)
    named = " and ".join(repr(target) for target in targets)
    if not unseen:
        return Fact(Verdict.AFFECTED, 1.0, f"the record asks for {named}, which the device's name or components show")
    systems = [target for target in unseen if squash(target) in _SYSTEMS]
    if systems and around.operating_systems:
        labels = ", ".join(sorted(component.label for component in around.operating_systems))
        reason = f"the record asks for {named}, the bill of materials lists {labels!r}"
        return Fact(Verdict.UNKNOWN, OTHER_PLATFORM, reason)
    return Fact(Verdict.UNKNOWN, ON_PLATFORM, f"the record asks for {named}, which was not checked")


def _names_target(component: Component, target: str) -> bool:
    return squash(target).removesuffix("kernel") in squash(f"{component.name} {component.cpe}")


def _is_system(component: Component) -> bool:
    cpe = parse_cpe(component.cpe)
    return component.kind == "operating-system" or (cpe is not None and cpe.part == "o")


def _listed(around: Surroundings, match: CpeMatch) -> Iterable[Component]:
    cpe = parse_cpe(match.criteria)
    keys = (cpe_key(match.criteria), package_key(cpe.product) if cpe else "")
    found = [component for key in keys if key for component in around.inventory.get(key, ())]
    return dict.fromkeys([*found, *(around.operating_systems if cpe is not None and cpe.part == "o" else ())])


def _as_platform(component: Component, match: CpeMatch, cpe: Cpe) -> Fact | None:
    probability = _same_platform(component, match, cpe)
    if probability < _SAME_SYSTEM:
        return None
    version = component.version or cpe_version(component.cpe) or purl_version(component.purl)
    verdict, factor, sentence = judge_version(
        version_text(match, component.name, version, cpe_update(component.cpe)), version
    )
    reason = f"the bill of materials lists {component.label!r} = {cpe.vendor}:{cpe.product}, {sentence}"
    if verdict is Verdict.UNKNOWN:
        return Fact(verdict, factor, reason)
    return Fact(verdict, round(probability, 4), reason)


def _same_platform(component: Component, match: CpeMatch, cpe: Cpe) -> float:
    if component.cpe and cpe_key(component.cpe) == cpe_key(match.criteria):
        return 1.0
    names = cpe_names(match.criteria)
    if names is None:
        return 0.0
    if squash(component.name) in (squash(names[1]), squash(" ".join(names)), squash(names[1]).removesuffix("linux")):
        return 0.95
    if not _is_system(component):
        return 0.0
    relation = compare_products(component.supplier or names[0], component.name, names[0], names[1])
    return relation.probability if relation is not None else 0.0
