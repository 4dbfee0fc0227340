"""One OSV record as vulnerabilities that the matching index finds by package URL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.feeds.osv.packages import package_url
from connectors.feeds.osv.ranges import version_texts
from connectors.json_object import JsonObject
from connectors.scans.ratings import cwe_numbers, rated, web_links
from meddojo.advisory import AffectedProduct
from meddojo.severity import CvssScore
from meddojo.vulnerability import CVE_PATTERN, Vulnerability

SOURCE = "OSV"
REJECTED = "Rejected"
"""`Vulnerability.status` of a record that was withdrawn."""


def parse_record(document: Any, origin: str) -> Iterator[Vulnerability]:
    """Read one record.

    ``aliases`` name the same vulnerability. ``upstream`` names those that an advisory of a distribution repairs: with
    one CVE it is the same, with several the advisory stands for each of them.

    Raises
    ------
    InputError
        If it is no OSV record, or a value in it is of the wrong type.
    """
    root = JsonObject.of(document, origin)
    name = root.required_text("id").strip()
    modified = root.instant("modified")
    if modified is None:
        raise root.error("modified", "is missing; is this an OSV record?")
    aliases = [each.strip() for each in root.texts("aliases") if each.strip()]
    upstream = [each.strip() for each in root.texts("upstream") if CVE_PATTERN.fullmatch(each.strip())]
    named = any(CVE_PATTERN.fullmatch(each) for each in (name, *aliases))
    details = root.object("database_specific")
    cwes = details.value.get("cwe_ids")
    for vulnerability, others in _names(name, aliases, [] if named else upstream):
        yield Vulnerability(
            id=vulnerability,
            source=SOURCE if vulnerability == name else f"{SOURCE} {name}",
            description=root.text("details").strip() or root.text("summary").strip(),
            aliases=tuple(sorted(set(others) - {vulnerability})),
            cvss=tuple(dict.fromkeys(_scores(root, name))),
            cwes=cwe_numbers(each for each in cwes if isinstance(each, str)) if isinstance(cwes, list) else (),
            references=web_links(each.text("url") for each in root.objects("references")),
            affected=tuple(_affected(root)),
            published=root.instant("published"),
            modified=modified,
            status=REJECTED if root.instant("withdrawn") else "",
        )


def _names(name: str, aliases: list[str], upstream: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Identifier and aliases of each vulnerability that a record stands for."""
    if len(upstream) < 2:
        yield name, [*aliases, *upstream]
        return
    for cve in dict.fromkeys(upstream):
        yield cve, []


def _scores(root: JsonObject, scorer: str) -> Iterator[CvssScore]:
    """Ratings of the record, or where it has none those of its packages; OSV gives vectors only."""
    owners = [root] if root.value.get("severity") else list(root.objects("affected"))
    for owner in owners:
        for rating in owner.objects("severity"):
            if rating.text("type").startswith("CVSS_"):
                score = rated(rating.text("score"), scorer)
                if score:
                    yield score


def _affected(root: JsonObject) -> Iterator[AffectedProduct]:
    """One product for each affected package and stretch of versions; what is no package is left out."""
    for number, entry in enumerate(root.objects("affected")):
        package = entry.object("package")
        ecosystem, name = package.text("ecosystem").strip(), package.text("name").strip()
        purl = package_url(ecosystem, name) or package.text("purl").strip()
        if not purl:
            continue
        for index, (text, kind) in enumerate(version_texts(entry)):
            yield AffectedProduct(
                product_id=f"{number}.{index}",
                vendor=ecosystem,
                product=name,
                version_text=text,
                version_kind=kind,
                purl=purl,
            )
