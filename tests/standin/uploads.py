"""The parameters of an import, and what became of the findings."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.standin.state import Row


@dataclass(frozen=True)
class Upload:
    """The parameters of one import or reimport that reach the findings."""

    user: Row
    scan_type: str
    minimum_severity: str = "Info"
    active: bool | None = None
    verified: bool | None = None
    service: str | None = None
    scan_date: str | None = None
    tags: tuple[str, ...] = ()
    apply_tags_to_findings: bool = False
    close_old_findings: bool = False
    close_old_findings_product_scope: bool = False
    do_not_reactivate: bool = False
    version: str = ""
    branch_tag: str = ""
    build_id: str = ""
    commit_hash: str = ""
    settings: Row = field(default_factory=dict)
    break_after: int | None = None


@dataclass
class Outcome:
    """Findings by what happened to them."""

    created: list[Row] = field(default_factory=list)
    closed: list[Row] = field(default_factory=list)
    reactivated: list[Row] = field(default_factory=list)
    untouched: list[Row] = field(default_factory=list)
