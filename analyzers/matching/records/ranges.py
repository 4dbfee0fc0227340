"""Version bounds of an NVD ``cpeMatch`` as the text `parse_versions` reads."""

from __future__ import annotations

from analyzers.matching.identifiers import parse_cpe
from meddojo.vulnerability import CpeMatch


def range_text(match: CpeMatch) -> str:
    """``>= 1.0 | < 2.0``, or the version of the name itself; empty means every version."""
    bounds = (
        (">=", match.version_start_including),
        (">", match.version_start_excluding),
        ("<=", match.version_end_including),
        ("<", match.version_end_excluding),
    )
    stated = [f"{operator} {version}" for operator, version in bounds if version]
    return " | ".join(stated) or cpe_version(match.criteria)


def cpe_version(text: str) -> str:
    """Version of a CPE, with its update; empty when it names none."""
    cpe = parse_cpe(text)
    if cpe is None or cpe.version in ("*", "-", ""):
        return ""
    return cpe.version if cpe.update in ("*", "-", "") else f"{cpe.version} {cpe.update}"
