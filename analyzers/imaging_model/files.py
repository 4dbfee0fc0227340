"""What the state of a model's files means: changed, unsigned, unsafe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from meddojo.imaging_model import FaultKind, FileCheck, ManifestState, SignatureState, UnsafeFile
from meddojo.severity import Severity

_LISTED = 10


@dataclass(frozen=True, slots=True)
class FileProblem:
    """Something wrong with the files, as a finding tells it.

    Attributes
    ----------
    check, title
        Never to be changed: the identity of the finding hangs on them.
    """

    check: str
    title: str
    severity: Severity
    reason: str
    summary: str
    what_to_do: str
    cwes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """How a rule of unsafe formats is told."""

    title: str
    reason: str
    what_to_do: str
    cwes: tuple[int, ...] = ()


_RUNS = "whoever can exchange the file runs code in the device as soon as it is loaded"
_REACHES = "loading it reads or writes files that are none of the model's"
_WEIGHTS = "Keep weights as plain arrays (.npz, safetensors) and settings as JSON, or use .tflite"

UNSAFE: Mapping[str, Kind] = {
    "pickle": Kind("The imaging model is loaded from a pickle", _RUNS, _WEIGHTS, (502,)),
    "object-array": Kind("The imaging model holds NumPy arrays of pickled objects", _RUNS, _WEIGHTS, (502,)),
    "keras-lambda": Kind("The imaging model holds Keras layers with code in them", _RUNS, _WEIGHTS, (94,)),
    "keras-module": Kind("The imaging model imports foreign modules when it is opened", _RUNS, _WEIGHTS, (94,)),
    "keras-h5": Kind(
        "The imaging model is a whole Keras model in HDF5",
        "its configuration can name code, and older versions of Keras run it without asking; none was found in it now",
        _WEIGHTS,
        (502,),
    ),
    "tensorflow-op": Kind(
        "The imaging model's graph has operations that reach files or code",
        "a graph is a program, and these operations reach beyond its tensors",
        "Ask the manufacturer for a model without them",
        (94,),
    ),
    "torchscript": Kind("The imaging model is TorchScript code", _RUNS, _WEIGHTS, (94,)),
    "onnx-path": Kind(
        "The imaging model takes tensors from outside its folder",
        _REACHES,
        "Keep the tensors beside the model",
        (22,),
    ),
    "archive-path": Kind(
        "The imaging model holds an archive that unpacks outside its folder", _REACHES, "Do not unpack it", (22,)
    ),
    "link": Kind(
        "The imaging model's folder holds a link that leaves it", _REACHES, "Put the file itself into the folder", (59,)
    ),
    "program": Kind(
        "The imaging model's folder holds programs",
        "a model needs none, and nobody expects them there",
        "Remove them, and find out who put them there",
    ),
}
"""By the rules of `imaging.inspection.unsafe_formats`."""
_UNKNOWN = Kind("The imaging model holds an unsafe file", "what it does when it is loaded is not known", _WEIGHTS)
_AGAIN = "Take the model out of use, get it again from the manufacturer, and find out who could write to its folder"


def problems(files: FileCheck) -> Iterator[FileProblem]:
    """Everything that is wrong with the files of a model."""
    yield from _tampered(files)
    yield from _signature(files)
    rules: dict[str, list[UnsafeFile]] = {}
    for each in files.unsafe:
        rules.setdefault(each.rule, []).append(each)
    for rule, found in sorted(rules.items()):
        yield _unsafe(rule, found)


def _tampered(files: FileCheck) -> Iterator[FileProblem]:
    check, title = "imaging-model-tampered", "Files of the imaging model are not those of its manifest"
    if files.manifest is ManifestState.UNREADABLE:
        summary = f"The manifest cannot be read: {files.manifest_fault}"
        reason = "nobody can tell any more whether the files are those that were released"
        yield FileProblem(check, title, Severity.HIGH, reason, summary, _AGAIN, (494,))
    elif files.faults:
        only_more = all(fault.kind is FaultKind.EXTRA for fault in files.faults)
        severity = Severity.MEDIUM if only_more else Severity.HIGH
        reason = (
            "there are files that were never released; the released ones are unchanged"
            if only_more
            else "what runs is not what was released and validated"
        )
        lines = [f"{fault.file}: {_FAULTS[fault.kind]}" for fault in files.faults]
        yield FileProblem(check, title, severity, reason, _listing(lines), _AGAIN, (494,))


_FAULTS: Mapping[FaultKind, str] = {
    FaultKind.CHANGED: "changed since the manifest was made",
    FaultKind.MISSING: "in the manifest, but not there",
    FaultKind.EXTRA: "there, but not in the manifest",
}


def _signature(files: FileCheck) -> Iterator[FileProblem]:
    if files.signature is SignatureState.WRONG:
        yield FileProblem(
            "imaging-model-signature",
            "The signature of the imaging model does not hold",
            Severity.HIGH,
            "somebody else than the trusted maker made the manifest, or changed it",
            f"The manifest: {files.signer}",
            _AGAIN,
            (347,),
        )
    elif files.signature is not SignatureState.TRUSTED:
        unchecked = files.signature is SignatureState.UNCHECKED
        if unchecked:
            summary = "There is a signature, but no certificate is named to check it with."
            todo = "Get the maker's OpenPGP certificate and name it as imaging_model_key in the inventory"
        elif files.manifest is ManifestState.ABSENT:
            summary = "There is no manifest: nobody can tell whether the files are those that were released."
            todo = "Ask the manufacturer for a signed manifest; of your own model make one: meddojo imaging sign"
        else:
            summary = (
                "There is a manifest, but no signature of it: whoever changes a file can change the manifest, too."
            )
            todo = "Ask the manufacturer to sign it; your own: meddojo imaging sign MODEL --key FILE"
        yield FileProblem(
            "imaging-model-unsigned",
            "Nobody vouches for the files of the imaging model",
            Severity.LOW if unchecked else Severity.MEDIUM,
            "a changed model would not be noticed; nothing says that it was changed",
            summary,
            todo,
            (353,),
        )


def _unsafe(rule: str, found: Sequence[UnsafeFile]) -> FileProblem:
    kind = UNSAFE.get(rule, _UNKNOWN)
    lines = [f"{each.file}{f' ({each.position})' if each.position else ''}: {each.cause}" for each in found]
    return FileProblem(
        f"imaging-model-unsafe-{rule}",
        kind.title,
        max((each.severity for each in found), key=lambda severity: severity.rank),
        kind.reason,
        _listing(lines),
        kind.what_to_do,
        kind.cwes,
    )


def _listing(lines: Sequence[str]) -> str:
    more = f"; … and {len(lines) - _LISTED:,} more" if len(lines) > _LISTED else ""
    return "; ".join(lines[:_LISTED]) + more
