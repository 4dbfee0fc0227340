"""What could happen to a patient, in words."""

from __future__ import annotations

import re

import pytest

from analyzers.clinical_risk import hazards
from analyzers.clinical_risk.rules import Fact
from meddojo.profile import NOTHING_STATED, PhysicalAccess, Profile


def line(profile: Profile = NOTHING_STATED, **known: str) -> str:
    return hazards.line({name: Fact((value,), ()) for name, value in known.items()}, profile)


def test_the_same_outage_is_another_hazard_on_another_device() -> None:
    outage = {"C": "N", "I": "N", "A": "H"}
    ventilator = line(**outage, life_sustaining="yes", purpose="therapy")
    assert "life support could stop" in ventilator and "Possible harm: death or serious injury." in ventilator
    viewer = line(**outage, purpose="diagnosis")
    assert "result could be missing" in viewer and "Possible harm: delayed diagnosis and treatment." in viewer


def test_disclosure_is_no_physical_harm() -> None:
    told = line(C="H", I="N", A="N", purpose="diagnosis", patient_data="some", life_sustaining="yes")
    assert told == (
        "Hazardous situation: data of patients on the device could be disclosed. "
        "Possible harm: breach of confidentiality. Existing controls: none stated."
    )


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"I": "L", "delivers": "yes"}, "given in another amount"),
        ({"I": "H", "alarm": "yes"}, "alarm fails to sound"),
        ({"I": "H", "purpose": "diagnosis"}, "assigned to another patient"),
        ({"I": "H", "purpose": "support"}, "data handed on could be wrong"),
        ({"I": "H", "implant": "yes"}, "implant could act on settings"),
        ({"A": "H", "alarm": "yes"}, "alarms not reach staff"),
        ({"A": "H", "delivers": "yes"}, "therapy under way could be interrupted"),
        ({"C": "H", "patient_data": "records"}, "records of many patients"),
        ({"C": "H", "patient_data": "none"}, "prepare a further attack"),
        ({"C": "L", "I": "L", "A": "L"}, "the inventory does not state what the device is for"),
    ],
)
def test_situations(known: dict[str, str], expected: str) -> None:
    assert expected in line(**known)


def test_an_impact_nobody_rated_is_said_so() -> None:
    assert line(life_sustaining="yes").startswith("Hazardous situation: not known, because no source rates the impact.")
    assert line(C="N", I="N", A="N").startswith("Hazardous situation: none follows from the published rating.")


def test_controls_are_those_stated_and_those_of_the_place() -> None:
    profile = Profile(controls=("dose limits", "dose limits"), physical_access=PhysicalAccess.LOCKED)
    told = line(profile, A="H", exposure="restricted")
    assert told.endswith("Existing controls: dose limits; a filtered network zone; a locked room.")
    assert line(A="H", exposure="internal").endswith("Existing controls: none stated.")
    segmented = {"A": "H", "exposure": "restricted", "control.network-segmentation": "yes"}
    assert line(Profile(controls=("network segmentation",)), **segmented).endswith("controls: network segmentation.")


def test_every_situation_is_conservative_and_every_row_can_be_reached() -> None:
    for hazard in hazards.hazards():
        assert re.search(r"\bcould\b", hazard.situation) and not re.search(
            r"\b(will|must|always|never)\b", hazard.situation
        )
        known = {name: Fact((values[0],), ()) for name, values in hazard.rule.when.items()}
        found = next(each for each in hazards.hazards() if each.impact == hazard.impact and each.rule.holds(known))
        assert found is hazard
