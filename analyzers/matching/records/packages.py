"""CVE records against the components of a bill of materials, by CPE and by package name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from analyzers.matching.candidates import Candidate, Source
from analyzers.matching.identifiers import (
    Cpe,
    cpe_key,
    parse_cpe,
    purl_key,
    purl_namespace,
    purl_qualifier,
    purl_version,
    source_key,
)
from analyzers.matching.index import component_keys, package_key
from analyzers.matching.names.normalise import squash
from analyzers.matching.names.vendors import compare_vendors
from analyzers.matching.records.applicability import Fact, named_by, resolve
from analyzers.matching.records.criteria import cpe_update, version_text
from analyzers.matching.records.platforms import Surroundings, judge_platform
from analyzers.matching.records.ranges import cpe_version
from analyzers.matching.versions.distributions import judge_range
from analyzers.matching.versions.installed import MISSING, judge_version
from analyzers.matching.versions.sets import Verdict
from meddojo.advisory import AffectedProduct
from meddojo.device import Device
from meddojo.finding import Citation
from meddojo.sbom import Component, Sbom
from meddojo.vulnerability import Configuration, CpeMatch, Vulnerability

SAME_CPE = 0.95
SAME_PURL = 0.95
SAME_ENVIRONMENT = 0.9
SAME_NAME = 0.7
"""Probability that a record's product is the package: CPE, package URL, name and ecosystem, or only the name agrees."""

NAMED_ONLY = 0.85
"""Factor: only the assigner's names say so, as `analyzers.matching.cpe.NAMES_ONLY` of devices."""

DISTRIBUTION_PACKAGE = 0.75
"""Factor: distributions backport fixes without changing the upstream version."""

_EPOCH = re.compile(r"^\d+:")
_REPACKED = re.compile(r"[+.~](?:dfsg|ds|repack|really)[\w.]*$|\+(?:deb|git|ubuntu)[\w.~+]*$", re.I)
_RELEASE = re.compile(r"\d+(?:\.\d+)*")
_NAMESPACE = re.compile(r"[./@]")
_DISTRIBUTIONS = frozenset({"deb", "rpm", "apk", "alpm"})
_ENVIRONMENTS: Mapping[str, frozenset[str]] = {
    "npm": frozenset({"node.js", "nodejs", "javascript"}),
    "pypi": frozenset({"python"}),
    "gem": frozenset({"ruby", "rails", "ruby_on_rails"}),
    "nuget": frozenset({".net", "asp.net", "nuget"}),
    "maven": frozenset({"java", "maven"}),
    "golang": frozenset({"go", "golang"}),
    "cargo": frozenset({"rust"}),
    "composer": frozenset({"php", "composer"}),
}
_ANY = frozenset({"*", "-", ""})


def by_key(sbom: Sbom) -> Mapping[str, tuple[Component, ...]]:
    """Components of a bill of materials by each of their index keys."""
    found: dict[str, list[Component]] = {}
    for component in sbom.components:
        for key in component_keys(component):
            found.setdefault(key, []).append(component)
    return {key: tuple(components) for key, components in found.items()}


def match_packages(
    record: Vulnerability, inventory: Mapping[str, tuple[Component, ...]], device: Device | None = None
) -> Iterator[Candidate]:
    """What a CVE record says about the components of a device: at most one candidate for each component.

    Parameters
    ----------
    device
        The device they are on, which may be the platform that a record asks for.
    """
    if record.rejected or not inventory:
        return
    around = Surroundings(device or Device("", "", ""), inventory)
    best: dict[Component, tuple[float, str]] = {}
    for component, probability, reason in _claims(record, around):
        best[component] = max(best.get(component, (0.0, "")), (probability, reason))
    for component, (probability, reason) in best.items():
        if record.disputed:
            reason += "; the record is disputed"
        yield Candidate(
            identifiers=tuple(dict.fromkeys((record.id, *record.aliases))),
            source=Source.RECORD,
            citation=Citation(record.source, record.id, probability, reason),
            summary=record.description,
            cvss=record.cvss,
            cwes=record.cwes,
            components=(component,),
            references=record.references,
        )


