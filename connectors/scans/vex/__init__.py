"""VEX documents: CSAF with the profile ``csaf_vex``, OpenVEX, and CycloneDX with an analysis of its vulnerabilities."""

from connectors.scans.vex.csaf import read_csaf_vex
from connectors.scans.vex.cyclonedx import read_cyclonedx_vex
from connectors.scans.vex.openvex import read_openvex

__all__ = ["read_csaf_vex", "read_cyclonedx_vex", "read_openvex"]
