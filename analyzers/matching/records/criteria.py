"""One ``cpeMatch`` of a CVE record against the device of the inventory."""

from __future__ import annotations

from analyzers.matching.identifiers import Cpe, cpe_key, cpe_names, parse_cpe
from analyzers.matching.index import device_keys, product_keys
from analyzers.matching.match import Match
from analyzers.matching.names.normalise import squash
from analyzers.matching.products import match_product
from analyzers.matching.records.ranges import cpe_version, range_text
from analyzers.matching.versions.installed import version_evidence
from meddojo.advisory import AffectedProduct
from meddojo.device import Device
from meddojo.vulnerability import CpeMatch

NAMED = 0.5
"""Less probably than this, a CPE name that has something in common with the device is that of another product."""

_OPEN = frozenset({"*", "-", ""})


def match_criteria(device: Device, match: CpeMatch) -> Match | None:
    """Compare by CPE if the device has one, else by vendor and product words; None when it names something else."""
    if product_keys("", "", match.criteria).isdisjoint(device_keys(device)):
        return None
    names = cpe_names(match.criteria)
    if names is None:
        return None
    same_cpe = bool(device.cpe) and cpe_key(device.cpe) == cpe_key(match.criteria)
    leaf = AffectedProduct(
        "",
        vendor=names[0],
        product=names[1],
        version_text=version_text(match, device.model, device.version, cpe_update(device.cpe)),
        cpe=match.criteria if same_cpe else "",
    )
    found = match_product(device, leaf)
    return found if found is not None and found.identity >= NAMED else None


def judge_criteria_version(device: Device, match: CpeMatch) -> Match:
    """Only the version, as a match whose probability is the factor the version puts on it."""
    installed = device.version or cpe_version(device.cpe)
    text = version_text(match, device.model, device.version, cpe_update(device.cpe))
    verdict, version = version_evidence(text, installed)
    return Match(verdict, (version,))


def version_text(match: CpeMatch, *spelled: str) -> str:
    """Versions that a ``cpeMatch`` names, as `parse_versions` reads them; empty means every version.

    A pattern (``7.?``) is read as a series. An update without a version (``-:sp1``) is a condition, unless it is
    spelled in what is known of the installed product.

    Parameters
    ----------
    spelled
        Name, version and update of the installed product.
    """
    text = range_text(match)
    cpe = parse_cpe(match.criteria)
    if cpe is None:
        return text
    if not text and cpe.update not in _OPEN:
        return "" if squash(cpe.update) in squash(" ".join(spelled)) else f"all versions with {cpe.update}"
    return text.replace("?", "x")


def cpe_update(text: str) -> str:
    """Update of a CPE name (``sp1``); empty when it names none."""
    cpe = parse_cpe(text)
    return "" if cpe is None or cpe.update in _OPEN else cpe.update


def stated_targets(cpe: Cpe) -> tuple[str, ...]:
    """Software and hardware that a CPE name says the product runs on (``target_sw``, ``target_hw``)."""
    return tuple(target.replace("_", " ") for target in (cpe.target, cpe.target_hardware) if target not in _OPEN)
