"""What to do about one stream, decided from what the server shows and what the ledger remembers.

Three things a reimport alone gets wrong are decided here: values it does not refresh, findings it would close or
reactivate against a person's word, and texts whose change would make the server take an old finding for a new one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.sinks.defectdojo.client import Policy
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

# The server signs its own notes so; any other was written by a person.
_IMPORT_NOTE = re.compile(r".* (by|from) .* re-upload.*", re.DOTALL)

# What can be read back of the default hash; it ignores case, so that the server's Title Case does no harm.
_HASHED_BY_DEFAULT = ("title", "description", "cwe")


@dataclass(frozen=True, slots=True)
class RemoteFinding:
    """A finding as the server shows it."""

    id: int
    identity: str
    values: Mapping[str, Any]
    mitigated: bool
    false_positive: bool
    out_of_scope: bool
    risk_accepted: bool
    decided: datetime | None
    justification: str
    closed_by_import: bool

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> RemoteFinding:
        """From ``GET /findings/``."""
        values = {name: row.get(name) for name in (*REFRESHED, *_HASHED_BY_DEFAULT)}
        values["vulnerability_ids"] = [each["vulnerability_id"] for each in row.get("vulnerability_ids") or ()]
        moment = row.get("mitigated") or row.get("last_status_update")
        notes = [str(note.get("entry", "")) for note in sorted(row.get("notes") or (), key=lambda note: note["id"])]
        written = [note for note in notes if not _IMPORT_NOTE.fullmatch(note)]
        return cls(
            int(row["id"]),
            row.get("unique_id_from_tool") or "",
            values,
            bool(row.get("is_mitigated")),
            bool(row.get("false_p")),
            bool(row.get("out_of_scope")),
            bool(row.get("risk_accepted")),
            datetime.fromisoformat(moment) if moment else None,
            written[-1] if written else "",
            any(note.startswith("Mitigated by ") and _IMPORT_NOTE.fullmatch(note) for note in notes),
        )

    def verdict(self, memory: DeliveredFinding | None) -> Verdict | None:
        """What a person decided about it; None if nobody did.

        A finding that is mitigated without our having closed it was mitigated by a person.
        """
        if self.false_positive:
            return Verdict.FALSE_POSITIVE
        if self.out_of_scope:
            return Verdict.OUT_OF_SCOPE
        if self.risk_accepted:
            return Verdict.RISK_ACCEPTED
        if self.mitigated and not self.closed_by_us(memory):
            return Verdict.MITIGATED
        return None

    def closed_by_us(self, memory: DeliveredFinding | None) -> bool:
        """Whether it is mitigated because we no longer reported it."""
        if memory is None:
            return self.mitigated and self.closed_by_import
        return self.mitigated and memory.state is not DeliveryState.OPEN


@dataclass(frozen=True, slots=True)
class Patch:
    """Fields of one finding to correct."""

    identity: str
    id: int
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps that bring one stream up to date; empty when it is.

    Attributes
    ----------
    upload
        Rows to reimport; empty when no finding is new and none is to be closed.
    close_old
        Whether the reimport closes what is not among `upload`.
    close_one_by_one
        Server numbers to close by hand, because the test holds findings that are not ours.
    closing
        Identities that will be closed, either way.
    reopen
        Server numbers of findings we closed that are back.
    memories
        How the ledger has to look before the first step, so that an interrupted run is understood afterwards.
    """

    upload: tuple[Row, ...] = ()
    close_old: bool = False
    close_one_by_one: tuple[int, ...] = ()
    closing: tuple[str, ...] = ()
    reopen: tuple[int, ...] = ()
    patches: tuple[Patch, ...] = ()
    memories: tuple[DeliveredFinding, ...] = field(default=(), compare=False)

    @property
    def empty(self) -> bool:
        """True when the server already shows what it should."""
        return not (self.upload or self.close_one_by_one or self.reopen or self.patches)


