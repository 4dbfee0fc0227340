"""``docs/walkthrough.md`` recomputed: whatever it says of the example hospital has to be what a run says."""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path

import pytest

from meddojo.clinical import SsvcDecision
from meddojo.finding import Finding, Stream
from scheduler.pipeline import Outcome
from scheduler.summary import urgency

DOCUMENT = Path(__file__).parents[2] / "docs" / "walkthrough.md"
SECTIONS = re.split(r"^## ", DOCUMENT.read_text("utf-8"), flags=re.MULTILINE)[1:]
FENCE = re.compile(r"^```text\n(.*?)^```$", re.DOTALL | re.MULTILINE)
CALCULATION = re.compile(r"^```calculation\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCKS = [block for section in SECTIONS for block in FENCE.findall(section)]
DEVICES = 10


def block(finding: Finding) -> str:
    """What the document has to say of a finding, line by line."""
    clinical, best = finding.clinical, max(finding.citations, key=lambda each: each.probability)
    assert clinical is not None and clinical.environmental is not None
    scored = clinical.environmental
    lines = [
        ("device", finding.device_id),
        ("finding", finding.check),
        ("matched", f"{best.probability:.2f} by {best.source}: {best.reason}"),
        ("published", f"{scored.base_score:.1f} {scored.base_vector}"),
        ("here", f"{scored.score:.1f} {scored.vector}"),
        ("severity", finding.severity.value + (", needs review" if finding.needs_review else "")),
        *(("because", f"{each.gives} from {each.question}: {each.origin}") for each in clinical.answers if each.gives),
        ("SSVC", f"{clinical.decision.value} {clinical.ssvc_vector}"),
        ("path", clinical.path),
        ("hazard", clinical.hazard),
    ]
    return "".join(f"{name:<9} {value}\n" for name, value in lines)


def value(text: str, name: str) -> str:
    return next(line.removeprefix(name).strip() for line in text.splitlines() if line.startswith(f"{name} "))


@pytest.mark.parametrize("written", BLOCKS, ids=[value(each, "device") for each in BLOCKS])
def test_what_the_walkthrough_says_is_what_a_run_says(whole_first_run: tuple[Path, Outcome], written: str) -> None:
    device, check = value(written, "device"), value(written, "finding")
    found = [each for each in whole_first_run[1].findings if (each.device_id, each.check) == (device, check)]
    assert found, f"{DOCUMENT.name} tells of {check} on {device}, which a run no longer finds: choose another"
    computed = block(found[0])
    changed = sorted(set(written.splitlines()) ^ set(computed.splitlines()))
    assert written == computed, (
        f"{DOCUMENT.name} no longer holds for {check} on {device}.\n\nLines that differ:\n"
        + "\n".join(changed)
        + "\n\nIf the new ones are right, put this block in place of the old one and read its section again:\n\n"
        + computed
    )


def test_the_walkthrough_has_ten_devices_each_once() -> None:
    devices = Counter(value(each, "device") for each in BLOCKS)
    assert len(SECTIONS) == len(devices) == DEVICES and set(devices.values()) == {1}


@pytest.mark.parametrize("section", SECTIONS, ids=[section.splitlines()[0] for section in SECTIONS])
def test_every_score_in_the_prose_stands_in_the_block_beside_it(section: str) -> None:
    prose = CALCULATION.sub("", FENCE.sub("", section))
    told = set(re.findall(r"\*\*(\d+\.\d)\*\*", prose))  # scores are bold, other figures are not
    (text,) = FENCE.findall(section)
    known = {value(text, "published").split()[0], value(text, "here").split()[0]}
    assert told and told <= known, f"{sorted(told)} in {section.splitlines()[0]!r} are not {sorted(known)}"


LINES = [line for section in SECTIONS for each in CALCULATION.findall(section) for line in each.splitlines()]


@pytest.mark.parametrize("line", LINES)
def test_every_line_of_the_calculations_by_hand_is_right(line: str) -> None:
    left, _, right = line.rpartition(" = ")
    assert re.fullmatch(r"[\d.+*/() ,\-]+", re.sub(r"\b(min|ceil)\b", "", left))
    result = eval(left, {"__builtins__": {}, "min": min, "ceil": math.ceil})  # noqa: S307
    assert result == pytest.approx(float(right), abs=0.0051)


def test_there_are_calculations_and_they_end_in_the_score_of_their_section() -> None:
    ended = [
        (
            CALCULATION.findall(section)[0].splitlines()[-1].rpartition(" = ")[2],
            value(FENCE.findall(section)[0], "here"),
        )
        for section in SECTIONS
        if CALCULATION.search(section)
    ]
    assert len(ended) == 2 and all(here.startswith(f"{score} ") for score, here in ended)


def test_the_hospital_as_a_whole(whole_first_run: tuple[Path, Outcome]) -> None:
    findings = [each for each in whole_first_run[1].findings if each.stream is Stream.VULNERABILITIES]
    assert all(each.clinical is not None for each in findings)
    decisions = Counter(each.clinical.decision for each in findings if each.clinical)
    assert decisions[SsvcDecision.ACT] == 5
    first = sorted(findings, key=urgency)[:5]
    assert {(each.device_id, each.check) for each in first} == {
        ("petct-windows7", "CVE-2015-1635"),
        ("petct-windows7", "CVE-2019-0708"),
        ("pacs-vue", "CVE-2020-1938"),
        ("video-exacq", "CVE-2021-44228"),
        ("telemetry-receiver-xtr", "CVE-2019-0708"),
    }
    unrated = {each.check for each in findings if not each.cvss}
    assert "CVE-2021-41688" in unrated
    assert all(each.clinical.environmental is None for each in findings if each.clinical and each.check in unrated)
