"""Cases: everything the store holds that may concern a device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from analyzers.matching.index import device_keys, sbom_keys
from analyzers.vex import concerning, evidence_keys
from meddojo.advisory import Advisory
from meddojo.case import Case
from meddojo.device import Device
from meddojo.sbom import Sbom, ScanReport
from meddojo.store import Store
from meddojo.vulnerability import Vulnerability


def build_case(device: Device, store: Store, as_of: datetime) -> Case:
    """Gather everything the store holds that may concern `device`."""
    return build_cases([device], store, as_of)[0]


def build_case_of(device: Device, sbom: Sbom, scans: Sequence[ScanReport], store: Store, as_of: datetime) -> Case:
    """The case of a device that need not be in the store, by a bill of materials and scan reports at hand."""
    return _cases([device], {device.id: sbom}, {device.id: tuple(scans)}, store, as_of)[0]


def build_cases(devices: Sequence[Device], store: Store, as_of: datetime) -> list[Case]:
    """Build the case of each device; what several of them need is asked for once."""
    names = [device.id for device in devices]
    return _cases(devices, store.evidence.sboms(names), store.evidence.scans_of(names), store, as_of)


def _cases(
    devices: Sequence[Device],
    sboms: Mapping[str, Sbom],
    scans: Mapping[str, tuple[ScanReport, ...]],
    store: Store,
    as_of: datetime,
) -> list[Case]:
    names = [device.id for device in devices]
    keys = [device_keys(device) for device in devices]
    parts = [sbom_keys(sboms[name]) if name in sboms else frozenset() for name in names]
    advisories = store.records.advisories_naming(keys)
    nominated = store.records.vulnerabilities_naming([own | inner for own, inner in zip(keys, parts, strict=True)])
    mentioned = [_mentioned(said, scans.get(name, ())) for name, said in zip(names, advisories, strict=True)]
    described = _by_id(store.records.vulnerabilities_called(frozenset().union(*mentioned)))
    cves = [
        sorted(called | {record.id for record in records}) for called, records in zip(mentioned, nominated, strict=True)
    ]
    every = frozenset().union(*cves)
    kev, epss = store.records.kev(every), store.records.epss(every, as_of.date())
    models = store.imaging_models.inspections(names)
    known_as, decisions = store.findings.known_as_each(names), store.findings.decisions_each(names)
    cases = []
    for number, device in enumerate(devices):
        sbom, reports = sboms.get(device.id), scans.get(device.id, ())
        records = {(record.source, record.id): record for record in nominated[number]}
        records |= {(each.source, each.id): each for name in mentioned[number] for each in described.get(name, ())}
        threats, relations = store.threats.concerning(device, cves[number])
        stated_about = evidence_keys(device, sbom, reports)
        cases.append(
            Case(
                device=device,
                as_of=as_of,
                sbom=sbom,
                scans=reports,
                advisories=advisories[number],
                vulnerabilities=tuple(records[name] for name in sorted(records)),
                kev={name: kev[name] for name in cves[number] if name in kev},
                epss={name: epss[name] for name in cves[number] if name in epss},
                known_as=known_as[device.id],
                decisions=decisions[device.id],
                threats=threats,
                threat_relations=relations,
                imaging_model=models.get(device.id),
                vex=concerning(store.vex.statements(device, stated_about), stated_about),
            )
        )
    return cases


def _mentioned(advisories: Sequence[Advisory], scans: Sequence[ScanReport]) -> set[str]:
    """Names of all vulnerabilities that advisories and scan reports speak of."""
    found = [match.vulnerability for scan in scans for match in scan.matches]
    return {each.id for advisory in advisories for each in advisory.vulnerabilities} | {
        name for vulnerability in found for name in (vulnerability.id, *vulnerability.aliases)
    }


def _by_id(records: Sequence[Vulnerability]) -> Mapping[str, list[Vulnerability]]:
    found: dict[str, list[Vulnerability]] = {}
    for record in records:
        found.setdefault(record.id, []).append(record)
    return found
