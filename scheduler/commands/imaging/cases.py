"""Cases for the network: ``meddojo imaging synthesize``, ``import``; and back: ``export-seg``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from meddojo.errors import ConfigError
from scheduler.commands.imaging.group import SeedOption, group
from scheduler.session import JsonOption, QuietOption, VerboseOption, errors_told


@group.command(epilog="Example: `meddojo imaging synthesize --out cases --cases 40 --size 128 --seed 1`")
def synthesize(
    out: Annotated[Path, typer.Option("--out", help="New folder the cases are written to")],
    cases: Annotated[int, typer.Option("--cases", min=2, max=9999, help="How many patients")] = 40,
    size: Annotated[int, typer.Option("--size", min=16, max=512, help="Rows and columns of a slice")] = 128,
    slices: Annotated[int, typer.Option("--slices", min=1, max=160, help="Slices of 5 mm of each patient")] = 4,
    seed: SeedOption = 1,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Make PET/CT cases with lesions, and survival times whose best reachable C-index is known."""
    from scheduler.console import Console

    console = Console(-1 if quiet else verbose)
    with errors_told(console):
        from imaging.synthetic.synthesize import reachable_c_index
        from imaging.synthetic.synthesize import synthesize as make

        with console.track("cases", cases) as advance:
            patients = make(out, cases, size, slices, seed, advance)
        events, reachable = sum(each.event for each in patients), reachable_c_index(patients)
        if as_json:
            typer.echo(json.dumps({"cases": cases, "events": events, "reachable_c_index": round(reachable, 4)}))
        else:
            typer.echo(f"{cases} cases in {out}, {events} with an event; best reachable C-index {reachable:.3f}")


@group.command("import", epilog="Example: `meddojo imaging import --pet pet/ --ct ct/ --mask seg.dcm --out cases`")
def import_files(
    pet: Annotated[Path, typer.Option("--pet", help="Folder of a DICOM series, NIfTI file, PNG or JPEG", exists=True)],
    out: Annotated[Path, typer.Option("--out", help="Folder of cases, new or not", file_okay=False)],
    ct: Annotated[Path | None, typer.Option("--ct", help="The same of CT, on any grid", exists=True)] = None,
    mask: Annotated[
        Path | None, typer.Option("--mask", help="DICOM SEG or RTSTRUCT, NIfTI file, PNG or JPEG", exists=True)
    ] = None,
    segment: Annotated[
        str | None, typer.Option("--segment", help="Which of several: label, number, name of the ROI, or voxel value")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Of the case [default: the next of CASE_0001, CASE_0002 ...]")
    ] = None,
    patient: Annotated[
        str | None, typer.Option("--patient", help="Name that all cases of one patient share, none of theirs")
    ] = None,
    picture_spacing: Annotated[
        tuple[float, float, float] | None,
        typer.Option("--picture-spacing", help="mm between slices, rows and columns of PNG or JPEG"),
    ] = None,
    spacing: Annotated[
        tuple[float, float, float] | None,
        typer.Option("--spacing", help="Resample the case to so many mm between slices, rows and columns"),
    ] = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Make a case of PET (SUV from the header), CT and a mask. No name, number or date of a patient is kept."""
    from scheduler.console import Console

    console = Console(-1 if quiet else verbose)
    with errors_told(console):
        _needs_formats()
        from imaging.data.cases import add_case, free_name
        from imaging.data.importing import import_case
        from imaging.data.integrity import problems
        from imaging.data.resample import respaced

        name = name or free_name(out)
        with console.track("files") as advance:
            case, notes = import_case(
                name,
                pet,
                ct,
                mask,
                patient=patient,
                segment=segment,
                picture_spacing_mm=picture_spacing,
                advance=advance,
            )
        if spacing is not None:
            case = respaced(case, spacing, mask="nearest")
        told = [*notes, *(each.removeprefix(f"{name}: ") for each in problems([case]))]
        add_case(out, case)
        lesion_ml = float(case.mask.sum()) * case.voxel_ml
        if as_json:
            typer.echo(
                json.dumps(
                    {
                        "case": name,
                        "shape": case.mask.shape,
                        "spacing_mm": case.spacing_mm,
                        "suv_max": round(float(case.pet.max()), 3),
                        "mask_ml": round(lesion_ml, 3),
                        "notes": told,
                    }
                )
            )
        else:
            for each in told:
                console.warn(each)
            size = " x ".join(map(str, case.mask.shape))
            typer.echo(f"{name} in {out}: {size} voxels, SUV up to {case.pet.max():.1f}, {lesion_ml:.1f} ml of lesions")


@group.command(epilog="Example: `meddojo imaging export-seg --mask mask.nii.gz --series pet/ --out seg.dcm`")
def export_seg(
    mask: Annotated[Path, typer.Option("--mask", help=".npz of a case or prediction, or NIfTI", exists=True)],
    series: Annotated[Path, typer.Option("--series", help="Folder of the DICOM series of PET", exists=True)],
    out: Annotated[Path, typer.Option("--out", help="New file", dir_okay=False)],
    label: Annotated[str, typer.Option("--label", help="Of the segment")] = "Lesion",
    algorithm: Annotated[
        str | None, typer.Option("--algorithm", help="Name of the program that made the mask [default: this one]")
    ] = None,
    keep_patient: Annotated[
        bool, typer.Option("--keep-patient", help="Copy name and number of the patient from the series")
    ] = False,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Write a mask as a DICOM segmentation of the series it was made on; the patient stays empty unless kept."""
    from scheduler.console import Console

    console = Console(-1 if quiet else verbose)
    with errors_told(console):
        _needs_formats()
        from imaging.data.formats.segmentation_object import Algorithm, write_segmentation
        from imaging.data.formats.series import read_series
        from imaging.data.importing import mask_for

        with console.track("files") as advance:
            source = read_series(series, "PT", advance)
        lesions = mask_for(source, mask)
        made_by = Algorithm(algorithm) if algorithm else Algorithm()
        write_segmentation(lesions, source, out, algorithm=made_by, label=label, keep_patient=keep_patient)
        voxels = int(lesions.sum())
        if as_json:
            typer.echo(json.dumps({"file": str(out), "slices": len(source.slices), "voxels": voxels}))
        else:
            typer.echo(f"{out}: {voxels} voxels on {len(source.slices)} slices")


def _needs_formats() -> None:
    """Say what to install where the readers of image files are not."""
    from importlib.util import find_spec

    missing = [name for name in ("highdicom", "nibabel", "PIL", "pydicom") if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"reading image files needs {', '.join(missing)}, which is not here",
            "install it: pip install 'meddojo[imaging]'",
        )