def make_plan(
    rows: Sequence[Row],
    remote: Sequence[RemoteFinding],
    memory: Mapping[str, DeliveredFinding],
    policy: Policy,
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
    policy
        Which fields the server hashes.
    complete
        False keeps every finding open that is missing from `rows`.
    """
    wanted = {row["unique_id_from_tool"]: row for row in rows}
    shown: dict[str, RemoteFinding] = {}
    for finding in sorted(remote, key=lambda each: each.id):
        shown.setdefault(finding.identity, finding)
    ours = {name: each for name, each in shown.items() if name in wanted or name in memory or name.startswith("mdj-")}
    strangers = len(ours) < len(remote)

    new = [name for name in wanted if name not in ours]
    closing = [
        name for name, each in ours.items() if name not in wanted and complete and _may_close(each, memory.get(name))
    ]
    by_hand = closing if strangers else []
    upload: list[Row] = []
    if new or (closing and not by_hand):
        upload = [
            _pinned(row, memory.get(name), ours.get(name), policy)
            for name, row in wanted.items()
            if not _settled(name, ours, memory)
        ]
        # What people keep open or accepted must be in the file, or the server would close it.
        kept = [name for name in ours if name not in wanted and name not in closing and not ours[name].mitigated]
        if closing and not by_hand:
            upload += [_pinned(_recalled(ours[name]), memory.get(name), ours[name], policy) for name in kept]
    reopen = [ours[name].id for name in wanted if name in ours and _may_reopen(ours[name], memory.get(name))]
    patches = [
        Patch(name, ours[name].id, changes)
        for name, row in wanted.items()
        if name in ours and not _settled(name, ours, memory)
        if (changes := _changes(row, ours[name], memory.get(name)))
    ]
    return Plan(
        tuple(upload),
        bool(closing and not by_hand),
        tuple(ours[name].id for name in by_hand),
        tuple(closing),
        tuple(reopen),
        tuple(patches),
        tuple(_memories(wanted, ours, memory, closing, patches)),
    )


def settle(
    rows: Sequence[Row], remote: Sequence[RemoteFinding], memory: Mapping[str, DeliveredFinding]
) -> tuple[DeliveredFinding, ...]:
    """The ledger once the server shows what it should; only entries that changed."""
    wanted = {row["unique_id_from_tool"]: row for row in rows}
    settled = []
    for finding in remote:
        known, row = memory.get(finding.identity), wanted.get(finding.identity)
        if row is not None:
            state = DeliveryState.OPEN
            values = {name: row[name] for name in REFRESHED if name in row and _same(row[name], finding.values[name])}
            past = dict(known.row) if known else _fresh(_adopted(row, finding))
            now = past | {"delivered": past["delivered"] | values, "intended": {}}
        elif known is not None:
            # A finding that a person reopened after we closed it stays CLOSED here, and hence is never closed again.
            state = DeliveryState.CLOSED if known.state is DeliveryState.CLOSING and finding.mitigated else known.state
            now = dict(known.row)
        else:
            continue
        entry = DeliveredFinding(finding.identity, state, finding.id, now)
        if entry != known:
            settled.append(entry)
    return tuple(settled)


def _may_close(finding: RemoteFinding, memory: DeliveredFinding | None) -> bool:
    """Open, undecided, and not reopened by a person after we closed it."""
    reopened = memory is not None and memory.state is DeliveryState.CLOSED
    return not finding.mitigated and not reopened and finding.verdict(memory) is None


def _may_reopen(finding: RemoteFinding, memory: DeliveredFinding | None) -> bool:
    return finding.closed_by_us(memory) and finding.verdict(memory) is None


def _settled(name: str, ours: Mapping[str, RemoteFinding], memory: Mapping[str, DeliveredFinding]) -> bool:
    """A person mitigated it: leave it out, so that the server neither reactivates nor annotates it."""
    return name in ours and ours[name].verdict(memory.get(name)) is Verdict.MITIGATED


def _pinned(row: Row, memory: DeliveredFinding | None, remote: RemoteFinding | None, policy: Policy) -> Row:
    """The row with the values the server hashed when it first saw the finding."""
    if remote is None and memory is None:
        return row
    first = memory.row["pinned"] if memory else _adopted(row, remote)
    pinned = {name: value for name, value in row.items() if name not in policy.hashed}
    return pinned | {name: first[name] for name in policy.hashed if name in first}


def _adopted(row: Row, remote: RemoteFinding | None) -> Row:
    """What the server hashed, as far as it can be told from what it shows."""
    if remote is None:
        return row
    shown = {name: remote.values[name] for name in _HASHED_BY_DEFAULT if remote.values[name]}
    return {name: value for name, value in row.items() if name not in _HASHED_BY_DEFAULT} | shown


def _recalled(finding: RemoteFinding) -> Row:
    """A row for a finding we no longer report but which is to stay as it is."""
    names = ("title", "severity", "description", "vulnerability_ids")
    return {name: finding.values[name] for name in names} | {"unique_id_from_tool": finding.identity}


def _changes(row: Row, remote: RemoteFinding, memory: DeliveredFinding | None) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for name in REFRESHED:
        if name not in row or _same(row[name], remote.values[name]):
            continue
        if _ours_to_change(name, remote.values[name], memory) and row[name] not in ([], None):
            changes[name] = row[name]
    if "cwe" in changes:
        changes["cwes"] = [{"cwe": changes.pop("cwe")}]
    return changes


def _ours_to_change(name: str, shown: Any, memory: DeliveredFinding | None) -> bool:
    """Whether the value shown is one we delivered, or were about to; any other was set by a person."""
    if memory is None:
        return name in FACTS
    delivered, intended = memory.row["delivered"], memory.row["intended"]
    return name not in delivered or _same(delivered[name], shown) or (name in intended and _same(intended[name], shown))


def _same(ours: Any, theirs: Any) -> bool:
    """Equal as far as the server's storage goes."""
    if isinstance(ours, float) or isinstance(theirs, float):
        return abs(float(ours or 0.0) - float(theirs or 0.0)) < 5e-6
    if isinstance(ours, list):
        return sorted(ours) == sorted(theirs or ())
    if isinstance(ours, str) or isinstance(theirs, str):
        return _folded(ours) == _folded(theirs)
    return (ours or 0) == (theirs or 0)


def _folded(text: Any) -> str:
    return "\n".join(line.rstrip() for line in str(text or "").strip().splitlines())


def _memories(
    wanted: Mapping[str, Row],
    ours: Mapping[str, RemoteFinding],
    memory: Mapping[str, DeliveredFinding],
    closing: Sequence[str],
    patches: Sequence[Patch],
) -> list[DeliveredFinding]:
    entries = []
    for name, row in wanted.items():
        if name not in ours and name not in memory:
            entries.append(
                DeliveredFinding(name, DeliveryState.OPEN, None, _fresh(row) | {"intended": _refreshed(row)})
            )
    for patch in patches:
        known = memory.get(patch.identity)
        row = wanted[patch.identity]
        past = dict(known.row) if known else _fresh(_adopted(row, ours[patch.identity]))
        state = known.state if known else DeliveryState.OPEN
        entries.append(DeliveredFinding(patch.identity, state, patch.id, past | {"intended": _refreshed(row)}))
    for name in closing:
        known = memory.get(name)
        past = dict(known.row) if known else _fresh(_recalled(ours[name]))
        entries.append(DeliveredFinding(name, DeliveryState.CLOSING, ours[name].id, past))
    return entries


def _fresh(pinned: Row) -> dict[str, Row]:
    """What the ledger keeps of a finding: as the server hashed it, as last delivered, as about to be delivered."""
    return {"pinned": pinned, "delivered": {}, "intended": {}}


def _refreshed(row: Row) -> Row:
    return {name: row[name] for name in REFRESHED if name in row}
