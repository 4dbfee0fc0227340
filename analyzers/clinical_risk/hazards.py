"""What could happen to a patient, in one line, by the table ``hazards.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from analyzers.clinical_risk.rules import Facts, Rule, read_rules, table
from meddojo.profile import Profile

_IMPACTS = ("I", "A", "C")


@dataclass(frozen=True, slots=True)
class Hazard:
    """A hazardous situation and the harm that could come of it, for one kind of impact."""

    impact: str
    rule: Rule
    situation: str
    harm: str


def line(facts: Facts, profile: Profile) -> str:
    """Hazardous situation, possible harm and existing controls (ISO 14971:2019, 3.5, 3.3 and clause 7.1).

    Returns
    -------
    str
        One line; it says so where no impact is rated, or none is stated.
    """
    found = [hazard for impact in _IMPACTS if (hazard := _first(impact, facts)) is not None]
    controls = f"Existing controls: {'; '.join(_controls(facts, profile)) or 'none stated'}."
    if not found:
        rated = any(impact in facts for impact in _IMPACTS)
        said = "none follows from the published rating" if rated else "not known, because no source rates the impact"
        return f"Hazardous situation: {said}. {controls}"
    situations = "; ".join(hazard.situation for hazard in found)
    harms = "; ".join(dict.fromkeys(hazard.harm for hazard in found))
    return f"Hazardous situation: {situations}. Possible harm: {harms}. {controls}"


def _first(impact: str, facts: Facts) -> Hazard | None:
    return next((hazard for hazard in hazards() if hazard.impact == impact and hazard.rule.holds(facts)), None)


def _controls(facts: Facts, profile: Profile) -> list[str]:
    """What the inventory states, and what it says of network and place."""
    told = list(profile.controls)
    filtered = "exposure" in facts and facts["exposure"].values == ("restricted",)
    if filtered and "control.network-segmentation" not in facts:
        told.append("a filtered network zone")
    if profile.physical_access == "locked":
        told.append("a locked room")
    return list(dict.fromkeys(told))


@cache
def hazards() -> tuple[Hazard, ...]:
    """The rows of the table."""
    return tuple(_read(row) for row in table("hazards.toml")["hazard"])


def _read(row: Mapping[str, object]) -> Hazard:
    (rule,) = read_rules([{"when": row["when"], "then": ""}])
    return Hazard(str(row["impact"]), rule, str(row["situation"]), str(row["harm"]))
