from __future__ import annotations
from analyzers.matching.products import DeviceMatch
from meddojo.device import Device
from meddojo.vulnerability import Vulnerability
def match_description(device: Device, record: Vulnerability) -> DeviceMatch | None:
    return None
