"""What others state about the findings of a device (VEX): the analyzer ``vex``.

A finding about which somebody states "not affected" or "fixed" is no work: it is kept, with the reason, but not
delivered. Statements that clear go no further than they reach: the product has to be the device, at its version, and
every component the finding names has to be among those stated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from analyzers.matching.advisories import CLEARING
from analyzers.matching.identifiers import cpe_key, purl_key, purl_version
from analyzers.matching.index import affected_product_keys, component_keys, device_keys
from analyzers.matching.names.normalise import squash
from analyzers.matching.products import match_product
from analyzers.matching.versions.installed import judge_version
from analyzers.matching.versions.sets import Verdict
from meddojo.advisory import Advisory, AffectedProduct
from meddojo.case import Case
from meddojo.config import AnalyzerConfig
from meddojo.device import Device
from meddojo.errors import InputError
from meddojo.finding import Finding, Stream
from meddojo.sbom import Component, Sbom, ScanReport
from meddojo.vex import VexDocument, VexStatement, VexStatus, bound, device_urn, read_device_urn, statements_of

TAG_AFFECTED = "vex-affected"
TAG_INVESTIGATED = "vex-under-investigation"

_WORST_FIRST = (VexStatus.AFFECTED, VexStatus.UNDER_INVESTIGATION, VexStatus.FIXED, VexStatus.NOT_AFFECTED)


@dataclass(frozen=True, slots=True)
class Vex:
    """Analyzer that marks findings others have answered; it neither adds nor removes any."""

    name: str = "vex"

    def judge(self, case: Case, findings: Sequence[Finding]) -> Sequence[Finding]:
        """Return the findings, with `Finding.suppressed` saying why where a statement clears them.

        Of each author the newest statement counts; between authors the more cautious one.
        """
        stated = _stated(case)
        return tuple(_judged(case.device, finding, stated) for finding in findings)


def build(config: AnalyzerConfig) -> Vex:
    """Make the analyzer; entry point ``meddojo.analyzers``."""
    return Vex()


def cleared_components(case: Case, findings: Iterable[Finding]) -> Mapping[str, frozenset[Component]]:
    """Identity of a finding -> those of its components that somebody states are not affected, or fixed.

    A finding is answered as a whole only when all of them are.
    """
    stated = _stated(case)
    found = {}
    for finding in findings if stated else ():
        answers = zip(finding.components, _answers(case.device, finding, stated), strict=False)
        cleared = frozenset(part for part, answer in answers if answer is not None and answer.status.clears)
        if cleared:
            found[finding.identity] = cleared
    return found


def document_keys(document: VexDocument) -> frozenset[str]:
    """Index keys of everything a document states something about."""
    return frozenset().union(*(statement_keys(statement) for statement in document.statements))


def statement_keys(statement: VexStatement) -> frozenset[str]:
    """Index keys of the products of a statement."""
    names = {product.product_id for product in statement.products if read_device_urn(product.product_id)}
    return frozenset(names).union(*(affected_product_keys(product) for product in statement.products))


def evidence_keys(device: Device, sbom: Sbom | None, scans: Iterable[ScanReport]) -> frozenset[str]:
    """Keys under which statements about a device and what is in it are found."""
    parts = _components(sbom, scans)
    return frozenset({device_urn(device)}) | device_keys(device) | frozenset().union(*map(component_keys, parts))


def concerning(statements: Iterable[VexStatement], keys: frozenset[str]) -> tuple[VexStatement, ...]:
    """Those about a device: a person said so, or a product of theirs has one of its keys."""
    return tuple(each for each in statements if each.device_id or not keys.isdisjoint(statement_keys(each)))


def bind(
    document: VexDocument, device: Device, sbom: Sbom | None, scans: Iterable[ScanReport], origin: str
) -> VexDocument:
    """Take a document to be about the device that a person named.

    Where it names the device or something in it recognisably, only those products count; a document about one product
    that is not recognised is taken at the person's word.

    Raises
    ------
    InputError
        If it names several products and none of them is recognised.
    """
    parts = tuple(_components(sbom, scans))
    products = {product for statement in document.statements for product in statement.products}
    known = {product for product in products if _recognised(device, product, parts)}
    if not known and len({_called(product) for product in products}) > 1:
        names = ", ".join(sorted(_called(product) for product in products)[:5])
        raise InputError(
            origin,
            "",
            f"states something about several products ({names}), none of which is recognised as {device.label}",
            "import it without --device, or cut it down to the one product that is meant",
        )
    kept = known or products
    chosen = (
        replace(statement, products=tuple(product for product in statement.products if product in kept))
        for statement in document.statements
    )
    return bound(document, device, (statement for statement in chosen if statement.products))


def _stated(case: Case) -> Mapping[str, list[VexStatement]]:
    """Everything stated about the device of a case, by the names of vulnerabilities."""
    stated: dict[str, list[VexStatement]] = {}
    for statement in (*case.vex, *_published(case.advisories)):
        for name in statement.names:
            stated.setdefault(name, []).append(statement)
    return stated


def _published(advisories: Iterable[Advisory]) -> Iterator[VexStatement]:
    """VEX that came with a feed: "not affected" with its reason given by label, as only the profile VEX asks for."""
    for advisory in advisories:
        if any(vulnerability.flags for vulnerability in advisory.vulnerabilities):
            yield from (each for each in statements_of(advisory) if each.justification is not None)


def _judged(device: Device, finding: Finding, stated: Mapping[str, list[VexStatement]]) -> Finding:
    if finding.stream is not Stream.VULNERABILITIES:
        return finding
    answers = _answers(device, finding, stated)
    given = [answer for answer in answers if answer is not None]
    if given and len(given) == len(answers) and all(answer.status.clears for answer in given):
        return replace(finding, suppressed="; ".join(dict.fromkeys(answer.sentence for answer in given)))
    tags = {TAG_AFFECTED for answer in given if answer.status is VexStatus.AFFECTED}
    tags |= {TAG_INVESTIGATED for answer in given if answer.status is VexStatus.UNDER_INVESTIGATION}
    return replace(finding, tags=tuple(sorted({*finding.tags, *tags}))) if tags else finding


def _answers(
    device: Device, finding: Finding, stated: Mapping[str, list[VexStatement]]
) -> tuple[VexStatement | None, ...]:
    """What is stated about each component of a finding, or about the device where it names none."""
    names = {name.upper() for name in (finding.check, *finding.aliases)}
    named = [statement for name in sorted(names) for statement in stated.get(name, ())]
    units: tuple[Component | None, ...] = finding.components or (None,)
    return tuple(_answer(each for each in named if _applies(device, each, unit)) for unit in units)


def _answer(statements: Iterable[VexStatement]) -> VexStatement | None:
    """The newest of each author, and of these the most cautious."""
    newest: dict[str, VexStatement] = {}
    for statement in statements:
        known = newest.get(statement.author)
        if known is None or _order(statement) > _order(known):
            newest[statement.author] = statement
    return min(newest.values(), key=lambda each: (_caution(each), each.author, each.document), default=None)


def _order(statement: VexStatement) -> tuple[object, ...]:
    return statement.timestamp, -_caution(statement), statement.document, statement.version, statement.detail


def _caution(statement: VexStatement) -> int:
    return _WORST_FIRST.index(statement.status)


def _applies(device: Device, statement: VexStatement, unit: Component | None) -> bool:
    """Whether a statement is about the device, and about this component of a finding on it."""
    if statement.device_id and (statement.device_id, statement.device_version) != (device.id, device.version):
        return False
    if any(_is_device(device, product, bool(statement.device_id)) for product in statement.products):
        if unit is None or not statement.components:
            return True
        return any(_same_part(part, unit) for part in statement.components)
    if unit is None or statement.components:
        return False
    return any(_is_component(product, unit) for product in statement.products)


def _is_device(device: Device, product: AffectedProduct, taken_at_word: bool) -> bool:
    urn = read_device_urn(product.product_id)
    if urn is not None:
        named_otherwise = product.product and squash(product.product) != squash(device.model)
        return urn == (device.id, device.version) and not named_otherwise
    match = match_product(device, product)
    if not taken_at_word:
        return match is not None and match.verdict is Verdict.AFFECTED and match.probability >= CLEARING
    if product.version_text and not device.version:
        return False
    if match is not None:
        return match.verdict is not Verdict.NOT_AFFECTED
    return judge_version(product.version_text, device.version)[0] is not Verdict.NOT_AFFECTED


def _is_component(product: AffectedProduct, component: Component) -> bool:
    same_purl = purl_key(product.purl) and purl_key(product.purl) == purl_key(component.purl)
    same_cpe = cpe_key(product.cpe) and cpe_key(product.cpe) == cpe_key(component.cpe)
    if not (same_purl or same_cpe):
        return False
    return _same_version(product.version_text or purl_version(product.purl), component)


def _same_part(part: Component, component: Component) -> bool:
    one, other = purl_key(part.purl), purl_key(component.purl)
    if one and other:
        same = one == other
    else:
        same = squash(part.name) == squash(component.name) or bool(
            cpe_key(part.cpe) and cpe_key(part.cpe) == cpe_key(component.cpe)
        )
    return same and _same_version(part.version or purl_version(part.purl), component)


def _same_version(stated: str, component: Component) -> bool:
    """Whether a component is of the version or range stated; none stated means every one."""
    version = component.version or purl_version(component.purl)
    if not stated or stated == version:
        return True
    return bool(version) and judge_version(stated, version)[0] is Verdict.AFFECTED


def _recognised(device: Device, product: AffectedProduct, parts: Iterable[Component]) -> bool:
    urn = read_device_urn(product.product_id)
    if urn is not None:
        return urn[0] == device.id
    if match_product(device, product) is not None:
        return True
    keys = {purl_key(product.purl), cpe_key(product.cpe)} - {""}
    return any(not keys.isdisjoint((purl_key(part.purl), cpe_key(part.cpe))) for part in parts)


def _called(product: AffectedProduct) -> str:
    return product.product or product.full_name or product.purl or product.cpe or product.product_id


def _components(sbom: Sbom | None, scans: Iterable[ScanReport]) -> Iterator[Component]:
    yield from sbom.components if sbom is not None else ()
    yield from (match.component for scan in scans for match in scan.matches)
