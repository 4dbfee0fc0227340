"""Known vulnerabilities from SARIF 2.1.0 (OASIS, *Static Analysis Results Interchange Format*).

SARIF has no field for a vulnerability or a component. The rule carries the CVE or GHSA id; the component stands in the
result's properties, in a logical location, or in the lines that Trivy and Grype write into their texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from connectors.json_object import JsonObject
from connectors.reading import parse_instant, skipped
from connectors.scans.ratings import cwe_numbers, web_links
from meddojo.errors import InputError
from meddojo.interface import Skipped
from meddojo.sbom import Component, ScanMatch, ScanReport
from meddojo.severity import Severity
from meddojo.vulnerability import Vulnerability, canonical_id

_IDENTIFIER = re.compile(r"CVE-\d{4}-\d{4,19}|GHSA(?:-[0-9a-z]{4}){3}", re.IGNORECASE)
_PURL = re.compile(r"pkg:[A-Za-z0-9.+-]+/[^\s\"'<>)\]]+")
_LINE = re.compile(r"^\s*(Package|Installed Version|Version|Fixed Version|Fix Version):[ \t]*(\S.*?)\s*$", re.M)
_LEVELS = {"error": Severity.HIGH, "warning": Severity.MEDIUM, "note": Severity.LOW, "none": Severity.INFO}
_PURL_KEYS = ("purl", "purls", "packageUrl", "package_url", "component", "components")
_NAME_KEYS = ("packageName", "package_name", "package", "component", "dependency")
_VERSION_KEYS = ("packageVersion", "package_version", "installedVersion", "installed_version", "version")
_NO_FINDING = ("pass", "notApplicable", "informational")
_OURSELVES = "MedDojo"


def read_sarif(document: Any, origin: str, received: datetime) -> tuple[ScanReport, tuple[Skipped, ...]]:
    """Read the results of a SARIF log that are about known vulnerabilities; the runs of a log count together.

    Parameters
    ----------
    received
        Stands in for the time of the scan when no invocation says it; aware.

    Returns
    -------
    report
        Results whose rule is a CVE or GHSA id; those that passed, were suppressed or are gone since the baseline are
        left out.
    skipped
        One for each result that could not be read, and one that counts those about anything else.

    Raises
    ------
    InputError
        If it is no SARIF 2.1.0 log, or one that MedDojo wrote itself.
    """
    root = JsonObject.of(document, origin)
    if root.text("version") != "2.1.0":
        raise InputError(origin, "/version", "not SARIF 2.1.0", "let the scanner write SARIF 2.1.0")
    matches: list[ScanMatch] = []
    left_out: list[Skipped] = []
    scanners: dict[str, str] = {}
    moments: list[datetime] = []
    total = foreign = 0
    for run in root.objects("runs"):
        driver = run.object("tool").object("driver")
        if driver.text("name") == _OURSELVES:
            raise InputError(origin, "/runs", "MedDojo wrote this log itself", "import the scanner's own report")
        scanners[driver.text("name") or "sarif"] = driver.text("semanticVersion") or driver.text("version")
        moments += _moments(run)
        rules = _rules(run)
        for result in run.objects("results"):
            total += 1
            try:
                names = _identifiers(result, _rule(result, rules))
                foreign += not names
                if names and _counts(result):
                    matches.append(_match(result, _rule(result, rules), names, driver.text("name") or "sarif"))
            except InputError as error:
                left_out.append(skipped(error))
    if foreign:
        said = f"{foreign:,} of {total:,} results are about no known vulnerability: their rule is no CVE or GHSA id"
        left_out.append(Skipped(origin, said))
    report = ScanReport(
        scanner=", ".join(scanners) or "sarif",
        scanner_version=", ".join(filter(None, scanners.values())),
        created=min(moments, default=received),
        target="",
        matches=tuple(matches),
    )
    return report, tuple(left_out)


def _moments(run: JsonObject) -> Iterator[datetime]:
    for invocation in run.objects("invocations"):
        moment = parse_instant(invocation.text("endTimeUtc") or invocation.text("startTimeUtc"))
        if moment:
            yield moment


def _rules(run: JsonObject) -> Mapping[str | int, JsonObject]:
    """Rules of the driver by id and by index (sections 3.19.23 and 3.27.6)."""
    rules = list(run.object("tool").object("driver").objects("rules"))
    return {rule.text("id"): rule for rule in rules} | dict(enumerate(rules))


def _rule(result: JsonObject, rules: Mapping[str | int, JsonObject]) -> JsonObject:
    reference = result.object("rule")
    keys: list[Any] = [
        result.text("ruleId"),
        result.value.get("ruleIndex"),
        reference.text("id"),
        reference.value.get("index"),
    ]
    found = (rules[key] for key in keys if isinstance(key, str | int) and key in rules)
    return next(found, JsonObject({}, result.origin, result.pointer))


def _counts(result: JsonObject) -> bool:
    """Whether the scanner still stands by the result (sections 3.27.9, 3.27.23 and 3.27.24)."""
    suppressed = [each.text("status") in ("", "accepted") for each in result.objects("suppressions")]
    return result.text("kind") not in _NO_FINDING and result.text("baselineState") != "absent" and not any(suppressed)


def _identifiers(result: JsonObject, rule: JsonObject) -> tuple[str, ...]:
    """CVE and GHSA ids; the first place that names any decides, aliases come from the rule."""
    places = (result.text("ruleId"), result.object("rule").text("id"), rule.text("id"), rule.text("name"))
    main = next((found for place in places if (found := _IDENTIFIER.findall(place))), [])
    if not main:
        return ()
    aliases = [name for text in _texts(rule.object("properties"), ("aliases",)) for name in _IDENTIFIER.findall(text)]
    return tuple(dict.fromkeys(_spelled(name) for name in (main[0], *aliases)))


def _spelled(name: str) -> str:
    return name.upper() if name.upper().startswith("CVE") else "GHSA" + name[4:].lower()


def _match(result: JsonObject, rule: JsonObject, names: tuple[str, ...], scanner: str) -> ScanMatch:
    lines = _lines(result, rule)
    fixed = lines.get("Fixed Version") or lines.get("Fix Version") or ""
    name = canonical_id(list(names))
    message = result.object("message").text("text").strip()
    about = rule.object("fullDescription").text("text").strip() or rule.object("shortDescription").text("text").strip()
    versions = tuple(version.strip() for version in fixed.split(",") if version.strip())
    return ScanMatch(
        vulnerability=Vulnerability(
            id=name,
            source=scanner,
            description=about or message,
            aliases=tuple(sorted(set(names) - {name})),
            cwes=cwe_numbers(_cwe_tags(rule)),
            references=web_links((rule.text("helpUri"),)),
        ),
        component=_component(result, rule, lines),
        severity=_severity(result, rule),
        fix_state="fixed" if versions else "unknown",
        fix_versions=versions,
    )


def _cwe_tags(rule: JsonObject) -> Iterator[str]:
    for tag in _texts(rule.object("properties"), ("tags",)):
        yield tag.removeprefix("external/cwe/")


def _severity(result: JsonObject, rule: JsonObject) -> Severity | None:
    """From the rule's ``security-severity``, which code forges defined, else from the level."""
    for owner in (result, rule):
        text = owner.object("properties").value.get("security-severity")
        try:
            return Severity.from_score(float(str(text)))
        except ValueError:
            continue
    level = result.text("level") or rule.object("defaultConfiguration").text("level") or "warning"
    return _LEVELS.get(level)


