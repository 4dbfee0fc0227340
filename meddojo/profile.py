"""What a device does for a patient, and how it can be reached: what the inventory states of both."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Purpose(StrEnum):
    """What the device is there for."""

    THERAPY = "therapy"
    DIAGNOSIS = "diagnosis"
    MONITORING = "monitoring"
    SUPPORT = "support"


class Connectivity(StrEnum):
    """How the device is connected to anything else."""

    NONE = "none"
    SERIAL = "serial"
    WIRED = "wired"
    WIRELESS = "wireless"
    BLUETOOTH = "bluetooth"


class PatientData(StrEnum):
    """How much data of patients the device holds: none, that of those it is used on, or the records of many."""

    NONE = "none"
    SOME = "some"
    RECORDS = "records"


class PhysicalAccess(StrEnum):
    """Who can touch the device."""

    PUBLIC = "public"
    STAFF = "staff"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class Profile:
    """What the inventory states; None and empty mean "not stated", never "no".

    Attributes
    ----------
    life_sustaining
        A patient could die or be seriously injured when it stops.
    alarm
        It alerts staff to the state of a patient.
    delivers
        It gives drugs or energy to a patient.
    fda_device_class
        ``1``, ``2`` or ``3`` (21 CFR 860.3).
    controls
        Compensating controls, in the hospital's words; those the analyzer ``clinical_risk`` knows by name count in the
        score, the others are told.
    """

    purpose: Purpose | None = None
    life_sustaining: bool | None = None
    alarm: bool | None = None
    delivers: bool | None = None
    connectivity: tuple[Connectivity, ...] = ()
    patient_data: PatientData | None = None
    physical_access: PhysicalAccess | None = None
    fda_device_class: str = ""
    controls: tuple[str, ...] = ()


NOTHING_STATED = Profile()
