"""What to do about one stream, decided from what the server shows and what the ledger remembers.

A reimport refreshes few values of a finding it knows, closes what people accepted, and takes a finding whose text
changed for a new one. So a finding the server holds is never uploaded again: only new ones are imported, those that
changed are patched, those that are gone are closed by number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.sinks.generic_findings import Row
from meddojo.finding import Verdict
from meddojo.store.ledger import DeliveredFinding, DeliveryState

# Facts of ours the server keeps as they were at creation. Without a memory of what was delivered they are corrected;
# a severity is not, since people do change severities and nothing tells whose it is.
FACTS = (
    "epss_score",
    "epss_percentile",
    "known_exploited",
    "ransomware_used",
    "kev_date",
    "cvssv3",
    "cvssv4",
    "fix_available",
    "fix_version",
    "cwe",
    "vulnerability_ids",
    "component_name",
    "component_version",
    "impact",
    "mitigation",
    "steps_to_reproduce",
    "severity_justification",
    "references",
)
JUDGEMENTS = ("severity",)
REFRESHED = FACTS + JUDGEMENTS

# EPSS moves a little for nearly every CVE every day, and the server takes six corrections a second: smaller steps wait.
_TOLERANCE = {"epss_score": 0.001, "epss_percentile": 0.01}
_EXACT = 5e-6

CLOSING_NOTE = "MedDojo: no source reports this any more."
_IDENTITY_PREFIX = "mdj-"
# The server signs its own notes so; any other was written by a person.
_IMPORT_NOTE = re.compile(r".* (by|from) .* re-upload.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class RemoteFinding:
    """A finding as the server shows it.

    Attributes
    ----------
    closings
        How often it was closed because no source reported it any more: one note each.
    closed_by_us
        Whether the last of these closings is what it is mitigated by.
    """

    id: int
    identity: str
    values: Mapping[str, Any]
    mitigated: bool
    false_positive: bool
    out_of_scope: bool
    risk_accepted: bool
    decided: datetime | None
    justification: str
    closings: int
    closed_by_us: bool

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> RemoteFinding:
        """From ``GET /findings/``."""
        values = {name: row.get(name) for name in REFRESHED}
        values["vulnerability_ids"] = [each["vulnerability_id"] for each in row.get("vulnerability_ids") or ()]
        mitigated, changed = _moment(row.get("mitigated")), _moment(row.get("last_status_update"))
        notes = sorted(row.get("notes") or (), key=lambda note: note["id"])
        closings = [moment for note in notes if _closes(note["entry"]) and (moment := _moment(note.get("date")))]
        written = [note["entry"] for note in notes if not (_closes(note["entry"]) or _signed_by_server(note["entry"]))]
        # The server stamps a finding first and writes the note after; a later stamp is another closing: a person's.
        ours = bool(closings and mitigated and mitigated <= max(closings))
        return cls(
            int(row["id"]),
            row.get("unique_id_from_tool") or "",
            values,
            bool(row.get("is_mitigated")),
            bool(row.get("false_p")),
            bool(row.get("out_of_scope")),
            bool(row.get("risk_accepted")),
            mitigated or changed,
            written[-1] if written else "",
            len(closings),
            ours,
        )

    @property
    def verdict(self) -> Verdict | None:
        """What a person decided about it; None if nobody did.

        A finding that is mitigated without our having closed it was mitigated by a person.
        """
        if self.false_positive:
            return Verdict.FALSE_POSITIVE
        if self.out_of_scope:
            return Verdict.OUT_OF_SCOPE
        if self.risk_accepted:
            return Verdict.RISK_ACCEPTED
        if self.mitigated and not self.closed_by_us:
            return Verdict.MITIGATED
        return None


@dataclass(frozen=True, slots=True)
class Patch:
    """Fields of one finding to correct."""

    id: int
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps that bring one stream up to date; empty when it is.

    Attributes
    ----------
    create
        Rows the server does not have.
    close
        Server numbers of findings that are gone.
    reopen
        Server numbers of findings we closed that are back.
    memories
        How the ledger has to look before the first step, so that an interrupted run is understood afterwards.
    """

    create: tuple[Row, ...] = ()
    close: tuple[int, ...] = ()
    reopen: tuple[int, ...] = ()
    patches: tuple[Patch, ...] = ()
    memories: tuple[DeliveredFinding, ...] = field(default=(), compare=False)

    @property
    def empty(self) -> bool:
        """True when the server already shows what it should."""
        return not (self.create or self.close or self.reopen or self.patches)


def make_plan(
    rows: Sequence[Row],
    remote: Sequence[RemoteFinding],
    memory: Mapping[str, DeliveredFinding],
    *,
    complete: bool,
) -> Plan:
    """Decide what to send.

    Parameters
    ----------
    rows
        The stream as it should be.
    remote
        The test as the server shows it, foreign findings included.
    memory
        What the ledger knows of the stream, by identity.
    complete
        False keeps every finding open that is missing from `rows`.
    """
    wanted = _by_identity(rows)
    shown = {finding.identity for finding in remote}
    present = [(finding, wanted[finding.identity]) for finding in remote if finding.identity in wanted]
    gone = [finding for finding in _ours(remote) if complete and finding.identity not in wanted]
    memories, patches = [], []
    for finding, row in present:
        known = memory.get(finding.identity)
        # What a person mitigated is left alone altogether.
        changes = {} if finding.verdict is Verdict.MITIGATED else _changes(row, finding, known)
        if changes:
            patches.append(Patch(finding.id, _as_sent(changes)))
            memories.append(_remembered(known or _adopted(row, finding), intended=changes))
    create = [row for name, row in wanted.items() if name not in shown]
    return Plan(
        tuple(create),
        tuple(finding.id for finding in gone if _may_close(finding, memory.get(finding.identity))),
        tuple(finding.id for finding, _ in present if finding.closed_by_us and finding.verdict is None),
        tuple(patches),
        (*memories, *(_unseen(row) for row in create)),
    )