def _claims(record: Vulnerability, around: Surroundings) -> Iterator[tuple[Component, float, str]]:
    for configuration in record.configurations:
        for component in _named(configuration, around.inventory):
            fact = _resolve(configuration, component, around)
            if fact is not None and fact.verdict is not Verdict.NOT_AFFECTED and fact.probability:
                yield component, round(fact.probability, 4), f"component {component.label!r} = {fact.reason}"
    for product in record.affected if not record.configurations else ():
        for component in _named_packages(product, around.inventory):
            fact = _as_package(component, product)
            if fact is not None and fact.verdict is not Verdict.NOT_AFFECTED:
                yield component, fact.probability, f"component {component.label!r} = {fact.reason}"


def _named_packages(product: AffectedProduct, inventory: Mapping[str, tuple[Component, ...]]) -> Iterable[Component]:
    keys = (purl_key(product.purl), package_key(product.product))
    return dict.fromkeys(component for key in keys if key for component in inventory.get(key, ()))


def _as_package(component: Component, product: AffectedProduct) -> Fact | None:
    """A product its assigner names: by package URL, else by name and maker; a name alone says too little."""
    if product.purl and component.purl:
        if purl_key(product.purl) not in (purl_key(component.purl), source_key(component.purl)):
            return None
        if _kind(product.purl) in _DISTRIBUTIONS:
            return _of_distribution(component, product)
        return _with_version(component, SAME_PURL, f"{product.purl} (package URL)", product.version_text)
    if not _same_maker(component, product.vendor):
        return None
    what = f"{product.vendor.strip()} {product.product.strip()} (same name and maker; names only, no CPE)"
    return _with_version(component, round(SAME_ENVIRONMENT * NAMED_ONLY, 4), what, product.version_text)


def _of_distribution(component: Component, product: AffectedProduct) -> Fact | None:
    """What a distribution says about a package of its own, in its own versions; None for another release of it."""
    stated, installed = (_release(purl) for purl in (product.purl, component.purl))
    if stated and installed and not f"{installed}.".startswith(f"{stated}."):
        return None
    what = f"{product.purl} (package URL)"
    version = component.version or purl_version(component.purl)
    verdict = judge_range(_kind(product.purl), product.version_text, version)
    if verdict is Verdict.UNKNOWN:
        return _with_version(component, SAME_PURL, what, product.version_text)
    place = "in" if verdict is Verdict.AFFECTED else "not in"
    sentence = f"version {version!r} {place} {product.version_text or 'all versions'!r}"
    if not stated or installed:
        return Fact(verdict, SAME_PURL, f"{what}, {sentence}", subject=True)
    sentence += "; the package does not say of which release it is"
    return Fact(verdict, round(SAME_PURL * MISSING, 4), f"{what}, {sentence}", subject=True)


def _release(purl: str) -> str:
    """``12`` of ``distro=debian-12``; empty where there is no number: a code name can be compared with nothing."""
    found = _RELEASE.search(purl_qualifier(purl, "distro"))
    return found.group() if found else ""


def _named(configuration: Configuration, inventory: Mapping[str, tuple[Component, ...]]) -> Iterable[Component]:
    """Components that a statement may be about."""
    keys = dict.fromkeys(
        key for match in named_by(configuration) if match.vulnerable for key in _keys(match.criteria) if key
    )
    return dict.fromkeys(component for key in keys for component in inventory.get(key, ()))


@lru_cache(maxsize=65536)
def _keys(criteria: str) -> tuple[str, ...]:
    cpe = parse_cpe(criteria)
    if cpe is None:
        return ()
    # A chip is listed by its CPE; a package never stands for hardware of its name.
    return (cpe_key(criteria),) if cpe.part == "h" else (cpe_key(criteria), package_key(cpe.product))


