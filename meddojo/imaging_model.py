"""What is known of the imaging model in a device: its files, what it is declared to do, and what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from meddojo.severity import Severity


class ManifestState(StrEnum):
    """How the files of a model agree with the SHA-256 sums of its manifest."""

    INTACT = "intact"
    BROKEN = "broken"
    """A file was changed, is missing, or is one too many."""
    UNREADABLE = "unreadable"
    ABSENT = "absent"


class SignatureState(StrEnum):
    """Who vouches for the manifest."""

    TRUSTED = "trusted"
    UNCHECKED = "unchecked"
    """There is a signature, and no certificate was named to check it with."""
    WRONG = "wrong"
    """None of the trusted certificates made it, of this manifest."""
    UNSIGNED = "unsigned"


class FaultKind(StrEnum):
    """In what a file is not what the manifest says."""

    CHANGED = "changed"
    MISSING = "missing"
    EXTRA = "extra"


@dataclass(frozen=True, slots=True)
class FileFault:
    """A file, by its path below the model's folder, that is not what the manifest says."""

    file: str
    kind: FaultKind


@dataclass(frozen=True, slots=True)
class UnsafeFile:
    """A file that runs code, or reaches beyond the model, when it is loaded.

    Attributes
    ----------
    file
        Path below the model's folder.
    position
        Where in it: ``byte 20``, ``member data.pkl``, ``layer scale``. May be empty.
    rule
        Which rule of `imaging.inspection.unsafe_formats` it breaks.
    """

    file: str
    position: str
    rule: str
    cause: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a model is declared to keep; None where nothing is declared.

    Attributes
    ----------
    least_dice
        Of the mean over the cases of a reference set, 0 to 1.
    greatest_ece
        Of the expected calibration error about the lesions, 0 to 1.
    greatest_int8_difference
        Of the mean absolute difference of probability between the INT8 and the float model, 0 to 1.
    greatest_drift
        Of the Kolmogorov-Smirnov distance between a property of incoming images and of the training images, 0 to 1.
    """

    least_dice: float | None = None
    greatest_ece: float | None = None
    greatest_int8_difference: float | None = None
    greatest_drift: float | None = None


NO_BOUNDS = Bounds()


@dataclass(frozen=True, slots=True)
class FileCheck:
    """What one look at a model's folder found.

    Attributes
    ----------
    digests
        SHA-256 of every file that is there, by its path below the folder; manifest and signature are left out.
    manifest_fault
        Why the manifest cannot be read; empty if it can.
    signer
        Fingerprint of the certificate that signed, or why the signature counts for nothing.
    not_looked_at
        Files that were too large, too deep or damaged, with the reason: nothing is known of them.
    """

    name: str
    version: str
    digests: tuple[tuple[str, str], ...]
    manifest: ManifestState
    signature: SignatureState
    manifest_fault: str = ""
    signer: str = ""
    faults: tuple[FileFault, ...] = ()
    unsafe: tuple[UnsafeFile, ...] = ()
    not_looked_at: tuple[str, ...] = ()
    bounds: Bounds = NO_BOUNDS


class Property(StrEnum):
    """What of a model is measured."""

    ACCURACY = "accuracy"
    CALIBRATION = "calibration"
    INT8 = "int8"
    DRIFT = "drift"


@dataclass(frozen=True, slots=True)
class Figure:
    """A property of a model, measured.

    Attributes
    ----------
    low, high
        95 % confidence interval of `value`; both None where none was computed.
    cases
        How many it was measured on.
    data
        Digest of these cases.
    files
        SHA-256 of the files that it hangs on: of other files it says nothing.
    bound
        What was declared when it was measured; None if nothing was.
    details
        What else was seen, a line each.
    """

    property: Property
    value: float
    cases: int
    data: str
    measured: datetime
    files: tuple[tuple[str, str], ...]
    low: float | None = None
    high: float | None = None
    bound: float | None = None
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelInspection:
    """All that is known of a device's imaging model.

    Attributes
    ----------
    checked
        When its files were last looked at.
    figures
        The newest of every property that was ever measured.
    """

    files: FileCheck
    checked: datetime
    figures: tuple[Figure, ...] = ()
