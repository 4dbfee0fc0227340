"""A device of the inventory."""

from __future__ import annotations

from dataclasses import dataclass

from meddojo.profile import NOTHING_STATED, Profile


@dataclass(frozen=True, slots=True)
class Device:
    """One line of the inventory: devices of one model and version that are looked after together.

    Attributes
    ----------
    id
        Stable identifier; findings, decisions and the DefectDojo product hang on it.
    version
        Installed firmware or software version; empty when unknown.
    quantity
        How many such devices stand there.
    udi_di
        Device identifier part of the UDI (GTIN, HIBCC or ICCBBA).
    model_number
        Order, catalogue or model number on the type plate.
    serial_number
        Serial numbers of these devices, divided by blanks, commas or semicolons.
    cpe
        CPE 2.3 formatted string.
    purl
        Package URL of the installed software.
    software_hash
        Cryptographic hash of the installed software image, as ``sha256:1f0c...``.
    fda_product_code
        Three letters of the FDA product classification.
    iec62304_class
        Software safety class ``A``, ``B`` or ``C`` (IEC 62304, 4.3); empty when unknown.
    sbom_file
        Path of the device's SBOM, absolute or relative to the inventory file.
    imaging_model
        Path of the folder that holds the model it reads images with, absolute or relative to the inventory file.
    imaging_model_key
        Path of the OpenPGP certificate of those who sign that model, as above.
    profile
        What it does for a patient and how it can be reached.
    """

    id: str
    vendor: str
    model: str
    version: str = ""
    quantity: int = 1
    location: str = ""
    network_zone: str = ""
    udi_di: str = ""
    cpe: str = ""
    purl: str = ""
    fda_product_code: str = ""
    iec62304_class: str = ""
    sbom_file: str = ""
    model_number: str = ""
    serial_number: str = ""
    software_hash: str = ""
    imaging_model: str = ""
    imaging_model_key: str = ""
    profile: Profile = NOTHING_STATED

    @property
    def label(self) -> str:
        """Vendor and model, as a person would say it."""
        return f"{self.vendor} {self.model}"