def _resolve(configuration: Configuration, component: Component, around: Surroundings) -> Fact | None:
    own = frozenset(component_keys(component))

    def judge(match: CpeMatch) -> Fact:
        cpe = parse_cpe(match.criteria)
        if match.vulnerable and cpe is not None and not own.isdisjoint(_keys(match.criteria)):
            probability, how = _weigh(component, match.criteria, cpe)
            if probability:
                what = f"{cpe.vendor}:{cpe.product} ({how})"
                text = version_text(match, component.name, component.version, cpe_update(component.cpe))
                return _with_version(component, probability, what, text)
        return judge_platform(around, match)

    return resolve(configuration, judge)


def _weigh(component: Component, criteria: str, cpe: Cpe) -> tuple[float, str]:
    """How sure it is that the component is the product of the CPE; 0 for another ecosystem's package."""
    if component.cpe and cpe_key(component.cpe) == cpe_key(criteria):
        return SAME_CPE, "CPE"
    kind = _kind(component.purl)
    environment = _ENVIRONMENTS.get(kind, frozenset())
    if cpe.target not in _ANY and environment:
        return (SAME_ENVIRONMENT, f"same name in {cpe.target}") if cpe.target.lower() in environment else (0.0, "")
    if _same_maker(component, cpe.vendor) or squash(cpe.vendor) in {squash(word) for word in environment}:
        return SAME_ENVIRONMENT, "same name and maker"
    return SAME_NAME, "same name"


def _same_maker(component: Component, vendor: str) -> bool:
    """Whether a vendor made the component, by its supplier, its namespace (``org.apache.commons``) or its own name."""
    stated = squash(vendor)
    name = squash(component.name.rsplit("/", 1)[-1])
    namespace = {squash(part) for part in _NAMESPACE.split(purl_namespace(component.purl)) if part}
    namespace |= {squash(purl_namespace(component.purl)), squash(component.name.split("/", 1)[0])}
    if _kind(component.purl) in _DISTRIBUTIONS:
        namespace = set()  # the distribution's name
    if stated and stated in {name, f"{name}project", f"{name}js", *namespace}:
        return True
    return (
        bool(component.supplier and stated)
        and compare_vendors(component.supplier, vendor.replace("_", " ")) is not None
    )


def _with_version(component: Component, probability: float, what: str, text: str) -> Fact:
    kind = _kind(component.purl)
    version = upstream_version(kind, component.version or purl_version(component.purl) or cpe_version(component.cpe))
    verdict, factor, sentence = judge_version(text, version)
    if verdict is Verdict.NOT_AFFECTED:
        return Fact(verdict, probability, f"{what}, {sentence}", subject=True)
    if kind in _DISTRIBUTIONS:
        factor *= DISTRIBUTION_PACKAGE
        sentence += "; a package of a distribution may carry the fix under this version"
    if not version:
        factor = min(factor, MISSING)
    return Fact(verdict, round(probability * factor, 4), f"{what}, {sentence}", subject=True)


def upstream_version(kind: str, version: str) -> str:
    """The upstream part of a distribution's version: without epoch, revision and repacking (deb-version(7), RPM, apk).

    Records name upstream versions. Other kinds of packages stay as they are: their orders (semantic versioning, PEP
    440, Maven) agree with `analyzers.matching.versions.order` on numbers and pre-releases; a PEP 440 epoch does not.
    """
    if kind not in _DISTRIBUTIONS:
        return version
    bare = _EPOCH.sub("", version.strip())
    if "-" in bare:
        bare = bare.rpartition("-")[0]
    return _REPACKED.sub("", bare).replace("~", "-")


@lru_cache(maxsize=65536)
def _kind(purl: str) -> str:
    """Type of a package URL: ``npm``, ``pypi``, ``deb``; empty without one."""
    return purl_key(purl).removeprefix("purl:").split("/", 1)[0]
