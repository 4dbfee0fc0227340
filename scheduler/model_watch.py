"""Whether the vulnerability classifier still fits what comes in: for ``meddojo status``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from meddojo.store import Store
from meddojo.vulnerability import Vulnerability

if TYPE_CHECKING:
    from analyzers.vuln_classifier.record import PublishedRecord, Scorer

WINDOW = timedelta(days=60)
_MOST = 1_000
_NVD = "nvd@nist.gov"
_CISA = "134c704f-9b21-4f2e-91b3-4a467353bcc0"  # CISA's ADP container, as NVD names its source
_RED_HAT = "secalert@redhat.com"


def model_state(store: Store, now: datetime) -> dict[str, Any]:
    """How the shipped model stands against the newest records; empty without a model or with too few records."""
    from analyzers.vuln_classifier.drift import FEWEST, arrivals, drift

    recent = [
        record
        for record in store.records.vulnerabilities_modified(now - WINDOW, _MOST)
        if record.description and record.published and record.published >= now - WINDOW
    ]
    if len(recent) < FEWEST:
        return {}
    from analyzers.vuln_classifier import as_published
    from analyzers.vuln_classifier.artefacts import shipped, shipped_folder
    from meddojo.model_files import manifest

    classifier = shipped()
    if classifier is None:
        return {}
    reference = manifest(shipped_folder()).get("drift", {})
    last_trained = datetime.combine(date.fromisoformat(classifier.version[:10]), datetime.min.time(), UTC)
    words = drift(classifier, reference, [as_published(record) for record in recent]) if reference else None
    rated = arrivals(classifier, list(_rated([each for each in recent if _after(each, last_trained)])))
    return {
        "version": classifier.version,
        "records": len(recent),
        "unknown_words": words and round(words.now, 4),
        "unknown_words_expected": words and round(words.before, 4),
        "drift_p_value": words and words.p_value,
        "rated_since": rated.records,
        "bands_right": rated.right,
        "alarms": [
            *([_drifted(words.before, words.now, len(recent))] if words and words.alarming else []),
            *([_off(rated.right, rated.records)] if rated.alarming else []),
        ],
    }


def _drifted(before: float, now: float, records: int) -> str:
    return (
        f"the descriptions of the last {WINDOW.days} days are unlike those the vulnerability classifier was trained "
        f"on: {now:.1%} of their words are unknown to it, {before:.1%} is usual ({records:,} records); train it anew"
    )


def _off(right: int, records: int) -> str:
    return (
        f"the vulnerability classifier is off: of {records:,} ratings published since it was trained, it has the band "
        f"of {right:,} right ({right / records:.0%}); train it anew"
    )


def _after(record: Vulnerability, moment: datetime) -> bool:
    return record.published is not None and record.published > moment


def _rated(records: Sequence[Vulnerability]) -> Iterator[tuple[PublishedRecord, Scorer, int]]:
    from analyzers.vuln_classifier import as_published
    from analyzers.vuln_classifier.record import Scorer

    known = {_NVD: Scorer.NVD, _CISA: Scorer.CISA, _RED_HAT: Scorer.RED_HAT}
    for record in records:
        for score in record.cvss:
            scorer = Scorer.ASSIGNER if score.scorer == record.assigner else known.get(score.scorer)
            if score.version.startswith("3.") and scorer is not None:
                yield as_published(record), scorer, score.severity.rank
