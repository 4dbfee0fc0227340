"""The KEV catalogue: one JSON document, read whole each time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connectors.feeds.source import load_json, now, stamp
from connectors.http import PoliteSession
from connectors.json_object import JsonObject
from connectors.reading import skipped
from meddojo.config import FeedConfig
from meddojo.errors import InputError
from meddojo.interface import Checkpoint, Skipped
from meddojo.vulnerability import CVE_PATTERN, KevEntry

CATALOGUE = "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"


def build(config: FeedConfig) -> KevFeed:
    """The feed of the ``[feeds.kev]`` section; `source` is a file or URL."""
    return KevFeed(config.source or CATALOGUE, PoliteSession(config.network))


@dataclass(frozen=True, slots=True)
class KevFeed:
    """Yields one `KevEntry` a row."""

    source: str
    session: PoliteSession
    name: str = "kev"

    def update(self, cursor: str | None) -> Iterator[KevEntry | Skipped | Checkpoint]:
        """Yield the whole catalogue, which is small; what it no longer lists is no longer known to be exploited.

        Raises
        ------
        MeddojoError
            If the catalogue cannot be fetched or is not one.
        """
        started = stamp(now())
        catalogue = JsonObject.of(load_json(self.source, self.session), self.source)
        if "vulnerabilities" not in catalogue.value:
            raise InputError(self.source, "", "no list of vulnerabilities", "is this a KEV catalogue?")
        complete = True
        for row in catalogue.entries("vulnerabilities"):
            if isinstance(row, Skipped):
                complete = False
                yield row
                continue
            try:
                yield parse_row(row)
            except InputError as error:
                # It may be one we know: what cannot be read is not gone.
                complete = False
                yield skipped(error)
        yield Checkpoint(started, complete)


def parse_row(row: JsonObject) -> KevEntry:
    """Read one row of the catalogue.

    Raises
    ------
    InputError
        If the CVE id or the date it was added is missing or malformed.
    """
    cve = row.text("cveID").strip()
    if not CVE_PATTERN.fullmatch(cve):
        raise row.error("cveID", f"{cve[:40]!r} is not a CVE id")
    added = row.day("dateAdded")
    if added is None:
        raise row.error("dateAdded", "is missing")
    return KevEntry(
        cve=cve,
        date_added=added,
        due_date=row.day("dueDate"),
        required_action=row.text("requiredAction").strip(),
        ransomware_use=row.text("knownRansomwareCampaignUse").strip().lower() == "known",
    )
