"""What several sinks derive from a finding: its headline score, its links, and what people decided about it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from meddojo.finding import Decision, Finding
from meddojo.severity import CvssScore
from meddojo.vulnerability import CVE_PATTERN

_GHSA_PATTERN = re.compile(r"GHSA(-[0-9a-z]{4}){3}")
_UNSAFE_IN_URL = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ufeff<>\"\\^`{|}]")


def headline_score(finding: Finding) -> CvssScore | None:
    """The score to show beside the severity.

    Returns
    -------
    CvssScore or None
        The environmental score, where the severity is its band; else the first published score whose band is the band
        delivered; else the first at all; None when there is none.
    """
    scored = finding.clinical.environmental if finding.clinical else None
    if scored is not None and scored.delivered and math.isfinite(scored.score):
        return CvssScore(scored.vector, scored.score, scored.version, "on this device")
    scores = [score for score in finding.cvss if math.isfinite(score.base_score) and 0.0 <= score.base_score <= 10.0]
    fitting = [score for score in scores if score.severity == finding.severity]
    return next(iter(fitting or scores), None)


def web_link(text: str) -> str:
    """The text as an address that is safe to follow, or an empty string.

    Only absolute ``http`` and ``https`` addresses without credentials qualify; everything else a source may put in a
    reference (``javascript:``, ``data:``, ``file:``, relative paths) is shown as text.
    """
    address = text.strip()
    if _UNSAFE_IN_URL.search(address):
        return ""
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return ""
    return address if parts.scheme in ("http", "https") and host and "@" not in parts.netloc else ""


def vulnerability_page(identifier: str) -> str:
    """The public page of a CVE or GHSA identifier; an empty string for any other."""
    if CVE_PATTERN.fullmatch(identifier):
        return f"https://nvd.nist.gov/vuln/detail/{identifier}"
    if _GHSA_PATTERN.fullmatch(identifier):
        return f"https://github.com/advisories/{identifier}"
    return ""


def decisions_by_identity(decisions: Iterable[Decision]) -> Mapping[str, Decision]:
    """The latest decision on each finding."""
    unknown = datetime.min.replace(tzinfo=UTC)
    return {decision.identity: decision for decision in sorted(decisions, key=lambda each: each.decided or unknown)}
