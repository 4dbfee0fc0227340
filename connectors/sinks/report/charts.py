"""Charts as inline SVG; colours come from the style sheet's classes, so that they follow light and dark.

Every chart comes with a sentence that says what it shows (`Chart.text`), also for those who do not see it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from connectors.sinks.report.model import SEVERITIES, DeviceView, Report, Topic
from meddojo.severity import Severity

WIDTH = 420
RANKED_DEVICES = 8
_EPSS_FLOOR = 0.0001
_LABEL_LENGTH = 50
_LEFT, _TOP, _RIGHT, _BOTTOM = 46, 12, 408, 262


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing, its title, and what it shows in words; `name` is unique on the page."""

    name: str
    title: str
    text: str
    svg: Markup


def charts(report: Report) -> tuple[Chart, ...]:
    """The three charts of the page; none when nothing is open."""
    if not report.open:
        return ()
    return (severity_chart(report.counts), device_chart(report.devices), exploit_chart(report.topics))


def severity_chart(counts: Mapping[Severity, int]) -> Chart:
    """Open findings by severity, as bars."""
    most = max(counts.values(), default=0) or 1
    rows = []
    for row, severity in enumerate(SEVERITIES):
        y, number = 8 + row * 52, counts.get(severity, 0)
        width = max(2, round(270 * number / most)) if number else 0
        rows.append(_text(74, y + 23, severity.value, "end"))
        rows.append(_bar(84, y, width, 34, severity, f"{severity.value}: {number:,}"))
        rows.append(_text(92 + width, y + 23, f"{number:,}", css="value"))
    text = ", ".join(f"{counts.get(each, 0):,} {each.value.lower()}" for each in SEVERITIES)
    return Chart("severity", "Open findings by severity", f"{text}.", _svg("severity", 270, rows))


def device_chart(devices: Sequence[DeviceView]) -> Chart:
    """The devices with the worst open findings, as stacked bars."""
    ranked = [view for view in devices if view.open][:RANKED_DEVICES]
    most = max((len(view.open) for view in ranked), default=0) or 1
    rows, height = [], len(ranked) * 37
    for row, view in enumerate(ranked):
        y, x = 2 + row * 37, 4.0
        label = f"{view.device.label} {view.device.version}".strip()
        rows.append(_text(4, y + 12, label if len(label) <= _LABEL_LENGTH else label[: _LABEL_LENGTH - 1] + "…"))
        for severity in SEVERITIES:
            number = view.counts.get(severity, 0)
            if number:
                width = max(1.5, 350 * number / most)
                rows.append(_bar(x, y + 18, width, 12, severity, f"{label}: {number:,} {severity.value}"))
                x += width
        rows.append(_text(x + 6, y + 29, f"{len(view.open):,}", css="value"))
    named = "; ".join(f"{view.device.label}: {_bands(view)}" for view in ranked[:3])
    worst = "The worst device" if len(ranked) == 1 else f"The worst of {len(ranked)} devices"
    return Chart("devices", "Devices with the worst findings", f"{worst}. {named}.", _svg("devices", height, rows))


def _bands(view: DeviceView) -> str:
    return ", ".join(f"{view.counts[each]:,} {each.value.lower()}" for each in SEVERITIES if view.counts.get(each))


def exploit_chart(topics: Sequence[Topic]) -> Chart:
    """CVSS against EPSS (logarithmic), one mark a vulnerability; known exploited ones are diamonds."""
    marks: dict[tuple[int, int, bool], list[str]] = {}
    for topic in topics:
        point = _point(topic)
        if point is not None:
            marks.setdefault((*point, topic.kev is not None), []).append(topic.check)
    drawn = [
        _mark(x, y, exploited, checks) for (x, y, exploited), checks in sorted(marks.items(), key=lambda m: m[0][2])
    ]
    shown = sum(map(len, marks.values()))
    urgent = sum(len(checks) for (x, y, _), checks in marks.items() if x >= _x(7.0) and y <= _y(0.1))
    exploited = sum(len(checks) for (_, _, kev), checks in marks.items() if kev)
    left_out = f" {len(topics) - shown:,} without EPSS or CVSS are not drawn." if len(topics) > shown else ""
    text = (
        f"{shown:,} vulnerabilities. {urgent:,} are both severe (CVSS 7 or more) and likely to be exploited "
        f"(EPSS 10% or more); {exploited:,} are known to be exploited.{left_out}"
    )
    return Chart("exploit", "Severity and exploit prediction", text, _svg("exploit", 300, [*_axes(), *drawn]))


