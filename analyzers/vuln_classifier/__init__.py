"""What sources will say one day, predicted from the text they say it in. The analyzer ``vuln_classifier``.

Only what is missing is filled in: a published rating or weakness always wins. Where the model has not enough to go
on, it says so, and the finding stays as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analyzers.matching.merge import UNRATED
from analyzers.vuln_classifier.record import PublishedRecord
from meddojo.case import Case
from meddojo.config import AnalyzerConfig
from meddojo.finding import Finding, Prediction, Stream
from meddojo.vulnerability import Vulnerability

if TYPE_CHECKING:
    from analyzers.vuln_classifier.classifier import Classifier

TAG_PREDICTED = "predicted-severity"


@dataclass(frozen=True, slots=True)
class VulnerabilityClassifier:
    """Analyzer that predicts severity, weakness and exploitation where no source states them.

    Attributes
    ----------
    classifier
        The models; None takes those that come with the package, once something is to be predicted.
    """

    classifier: Classifier | None = None
    name: str = "vuln_classifier"

    def judge(self, case: Case, findings: Sequence[Finding]) -> Sequence[Finding]:
        """Return the findings, those with something missing with a prediction."""
        open_places = [place for place, finding in enumerate(findings) if _lacks_something(finding)]
        if not open_places:
            return findings
        classifier = self.classifier or _shipped()
        if classifier is None:
            return findings
        from analyzers.vuln_classifier.filling import predictions

        lacking = [findings[place] for place in open_places]
        records = _records(case.vulnerabilities)
        read = [published_record(finding, records) for finding in lacking]
        found = predictions(classifier, read, [is_unrated(finding) for finding in lacking])
        filled = dict(zip(open_places, found, strict=True))
        return tuple(
            marked(finding, filled[place]) if place in filled else finding for place, finding in enumerate(findings)
        )


def build(config: AnalyzerConfig) -> VulnerabilityClassifier:
    """Make the analyzer; entry point ``meddojo.analyzers``."""
    return VulnerabilityClassifier()


def is_unrated(finding: Finding) -> bool:
    """Whether no source rates it in any way."""
    return not finding.cvss and finding.severity_reason == UNRATED


def marked(finding: Finding, prediction: Prediction) -> Finding:
    """The finding with its prediction; the severity is taken over where nobody rates it."""
    if not is_unrated(finding):
        return replace(finding, predicted=prediction)
    if prediction.severity is None:
        reason = f"{UNRATED}; {prediction.model} has not enough to go on to predict it"
        return replace(finding, predicted=prediction, severity_reason=reason)
    reason = (
        f"predicted {prediction.severity.value} with probability {prediction.probability:.2f} by {prediction.model}: "
        f"CVSS 3.1 base score {prediction.base_score:.1f}, {prediction.vector}; no source rates it yet"
    )
    tags = tuple(sorted({*finding.tags, TAG_PREDICTED}))
    return replace(finding, predicted=prediction, severity=prediction.severity, severity_reason=reason, tags=tags)


def published_record(finding: Finding, records: Mapping[str, Sequence[Vulnerability]]) -> PublishedRecord:
    """What the models may see of a finding: its text, and what the record of the CVE states beside it."""
    own = [as_published(record) for name in (finding.check, *finding.aliases) for record in records.get(name, ())]
    named = next((record for record in own if record.vendor or record.product), PublishedRecord(""))
    return PublishedRecord(
        description=next((record.description for record in own if record.description), finding.summary),
        assigner=next((record.assigner for record in own if record.assigner), ""),
        vendor=named.vendor,
        product=named.product,
        cwes=finding.cwes,
    )


def as_published(record: Vulnerability) -> PublishedRecord:
    """A stored record as the models see it: by its text, its assigner and the first product that he names."""
    first = record.affected[0] if record.affected else None
    vendor, product = (first.vendor, first.product) if first else ("", "")
    return PublishedRecord(record.description, record.assigner, vendor, product, record.cwes)


def _lacks_something(finding: Finding) -> bool:
    return finding.stream is Stream.VULNERABILITIES and (is_unrated(finding) or not finding.cwes)


def _records(vulnerabilities: Sequence[Vulnerability]) -> Mapping[str, Sequence[Vulnerability]]:
    found: defaultdict[str, list[Vulnerability]] = defaultdict(list)
    for record in sorted(vulnerabilities, key=lambda record: (record.source != "nvd", record.source, record.id)):
        for name in dict.fromkeys((record.id, *record.aliases)):
            found[name].append(record)
    return found


def _shipped() -> Classifier | None:
    from analyzers.vuln_classifier.artefacts import shipped

    return shipped()
