"""What threat intelligence says of a finding, as lines a person can read.

A line follows from what its publisher states, never from likeness: an object or a relationship that names the CVE, what
it is directly related to, and, one step on, the techniques for exploiting vulnerabilities of whoever exploits this one.
Threats to healthcare in general are told of findings only that are known to be exploited: they hold for every device.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from meddojo.case import Case
from meddojo.device import Device
from meddojo.finding import Finding
from meddojo.threat import HEALTHCARE, Threat, ThreatRelation

TAG_USED = "used-in-attacks"
MOST_LINES = 12
MOST_NAMES = 5

_ATTACKERS = frozenset({"campaign", "infrastructure", "intrusion-set", "malware", "threat-actor", "tool"})
_TECHNIQUE = "attack-pattern"
_EXPLOITS = frozenset({"exploits", "targets", "uses"})
# Bookkeeping of a catalogue, not threats.
_SILENT = frozenset({"identity", "marking-definition", "vulnerability", "x-mitre-asset", "x-mitre-matrix"})


class ThreatContext:
    """The threats of one case, by what they are related to."""

    def __init__(self, case: Case) -> None:
        self._device = case.device
        self._threats = {each.id: each for each in case.threats if not each.revoked}
        self._of_cve: dict[str, list[Threat]] = defaultdict(list)
        self._told: dict[str, list[ThreatRelation]] = defaultdict(list)
        self._into: dict[str, list[ThreatRelation]] = defaultdict(list)
        self._from: dict[str, list[ThreatRelation]] = defaultdict(list)
        for threat in self._threats.values():
            for cve in threat.cves:
                self._of_cve[cve].append(threat)
        for relation in case.threat_relations:
            if relation.revoked or not {relation.source_id, relation.target_id} <= self._threats.keys():
                continue
            self._into[relation.target_id].append(relation)
            self._from[relation.source_id].append(relation)
            for cve in relation.cves:
                self._told[cve].append(relation)

    def lines(self, finding: Finding) -> tuple[tuple[str, ...], bool]:
        """What to say of a finding.

        Returns
        -------
        tuple
            The lines, most telling first, and whether someone is said to use the vulnerability in attacks.
        """
        names = dict.fromkeys((finding.check, *finding.aliases))
        used = [line for name in names for line in self._used(name)]
        related = [line for name in names for line in self._related(name)]
        about = list(self._about_device())
        sector = list(self._about_sector()) if finding.kev is not None else []
        lines = tuple(dict.fromkeys((*used, *related, *about, *sector)))
        return lines[:MOST_LINES], bool(used)

    def _used(self, cve: str) -> Iterator[str]:
        """Who exploits the vulnerability: stated by a relationship to it, or by one that names it."""
        techniques: dict[str, list[Threat]] = {}
        for relation in self._exploiting(cve):
            known = techniques.setdefault(relation.source_id, [])
            target = self._threats[relation.target_id]
            known += [target] if target.kind == _TECHNIQUE else self._exploitation(relation.source_id)
        for name, known in techniques.items():
            yield "; ".join([f"used by {self._threats[name].label}{self._behind(name)}", *_labels(known)])

    def _exploiting(self, cve: str) -> Iterator[ThreatRelation]:
        about = [each.id for each in self._of_cve[cve] if each.kind == "vulnerability"]
        to_it = [relation for name in about for relation in self._into[name]]
        for relation in {each.id: each for each in (*to_it, *self._told[cve])}.values():
            if relation.kind in _EXPLOITS and self._threats[relation.source_id].kind in _ATTACKERS:
                yield relation

    def _exploitation(self, name: str) -> list[Threat]:
        """Techniques by which an attacker exploits vulnerabilities, as ATT&CK calls them."""
        used = (self._threats[relation.target_id] for relation in self._from[name] if relation.kind == "uses")
        return [each for each in used if each.kind == _TECHNIQUE and each.name.startswith("Exploit")]

    def _behind(self, name: str) -> str:
        others = [self._threats[each.target_id] for each in self._from[name] if each.kind == "attributed-to"]
        return f", attributed to {' and '.join(_labels(others))}" if others else ""

    def _related(self, cve: str) -> Iterator[str]:
        """Techniques and countermeasures for the vulnerability, and whatever else names it."""
        exploiting = list(self._exploiting(cve))
        told = {name for each in exploiting for name in (each.source_id, each.target_id)}
        about = self._of_cve[cve]
        relations = [each for it in about if it.kind == "vulnerability" for each in self._into[it.id]]
        ends = {each.source_id: self._threats[each.source_id] for each in (*relations, *self._told[cve])}
        shown = {each.id: each for each in about} | ends
        others = [each for name, each in sorted(shown.items()) if name not in told and each.kind not in _SILENT]
        yield from (each.label for each in others if each.kind == _TECHNIQUE)
        yield from (f"countermeasure: {each.label}" for each in others if each.kind == "course-of-action")
        yield from _counted("indicator", [each for each in others if each.kind == "indicator"])
        rest = (each for each in others if each.kind not in (_TECHNIQUE, "course-of-action", "indicator"))
        yield from (f"named by {each.label}, {each.kind.replace('-', ' ')}" for each in rest)

    def _about_device(self) -> Iterator[str]:
        found = [each for each in self._threats.values() if _names(each, self._device) and each.kind not in _SILENT]
        if found:
            yield f"names this product: {_listed(found)}"

    def _about_sector(self) -> Iterator[str]:
        sector = {each.id for each in self._threats.values() if HEALTHCARE in each.sectors}
        aimed = {each.source_id for name in sector for each in self._into[name] if each.kind == "targets"}
        found = [self._threats[name] for name in sorted(sector | aimed) if self._threats[name].kind in _ATTACKERS]
        if found:
            yield f"attackers of healthcare: {_listed(found)}"


def _names(threat: Threat, device: Device) -> bool:
    text = _words(f"{threat.name} {threat.description}")
    return all(_words(name).strip() and _words(name) in text for name in (device.vendor, device.model))


def _words(text: str) -> str:
    """Letters and digits in lower case, one blank around each word."""
    return f" {' '.join(''.join(c if c.isalnum() else ' ' for c in text.lower()).split())} "


def _labels(threats: Iterable[Threat]) -> list[str]:
    return list(dict.fromkeys(each.label for each in threats))


def _listed(threats: Iterable[Threat]) -> str:
    labels = _labels(threats)
    more = f" and {len(labels) - MOST_NAMES:,} more" if len(labels) > MOST_NAMES else ""
    return ", ".join(labels[:MOST_NAMES]) + more


def _counted(what: str, threats: Sequence[Threat]) -> Iterator[str]:
    if threats:
        yield f"{len(threats):,} {what}{'' if len(threats) == 1 else 's'} published: {_listed(threats)}"