def _point(topic: Topic) -> tuple[int, int] | None:
    """Position in steps of two, so that a crowd of equal marks is drawn once."""
    score, epss = topic.lead.score, topic.epss
    if score is None or epss is None or not math.isfinite(epss.probability):
        return None
    return round(_x(score.base_score) / 2) * 2, round(_y(epss.probability) / 2) * 2


def _x(score: float) -> float:
    return _LEFT + (_RIGHT - _LEFT) * score / 10


def _y(probability: float) -> float:
    decades = math.log10(min(1.0, max(_EPSS_FLOOR, probability)) / _EPSS_FLOOR)
    return _BOTTOM - (_BOTTOM - _TOP) * decades / -math.log10(_EPSS_FLOOR)


def _axes() -> list[Markup]:
    corner = Markup('<rect class="corner" x="{:.0f}" y="{}" width="{:.0f}" height="{:.0f}"/>')
    line = Markup('<line class="grid" x1="{:.0f}" y1="{:.0f}" x2="{:.0f}" y2="{:.0f}"/>')
    parts = [corner.format(_x(7), _TOP, _RIGHT - _x(7), _y(0.1) - _TOP)]
    for score in range(0, 11, 2):
        parts += [
            line.format(_x(score), _TOP, _x(score), _BOTTOM),
            _text(_x(score), _BOTTOM + 17, str(score), "middle"),
        ]
    for probability, label in ((0.0001, "≤0.01%"), (0.001, "0.1%"), (0.01, "1%"), (0.1, "10%"), (1.0, "100%")):
        y = _y(probability)
        parts += [line.format(_LEFT, y, _RIGHT, y), _text(_LEFT - 5, y + 4, label, "end")]
    parts.append(_text((_LEFT + _RIGHT) / 2, _BOTTOM + 34, "CVSS score", "middle"))
    parts.append(_text(_x(7) + 6, _y(0.1) - 7, "severe and likely", css="faint"))
    return parts


def _mark(x: int, y: int, exploited: bool, checks: Sequence[str]) -> Markup:
    names = ", ".join(checks[:5]) + (f" and {len(checks) - 5:,} more" if len(checks) > 5 else "")
    if exploited:
        shape = Markup('<path class="exploited" d="M{} {}l6 6-6 6-6-6z">').format(x, y - 6)
        return shape + Markup("<title>{}, known exploited</title></path>").format(names)
    return Markup('<circle class="mark" cx="{}" cy="{}" r="4"><title>{}</title></circle>').format(x, y, names)


def _bar(x: float, y: float, width: float, height: float, severity: Severity, title: str) -> Markup:
    bar = Markup(
        '<rect class="fill-{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{}" rx="2"><title>{}</title></rect>'
    )
    return bar.format(severity.value.lower(), x, y, width, height, title)


def _text(x: float, y: float, text: str, anchor: str = "start", css: str = "label") -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(css, x, y, anchor, text)


def _svg(name: str, height: int, parts: Sequence[Markup]) -> Markup:
    head = Markup('<svg viewBox="0 0 {} {}" role="img" aria-labelledby="chart-{}" aria-describedby="chart-{}-text">')
    return head.format(WIDTH, height, name, name) + Markup("").join(map(escape, parts)) + Markup("</svg>")
