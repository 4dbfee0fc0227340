"""PET/CT cases on disk: one ``.npz`` a case beside an ``index.json``, and their division by patient.

The format is that of the real data set the suite is measured on (soft-tissue sarcoma, DOI
10.7937/K9/TCIA.2015.7GO2GSKS): arrays ``pet_suv``, ``mask`` and, where there is one, ``ct_hu_on_pet_grid``, with axes
(columns, rows, slices). The index is a list of records with ``id``, ``shape`` and ``spacing`` (in mm, of the same
axes), optionally ``patient`` (the id where absent), and ``months`` with ``event`` for survival.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from meddojo.errors import InputError

Floats = npt.NDArray[np.float32]
Booleans = npt.NDArray[np.bool_]

INDEX = "index.json"
_MAX_INDEX_BYTES = 16 * 2**20
_MAX_CASE_BYTES = 2 * 2**30
"""Of one file, unpacked."""
_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
_ARRAYS = {"pet_suv", "mask", "ct_hu_on_pet_grid"}


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One scan of one patient; arrays have the shape (slices, rows, columns).

    Attributes
    ----------
    pet
        In g/ml (SUV by body weight).
    ct
        In HU, on the grid of PET; None where there is none.
    mask
        True within lesions.
    spacing_mm
        Between slices, rows and columns.
    months, event
        Time under observation, and whether it ended with the event; None where unknown.
    """

    name: str
    patient: str
    pet: Floats
    ct: Floats | None
    mask: Booleans
    spacing_mm: tuple[float, float, float]
    months: float | None = None
    event: bool | None = None

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel."""
        return math.prod(self.spacing_mm) / 1000.0

    def digest(self) -> str:
        """SHA-256 of the PET image, the same for the same image under another name."""
        return hashlib.sha256(repr(self.pet.shape).encode() + np.ascontiguousarray(self.pet).tobytes()).hexdigest()


@dataclass(frozen=True, slots=True)
class Split:
    """Names of patients."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]


def read_cases(folder: Path) -> Iterator[Case]:
    """Read a folder, case by case in the order of its index.

    Raises
    ------
    InputError
        If the index or a case is missing, damaged, too large, or the two disagree.
    """
    index = folder / INDEX
    seen: set[str] = set()
    for number, record in enumerate(_index(index)):
        if record.id in seen:
            raise InputError(str(index), f"/{number}/id", f"{record.id} is there twice")
        seen.add(record.id)
        path = folder / f"{record.id}.npz"
        arrays = _arrays(path)
        for key, array in arrays.items():
            if array.shape != record.shape:
                raise InputError(str(path), key, f"has the shape {array.shape}, the index says {record.shape}")
        columns, rows, slices = record.spacing
        ct = arrays.get("ct_hu_on_pet_grid")
        yield Case(
            name=record.id,
            patient=record.patient or record.id,
            pet=_turned(arrays["pet_suv"], path, "pet_suv"),
            ct=None if ct is None else _turned(ct, path, "ct_hu_on_pet_grid"),
            mask=np.ascontiguousarray((arrays["mask"] != 0).transpose(2, 1, 0)),
            spacing_mm=(slices, rows, columns),
            months=record.months,
            event=record.event,
        )


def write_case(folder: Path, case: Case) -> dict[str, Any]:
    """Write the arrays of a case; the same case gives the same bytes.

    Returns
    -------
    dict
        Its record for the index.
    """
    arrays = {"pet_suv": case.pet.transpose(2, 1, 0).astype(np.float16), "mask": case.mask.transpose(2, 1, 0)}
    if case.ct is not None:
        arrays["ct_hu_on_pet_grid"] = np.rint(case.ct.transpose(2, 1, 0)).astype(np.int16)
    arrays["mask"] = arrays["mask"].astype(np.uint8)
    np.savez_compressed(folder / f"{case.name}.npz", **arrays)  # type: ignore[arg-type]
    record: dict[str, Any] = {
        "id": case.name,
        "patient": case.patient,
        "shape": list(case.mask.shape[::-1]),
        "spacing": list(case.spacing_mm[::-1]),
        "mask_ml": round(float(case.mask.sum()) * case.voxel_ml, 3),
        "has_ct": case.ct is not None,
    }
    if case.months is not None:
        record |= {"months": case.months, "event": case.event}
    return record


