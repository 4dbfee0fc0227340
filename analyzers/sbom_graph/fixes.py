"""Which versions of a component carry the fix of a vulnerability, from whoever says so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from analyzers.matching.identifiers import cpe_key, parse_cpe, purl_key
from analyzers.matching.index import component_keys, package_key
from analyzers.matching.records.applicability import named_by
from analyzers.sbom_graph.locate import package_of
from meddojo.case import Case
from meddojo.finding import Finding
from meddojo.sbom import Component
from meddojo.vulnerability import Vulnerability

_BELOW = re.compile(r"<(?!=)\s*v?([0-9][\w.+~:-]*)")
_DISTRIBUTIONS = ("purl:deb/", "purl:rpm/", "purl:apk/", "purl:alpm/")


class Fixes:
    """Fixed versions by vulnerability and component.

    Parameters
    ----------
    case
        Its scan reports and CVE records are looked through.
    """

    def __init__(self, case: Case) -> None:
        self._scanned: dict[tuple[str, str], dict[str, None]] = {}
        for match in (match for scan in case.scans for match in scan.matches):
            for name in (match.vulnerability.id, *match.vulnerability.aliases):
                key = name.upper(), package_of(match.component)
                self._scanned.setdefault(key, {}).update(dict.fromkeys(match.fix_versions))
        self._records: dict[str, list[Vulnerability]] = {}
        for record in case.vulnerabilities:
            self._records.setdefault(record.id.upper(), []).append(record)

    def of(self, finding: Finding, component: Component) -> tuple[str, ...]:
        """Fixed versions of one component of a finding, the best source that knows any.

        A scanner that names them for just this package; the finding, where it is about one package only; the ends of
        the ranges that CVE records give. The last say nothing of a distribution's packages, which have versions of
        their own.
        """
        names = [name.upper() for name in (finding.check, *finding.aliases)]
        package = package_of(component)
        scanned = dict.fromkeys(version for name in names for version in self._scanned.get((name, package), ()))
        if scanned:
            return tuple(scanned)
        if finding.fix_versions and len({package_of(part) for part in finding.components}) == 1:
            return finding.fix_versions
        if package.startswith(_DISTRIBUTIONS):
            return ()
        records = (record for name in dict.fromkeys(names) for record in self._records.get(name, ()))
        return tuple(dict.fromkeys(end for record in records for end in range_ends(record, component)))


def range_ends(record: Vulnerability, component: Component) -> Iterator[str]:
    """First versions above the ranges that a record gives for a component: NVD's ``versionEndExcluding``, ``< 2.3``."""
    own = component_keys(component)
    for configuration in record.configurations:
        for match in named_by(configuration):
            if match.vulnerable and match.version_end_excluding and not own.isdisjoint(_product_keys(match.criteria)):
                yield match.version_end_excluding
    for product in record.affected if not record.configurations else ():
        if not own.isdisjoint({purl_key(product.purl), package_key(product.product)}):
            yield from _BELOW.findall(product.version_text)


def _product_keys(criteria: str) -> Iterable[str]:
    cpe = parse_cpe(criteria)
    return (cpe_key(criteria), package_key(cpe.product)) if cpe and cpe.part != "h" else ()
