"""What a match is worth when a source names something beside the device: judgements, the same for every source.

No labelled pair of the tuning half tells these apart, so they are set by hand; docs/matching.md says so.
"""

ON_PLATFORM = 0.9
"""The device is what the source names, and nobody checked what the source says it runs on."""

PLATFORM_ONLY = 0.7
"""The device is only the platform; whether the vulnerable software is on it is not known."""

FIRMWARE_OF = 0.97
"""The device is the hardware whose firmware the source names."""

IN_SBOM = 0.97
"""The bill of materials lists the part."""