def read_mask(path: Path) -> Booleans:
    """Read the mask of a ``.npz`` file of the format of cases; the other arrays need not be there.

    Returns
    -------
    numpy.ndarray
        Shape (slices, rows, columns).

    Raises
    ------
    InputError
        If the file is missing, damaged, too large, or holds no mask of three dimensions.
    """
    mask = _arrays(path, ("mask",))["mask"]
    if mask.ndim != 3:
        raise InputError(str(path), "mask", f"has {mask.ndim} dimensions, not three")
    return np.ascontiguousarray((mask != 0).transpose(2, 1, 0))


def add_case(folder: Path, case: Case) -> None:
    """Write a case beside those of a folder, which may be new; the index is written last and at once.

    Raises
    ------
    InputError
        If the folder has a case of that name, or its index is damaged.
    """
    index = folder / INDEX
    for name in (case.name, case.patient):
        if not re.fullmatch(_NAME, name):
            raise InputError(
                str(index), "id", f"a name has 1 to 64 of letters, digits, '_', '-', '.': {name!r} does not"
            )
    known = _index(index) if index.exists() else []
    if case.name in {record.id for record in known}:
        raise InputError(str(index), case.name, "is there already", "give the case another --name")
    folder.mkdir(parents=True, exist_ok=True)
    record = write_case(folder, case)
    # what others wrote into their records stays
    others = json.loads(index.read_bytes()) if known else []
    draft = folder / f".{INDEX}.new"
    draft.write_text(json.dumps([*others, record], indent=1) + "\n", "utf-8")
    draft.replace(index)


def free_name(folder: Path) -> str:
    """The first of CASE_0001, CASE_0002 ... that the index does not have.

    Raises
    ------
    InputError
        If the index is damaged.
    """
    index = folder / INDEX
    taken = {record.id for record in _index(index)} if index.exists() else set()
    return next(name for number in range(1, len(taken) + 2) if (name := f"CASE_{number:04d}") not in taken)


def write_index(folder: Path, records: Sequence[dict[str, Any]]) -> None:
    """Write the index; last, so that a folder with one is complete."""
    (folder / INDEX).write_text(json.dumps(list(records), indent=1) + "\n", "utf-8")