def settle(
    rows: Sequence[Row], remote: Sequence[RemoteFinding], memory: Mapping[str, DeliveredFinding]
) -> tuple[DeliveredFinding, ...]:
    """The ledger once the server shows what it should; only entries that changed."""
    wanted = _by_identity(rows)
    settled = (
        _settled(finding, wanted.get(finding.identity), memory.get(finding.identity)) for finding in _ours(remote)
    )
    return tuple(entry for entry in settled if entry and entry != memory.get(entry.identity))


def under_way(memory: Mapping[str, DeliveredFinding]) -> tuple[DeliveredFinding, ...]:
    """Findings that were sent for creation, and nobody knows yet what became of them."""
    return tuple(known for known in memory.values() if known.remote_id is None and known.row["intended"])


def answered(sent: Iterable[DeliveredFinding]) -> tuple[DeliveredFinding, ...]:
    """The same findings once the server is done with the upload, one way or the other."""
    return tuple(_remembered(known, delivered=known.row["intended"], intended={}) for known in sent)


def _by_identity(rows: Iterable[Row]) -> dict[str, Row]:
    return {row["unique_id_from_tool"]: row for row in rows}


def _ours(remote: Iterable[RemoteFinding]) -> Iterator[RemoteFinding]:
    return (finding for finding in remote if finding.identity.startswith(_IDENTITY_PREFIX))


def _may_close(finding: RemoteFinding, known: DeliveredFinding | None) -> bool:
    """Open, undecided, and not reopened by a person after we closed it."""
    reopened = finding.closings > (known.row["closings"] if known else 0)
    return not (finding.mitigated or finding.verdict or reopened)


def _changes(row: Row, finding: RemoteFinding, known: DeliveredFinding | None) -> dict[str, Any]:
    return {
        name: value
        for name, value in _refreshed(row).items()
        if value not in ([], None)
        and not _same(value, finding.values[name], _TOLERANCE.get(name, _EXACT))
        and _ours_to_change(name, finding.values[name], known)
    }


def _as_sent(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The server takes the CWE as a list of its own form."""
    others = {name: value for name, value in changes.items() if name != "cwe"}
    return others | ({"cwes": [{"cwe": changes["cwe"]}]} if "cwe" in changes else {})


def _ours_to_change(name: str, shown: Any, known: DeliveredFinding | None) -> bool:
    """Whether the value shown is one we delivered, or were about to; any other was set by a person."""
    if known is None:
        return name in FACTS
    delivered, intended = known.row["delivered"], known.row["intended"]
    return name not in delivered or _same(delivered[name], shown) or (name in intended and _same(intended[name], shown))


def _settled(finding: RemoteFinding, row: Row | None, known: DeliveredFinding | None) -> DeliveredFinding | None:
    if row is None:
        # `closings` stays: one more than remembered on an open finding means that a person reopened it.
        state = DeliveryState.CLOSED if finding.mitigated else DeliveryState.OPEN
        return known and DeliveredFinding(finding.identity, state, finding.id, known.row)
    known = known or _adopted(row, finding)
    values = {
        name: row[name]
        for name in REFRESHED
        if name in row
        and _same(row[name], finding.values[name], _TOLERANCE.get(name, _EXACT))
        and _ours_to_change(name, finding.values[name], known)
    }
    past = _remembered(known, delivered=known.row["delivered"] | values, intended={}, closings=finding.closings)
    return DeliveredFinding(finding.identity, DeliveryState.OPEN, finding.id, past.row)


def _unseen(row: Row) -> DeliveredFinding:
    """Memory of a finding that is about to be created."""
    memory = {"delivered": {}, "intended": _refreshed(row), "closings": 0}
    return DeliveredFinding(row["unique_id_from_tool"], DeliveryState.OPEN, None, memory)


def _adopted(row: Row, finding: RemoteFinding) -> DeliveredFinding:
    """Memory of a finding the ledger has lost: a severity that is not ours is taken for a person's."""
    judgements = {name: row[name] for name in JUDGEMENTS}
    memory = {"delivered": judgements, "intended": {}, "closings": finding.closings}
    return DeliveredFinding(finding.identity, DeliveryState.OPEN, finding.id, memory)


def _refreshed(row: Row) -> Row:
    return {name: row[name] for name in REFRESHED if name in row}


def _remembered(known: DeliveredFinding, **changes: Any) -> DeliveredFinding:
    return DeliveredFinding(known.identity, known.state, known.remote_id, {**known.row, **changes})


def _closes(note: str) -> bool:
    return note == CLOSING_NOTE or (note.startswith("Mitigated by ") and _signed_by_server(note))


def _signed_by_server(note: str) -> bool:
    return _IMPORT_NOTE.fullmatch(note) is not None


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _same(ours: Any, theirs: Any, tolerance: float = _EXACT) -> bool:
    """Equal as far as the server's storage goes, numbers within `tolerance`."""
    if isinstance(ours, float) or isinstance(theirs, float):
        return abs(float(ours or 0.0) - float(theirs or 0.0)) < tolerance
    if isinstance(ours, list):
        return sorted(ours) == sorted(theirs or ())
    if isinstance(ours, str) or isinstance(theirs, str):
        return _folded(ours) == _folded(theirs)
    return (ours or 0) == (theirs or 0)


def _folded(text: Any) -> str:
    return "\n".join(line.rstrip() for line in str(text or "").strip().splitlines())
