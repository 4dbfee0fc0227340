"""``meddojo lookup``: what is known about one CVE."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from scheduler.session import ConfigOption, JsonOption, QuietOption, Session, VerboseOption, open_session

if TYPE_CHECKING:
    from meddojo.vulnerability import Vulnerability


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Examples: `meddojo lookup CVE-2021-44228`  ·  `meddojo lookup CVE-2021-44228 --live --json`")(
        lookup
    )


def lookup(
    cve: Annotated[str, typer.Argument(help="CVE id")],
    live: Annotated[bool, typer.Option("--live", help="Ask NVD even if the store has the record")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """What the store, or else NVD itself, says about one CVE."""
    with open_session(config, verbose, quiet) as session:
        name = cve.strip().upper()
        records = () if live else session.store.records.vulnerabilities_called([name])
        for record in records or (_asked(name, session),):
            _show(record, session, as_json)


def _asked(name: str, session: Session) -> Vulnerability:
    from connectors.feeds.nvd.lookup import look_up
    from meddojo.config import FeedConfig

    section = session.config.feeds.get("nvd", FeedConfig())
    return look_up(name, section.api_key.get_secret_value(), session.config.network.proxy)


def _show(record: Vulnerability, session: Session, as_json: bool) -> None:
    from meddojo.serialise import to_json

    if as_json:
        typer.echo(to_json(record))
        return
    shelf = session.store.records
    kev = shelf.kev([record.id]).get(record.id)
    epss = shelf.epss([record.id], datetime.now(UTC).date()).get(record.id)
    lines = [f"{record.id} ({record.source}{', ' + record.status if record.status else ''})", record.description]
    lines += [
        f"CVSS {each.version} {each.base_score} {each.severity.value} by {each.scorer}: {each.vector}"
        for each in record.cvss
    ]
    lines += [f"CWE-{number}" for number in record.cwes]
    lines += [f"known exploited since {kev.date_added}"] if kev else []
    lines += [f"EPSS {epss.probability:.2%} ({epss.day})"] if epss else []
    typer.echo("\n".join(lines + list(record.references)))
