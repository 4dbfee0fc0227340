"""What is read, in the words of an error message."""

UNDERSTOOD = (
    "CycloneDX 1.2 to 1.6 (JSON, XML), SPDX 2.2 or 2.3 (JSON, YAML, XML, tag-value), SPDX 3.0 (JSON-LD) or Syft JSON"
)
