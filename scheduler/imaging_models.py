"""Imaging models on the road: a look at their files every night, and measurements when somebody asks for them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from meddojo.device import Device
from meddojo.errors import InputError
from meddojo.imaging_model import Figure, FileCheck
from meddojo.store import Store
from meddojo.store.imaging_models import ImagingModelShelf
from scheduler.console import Console


def keep_files(device: Device, store: Store) -> bool:
    """Look at the files of the model that the inventory names for a device.

    Returns
    -------
    bool
        Whether anything is other than before.

    Raises
    ------
    InputError, ConfigError
        If the folder or the certificate cannot be read; what was known before stands.
    """
    from imaging.inspection.files import check_files

    trusted = [Path(device.imaging_model_key)] if device.imaging_model_key else []
    now = datetime.now(UTC)
    check = check_files(Path(device.imaging_model), trusted, now)
    return store.imaging_models.keep_files(device.id, check, now)


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants to know of a model.

    Attributes
    ----------
    trusted
        Files of OpenPGP certificates; with any, one of them has to have signed before the model is loaded.
    reference
        Folder of cases with their truth, which the model was not trained on.
    incoming
        Folder of cases as they come in now; their masks are of no account.
    int8
        Name of the INT8 file; empty for the one there is.
    """

    folder: Path
    trusted: tuple[Path, ...] = ()
    reference: Path | None = None
    incoming: Path | None = None
    int8: str = ""
    seed: int = 1


def inspect(
    request: Request, console: Console, shelf: ImagingModelShelf | None = None, device_id: str = ""
) -> tuple[FileCheck, tuple[Figure, ...]]:
    """Look at a model's files, then measure it.

    Parameters
    ----------
    shelf, device_id
        Where each result is kept as soon as it is there, so that what fails later leaves it, and what was known before.

    Raises
    ------
    InputError
        If the model is not as it was sealed, or cases cannot be read or are among those of the training.
    """
    from imaging.inspection.files import check_files

    now = datetime.now(UTC)
    check = check_files(request.folder, request.trusted, now)
    if shelf:
        shelf.keep_files(device_id, check, now)
    measured = []
    for figure in _figures(request, check, console, now):
        measured.append(figure)
        if shelf:
            shelf.keep_figure(device_id, figure)
    return check, tuple(measured)


def _figures(request: Request, check: FileCheck, console: Console, now: datetime) -> Iterator[Figure]:
    from imaging.data.cases import Case, read_cases
    from imaging.inspection.drift import REFERENCE, describe, drift, read_reference

    folder, reference = request.folder, request.reference
    # read first, so that nobody waits for a measurement to be told that this one cannot be made
    trained_on = read_reference(folder) if request.incoming else None
    if reference:
        from imaging.inspection.measure import measure
        from imaging.inspection.opening import open_model

        model = open_model(folder, request.trusted, request.int8, console.warn)
        seen = _images_of_training(folder)

        def unseen() -> Iterator[Case]:
            for case in read_cases(reference):
                if case.digest() in seen:
                    raise InputError(str(reference), case.name, "is an image the model was trained on", "use others")
                yield case

        with console.track("reference set") as advance:
            yield from measure(unseen(), model, check.bounds, now, request.seed, advance)
    if request.incoming and trained_on:
        with console.track("incoming images") as advance:
            present = describe(read_cases(request.incoming), advance)
        files = {REFERENCE: dict(check.digests)[REFERENCE]}
        yield drift(trained_on, present, files, check.bounds, now)


def _images_of_training(folder: Path) -> Collection[str]:
    from imaging.segmentation.record import RUN, read_run

    return frozenset(read_run(folder).seen) if (folder / RUN).exists() else frozenset()


def lines(check: FileCheck, measured: Sequence[Figure]) -> Iterator[str]:
    """What was found, for a person."""
    name = f"{check.name} {check.version}".strip()
    yield f"{name}: {len(check.digests)} files, manifest {check.manifest}, signature {check.signature}"
    if check.manifest_fault or check.signer:
        yield f"  {check.manifest_fault or check.signer}"
    for fault in check.faults:
        yield f"  {fault.kind}: {fault.file}"
    for each in check.unsafe:
        place = f" ({each.position})" if each.position else ""
        yield f"  unsafe ({each.severity.value}): {each.file}{place}: {each.cause}"
    for each_line in check.not_looked_at:
        yield f"  not looked at: {each_line}"
    for figure in measured:
        interval = f" ({figure.low:.4f} to {figure.high:.4f})" if figure.low is not None else ""
        bound = f", declared {figure.bound:g}" if figure.bound is not None else ", no bound declared"
        yield f"  {figure.property}: {figure.value:.4f}{interval} on {figure.cases} cases{bound}"
        yield from (f"    {detail}" for detail in figure.details)
