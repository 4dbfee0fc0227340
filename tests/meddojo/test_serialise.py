from __future__ import annotations

import json
from datetime import UTC

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from meddojo.advisory import Advisory
from meddojo.case import Case
from meddojo.device import Device
from meddojo.finding import Citation, Decision, Finding
from meddojo.sbom import Sbom, ScanReport
from meddojo.serialise import from_json, to_json
from meddojo.severity import CvssScore
from meddojo.vulnerability import EpssScore, KevEntry, Vulnerability

text = st.text(max_size=12)
moment = st.datetimes(timezones=st.just(UTC))
# Readers let no number through that is none.
number = st.floats(allow_nan=False, allow_infinity=False)
st.register_type_strategy(CvssScore, st.builds(CvssScore, base_score=number))
st.register_type_strategy(EpssScore, st.builds(EpssScore, probability=number, percentile=number))
st.register_type_strategy(Citation, st.builds(Citation, probability=number))
st.register_type_strategy(Finding, st.builds(Finding, probability=number))


def few(kind: type) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(st.from_type(kind), max_size=1).map(tuple)


cases = st.builds(
    Case,
    device=st.from_type(Device),
    as_of=moment,
    sbom=st.none() | st.from_type(Sbom),
    scans=few(ScanReport),
    advisories=few(Advisory),
    vulnerabilities=few(Vulnerability),
    kev=st.dictionaries(text, st.from_type(KevEntry), max_size=2),
    epss=st.dictionaries(text, st.from_type(EpssScore), max_size=2),
    known_as=st.dictionaries(text, text, max_size=2),
    decisions=few(Decision),
)

slow_to_draw = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], max_examples=15)


@given(cases)
@slow_to_draw
def test_a_case_comes_back_as_it_was(case: Case) -> None:
    again = Case.from_json(case.to_json())
    assert again == case
    assert again.to_json() == case.to_json()


@given(st.from_type(Finding))
@slow_to_draw
def test_a_finding_comes_back_as_it_was(finding: Finding) -> None:
    again = from_json(Finding, to_json(finding))
    assert again == finding and again.identity == finding.identity


def test_defaults_are_left_out_and_come_back() -> None:
    device = Device("a", "Philips", "IntelliVue MX800")
    assert json.loads(to_json(device)) == {"id": "a", "vendor": "Philips", "model": "IntelliVue MX800"}
    assert from_json(Device, to_json(device)) == device


@pytest.mark.parametrize("broken", ["", "{", "[]", "{}", '{"id": 1, "vendor": "v", "model": "m"}'])
def test_what_is_not_a_device_is_refused(broken: str) -> None:
    with pytest.raises(ValidationError):
        from_json(Device, broken)