def _lines(result: JsonObject, rule: JsonObject) -> Mapping[str, str]:
    """``Package: openssl`` and the like, in the texts of Trivy (message) and Grype (help)."""
    texts = (rule.object("help").text("text"), result.object("message").text("text"))
    return {key: value for text in texts for key, value in _LINE.findall(text)}


def _component(result: JsonObject, rule: JsonObject, lines: Mapping[str, str]) -> Component:
    places = (result.object("properties"), rule.object("properties"))
    purl = next((purl for find in _PURL_PLACES for purl in find(result, rule)), "")
    name = next((text for place in places for text in _texts(place, _NAME_KEYS) if not _PURL.match(text)), "")
    version = next((text for place in places for text in _texts(place, _VERSION_KEYS)), "")
    name = name or lines.get("Package", "")
    version = version or lines.get("Installed Version", "") or lines.get("Version", "")
    if purl:
        named = _from_purl(purl)
        if named:
            return Component(purl, name or named[0], version or named[1], purl)
    name = name or _file(result)
    if not name:
        raise result.error("locations", "names no component, neither here nor in the properties")
    return Component(f"{name}@{version}", name, version)


def _purls_of_properties(result: JsonObject, rule: JsonObject) -> Iterator[str]:
    yield from (text for text in _texts(result.object("properties"), _PURL_KEYS) if _PURL.match(text))


def _purls_of_places(result: JsonObject, rule: JsonObject) -> Iterator[str]:
    for location in result.objects("locations"):
        for place in location.objects("logicalLocations"):
            for text in (place.text("fullyQualifiedName"), place.text("name")):
                yield from _PURL.findall(text)


def _purls_of_rule(result: JsonObject, rule: JsonObject) -> Iterator[str]:
    """A rule lists the packages of all its results: it tells only where there is one."""
    purls = [text for text in _texts(rule.object("properties"), _PURL_KEYS) if _PURL.match(text)]
    yield from purls if len(set(purls)) == 1 else ()


_PURL_PLACES: tuple[Callable[[JsonObject, JsonObject], Iterator[str]], ...] = (
    _purls_of_properties,
    _purls_of_places,
    _purls_of_rule,
)


def _file(result: JsonObject) -> str:
    """The file or artifact the result lies in."""
    for location in result.objects("locations"):
        uri = location.object("physicalLocation").object("artifactLocation").text("uri").strip()
        if uri:
            return uri
    return ""


def _from_purl(text: str) -> tuple[str, str] | None:
    from packageurl import PackageURL

    try:
        purl = PackageURL.from_string(text)
    except ValueError:
        return None
    return f"{purl.namespace}/{purl.name}" if purl.namespace else purl.name, purl.version or ""


def _texts(bag: JsonObject, keys: tuple[str, ...]) -> Iterator[str]:
    """Texts and lists of texts of a property bag, whose values may be anything (section 3.8)."""
    for key in keys:
        value = bag.value.get(key)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str) and item.strip():
                yield item.strip()
