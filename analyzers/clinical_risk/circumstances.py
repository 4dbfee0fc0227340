"""What is known of a device, as facts: what the inventory states, then what its product code lets conclude."""

from __future__ import annotations

from collections.abc import Iterator

from analyzers.clinical_risk.product_codes import concluded
from analyzers.clinical_risk.rules import Fact
from meddojo.config import AnalyzerConfig
from meddojo.device import Device


def circumstances(device: Device, config: AnalyzerConfig) -> dict[str, Fact]:
    """Every fact about a device that a table may ask for; what nobody knows is absent.

    A value the inventory states always goes before one that is concluded.
    """
    stated = {name: Fact(values, (f"{name} {', '.join(values)} (inventory)",)) for name, values in _stated(device)}
    facts = {**concluded(device.fda_product_code), **stated}
    exposure = config.exposure(device.network_zone)
    if exposure is not None:
        facts["exposure"] = Fact((exposure,), (f"zone {device.network_zone} is {exposure} (configuration)",))
    for control in device.profile.controls:
        name = "-".join(control.casefold().split())
        facts[f"control.{name}"] = Fact(("yes",), (f"control {control} (inventory)",))
    if segmentation := facts.get("control.network-segmentation"):
        facts["exposure"] = Fact(("restricted",), segmentation.origin)
    return facts


def _stated(device: Device) -> Iterator[tuple[str, tuple[str, ...]]]:
    profile = device.profile
    texts = {
        "purpose": profile.purpose,
        "patient_data": profile.patient_data,
        "physical_access": profile.physical_access,
        "fda_device_class": profile.fda_device_class,
        "iec62304_class": device.iec62304_class,
    }
    yield from ((name, (str(value),)) for name, value in texts.items() if value)
    flags = {"life_sustaining": profile.life_sustaining, "alarm": profile.alarm, "delivers": profile.delivers}
    yield from ((name, ("yes" if value else "no",)) for name, value in flags.items() if value is not None)
    if profile.connectivity:
        yield "connectivity", tuple(profile.connectivity)