def split(
    patients: Sequence[str], folds: int, fold: int, seed: int, validation_share: float = 0.15, member: int = 0
) -> Split:
    """Divide patients: one fold for the test, of the others some for stopping early, the rest for training.

    Parameters
    ----------
    fold
        From 0; over all folds every patient is in the test once. A single fold has no test.
    validation_share
        Of those that are not the test; with 0 nobody is set aside.
    member
        Which of them are set aside: for each member of an ensemble the next ones.

    Raises
    ------
    InputError
        If there are fewer patients than parts.
    """
    names = sorted(set(patients))
    largest_test = -(-len(names) // folds) if folds > 0 else 0
    largest_test = largest_test if folds > 1 else 0
    # two at least are left for training and validation
    if not (1 <= folds <= len(names) and 0 <= fold < folds and len(names) - largest_test >= 2):
        raise InputError("split", f"fold {fold} of {folds}", f"{len(names)} patients cannot be divided so")
    order = np.random.default_rng(seed).permutation(len(names))
    mixed = [names[place] for place in order]
    test = mixed[fold::folds] if folds > 1 else []
    rest = [name for name in mixed if name not in set(test)]
    held = min(max(1, round(validation_share * len(rest))), len(rest) - 1) if validation_share else 0
    first = member * held % len(rest)
    rest = rest[first:] + rest[:first]
    return Split(train=tuple(rest[held:]), validation=tuple(rest[:held]), test=tuple(test))


def check_leakage(cases: Sequence[Case], division: Split) -> None:
    """Refuse a division that shows the test to the training.

    Raises
    ------
    InputError
        If a patient is in two parts, or two parts hold the same image under different names.
    """
    part_of: dict[str, str] = {}
    for part in ("train", "validation", "test"):
        for patient in getattr(division, part):
            if part_of.setdefault(patient, part) != part:
                raise InputError("split", patient, f"is in both {part_of[patient]} and {part}")
    first: dict[str, Case] = {}
    for case in cases:
        if case.patient not in part_of:
            continue
        other = first.setdefault(case.digest(), case)
        if part_of[other.patient] != part_of[case.patient]:
            raise InputError(
                "split",
                case.name,
                f"is the same image as {other.name}: one is in {part_of[case.patient]},"
                f" the other in {part_of[other.patient]}",
                "give both the same patient in the index",
            )


_Name = Annotated[str, Field(pattern=f"^{_NAME}$")]
_Length = Annotated[float, Field(gt=0.0, lt=1000.0)]
_Count = Annotated[int, Field(gt=0, lt=100_000)]


class _Record(BaseModel):
    """A case in the index; what else it says is for people."""

    model_config = ConfigDict(strict=True, frozen=True)

    id: _Name
    patient: _Name | None = None
    shape: tuple[_Count, _Count, _Count]
    spacing: tuple[_Length, _Length, _Length]
    months: Annotated[float, Field(gt=0.0, lt=10_000.0)] | None = None
    event: bool | None = None

    @model_validator(mode="after")
    def _both(self) -> _Record:
        if (self.months is None) != (self.event is None):
            raise ValueError("months and event go together")
        return self


_RECORDS = TypeAdapter(Annotated[list[_Record], Field(min_length=1)])


def _index(path: Path) -> list[_Record]:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_INDEX_BYTES + 1)
    except OSError as error:
        raise InputError(str(path), "", error.strerror or str(error), "make one: meddojo imaging synthesize") from error
    if len(content) > _MAX_INDEX_BYTES:
        raise InputError(str(path), "", f"is larger than {_MAX_INDEX_BYTES} bytes")
    try:
        return _RECORDS.validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        position = "/" + "/".join(map(str, first["loc"]))
        raise InputError(str(path), position, first["msg"]) from error


def _arrays(path: Path, needed: Sequence[str] = ("pet_suv", "mask")) -> dict[str, npt.NDArray[Any]]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [each for each in archive.infolist() if each.filename.removesuffix(".npy") in _ARRAYS]
            if sum(each.file_size for each in members) > _MAX_CASE_BYTES:
                raise InputError(str(path), "", f"unpacks to more than {_MAX_CASE_BYTES} bytes")
            found = {
                each.filename.removesuffix(".npy"): np.load(io.BytesIO(archive.read(each)), allow_pickle=False)
                for each in members
            }
    except OSError as error:
        raise InputError(str(path), "", error.strerror or str(error)) from error
    except (ValueError, EOFError, zipfile.BadZipFile, zipfile.error, NotImplementedError) as error:
        raise InputError(str(path), "", f"is no archive of arrays: {error}") from error
    for name in needed:
        if name not in found:
            raise InputError(str(path), name, "is missing")
    for key, array in found.items():
        if array.dtype.kind not in "fiub":
            raise InputError(str(path), key, f"holds no numbers but {array.dtype}")
    return found


def _turned(array: npt.NDArray[Any], path: Path, key: str) -> Floats:
    """Slices first."""
    turned = np.ascontiguousarray(array.transpose(2, 1, 0), dtype=np.float32)
    if not np.isfinite(turned).all():
        raise InputError(str(path), key, "holds values that are no numbers")
    return turned
