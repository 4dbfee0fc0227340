"""The findings as JSON inside the page: a light index to filter on, and details that are parsed when a row is opened.

Both are arrays of arrays with named columns. What many findings share (a vulnerability's text, scores and references)
is stored once, in a pool, and referred to by position.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from connectors.sinks.facts import vulnerability_page, web_link
from connectors.sinks.report.model import DeviceView, Entry, ssvc_rank
from meddojo.finding import Finding

INDEX_COLUMNS = (
    "device",
    "check",
    "title",
    "page",
    "severity",
    "score",
    "ssvc",
    "epss",
    "kev",
    "probability",
    "review",
    "verdict",
    "stream",
    "sources",
    "fix",
    "components",
    "aliases",
)
DETAIL_COLUMNS = ("body", "citations", "remediations", "components", "clinical", "decision", "identity")

_TEXT_LIMIT = 4000
_LIST_LIMIT = 60


def index(devices: Sequence[DeviceView]) -> dict[str, Any]:
    """What filters and tables need of every finding; rows follow the order of `devices` and of their entries."""
    rows = [_index_row(number, entry) for number, view in enumerate(devices) for entry in view.entries]
    facts = [[view.device.id, view.device.label, view.device.vendor, view.device.network_zone] for view in devices]
    return {"columns": INDEX_COLUMNS, "rows": rows, "devices": facts}


def details(devices: Sequence[DeviceView]) -> dict[str, Any]:
    """Everything else, row by row in the order of `index`."""
    pool = _Pool()
    rows = [_detail_row(pool, entry) for view in devices for entry in view.entries]
    return {"columns": DETAIL_COLUMNS, "rows": rows, "pool": pool.items}


class _Pool:
    """Values stored once and named by their position."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._positions: dict[str, int] = {}

    def add(self, value: Any) -> int:
        key = json.dumps(value)
        if key not in self._positions:
            self._positions[key] = len(self.items)
            self.items.append(value)
        return self._positions[key]


def _index_row(device: int, entry: Entry) -> list[Any]:
    finding = entry.finding
    return [
        device,
        finding.check,
        clip(finding.title, 300),
        vulnerability_page(finding.check),
        finding.severity.rank,
        entry.score.base_score if entry.score else None,
        ssvc_rank(finding),
        _number(finding.epss.probability) if finding.epss else None,
        0 if finding.kev is None else 2 if finding.kev.ransomware_use else 1,
        _number(finding.probability),
        1 if finding.needs_review else 0,
        entry.decision.verdict.value if entry.decision else "",
        finding.stream.value,
        source_names(finding),
        fix_in_short(finding),
        clip(", ".join(dict.fromkeys(component.label for component in finding.components)), 300),
        clip(" ".join(alias for alias in finding.aliases if alias != finding.check), 300),
    ]


def _detail_row(pool: _Pool, entry: Entry) -> list[Any]:
    finding, decision = entry.finding, entry.decision
    citations = [
        [each.source, clip(each.document), web_link(each.document), _number(each.probability), clip(each.reason)]
        for each in finding.citations[:_LIST_LIMIT]
    ]
    remediations = [
        [step.category.replace("_", " "), clip(step.details), clip(step.url), web_link(step.url)]
        for step in finding.remediations[:_LIST_LIMIT]
    ]
    components = [[each.label, each.purl or each.cpe, each.supplier] for each in finding.components[:_LIST_LIMIT]]
    verdict = decision and [
        decision.verdict.value,
        decision.sink,
        decision.reference,
        web_link(decision.reference),
        decision.decided.date().isoformat() if decision.decided else "",
        clip(decision.justification),
    ]
    shared = (pool.add(each) for each in (_body(finding), citations, remediations, components, _clinical(finding)))
    return [*shared, verdict, finding.identity]


def _body(finding: Finding) -> dict[str, Any]:
    epss, kev = finding.epss, finding.kev
    return {
        "summary": clip(finding.summary),
        "reason": clip(finding.severity_reason),
        "cvss": [
            [each.version, _number(each.base_score), clip(each.vector, 300), each.scorer] for each in finding.cvss
        ],
        "cwes": finding.cwes,
        "aliases": finding.aliases,
        "references": [[clip(each), web_link(each)] for each in finding.references[:_LIST_LIMIT]],
        "fixes": finding.fix_versions[:_LIST_LIMIT],
        "tags": finding.tags,
        "epss": epss and [_number(epss.probability), _number(epss.percentile), epss.day.isoformat(), epss.movement],
        "predicted": [finding.predicted.model, *map(clip, finding.predicted.lines)] if finding.predicted else [],
        "threats": [clip(line) for line in finding.threats[:_LIST_LIMIT]],
        "path": [clip(line) for line in finding.supply_path[:_LIST_LIMIT]],
        "kev": kev
        and [
            kev.date_added.isoformat(),
            kev.due_date.isoformat() if kev.due_date else "",
            clip(kev.required_action),
            kev.ransomware_use,
        ],
    }


def _clinical(finding: Finding) -> dict[str, Any] | None:
    clinical = finding.clinical
    if clinical is None:
        return None
    scored = clinical.environmental
    return {
        "decision": clinical.decision.value,
        "path": clip(clinical.path),
        "vector": clinical.ssvc_vector,
        "hazard": clip(clinical.hazard),
        "scores": scored
        and [
            ["on this device", scored.version, _number(scored.score), clip(scored.vector, 400)],
            ["published", scored.version, _number(scored.base_score), clip(scored.base_vector, 300)],
        ],
        "answers": [
            [each.gives or each.question, each.question if each.gives else "", each.answer, clip(each.origin)]
            for each in clinical.answers
        ],
    }


def source_names(finding: Finding) -> str:
    """Who reported it, each once."""
    return clip(", ".join(dict.fromkeys(citation.source for citation in finding.citations)), 200)


def fix_in_short(finding: Finding) -> str:
    """Versions that carry the fix, or else what kind of remedy is named."""
    kinds = dict.fromkeys(step.category.replace("_", " ") for step in finding.remediations)
    return clip(", ".join(finding.fix_versions or kinds), 200) or "none named"


def clip(text: str, limit: int = _TEXT_LIMIT) -> str:
    """At most `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _number(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None
