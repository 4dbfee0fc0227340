"""The page: the report's values through the template, with style and script inlined and pinned by their hashes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from connectors.sinks.facts import vulnerability_page
from connectors.sinks.report import embedded
from connectors.sinks.report.charts import charts
from connectors.sinks.report.model import SEVERITIES, TOP_LENGTH, Report, read
from connectors.sinks.self_contained import PALETTE, asset, embed, page_environment, policy
from meddojo import __version__
from meddojo.clinical import SsvcDecision
from meddojo.interface import RunContext, StreamResult

# Rows that are also written out for browsers without scripts, in all and for one device; the rest is in findings.json.
STATIC_ROWS_IN_ALL = 10_000
STATIC_ROWS = range(20, 201)
SKIPPED_SHOWN = 200


def render(results: Sequence[StreamResult], context: RunContext) -> str:
    """The report as one self-contained HTML page.

    Parameters
    ----------
    results
        The present truth, stream by stream.
    context
        The run, its sources and decisions.

    Returns
    -------
    str
        HTML that loads nothing and allows no script but its own.
    """
    report = read(results, context)
    style, script = asset(PALETTE, "report.css"), asset("report.js")
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            charts=charts(report),
            index=embed(embedded.index(report.devices)),
            details=embed(embedded.details(report.devices)),
            choices=_choices(report),
            severities=SEVERITIES,
            decisions=tuple(reversed(SsvcDecision)),
            top=report.topics[:TOP_LENGTH],
            static_rows=_static_rows(len(report.devices)),
            skipped_shown=SKIPPED_SHOWN,
            version=__version__,
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
            policy=policy(style, script),
        )
    )


def _static_rows(devices: int) -> int:
    share = STATIC_ROWS_IN_ALL // max(1, devices)
    return min(max(share, STATIC_ROWS[0]), STATIC_ROWS[-1])


def _choices(report: Report) -> dict[str, list[str]]:
    """What the select boxes of the filter offer."""
    devices = [view.device for view in report.devices]
    return {
        "vendor": sorted({device.vendor for device in devices if device.vendor}),
        "zone": sorted({device.network_zone for device in devices if device.network_zone}),
        "stream": sorted({entry.finding.stream.value for view in report.devices for entry in view.entries}),
    }


@cache
def _environment() -> Environment:
    environment = page_environment()
    environment.filters.update(percent=percent, moment=_moment, page=vulnerability_page, clip=embedded.clip)
    environment.globals.update(source_names=embedded.source_names, fix_in_short=embedded.fix_in_short)
    return environment


def percent(share: float) -> str:
    """A share of 1 as people read it: ``0.04%``, ``3.2%``, ``94%``."""
    if not math.isfinite(share):
        return "–"
    value = share * 100
    if value == 0 or value >= 10:
        return ">99%" if 99.5 <= value < 100 else f"{value:.0f}%"
    return "<0.01%" if value < 0.005 else f"{value:.2f}%" if value < 1 else f"{value:.1f}%"


def _moment(time: datetime | None) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M") + " UTC" if time else "never"
